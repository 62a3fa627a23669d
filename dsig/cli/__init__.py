"""The command line: arguments in, verbs called, reports out. Each command is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsig.cli.run import console, main

__all__ = ["console", "main"]


def __getattr__(name: str) -> object:
    """The two functions when they are asked for (PEP 562): `dsig.cli.dcmsign` needs neither, nor click."""
    if name in __all__:
        from dsig.cli import run

        return getattr(run, name)
    raise AttributeError(f"module 'dsig.cli' has no attribute {name!r}")
