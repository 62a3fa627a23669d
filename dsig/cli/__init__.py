"""The command line: arguments in, verbs called, reports out. Each command is imported when it is asked for.

Until `console` has begun nothing is imported that takes time: a Ctrl-C before it cannot be caught.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `dsig`

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from dsig.cli.run import main

__all__ = ["console", "loaded", "main"]


def __getattr__(name: str) -> object:
    """The function when it is asked for (PEP 562): `dsig.cli.dcmsign` does not need it, nor click."""
    if name == "main":
        from dsig.cli import run

        return run.main
    raise AttributeError(f"module 'dsig.cli' has no attribute {name!r}")


def console(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script."""

    def load() -> Callable[..., NoReturn]:
        from dsig.cli.run import console

        return console

    loaded(load, "dsig: note: interrupted\n")(arguments)


def loaded(load: Callable[[], Callable[..., NoReturn]], told: str) -> Callable[..., NoReturn]:
    """What `load` imports. Ctrl-C meanwhile is an end like any other: status 130, and `told` on standard error."""

    def interrupted(*_signal: object) -> NoReturn:
        import os

        os.write(2, told.encode())
        os._exit(130)

    waiting = None
    try:
        import gc
        import signal
        import sys

        # threads that hash, read and write give the interpreter lock up all the time: here they get it back soon
        sys.setswitchinterval(0.0001)
        gc.set_threshold(100_000)  # imports make no garbage, and looking for it takes a twentieth of a start
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored: so be it
            waiting = signal.default_int_handler
            # not by the exception alone: what the import system calls back ignores exceptions
            signal.signal(signal.SIGINT, interrupted)
        found = load()
    except KeyboardInterrupt:
        interrupted()
    if waiting is not None:
        signal.signal(signal.SIGINT, waiting)
    return found
