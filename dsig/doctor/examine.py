"""Runs a checkup for each plugin and says what became of it: crash, hang and noise are findings like others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import IO, Any

from dsig.model import PluginUse
from dsig.plugins import Installed

__all__ = ["SECONDS", "Diagnosis", "Examined", "Health", "examine"]

SECONDS = 20.0
"""What one plugin is given, start of the interpreter included."""
LAST_WORDS = 10.0
"""Seconds to read what it said before it ended; that is done at once unless something it left behind holds the pipe."""
MAX_OUTPUT = 1 << 20
"""Bytes on standard output or standard error after which a plugin is stopped."""
AT_ONCE = 4


class Health(StrEnum):
    """How a plugin or provider is."""

    GOOD = "good"
    UNAVAILABLE = "unavailable"
    """A library it needs is not installed; nothing is wrong with it."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Examined:
    """One provider, or with empty `kind` and `name` the plugin as a whole."""

    kind: str
    name: str
    health: Health
    reason: str = ""
    """What is wrong, for people; empty if good."""
    hint: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found about one plugin."""

    plugin: PluginUse
    examined: tuple[Examined, ...]

    @property
    def health(self) -> Health:
        """The worst of all."""
        found = {e.health for e in self.examined}
        return next((h for h in (Health.BAD, Health.UNAVAILABLE) if h in found), Health.GOOD)


def examine(plugins: Iterable[Installed], *, seconds: float = SECONDS) -> list[Diagnosis]:
    """Examine plugins in processes of their own, each within so many seconds, in the order given."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda installed: _examined(installed, seconds), plugins))
    claims: dict[tuple[str, str], list[PluginUse]] = {}
    for diagnosis in found:
        for one in diagnosis.examined:
            if one.kind:
                claims.setdefault((one.kind, one.name), []).append(diagnosis.plugin)
    return [replace(d, examined=tuple(_disputed(d.plugin, one, claims) for one in d.examined)) for d in found]


def _disputed(plugin: PluginUse, one: Examined, claims: dict[tuple[str, str], list[PluginUse]]) -> Examined:
    others = [use for use in claims.get((one.kind, one.name), ()) if use != plugin]
    if not others or one.health is Health.BAD:
        return one
    named = " and ".join(f"{use.distribution} ({use.name})" for use in others)
    return replace(one, health=Health.BAD, reason=f"claimed by {named} too", hint="uninstall or deny one of them")


def _examined(installed: Installed, seconds: float) -> Diagnosis:
    use = installed.origin
    hint = f"ask the authors of {use.distribution}, or deny the plugin in the configuration"
    with tempfile.TemporaryDirectory(prefix="dsig-doctor-", ignore_cleanup_errors=True) as directory:
        notes = Path(directory, "notes")
        child = _Child([use.name, installed.value, use.distribution, str(notes)], seconds)
        with suppress(FileNotFoundError):
            child.notes = _lines(notes)
    examined = [replace(e, hint=e.hint or (hint if e.reason else "")) for e in child.examined()]
    examined += [Examined("", "", Health.BAD, reason, hint) for reason in child.misconduct()]
    return Diagnosis(use, tuple(examined))


def _lines(path: Path) -> list[dict[str, Any]]:
    """The notes of the child, as far as they can be read."""
    with path.open("rb") as file:
        raw = file.read(MAX_OUTPUT)
    lines = []
    for line in raw.splitlines():
        with suppress(ValueError, RecursionError):
            read = json.loads(line)
            if isinstance(read, dict):
                lines.append(read)
    return lines


class _Child:
    """A checkup that ran, and how it behaved."""

    def __init__(self, arguments: list[str], seconds: float) -> None:
        self.notes: list[dict[str, Any]] = []
        self._seconds = seconds
        self._hung = False
        self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-P", "-m", "dsig.doctor.checkup", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # what it starts ends with it
        )
        assert self._process.stdout and self._process.stderr  # noqa: S101 - for the type checker
        self._said = [_Listener(self._process.stdout, self._kill), _Listener(self._process.stderr, self._kill)]
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._hung = True
            self._kill()
            self._process.wait()
        for listener in self._said:
            listener.join(LAST_WORDS)
            if listener.is_alive():  # something it started holds the pipe
                self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def examined(self) -> Iterator[Examined]:
        for note in self.notes:
            if note.get("health") in tuple(Health):
                kind, name, reason, hint = (str(note.get(key, "")) for key in ("kind", "name", "reason", "hint"))
                yield Examined(kind, name, Health(note["health"]), reason, hint)

    def misconduct(self) -> Iterator[str]:
        """What it did that no plugin may do, each as a sentence."""
        doing = next((str(n["doing"]) for n in reversed(self.notes) if "doing" in n), "the process began")
        status = self._process.returncode
        flood = any(listener.size > MAX_OUTPUT for listener in self._said)
        if flood:
            yield f"it wrote more than {MAX_OUTPUT} bytes and was stopped when {doing}"
        elif self._hung:
            yield f"it did not come back within {self._seconds:g} seconds when {doing}"
        elif status < 0:
            yield f"it crashed ({_signal(-status)}) when {doing}"
        elif status or not any("done" in n or n.get("health") == "bad" for n in self.notes):
            yield f"it ended the process with status {status} when {doing}"
        out = self._said[0]
        if out.size and not flood:
            yield f"it writes to standard output, where reports go: {out.head.decode('utf-8', 'replace')!r}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Listener(Thread):
    """Counts what comes through a pipe and keeps its beginning."""

    def __init__(self, pipe: IO[bytes], too_much: Any) -> None:
        super().__init__(daemon=True)
        self.size = 0
        self.head = b""
        self._pipe = pipe
        self._too_much = too_much
        self.start()

    def run(self) -> None:
        while piece := os.read(self._pipe.fileno(), 1 << 16):
            self.head = (self.head + piece)[:80]
            self.size += len(piece)
            if self.size > MAX_OUTPUT:
                self._too_much()
                break
        self._pipe.close()
