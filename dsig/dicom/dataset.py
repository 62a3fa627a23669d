"""One level of a file, the main data set or a sequence item: its elements, and what was noted while walking it."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from dsig.dicom.encoding import Encoding
from dsig.dicom.location import Path, format_path
from dsig.dicom.source import Source
from dsig.dicom.walk import ELEMENT, FRAGMENTS, ITEM, ITEM_END, SEQUENCE, SEQUENCE_END, Note, Notes, Token, walk
from dsig.errors import LimitError, UsageError, Where
from dsig.limits import DEFAULT, Limits, beyond

__all__ = [
    "MACHINERY",
    "DataSet",
    "Element",
    "ItemRef",
    "NestedDrop",
    "find_item",
    "read_data_set",
    "says_nothing",
    "signable_above",
    "signable_tag",
]

DIGITAL_SIGNATURES = 0xFFFAFFFA
TRAILING_PADDING = 0xFFFCFFFC
MAC_PARAMETERS = 0x4FFE0001
ORIGINAL_ATTRIBUTES = 0x04000561
_SIGNATURES = 2
_MACHINERY_BITS = {MAC_PARAMETERS: 1, DIGITAL_SIGNATURES: _SIGNATURES}
VALUE_LIMIT = 1 << 16
MARKS = 1 << 20
"""Marks kept for the containers of a data set, eight megabytes; those beyond are walked again for each MAC."""
CUT_4, CUT_8, ADD_DELIMITER = range(3)
"""What a mark says of its place: so many bytes are not in the MAC stream, or the tag of a sequence delimiter is in it
though it is not in the file."""


class Element(NamedTuple):
    """A top-level element of a level; offsets are in the level's source."""

    tag: int
    vr: str
    """As in the file; `SQ` or `UN` for sequences, see `dsig.dicom.walk`."""
    start: int
    value: int
    end: int
    """After the value, or after the delimiter."""
    kind: int
    """`ELEMENT`, `SEQUENCE` or `FRAGMENTS`."""
    undefined: bool
    """The length field says undefined."""
    tainted: bool
    """A sequence with an element of VR UN anywhere below (PS3.3 C.12.1.1.3.1.1)."""
    signable: bool
    """May be in a MAC: its tag allows it and no UN is in the way."""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """Where a nested item is; enough to read it as a level of its own."""

    path: Path
    start: int
    end: int
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class NestedDrop:
    """A nested element that a signature over its sequence leaves out of the MAC, the signature machinery excepted."""

    top: int
    """Tag of the top-level sequence."""
    path: Path
    tag: int
    vr: str
    value: int
    end: int
    """After the value; -1 for a sequence."""


