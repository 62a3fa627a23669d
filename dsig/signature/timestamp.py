"""The certified timestamp of a signature item, as stored (PS3.3 C.12.1.1.3.1.3), and the bytes it is about."""

from __future__ import annotations

from dataclasses import dataclass

from dsig.der import unpadded
from dsig.dicom.walk import ELEMENT
from dsig.hookspecs import CertificateFacts
from dsig.signature.items import CERTIFIED_TIMESTAMP, CERTIFIED_TIMESTAMP_TYPE, SignatureItem

__all__ = ["CMS_TSP", "StoredTimestamp", "signature_value", "stored_timestamp"]

CMS_TSP = "CMS_TSP"
"""The one defined term of (0400,0305): a token of RFC 3161."""


@dataclass(frozen=True, slots=True)
class StoredTimestamp:
    """The two attributes."""

    kind: str
    """(0400,0305) Certified Timestamp Type, padding removed; empty if absent."""
    token: bytes | None
    """(0400,0310) Certified Timestamp without its pad byte, None if absent."""


def stored_timestamp(item: SignatureItem) -> StoredTimestamp:
    """What the item holds, whatever it is; an attribute that is a sequence counts as an empty token."""
    element = item.data.by_tag.get(CERTIFIED_TIMESTAMP)
    kind = item.data.text(CERTIFIED_TIMESTAMP_TYPE)
    if element is None:
        return StoredTimestamp(kind, None)
    return StoredTimestamp(kind, unpadded(item.timestamp) if element.kind == ELEMENT else b"")


def signature_value(stored: bytes, facts: CertificateFacts | None) -> bytes:
    """The value of (0400,0120) that a timestamp is about: as the signer made it, without the pad byte of OB.

    The length of an RSA signature is that of the modulus; DSA and ECDSA signatures are DER (PS3.15 C.1).
    """
    if facts is not None and facts.key_type == "RSA":
        size = (facts.key_size + 7) // 8
        padded = len(stored) == size + 1 and not stored[-1]
        return stored[:size] if padded else stored
    return unpadded(stored)
