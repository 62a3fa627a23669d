"""The process that draws: forks for each file, so that what one file does to a decoder ends with it.

Called as `python -m dsig.thumbnails.worker FACTORY SECONDS`. Each line of standard input is a JSON object with
`path` and `version`, what the file must still be; each answer on standard output is a kind, a length, so many bytes.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import IO, Any

__all__ = [
    "ANSWER",
    "EDGE",
    "ENDED",
    "FACTS",
    "RAISED",
    "READY",
    "REASON",
    "SAMPLES",
    "SECONDS",
    "TOO_LARGE",
    "TOO_SLOW",
    "main",
]

EDGE = 192
"""Pixels of the longer edge of a picture."""
SECONDS = 10
"""Of processor time, and as many by the clock, for one picture."""
MEMORY = 1 << 30
"""Bytes that drawing one picture may take beyond what the process has before."""
FILES = 64
"""Descriptors that it may have."""

ANSWER = struct.Struct(">cI")
"""Kind and length of an answer."""
FACTS = struct.Struct(">HHII")
"""Before the samples: width, height, frame, frames."""
READY, SAMPLES, REASON = b"r", b"s", b"n"
LONGEST = 300
"""Bytes of a reason."""
MOST = FACTS.size + 3 * EDGE * EDGE
TOO_SLOW = "drawing it took too long"
TOO_LARGE = "drawing it takes too much memory"
ENDED = "drawing it ended the program that draws"
RAISED = "it cannot be drawn: "
"""Reasons that are a thumbnailer's fault; after the last one comes the type of an exception."""


def main(factory: str, seconds: int) -> int:
    """Answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)  # what decoders say is no answer
    os.dup2(nowhere, 2)
    module, _, attribute = factory.partition(":")
    try:
        thumbnailer = getattr(importlib.import_module(module), attribute)()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin
        _answer(answers, REASON, _brief(error))
        return 1
    _answer(answers, READY, b"")
    for line in sys.stdin.buffer:
        _answer(answers, *_in_a_child(thumbnailer, json.loads(line), seconds, answers.fileno()))
    return 0


def _answer(stream: IO[bytes], kind: bytes, data: bytes) -> None:
    stream.write(ANSWER.pack(kind, len(data)) + data)
    stream.flush()


def _in_a_child(thumbnailer: Any, wanted: dict[str, Any], seconds: int, answers: int) -> tuple[bytes, bytes]:
    """What a child process of this one says, or what it died of."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for inherited in (reading, answers, sys.stdin.fileno()):
                os.close(inherited)
            _confined(seconds)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(_drawn(thumbnailer, wanted))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read(MOST + 2)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)  # it has said all, or too much
    _, status = os.waitpid(child, 0)
    if said[:1] in (SAMPLES, REASON) and len(said) <= MOST + 1:
        return said[:1], said[1:]
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    slow = ended in (signal.SIGALRM, signal.SIGXCPU)
    return REASON, (TOO_SLOW if slow else ENDED).encode("ascii")


def _confined(seconds: int) -> None:
    """Little time, little memory, no files to write, no other answer than the one expected."""
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # at the second, SIGKILL, which says nothing
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    with contextlib.suppress(OSError, ValueError):  # Linux: what it has, in pages
        has = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + MEMORY, has + MEMORY))


def _drawn(thumbnailer: Any, wanted: dict[str, Any]) -> bytes:
    try:
        with open(wanted["path"], "rb") as file:  # noqa: PTH123 - as it was given
            if not _same(file, wanted):
                return REASON + b"the file is not the one that was verified any more"
            picture = thumbnailer.draw(file, EDGE)
            if not _same(file, wanted):
                return REASON + b"the file changed while it was drawn"
        facts = FACTS.pack(picture.width, picture.height, picture.frame, picture.frames)
        return SAMPLES + facts + bytes(picture.samples)
    except ValueError as error:
        return REASON + _short(str(error))
    except MemoryError:
        return REASON + TOO_LARGE.encode("ascii")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin, and a decoder behind it
        return REASON + RAISED.encode("ascii") + type(error).__name__.encode("ascii", "replace")


def _same(file: IO[bytes], wanted: dict[str, Any]) -> bool:
    found = os.fstat(file.fileno())
    return bool([found.st_size, found.st_mtime_ns, found.st_ino] == wanted["version"])


def _brief(error: BaseException) -> bytes:
    return _short(f"{type(error).__name__}: {error}")


def _short(text: str) -> bytes:
    return " ".join(text.split()).encode("utf-8", "replace")[:LONGEST]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
