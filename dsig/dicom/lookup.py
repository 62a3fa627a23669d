"""How a reader finds the VRs that a file does not say: those of Implicit VR and of UN (PS3.5 A.1 and 6.2.2)."""

from __future__ import annotations

from dataclasses import dataclass

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

    @property
    def stored_vrs_stand(self) -> bool:
        """Whether the VRs of an explicit VR file are taken as they are."""
        return not self.convert_un


PLAIN = Lookup()
"""Stored VRs as they are, all dictionaries for the others."""
