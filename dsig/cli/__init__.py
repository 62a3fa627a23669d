"""The command line: arguments in, verbs called, reports out. Each command is imported when it is asked for."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsig.cli.run import main

__all__ = ["console", "main"]


def __getattr__(name: str) -> object:
    """The function when it is asked for (PEP 562): `dsig.cli.dcmsign` does not need it, nor click."""
    if name == "main":
        from dsig.cli import run

        return run.main
    raise AttributeError(f"module 'dsig.cli' has no attribute {name!r}")


def console(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script. Ctrl-C while its modules are imported is an end like any other, and no traceback."""
    waiting = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else it is ignored: so be it
    if waiting:
        signal.signal(signal.SIGINT, _interrupted)
    from dsig.cli.run import console

    if waiting:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    console(arguments)


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"dsig: note: interrupted\n")
    os._exit(130)
