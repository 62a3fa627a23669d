"""Is it DER? RFC 3161 messages must be, and two readers may disagree about anything else (X.690 clause 10)."""

from __future__ import annotations

__all__ = ["NotDerError", "parts", "require_der"]

MAX_DEPTH = 64
"""Nested values; tokens have about 15."""
_BOOLEAN, _INTEGER, _SEQUENCE, _SET = 0x01, 0x02, 0x30, 0x31
_CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F


class NotDerError(ValueError):
    """The bytes may be a value in BER, but are none in DER."""


def require_der(data: bytes) -> None:
    """Insist that `data` is exactly one DER value, as far as that can be seen without its schema.

    Lengths are definite and minimal, strings in one piece, booleans and integers in their one form. Raises `ValueError`
    if it is cut or followed by something, `NotDerError` if it is in another encoding.
    """
    if not data:
        raise ValueError("it is empty")
    end = _value(data, 0, len(data), 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow it")


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of the values in a row, such as those inside a SEQUENCE; only for DER."""
    found = []
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _value(data: bytes, start: int, limit: int, depth: int) -> int:
    """Check one value and give the offset behind it."""
    if depth > MAX_DEPTH:
        raise ValueError(f"values are nested more than {MAX_DEPTH} deep")
    if limit - start < 2:
        raise ValueError("it is cut")
    tag, length = data[start], data[start + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise ValueError(f"no RFC 3161 message has the tag {tag:#x}")
    at = start + 2
    if length == 0x80:
        raise NotDerError("it has values of indefinite length")
    if length > 0x80:
        octets = length & 0x7F
        if octets > 4 or limit - at < octets:
            raise ValueError("it is cut, or a length is no length")
        length = int.from_bytes(data[at : at + octets], "big")
        if length < 0x80 or length >> 8 * (octets - 1) == 0:
            raise NotDerError("it has lengths that are not minimal")
        at += octets
    end = at + length
    if end > limit:
        raise ValueError("it is cut")
    if tag & _CONSTRUCTED:
        if tag < 0x40 and tag not in (_SEQUENCE, _SET):
            raise NotDerError("it has strings in several pieces")
        while at < end:
            at = _value(data, at, end, depth + 1)
    elif tag == _BOOLEAN and data[at:end] not in (b"\x00", b"\xff"):
        raise NotDerError("it has booleans that are neither 00 nor FF")
    elif tag == _INTEGER and not _minimal(data[at:end]):
        raise NotDerError("it has integers that are not minimal")
    return end


def _minimal(content: bytes) -> bool:
    """X.690 8.3.2: the first nine bits of an integer are not all equal."""
    if len(content) < 2:
        return len(content) == 1
    return not (content[0] in (0x00, 0xFF) and content[0] >> 7 == content[1] >> 7)
