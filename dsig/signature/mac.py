"""The MAC stream: the exact bytes a signature covers (PS3.3 C.12.1.1.3.1.1).

The stream is described as *pieces*, literal bytes and ranges of the source, and only becomes bytes when the source is
pumped through a `MacCursor`. Where the file is already explicit VR little endian, pieces are the longest possible raw
ranges; anything else is re-encoded element by element.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator

from dsig.dicom.dataset import CUT_4, CUT_8, DataSet, Element, signable_above, signable_tag
from dsig.dicom.encoding import EXPLICIT_LE, Encoding
from dsig.dicom.headers import header, swap_unit
from dsig.dicom.pump import ReadAhead
from dsig.dicom.source import Source
from dsig.dicom.vr import LONG, SHORT, TEXT, effective
from dsig.dicom.walk import ELEMENT, FRAGMENT, FRAGMENTS, ITEM, SEQUENCE, SEQUENCE_END, walk
from dsig.errors import Where
from dsig.limits import DEFAULT, Limits, beyond
from dsig.signature.padding import Edits
from dsig.signature.reading import STORED, Padding, Reading, normalised

__all__ = ["MacCursor", "Piece", "mac_pieces", "pump"]

Piece = bytes | tuple[int, int, int]
"""Literal bytes, or `(start, end, unit)`: a range of the source, byte-swapped in units of `unit` bytes if above 1."""

Sink = Callable[[bytes | memoryview], None]

_SHORT = frozenset(SHORT)
_STANDARD = _SHORT | frozenset(LONG)
_DELIMITER = 0xFFFEE0DD
_JOIN = 1 << 15
_DIRECT = 8192  # above this, a value is hashed where it lies: copying it costs more than another call


def mac_pieces(
    level: DataSet,
    elements: Collection[Element],
    *,
    mac: Encoding = EXPLICIT_LE,
    reading: Reading = STORED,
    edits: Edits | None = None,
    limits: Limits = DEFAULT,
) -> Iterator[Piece]:
    """Pieces of `elements` of a level in ascending tag order.

    `edits` names the values that a signer is about to write differently.
    """
    raw = level.stored_as_hashed and mac == EXPLICIT_LE and reading == STORED and not edits
    encoder = _Encoder(level.source, mac, reading, edits or Edits(), limits)
    ascending = sorted(elements)
    return _joined(_raw_runs(level, ascending, encoder) if raw else _encoded(level, ascending, encoder))


def _raw_runs(level: DataSet, ascending: Iterable[Element], encoder: _Encoder) -> Iterator[Piece]:
    """Pieces of elements that are stored the way they are hashed: neighbours become one range at once."""
    low = high = 0
    for element in ascending:
        # by index, not by name: this runs once per element of every file
        if element[5] == ELEMENT and element[1] in _STANDARD:
            if element[2] != high:
                yield low, high, 1
                low = element[2]
            high = element[4]
            continue
        yield low, high, 1
        low = high = 0
        if element.kind == ELEMENT:
            tag, vr, start, value, end = element[:5]
            yield from encoder.plain(tag, vr, start, value, end, level.encoding, raw=False)
        elif element.start in level.marks:
            yield from _marked(level.source, element, level.marks[element.start])
        else:
            yield from encoder.container(level, element, raw=True)
    yield low, high, 1


def _marked(source: Source, element: Element, marks: Iterable[int]) -> Iterator[Piece]:
    """Pieces of a container whose bytes are in the MAC stream but for what marks say: nothing is walked again."""
    parts: list[bytes] = []
    size = 0
    buf, base = b"", 0
    low = element.start
    for place in marks:
        high = place >> 2
        if high - low > _DIRECT:
            if parts:
                yield b"".join(parts)
                parts.clear()
            size = 0
            yield low, high, 1
        elif high > low:
            if low < base or high > base + len(buf):
                buf, base = source.window(low, high - low)
            parts.append(buf[low - base : high - base])
            size += high - low
        mark = place & 3
        if mark == CUT_4:
            low = high + 4
        elif mark == CUT_8:
            low = high + 8
        else:
            parts.append(b"\xfe\xff\xdd\xe0")
            low = high
        if size > _JOIN:
            yield b"".join(parts)
            parts.clear()
            size = 0
    yield b"".join(parts)


def _encoded(level: DataSet, ascending: Iterable[Element], encoder: _Encoder) -> Iterator[Piece]:
    """Pieces of elements that have to be encoded one by one."""
    for element in ascending:
        if element.kind == ELEMENT:
            tag, vr, start, value, end = element[:5]
            yield from encoder.plain(tag, vr, start, value, end, level.encoding, raw=False)
        else:
            yield from encoder.container(level, element, raw=False)


class _Encoder:
    """Turns elements of a source into pieces of one MAC encoding."""

    def __init__(self, source: Source, mac: Encoding, reading: Reading, edits: Edits, limits: Limits) -> None:
        self.source = source
        self.mac = mac
        self.reading = reading
        self.edits = edits
        self.limits = limits
        order = mac.order
        self._tag = struct.Struct(f"{order}HH")

    def plain(
        self, tag: int, vr: str, start: int, value: int, end: int, encoding: Encoding, *, raw: bool
    ) -> Iterable[Piece]:
        """Pieces of an element that is no container."""
        if raw and vr in _STANDARD:
            return ((start, end, 1),)
        vr = effective(vr)
        new = self.edits.values.get(start)
        if new is None and self.reading.padding is not Padding.AS_STORED and vr in TEXT:
            new = normalised(vr, self._value(value, end, start), self.reading.padding)
        if new is not None:
            return (self._header(tag, vr, len(new)) + new,)
        unit = swap_unit(self.source, start, tag, vr, encoding, self.mac)
        length = end - value
        if length & 1 and vr != "OW" and self._pads(start):
            return (self._header(tag, vr, length + 1), (value, end, unit), b"\0")
        return (self._header(tag, vr, length), (value, end, unit))

    def container(self, level: DataSet, element: Element, *, raw: bool) -> Iterator[Piece]:
        """Pieces of a sequence or of encapsulated pixel data: no lengths, no item delimiters."""
        source = self.source
        fragments = element.kind == FRAGMENTS
        yield self.header_of_container(element.tag, "OB" if fragments else "SQ")
        item, delimiter = self._tag.pack(0xFFFE, 0xE000), self._tag.pack(0xFFFE, 0xE0DD)
        if fragments:
            for start, value, stop in level.fragments(element):
                yield from self.fragment(start, value, stop, item)
            yield delimiter
            return
        encoding = level.encoding.implicit() if element.vr == "UN" else level.encoding
        encodings = [encoding]
        # a sequence's own end is its last token's; the walk sees the value only, so drop the delimiter
        end = element.end - 8 if element.undefined else element.end
        skipping = 0
        buf, base = b"", 0
        for kind, tag, vr, start, value, stop in walk(
            source, element.value, end, level.encoding, items="UN" if element.vr == "UN" else "SQ", limits=self.limits
        ):
            if skipping:
                skipping += {SEQUENCE: 1, FRAGMENTS: 1, SEQUENCE_END: -1}.get(kind, 0)
            elif kind == ELEMENT:
                # `signable_tag` written out, as in `read_data_set`
                if vr != "UN" and ((0x00080002 <= tag < 0x4FFE0000 and tag & 0xFFFF != 0) or signable_above(tag)):
                    if not raw or stop - start > _DIRECT or not encoding.explicit or vr not in _STANDARD:
                        yield from self.plain(tag, vr, start, value, stop, encoding, raw=raw and encoding.explicit)
                        continue
                    # short and stored as it is hashed: taken here and now, with what the walk looks at
                    if start < base or stop > base + len(buf):
                        buf, base = source.window(start, stop - start)
                    yield buf[start - base : stop - base]
            elif kind == ITEM:
                yield item
            elif kind in (SEQUENCE, FRAGMENTS):
                if not signable_tag(tag):
                    skipping = 1
                    continue
                yield self.header_of_container(tag, "OB" if kind == FRAGMENTS else "SQ")
                encodings.append(encoding)
                if kind == SEQUENCE and vr == "UN":
                    encoding = encoding.implicit()
            elif kind == FRAGMENT:
                yield from self.fragment(start, value, stop, item)
            elif kind == SEQUENCE_END:
                yield delimiter
                encoding = encodings.pop()
        yield delimiter

    def fragment(self, start: int, value: int, stop: int, item: bytes) -> Iterable[Piece]:
        """Pieces of one fragment; the item tag is little endian in every encapsulated file."""
        length = stop - value
        odd = length & 1 and self._pads(start)
        if self.reading.fragment_lengths:
            head: tuple[Piece, ...] = (item + struct.pack(f"{self.mac.order}I", length + odd),)
        elif self.mac.big:
            head = (item,)
        else:
            head = ((start, start + 4, 1),)
        return (*head, (value, stop, 1), b"\0") if odd else (*head, (value, stop, 1))

    def header_of_container(self, tag: int, vr: str) -> bytes:
        """Header of a sequence or encapsulated pixel data: nothing after the reserved bytes."""
        head = self._tag.pack(tag >> 16, tag & 0xFFFF)
        return head + vr.encode() + b"\0\0" if self.mac.explicit else head

    def _header(self, tag: int, vr: str, length: int) -> bytes:
        return header(tag, vr, length, self.mac)

    def _pads(self, start: int) -> bool:
        """Whether an odd length is made even here."""
        return self.reading.padding is not Padding.AS_STORED or start in self.edits.pads

    def _value(self, value: int, end: int, start: int) -> bytes:
        if end - value > self.limits.text_value:
            raise beyond("text_value", self.limits, Where(self.source.name, offset=start))
        buffer = bytearray(end - value)
        self.source.read_into(value, memoryview(buffer))
        return bytes(buffer)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same bytes with adjacent ranges and literals joined and empty ones dropped."""
    literal: list[bytes] = []
    size = low = high = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            if high > low:
                yield low, high, 1
                low = high = 0
            literal.append(piece)
            size += len(piece)
            if size > _JOIN:
                yield b"".join(literal)
                literal.clear()
                size = 0
            continue
        start, end, unit = piece
        if start == end:
            continue
        if start == high and unit == 1 and high > low:
            high = end
            continue
        if high > low:
            yield low, high, 1
            low = high = 0
        if literal:
            yield b"".join(literal)
            literal.clear()
            size = 0
        if unit == 1:
            low, high = start, end
        else:
            yield piece
    if high > low:
        yield low, high, 1
    if literal:
        yield b"".join(literal)


