"""Just enough DER (X.690) to say where a value ends and whether a signature is a pair of integers, strictly."""

from __future__ import annotations

__all__ = ["require_pair", "without_pad"]

_INTEGER = 0x02
_SEQUENCE = 0x30


def without_pad(value: bytes) -> bytes:
    """The one DER SEQUENCE that `value` is, without the zero byte that makes an odd length even (PS3.5 6.2 OB).

    Raises `ValueError` saying what else is there.
    """
    _, end = _bounds(value, 0, _SEQUENCE)
    surplus = len(value) - end
    if surplus == 0:
        return value
    if surplus == 1 and end % 2 == 1 and value[-1] == 0:
        return value[:-1]
    raise ValueError(f"{surplus} bytes follow its DER of {end} bytes")


def require_pair(sequence: bytes) -> None:
    """Make sure that `sequence` is a DER SEQUENCE of two positive integers. Raises `ValueError` saying what it is."""
    at, end = _bounds(sequence, 0, _SEQUENCE)
    for _ in range(2):
        start, at = _bounds(sequence, at, _INTEGER)
        _require_positive(sequence[start:at])
    if not at == end == len(sequence):
        raise ValueError("there is more than two integers")


def _require_positive(content: bytes) -> None:
    if not content:
        raise ValueError("an integer is empty")
    if content == b"\x00":
        raise ValueError("an integer is zero")
    if content[0] >= 0x80:
        raise ValueError("an integer is negative")
    if content[0] == 0 and content[1] < 0x80:
        raise ValueError("an integer is longer than necessary")


def _bounds(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Start and end of the content of the element at `at`. Raises `ValueError`."""
    if len(data) < at + 2:
        raise ValueError("it is cut short")
    if data[at] != tag:
        raise ValueError(f"tag {data[at]:02x} stands in place of {tag:02x}")
    start, size = at + 2, data[at + 1]
    if size >= 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("a length is indefinite or huge")
        start += octets
        field = data[at + 2 : start]
        size = int.from_bytes(field, "big")
        if len(field) == octets and (size < 0x80 or field[0] == 0):
            raise ValueError("a length is longer than necessary")
    if start + size > len(data):
        raise ValueError("it is cut short")
    return start, start + size
