"""The one parser: element headers as a flat stream of tokens, values as byte ranges (PS3.5 section 7).

A token is a plain tuple `(kind, tag, vr, start, value, end)`:

======================  =======================================================================================
`start`                 offset of the header (tag)
`value`                 offset of the first value byte
`end`                   offset after the last value byte; -1 for containers of undefined length
`vr`                    the VR code in the file, or from the dictionary where `Encoding.lookup` says so; `SQ`
                        for sequences. The VR of a sequence stored as UN (PS3.5 6.2.2 note 2) reads `UN`
======================  =======================================================================================

For `SEQUENCE_END` and `ITEM_END`, `start` is the offset of the delimiter, or equal to `end` where there is none, and
`end` the offset after it. Tuples and not objects: this loop runs once per element of every file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dsig.dicom.dictionary import BITS_ALLOCATED_VR, PIXEL_REPRESENTATION_VR
from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, Encoding
from dsig.dicom.location import Path, format_path
from dsig.dicom.location import format_tag as _tag
from dsig.dicom.lookup import Lookup, Place
from dsig.dicom.source import Source
from dsig.dicom.vr import LONG, SHORT
from dsig.errors import MalformedError, Where
from dsig.limits import DEFAULT, Limits, beyond

__all__ = [
    "ELEMENT",
    "FRAGMENT",
    "FRAGMENTS",
    "ITEM",
    "ITEM_END",
    "ITEM_TAG",
    "PIXEL_REPRESENTATION",
    "SEQUENCE",
    "SEQUENCE_END",
    "UNDEFINED",
    "Note",
    "Notes",
    "Token",
    "is_creator",
    "walk",
]

Token = tuple[int, int, str, int, int, int]

ELEMENT, SEQUENCE, ITEM, ITEM_END, FRAGMENTS, FRAGMENT, SEQUENCE_END = range(7)
"""Kinds of token; `SEQUENCE_END` closes `SEQUENCE` and `FRAGMENTS` alike."""

UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
PIXEL_REPRESENTATION = 0x00280103
WAVEFORM_BITS_ALLOCATED = 0x54001004
ITEM_TAG, ITEM_DELIMITER, SEQUENCE_DELIMITER = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_SHORT = {code.encode(): code for code in SHORT}
_LONG = {code.encode(): code for code in LONG}
_STAND_INS = {b"xs": False, b"up": False, b"lt": True, b"ox": True, b"px": True}
"""Codes that are no VRs but have been met in files, and whether two reserved bytes and a 32-bit length follow."""

_ELEMENTS, _ITEMS, _FRAGMENTS = range(3)
STRIDE = 1 << 18
"""Bytes between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a parser can read past but a careful one reports."""

    code: str
    """`duplicate-tag`, `tags-not-ascending`, `reserved-bytes`, `delimiter-length`, `unknown-vr`, `item-encoding`,
    `odd-length` or `trailing-bytes`.
    """
    message: str
    path: str
    offset: int


@dataclass(slots=True)
class Notes:
    """What was noted during a walk; of each code up to a limit is kept, so that a flood of one hides no other."""

    limit: int = DEFAULT.findings
    kept: list[Note] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, message: str, path: str, offset: int) -> None:
        """Keep one more, or count it."""
        count = self.counts[code] = self.counts.get(code, 0) + 1
        if count <= self.limit:
            self.kept.append(Note(code, message, path, offset))


def walk(
    source: Source,
    start: int,
    end: int,
    encoding: Encoding,
    *,
    items: str = "",
    limits: Limits = DEFAULT,
    notes: Notes | None = None,
    at: Path = (),
) -> Iterator[Token]:
    """Tokens of the elements in `[start, end)`; with `items="SQ"` or `"UN"`, of the items of a sequence's value.

    `end` must be exact; undefined lengths inside are resolved on the way. `at` is the path of the enclosing item, for
    messages. Raises `MalformedError` with path and offset, `LimitError` for nesting beyond `limits.depth`, `InputError`
    if the source ends early.
    """
    walker = _Walker(source, encoding, limits, notes if notes is not None else Notes(), at)
    return walker.run(start, end, items)


class _Walker:
    """State of one walk that is touched less often than once per element."""

    def __init__(self, source: Source, encoding: Encoding, limits: Limits, notes: Notes, at: Path) -> None:
        self.source = source
        self.encoding = encoding
        self.limits = limits
        self.notes = notes
        self.at = at
        self.frames: list[tuple[int, int, bool, int, int, int, Encoding, _Level | None]] = []

    def run(self, pos: int, end: int, items: str) -> Iterator[Token]:
        """The loop. One frame per open container; `limit` is where the innermost one must be over."""
        source, frames = self.source, self.frames
        encoding = self.encoding if items != "UN" else self.encoding.implicit()
        mode = _ITEMS if items else _ELEMENTS
        limit, undefined = end, False
        prev, container, index = -1, 0, -1
        level = _level(source, encoding, nested=bool(items))
        header, header_long, tag_and_length = _structs(encoding)
        explicit = encoding.explicit
        short, long = _SHORT, _LONG
        buf, base = source.window(pos, 12)
        room = len(buf)
        mark = pos + STRIDE

        while True:
            if level is None and mode == _ELEMENTS:
                # ---- the fast lane: a run of elements with 16-bit lengths and nothing odd about them
                safe = min(limit, base + room, mark) - 8
                while pos <= safe:
                    group, element, code, length = header(buf, pos - base)
                    tag = group << 16 | element
                    vr = short.get(code)
                    stop = pos + 8 + length
                    if vr is None or tag <= prev or stop > limit or group == 0xFFFE or length & 1:
                        break  # whatever it is, the general case below knows
                    prev = tag
                    yield 0, tag, vr, pos, pos + 8, stop
                    pos = stop

            if pos >= limit:
                # ---- the innermost container is over
                if undefined:
                    raise self.malformed("a sequence or item of undefined length has no delimiter", pos)
                if not frames:
                    return
                closed = mode
                mode, limit, undefined, prev, container, index, encoding, level = frames.pop()
                if closed == _ELEMENTS:
                    yield ITEM_END, ITEM_TAG, "", pos, pos, pos
                else:
                    yield SEQUENCE_END, container, "SQ", pos, pos, pos
                header, header_long, tag_and_length = _structs(encoding)
                explicit = encoding.explicit
                continue

            if pos + 8 > mark:
                self.limits.check_time(source.name)
                mark = pos + STRIDE
            at = pos - base
            if at < 0 or at + 12 > room:
                buf, base = source.window(pos, 12)
                at, room = pos - base, len(buf)
            if pos + 8 > limit or at + 8 > room:
                raise self.malformed("an element header is cut off", pos)

            if mode != _ELEMENTS:
                # ---- items of a sequence, or fragments
                group, element, length = tag_and_length(buf, at)
                tag = group << 16 | element
                value = pos + 8
                if tag == ITEM_TAG:
                    index += 1
                    stop = value + length
                    if length == UNDEFINED:
                        if mode == _FRAGMENTS:
                            raise self.malformed("a pixel data fragment has undefined length", pos)
                        stop = -1
                    elif stop > limit:
                        raise self.overrun(tag, length, pos, stop - limit)
                    if mode == _FRAGMENTS:
                        yield FRAGMENT, ITEM_TAG, "", pos, value, stop
                        pos = stop
                        continue
                    yield ITEM, ITEM_TAG, "", pos, value, stop
                    frames.append((mode, limit, undefined, prev, container, index, encoding, level))
                    mode, prev = _ELEMENTS, -1
                    undefined = stop == -1
                    if not undefined:
                        limit = stop
                    level = _level(source, encoding, nested=True)
                    pos = value
                    continue
                if tag == SEQUENCE_DELIMITER and undefined:
                    if length:
                        self.notes.add("delimiter-length", "a delimiter has a length", self.path(None), pos)
                    mode, limit, undefined, prev, container, index, encoding, level = frames.pop()
                    yield SEQUENCE_END, container, "SQ", pos, pos + 8, pos + 8
                    header, header_long, tag_and_length = _structs(encoding)
                    explicit = encoding.explicit
                    pos += 8
                    continue
                raise self.malformed(f"found {_tag(tag)} where an item of a sequence should start", pos)

            # ---- data elements
            code = b""
            if explicit:
                group, element, code, length = header(buf, at)
            else:
                group, element, length = tag_and_length(buf, at)
            tag = group << 16 | element
            if group == 0xFFFE:
                if tag == ITEM_DELIMITER and undefined:
                    if tag_and_length(buf, at)[2]:
                        self.notes.add("delimiter-length", "a delimiter has a length", self.path(None), pos)
                    mode, limit, undefined, prev, container, index, encoding, level = frames.pop()
                    yield ITEM_END, ITEM_TAG, "", pos, pos + 8, pos + 8
                    pos += 8
                    continue
                raise self.malformed(f"{_tag(tag)} stands among data elements", pos)
            if tag <= prev:
                if not tag and prev and not frames and not self.at and self.only_zeros(pos, limit):
                    return
                self.disorder(tag, prev, pos)
            elif prev == -1 and not explicit and self.encoding.explicit:
                self.first_of_un(buf[at + 4 : at + 6], tag, pos)
            prev = tag
            if explicit:
                vr = short.get(code)
                if vr is not None:
                    value = pos + 8
                    stop = value + length
                    if stop > limit:
                        raise self.overrun(tag, length, pos, stop - limit)
                    if length & 1:
                        self.odd(tag, length, pos)
                    if level is not None:
                        vr = level.stored(tag, vr, value, length, limit)
                    yield ELEMENT, tag, vr, pos, value, stop
                    pos = stop
                    continue
                vr = long.get(code)
                if vr is None:
                    vr, wide = self.unknown_vr(code, tag, pos)
                    if not wide:
                        stop = pos + 8 + length
                        if stop > limit:
                            raise self.overrun(tag, length, pos, stop - limit)
                        yield ELEMENT, tag, vr, pos, pos + 8, stop
                        pos = stop
                        continue
                if pos + 12 > limit or at + 12 > room:
                    raise self.malformed("an element header is cut off", pos, tag)
                reserved, length = header_long(buf, at + 6)
                if reserved:
                    self.notes.add(
                        "reserved-bytes", "the two reserved bytes of the header are not zero", self.path(tag), pos
                    )
                value = pos + 12
                as_un = vr == "UN"
                if level is not None:
                    vr = level.stored(tag, vr, value, length, limit)
            else:
                value = pos + 8
                as_un = False
                assert level is not None  # noqa: S101 - an implicit VR item always has one
                vr = level.vr(tag, value, length, limit)

            # ---- long explicit or implicit element: a value, a sequence, or fragments
            if vr == "SQ" or length == UNDEFINED:
                if length != UNDEFINED:
                    stop = value + length
                    if stop > limit:
                        raise self.overrun(tag, length, pos, stop - limit)
                else:
                    stop = -1
                fragments = vr in ("OB", "OW", "ox", "px") and explicit
                if fragments and tag != PIXEL_DATA:
                    raise self.malformed(f"{vr} of undefined length that is no pixel data", pos, tag)
                if not fragments and vr not in ("SQ", "UN"):
                    raise self.malformed(f"{vr} of undefined length", pos, tag)
                if len(frames) >= 2 * self.limits.depth:
                    raise beyond("depth", self.limits, Where(source.name, self.path(tag), pos))
                yield FRAGMENTS if fragments else SEQUENCE, tag, "UN" if as_un else vr, pos, value, stop
                frames.append((mode, limit, undefined, prev, tag, index, encoding, level))
                if as_un:  # PS3.5 6.2.2: implicit VR little endian, whatever the file is
                    encoding = encoding.implicit()
                    header, header_long, tag_and_length = _structs(encoding)
                    explicit = False
                mode = _FRAGMENTS if fragments else _ITEMS
                undefined = stop == -1
                if not undefined:
                    limit = stop
                container, index, pos = tag, -1, value
                continue
            stop = value + length
            if stop > limit:
                raise self.overrun(tag, length, pos, stop - limit)
            if length & 1:
                self.odd(tag, length, pos)
            yield ELEMENT, tag, vr, pos, value, stop
            pos = stop

    # ------------------------------------------------------------------------------------------- off the hot path

    def path(self, tag: int | None) -> str:
        """Attribute path of `tag`, or of the open container, at this point of the walk."""
        path = list(self.at)
        for frame in self.frames:
            if frame[0] == _ELEMENTS:
                path.append((frame[4], -1))
            elif path:
                path[-1] = (path[-1][0], frame[5])
        return format_path(tuple(path), tag)

    def malformed(self, message: str, offset: int, tag: int | None = None) -> MalformedError:
        """The error for what cannot be read past."""
        return MalformedError(message, where=Where(self.source.name, self.path(tag) or None, offset))

    def overrun(self, tag: int, length: int, offset: int, over: int) -> MalformedError:
        """The error for a length that leaves its container by `over` bytes."""
        beyond = "the data end" if not self.frames else "the enclosing item or sequence ends"
        return self.malformed(f"{_tag(tag)} claims {length} bytes, {over} beyond where {beyond}", offset)

    def disorder(self, tag: int, prev: int, offset: int) -> None:
        """Note a tag that does not ascend (PS3.5 7.1)."""
        code, what = (
            ("duplicate-tag", "occurs twice") if tag == prev else ("tags-not-ascending", f"follows {_tag(prev)}")
        )
        self.notes.add(code, f"{_tag(tag)} {what}", self.path(tag), offset)

    def first_of_un(self, code: bytes, tag: int, offset: int) -> None:
        """Note a length that looks like a VR where an item of a sequence stored as UN, so in implicit VR, begins.

        Some readers go by the looks of the first element, because writers that store explicit VR there are known.
        """
        if code.isalpha() and code.isupper():
            self.notes.add(
                "item-encoding",
                f"{_tag(tag)} is in implicit VR and looks like {code.decode()} in explicit VR",
                self.path(tag),
                offset,
            )

    def odd(self, tag: int, length: int, offset: int) -> None:
        """Note a length that no value has (PS3.5 7.1.1): some readers take it for another, and go on beside its end."""
        self.notes.add("odd-length", f"{_tag(tag)} has the odd length {length}", self.path(tag), offset)

    def only_zeros(self, offset: int, end: int) -> bool:
        """Note that zeros stand behind the data set up to `end`, as in copies from media that are written in blocks.

        Other readers take every 8 of them for an element, and refuse a rest, so that one is refused here too.
        """
        buffer = memoryview(bytearray(min(STRIDE, end - offset)))
        for at in range(offset, end, STRIDE):
            chunk = buffer[: min(STRIDE, end - at)]
            self.limits.check_time(self.source.name)
            self.source.read_into(at, chunk)
            if any(chunk):
                return False
        message = f"{end - offset} zero bytes follow the data set"
        if (end - offset) % 8:
            raise self.malformed(message, offset)
        self.notes.add("trailing-bytes", message, "", offset)
        return True

    def unknown_vr(self, code: bytes, tag: int, offset: int) -> tuple[str, bool]:
        """What a code that is no VR is taken for, and whether a 32-bit length follows, as it does two capitals.

        Other readers differ in both, and so in where the next element is.
        """
        shown = code.decode("ascii", "replace") if code.isalnum() else code.hex()
        self.notes.add("unknown-vr", f"{_tag(tag)} has the unknown VR {shown}", self.path(tag), offset)
        if code in _STAND_INS:
            return code.decode(), _STAND_INS[code]
        return "UN", code.isalpha() and code.isupper()


def _level(source: Source, encoding: Encoding, *, nested: bool) -> _Level | None:
    """What is needed to look up VRs in an item; None if its own are all there is to it."""
    if encoding.explicit and encoding.lookup.stored_vrs_stand:
        return None
    return _Level(source, encoding.lookup, nested=nested)


class _Level:
    """What a lookup of VRs needs to know about the item it is in: private creators and two steering values.

    Both steer only elements that come after them: readers that resolve a VR while reading agree on that (reference
    section 1.5).
    """

    def __init__(self, source: Source, lookup: Lookup, *, nested: bool) -> None:
        self._source = source
        self._lookup = lookup
        self._nested = nested
        self._creators: dict[int, str] = {}
        self._signed = False
        self._wide = False

    def vr(self, tag: int, value: int, length: int, limit: int) -> str:
        """VR of an element of this item in implicit VR (PS3.5 A.1)."""
        vr = self._looked_up(tag, value, length, limit)
        if length > 0xFFFF and self._lookup.portable and vr in SHORT:
            return "UN"
        if vr == PIXEL_REPRESENTATION_VR:
            vr = "SS" if self._signed else "US"
        elif vr == BITS_ALLOCATED_VR:
            vr = "OW" if self._wide else "OB"
        elif length == 2 and value + 2 <= limit:
            if tag == PIXEL_REPRESENTATION:
                self._signed = self._read(value, 2) == b"\1\0"
            elif tag == WAVEFORM_BITS_ALLOCATED:
                self._wide = self._read(value, 2) != b"\x08\0"
        return self._substituted(tag, vr, "", value, length, limit)

    def stored(self, tag: int, vr: str, value: int, length: int, limit: int) -> str:
        """VR of an element of this item in explicit VR: the dictionary's in place of UN (PS3.5 6.2.2)."""
        if is_creator(tag):
            self._creator(tag, value, length, limit)
        found = vr
        if vr == "UN" and length != UNDEFINED and self._lookup.convert_un:
            found = self._looked_up(tag, value, length, limit)
            if found == "SQ" and length and not self._holds_items(value, length, limit):
                found = "UN"
            # neither Pixel Representation nor Waveform Bits Allocated is asked
            found = {PIXEL_REPRESENTATION_VR: "US", BITS_ALLOCATED_VR: "OB"}.get(found, found)
        return self._substituted(tag, found, vr, value, length, limit)

    def _substituted(self, tag: int, found: str, stored: str, value: int, length: int, limit: int) -> str:
        substitution = self._lookup.substitution
        if substitution is None or length == UNDEFINED or value + length > limit:
            return found
        creator = None
        if tag & 0x10000 and tag & 0xFFFF >= 0x1000:
            creator = self._creators.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF)
        place = Place(creator, tag if creator is None else tag & 0xFFFF00FF, self._nested)
        return substitution.vr(place, found, stored, value, length)

    def _looked_up(self, tag: int, value: int, length: int, limit: int) -> str:
        """What the dictionaries say, markers included."""
        if not (tag & 0x10000 and tag & 0xFFFF):
            return self._lookup.vr_of(tag)
        if tag & 0xFF00 == 0:
            if is_creator(tag):
                self._creator(tag, value, length, limit)
                return "LO"
            return "UN"
        if length == UNDEFINED:
            return "SQ"
        creator = self._creators.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF)
        vr = self._lookup.private_vr_of(creator, tag)
        if vr == "SQ" and length and not self._holds_items(value, length, limit):
            return "UN"  # the dictionary is about another use of this creator
        return vr

    def _creator(self, tag: int, value: int, length: int, limit: int) -> None:
        if length <= 64 and value + length <= limit:
            text = self._read(value, length).decode("latin-1").strip(" \0")
            self._creators[tag & 0xFFFF0000 | tag & 0xFF] = text

    def _read(self, offset: int, length: int) -> bytes:
        buffer = bytearray(length)
        self._source.read_into(offset, memoryview(buffer))
        return bytes(buffer)

    def _holds_items(self, value: int, length: int, limit: int) -> bool:
        return length >= 8 and value + length <= limit and self._read(value, 4) == b"\xfe\xff\x00\xe0"


def is_creator(tag: int) -> bool:
    """Whether an element reserves a block of private ones (PS3.5 7.8.1)."""
    return bool(tag & 0x10000) and 0x0010 <= tag & 0xFFFF <= 0x00FF


_Unpack = Callable[..., tuple[int, ...]]


def _structs_of(encoding: Encoding) -> tuple[Callable[..., tuple[int, int, bytes, int]], _Unpack, _Unpack]:
    order = encoding.order
    return (
        struct.Struct(f"{order}HH2sH").unpack_from,
        struct.Struct(f"{order}HI").unpack_from,
        struct.Struct(f"{order}HHI").unpack_from,
    )


_LITTLE, _BIG = _structs_of(EXPLICIT_LE), _structs_of(EXPLICIT_BE)


def _structs(encoding: Encoding) -> tuple[Callable[..., tuple[int, int, bytes, int]], _Unpack, _Unpack]:
    return _BIG if encoding.big else _LITTLE
