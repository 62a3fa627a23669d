"""What a worker does to have signatures stamped: over the network, or by files with queries and answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from dsig.batch.outputs import directory_for
from dsig.batch.patience import Patience, one_by_one
from dsig.batch.work import Answer, Job, answer, written
from dsig.dicom.output import renames_kept_together, replacing
from dsig.io import refuse_loss, refuse_same
from dsig.plugins import Plugins
from dsig.timestamps.stamping import QueryOptions, TsaOptions
from dsig.verbs.timestamp import (
    Timestamped,
    attach_timestamp,
    read_uid_file,
    timestamp,
    timestamp_query,
    uid_file,
)

__all__ = ["ANSWER", "QUERY", "UID_FILE", "AttachWork", "FetchWork", "Queried", "QueryWork", "Which"]

QUERY, ANSWER, UID_FILE = ".tsq", ".tsr", ".uid.dcm"
"""What is added to an input's name for each; the first two are those of RFC 3161 3.2."""


@dataclass(frozen=True, slots=True)
class Which:
    """The signature that is meant, and how it is read: by the names of the arguments that the three verbs share."""

    uid: str | None = None
    location: str | None = None
    input_kind: str = "auto"
    crypto_backend: str = "cryptography"


@dataclass(frozen=True, slots=True)
class Queried:
    """A query that was written."""

    path: str
    output: str
    uid: str
    """Of the signature; empty if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchWork:
    """`dsig.timestamp`; in place a second try takes another timestamp, which no signature notices."""

    which: Which
    tsa: TsaOptions
    plugins: Plugins
    in_place: bool = False
    within: str | None = None
    digests: bool = False
    patience: Patience = field(default_factory=Patience)

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One stamped file for each."""
        with renames_kept_together():
            return one_by_one(
                jobs, lambda job: answer(job, self.which.input_kind, self.one, self.digests), self.patience
            )

    def one(self, job: Job) -> Timestamped:
        """Have one file stamped."""
        return written(
            job,
            self.within,
            lambda: timestamp(
                job.source,
                job.target,
                tsa=self.tsa,
                in_place=self.in_place,
                plugins=self.plugins,
                **asdict(self.which),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWork:
    """`dsig.timestamp_query`, and `dsig.uid_file` beside it."""

    which: Which
    options: QueryOptions
    plugins: Plugins
    uid_file: str | None = None
    """File for the UID, or directory for those of several inputs."""
    within: str | None = None
    digests: bool = False

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One query for each."""
        return _each(jobs, self.which, self.one, self.digests)

    def one(self, job: Job) -> Queried:
        """Write one query, and the UID before it: whoever finds the query finds both."""
        target, beside = job.target or "", self._uid_file(job)
        refuse_loss(target, "the query", (job.source,))
        if beside is not None:
            refuse_same(beside, "the file with the UID", (job.source, target))
        query, found = timestamp_query(job.source, options=self.options, plugins=self.plugins, **asdict(self.which))

        def write() -> Queried:
            with replacing(target) as file:
                file.write(query)
                if beside is not None:
                    with (
                        directory_for(beside, within=self.uid_file if self.within is not None else None),
                        replacing(beside) as other,
                    ):
                        other.write(uid_file(found))
            return Queried(job.source, target, found)

        return written(job, self.within, write)

    def _uid_file(self, job: Job) -> str | None:
        if self.uid_file is None or (self.within is None and not os.path.isdir(self.uid_file)):
            return self.uid_file
        return os.path.join(self.uid_file, job.relative + UID_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachWork:
    """`dsig.attach_timestamp`; each of the three is a file, or a directory with one for each input."""

    which: Which
    query: str
    response: str
    plugins: Plugins
    uid_file: str | None = None
    allow_modifications: bool = False
    certificates: tuple[bytes, ...] = ()
    in_place: bool = False
    within: str | None = None
    digests: bool = False

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One stamped file for each."""
        return _each(jobs, self.which, self.one, self.digests)

    def one(self, job: Job) -> Timestamped:
        """Stamp one file."""
        which = self.which
        if self.uid_file is not None:
            which = replace(which, uid=read_uid_file(_of(self.uid_file, job, UID_FILE)))
        return written(
            job,
            self.within,
            lambda: attach_timestamp(
                job.source,
                job.target,
                query=_of(self.query, job, QUERY),
                response=_of(self.response, job, ANSWER),
                allow_modifications=self.allow_modifications,
                certificates=self.certificates,
                in_place=self.in_place,
                plugins=self.plugins,
                **asdict(which),
            ),
        )


def _of(given: str, job: Job, suffix: str) -> str:
    """A file as given, or that of a job in a directory that mirrors the inputs."""
    return os.path.join(given, job.relative + suffix) if os.path.isdir(given) else given


def _each(jobs: tuple[Job, ...], which: Which, one: Callable[[Job], object], digests: bool) -> list[Answer]:
    with renames_kept_together():
        return [answer(job, which.input_kind, one, digests) for job in jobs]
