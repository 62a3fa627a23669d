"""Files and directories as given, turned into the files to work on; what is no DICOM is told, never just left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsig.cli.terminal import note
from dsig.dicom.file import open_dicom
from dsig.dicom.source import open_source
from dsig.errors import DsigError, InputError, Where

__all__ = ["Found", "expand", "is_dicom"]

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A file to work on."""

    path: str
    """As given, or the directory as given and the way from there."""
    relative: str
    """The way from the directory given; the bare name of a file given."""
    listed: bool
    """Found in a directory."""


def expand(paths: Sequence[str], *, kind: str = "auto", without: str | None = None, quiet: bool = False) -> list[Found]:
    """All files named and all DICOM files below the directories named, in a fixed order.

    `without` is a directory to leave out (where outputs go). Raises `InputError` for a directory that cannot be read
    or has no DICOM files: a verdict about less than what was given would be wrong.
    """
    found: list[Found] = []
    for given in paths:
        if not os.path.isdir(given):  # noqa: PTH112 - has no errors of its own, unlike Path.is_dir
            found.append(Found(given, os.path.basename(given), listed=False))  # noqa: PTH119 - keeps what was typed
            continue
        inside, skipped = _below(given, kind, without)
        if skipped and not quiet:
            shown = ", ".join(skipped[:_SHOWN]) + (", …" if len(skipped) > _SHOWN else "")
            note(f"skipped {len(skipped)} in {given} that {'is' if len(skipped) == 1 else 'are'} no DICOM: {shown}")
        if not inside:
            raise InputError("no DICOM files in this directory", code="nothing-found", where=Where(given))
        found += inside
    return found


def _below(directory: str, kind: str, without: str | None) -> tuple[list[Found], list[str]]:
    inside: list[Found] = []
    skipped: list[str] = []
    left_out = os.path.realpath(without) if without is not None else None
    for parent, directories, names in os.walk(directory, onerror=_unreadable):
        below = {name: os.path.join(parent, name) for name in sorted(directories)}  # noqa: PTH118 - as below
        links = [path for path in below.values() if os.path.islink(path)]  # noqa: PTH114 - not followed, but told
        skipped += [f"{os.path.relpath(path, directory)}{os.sep}" for path in links]
        directories[:] = [name for name, path in below.items() if os.path.realpath(path) != left_out]
        for name in sorted(names):
            path = os.path.join(parent, name)  # noqa: PTH118 - `./a` given is `./a/b` told
            relative = os.path.relpath(path, directory)
            if is_dicom(path, kind):
                inside.append(Found(path, relative, listed=True))
            else:
                skipped.append(relative)
    return inside, skipped


def is_dicom(path: str, kind: str = "auto") -> bool:
    """Whether a file looks like DICOM: by its prefix, or because it can be read as a data set.

    What cannot be opened counts as DICOM, so that it is reported and not skipped.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - as above
        # a dangling link, or what cannot even be looked at, is told; a pipe is not
        return not os.path.exists(path)  # noqa: PTH110
    try:
        with Path(path).open("rb") as file:
            head = file.read(132)
    except OSError:
        return True
    if head[128:] == b"DICM" or head[:4] == b"\2\0\0\0":
        return True
    if kind == "file":
        return False
    try:
        with open_source(path) as source, open_dicom(source, kind=kind) as opened:
            return bool(opened.main().elements)
    except DsigError:
        return False


def _unreadable(error: OSError) -> None:
    raise InputError(f"cannot read the directory: {error.strerror}", where=Where(os.fspath(error.filename)))
