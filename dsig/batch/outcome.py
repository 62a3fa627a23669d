"""What becomes of one entry of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dsig.batch.inputs import SHOWN, DirectoryEnd
from dsig.batch.work import Job
from dsig.errors import DsigError, InputError, Where

__all__ = ["Outcome", "settled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry."""

    path: str
    job: Job | None = None
    """None for what is no file."""
    result: Any = None
    """What the verb gave."""
    error: DsigError | None = None
    unforeseen: str = ""
    skipped: bool = False
    earlier: bool = False
    """Done by an earlier run, as the ledger says."""
    end: DirectoryEnd | None = None
    """The end of a directory."""
    left: bool = False
    """Not begun, because there is trouble with the key or a plugin."""


def settled(outcomes: Iterator[Outcome], note: Callable[[str], None]) -> Iterator[Outcome]:
    """The outcomes that are about files or about something that cannot be had; the rest goes to `note`.

    A directory without any DICOM file is an error: a verdict about less than what was given would be wrong.
    """
    found, skipped, shown = 0, 0, list[str]()
    for outcome in outcomes:
        if outcome.skipped:
            skipped += 1
            if len(shown) < SHOWN and outcome.job is not None:
                shown.append(outcome.job.relative)
        elif outcome.end is None:
            found += 1
            yield outcome
        else:
            skipped += outcome.end.skipped
            shown = [*outcome.end.shown, *shown][:SHOWN]
            if skipped:
                names = ", ".join(shown) + (", …" if skipped > len(shown) else "")
                note(f"skipped {skipped} in {outcome.path} that {'is' if skipped == 1 else 'are'} no DICOM: {names}")
            if not found:
                empty = InputError("no DICOM files in this directory", code="nothing-found", where=Where(outcome.path))
                yield replace(outcome, error=empty, end=None)
            found, skipped, shown = 0, 0, []
