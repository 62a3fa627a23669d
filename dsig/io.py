"""What the verbs take and give: paths, bytes, binary file objects, pydicom data sets; the same kind out as in."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, TypeGuard

from dsig.dicom.file import DicomFile, open_dicom
from dsig.dicom.lookup import PLAIN, Lookup
from dsig.dicom.output import replacing, same_file
from dsig.dicom.source import CHUNK, open_source, spooled
from dsig.errors import MalformedError, OutputError, UsageError, Where
from dsig.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Destination", "Given", "as_input", "as_output", "name_of", "open_input", "refuse_loss", "refuse_same"]

Given: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Dataset"


def name_of(given: Given) -> str:
    """How errors and reports call an input. Raises `UsageError` for a path-like object that gives no path."""
    if isinstance(given, (str, os.PathLike)):
        try:
            return os.fsdecode(given)
        except TypeError as error:
            raise UsageError(f"cannot take {type(given).__name__}: {error}", hint="give a path") from None
    if isinstance(given, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if is_data_set(given):
        return "<data set>"
    name = getattr(given, "name", None)
    return name if isinstance(name, str) else "<file object>"


def is_data_set(given: object) -> TypeGuard[Dataset]:
    """Whether this is a pydicom data set; pydicom itself is not imported for the question."""
    module = sys.modules.get("pydicom.dataset")
    return module is not None and isinstance(given, module.Dataset)


@contextmanager
def as_input(given: Given) -> Iterator[str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]]:
    """The input as something `open_source` takes: data sets are written to a temporary file by pydicom.

    Raises `UsageError` for anything else than the kinds named above.
    """
    if is_data_set(given):
        with spooled(name_of(given)) as spool:
            write_data_set(given, spool)
            spool.seek(0)
            try:
                yield spool
            except MalformedError as error:
                if error.hint == MalformedError.default_hint:
                    error.hint = "pydicom writes this data set so; if it came from a file, give that file"
                raise
        return
    if not isinstance(given, (str, os.PathLike, bytes, bytearray, memoryview)) and not hasattr(given, "read"):
        raise UsageError(
            f"cannot take {type(given).__name__}", hint="give a path, bytes, a binary file object or a pydicom data set"
        )
    if hasattr(given, "read"):
        if getattr(given, "closed", False):
            raise UsageError("the file object is closed", hint="give an open one, or the path")
        if isinstance(given, io.TextIOBase):
            raise UsageError("the file object is open for text", hint="open it with mode 'rb'")
        readable = getattr(given, "readable", None)
        if callable(readable) and not readable():
            raise UsageError("the file object is not open for reading", hint="open it with mode 'rb'")
    yield given


@contextmanager
def open_input(
    given: Given, *, kind: str = "auto", limits: Limits = DEFAULT, lookup: Lookup = PLAIN
) -> Iterator[DicomFile]:
    """The input as a DICOM file, open while the block runs. Raises `UsageError` or `InputError`."""
    with (
        as_input(given) as plain,
        open_source(plain, limits, name_of(given)) as source,
        open_dicom(source, kind=kind, limits=limits, lookup=lookup) as file,
    ):
        yield file


@dataclass(slots=True)
class Destination:
    """Where a verb writes, and what it gives back when the writing is done."""

    file: IO[bytes]
    result: object = None


@contextmanager
def as_output(given: Given, output: object, *, in_place: bool) -> Iterator[Destination]:
    """The place for the output that fits the input: a path, a binary file object, or (None) the kind that came in.

    Nothing is written anywhere unless the block ends well. Raises `UsageError` for combinations that make no sense,
    `OutputError` if an output path is the input without `in_place`, or cannot be written.
    """
    if in_place:
        if not isinstance(given, (str, os.PathLike)) or output is not None:
            raise UsageError("in place means a path and no output", hint="name the output or leave in_place out")
        output = given
    if isinstance(output, (str, os.PathLike)):
        if isinstance(given, (str, os.PathLike)) and not in_place and same_file(given, output):
            raise OutputError(
                "the output is the input",
                code="output-is-input",
                where=Where(os.fspath(output)),
                hint="choose another output or ask for --in-place or in_place=True",
            )
        with replacing(output) as file:
            destination = Destination(file)
            yield destination
        destination.result = output
        return
    if output is None and isinstance(given, (str, os.PathLike)):
        raise UsageError("no output named", hint="give an output path or ask for --in-place or in_place=True")
    if output is not None and not hasattr(output, "write"):
        raise UsageError(f"cannot write to {type(output).__name__}", hint="give a path or a binary file object")
    with spooled(name_of(given), OutputError) as spool:
        destination = Destination(spool)
        yield destination
        spool.seek(0)
        if output is not None:
            while chunk := spool.read(CHUNK):
                output.write(chunk)
            destination.result = output
        elif is_data_set(given):
            destination.result = _data_set(spool, given)
        elif isinstance(given, (bytes, bytearray, memoryview)):
            destination.result = spool.read()
        else:
            copy = io.BytesIO(spool.read())
            destination.result = copy


def refuse_same(path: str | os.PathLike[str], what: str, others: Iterable[object]) -> None:
    """Raise `OutputError` if a file to be written beside the output is that, or the input."""
    for other in others:
        if isinstance(other, (str, os.PathLike)) and (
            same_file(path, other) or os.path.realpath(path) == os.path.realpath(other)
        ):
            raise OutputError(
                f"{what} would take the place of another file of this run",
                code="output-twice",
                where=Where(os.fspath(path)),
                hint="name another file for it",
            )


def refuse_loss(path: str | os.PathLike[str], what: str, others: Iterable[object]) -> None:
    """As `refuse_same`, for what is no DICOM: that never takes the place of a DICOM file, whoever's it is."""
    refuse_same(path, what, others)
    there = Path(path)
    if not there.is_file():  # nor is a pipe opened
        return
    try:
        with there.open("rb", buffering=0) as file:
            prefix = file.read(132)[128:]
    except OSError:
        return  # whoever writes tells
    if prefix == b"DICM":
        raise OutputError(
            f"{what} would take the place of a DICOM file",
            code="output-is-input",
            where=Where(os.fspath(path)),
            hint="name another file for it",
        )


