"""Files, directories, lists and DICOMDIRs as given, turned one by one into the files to work on.

Nothing is collected but the names of one directory at a time, so that a million files cost no memory. What cannot be
had is an entry of its own: it is told, and does not stop the rest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import IO

from dsig.batch.file_set import FILE_NAME, IS_INDEX, referenced_files
from dsig.dicom.file import open_dicom
from dsig.dicom.source import open_source
from dsig.errors import DsigError, InputError, Where

__all__ = ["DirectoryEnd", "Entry", "Input", "LeftOut", "Problem", "Wanted", "find", "is_dicom", "is_list", "left_out"]

STANDARD_INPUT = "-"
SHOWN = 3
"""Names shown of each kind of what is left out."""
LONGEST_LINE = 1 << 16
"""Bytes of a path in a list."""


class LeftOut(Enum):
    """Why what is found in a directory is left out; the values say it of one and of several."""

    NOT_DICOM = "is no DICOM", "are no DICOM"
    INDEX = "is a DICOMDIR", "are DICOMDIRs"
    NO_FILE = "is a pipe, socket or device", "are pipes, sockets or devices"
    LINK = "is a link to a directory", "are links to directories"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to work on."""

    path: str
    """As given, or the directory as given and the way from there."""
    relative: str
    """The way from the directory given, the path in a list made relative, or the bare name of a file given."""
    listed: bool = False
    """Found in a directory: if it is no DICOM it is left out, and told."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something given that cannot be had."""

    path: str
    error: InputError


@dataclass(frozen=True, slots=True)
class DirectoryEnd:
    """All of a directory that was given has been named."""

    path: str
    skipped: int = 0
    """Links to directories, which are not followed."""
    shown: tuple[str, ...] = ()
    """Some of them."""


