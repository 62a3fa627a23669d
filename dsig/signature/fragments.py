"""Whether the borders between pixel data fragments are what was signed: the MAC does not say (PS3.3 C.12.1.1.3.1.1).

The MAC stream has the item tags of fragments but not their lengths. Two fragments joined into one that holds the bytes
of the item tag between them give the same stream, and so does the offset table joined with the first fragment. Such
bytes may occur by chance in any compressed image, so they count only where the offset table or the number of frames
does not fit the fragments there are.
"""

from __future__ import annotations

import struct

from dsig.dicom.dataset import DataSet, Element
from dsig.dicom.location import format_path
from dsig.dicom.source import CHUNK
from dsig.model import Finding

__all__ = ["fragment_finding"]

_NUMBER_OF_FRAMES = 0x00280008
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def fragment_finding(level: DataSet, element: Element) -> Finding | None:
    """The finding that the fragments of encapsulated pixel data may have been redrawn, or None."""
    items = [(value, end) for _start, value, end in level.fragments(element)]
    problem = _misfit(level, items)
    if problem and any(_holds_tag(level, start, end) for start, end in items):
        return Finding(
            "fragment-ambiguity",
            f"{problem}, and a fragment holds the bytes of an item or delimiter tag: the same MAC fits other fragments",
            format_path(level.path, element.tag),
            "PS3.3 C.12.1.1.3.1.1",
        )
    return None


def _misfit(level: DataSet, items: list[tuple[int, int]]) -> str:
    """How offset table, fragments and number of frames contradict each other (PS3.5 A.4), or an empty string."""
    if not items:
        return "there is no offset table"
    (start, end), fragments = items[0], items[1:]
    try:
        frames = int(level.text(_NUMBER_OF_FRAMES).partition("\\")[0] or 1)
    except ValueError:
        frames = 1
    if start == end:
        return f"{frames} frames have {len(fragments)} fragments" if len(fragments) < frames else ""
    if (end - start) % 4:
        return "the length of the offset table is no multiple of 4"
    table = bytearray(end - start)
    level.source.read_into(start, memoryview(table))
    offsets = struct.unpack(f"<{len(table) // 4}I", table)
    begin = fragments[0][0] - 8 if fragments else 0
    starts = {s - 8 - begin for s, _ in fragments}
    if len(offsets) != frames:
        return f"the offset table has {len(offsets)} entries for {frames} frames"
    if any(offset not in starts for offset in offsets):
        return "the offset table points beside the fragments"
    return ""


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
