"""Whether the borders between pixel data fragments are what was signed: the MAC does not say (PS3.3 C.12.1.1.3.1.1).

The MAC stream has the item tags of fragments but not their lengths. Two fragments joined into one that holds the bytes
of the item tag between them give the same stream, and so does the offset table joined with the first fragment. Such
bytes may occur by chance in any compressed image, so they count only where the offset table or the number of frames
does not fit the fragments there are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from dsig.dicom.dataset import DataSet, Element
from dsig.dicom.location import format_path
from dsig.dicom.source import CHUNK
from dsig.dicom.walk import FRAGMENTS
from dsig.model import Finding

__all__ = ["fragment_findings"]

_NUMBER_OF_FRAMES = 0x00280008
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def fragment_findings(level: DataSet, elements: Iterable[Element]) -> Iterator[Finding]:
    """Findings that the fragments of encapsulated pixel data among `elements` may have been redrawn."""
    for element in elements:
        if element.kind != FRAGMENTS:
            continue
        problem = _misfit(level, element)
        if problem and any(_holds_tag(level, value, end) for _start, value, end in level.fragments(element)):
            yield Finding(
                "fragment-ambiguity",
                f"{problem}, and a fragment holds the bytes of an item or delimiter tag:"
                " the same MAC fits other fragments",
                format_path(level.path, element.tag),
                "PS3.3 C.12.1.1.3.1.1",
            )


def _misfit(level: DataSet, element: Element) -> str:
    """How offset table, fragments and number of frames contradict each other (PS3.5 A.4), or an empty string."""
    fragments = level.fragments(element)
    table = next(fragments, None)
    if table is None:
        return "there is no offset table"
    _start, value, end = table
    frames = _frames(level)
    if value == end:
        count = sum(1 for _ in islice(fragments, frames))
        return f"{frames} frames have {count} fragments" if count < frames else ""
    if (end - value) % 4:
        return "the length of the offset table is no multiple of 4"
    if (end - value) // 4 != frames:
        return f"the offset table has {(end - value) // 4} entries for {frames} frames"
    # both ascend, so one pass over the two will do
    starts = (start - end for start, _value, _end in fragments)
    at = -1
    for offset in _offsets(level, value, end):
        at = next((s for s in chain((at,), starts) if s >= offset), -1)
        if at != offset:
            return "the offset table points beside the fragments"
    return ""


def _frames(level: DataSet) -> int:
    try:
        return int(level.text(_NUMBER_OF_FRAMES).partition("\\")[0] or 1)
    except ValueError:
        return 1


def _offsets(level: DataSet, value: int, end: int) -> Iterator[int]:
    """The entries of the offset table, which are little endian in every encapsulated file."""
    for at in range(value, end, CHUNK):
        buffer = bytearray(min(CHUNK, end - at))
        level.source.read_into(at, memoryview(buffer))
        for (offset,) in struct.iter_unpack("<I", buffer):
            yield offset


def _holds_tag(level: DataSet, start: int, end: int) -> bool:
    """Whether the bytes of an item or sequence delimiter tag occur in a value."""
    at, tail = start, b""
    while at < end:
        buffer = bytearray(min(CHUNK, end - at))
        level.source.read_into(at, memoryview(buffer))
        data = tail + buffer
        if _ITEM in data or _DELIMITER in data:
            return True
        tail = bytes(data[-3:])
        at += len(buffer)
    return False
