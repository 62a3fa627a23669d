"""What a worker does to remove."""

from __future__ import annotations

from dataclasses import dataclass

from dsig.batch.work import Answer, Job, answer, identity, written
from dsig.errors import UsageError
from dsig.limits import DEFAULT, Limits
from dsig.verbs.remove import Removed, remove

__all__ = ["RemoveWork"]


@dataclass(frozen=True, slots=True)
class RemoveWork:
    """`dsig.remove`."""

    uid: str | None
    everything: bool
    in_place: bool
    input_kind: str
    limits: Limits = DEFAULT
    within: str | None = None
    digests: bool = False

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One file without signatures for each."""
        return [answer(job, self.input_kind, self.one, self.digests) for job in jobs]

    def one(self, job: Job) -> Removed | None:
        """Remove from one file; None if an earlier try of the same job did it."""
        try:
            return written(
                job,
                self.within,
                lambda: remove(
                    job.source,
                    job.target,
                    uid=self.uid,
                    everything=self.everything,
                    in_place=self.in_place,
                    input_kind=self.input_kind,
                    limits=self.limits,
                ),
            )
        except UsageError as error:
            replaced = job.before is not None and not job.before.same_file(identity(job.source))
            if error.code == "no-such-signature" and self.in_place and replaced:
                return None
            raise
