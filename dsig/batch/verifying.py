"""What a worker does to verify."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dsig.batch.work import Answer, Job, answer
from dsig.model import FileReport
from dsig.plugins import Plugins
from dsig.verbs.verify import VerifyOptions, verify

__all__ = ["VerifyWork"]


@dataclass(frozen=True, slots=True)
class VerifyWork:
    """`dsig.verify`."""

    options: VerifyOptions
    plugins: Plugins
    digests: bool = False
    """Take digests of inputs and outputs, for the ledger."""

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One report for each file."""
        return [answer(job, self.options.input_kind, self.one, self.digests) for job in jobs]

    def one(self, job: Job) -> FileReport:
        """The report on one file."""
        report = verify(job.source, self.options, plugins=self.plugins)
        return replace(report, path=job.shown) if job.shown else report