Entry = Input | Problem | DirectoryEnd


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the files found in directories, lists and DICOMDIRs are wanted.

    A pattern without `/` is about names at any depth, one with `/` about the whole way from the directory given.
    """

    include: tuple[str, ...] = ()
    """Only files that match one of these; empty is all."""
    exclude: tuple[str, ...] = ()
    """No file, and nothing below a directory, that matches one of these."""
    without: frozenset[str] = field(default_factory=frozenset)
    """Real paths of directories and files to leave out: where the outputs go."""

    def takes(self, relative: str) -> bool:
        """Whether a file is wanted."""
        return not _matches(relative, self.exclude) and (not self.include or _matches(relative, self.include))

    def enters(self, relative: str, path: str) -> bool:
        """Whether a directory is looked into."""
        if self.exclude and _matches(relative, self.exclude):
            return False
        return not self.without or os.path.realpath(path) not in self.without


ALL = Wanted()


def is_list(given: str) -> bool:
    """Whether an argument names a list of files: `@FILE`, or `-` for standard input."""
    return given == STANDARD_INPUT or given.startswith("@")


def find(given: Sequence[str], wanted: Wanted = ALL) -> Iterator[Entry]:
    """Everything named: files as they are, what is below directories in a fixed order, the lines of lists.

    A file named DICOMDIR that is one (PS3.10 8) stands for the files it refers to. What is wrong with one of them is a
    `Problem`; nothing is raised.
    """
    for path in given:
        if is_list(path):
            yield from _listed(path, wanted)
        else:
            yield from _named(path, os.path.basename(path), wanted)


def _listed(given: str, wanted: Wanted) -> Iterator[Entry]:
    """What a list names. One that names nothing is a problem, like a directory with nothing in it."""
    lines, taken = 0, 0
    for line in _lines(given):
        lines += 1
        if isinstance(line, Problem):
            taken += 1
            yield line
        elif os.path.isdir(line) or wanted.takes(line):
            taken += 1
            yield from _named(line, _mirrored(line), wanted)
    if not taken:
        name = given.removeprefix("@")
        left = "--include and --exclude leave nothing of the list" if lines else "the list is empty"
        yield Problem(name, InputError(left, code="nothing-found", where=Where(name)))


def _named(path: str, relative: str, wanted: Wanted) -> Iterator[Entry]:
    """A path given or listed; `relative` is where its output goes."""
    if os.path.isdir(path):
        # what is below a directory of a list is mirrored with the directory, what is below one given without
        yield from _below(path, "" if relative == os.path.basename(path) else relative, wanted)
        return
    files = referenced_files(path) if os.path.basename(path) == FILE_NAME else None
    if files is None:
        yield Input(path, relative)
        return
    if not files:
        yield Problem(path, InputError("the DICOMDIR refers to no files", code="nothing-found", where=Where(path)))
    folder, place = os.path.dirname(path), os.path.dirname(relative)
    for name in files:
        if wanted.takes(name):
            yield Input(os.path.join(folder, name), os.path.join(place, name))


def _below(directory: str, place: str, wanted: Wanted) -> Iterator[Entry]:
    """All files below a directory, those of a directory before those below it, by name."""
    problems: list[Problem] = []
    skipped: list[str] = []
    number = 0

    def unreadable(error: OSError) -> None:
        path = os.fspath(error.filename)
        cannot = InputError(f"cannot read the directory: {error.strerror}", where=Where(path))
        problems.append(Problem(path, cannot))

    for parent, directories, names in os.walk(directory, onerror=unreadable):
        yield from problems
        problems.clear()
        way = "" if parent == directory else os.path.relpath(parent, directory)
        inside: list[str] = []
        for name in sorted(directories):
            path, relative = os.path.join(parent, name), os.path.join(way, name)
            if os.path.islink(path):
                number += 1
                skipped += [f"{relative}{os.sep}"] * (len(skipped) < SHOWN)
            elif wanted.enters(relative, path):
                inside.append(name)
        directories[:] = inside
        names.sort()
        if FILE_NAME in names:
            yield from _missing(parent)
        for name in names:
            relative = os.path.join(way, name)
            if wanted.takes(relative):
                yield Input(os.path.join(parent, name), os.path.join(place, relative), listed=True)
    yield from problems
    yield DirectoryEnd(directory, number, tuple(skipped))


def _missing(folder: str) -> Iterator[Problem]:
    """What the DICOMDIR in a folder refers to and is not there; the rest is found on the way."""
    index = os.path.join(folder, FILE_NAME)
    for name in referenced_files(index) or ():
        path = os.path.join(folder, name)
        if not os.path.lexists(path):
            error = InputError(
                "the file is not there",
                code="file-set-incomplete",
                where=Where(path),
                hint=f"{index} refers to it",
            )
            yield Problem(path, error)


def _lines(given: str) -> Iterator[str | Problem]:
    """The paths in a list, one on each line, or each ended by a zero byte."""
    name = given.removeprefix("@")
    try:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                raise ValueError("standard input is closed")
            yield from _split(sys.stdin.buffer)
        else:
            with open(name, "rb") as file:
                yield from _split(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        cannot = InputError(
            f"cannot read the list: {reason}",
            where=Where(name),
            hint="give paths, one a line" if name == STANDARD_INPUT else f"for a file of this name write ./{given}",
        )
        yield Problem(name, cannot)


def _split(file: IO[bytes]) -> Iterator[str]:
    rest = file.read(1 << 16).removeprefix(b"\xef\xbb\xbf")  # some editors begin UTF-8 with this mark
    if rest[128:134] == b"DICM\2\0":
        raise ValueError("it is a DICOM file, and no list of files")
    end = b"\0" if b"\0" in rest else b"\n"
    while rest:
        *lines, rest = rest.split(end)
        if len(lines) > LONGEST_LINE // 2 and not any(lines):  # a device that never ends, such as /dev/zero
            raise ValueError("it has nothing but ends of lines")
        for line in lines:
            if name := line.removesuffix(b"\r") if end == b"\n" else line:
                yield os.fsdecode(name)
        if len(rest) > LONGEST_LINE:
            raise ValueError(f"a path of more than {LONGEST_LINE} bytes")
        more = file.read(1 << 16)
        if not more and rest:
            yield os.fsdecode(rest)
            return
        rest += more


def _mirrored(path: str) -> str:
    """A path in a list as a way below the output directory: `/a/b` and `../a/b` become `a/b`."""
    parts = os.path.normpath(path).split(os.sep)
    return os.path.join(*[part for part in parts if part not in ("", os.pardir, os.curdir)] or [path])


def _matches(relative: str, patterns: Sequence[str]) -> bool:
    if not patterns:
        return False
    from fnmatch import fnmatchcase

    name = os.path.basename(relative)
    return any(fnmatchcase(relative if "/" in p else name, p.rstrip("/")) for p in patterns)


def is_dicom(path: str, kind: str = "auto") -> bool:
    """Whether a file looks like DICOM; a DICOMDIR is an index of files and does not count."""
    return left_out(path, kind) is None


def left_out(path: str, kind: str = "auto") -> LeftOut | None:
    """Why a file found in a directory is left out; None for DICOM, by its prefix or because it reads as a data set.

    What cannot be opened counts as DICOM, so that it is reported and not skipped.
    """
    if not os.path.isfile(path):
        # a dangling link, or what cannot even be looked at, is told; a pipe is not
        return LeftOut.NO_FILE if os.path.exists(path) else None
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(512)
    except OSError:
        return None
    if head[128:132] == b"DICM":
        return LeftOut.INDEX if IS_INDEX in head else None
    if head[:4] == b"\2\0\0\0":
        return None
    if kind == "file":
        return LeftOut.NOT_DICOM
    try:
        with open_source(path) as source, open_dicom(source, kind=kind) as opened:
            return None if opened.main().elements else LeftOut.NOT_DICOM
    except DsigError:
        return LeftOut.NOT_DICOM
