"""What people see: results on standard output, everything else on standard error, nothing unescaped."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from dsig.errors import DsigError, OutputError
from dsig.printable import printable

if TYPE_CHECKING:  # every command imports this module, and few need the model
    from dsig.model import Coverage, SignerFacts

__all__ = [
    "complain",
    "covered",
    "describe",
    "drop_output",
    "note",
    "prepare_streams",
    "prints_aside",
    "row",
    "signer",
    "standard_output",
]

LONGEST = 1000
"""Characters shown of one text."""
WIDEST = 140
"""Columns used of a terminal, however wide."""
_SHOWN = 5
_COLUMN = 12
_STYLES = {"signed": "32", "written": "32", "error": "31", "warning": "33", "file": "1", "signature": "1"}


def prepare_streams() -> None:
    """Characters the terminal cannot show are written out instead of ending the program.

    A stream that was closed before we began goes nowhere, and no file we open takes its number.
    """
    while (unused := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(unused)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def complain(text: str, kind: str = "error") -> None:
    """One line on standard error; nobody reading it is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"dsig: {kind}: {_shortened(printable(text))}\n")
        sys.stderr.flush()


def note(text: str) -> None:
    """One line on standard error that is no error."""
    complain(text, "note")


def describe(error: DsigError) -> str:
    """What went wrong, where, and what to do, as one text."""
    where = str(error.where)
    return error.message + (f" [{where}]" if where else "") + (f" ({error.hint})" if error.hint else "")


_report: TextIO | None = None
"""Standard output, while `sys.stdout` is another stream."""


@contextlib.contextmanager
def prints_aside() -> Iterator[None]:
    """What plugins print meanwhile goes to standard error: standard output is the report's (`standard_output`)."""
    global _report
    if _report is not None:
        yield
        return
    _report, sys.stdout = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdout, _report = _report, None


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, flushed at the end. A reader that went away changes no verdict; a full disk is an error.

    Raises `OutputError`.
    """
    try:
        out = _report or sys.stdout
        yield out
        out.flush()
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        drop_output()
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def drop_output() -> None:
    """Send what is still buffered nowhere, so that closing standard output does not fail once more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (_report or sys.stdout).fileno())
        os.close(nowhere)


def row(stream: TextIO, label: str, text: str, *, indent: int = 2, column: int = _COLUMN) -> None:
    """A line of a result: label, then text, which begins at `column`.

    On a terminal it is wrapped to its width, and in colour where that is wanted.
    """
    label, text = printable(label), _shortened(printable(text))
    if not stream.isatty():
        stream.write(f"{' ' * indent}{label:<{column}}{text}".rstrip() + "\n")
        return
    import shutil
    import textwrap

    start = indent + max(column, len(label))
    room = max(min(shutil.get_terminal_size().columns, WIDEST) - start, 16)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    lead = f"\x1b[{_STYLES[label]}m{label}\x1b[0m" if label in _STYLES and _colourful() else label
    stream.write(f"{' ' * indent}{lead}{' ' * (start - indent - len(label))}{lines[0]}".rstrip() + "\n")
    stream.writelines(f"{' ' * start}{line}\n" for line in lines[1:])


def _colourful(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal is to be coloured (https://no-color.org: present and not empty)."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def signer(facts: SignerFacts | None) -> str:
    """Who a certificate names, in one line."""
    if facts is None:
        return "unknown, there is no readable certificate"
    return f"{facts.subject or 'without name'} (issued by {facts.issuer or 'nobody'}, {facts.key})"


def covered(coverage: Coverage) -> str:
    """What is signed and what not, in one line."""
    text = f"{coverage.signed} element{'' if coverage.signed == 1 else 's'} signed"
    count = len(coverage.unsigned) + coverage.unsigned_more
    if not count:
        return f"{text}, none unsigned"
    names = [e.location or e.keyword or f"({e.tag[:4]},{e.tag[4:]})" for e in coverage.unsigned[:_SHOWN]]
    more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
    return f"{text}, {count} unsigned: {', '.join(names)}{more}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