class MacCursor:
    """Takes what it needs from chunks of the source passing by and hands the MAC stream to `sink`, in order."""

    def __init__(self, pieces: Iterator[Piece], sink: Sink) -> None:
        self._pieces = pieces
        self._sink = sink
        self._pending: list[bytes | memoryview] = []
        """Short parts, handed on together."""
        self._size = 0
        """Bytes of these."""
        self._rest = b""
        self._high = self._unit = 0
        self.next: int | None = 0
        """Offset of the next source byte needed; None when the stream is complete."""
        self._advance()

    def feed(self, offset: int, chunk: memoryview) -> None:
        """Take everything needed that lies in `chunk`, which starts at `offset` of the source."""
        end = offset + len(chunk)
        pending, advance = self._pending, self._advance
        while (low := self.next) is not None and offset <= low < end:
            # this runs once per element or fragment where many are nested
            high = self._high
            stop = min(end, high)
            part = chunk[low - offset : stop - offset]
            size = stop - low
            if self._unit != 1:
                self._take(self._swapped(part))
            elif size > _DIRECT:
                self._take(part)
            else:
                pending.append(part)
                self._size += size
                if self._size > _JOIN:
                    self._flush()
            if stop == high:
                advance()
            else:
                self.next = stop
        if pending:
            pending[:] = [b"".join(pending)]  # the chunk is gone before more of it is wanted

    def _advance(self) -> None:
        """Go to the next range, taking literals on the way."""
        if self._rest:  # a value that is no multiple of its unit: the odd bytes go as they are
            self._take(self._rest)
            self._rest = b""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                self._take(piece)
            else:
                self.next, self._high, self._unit = piece
                return
        self._flush()
        self.next = None

    def _take(self, part: bytes | memoryview) -> None:
        """Hand on what is long, keep what is short until there is more."""
        if len(part) > _DIRECT:
            self._flush()
            self._sink(part)
            return
        self._pending.append(part)
        self._size += len(part)
        if self._size > _JOIN:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._sink(b"".join(self._pending))
            self._pending.clear()
            self._size = 0

    def _swapped(self, part: memoryview) -> bytes:
        """With the bytes of each unit reversed; what is left of the last unit waits."""
        data = self._rest + bytes(part) if self._rest else bytes(part)
        whole = len(data) - len(data) % self._unit
        self._rest = data[whole:]
        units = array({2: "H", 4: "I", 8: "Q"}[self._unit], data[:whole])
        units.byteswap()
        return units.tobytes()


def pump(source: Source, cursors: Iterable[MacCursor], limits: Limits = DEFAULT) -> None:
    """Run the source once past all cursors, reading nothing that none of them needs. Raises `LimitError`."""
    waiting = [cursor for cursor in cursors if cursor.next is not None]
    with ReadAhead(source) as reader:
        while waiting:
            offset = min(cursor.next for cursor in waiting if cursor.next is not None)
            limits.check_time(source.name)
            chunk = reader.read(offset)
            for cursor in waiting:
                cursor.feed(offset, chunk)
            waiting = [cursor for cursor in waiting if cursor.next is not None]
