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
from support.signed import DATA, Parts, joined

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


def implicitly(whole: bytes) -> bytes:
    """A plain explicit VR element in implicit VR."""
    number = struct.unpack("<HH", whole[:4])
    return e.implicit(number[0] << 16 | number[1], whole[12 if whole[4:6].decode() in e.LONG_VRS else 8 :])


def implicit_data_set(parts: Parts, more: dict[int, bytes] | None = None) -> bytes:
    """A signed data set in implicit VR; `more` is so already."""
    elements = {number: implicitly(whole) for number, whole in parts.data.items()}
    mac, signature = (
        e.item(joined({n: implicitly(w) for n, w in content.items()}))
        for content in (parts.mac_elements(), parts.item_elements())
    )
    sequences = {
        0x4FFE0001: e.implicit_sequence(0x4FFE0001, mac),
        0xFFFAFFFA: e.implicit_sequence(0xFFFAFFFA, signature),
    }
    return joined(elements | sequences | (more or {}))


def found_codes(file: bytes) -> set[str]:
    """Codes about a file that passes."""
    report = checked(file)
    assert report.verdict == "passed"
    return {f.code for f in report.signatures[0].axes["coverage"].findings}


GE = "1.2.840.113619.5.2"
"""Implicit VR little endian, but for the pixel data, which are big endian; many readers know it."""


@pytest.mark.parametrize("vr", ["OW", "OB"])
def test_pixel_data_that_another_transfer_syntax_swaps_are_refused(vr: str):
    """The File Meta Information is never signed: with another UID there, readers swap the bytes of the pixels."""
    parts = Parts(data=DATA | {0x7FE00010: element(0x7FE00010, vr, b"\1\2\3\4")})
    data_set = implicit_data_set(parts)
    assert checked(e.part10(data_set, e.IMPLICIT)).verdict == "passed"
    report = checked(e.part10(data_set, GE))
    [signature] = report.signatures
    assert [f.code for f in signature.axes["integrity"].findings] == ["mac-mismatch"]
    assert report.verdict == "failed"


def test_pixel_data_stored_as_big_endian_words_are_hashed_as_little_endian_ones():
    """PS3.3 C.12.1.1.3.1.1: the MAC is made in explicit VR little endian, whatever the file is."""
    icon = e.sequence(0x00880200, e.item(element(0x00280010, "US", b"\2\1"), element(0x7FE00010, "OW", b"\5\6")))
    stored = e.sequence(0x00880200, e.item(element(0x00280010, "US", b"\2\1"), element(0x7FE00010, "OW", b"\6\5")))
    hashed = icon[:4] + b"SQ\0\0" + b"\xfe\xff\x00\xe0" + icon[20:] + b"\xfe\xff\xdd\xe0"
    data = DATA | {0x00880200: icon, 0x7FE00010: element(0x7FE00010, "OW", b"\1\2\3\4")}
    parts = Parts(data=data, hashed={0x00880200: hashed})
    assert checked(parts.file()).verdict == "passed"
    nested = e.implicit_sequence(
        0x00880200, e.item(e.implicit(0x00280010, b"\2\1"), e.implicit(0x7FE00010, stored[-2:]))
    )
    own = implicit_data_set(parts)
    at, end = own.index(e.tag(0x00880200)), own.index(e.tag(0x4FFE0001))
    swapped = own[:at] + nested + own[end:].replace(b"\1\2\3\4", b"\2\1\4\3")
    assert checked(e.part10(swapped, GE)).verdict == "passed"


def test_a_file_with_big_endian_pixel_data_is_signed_and_transcoded():
    plain = joined({number: implicitly(whole) for number, whole in DATA.items()})
    file = e.part10(plain, GE)
    signed = dsig.sign(file, key=key()).output
    assert isinstance(signed, bytes)
    assert e.implicit(0x7FE00010, b"\1\2\3\4") in signed
    assert checked(signed).verdict == "passed"
    explicit = dsig.sign(file, key=key(), options=dsig.SignOptions(transfer_syntax="explicit")).output
    assert isinstance(explicit, bytes)
    assert element(0x7FE00010, "OW", b"\2\1\4\3") in explicit
    assert checked(explicit).verdict == "passed"


