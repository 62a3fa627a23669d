"""What a worker does with a few files: one answer for each, nothing raised. The verbs are in modules of their own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dsig.batch.inputs import LeftOut, left_out
from dsig.errors import DsigError, InputError, OutputError, Where

__all__ = ["Answer", "Identity", "Job", "Work", "answer", "digested", "identity", "written"]

R = TypeVar("R")

TRIES = 3
"""How often a directory is made: whoever fails takes an empty one away that another worker wanted."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Enough of a file to notice that it is another one or has changed."""

    size: int
    """Bytes."""
    mtime_ns: int
    inode: int
    digest: str = ""
    """SHA-256 of its bytes, lower-case hexadecimal; empty if nobody asked."""
    ctime_ns: int = 0
    """When anything about it changed; unlike `mtime_ns` nobody can set it back."""

    def same_file(self, other: Identity | None) -> bool:
        """Whether nothing has changed, by the look of it."""
        return other is not None and (self.size, self.mtime_ns, self.inode) == (
            other.size,
            other.mtime_ns,
            other.inode,
        )


def identity(path: str) -> Identity | None:
    """Size, time and place of a file; None if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return Identity(found.st_size, found.st_mtime_ns, found.st_ino, ctime_ns=found.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class Job:
    """One file in, one file out."""

    source: str
    target: str | None = None
    """None for in place, and for what writes nothing."""
    listed: bool = False
    """Found in a directory: skipped if it is no DICOM to work on."""
    uid: str = ""
    """Digital Signature UID that a signature in place will have: by it a second try sees that the first was done."""
    before: Identity | None = None
    """The input as it was when the job was given out."""
    shown: str = ""
    """How reports call the input, if not by its path."""
    relative: str = ""
    """The way to it from the directory given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one job."""

    result: Any = None
    """`FileReport`, `Signed`, `Removed`, …; None if there is none."""
    error: DsigError | None = None
    skipped: LeftOut | None = None
    """It was only found in a directory, and is no DICOM to work on."""
    unforeseen: str = ""
    """Type of an exception nobody planned for: a fault of this program."""
    again: bool = False
    """It had been done before by a worker that could not say so any more."""
    source: Identity | None = None
    output: Identity | None = None


class Work(Protocol):
    """A verb with its options; goes to workers, so it can be pickled."""

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """One answer for each job."""


def written(job: Job, within: str | None, write: Callable[[], R]) -> R:
    """Write, with the directories it takes."""
    from dsig.batch.outputs import directory_for

    for number in range(TRIES):
        try:
            with directory_for(job.target, within=within):
                return write()
        except OutputError as error:
            there = within is None or job.target is None or os.path.isdir(os.path.dirname(job.target))
            # a TSA that gave nothing, too, leaves no directory behind: it would be asked again
            if there or error.code != OutputError.default_code or number + 1 == TRIES:
                raise
    raise AssertionError("unreachable")


def answer(job: Job, kind: str, one: Callable[[Job], Any], digests: bool) -> Answer:
    """Do one job, and turn whatever happens into data."""
    try:
        if job.listed and (why := left_out(job.source, kind)) is not None:
            return Answer(skipped=why)
        source = digested(job.source) if digests else None
        result = one(job)
        place = getattr(result, "output", None) or (job.target or job.source if result is None else None)
        if digests and place == job.target and not _is_still(job.source, source):
            raise InputError("the file changed while it was read", code="input-changed", where=Where(job.source))
        output = digested(place) if digests and isinstance(place, str) else None
        return Answer(result, source=source, output=output, again=result is None)
    except DsigError as error:
        return Answer(error=error.located(job.shown or job.source))
    except Exception as error:  # noqa: BLE001 - the others shall be done; its text may quote a file or a secret
        return Answer(unforeseen=type(error).__name__)


def _is_still(path: str, before: Identity | None) -> bool:
    """Whether a file is still what it was."""
    return before is None or before.same_file(identity(path))


def digested(path: str) -> Identity | None:
    """Identity of a file with its digest; None if it cannot be read, which the verb will say better."""
    try:
        with open(path, "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    return Identity(found.st_size, found.st_mtime_ns, found.st_ino, digest, found.st_ctime_ns)
