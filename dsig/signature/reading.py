"""How stored values are read into the MAC: as they are, or with the padding rules of other writers.

The standard hashes what is stored (PS3.3 C.12.1.1.3.1.1). Writers that normalise text while reading hash something
slightly different when the stored padding is not canonical (decision 0006); a match under such a reading is
as good a proof, because nothing but padding can differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from dsig.dicom.vr import PAD

__all__ = ["CANONICAL", "OLD_FORMAT", "RECOVERED_VR", "STORED", "TRAILING_NUL", "Padding", "Reading", "normalised"]


class Padding(StrEnum):
    """What is done to padding."""

    AS_STORED = "as-stored"
    CANONICAL = "canonical"
    """Trailing pad bytes and NULs removed, then padded to even length."""
    TRAILING_NUL = "trailing-nul"
    """The older rule: odd lengths get a NUL first, and only pad bytes are removed after it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to turn stored elements into MAC bytes."""

    name: str
    """As in `MacFacts.encoding`."""
    padding: Padding = Padding.AS_STORED
    fragment_lengths: bool = False
    """Lengths of pixel data fragments are hashed too (writers before 2006; decision 0006)."""


STORED = Reading("stored")
CANONICAL = Reading("canonical-padding", Padding.CANONICAL)
TRAILING_NUL = Reading("trailing-nul-padding", Padding.TRAILING_NUL)
OLD_FORMAT = Reading("old-format", fragment_lengths=True)
RECOVERED_VR = Reading("recovered-vr")
"""Stored values with VRs the file does not name (decision 0050); says what matched, the level read so says how."""

_SPACE = re.compile(rb"[\t-\r ]+")


def normalised(vr: str, value: bytes, padding: Padding) -> bytes:
    """A value of a text VR after `padding`."""
    pad = PAD[vr]
    if len(value) & 1:
        value += b"\0"
    if vr == "UI":
        value = _SPACE.sub(b"", value)
    value = value.rstrip(pad if padding is Padding.TRAILING_NUL else pad + b"\0")
    return value + pad if len(value) & 1 else value
