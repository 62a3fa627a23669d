"""The little DER the core needs itself: DigestInfo for any hash with an object identifier, and where a value ends."""

from __future__ import annotations

__all__ = ["digest_info", "unpadded", "without_padding"]


def digest_info(oid: str, digest: bytes) -> bytes:
    """`SEQUENCE { SEQUENCE { oid, NULL }, OCTET STRING digest }`. Raises `ValueError` if `oid` is not one."""
    algorithm = _tlv(0x30, _tlv(0x06, _oid(oid)) + b"\x05\x00")
    return _tlv(0x30, algorithm + _tlv(0x04, digest))


def _oid(dotted: str) -> bytes:
    """Content of an OBJECT IDENTIFIER (X.690 8.19)."""
    arcs = [int(arc) for arc in dotted.split(".")]
    if len(arcs) < 2 or min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise ValueError(f"{dotted!r} is not an object identifier")
    return b"".join(_base128(number) for number in (arcs[0] * 40 + arcs[1], *arcs[2:]))


def _base128(number: int) -> bytes:
    """Groups of seven bits, the most significant first, all but the last marked by the high bit."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def without_padding(value: bytes) -> bytes:
    """A DER value without what stands behind it; OB elements carry a pad byte (PS3.5 6.2). Only for valid DER."""
    size = value[1]
    if size < 0x80:
        return value[: 2 + size]
    octets = size & 0x7F
    return value[: 2 + octets + int.from_bytes(value[2 : 2 + octets], "big")]


def unpadded(value: bytes) -> bytes:
    """A DER value without the one pad byte that OB gives what is odd; whatever is otherwise stays as it is."""
    if len(value) < 3 or len(value) & 1 or value[-1]:
        return value
    size = value[1]
    octets = size & 0x7F if size & 0x80 else 0
    length = int.from_bytes(value[2 : 2 + octets], "big") if octets else size
    return value[:-1] if 2 + octets + length == len(value) - 1 else value
