"""The little DER the core needs itself: DigestInfo, where a value ends, and what kind of file is at hand."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["digest_info", "kind_of", "public_key_of", "unpadded", "without_padding"]

_SEQUENCE, _INTEGER, _BIT_STRING, _ENUMERATED, _CONTEXT_0 = 0x30, 0x02, 0x03, 0x0A, 0xA0
_TIMES = (0x17, 0x18)


def digest_info(oid: str, digest: bytes) -> bytes:
    """`SEQUENCE { SEQUENCE { oid, NULL }, OCTET STRING digest }`. Raises `ValueError` if `oid` is not one."""
    algorithm = _tlv(0x30, _tlv(0x06, _oid(oid)) + b"\x05\x00")
    return _tlv(0x30, algorithm + _tlv(0x04, digest))


@lru_cache(64)
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


def kind_of(der: bytes) -> str:
    """`certificate`, `crl` or `ocsp` by the outline of the value (RFC 5280 4.1, 5.1; RFC 6960 4.2.1).

    Raises `ValueError` if it is none of them, is cut, or has something behind it.
    """
    outer = _children(der)
    if len(outer) != 1 or outer[0][0] != _SEQUENCE:
        raise ValueError("it is not one DER value")
    parts = _children(outer[0][1])
    if parts and parts[0][0] == _ENUMERATED and [tag for tag, _ in parts[1:]] in ([], [_CONTEXT_0]):
        return "ocsp"
    if [tag for tag, _ in parts] == [_SEQUENCE, _SEQUENCE, _BIT_STRING]:
        tags = [tag for tag, _ in _children(parts[0][1])]
        if tags[:1] == [_CONTEXT_0] or tags[:6] == [_INTEGER, *[_SEQUENCE] * 5]:
            return "certificate"
        names = tags[1:] if tags[:1] == [_INTEGER] else tags
        if names[:2] == [_SEQUENCE, _SEQUENCE] and len(names) > 2 and names[2] in _TIMES:
            return "crl"
    raise ValueError("it is no certificate, no CRL and no OCSP response")


def public_key_of(certificate: bytes) -> bytes:
    """SubjectPublicKeyInfo (RFC 5280 4.1) of a certificate, its header left out. Raises `ValueError` without."""
    ((_tag, content),) = _children(certificate)
    fields = _children(_children(content)[0][1])
    if fields and fields[0][0] == _CONTEXT_0:
        del fields[0]
    if len(fields) < 6:
        raise ValueError("it is no certificate")
    return fields[5][1]


def _children(content: bytes) -> list[tuple[int, bytes]]:
    """The values in a row, each with its tag. Raises `ValueError` if they do not fill `content` exactly."""
    found = []
    while content:
        if len(content) < 2:
            raise ValueError("it is cut")
        start, size = 2, content[1]
        if size >= 0x80:
            start += size & 0x7F
            if size == 0x80 or len(content) < start:
                raise ValueError("it is cut, or not DER")
            size = int.from_bytes(content[2:start], "big")
        if len(content) < start + size:
            raise ValueError("it is cut")
        found.append((content[0], content[start : start + size]))
        content = content[start + size :]
    return found
