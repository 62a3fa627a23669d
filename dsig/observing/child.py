"""The process of one observer: it hears, it cannot answer.

Called as `python -m dsig.observing.child FACTORY`. Standard input is a sequence of messages, each a length and so many
bytes of pickled event and facts, made by the process that started this one. At the end one JSON object is written.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import struct
import sys
from typing import IO

__all__ = ["LENGTH", "main"]

LENGTH = struct.Struct(">I")
REASON = 200
"""Characters of a reason."""


def main(factory: str) -> int:
    """Tell the observer until there is no more."""
    messages, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # reports go to standard output, and nobody asks for an observer's opinion
        os.dup2(nowhere, descriptor)
    module, _, attribute = factory.partition(":")
    told = failed = 0
    reason = ""
    try:
        observer = getattr(importlib.import_module(module), attribute)()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin
        _answer(answers, told, failed, f"{type(error).__name__}: {error}")
        return 1
    while (message := _next(messages)) is not None:
        event, facts = pickle.loads(message)  # noqa: S301 - from the process that started this one
        told += 1
        try:
            getattr(observer, event)(facts)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            failed += 1
            reason = reason or type(error).__name__
    _answer(answers, told, failed, reason)
    return 0


def _next(stream: IO[bytes]) -> bytes | None:
    """The next message; None at the end, and if it is cut short because the other process is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None


def _answer(stream: IO[bytes], told: int, failed: int, reason: str) -> None:
    stream.write(json.dumps({"told": told, "failed": failed, "reason": reason[:REASON]}).encode("ascii"))
    stream.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
