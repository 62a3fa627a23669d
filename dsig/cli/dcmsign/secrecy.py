"""--use-passwd writes a password where every user of the machine can read it; here it is taken away again.

That is as much as can be done: the password was visible from the start of the process up to here, and the shell may
keep it in its history. `dsig sign` has no such option.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["HIDDEN", "forget_password", "shown"]

HIDDEN = "********"
OPTIONS = ("+pw", "--use-passwd")
_ARG_START, _ARG_END = 48, 49
"""Fields of /proc/PID/stat, see proc_pid_stat(5)."""


def shown(words: Sequence[str]) -> list[str]:
    """The words without passwords."""
    return [HIDDEN if before in OPTIONS else word for before, word in zip(("", *words), words, strict=False)]


def forget_password() -> None:
    """Overwrite passwords among the arguments of this process, as far as the system lets us."""
    if not any(option in sys.argv for option in OPTIONS):
        return
    sys.argv[:] = shown(sys.argv)
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        start, end = (int(fields[number - 3]) for number in (_ARG_START, _ARG_END))
        if not 0 < start < end:
            return
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123 - unbuffered
            memory.seek(start)
            at, before = start, b""
            for word in memory.read(end - start).split(b"\0"):
                if before.decode("ascii", "replace") in OPTIONS:
                    memory.seek(at)
                    memory.write(b"*" * len(word))
                at += len(word) + 1
                before = word
