"""Values as reports show them: short, and harmless wherever they are printed."""

from __future__ import annotations

import struct

from dsig.dicom.dataset import DataSet
from dsig.dicom.vr import TEXT, effective
from dsig.printable import printable

__all__ = ["LONGEST", "shown_value"]

LONGEST = 64
"""Characters of one value; the rest is told as a number."""
_BYTES = 16
_NUMBERS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d", "OF": "f", "OD": "d",
    "OL": "I", "OV": "Q",
}  # fmt: skip
_CHARACTER_SETS = {
    "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk", "ISO_IR 101": "iso8859-2", "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4", "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6", "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8", "ISO_IR 148": "iso8859-9", "ISO_IR 166": "tis-620", "ISO_IR 13": "shift_jis",
}  # fmt: skip
"""Python's codecs for character sets without code extensions (PS3.3 C.12.1.1.2); others are shown as Latin-1."""


def shown_value(level: DataSet, vr: str, value: int, end: int) -> str:
    """The value at `[value, end)` as a line of at most `LONGEST` characters, escaped; read in part only."""
    length = end - value
    if length == 0:
        return ""
    vr = effective(vr)
    if vr in TEXT:
        raw = _read(level, value, min(length, 4 * LONGEST))
        codec = _CHARACTER_SETS.get(level.text(0x00080005).partition("\\")[0], "latin-1")
        text = raw.decode("ascii" if vr in ("UI", "AE", "CS") else codec, "replace").rstrip(" \0")
        return _cut(printable(text), whole=length <= len(raw))
    unit = struct.calcsize(_NUMBERS[vr]) if vr in _NUMBERS else 0
    if unit and length % unit == 0:
        count = min(length // unit, 8)
        raw = _read(level, value, count * unit)
        numbers = struct.unpack(f"{level.encoding.order}{count}{_NUMBERS[vr]}", raw)
        return _cut(
            "\\".join(f"{n:g}" if isinstance(n, float) else str(n) for n in numbers), whole=count * unit == length
        )
    if vr == "AT" and length % 4 == 0:
        words = struct.unpack(f"{level.encoding.order}2H", _read(level, value, 4))
        return f"({words[0]:04X},{words[1]:04X})" + ("…" if length > 4 else "")
    raw = _read(level, value, min(length, 4 * LONGEST))
    plain = raw.rstrip(b" \0")
    if vr == "UN" and plain and all(0x20 <= byte < 0x7F for byte in plain):
        # whoever hides text behind an unknown VR hides it from the signature, not from other readers
        return _cut(printable(plain.decode("ascii")), whole=length <= len(raw))
    return f"{raw[:_BYTES].hex()}{'…' if length > _BYTES else ''} ({length} bytes)"


def _cut(text: str, *, whole: bool) -> str:
    if len(text) > LONGEST or not whole:
        return text[: LONGEST - 1] + "…"
    return text


def _read(level: DataSet, offset: int, length: int) -> bytes:
    buffer = bytearray(length)
    level.source.read_into(offset, memoryview(buffer))
    return bytes(buffer)
