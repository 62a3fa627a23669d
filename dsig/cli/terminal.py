"""What people see: results on standard output, everything else on standard error, nothing unescaped."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
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
    "row",
    "signer",
    "standard_output",
]

LONGEST = 1000
"""Characters shown of one text."""
_SHOWN = 5
_COLUMN = 12


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


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, flushed at the end. A reader that went away changes no verdict; a full disk is an error.

    Raises `OutputError`.
    """
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        drop_output()
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def drop_output() -> None:
    """Send what is still buffered nowhere, so that closing standard output does not fail once more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def row(stream: TextIO, label: str, text: str, *, indent: int = 2) -> None:
    """A line of a result: label, then text."""
    shown = f"{' ' * indent}{printable(label):<{_COLUMN}}{_shortened(printable(text))}"
    stream.write(shown.rstrip() + "\n")


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