@pytest.mark.parametrize("before", [b" ", b"\0"])
def test_a_transfer_syntax_that_only_some_readers_recognise_is_refused(before: bytes):
    """What stands before a UID is a part of it for some, who then take big endian for little endian."""
    data_set = Parts().data_set()

    def file(uid: bytes) -> bytes:
        content = element(0x00020010, "UI", uid + b"\0" * (len(uid) % 2))
        meta = element(0x00020000, "UL", struct.pack("<I", len(content))) + content
        return bytes(128) + b"DICM" + meta + data_set

    for pad in (b"", b" ", b"\0\0"):
        assert checked(file(e.LITTLE.encode() + pad)).verdict == "passed"
    report = checked(file(before + e.LITTLE.encode()))
    assert report.error is not None
    assert (report.verdict, report.error.code) == ("error", "input-malformed")


@pytest.mark.parametrize("preamble", [b"", bytes(128) + b"DICM"])
def test_a_data_set_without_meta_information_that_may_be_explicit_vr_is_refused(preamble: bytes):
    """ZZ is no VR, so the data set could be implicit; others see two capitals."""
    length = int.from_bytes(b"ZZ\0\0", "little")
    data_set = implicit_data_set(Parts())
    value = FORGED + element(0x7FE10010, "OB", length=length - len(FORGED) - 12 + len(data_set))
    forged = preamble + e.implicit(0x00080001, value.ljust(length, b"\0")) + data_set
    assert checked(preamble + data_set).verdict == "passed"
    with pytest.warns(UserWarning, match="found explicit VR"):
        assert pydicom.dcmread(BytesIO(forged), force=True).PatientName == "Forged^Name"
    report = checked(forged)
    assert report.error is not None
    assert report.error.code == "transfer-syntax-mismatch"


CONTENT = 0x0040A730
MAC_OF_EMPTY_ITEM = e.tag(CONTENT) + b"SQ\0\0" + bytes.fromhex("feff00e0 feffdde0")


