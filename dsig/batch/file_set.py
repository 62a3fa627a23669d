"""DICOMDIR: the index of a file-set (PS3.10 8, PS3.3 F): which files it refers to."""

from __future__ import annotations

import os

from dsig.dicom.file import open_dicom
from dsig.dicom.source import open_source
from dsig.dicom.walk import ELEMENT, ITEM, ITEM_END, walk
from dsig.errors import DsigError

__all__ = ["FILE_NAME", "IS_INDEX", "referenced_files"]

FILE_NAME = "DICOMDIR"
"""File ID of the index (PS3.10 8.6)."""
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
"""Media Storage SOP Class UID (0002,0002) of an index."""
IS_INDEX = b"\x02\x00\x02\x00UI\x14\x00" + MEDIA_STORAGE_DIRECTORY.encode()
"""The element as it is written, near the beginning of the file."""

MEDIA_STORAGE_SOP_CLASS = 0x00020002
RECORD_IN_USE = 0x00041410
REFERENCED_FILE_ID = 0x00041500
INACTIVE = b"\0\0"


def referenced_files(path: str) -> list[str] | None:
    """Ways from the index to the files that its active records refer to, each once; None if this is no index.

    A File ID (PS3.10 8.2) that would lead out of the folder of the index is not followed: it is given as it is written,
    and there is no such file.
    """
    found: dict[str, None] = {}
    try:
        with open_source(path) as source, open_dicom(source) as file:
            if file.meta_text(MEDIA_STORAGE_SOP_CLASS) != MEDIA_STORAGE_DIRECTORY:
                return None
            file_id, active = "", True
            for kind, tag, _vr, _at, value, stop in walk(file.data, file.start, file.end, file.encoding):
                if kind == ITEM:
                    file_id, active = "", True
                elif kind == ELEMENT and tag in (RECORD_IN_USE, REFERENCED_FILE_ID) and stop - value <= 1024:
                    buffer = bytearray(stop - value)
                    file.data.read_into(value, memoryview(buffer))
                    if tag == RECORD_IN_USE:
                        active = bytes(buffer) != INACTIVE
                    else:
                        file_id = buffer.decode("latin-1").rstrip(" \0")
                elif kind == ITEM_END and file_id and active:
                    found[_way(os.path.dirname(path), file_id)] = None
                    file_id = ""
    except DsigError:
        return None
    return list(found)


def _way(folder: str, file_id: str) -> str:
    """A File ID as a path; many file systems show the names of a medium in lower case."""
    parts = [part.strip(" ") for part in file_id.split("\\")]
    if any(part in ("", os.curdir, os.pardir) or os.sep in part or "\0" in part for part in parts):
        return file_id.replace(os.sep, "\\").replace("\0", "")
    way = os.path.join(*parts)
    lower = way.lower()
    if not os.path.lexists(os.path.join(folder, way)) and os.path.lexists(os.path.join(folder, lower)):
        return lower
    return way
