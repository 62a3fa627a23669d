"""Writing a file again with changes: header, data set with splices, deflated if it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from dsig.dicom.file import DicomFile
from dsig.dicom.output import Deflater
from dsig.dicom.splice import Change, write_spliced

__all__ = ["rewrite"]


def rewrite(file: DicomFile, changes: Iterable[Change], out: IO[bytes]) -> None:
    """Copy `file` to `out` with `changes` to its data set; every other byte stays (a deflated one is deflated anew)."""
    for chunk in file.header():
        out.write(chunk)
    deflater = Deflater(out) if file.syntax.deflated else None
    write = deflater.write if deflater else out.write
    write_spliced(file.data, file.start, file.end, changes, write, lambda _offset, _chunk: None)
    if deflater:
        deflater.close()
