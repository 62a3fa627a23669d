"""The command `dsig-dcmsign`: the options, output and exit codes of OFFIS dcmsign in front of our verbs.

A script written for that tool runs with this one. What it asks for is translated (`request`), a verb of `dsig.verbs`
does the work, and the outcome is put into the tool's words (`outcome`). There is no second pipeline.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `dsig`

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from dsig.cli.dcmsign.run import main

__all__ = ["console", "main"]


def __getattr__(name: str) -> object:
    """The function when it is asked for (PEP 562)."""
    if name == "main":
        from dsig.cli.dcmsign import run

        return run.main
    raise AttributeError(f"module 'dsig.cli.dcmsign' has no attribute {name!r}")


def console() -> NoReturn:
    """The console script."""
    from dsig.cli import loaded

    def load() -> Callable[..., NoReturn]:
        from dsig.cli.dcmsign.run import console

        return console

    loaded(load, "")()
