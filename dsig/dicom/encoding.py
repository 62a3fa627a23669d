"""Transfer syntaxes as far as bytes are concerned: VR form, byte order, deflation (PS3.5 annex A)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dsig.dicom.lookup import PLAIN, Lookup

__all__ = [
    "DEFLATED",
    "EXPLICIT_BE",
    "EXPLICIT_LE",
    "IMPLICIT_GE",
    "IMPLICIT_LE",
    "Encoding",
    "TransferSyntax",
    "is_known",
    "transfer_syntax",
]


PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True, slots=True)
class Encoding:
    """How element headers and numbers are written."""

    explicit: bool
    big: bool
    lookup: Lookup = PLAIN
    """Where VRs come from that the bytes do not say."""
    big_pixels: bool = False
    """Pixel Data of every level are big endian words though everything else is little endian."""

    def implicit(self) -> Encoding:
        """What is inside a UN element that is a sequence, whatever the file is (PS3.5 6.2.2)."""
        return Encoding(explicit=False, big=False, lookup=self.lookup, big_pixels=self.big_pixels)

    def portably(self) -> Encoding:
        """The same bytes, read as a signer must, with stored VRs as they are."""
        return self.looking_up(replace(self.lookup, portable=True, convert_un=False))

    def as_shared(self) -> Encoding:
        """The same bytes, read with the VRs that DCMTK finds too."""
        return self.looking_up(replace(self.lookup, shared=True))

    def looking_up(self, lookup: Lookup) -> Encoding:
        """The same bytes, with VRs found in another way."""
        return Encoding(self.explicit, self.big, lookup, self.big_pixels)

    def alike(self, other: Encoding) -> bool:
        """Whether headers are written the same."""
        return (self.explicit, self.big) == (other.explicit, other.big)

    def big_at(self, tag: int) -> bool:
        """Whether the value of an element is big endian."""
        return self.big or (self.big_pixels and tag == PIXEL_DATA)

    @property
    def order(self) -> str:
        """Prefix for `struct` formats."""
        return ">" if self.big else "<"


EXPLICIT_LE = Encoding(explicit=True, big=False)
IMPLICIT_LE = Encoding(explicit=False, big=False)
EXPLICIT_BE = Encoding(explicit=True, big=True)
IMPLICIT_GE = Encoding(explicit=False, big=False, big_pixels=True)
"""Private to GE, but known to many readers."""

DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """A transfer syntax UID and its consequences."""

    uid: str
    encoding: Encoding
    encapsulated: bool = False
    deflated: bool = False


_NATIVE = {
    t.uid: t
    for t in (
        TransferSyntax("1.2.840.10008.1.2", IMPLICIT_LE),
        TransferSyntax("1.2.840.10008.1.2.1", EXPLICIT_LE),
        TransferSyntax("1.2.840.10008.1.2.2", EXPLICIT_BE),
        TransferSyntax(DEFLATED, EXPLICIT_LE, deflated=True),
        # pixels are not in the file, only a URL to them
        TransferSyntax("1.2.840.10008.1.2.4.94", EXPLICIT_LE),
        TransferSyntax("1.2.840.10008.1.2.4.95", EXPLICIT_LE, deflated=True),
        TransferSyntax("1.2.840.10008.1.2.4.204", EXPLICIT_LE),
        TransferSyntax("1.2.840.10008.1.2.4.205", EXPLICIT_LE, deflated=True),
        TransferSyntax("1.2.840.113619.5.2", IMPLICIT_GE),
    )
}


_COMPRESSED = re.compile(r"1\.2\.840\.10008\.1\.2\.(1\.98|[478]\.[1-9][0-9]*(\.1)?|5)", re.ASCII)
"""Uncompressed, JPEG and video, streams, deflated frames, RLE (PS3.5 annex A); to come ones of these families too."""


def is_known(uid: str) -> bool:
    """Whether every reader takes a data set of this transfer syntax for the same, or leaves it alone."""
    return uid in _NATIVE or _COMPRESSED.fullmatch(uid) is not None


def transfer_syntax(uid: str) -> TransferSyntax:
    """Facts about a UID; one not known here is taken as explicit VR little endian with encapsulated pixel data.

    That is what PS3.5 A.4 makes of every compressed syntax, future ones included.
    """
    return _NATIVE.get(uid) or TransferSyntax(uid, EXPLICIT_LE, encapsulated=True)
