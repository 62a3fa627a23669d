"""Where results go: one file to one file, many files to a directory that mirrors theirs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsig.batch.file_set import FILE_NAME
from dsig.batch.inputs import Entry, Input, Wanted, find, is_dicom, is_list
from dsig.errors import OutputError, UsageError, Where

__all__ = ["Placement", "directory_for", "each_once", "placement", "refuse_collisions"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the output of each input goes."""

    output: str | None
    """File or directory; None for in place."""
    mirrored: bool = False
    """`output` is a directory, made with what is below it as needed."""
    into: bool = False
    """`output` is a directory that exists, and the one input goes there."""
    suffix: str = ""
    """Added to the names of inputs below a directory, for outputs that are no DICOM."""

    def of(self, found: Input) -> str | None:
        """The path to write, None for in place."""
        if self.output is None:
            return None
        if self.mirrored or self.into:
            return os.path.join(self.output, found.relative + self.suffix)
        return self.output

    def within(self, *, local: bool) -> str | None:
        """The directory of mirrored outputs, if they are; as workers elsewhere understand it unless all is `local`."""
        if not self.mirrored or self.output is None:
            return None
        return self.output if local else os.path.abspath(self.output)


def placement(given: Sequence[str], output: str | None, *, in_place: bool) -> Placement:
    """Where results go. Raises `UsageError` for options that contradict each other."""
    if in_place == (output is not None):
        raise UsageError("say where the result goes", hint="give either -o OUT or --in-place")
    if output is None:
        return Placement(None)
    if not output:
        raise UsageError("the output has an empty name", hint="is a variable of the shell not set?")
    first = given[0]
    # os.path.isdir and its like have no errors of their own, unlike the methods of Path
    mirrored = len(given) > 1 or is_list(first) or os.path.isdir(first) or os.path.basename(first) == FILE_NAME
    is_directory = os.path.isdir(output) or output.endswith(os.sep)
    if mirrored and os.path.exists(output) and not is_directory:
        raise UsageError(
            "several inputs need a directory to go to", where=Where(output), hint="name an existing or a new directory"
        )
    return Placement(output, mirrored, is_directory)


def refuse_collisions(given: Sequence[str], place: Placement, wanted: Wanted, kind: str) -> None:
    """Raise `UsageError` if two inputs would become one output; done before any work, with names alone.

    Below one directory no two files have one way, so that there is something to do for several things given, or for
    lists. A temporary database keeps memory flat.
    """
    if not place.mirrored or (len(given) == 1 and not is_list(given[0])):
        return
    import sqlite3

    seen = sqlite3.connect("", isolation_level=None)  # on disk once it is large, and gone in the end
    with contextlib.closing(seen):
        seen.execute("create table seen (target primary key, path) without rowid")
        seen.execute("begin")
        for found in find(given, wanted):
            if not isinstance(found, Input):
                continue
            target, path = os.fsencode(found.relative), os.fsencode(found.path)
            if seen.execute("insert or ignore into seen values (?, ?)", (target, path)).rowcount == 1:
                continue
            (first,) = seen.execute("select path from seen where target = ?", (target,)).fetchone()
            if _same_way(first, path) or not is_dicom(found.path, kind) or not is_dicom(os.fsdecode(first), kind):
                continue
            raise UsageError(
                f"{os.fsdecode(first)} and {found.path} would both become {place.of(found)}",
                hint="do them separately",
            )


def each_once(entries: Iterator[Entry], place: Placement, repeated: Callable[[], None]) -> Iterator[Entry]:
    """The entries without inputs that would be written once more: named twice, or, in place, by a link as well.

    `repeated` is told of each. A temporary database keeps memory flat.
    """
    import sqlite3

    seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    with contextlib.closing(seen):
        seen.execute("create table seen (target primary key) without rowid")
        seen.execute("begin")
        for entry in entries:
            if isinstance(entry, Input):
                target = place.of(entry)
                key = os.fsencode(os.path.realpath(entry.path) if target is None else os.path.abspath(target))
                if seen.execute("insert or ignore into seen values (?)", (key,)).rowcount != 1:
                    repeated()
                    continue
            yield entry


def _same_way(one: bytes, other: bytes) -> bool:
    return one == other or os.path.abspath(one) == os.path.abspath(other)


@contextlib.contextmanager
def directory_for(target: str | None, *, within: str | None) -> Iterator[None]:
    """The directories a mirrored target needs, `within` included; those made go again if the work fails.

    Raises `OutputError`.
    """
    made: list[Path] = []
    try:
        if within is not None and target is not None:
            _make(Path(target).parent, Path(within), made)
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
            hint = f"create {new.parent} first" if isinstance(error, FileNotFoundError) else "choose another place"
            raise OutputError(
                f"cannot make the directory: {error.strerror}", where=Where(str(new)), hint=hint
            ) from None
        made.append(new)
