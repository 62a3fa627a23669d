"""The house profile: whoever acquired the image vouches for identity, acquisition and pixels together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding

__all__ = ["AcquisitionProfile"]

CLAUSE = "house rules 2026, 4.2"
ALWAYS = {
    0x00080016: "SOP Class UID",
    0x00080018: "SOP Instance UID",
    0x0020000D: "Study Instance UID",
    0x0020000E: "Series Instance UID",
}
"""Must be in the data set, and signed."""
GROUPS = frozenset((0x0010, 0x0018, 0x0028, 0x7FE0))
"""Patient, acquisition, image presentation, pixels: signed as far as present."""
MACS = frozenset(("SHA256", "SHA384", "SHA512"))


class AcquisitionProfile:
    """Implements `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """All of these that are there and can be signed."""
        return [tag for tag in view.tags if (tag in ALWAYS or tag >> 16 in GROUPS) and view.signable(tag)]

    def check(self, view: DataSetView, signature: SignatureView) -> Iterator[Finding]:
        """What is missing."""
        for tag, name in ALWAYS.items():
            if tag not in view.tags:
                yield Finding("vendor-absent", f"there is no {name}", _path(tag), CLAUSE)
        for tag in self.required(view):
            if tag not in signature.elements:
                yield Finding("vendor-unsigned", f"({_path(tag)}) is not signed", _path(tag), CLAUSE)
        if signature.mac_algorithm not in MACS:
            yield Finding("vendor-mac", "the MAC algorithm is none of SHA-256, SHA-384, SHA-512", "", CLAUSE)


def _path(tag: int) -> str:
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