class DataSet:
    """A level with its elements in file order."""

    def __init__(self, source: Source, start: int, end: int, encoding: Encoding, path: Path) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.encoding = encoding
        self.path = path
        self.elements: list[Element] = []
        self.notes: list[Note] = []
        self.encapsulated: list[Element] = []
        """Those of kind `FRAGMENTS`."""
        self.signed_items: list[ItemRef] = []
        """Nested items that hold a Digital Signatures Sequence, outside Original Attributes."""
        self.historic: list[Path] = []
        """Items with one below an Original Attributes Sequence (PS3.3 C.12.1.1.9): a former state."""
        self.orphans: list[Path] = []
        """The first items with MAC Parameters and without signatures, up to the limit `findings`."""
        self.drops: list[NestedDrop] = []
        """Of each top-level sequence the first ones, up to the limit `findings`."""
        self.nested_pixels: list[tuple[int, Path, Element]] = []
        """Encapsulated pixel data below the top level: the top-level sequence, the item, and the element."""
        self.nested = 0
        """Elements below the top level, as far as they have been counted."""
        self.dropped: dict[int, int] = {}
        """How many there are by top-level sequence."""
        self.marks: dict[int, array[int]] = {}
        """Of containers by their start: how the MAC stream (PS3.3 C.12.1.1.3.1.1) differs from the bytes of the file,
        as `offset << 2 | mark`, in order. Only in the main data set, of standard VRs in explicit VR little endian."""
        self.marked = 0
        """How many marks these are."""
        self._first: dict[int, Element] | None = None

    @property
    def stored_as_hashed(self) -> bool:
        """Whether elements are encoded as they are for a MAC."""
        encoding = self.encoding
        return encoding.explicit and not encoding.big and encoding.lookup.stored_vrs_stand

    @property
    def location(self) -> str:
        """`/` or the item's path."""
        return format_path(self.path) or "/"

    @property
    def by_tag(self) -> dict[int, Element]:
        """The first element of each tag."""
        if self._first is None:
            self._first = {e.tag: e for e in reversed(self.elements)}
        return self._first

    def read(self, element: Element, limit: int = VALUE_LIMIT) -> bytes:
        """Raw value of an element. Raises `LimitError` beyond `limit` bytes."""
        length = element.end - element.value
        if length > limit:
            raise LimitError(
                f"a value of {length} bytes exceeds the {limit} allowed here",
                where=Where(self.source.name, format_path(self.path, element.tag), element.start),
            )
        buffer = bytearray(length)
        self.source.read_into(element.value, memoryview(buffer))
        return bytes(buffer)

    def fragments(self, element: Element) -> Iterator[tuple[int, int, int]]:
        """(header, value, end) offsets of the offset table and the fragments of encapsulated pixel data."""
        pos, last = element.value, element.end - 8
        marks = self.marks.get(element.start)
        if marks is not None:  # one in the header, one in each item, one in the delimiter
            for mark in islice(marks, 2, None):
                end = (mark >> 2) - 4
                yield pos, pos + 8, end
                pos = end
            return
        unpack = struct.Struct(f"{self.encoding.order}HHI").unpack_from
        buf, base = b"", 0
        while pos < last:
            if not base <= pos <= base + len(buf) - 8:
                buf, base = self.source.window(pos, 8)
            end = pos + 8 + unpack(buf, pos - base)[2]
            yield pos, pos + 8, end
            pos = end

    def value(self, tag: int) -> bytes | None:
        """Raw value of a short plain element, None if there is none."""
        element = self.by_tag.get(tag)
        if element is None or element.kind != ELEMENT or element.end - element.value > VALUE_LIMIT:
            return None
        return self.read(element)

    def text(self, tag: int) -> str:
        """A short value as Latin-1 text without padding, empty if absent."""
        return (self.value(tag) or b"").decode("latin-1").strip(" \0")


def read_data_set(
    source: Source, start: int, end: int, encoding: Encoding, *, path: Path = (), limits: Limits = DEFAULT
) -> DataSet:
    """Walk one level, everything below it included, and keep what signing and verifying need.

    Raises `MalformedError`, `LimitError` or `InputError`.
    """
    level = DataSet(source, start, end, encoding, path)
    notes = Notes(limits.findings)
    elements, append = level.elements, level.elements.append
    new = tuple.__new__  # half the cost of calling the class
    most = limits.top_level_elements
    tokens = walk(source, start, end, encoding, limits=limits, notes=notes, at=path)
    for kind, tag, vr, at, value, stop in tokens:
        if kind == ELEMENT:
            # `signable_tag` written out: this runs once per element of every file
            signable = vr != "UN" and ((0x00080002 <= tag < 0x4FFE0000 and tag & 0xFFFF != 0) or signable_above(tag))
            append(new(Element, (tag, vr, at, value, stop, ELEMENT, False, False, signable)))
        elif kind == SEQUENCE:
            _sequence(level, tokens, (tag, vr, at, value, stop), limits)
        elif kind == FRAGMENTS:
            _fragments(level, tokens, (tag, vr, at, value, stop))
        if len(elements) > most:
            raise beyond("top_level_elements", limits, Where(source.name, format_path(path) or None, at))
    if "reserved-bytes" in notes.counts:
        level.marks.clear()  # they are zero in the MAC stream
    level.notes = notes.kept
    return level


