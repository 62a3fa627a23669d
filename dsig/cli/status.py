"""What the command line returns: one number, documented in docs/exit-status.md."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

__all__ = ["ExitStatus", "gravest"]


class ExitStatus(IntEnum):
    """Exit status; scripts rely on these numbers."""

    DONE = 0
    """Everything passed, or was done."""
    FAILED = 1
    """A signature, or a signed file, failed."""
    USAGE = 2
    INDETERMINATE = 3
    UNSIGNED = 4
    INPUT = 5
    KEY = 6
    PLUGIN = 7
    OUTPUT = 8
    INTERNAL = 70
    """A fault of this program, as `EX_SOFTWARE` of sysexits.h."""
    INTERRUPTED = 130
    """By SIGINT; 128 and the number of the signal, as shells have it."""
    NO_READER = 141
    """Whatever read standard output went away (SIGPIPE) before there was a verdict."""
    TERMINATED = 143
    """By SIGTERM."""


_GRAVITY = (
    ExitStatus.FAILED,
    ExitStatus.INTERNAL,
    ExitStatus.OUTPUT,
    ExitStatus.INPUT,
    ExitStatus.USAGE,
    ExitStatus.INDETERMINATE,
    ExitStatus.UNSIGNED,
)
"""Outcomes of single files, gravest first."""


def gravest(outcomes: Iterable[int]) -> ExitStatus:
    """The status for many files."""
    seen = set(outcomes)
    return next((status for status in _GRAVITY if status in seen), ExitStatus.DONE)
