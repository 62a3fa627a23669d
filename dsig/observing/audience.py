"""Those who are told: nothing comes back from them but whether they heard it."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from threading import Thread
from typing import IO, Self

from dsig.hookspecs import ObserverSpec, SigningFacts
from dsig.model import FileReport
from dsig.observing.child import LENGTH
from dsig.plugins import Plugins
from dsig.providers import Provider

__all__ = ["SECONDS", "Audience"]

SECONDS = 5.0
"""After the last verdict, for all observers together; who is not done then is stopped."""
WAITING = 1000
"""Files that an observer may be behind; of those beyond it is not told."""
LAST_WORDS = 10.0
"""Seconds to read what it said before it ended; that is done at once unless something it left behind holds the pipe."""
LONGEST = 4096
"""Bytes of what it says about itself."""


class Audience:
    """The observers of a run; a context manager. Without any it costs nothing.

    `warn` gets a sentence about each observer that fails, hangs or ends. Variables in `hidden` are left out of the
    environment of observers: they hold secrets.
    """

    def __init__(self, plugins: Plugins, warn: Callable[[str], None], *, hidden: Collection[str] = ()) -> None:
        permitted = (p for p in plugins.observers if plugins.observers.experiments or not p.spec.experimental)
        conflicts = plugins.observers.conflicts
        self._warn = warn
        self._told = [_Told(provider, hidden) for provider in permitted if provider.spec.name not in conflicts]
        for name in conflicts:
            warn(f"observer {name} is claimed by several plugins, none of which is told")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give them their time, then stop them."""
        until = time.monotonic() + SECONDS
        for told in self._told:
            told.no_more()
        for told in self._told:
            if said := told.end(until):
                spec, origin = told.provider.spec, told.provider.origin
                self._warn(f"observer {spec.name} of {origin.distribution} {origin.version} {said}")

    def signed(self, facts: SigningFacts) -> None:
        """A file was signed and written."""
        for told in self._told:
            told.tell("signed", facts)

    def watching(self, files: Iterable[FileReport]) -> Iterator[FileReport]:
        """The same reports; observers are told of each."""
        for file in files:
            for told in self._told:
                told.tell("verified", file)
            yield file


class _Told:
    """One observer and the process it is in."""

    def __init__(self, provider: Provider[ObserverSpec], hidden: Collection[str]) -> None:
        self.provider = provider
        self._left_out = 0
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING)
        self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-P", "-m", "dsig.observing.child", provider.spec.factory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in hidden},
            start_new_session=True,  # what it starts ends with it, and Ctrl-C is not for it
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101 - for the type checker
        self._said = b""
        self._threads = [
            Thread(target=self._feed, args=(self._process.stdin,), daemon=True),
            Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def tell(self, event: str, facts: SigningFacts | FileReport) -> None:
        """Put it into the queue, or count it as left out: nobody waits for an observer."""
        try:
            self._waiting.put_nowait(pickle.dumps((event, facts)))
        except queue.Full:
            self._left_out += 1

    def no_more(self) -> None:
        """That was all. An observer so far behind that this does not fit in will be stopped."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)

    def end(self, until: float) -> str:
        """What is to be said of it, when it has ended or is stopped."""
        try:
            self._process.wait(max(until - time.monotonic(), 0))
            late = False
        except subprocess.TimeoutExpired:
            late = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for thread in self._threads:
            thread.join(LAST_WORDS)
        if late:
            return f"was stopped: it was not done {SECONDS:g} seconds after the verdict"
        return self._complaint()

    def _complaint(self) -> str:
        try:
            said = json.loads(self._said)
            told, failed, reason = int(said["told"]), int(said["failed"]), str(said["reason"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return "ended before it was told everything"
        if not told and reason:
            return f"does not load: {reason}"
        if failed:
            return f"failed {failed} of {told} times: {reason}"
        return f"is too slow: it was not told of {self._left_out} files" if self._left_out else ""

    def _feed(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            while (message := self._waiting.get()) is not None:
                pipe.write(LENGTH.pack(len(message)) + message)
                pipe.flush()

    def _listen(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            self._said = pipe.read(LONGEST)
