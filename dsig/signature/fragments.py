"""Whether the borders between pixel data fragments are what was signed: the MAC does not say (PS3.3 C.12.1.1.3.1.1).

The MAC stream has the item tags of fragments but not their lengths. Two fragments joined into one that holds the bytes
of the item tag between them give the same stream, and so does the offset table joined with the first fragment. Such
bytes may occur by chance in any compressed image, so they are an error only where the offset table or the number of
frames does not fit the fragments there are; `dsig.signature.borders` looks for them everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from dsig.dicom.dataset import DataSet, Element
from dsig.dicom.file import DicomFile
from dsig.dicom.location import format_path
from dsig.dicom.source import CHUNK
from dsig.dicom.walk import ELEMENT, FRAGMENTS
from dsig.model import Finding

__all__ = ["REFERENCED", "fragment_findings", "pixel_syntax_findings"]

_PIXEL_DATA = 0x7FE00010
_ROOT = "1.2.840.10008.1.2"
_ENCAPSULATED = (f"{_ROOT}.1.98", f"{_ROOT}.4.", f"{_ROOT}.5", f"{_ROOT}.7.", f"{_ROOT}.8.")
REFERENCED = frozenset(f"{_ROOT}.4.{n}" for n in (94, 95, 204, 205))
"""The pixel data are where a URL says (PS3.5 A.6, A.7)."""
_JPEG, _J2K = (b"\xff\xd8",), (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_CODESTREAMS: dict[str, tuple[bytes, ...]] = {
    **{f"{_ROOT}.4.{n}": _JPEG for n in (50, 51, 57, 70, 80, 81)},
    **{f"{_ROOT}.4.{n}": _J2K for n in (90, 91, 92, 93, 201, 202, 203)},
    **{f"{_ROOT}.4.{n}": (b"\xff\x0a", b"\0\0\0\x0cJXL ") for n in (110, 111, 112)},
    f"{_ROOT}.5": tuple(bytes((segments, 0, 0, 0)) for segments in range(1, 16)),
}
"""First bytes of the compressed data by transfer syntax (PS3.5 A.4 and G.5)."""
_STILL = (b"\xff\xd8\xff", *_J2K, b"\0\0\0\x0cJXL ")
_NOT_STILL = frozenset((f"{_ROOT}.1.98", f"{_ROOT}.8.1", *(f"{_ROOT}.4.{n}" for n in range(100, 109))))
"""Uncompressed pixels in items, deflated frames and video do not begin with `_STILL`."""
_PROCESSES = {
    f"{_ROOT}.4.50": (0xC0,),
    f"{_ROOT}.4.51": (0xC0, 0xC1),
    **{f"{_ROOT}.4.{n}": (0xC3,) for n in (57, 70)},
    **{f"{_ROOT}.4.{n}": (0xF7,) for n in (80, 81)},
}
"""Start of frame markers of the JPEG processes (PS3.5 A.4.1 to A.4.3; ISO/IEC 10918-1 B.1.1.3, 14495-1 C.1.1)."""
_SEGMENTS = 64
"""JPEG marker segments looked at before the frame starts."""

_EXTENDED_OFFSET_TABLE = 0x7FE00001
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


def pixel_syntax_findings(file: DicomFile, main: DataSet) -> Iterator[Finding]:
    """Pixel data that are not what the transfer syntax in the File Meta Information, which is never signed, says."""
    element = main.by_tag.get(_PIXEL_DATA)
    syntax = file.syntax
    if element is None or 0x00020010 not in file.meta:
        return
    problem, severity = "", "error"
    if element.kind == FRAGMENTS and not syntax.encapsulated:
        problem = f"the pixel data are encapsulated, which {syntax.uid} does not have"
    elif element.kind != FRAGMENTS and syntax.encapsulated and syntax.uid.startswith(_ENCAPSULATED):
        problem = f"the pixel data are native, which {syntax.uid} does not have"
    elif syntax.uid in REFERENCED:
        problem = f"there are pixel data, which {syntax.uid} has elsewhere"
    elif element.kind == FRAGMENTS:
        first = list(islice(main.fragments(element), 1, 2))  # behind the offset table
        if any(not _begins_as(main, syntax.uid, value, end) for _start, value, end in first):
            problem, severity = f"the pixel data do not begin as those of {syntax.uid} do", "warning"
    if problem:
        where = format_path(main.path, _PIXEL_DATA)
        yield Finding("pixel-syntax-contradiction", problem, where, "PS3.5 A.4", severity)


def _begins_as(level: DataSet, syntax: str, value: int, end: int) -> bool:
    """Whether the first fragment looks like data of that transfer syntax, as far as that can be told."""
    head = _head(level, value, end)
    if syntax in _NOT_STILL:
        return not head.startswith(_STILL)
    if head and not head.startswith(_CODESTREAMS.get(syntax, (b"",))):
        return False
    return syntax not in _PROCESSES or _process(level, value, end) in (*_PROCESSES[syntax], 0)


def _process(level: DataSet, value: int, end: int) -> int:
    """The start of frame marker of a JPEG codestream, 0 if none is found."""
    at = value + 2
    for _ in range(_SEGMENTS):
        head = _head(level, at, end)
        if len(head) < 4 or head[0] != 0xFF:
            break
        marker = head[1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return marker
        if marker == 0xFF:  # a fill byte (B.1.1.2)
            at += 1
            continue
        at += 2 + int.from_bytes(head[2:4], "big")
    return 0


def _head(level: DataSet, value: int, end: int) -> bytes:
    buffer = bytearray(max(min(12, end - value), 0))
    level.source.read_into(value, memoryview(buffer))
    return bytes(buffer)


def _misfit(level: DataSet, element: Element) -> str:
    """How offset table, fragments and number of frames contradict each other (PS3.5 A.4), or an empty string."""
    fragments = level.fragments(element)
    table = next(fragments, None)
    if table is None:
        return "there is no offset table"
    _start, value, end = table
    frames = _frames(level)
    starts = (start - end for start, _value, _end in fragments)
    extended = level.by_tag.get(_EXTENDED_OFFSET_TABLE)
    if extended is not None and extended.kind == ELEMENT:
        if value != end:
            return "there are two offset tables"
        return _beside(level, extended.value, extended.end, "Q", frames, starts)
    if value == end:
        count = sum(1 for _ in islice(starts, frames))
        return f"{frames} frames have {count} fragments" if count < frames else ""
    return _beside(level, value, end, "I", frames, starts)


def _beside(level: DataSet, value: int, end: int, unit: str, frames: int, starts: Iterator[int]) -> str:
    """How an offset table of whole numbers does not fit the fragments, which begin at `starts`."""
    size = struct.calcsize(unit)
    if (end - value) % size:
        return f"the length of the offset table is no multiple of {size}"
    if (end - value) // size != frames:
        return f"the offset table has {(end - value) // size} entries for {frames} frames"
    # both ascend, so one pass over the two will do
    at = -1
    for offset in _offsets(level, value, end, unit):
        at = next((s for s in chain((at,), starts) if s >= offset), -1)
        if at != offset:
            return "the offset table points beside the fragments"
    return ""


def _frames(level: DataSet) -> int:
    try:
        return int(level.text(_NUMBER_OF_FRAMES).partition("\\")[0] or 1)
    except ValueError:
        return 1


def _offsets(level: DataSet, value: int, end: int, unit: str) -> Iterator[int]:
    """The entries of the offset table, which are little endian in every encapsulated file."""
    for at in range(value, end, CHUNK):
        buffer = bytearray(min(CHUNK, end - at))
        level.source.read_into(at, memoryview(buffer))
        for (offset,) in struct.iter_unpack(f"<{unit}", buffer):
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
