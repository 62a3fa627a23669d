"""What the verbs take and give: paths, bytes, binary file objects, pydicom data sets; the same kind out as in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, TypeAlias

from dsig.dicom.source import SPOOL
from dsig.errors import UsageError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Given", "as_input", "is_data_set", "name_of"]

Given: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Dataset"


def name_of(given: Given) -> str:
    """How errors and reports call an input."""
    if isinstance(given, (str, os.PathLike)):
        return os.fspath(given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if is_data_set(given):
        return "<data set>"
    return str(getattr(given, "name", "<file object>"))


def is_data_set(given: object) -> bool:
    """Whether this is a pydicom data set; pydicom itself is not imported for the question."""
    module = sys.modules.get("pydicom.dataset")
    return module is not None and isinstance(given, module.Dataset)


@contextmanager
def as_input(given: Given) -> Iterator[str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]]:
    """The input as something `open_source` takes: data sets are written to a temporary file by pydicom.

    Raises `UsageError` for anything else than the kinds named above.
    """
    if is_data_set(given):
        import tempfile

        with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
            write_data_set(given, spool)  # type: ignore[arg-type]
            spool.seek(0)
            yield spool
        return
    if not isinstance(given, (str, os.PathLike, bytes, bytearray, memoryview)) and not hasattr(given, "read"):
        raise UsageError(
            f"cannot take {type(given).__name__}", hint="give a path, bytes, a binary file object or a pydicom data set"
        )
    yield given  # type: ignore[misc]


def write_data_set(data_set: Dataset, file: IO[bytes]) -> None:
    """Serialise a pydicom data set as it would be saved; without transfer syntax, as explicit VR little endian.

    Raises `UsageError` if pydicom cannot write it.
    """
    from pydicom import dcmwrite

    meta = getattr(data_set, "file_meta", None)
    has_syntax = meta is not None and "TransferSyntaxUID" in meta
    try:
        if has_syntax:
            dcmwrite(file, data_set, enforce_file_format=False)
        else:
            dcmwrite(
                file,
                data_set,
                enforce_file_format=False,
                implicit_vr=False,
                little_endian=True,
            )
    except (AttributeError, KeyError, TypeError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"pydicom cannot write this data set: {reason}",
            code="data-set-not-writable",
            hint="save it once with pydicom to see why",
        ) from error
