"""How often time stamp authorities that give nothing are asked: not once for each of a thousand files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dsig.batch.work import Answer, Job
from dsig.errors import DsigError, OutputError

__all__ = ["PATIENCE", "UNAVAILABLE", "Patience", "one_by_one", "unasked"]

PATIENCE = 3
"""Files in a row for which no TSA gave a timestamp; each has taken all attempts with all TSAs."""

UNAVAILABLE = "timestamp-unavailable"
"""Code of the error of such a file."""


@dataclass(slots=True)
class Patience:
    """Counts files in a row for which there was no timestamp; what else goes wrong with a file says nothing of TSAs."""

    failures: int = 0

    def lost(self, error: DsigError | None) -> bool:
        """Whether it is at an end, now that one more file ended so (None: it was stamped)."""
        if error is None:
            self.failures = 0
        elif error.code == UNAVAILABLE:
            self.failures += 1
        return self.failures >= PATIENCE


def one_by_one(jobs: tuple[Job, ...], do: Callable[[Job], Answer], patience: Patience) -> list[Answer]:
    """An answer for each job, in order; once patience is lost, an error for each of those left, which are not begun.

    A worker keeps its patience from task to task: the first ones are small.
    """
    answers: list[Answer] = []
    for job in jobs:
        if patience.failures >= PATIENCE:
            answers.append(Answer(error=unasked().located(job.shown or job.source)))
            continue
        answers.append(do(job))
        if answers[-1].skipped is None and not answers[-1].unforeseen:
            patience.lost(answers[-1].error)
    return answers


def unasked() -> OutputError:
    """Why the others are not begun."""
    return OutputError(
        f"no TSA gave a timestamp for {PATIENCE} files in a row, so none is asked about the others",
        code=UNAVAILABLE,
        hint="try again later, or name another TSA",
    )
