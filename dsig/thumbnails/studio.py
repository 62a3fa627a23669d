"""Has pictures drawn elsewhere, and believes nothing of what comes back but samples."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from dsig.errors import PluginError
from dsig.hookspecs import ThumbnailerSpec
from dsig.model import FileReport, FileVerdict, Thumbnail
from dsig.thumbnails.png import png
from dsig.thumbnails.worker import (
    ANSWER,
    EDGE,
    ENDED,
    FACTS,
    RAISED,
    READY,
    REASON,
    SAMPLES,
    SECONDS,
    TOO_LARGE,
    TOO_SLOW,
)

if TYPE_CHECKING:
    from dsig.providers import Provider

__all__ = ["FAULTS", "MOST", "Studio", "Version"]

MOST = 100
"""Pictures in one report."""
BUDGET = 120.0
"""Seconds for all pictures of one report; who does not fit in has none."""
PATIENCE = 20
"""Seconds more than it has for a picture, after which a process that draws is no longer waited for."""

STUCK = "the program that draws has ended or is stuck"
NO_PICTURE = "what came back is no picture"
FAULTS = (STUCK, NO_PICTURE, TOO_SLOW, TOO_LARGE, ENDED, RAISED)
"""How reasons begin that are the thumbnailer's fault and not the file's."""

Version = tuple[int, int, int]
"""Size, time of modification in nanoseconds and inode of a file: what it was when it was verified."""


class Studio:
    """One process that draws, another after each one that gets stuck; a context manager.

    The first begins at once: raises `PluginError` if the thumbnailer does not load, before any work is done for it.
    """

    def __init__(self, provider: Provider[ThumbnailerSpec], *, seconds: int = SECONDS) -> None:
        self._provider = provider
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def pictured(
        self, files: Sequence[FileReport], sources: Sequence[tuple[str, Version | None]]
    ) -> tuple[FileReport, ...]:
        """The reports with thumbnails: of the gravest first, if they are more than anybody looks at.

        `sources` has the path of each file and its version before it was verified, in the same order.
        """
        order = sorted(range(len(files)), key=lambda n: list(FileVerdict).index(files[n].verdict), reverse=True)
        made: dict[int, Thumbnail] = {}
        until = time.monotonic() + BUDGET
        drawn = 0
        for number in order:
            path, version = sources[number]
            if files[number].verdict is FileVerdict.ERROR:
                made[number] = Thumbnail(reason="what cannot be judged is not drawn")
            elif version is None:
                made[number] = Thumbnail(reason="there is no file to draw it from")
            elif drawn == MOST:
                made[number] = Thumbnail(reason=f"a report shows {MOST} at most")
            elif time.monotonic() > until:
                made[number] = Thumbnail(reason=f"drawing the others took {BUDGET:.0f} seconds")
            else:
                made[number] = self.thumbnail(path, version)
                drawn += bool(made[number].png)
        return tuple(replace(file, thumbnail=made[number]) for number, file in enumerate(files))

    def thumbnail(self, path: str, version: Version) -> Thumbnail:
        """Draw one file, if it still is that version. Whatever goes wrong is a reason, not an error."""
        try:
            if self._process is None:
                self._start()
            self._ask({"path": os.path.abspath(path), "version": version})  # noqa: PTH100 - text as it was typed
            kind, data = self._answer()
            if kind == REASON:
                return Thumbnail(reason=data.decode("utf-8", "replace"))
            return _thumbnail(data if kind == SAMPLES else b"")
        except (OSError, EOFError, PluginError):
            self._end()
            return Thumbnail(reason=STUCK)

    def _start(self) -> None:
        spec, origin = self._provider.spec, self._provider.origin
        self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-P", "-m", "dsig.thumbnails.worker", spec.factory, str(self._seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},  # it forks
            start_new_session=True,  # what it starts ends with it
            bufsize=0,
        )
        try:
            kind, data = self._answer()
        except (OSError, EOFError):
            kind, data = REASON, b"it ends or gets stuck while it is imported"
        if kind != READY:
            self._end()
            raise PluginError(
                f"thumbnailer {spec.name!r} of {origin.distribution} does not load: {data.decode('utf-8', 'replace')}",
                code="plugin-unavailable",
                hint=f"install it with: {spec.requires}"
                if spec.requires
                else f"ask the authors of {origin.distribution}",
            )

    def _ask(self, question: dict[str, object]) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101 - for the type checker
        # ASCII, with surrogates for the bytes of file names that are no text
        self._process.stdin.write(json.dumps(question).encode("ascii") + b"\n")

    def _answer(self) -> tuple[bytes, bytes]:
        """Raises `EOFError` if there is none in time, or one that is none."""
        until = time.monotonic() + self._seconds + PATIENCE
        kind, length = ANSWER.unpack(self._read(ANSWER.size, until))
        if length > FACTS.size + 3 * EDGE * EDGE:
            raise EOFError
        return kind, self._read(length, until)

    def _read(self, count: int, until: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101
        pipe, parts = self._process.stdout.fileno(), b""
        while len(parts) < count:
            if not select.select([pipe], [], [], max(until - time.monotonic(), 0))[0]:
                raise EOFError
            part = os.read(pipe, count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return parts

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with process:  # closes the pipes and waits
            pass


def _thumbnail(data: bytes) -> Thumbnail:
    """A picture out of an answer, if it is one of the size that was asked for."""
    if len(data) < FACTS.size:
        return Thumbnail(reason=NO_PICTURE)
    width, height, frame, frames = FACTS.unpack_from(data)
    if max(width, height) > EDGE or not 1 <= frame <= frames:
        return Thumbnail(reason=NO_PICTURE)
    try:
        return Thumbnail(png(width, height, data[FACTS.size :]), width, height, frame, frames)
    except ValueError:
        return Thumbnail(reason=NO_PICTURE)
