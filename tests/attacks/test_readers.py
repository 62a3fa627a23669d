"""One file, two readers, two contents: what pydicom shows is forged, what the signature covers is not."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO

import pydicom
import pytest
from support import encode as e
from support.encode import element
from support.pki import CORPUS, checked, key
from support.signed import Parts, joined

import dsig

FORGED = element(0x00100010, "PN", b"Forged^Name ") + element(0x00100020, "LO", b"4711")
PATIENT = 0x00100010


@cache
def signed() -> tuple[bytes, int]:
    """A slice that others signed whole, and where its patient module begins."""
    file = (CORPUS / "files" / "v-base-mr.dcm").read_bytes()
    assert checked(file).verdict == "passed"
    return file, file.index(e.tag(PATIENT) + b"PN")


def swallowing(rest: int) -> bytes:
    """The header of a private element whose value is all that follows."""
    return element(0x7FE10010, "OB", length=rest)


def behind_an_unknown_vr() -> bytes:
    """Two capitals: a 32-bit length follows for us, a 16-bit one for others, who find elements in the value."""
    file, at = signed()
    length = 0x1010  # also the tag (1010,0000)
    value = b"UL\4\0" + bytes(4) + FORGED
    padding = element(0x7FE10010, "OB", length=length - len(value) - 12 + len(file) - at)
    value += padding
    value += bytes(length - len(value))
    return file[:at] + e.tag(0x00091001) + b"ZZ\0\0" + struct.pack("<I", length) + value + file[at:]


def behind_a_code_that_is_no_vr() -> bytes:
    """No capitals: others take the header for one of implicit VR, and skip the code and the length as one number."""
    file, at = signed()
    (skipped,) = struct.unpack("<I", b"xs\0\0")
    blob = bytes(skipped - 12) + FORGED + swallowing(len(file) - at)
    return file[:at] + e.tag(0x00091001) + b"xs\0\0" + element(0x00091002, "OB", blob) + file[at:]


@pytest.mark.parametrize("attack", [behind_an_unknown_vr, behind_a_code_that_is_no_vr])
def test_a_forged_patient_behind_a_vr_that_is_none_is_refused(attack):
    file = attack()
    assert pydicom.dcmread(BytesIO(file)).PatientName == "Forged^Name"
    report = checked(file)
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed"
    assert [f.code for f in signature.axes["structure"].findings] == ["unknown-vr"]
    assert report.verdict == "failed"


def test_implicit_vr_that_begins_like_explicit_vr_is_refused():
    """Others look at the first element and not at the transfer syntax: its length is a VR and a length for them."""
    file = (CORPUS / "files" / "v-base-mr-imp.dcm").read_bytes()
    assert checked(file).verdict == "passed"
    begins = 144 + struct.unpack_from("<I", file, 140)[0]
    length = int.from_bytes(b"LT\0\0", "little")
    value = FORGED + element(0x7FE10010, "OB", length=length - len(FORGED) - 12 + len(file) - begins)
    value += bytes(length - len(value))
    forged = file[:begins] + e.implicit(0x00080001, value) + file[begins:]
    with pytest.warns(UserWarning, match="found explicit VR"):
        assert pydicom.dcmread(BytesIO(forged)).PatientName == "Forged^Name"
    report = checked(forged)
    assert report.error is not None
    assert (report.verdict, report.error.code) == ("error", "transfer-syntax-mismatch")


OTHER_PIXELS = {0x7FE00008: element(0x7FE00008, "OF", bytes(4)), 0x7FE00009: element(0x7FE00009, "OD", bytes(8))}


@pytest.mark.parametrize("number", OTHER_PIXELS)
def test_other_pixel_data_beside_the_signed_ones_are_refused(number: int):
    """PS3.3 C.7.6.24: one of the three; readers that look for floats first show what nobody signed."""
    parts = Parts()
    file = e.part10(joined(parts.elements() | {number: OTHER_PIXELS[number]}))
    report = checked(file)
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed"
    assert [f.code for f in signature.axes["structure"].findings] == ["pixel-data-doubled"]
    assert report.verdict == "failed"
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(file, key=key())
    assert caught.value.code == "pixel-data-doubled"


def test_a_data_set_inside_the_meta_information_is_refused():
    """Others take two bytes of a 32-bit length for a VR, the rest for a length, and go on inside the value."""
    file, _ = signed()
    group_length = 132 + 8
    (length,) = struct.unpack_from("<I", file, group_length)
    begins = group_length + 4 + length
    value = element(0x00080018, "UI", b"6.6.6\0") + FORGED
    value += swallowing(len(file) - begins)
    hidden = e.implicit(0x00020102, value)
    grown = struct.pack("<I", length + len(hidden))
    forged = file[:group_length] + grown + file[group_length + 4 : begins] + hidden + file[begins:]
    report = checked(forged)
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed"
    assert [f.code for f in signature.axes["structure"].findings] == ["meta-encoding"]
    assert "meta-encoding" in {f.code for f in report.findings}
    assert report.verdict == "failed"
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(forged, key=key())
    assert caught.value.code == "meta-encoding"
