"""How a reader finds the VRs that a file does not say: those of Implicit VR and of UN (PS3.5 A.1 and 6.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsig.dicom.dictionary import private_vr_of, vr_of

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["PLAIN", "Lookup"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a reader may assume."""

    portable: bool = False
    """Implicit VR: read as a signer must, so that every later reader finds the same VRs. Private elements are then UN,
    whatever a private dictionary says, and so are values too long for their VR's 16-bit length (PS3.5 6.2.2).
    """
    convert_un: bool = False
    """Explicit VR: elements of VR UN and defined length have the VR the dictionary gives them; their values are
    implicit VR little endian in every file (PS3.5 6.2.2 note 2).
    """

    dictionary: Dictionary | None = None
    """Asked before the built-in dictionary, unless `portable`: later readers will not have it."""

    @property
    def stored_vrs_stand(self) -> bool:
        """Whether the VRs of an explicit VR file are taken as they are."""
        return not self.convert_un

    def vr_of(self, tag: int) -> str:
        """VR of an element that belongs to no private creator, or one of the markers of `dsig.dicom.dictionary`."""
        found = None if self.portable or self.dictionary is None else self.dictionary.vr_of(tag)
        return found or vr_of(tag)

    def private_vr_of(self, creator: str | None, tag: int) -> str:
        """VR of a private element in a block of `creator`; UN where no dictionary is asked or none knows."""
        if creator is None or self.portable:
            return "UN"
        found = None if self.dictionary is None else self.dictionary.private_vr_of(creator, tag)
        return found or private_vr_of(creator, tag)


PLAIN = Lookup()
"""Stored VRs as they are, all dictionaries for the others."""