def _fragments(level: DataSet, tokens: Iterator[Token], head: tuple[int, str, int, int, int]) -> None:
    """Encapsulated pixel data."""
    tag, vr, start, value, _stop = head
    plain = level.stored_as_hashed and vr == "OB" and not level.path
    marks = array("Q", [start + 8 << 2 | CUT_4])
    mark, room = marks.append, MARKS - level.marked
    for kind, _tag, _vr, at, _value, stop in tokens:
        if len(marks) < room:
            mark(at + 4 << 2 | CUT_4)
        else:
            plain = False
        if kind == SEQUENCE_END:
            element = Element(tag, vr, start, value, stop, FRAGMENTS, True, False, signable_tag(tag))
            level.encapsulated.append(element)
            level.elements.append(element)
            if plain:
                level.marks[start] = marks
                level.marked += len(marks)
            return


def _sequence(level: DataSet, tokens: Iterator[Token], head: tuple[int, str, int, int, int], limits: Limits) -> None:
    """Everything inside one top-level sequence."""
    top, top_vr, top_start, top_value, top_stop = head
    tainted = False
    path: list[tuple[int, int]] = [*level.path, (top, -1)]
    item_starts: list[int] = []
    item_signed: list[int] = []
    encodings = [_inner(top_vr, level.encoding)]
    most = limits.elements - level.nested
    pixels: tuple[int, str, int, int] | None = None  # fragments hold no elements, so there is one at most
    count = 0
    plain = level.stored_as_hashed and top_vr == "SQ" and not level.path  # of signed items there may be many
    marks = array("Q", [top_start + 8 << 2 | CUT_4])
    mark, room = marks.append, MARKS - level.marked
    for kind, tag, vr, at, value, stop in tokens:
        if kind == ELEMENT:
            count += 1
            if count > most:
                raise beyond("elements", limits, Where(level.source.name, format_path(tuple(path), tag), at))
            if vr in NOT_PLAIN:
                plain = False
                tainted = tainted or vr == "UN"
            # `signable_tag` written out, as in `read_data_set`
            if not ((0x00080002 <= tag < 0x4FFE0000 and tag & 0xFFFF != 0) or signable_above(tag)):
                _drop(level, top, path, (tag, vr, value, stop), limits)
                plain = False
        elif kind == ITEM:
            path[-1] = (path[-1][0], path[-1][1] + 1)
            item_starts.append(value)
            item_signed.append(0)
            if plain:
                mark(at + 4 << 2 | CUT_4)
                plain = len(marks) < room
        elif kind == ITEM_END:
            started = item_starts.pop()
            signed = item_signed.pop()
            if signed & _SIGNATURES:
                _signed_item(level, ItemRef(tuple(path), started, at, encodings[-1]), limits)
            elif signed and len(level.orphans) < limits.findings:
                level.orphans.append(tuple(path))
            if plain and stop > at:
                mark(at << 2 | CUT_8)
        elif kind == SEQUENCE:
            if tag in _MACHINERY_BITS:
                item_signed[-1] |= _MACHINERY_BITS[tag]
            if not signable_tag(tag):
                _drop(level, top, path, (tag, vr, value, -1), limits)
                plain = False
            path.append((tag, -1))
            encodings.append(_inner(vr, encodings[-1]))
            if plain:
                mark(at + 8 << 2 | CUT_4)
                plain = vr == "SQ" and len(marks) < room
        elif kind == FRAGMENTS:
            pixels = tag, vr, at, value
            path.append((tag, -1))
            encodings.append(encodings[-1])
            plain = False
        elif kind == SEQUENCE_END:
            if pixels is not None:
                element = Element(*pixels, stop, FRAGMENTS, True, False, signable_tag(pixels[0]))
                level.nested_pixels.append((top, tuple(path[:-1]), element))
                pixels = None
            path.pop()
            encodings.pop()
            if plain:
                mark(at + 4 << 2 | CUT_4 if stop > at else at << 2 | ADD_DELIMITER)
            if not encodings:
                level.nested += count
                signable = not tainted and signable_tag(top)
                level.elements.append(
                    Element(top, top_vr, top_start, top_value, stop, SEQUENCE, top_stop == -1, tainted, signable)
                )
                if plain and len(marks) <= room:
                    level.marks[top_start] = marks
                    level.marked += len(marks)
                return


