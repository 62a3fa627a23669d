"""What becomes of one entry of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dsig.batch.inputs import SHOWN, DirectoryEnd, LeftOut
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
    skipped: LeftOut | None = None
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
    found, skipped = 0, _Skipped()
    for outcome in outcomes:
        if outcome.skipped is not None:
            skipped.add(outcome.skipped, 1, (outcome.job.relative,) if outcome.job is not None else ())
        elif outcome.end is None:
            found += 1
            yield outcome
        else:
            skipped.add(LeftOut.LINK, outcome.end.skipped, outcome.end.shown)
            if skipped.counts:
                note(skipped.text(outcome.path))
            if not found:
                empty = InputError("no DICOM files in this directory", code="nothing-found", where=Where(outcome.path))
                yield replace(outcome, error=empty, end=None)
            found, skipped = 0, _Skipped()


class _Skipped:
    """What was left out of one directory: how many of each kind, and the names of some."""

    def __init__(self) -> None:
        self.counts: Counter[LeftOut] = Counter()
        self._shown: defaultdict[LeftOut, list[str]] = defaultdict(list)

    def add(self, why: LeftOut, number: int, names: Iterable[str]) -> None:
        if number:
            self.counts[why] += number
            self._shown[why] = [*self._shown[why], *names][:SHOWN]

    def text(self, path: str) -> str:
        """Like `skipped 3 in study: 1 is a DICOMDIR (DICOMDIR), 2 are no DICOM (a.txt, b.txt)`."""
        kinds = ", ".join(self._kind(why) for why in LeftOut if self.counts[why])
        return f"skipped {self.counts.total()} in {path}: {kinds}"

    def _kind(self, why: LeftOut) -> str:
        number, shown, (one, several) = self.counts[why], self._shown[why], why.value
        names = ", ".join(shown) + (", …" if number > len(shown) else "")
        return f"{number} {one if number == 1 else several} ({names})"
