"""DICOM bytes written by hand (PS3.5 7.1, 7.5, A.4; PS3.10 7.1), so that expectations owe nothing to `dsig`."""

from __future__ import annotations

import struct
import zlib
from typing import Literal

Order = Literal["<", ">"]

SHORT_VRS = [
    "AE",
    "AS",
    "AT",
    "CS",
    "DA",
    "DS",
    "DT",
    "FD",
    "FL",
    "IS",
    "LO",
    "LT",
    "PN",
    "SH",
    "SL",
    "SS",
    "ST",
    "TM",
    "UI",
    "UL",
    "US",
]
"""PS3.5 table 7.1-2: 16-bit length."""
LONG_VRS = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
"""PS3.5 table 7.1-1: two reserved bytes and a 32-bit length."""

IMPLICIT = "1.2.840.10008.1.2"
LITTLE = "1.2.840.10008.1.2.1"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4.50"

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


def tag(number: int, order: Order = "<") -> bytes:
    """Group and element, 2 bytes each."""
    return struct.pack(f"{order}HH", number >> 16, number & 0xFFFF)


def element(number: int, vr: str, value: bytes = b"", *, order: Order = "<", length: int | None = None) -> bytes:
    """An explicit VR element; `length` lies about the length."""
    size = len(value) if length is None else length
    if vr in SHORT_VRS:
        return tag(number, order) + vr.encode() + struct.pack(f"{order}H", size) + value
    return tag(number, order) + vr.encode() + b"\0\0" + struct.pack(f"{order}I", size) + value


def implicit(number: int, value: bytes = b"", *, length: int | None = None) -> bytes:
    """An implicit VR element."""
    return tag(number) + struct.pack("<I", len(value) if length is None else length) + value


def item(*content: bytes, undefined: bool = False, order: Order = "<") -> bytes:
    """A sequence item."""
    data = b"".join(content)
    if undefined:
        return delimiter(ITEM, order, UNDEFINED) + data + delimiter(ITEM_END, order)
    return delimiter(ITEM, order, len(data)) + data


def sequence(number: int, *items: bytes, undefined: bool = False, order: Order = "<", vr: str = "SQ") -> bytes:
    """An explicit VR sequence of whole items."""
    data = b"".join(items)
    if undefined:
        return element(number, vr, data + delimiter(SEQUENCE_END, order), order=order, length=UNDEFINED)
    return element(number, vr, data, order=order)


def implicit_sequence(number: int, *items: bytes, undefined: bool = False) -> bytes:
    """An implicit VR sequence of whole items."""
    data = b"".join(items)
    if undefined:
        return implicit(number, data + delimiter(SEQUENCE_END), length=UNDEFINED)
    return implicit(number, data)


def encapsulated(*fragments: bytes, vr: str = "OB", number: int = 0x7FE00010) -> bytes:
    """Encapsulated pixel data; the first fragment is the Basic Offset Table."""
    return sequence(number, *(item(fragment) for fragment in fragments), undefined=True, vr=vr)


def delimiter(number: int, order: Order = "<", length: int = 0) -> bytes:
    """An item tag or delimiter with its length."""
    return tag(number, order) + struct.pack(f"{order}I", length)


def text(value: str, pad: bytes = b" ") -> bytes:
    """A text value of even length."""
    data = value.encode("latin-1")
    return data + pad if len(data) & 1 else data


def meta(syntax: str | None, *more: bytes, off_by: int = 0) -> bytes:
    """File Meta Information; `off_by` lies about its length."""
    content = element(0x00020001, "OB", b"\0\1")
    content += element(0x00020002, "UI", text("1.2.840.10008.5.1.4.1.1.7", b"\0"))
    content += element(0x00020003, "UI", text("1.2.3.4.5.6", b"\0"))
    if syntax is not None:
        content += element(0x00020010, "UI", text(syntax, b"\0"))
    content += b"".join(more)
    return element(0x00020000, "UL", struct.pack("<I", len(content) + off_by)) + content


def part10(data_set: bytes, syntax: str = LITTLE) -> bytes:
    """A file: preamble, meta information, data set; deflated if the syntax says so."""
    body = deflate(data_set) if syntax == DEFLATED else data_set
    return bytes(128) + b"DICM" + meta(syntax) + body


def deflate(data: bytes, *, pad: bool = True) -> bytes:
    """Raw deflate (PS3.5 A.5), padded to even length."""
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = engine.compress(data) + engine.flush()
    return packed + b"\0" if pad and len(packed) & 1 else packed


def swapped(value: bytes, unit: int) -> bytes:
    """Every unit of a value in the other byte order."""
    return b"".join(value[at : at + unit][::-1] for at in range(0, len(value), unit))
