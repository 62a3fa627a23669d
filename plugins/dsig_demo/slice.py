"""The CT slice of the demo, and two ways to tamper with it."""

from __future__ import annotations

from pathlib import Path

from pydicom.data import get_testdata_file

from dsig.errors import InputError

__all__ = ["original", "with_other_patient", "with_other_pixel"]

NAME = "CT_small.dcm"
_PATIENT = b"CompressedSamples^CT1"
_PIXEL_DATA = b"\xe0\x7f\x10\x00OW\x00\x00"
"""Tag and VR of (7FE0,0010) in explicit VR little endian; four bytes of length follow."""


def original() -> bytes:
    """A CT slice that comes with pydicom. Raises `InputError` if this installation has none."""
    path = get_testdata_file(NAME, download=False)
    if path is None:
        raise InputError(f"pydicom came without {NAME}", hint="install pydicom from its wheel")
    return Path(str(path)).read_bytes()


def with_other_pixel(data: bytes) -> bytes:
    """One bit of one pixel flipped."""
    changed = bytearray(data)
    changed[data.rindex(_PIXEL_DATA) + len(_PIXEL_DATA) + 4 + 64 * 128] ^= 1
    return bytes(changed)


def with_other_patient(data: bytes) -> bytes:
    """A patient name as long as the first one, so that nothing else changes."""
    return data.replace(_PATIENT, b"SomebodyElse^Entirely", 1)
