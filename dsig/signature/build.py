"""The two sequences as they are written: new items, and where in a level they go (PS3.3 C.12.1.1.3)."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dsig.dicom.dataset import DataSet, read_data_set
from dsig.dicom.encoding import EXPLICIT_LE, Encoding
from dsig.dicom.headers import element, item, sequence
from dsig.dicom.source import BytesSource
from dsig.dicom.splice import LengthField
from dsig.dicom.walk import SEQUENCE
from dsig.errors import UsageError
from dsig.model import Purpose
from dsig.signature import items as tags
from dsig.signature.mac import MacCursor, mac_pieces, pump
from dsig.signature.timestamp import timestamp_elements

__all__ = ["NewSignature", "Place", "datetime_now", "free_mac_id", "new_uid", "place_for"]

MAX_ELEMENTS = 0xFFFC // 4
"""Tags that fit the 16-bit length of (0400,0020)."""


@dataclass(frozen=True, slots=True)
class NewSignature:
    """Everything about a signature that is known before it is made."""

    mac_id: int
    transfer_syntax: str
    algorithm: str
    elements: Sequence[int]
    uid: str
    date_time: str
    certificate: bytes
    purpose: Purpose | None

    def mac_item(self, encoding: Encoding) -> bytes:
        """Content of the MAC Parameters item."""
        order = encoding.order
        words = [half for tag in self.elements for half in (tag >> 16, tag & 0xFFFF)]
        return b"".join(
            (
                element(tags.MAC_ID, "US", struct.pack(f"{order}H", self.mac_id), encoding),
                element(tags.MAC_TRANSFER_SYNTAX, "UI", _even(self.transfer_syntax, b"\0"), encoding),
                element(tags.MAC_ALGORITHM, "CS", _even(self.algorithm, b" "), encoding),
                element(tags.ELEMENTS_SIGNED, "AT", struct.pack(f"{order}{len(words)}H", *words), encoding),
            )
        )

    def signature_item(
        self, encoding: Encoding, signature: bytes, token: bytes = b"", *, undefined: bool = False
    ) -> bytes:
        """Content of the Digital Signatures item, with a time-stamp token if there is one.

        `undefined`: the sequence in it has no lengths.
        """
        return b"".join(
            (
                element(tags.MAC_ID, "US", struct.pack(f"{encoding.order}H", self.mac_id), encoding),
                element(tags.UID, "UI", _even(self.uid, b"\0"), encoding),
                element(tags.DATE_TIME, "DT", _even(self.date_time, b" "), encoding),
                element(tags.CERTIFICATE_TYPE, "CS", _even(tags.X509, b" "), encoding),
                element(tags.CERTIFICATE, "OB", _even_bytes(self.certificate), encoding),
                element(tags.SIGNATURE, "OB", _even_bytes(signature), encoding),
                timestamp_elements(token, encoding) if token else b"",
                b"" if self.purpose is None else _purpose(self.purpose, encoding, undefined),
            )
        )

    def mac_bytes(self) -> bytes:
        """The signature item's part of the MAC stream: all of it but certificate and signature."""
        content = self.signature_item(EXPLICIT_LE, b"")
        source = BytesSource(content, "<signature item>")
        level = read_data_set(source, 0, source.size, EXPLICIT_LE)
        stream = bytearray()
        hashed = [e for e in level.elements if e.tag not in tags.NOT_IN_MAC]
        pump(source, [MacCursor(mac_pieces(level, hashed), stream.extend)])
        return bytes(stream)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item of one of the two sequences goes."""

    tag: int
    offset: int
    existing: LengthField | None
    """Length of the sequence that is there already, if it has one."""
    complete: bool
    """True: the whole sequence has to be written; False: just another item."""

    def data(self, content: bytes, encoding: Encoding, *, undefined: bool = False) -> bytes:
        """The bytes to insert, with lengths or without."""
        if self.complete:
            return sequence(self.tag, [content], encoding, undefined=undefined)
        return item(content, encoding, undefined=undefined)


def place_for(level: DataSet, tag: int) -> Place:
    """Find the place of a new item of the sequence `tag` in a level whose tags ascend.

    Raises `UsageError` if something else than a sequence is there.
    """
    existing = level.by_tag.get(tag)
    if existing is None:
        offset = next((e.start for e in level.elements if e.tag > tag), level.end)
        return Place(tag, offset, None, complete=True)
    if existing.kind != SEQUENCE or (existing.vr == "UN" and level.encoding.explicit):
        raise UsageError(
            f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is there already but is no sequence of VR SQ",
            code="not-a-sequence",
            hint="remove it, or re-encode the file, before signing",
        )
    if existing.undefined:
        return Place(tag, existing.end - 8, None, complete=False)
    length = LengthField(existing.value - 4, 4, existing.end - existing.value, level.encoding.order)
    return Place(tag, existing.end, length, complete=False)


def free_mac_id(taken: Collection[int | None]) -> int:
    """The lowest MAC ID Number not yet used in the instance (PS3.3 C.12.1.1.3: unique within the instance)."""
    for number in range(0x10000):
        if number not in taken:
            return number
    raise UsageError("all 65,536 MAC ID Numbers are in use", code="no-mac-id")


def new_uid() -> str:
    """A UUID-derived UID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def datetime_now() -> str:
    """The present as DT with microseconds, always at offset +0000: every reader understands that one."""
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S.%f+0000")


def checked_elements(selected: Iterable[int]) -> tuple[int, ...]:
    """Ascending tags for (0400,0020). Raises `UsageError` if they are none or too many."""
    elements = tuple(sorted(set(selected)))
    if not elements:
        raise UsageError(
            "nothing here can be signed", code="nothing-to-sign", hint="a signature over no element protects nothing"
        )
    if len(elements) > MAX_ELEMENTS:
        raise UsageError(f"{len(elements)} elements are more than the {MAX_ELEMENTS} a signature can list")
    return elements


def _purpose(purpose: Purpose, encoding: Encoding, undefined: bool) -> bytes:
    content = b"".join(
        (
            element(0x00080100, "SH", _even(purpose.code, b" "), encoding),
            element(0x00080102, "SH", _even(purpose.scheme, b" "), encoding),
            element(0x00080104, "LO", _even(purpose.meaning, b" "), encoding),
        )
    )
    return sequence(tags.PURPOSE, [content], encoding, undefined=undefined)


def _even(text: str, pad: bytes) -> bytes:
    data = text.encode("ascii")
    return data + pad if len(data) & 1 else data


def _even_bytes(data: bytes) -> bytes:
    return data + b"\0" if len(data) & 1 else data
