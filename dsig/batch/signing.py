"""What a worker does to sign."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass, field, replace

from dsig.batch.patience import Patience, one_by_one
from dsig.batch.work import Answer, Job, answer, written
from dsig.dicom.output import renames_kept_together
from dsig.errors import UsageError
from dsig.keys import OpenKey
from dsig.plugins import Plugins
from dsig.verbs.sign import Signed, SignOptions, sign

__all__ = ["Preparation", "SignWork"]

BESIDE = 4
"""Files at a time in one worker: while one waits for the token or for the disk, the next is made ready."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a worker imports while the key is opened."""

    crypto_backend: str
    plugins: Plugins

    def __call__(self) -> None:
        """Import it."""
        self.plugins.crypto_backends.get(self.crypto_backend)


@dataclass(frozen=True, slots=True)
class SignWork:
    """`dsig.sign`; the signer of the key is one that can go to workers."""

    options: SignOptions
    key: OpenKey
    plugins: Plugins
    within: str | None = None
    """Directory of mirrored outputs."""
    digests: bool = False
    patience: Patience = field(default_factory=Patience)

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One signed file for each; all are safe from a crash when it ends, and nobody is told before."""
        with renames_kept_together():
            # a time stamp authority is asked for one after the other: that is its business, not ours
            if len(jobs) == 1 or self.options.timestamp is not None:
                return one_by_one(jobs, self.answer, self.patience)
            from concurrent.futures import ThreadPoolExecutor  # and logging with it

            with ThreadPoolExecutor(BESIDE, "dsig-sign") as threads:
                begun = [threads.submit(copy_context().run, self.answer, job) for job in jobs]
                return [one.result() for one in begun]

    def answer(self, job: Job) -> Answer:
        """What became of one file."""
        return answer(job, self.options.input_kind, self.one, self.digests)

    def one(self, job: Job) -> Signed | None:
        """Sign one file; None if an earlier try of the same job did it."""
        options = replace(self.options, uid=job.uid) if job.uid else self.options
        try:
            return written(
                job,
                self.within,
                lambda: sign(job.source, job.target, key=self.key, options=options, plugins=self.plugins),
            )
        except UsageError as error:
            if error.code == "uid-taken" and job.uid:
                return None
            raise