def test_an_item_that_looks_like_explicit_vr_to_others_is_refused():
    """A sequence stored as UN is in implicit VR (PS3.5 6.2.2); some go by the looks of the first element of an item.

    MAC Parameters are in no MAC, and their length, 1069900 bytes, is the VR LO and the length 16 to these.
    """
    parts = Parts(data=DATA | {CONTENT: e.sequence(CONTENT, e.item())}, hashed={CONTENT: MAC_OF_EMPTY_ITEM})
    assert checked(parts.file()).verdict == "passed"
    stored = element(CONTENT, "UN", e.item() + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
    assert checked(e.part10(joined(parts.elements() | {CONTENT: stored}))).verdict == "passed"

    finding = element(0x0040A160, "UT", b"Forged finding")
    size = int.from_bytes(b"LO\x10\0", "little") - 8
    value = int.from_bytes(b"UT\0\0", "little")
    hidden = finding + swallowing(size - 8 - len(finding) - 12)
    rest = size - 16 - value
    content = (
        e.implicit(0x00080100) + hidden[:8] + hidden[8:].ljust(value, b"\0") + e.implicit(0x0040A16A, bytes(rest - 8))
    )
    machinery = e.tag(0x4FFE0001) + b"LO\x10\0" + e.delimiter(e.ITEM, length=size) + content
    stored = element(CONTENT, "UN", e.item(machinery) + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
    forged = e.part10(joined(parts.elements() | {CONTENT: stored}))
    [shown] = pydicom.dcmread(BytesIO(forged)).ContentSequence
    assert shown.TextValue == "Forged finding"
    report = checked(forged)
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed"
    assert "item-encoding" in {f.code for f in signature.axes["structure"].findings if f.severity == "error"}
    assert report.verdict == "failed"


CODES = [element(0x00080100, "SH", value) for value in (b"1 ", b"2 ")]
PRIVATE = 0x00091001
MAC_OF_CODES = e.tag(PRIVATE) + b"SQ\0\0" + b"".join(b"\xfe\xff\x00\xe0" + code for code in CODES) + b"\xfe\xff\xdd\xe0"


def skipping_items() -> bytes:
    """The first item ends with a delimiter as long as the second item: who goes by its length misses that."""
    first, second = (implicitly(code) for code in CODES)
    item = e.delimiter(e.ITEM, length=e.UNDEFINED) + first + e.delimiter(e.ITEM_END, length=8 + len(second))
    return item + e.item(second)


def with_commands() -> bytes:
    return e.item(e.implicit(0x00000010, b"ab"), implicitly(CODES[0])) + e.item(implicitly(CODES[1]))


@pytest.mark.parametrize(("items", "code"), [(skipping_items, "delimiter-length"), (with_commands, "forbidden-group")])
@pytest.mark.parametrize("undefined", [False, True])
def test_what_is_wrong_inside_a_sequence_stored_as_un_is_told(items, code: str, undefined: bool):
    """Of defined length it is a value until the signature shows that it was a sequence."""
    private = {0x00090010: element(0x00090010, "LO", b"ACME"), PRIVATE: e.sequence(PRIVATE, *map(e.item, CODES))}
    parts = Parts(data=DATA | private, hashed={PRIVATE: MAC_OF_CODES})

    def stored(value: bytes) -> bytes:
        if undefined:
            whole = element(PRIVATE, "UN", value + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
        else:
            whole = element(PRIVATE, "UN", value)
        return e.part10(joined(parts.elements() | {PRIVATE: whole}))

    assert checked(stored(b"".join(e.item(implicitly(c)) for c in CODES))).verdict == "passed"
    report = checked(stored(items()))
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed"
    assert code in {f.code for f in signature.axes["structure"].findings if f.severity == "error"}
    assert report.verdict == "failed"


@pytest.mark.parametrize(
    "odd",
    [element(0x00091001, "OB", b"abc"), element(0x00091001, "LO", b"abc"), element(0x00091001, "UT", b"a")],
)
def test_an_odd_length_is_told(odd: bytes):
    """PS3.5 7.1.1: some readers take it for one more, or for another, and find elements inside of values."""
    file = e.part10(joined(Parts().elements() | {0x00091001: odd}))
    [signature] = checked(file).signatures
    said = [(f.code, f.severity, f.location) for f in signature.axes["structure"].findings]
    assert said == [("odd-length", "warning", "(0009,1001)")]
    assert signature.verdict == "passed"
    assert checked(file, strict=True).verdict == "failed"
    again = dsig.sign(e.part10(joined(DATA | {0x00091001: odd})), key=key()).output
    assert checked(again, strict=True).verdict == "passed", "signed values get their pad byte"


def test_signed_numbers_that_others_read_with_another_sign_are_told():
    """In implicit VR, Pixel Representation says whether 65535 is -1; nobody signed it here."""
    data = {number: DATA[number] for number in (0x00080018, 0x00100010)}
    for stored, severity in ((b"\xff\xff", "warning"), (b"\xff\x7f", "info")):
        parts = Parts(data=data | {0x00280106: element(0x00280106, "US", stored)})
        data_set = implicit_data_set(parts)
        assert checked(e.part10(data_set, e.IMPLICIT)).signatures[0].axes["integrity"].findings == ()
        at = data_set.index(e.tag(0x00280106))
        forged = e.part10(data_set[:at] + e.implicit(0x00280103, b"\1\0") + data_set[at:], e.IMPLICIT)
        assert pydicom.dcmread(BytesIO(forged)).SmallestImagePixelValue == int.from_bytes(stored, "little", signed=True)
        [signature] = checked(forged).signatures
        assert [(f.code, f.severity) for f in signature.axes["integrity"].findings] == [("vr-recovered", severity)]
        strict = checked(forged, strict=True).signatures[0].axes["integrity"]
        assert strict.status == ("failed" if severity == "warning" else "passed")


@pytest.mark.parametrize("stored_as_un", [False, True])
def test_signed_numbers_in_items_that_others_read_with_another_sign_are_told(stored_as_un: bool):
    """Some readers go by the Pixel Representation of the data set around an item."""
    uids = {number: DATA[number] for number in (0x00080018, 0x00100010)}
    number = element(0x00280106, "US", b"\xff\xff")
    data = uids | {CONTENT: e.sequence(CONTENT, e.item(number))}
    stream = e.tag(CONTENT) + b"SQ\0\0\xfe\xff\x00\xe0" + number + b"\xfe\xff\xdd\xe0"
    parts = Parts(data=data, hashed={CONTENT: stream})
    added = element(0x00280103, "US", b"\1\0")
    assert found_codes(e.part10(joined(parts.elements() | {0x00280103: added}))) == {"unsigned-not-listed"}
    items = e.item(implicitly(number))
    if stored_as_un:
        whole = element(CONTENT, "UN", items + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
        file = e.part10(joined(parts.elements() | {CONTENT: whole, 0x00280103: added}))
    else:
        stored = {CONTENT: e.implicit_sequence(CONTENT, items), 0x00280103: implicitly(added)}
        file = e.part10(implicit_data_set(parts, stored), e.IMPLICIT)
        assert pydicom.dcmread(BytesIO(file)).ContentSequence[0].SmallestImagePixelValue == -1
    assert found_codes(file) == {"unsigned-not-listed", "pixel-description-unsigned"}
