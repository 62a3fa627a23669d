"""Where results go: one file to one file, many files to a directory that mirrors theirs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsig.cli.inputs import expand
from dsig.errors import OutputError, UsageError, Where

__all__ = ["Job", "Plan", "directory_for", "plan"]


@dataclass(frozen=True, slots=True)
class Job:
    """One file in, one file out."""

    source: str
    target: str | None
    """None for in place."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one command is to do."""

    jobs: tuple[Job, ...]
    directory: str | None = None
    """Where the targets go, made with what is below it as needed; None if each has its place."""


def plan(paths: Sequence[str], output: str | None, *, in_place: bool, kind: str, quiet: bool = False) -> Plan:
    """What to read and where to write it.

    Raises `UsageError` for options that contradict each other or two inputs for one output, and `InputError`.
    """
    if in_place == (output is not None):
        raise UsageError("say where the result goes", hint="give either -o OUT or --in-place")
    # os.path.isdir and its like have no errors of their own, unlike the methods of Path
    mirrored = len(paths) > 1 or os.path.isdir(paths[0])  # noqa: PTH112
    if output is None:
        return Plan(tuple(Job(found.path, None) for found in expand(paths, kind=kind, quiet=quiet)))
    is_directory = os.path.isdir(output) or output.endswith(os.sep)  # noqa: PTH112
    if mirrored and os.path.exists(output) and not is_directory:  # noqa: PTH110
        raise UsageError(
            "several inputs need a directory to go to", where=Where(output), hint="name an existing or a new directory"
        )
    jobs = [
        Job(found.path, _join(output, found.relative) if mirrored or is_directory else output)
        for found in expand(paths, kind=kind, without=output if mirrored else None, quiet=quiet)
    ]
    sources: dict[str, str] = {}
    for job in jobs:
        first = sources.setdefault(str(job.target), job.source)
        if first != job.source:
            raise UsageError(f"{first} and {job.source} would both become {job.target}", hint="do them separately")
    return Plan(tuple(jobs), output if mirrored else None)


@contextlib.contextmanager
def directory_for(job: Job, *, within: str | None) -> Iterator[None]:
    """The directories a mirrored target needs, `within` included; those made go again if the work fails.

    Raises `OutputError`.
    """
    made: list[Path] = []
    try:
        if within is not None and job.target is not None:
            _make(Path(job.target).parent, Path(within), made)
        yield
    except BaseException:
        for directory in reversed(made):
            with contextlib.suppress(OSError):  # somebody else's file is in it by now
                directory.rmdir()
        raise


def _make(directory: Path, top: Path, made: list[Path]) -> None:
    missing: list[Path] = []
    while not directory.is_dir():
        missing.append(directory)
        if directory == top:
            break
        directory = directory.parent
    for new in reversed(missing):
        try:
            new.mkdir()
        except FileExistsError:
            if new.is_dir():
                continue  # another run was quicker
            raise OutputError("a file is in the place of the directory", where=Where(str(new))) from None
        except OSError as error:
            raise OutputError(
                f"cannot make the directory: {error.strerror}", where=Where(str(new)), hint=f"create {new.parent} first"
            ) from None
        made.append(new)


def _join(directory: str, relative: str) -> str:
    return os.path.join(directory, relative)  # noqa: PTH118 - keeps the directory as it was typed
