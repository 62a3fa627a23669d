"""Element headers as bytes (PS3.5 7.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from dsig.dicom.encoding import PIXEL_DATA, Encoding
from dsig.dicom.source import Source
from dsig.dicom.vr import SHORT, UNIT

__all__ = ["element", "header", "is_big", "item", "length_field", "sequence", "stored_as_un", "swap_unit"]

UNDEFINED = 0xFFFFFFFF

_SHORT = frozenset(SHORT)


def header(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    """Header of an element. A value too long for its VR's 16-bit length field goes as UN (PS3.5 6.2.2)."""
    group, number, order = tag >> 16, tag & 0xFFFF, encoding.order
    if not encoding.explicit:
        return struct.pack(f"{order}HHI", group, number, length)
    if vr in _SHORT:
        if length <= 0xFFFF:
            return struct.pack(f"{order}HH2sH", group, number, vr.encode(), length)
        vr = "UN"
    return struct.pack(f"{order}HH2sHI", group, number, vr.encode(), 0, length)


def element(tag: int, vr: str, value: bytes, encoding: Encoding) -> bytes:
    """A whole element; `value` must have the byte order of `encoding` and even length."""
    return header(tag, vr, len(value), encoding) + value


def item(content: bytes, encoding: Encoding, *, undefined: bool = False) -> bytes:
    """A sequence item; of defined length, or ended by a delimiter (PS3.5 7.5.1)."""
    length, end = (UNDEFINED, _mark(0xE00D, 0, encoding)) if undefined else (len(content), b"")
    return _mark(0xE000, length, encoding) + content + end


def sequence(tag: int, items: Iterable[bytes], encoding: Encoding, *, undefined: bool = False) -> bytes:
    """A sequence with these item contents; it and its items of defined length, or ended by delimiters (PS3.5 7.5.2)."""
    content = b"".join(item(content, encoding, undefined=undefined) for content in items)
    if not undefined:
        return element(tag, "SQ", content, encoding)
    return header(tag, "SQ", UNDEFINED, encoding) + content + _mark(0xE0DD, 0, encoding)


def _mark(number: int, length: int, encoding: Encoding) -> bytes:
    return struct.pack(f"{encoding.order}HHI", 0xFFFE, number, length)


def length_field(start: int, value: int, encoding: Encoding) -> tuple[int, int]:
    """Offset and size in bytes of the length field of an element whose header is at `start`, its value at `value`."""
    size = 2 if encoding.explicit and value - start == 8 else 4
    return value - size, size


def swap_unit(source: Source, start: int, tag: int, vr: str, stored: Encoding, wanted: Encoding) -> int:
    """Bytes per unit to be reversed from one encoding to another in the value of the element at `start`; 1 for none."""
    if is_big(source, start, tag, stored) == wanted.big_at(tag):
        return 1
    if tag == PIXEL_DATA and (stored.big_pixels or wanted.big_pixels):
        return 2  # whatever the VR, which such a file does not say
    return UNIT.get(vr, 1)


def is_big(source: Source, start: int, tag: int, encoding: Encoding) -> bool:
    """Whether the value of the element whose header is at `start` is big endian: one stored as UN is in no file."""
    if not encoding.big or encoding.lookup.stored_vrs_stand:
        return encoding.big_at(tag)
    return not stored_as_un(source, start)


def stored_as_un(source: Source, start: int) -> bool:
    """Whether the explicit VR header at `start` says UN."""
    buf, base = source.window(start, 8)
    return bytes(buf[start - base + 4 : start - base + 6]) == b"UN"
