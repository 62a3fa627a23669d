"""How a reader finds the VRs that a file does not say: those of Implicit VR and of UN (PS3.5 A.1 and 6.2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dsig.dicom.dictionary import is_shared, private_vr_of, vr_of

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["PLAIN", "Lookup", "Place", "Substitution"]


class Place(NamedTuple):
    """An attribute for which a VR is looked up, wherever it occurs."""

    creator: str | None
    """Of the block of a private element."""
    tag: int
    """Of a private element with a creator: in block 00."""
    nested: bool
    """In an item below the level that is read."""

    @property
    def private(self) -> bool:
        """Whether it is a private element, creators included."""
        return bool(self.tag & 0x10000)

    @property
    def is_creator(self) -> bool:
        """Whether it reserves a block of private elements (PS3.5 7.8.1)."""
        return self.private and self.creator is None and 0x0010 <= self.tag & 0xFFFF <= 0x00FF


class Substitution(Protocol):
    """Has the last word on VRs."""

    def vr(self, place: Place, found: str, stored: str, value: int, length: int) -> str:
        """The VR to take where `found` was found; `stored` is the file's own, empty in implicit VR."""
        ...


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a reader may assume."""

    portable: bool = False
    """Implicit VR: read as a signer must, so that every later reader finds the same VRs. Private elements are then UN,
    whatever a private dictionary says, and so are values too long for their VR's 16-bit length (PS3.5 6.2.2).
    """
    shared: bool = False
    """Implicit VR: of the built-in dictionaries, only what DCMTK's have too. What is signed then verifies there."""
    convert_un: bool = False
    """Explicit VR: elements of VR UN and defined length have the VR the dictionary gives them; their values are
    implicit VR little endian in every file (PS3.5 6.2.2 note 2).
    """

    dictionary: Dictionary | None = None
    """Asked before the built-in dictionary, unless `portable`: later readers will not have it."""

    substitution: Substitution | None = field(default=None, compare=False)
    """Has the last word, for elements of defined length."""

    @property
    def stored_vrs_stand(self) -> bool:
        """Whether the VRs of an explicit VR file are taken as they are."""
        return not self.convert_un and self.substitution is None

    def vr_of(self, tag: int) -> str:
        """VR of an element that belongs to no private creator, or one of the markers of `dsig.dicom.dictionary`."""
        found = None if self.portable or self.dictionary is None else self.dictionary.vr_of(tag)
        if found is None and self.shared and not is_shared(tag):
            return "UN"
        return found or vr_of(tag)

    def private_vr_of(self, creator: str | None, tag: int) -> str:
        """VR of a private element in a block of `creator`; UN where no dictionary is asked or none knows."""
        if creator is None or self.portable:
            return "UN"
        found = None if self.dictionary is None else self.dictionary.private_vr_of(creator, tag)
        return found or private_vr_of(creator, tag, shared=self.shared)


PLAIN = Lookup()
"""Stored VRs as they are, all dictionaries for the others."""