def _data_set(file: IO[bytes], like: Dataset) -> Dataset:
    """What was written, as pydicom reads it; a plain data set if a plain data set came in."""
    from pydicom import dcmread
    from pydicom.dataset import Dataset, FileDataset

    read = dcmread(file, force=True, defer_size=None)
    if isinstance(like, FileDataset):
        return read
    plain = Dataset(read)
    if hasattr(like, "file_meta"):
        plain.file_meta = read.file_meta
    return plain


def write_data_set(data_set: Dataset, file: IO[bytes]) -> None:
    """Serialise a pydicom data set as it would be saved; without transfer syntax, as explicit VR little endian.

    Raises `UsageError` if pydicom cannot write it.
    """
    from pydicom import dcmwrite

    meta = getattr(data_set, "file_meta", None)
    has_syntax = meta is not None and "TransferSyntaxUID" in meta
    encoding: dict[str, bool] = {} if has_syntax else {"implicit_vr": False, "little_endian": True}
    try:
        with _WRITING, _vrs_kept(data_set):
            dcmwrite(file, data_set, enforce_file_format=False, **encoding)
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the data set
        # the text of pydicom's error holds values of the data set
        raise UsageError(
            f"pydicom cannot write this data set ({type(error).__name__})",
            code="data-set-not-writable",
            hint="save it once with pydicom to see why",
        ) from None


_WRITING = threading.Lock()
"""Threads may share a data set, but pydicom changes it while it writes."""


@contextmanager
def _vrs_kept(data_set: Dataset) -> Iterator[None]:
    """VRs such as `OB or OW`, which pydicom settles in the data set that it writes, are put back."""
    from pydicom.valuerep import AMBIGUOUS_VR

    kept: list[tuple[Any, Any, Any]] = []

    def look(level: Any) -> None:
        for element in level.elements():  # none is converted
            if element.VR == "SQ" and not element.is_raw:
                for item in element.value:
                    look(item)
            elif element.VR in AMBIGUOUS_VR and not element.is_raw:
                kept.append((element, element.VR, element.value))

    look(data_set)
    try:
        yield
    finally:
        for element, vr, value in kept:
            element.VR = vr
            if element.value is not value:
                element.value = value