def signable_tag(tag: int) -> bool:
    """Whether an element of this tag may be in a MAC at all, at any level (PS3.3 C.12.1.1.3.1.1)."""
    return (0x00080002 <= tag < 0x4FFE0000 and tag & 0xFFFF != 0) or signable_above(tag)


def signable_above(tag: int) -> bool:
    """The rest of the rules: they concern groups from 4FFE up, or a tag that is out already."""
    return tag >= 0x4FFE0000 and tag & 0xFFFF != 0 and tag >> 16 not in (0xFFFA, 0xFFFE) and tag not in _UNSIGNABLE


NOT_PLAIN = frozenset({"UN", "xs", "up", "lt", "ox", "px"})
"""VRs of elements that are not hashed as they are stored, or not at all."""
_UNSIGNABLE = frozenset({MAC_PARAMETERS, TRAILING_PADDING})
MACHINERY = _UNSIGNABLE | {DIGITAL_SIGNATURES}
"""What signatures are made of, and padding: nobody expects these to be signed."""


def says_nothing(tag: int, vr: str, length: int) -> bool:
    """Whether an element that no signature covers is worth no word; `length` is -1 for what is no plain value.

    Group lengths, padding and what signatures are made of. Content in their guise is told like any other.
    """
    if tag & 0xFFFF == 0:
        return vr == "UL" and length == 4
    return tag in MACHINERY and (length < 0) == (tag != TRAILING_PADDING)


def _inner(vr: str, encoding: Encoding) -> Encoding:
    """Encoding inside a sequence: implicit little endian if it was stored as UN (PS3.5 6.2.2)."""
    return encoding.implicit() if vr == "UN" else encoding


def _drop(
    level: DataSet, top: int, path: list[tuple[int, int]], what: tuple[int, str, int, int], limits: Limits
) -> None:
    tag, vr, value, end = what
    if says_nothing(tag, vr, end - value if end >= 0 else -1):
        return
    count = level.dropped[top] = level.dropped.get(top, 0) + 1
    if count <= limits.findings:
        level.drops.append(NestedDrop(top, tuple(path), tag, vr, value, end))


def _signed_item(level: DataSet, item: ItemRef, limits: Limits) -> None:
    if any(tag == ORIGINAL_ATTRIBUTES for tag, _ in item.path):
        level.historic.append(item.path)
    else:
        level.signed_items.append(item)
    if len(level.signed_items) + len(level.historic) > limits.signatures:
        raise beyond("signatures", limits, Where(level.source.name))


def find_item(
    source: Source, start: int, end: int, encoding: Encoding, path: Path, limits: Limits = DEFAULT
) -> ItemRef:
    """The item at `path`. Raises `UsageError` naming what is missing."""
    open_path: list[tuple[int, int]] = []
    starts: list[int] = []
    encodings = [encoding]
    for kind, tag, vr, at, value, _stop in walk(source, start, end, encoding, limits=limits):
        if kind in (SEQUENCE, FRAGMENTS):
            open_path.append((tag, -1))
            encodings.append(_inner(vr, encodings[-1]))
        elif kind == SEQUENCE_END:
            open_path.pop()
            encodings.pop()
        elif kind == ITEM:
            open_path[-1] = (open_path[-1][0], open_path[-1][1] + 1)
            starts.append(value)
        elif kind == ITEM_END:
            began = starts.pop()
            if tuple(open_path) == path:
                return ItemRef(path, began, at, encodings[-1])
    raise UsageError(
        f"there is no item {format_path(path)}",
        code="no-such-item",
        where=Where(source.name),
        hint="indexes count from 0; a sequence stored as UN takes --convert-un or convert_un=True",
    )
