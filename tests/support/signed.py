"""Data sets signed by hand (PS3.3 C.12.1.1.3; reference sections 1 to 3): every part can be changed before signing.

The MAC is made of bytes written here and the signature by `cryptography`, so that a file that is wrong in one respect
is right in all others, the signature value included.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from support.encode import LITTLE, element, item, part10, sequence, tag, text
from support.pki import Signer, signer

MAC_PARAMETERS, DIGITAL_SIGNATURES = 0x4FFE0001, 0xFFFAFFFA
MAC_ID, MAC_TRANSFER_SYNTAX, MAC_ALGORITHM, ELEMENTS_SIGNED = 0x04000005, 0x04000010, 0x04000015, 0x04000020
UID, DATE_TIME, CERTIFICATE_TYPE = 0x04000100, 0x04000105, 0x04000110
CERTIFICATE, SIGNATURE, TIMESTAMP_TYPE, TIMESTAMP = 0x04000115, 0x04000120, 0x04000305, 0x04000310
PURPOSE = 0x04000401
NOT_HASHED = (CERTIFICATE, SIGNATURE, TIMESTAMP_TYPE, TIMESTAMP)

PURPOSE_CODE = (
    element(0x00080100, "SH", b"1 ")
    + element(0x00080102, "SH", b"ASTM-sigpurpose ")
    + element(0x00080104, "LO", b"Author's Signature")
)
PURPOSE_HASHED = bytes.fromhex("00040104 5351 0000 feff00e0") + PURPOSE_CODE + bytes.fromhex("feffdde0")

DATA = {
    0x00080016: element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0"),
    0x00080018: element(0x00080018, "UI", b"1.2.3.4.5.6\0"),
    0x00100010: element(0x00100010, "PN", b"Doe^Jane"),
    0x00100020: element(0x00100020, "LO", b"12345 "),
    0x00280010: element(0x00280010, "US", b"\1\0"),
    0x7FE00010: element(0x7FE00010, "OW", b"\1\2\3\4"),
}
"""A small data set whose elements are hashed exactly as they are stored."""


def tags(*numbers: int) -> bytes:
    """A value of VR AT, little endian."""
    return b"".join(tag(number) for number in numbers)


def even(value: bytes) -> bytes:
    """A zero byte behind what is odd (VR OB)."""
    return value + b"\0" if len(value) & 1 else value


@dataclass(frozen=True)
class Parts:
    """One signature of a data set, part by part; elements are kept whole, by tag."""

    data: dict[int, bytes] = field(default_factory=lambda: dict(DATA))
    listed: tuple[int, ...] | None = None
    """(0400,0020); None: everything in `data`."""
    mac: dict[int, bytes] = field(default_factory=dict)
    """Elements of the MAC Parameters item that differ from the usual; empty bytes leave one out."""
    item: dict[int, bytes] = field(default_factory=dict)
    """The same for the Digital Signatures item."""
    hashed: dict[int, bytes] = field(default_factory=dict)
    """Elements that go into the MAC in another form than the stored one; empty bytes leave one out."""
    mac_id: int = 0
    uid: str = "1.2.3.4.5"
    algorithm: str = "SHA256"
    syntax: str = LITTLE
    signer: Signer = field(default_factory=signer)

    def but(self, **changes: object) -> Parts:
        """The same with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def mac_elements(self) -> dict[int, bytes]:
        """The MAC Parameters item."""
        listed = sorted(self.data) if self.listed is None else self.listed
        return present(
            {
                MAC_ID: element(MAC_ID, "US", struct.pack("<H", self.mac_id)),
                MAC_TRANSFER_SYNTAX: element(MAC_TRANSFER_SYNTAX, "UI", text(self.syntax, b"\0")),
                MAC_ALGORITHM: element(MAC_ALGORITHM, "CS", text(self.algorithm)),
                ELEMENTS_SIGNED: element(ELEMENTS_SIGNED, "AT", tags(*listed)),
            }
            | self.mac
        )

    def unsigned_item(self) -> dict[int, bytes]:
        """The Digital Signatures item without its signature value."""
        return present(
            {
                MAC_ID: element(MAC_ID, "US", struct.pack("<H", self.mac_id)),
                UID: element(UID, "UI", text(self.uid, b"\0")),
                DATE_TIME: element(DATE_TIME, "DT", b"20260101120000.000000+0000"),
                CERTIFICATE_TYPE: element(CERTIFICATE_TYPE, "CS", b"X509_1993_SIG "),
                CERTIFICATE: element(CERTIFICATE, "OB", even(self.signer.certificate)),
            }
            | self.item
        )

    def stream(self) -> bytes:
        """The bytes the MAC is made of: listed elements of the data set, then those of the item (reference 1.1)."""
        listed = sorted(self.data) if self.listed is None else sorted(set(self.listed))
        of_item = self.unsigned_item()
        ours = [self.hashed.get(number, self.data[number]) for number in listed if number in self.data]
        items = [self.hashed.get(n, of_item[n]) for n in sorted(of_item) if n not in NOT_HASHED]
        return b"".join(ours + items)

    def item_elements(self) -> dict[int, bytes]:
        """The Digital Signatures item, signed."""
        signature = element(SIGNATURE, "OB", even(self.signer.sign(self.stream(), self.algorithm)))
        return present({SIGNATURE: signature} | self.unsigned_item() | self.item)

    def elements(self) -> dict[int, bytes]:
        """The data set with its two sequences."""
        return self.data | {
            MAC_PARAMETERS: sequence(MAC_PARAMETERS, item(joined(self.mac_elements()))),
            DIGITAL_SIGNATURES: sequence(DIGITAL_SIGNATURES, item(joined(self.item_elements()))),
        }

    def data_set(self) -> bytes:
        """The data set as bytes."""
        return joined(self.elements())

    def file(self) -> bytes:
        """The data set in a file."""
        return part10(self.data_set(), self.syntax)


def present(elements: dict[int, bytes]) -> dict[int, bytes]:
    """Without those that were left out."""
    return {number: whole for number, whole in elements.items() if whole}


def joined(elements: dict[int, bytes]) -> bytes:
    """Elements in ascending order."""
    return b"".join(elements[number] for number in sorted(elements))


def together(*signed: Parts, data: dict[int, bytes] | None = None) -> bytes:
    """One file with several signatures at its top level, in the order given."""
    macs = (item(joined(parts.mac_elements())) for parts in signed)
    items = (item(joined(parts.item_elements())) for parts in signed)
    return part10(with_sequences(signed[0].data if data is None else data, macs, items))


def with_sequences(data: dict[int, bytes], macs: Iterable[bytes], items: Iterable[bytes]) -> bytes:
    """A data set with these MAC Parameters and Digital Signatures items."""
    sequences = {
        MAC_PARAMETERS: sequence(MAC_PARAMETERS, *macs),
        DIGITAL_SIGNATURES: sequence(DIGITAL_SIGNATURES, *items),
    }
    return joined(data | sequences)
