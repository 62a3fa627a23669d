"""The certified timestamp of a signature item (PS3.3 C.12.1.1.3.1.3): as stored, what it is about, and into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsig.der import unpadded
from dsig.dicom.encoding import Encoding
from dsig.dicom.file import DicomFile
from dsig.dicom.headers import element
from dsig.dicom.walk import ELEMENT
from dsig.hookspecs import CertificateFacts
from dsig.limits import Limits
from dsig.signature.items import CERTIFIED_TIMESTAMP, CERTIFIED_TIMESTAMP_TYPE, SignatureItem

if TYPE_CHECKING:
    from dsig.dicom.splice import Change

__all__ = [
    "CMS_TSP",
    "StoredTimestamp",
    "signature_value",
    "stored_timestamp",
    "timestamp_changes",
    "timestamp_elements",
]

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
    found = item.data.by_tag.get(CERTIFIED_TIMESTAMP)
    kind = item.data.text(CERTIFIED_TIMESTAMP_TYPE)
    if found is None:
        return StoredTimestamp(kind, None)
    return StoredTimestamp(kind, unpadded(item.timestamp) if found.kind == ELEMENT else b"")


def signature_value(stored: bytes, facts: CertificateFacts | None) -> bytes:
    """The value of (0400,0120) that a timestamp is about: as the signer made it, without the pad byte of OB.

    The length of an RSA signature is that of the modulus; DSA and ECDSA signatures are DER (PS3.15 C.1). A backend that
    knows other kinds of keys says how long their signatures are.
    """
    if facts is not None and (facts.signature_size or facts.key_type == "RSA"):
        size = facts.signature_size or (facts.key_size + 7) // 8
        padded = len(stored) == size + 1 and not stored[-1]
        return stored[:size] if padded else stored
    return unpadded(stored)


def timestamp_elements(token: bytes, encoding: Encoding) -> bytes:
    """The two attributes as they are written."""
    padded = token + b"\0" if len(token) & 1 else token
    return element(CERTIFIED_TIMESTAMP_TYPE, "CS", b"CMS_TSP ", encoding) + element(
        CERTIFIED_TIMESTAMP, "OB", padded, encoding
    )


def timestamp_changes(file: DicomFile, item: SignatureItem, token: bytes, limits: Limits) -> list[Change]:
    """Put a token into a signature item, in place of what is there, with every length around it put right.

    Both attributes are outside every MAC (PS3.3 C.12.1.1.3.1.1), so that no signature notices.
    """
    from dsig.dicom.splice import Change, enclosing_lengths, lengthened

    data = item.data
    old = [e for e in data.elements if e.tag in (CERTIFIED_TIMESTAMP_TYPE, CERTIFIED_TIMESTAMP)]
    new = timestamp_elements(token, data.encoding)
    place = next((e.start for e in data.elements if e.tag > CERTIFIED_TIMESTAMP), data.end)
    around = enclosing_lengths(
        file.data, file.start, file.end, file.encoding, levels=[data.start], limits=limits
    ).of_levels[data.start]
    growth = len(new) - sum(e.end - e.start for e in old)
    return [
        *(Change(e.start, e.end - e.start, b"") for e in old),
        Change(place, 0, new),
        *lengthened((field, growth) for field in around),
    ]
