"""What no MAC covers and yet decides what signed content means: named always, refused by `--strict`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import BASE, CORPUS, checked, key
from support.signed import DATA, Parts

import dsig

GOOD = Parts()


def warned(given: object, code: str, *, axis: str = "coverage") -> dsig.Finding:
    """The file passes with a warning, and strictly fails for nothing else."""
    report = checked(given)
    [finding] = [f for f in found(report, axis) if f.code == code]
    assert (report.verdict, finding.severity) == ("passed", "warning")
    strict = checked(given, strict=True)
    assert strict.verdict == "failed"
    assert {f.code for f in found(strict, axis) if f.severity == "error"} - {"relocatable"} == {code}
    return finding


def found(report: dsig.FileReport, axis: str) -> tuple[dsig.Finding, ...]:
    if axis == "file":
        return report.findings
    [signature] = report.signatures
    return signature.axes[axis].findings


def leaving_out(number: int, whole: bytes | None = None, **more: object) -> bytes:
    """A data set signed but for one element."""
    data = DATA | ({number: whole} if whole is not None else {})
    return GOOD.but(data=data, listed=tuple(n for n in sorted(data) if n != number), **more).file()


def test_where_everything_is_signed_nothing_is_left_to_be_read_in_another_way():
    assert checked(GOOD.file(), strict=True).verdict == "passed"
    for name in ("ct.dcm", "mr_j2k.dcm", "sc_jpeg.dcm", "chrgreek.dcm", "rtplan.dcm", "us_mf_jpeg.dcm"):
        report = checked(dsig.sign((BASE / name).read_bytes(), key=key()).output, strict=True)
        assert report.signatures[0].axes["coverage"].status != "failed", name


# ------------------------------------------------------------------------------------------------- a signed CT slice


def changed(edit: object, *tags: str, everything: bool = False) -> bytes:
    """The CT slice with pixel data, name and these elements signed, or everything, then edited by pydicom."""
    numbers = {pydicom.datadict.tag_for_keyword(k) for k in ("PixelData", "PatientName", "SOPInstanceUID", *tags)}
    plain = (BASE / "ct.dcm").read_bytes()
    options = dsig.SignOptions(tags=None if everything else tuple(sorted(n for n in numbers if n)))
    signed = dsig.sign(plain, key=key(), options=options).output
    assert isinstance(signed, bytes)

    data = pydicom.dcmread(BytesIO(signed))
    edit(data)  # type: ignore[operator]
    out = BytesIO()
    data.save_as(out, enforce_file_format=False)
    return out.getvalue()


def test_a_signed_image_turned_by_its_unsigned_columns_is_named():
    def turn(data: Dataset) -> None:
        data.Rows, data.Columns = data.Columns // 2, data.Rows * 2

    report = checked(changed(turn, "SpecificCharacterSet"))
    assert "pixel-description-unsigned" in {f.code for f in found(report, "coverage")}
    assert checked(changed(turn, "SpecificCharacterSet"), strict=True).verdict == "failed"


def test_a_signed_name_in_another_alphabet_is_named():
    """The bytes are the same; the reader shows another name."""

    def respell(data: Dataset) -> None:
        data.SpecificCharacterSet = "ISO_IR 144"

    report = checked(changed(respell))
    assert "character-set-unsigned" in {f.code for f in found(report, "coverage")}


def test_a_signed_image_under_a_drawn_overlay_is_named():
    def draw(data: Dataset) -> None:
        data.add_new(0x60000010, "US", 128)
        data.add_new(0x60000011, "US", 128)
        data.add_new(0x60003000, "OW", bytes(2048))

    finding = warned(changed(draw, everything=True), "presentation-unsigned")
    assert "OverlayRows" in finding.message


# ----------------------------------------------------------------------------------------------------- one at a time


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        (0x00280010, None),
        (0x00280011, element(0x00280011, "US", b"\2\0")),
        (0x00280004, element(0x00280004, "CS", b"MONOCHROME1 ")),
        (0x00280006, element(0x00280006, "US", b"\1\0")),
        (0x00280008, element(0x00280008, "IS", b"2 ")),
        (0x00280100, element(0x00280100, "US", b"\x10\0")),
        (0x00280103, element(0x00280103, "US", b"\1\0")),
        (0x7FE00001, element(0x7FE00001, "OV", bytes(8))),
    ],
    ids=lambda x: f"{x:08X}" if isinstance(x, int) else "",
)
def test_signed_pixels_whose_description_is_not(number: int, whole: bytes | None):
    finding = warned(leaving_out(number, whole), "pixel-description-unsigned")
    assert pydicom.datadict.keyword_for_tag(number) in finding.message


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        (0x00281052, element(0x00281052, "DS", b"-1")),
        (0x00281053, element(0x00281053, "DS", b"2 ")),
        (0x00281050, element(0x00281050, "DS", b"40")),
        (0x00283000, sequence(0x00283000, item(element(0x00283003, "LO", b"ab")))),
        (0x00283010, sequence(0x00283010, item())),
        (0x00281201, element(0x00281201, "OW", bytes(4))),
        (0x00282000, element(0x00282000, "OB", bytes(4))),
        (0x60023000, element(0x60023000, "OW", bytes(4))),
        (0x50003000, element(0x50003000, "OW", bytes(4))),
        (0x00200037, element(0x00200037, "DS", b"1\\0\\0\\0\\1\\0 ")),
        (0x00280030, element(0x00280030, "DS", b"1\\1 ")),
        (0x52009229, sequence(0x52009229, item())),
    ],
    ids=lambda x: f"{x:08X}" if isinstance(x, int) else "",
)
def test_signed_pixels_whose_presentation_is_not(number: int, whole: bytes):
    warned(leaving_out(number, whole), "presentation-unsigned")


def test_without_signed_pixels_nobody_asks_how_they_are_shown():
    report = checked(GOOD.but(listed=(0x00080018, 0x00100010)).file())
    assert {f.code for f in found(report, "coverage")} == {"unsigned-not-listed"}


def test_signed_text_whose_character_set_is_not():
    warned(leaving_out(0x00080005, element(0x00080005, "CS", b"ISO_IR 100")), "character-set-unsigned")


def test_text_inside_a_signed_sequence_counts():
    charset = {0x00080005: element(0x00080005, "CS", b"ISO_IR 144")}
    name, uid, length = (
        element(0x00400007, "LO", b"ab"),
        element(0x00081150, "UI", b"1\0"),
        element(0x00400000, "UL", bytes(4)),
    )
    for content, hashed, named in ((name, name, True), (uid, uid, False), (length, b"", False)):
        whole = bytes.fromhex("40007502 5351 0000 feff00e0") + hashed + b"\xfe\xff\xdd\xe0"
        data = {0x00080018: DATA[0x00080018], 0x00400275: sequence(0x00400275, item(content))} | charset
        parts = GOOD.but(data=data, listed=(0x00080018, 0x00400275), hashed={0x00400275: whole})
        report = checked(parts.file())
        assert report.signatures[0].axes["integrity"].status == "passed"
        assert ("character-set-unsigned" in {f.code for f in found(report, "coverage")}) is named


def test_numbers_need_no_character_set():
    data = {0x00080005: element(0x00080005, "CS", b"ISO_IR 144"), 0x00080018: DATA[0x00080018]}
    report = checked(GOOD.but(data=data, listed=(0x00080018,)).file())
    assert {f.code for f in found(report, "coverage")} == {"unsigned-not-listed"}


def test_private_elements_whose_creator_is_not_signed():
    """Another creator, or another block of the same one, and (0009,1001) is something else."""
    creator, value = element(0x00090010, "LO", b"ACME"), element(0x00091001, "LO", b"high")
    data = DATA | {0x00090010: creator, 0x00091001: value}
    parts = GOOD.but(data=data, listed=tuple(n for n in sorted(data) if n != 0x00090010))
    finding = warned(parts.file(), "private-creator-unsigned")
    assert "(0009,0010)" in finding.message
    whole = GOOD.but(data=data)
    assert checked(whole.file(), strict=True).verdict == "passed"


def test_a_signed_private_block_cannot_be_moved():
    """Both creator and data are in the MAC with their tags."""
    data = DATA | {0x00090010: element(0x00090010, "LO", b"ACME"), 0x00091001: element(0x00091001, "LO", b"high")}
    parts = GOOD.but(data=data)
    moved = parts.file().replace(e.tag(0x00090010), e.tag(0x00090011)).replace(e.tag(0x00091001), e.tag(0x00091101))
    [signature] = checked(moved).signatures
    assert [f.code for f in signature.axes["integrity"].findings] == ["mac-mismatch"]


@pytest.mark.parametrize("name", [b"ACME", b"ACME  ", b"ACME\0\0"])
@pytest.mark.parametrize("block", [0x10, 0x12])
def test_a_second_block_of_a_signed_private_creator(block: int, name: bytes):
    """Readers find private elements by their creator: the first block of it may be one that nobody signed."""
    creator, value = element(0x00090011, "LO", b"ACME"), element(0x00091101, "LO", b"high")
    parts = GOOD.but(data=DATA | {0x00090011: creator, 0x00091101: value})
    number, forged = 0x00090000 | block, 0x00090001 | block << 8
    more = {number: element(number, "LO", name), forged: element(forged, "LO", b"low ")}
    file = part10(s.joined(parts.elements() | more))
    if block == 0x10 and name == b"ACME":
        assert pydicom.dcmread(BytesIO(file)).private_block(0x0009, "ACME")[1].value == "low"
    assert f"(0009,00{block:02X})" in warned(file, "private-creator-doubled").message
    both = GOOD.but(data=parts.data | more)
    assert checked(both.file(), strict=True).verdict == "passed", "a creator may have several blocks"
    other = {number: element(number, "LO", b"OTHER "), forged: more[forged]}
    assert checked(part10(s.joined(parts.elements() | other)), strict=True).verdict == "passed"


def test_a_signature_without_the_instance_uid_fits_other_instances():
    warned(leaving_out(0x00080018), "instance-uid-unsigned")


# -------------------------------------------------------------------------------------------- items, and what is around


INNER = Parts(data={0x00400007: element(0x00400007, "LO", b"ab")})


def test_a_signed_item_that_nothing_holds_in_its_place():
    file = part10(s.joined(DATA | {0x00400275: sequence(0x00400275, item(INNER.data_set()))}))
    assert warned(file, "item-relocatable", axis="structure").location == "RequestAttributesSequence[0]"
    assert [(f.code, f.severity) for f in checked(file).findings] == [("data-set-unsigned", "info")]


def test_a_signed_item_inside_a_signed_sequence_is_held_by_it():
    held = GOOD.but(
        data=DATA | {0x00400275: sequence(0x00400275, item(INNER.data_set()))},
        hashed={0x00400275: bytes.fromhex("40007502 5351 0000 feff00e0") + s.joined(INNER.data) + b"\xfe\xff\xdd\xe0"},
    )
    report = checked(held.file())
    assert [x.location for x in report.signatures] == ["RequestAttributesSequence[0]", "/"]
    assert "item-relocatable" not in {f.code for x in report.signatures for f in x.axes["structure"].findings}
    assert report.findings == ()
    beside = GOOD.but(data=held.data, listed=tuple(DATA), hashed=held.hashed)
    item_of = checked(beside.file()).signatures[0]
    assert [f.code for f in item_of.axes["structure"].findings if f.severity == "warning"] == ["item-relocatable"]


def test_an_item_held_by_an_item_that_nothing_holds_is_loose_too():
    inner = sequence(0x00400008, item(INNER.data_set()))
    hashed = bytes.fromhex("40000800 5351 0000 feff00e0") + s.joined(INNER.data) + b"\xfe\xff\xdd\xe0"
    middle = Parts(data={0x00400008: inner}, hashed={0x00400008: hashed}, uid="1.2.3.8")
    report = checked(part10(s.joined(DATA | {0x00400275: sequence(0x00400275, item(middle.data_set()))})))
    loose = [
        f.location for x in report.signatures for f in x.axes["structure"].findings if f.code == "item-relocatable"
    ]
    assert sorted(loose, key=len) == [
        "RequestAttributesSequence[0]",
        "RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0]",
    ]


# ------------------------------------------------------------------------------------------------------------ the file


def test_mac_parameters_without_signatures_tell_of_removed_ones():
    report = checked(part10(s.joined({n: w for n, w in GOOD.elements().items() if n != s.DIGITAL_SIGNATURES})))
    assert (report.verdict, [f.code for f in report.findings]) == ("unsigned", ["mac-parameters-left"])


JFIF = b"\xff\xd8\xff\xe0\0\x06JFIF"
"""Start of a JPEG, up to the end of its first segment."""


@pytest.mark.parametrize(
    ("syntax", "pixels", "severity"),
    [
        (e.RLE, element(0x7FE00010, "OW", bytes(4)), "error"),
        (e.JPEG, element(0x7FE00010, "OB", bytes(4)), "error"),
        (e.LITTLE, e.encapsulated(b"", b"\xff\xd8"), "error"),
        (e.JPEG, e.encapsulated(b"", b"\2\0\0\0"), "warning"),
        (e.RLE, e.encapsulated(b"", b"\xff\xd8\xff\xe0"), "warning"),
        ("1.2.840.10008.1.2.4.90", e.encapsulated(b"", b"\xff\xd8\xff\xe0"), "warning"),
        (e.JPEG, e.encapsulated(b"", b"\xff\xd8\xff\xe0"), None),
        (e.RLE, e.encapsulated(b"", b"\1\0\0\0\x40\0\0\0"), None),
        ("1.2.840.10008.1.2.4.90", e.encapsulated(b"", b"\xff\x4f\xff\x51"), None),
        ("1.2.840.10008.1.2.1.98", e.encapsulated(b"", b"ab"), None),
        # the JPEG family begins alike; the start of frame marker tells its processes apart
        ("1.2.840.10008.1.2.4.80", e.encapsulated(b"", JFIF + b"\xff\xc0\0\x0b"), "warning"),
        (e.JPEG, e.encapsulated(b"", JFIF + b"\xff\xff\xf7\0\x0b"), "warning"),
        ("1.2.840.10008.1.2.4.70", e.encapsulated(b"", JFIF + b"\xff\xc0\0\x0b"), "warning"),
        (e.JPEG, e.encapsulated(b"", JFIF + b"\xff\xc0\0\x0b"), None),
        ("1.2.840.10008.1.2.4.51", e.encapsulated(b"", JFIF + b"\xff\xc0\0\x0b"), None),
        ("1.2.840.10008.1.2.4.80", e.encapsulated(b"", b"\xff\xd8" + b"\xff\xff\xf7\0\x0b\0"), None),
        (e.JPEG, e.encapsulated(b"", b"\xff\xd8\xff\xe0\xff\xf0"), None),
        ("1.2.840.10008.1.2.1.98", e.encapsulated(b"", JFIF), "warning"),
        ("1.2.840.10008.1.2.4.102", e.encapsulated(b"", JFIF), "warning"),
        ("1.2.840.10008.1.2.8.1", e.encapsulated(b"", b"\xff\x4f\xff\x51"), "warning"),
        ("1.3.6.1.4.1.5962.300.1", element(0x7FE00010, "OB", bytes(4)), None),
        # readers look for fragments, or elsewhere (PS3.5 A.4.11, A.6)
        ("1.2.840.10008.1.2.1.98", element(0x7FE00010, "OB", bytes(4)), "error"),
        ("1.2.840.10008.1.2.7.1", element(0x7FE00010, "OB", bytes(4)), "error"),
        ("1.2.840.10008.1.2.4.94", element(0x7FE00010, "OB", bytes(4)), "error"),
        ("1.2.840.10008.1.2.4.204", element(0x7FE00010, "OB", bytes(4)), "error"),
    ],
)
def test_pixel_data_that_are_not_of_the_transfer_syntax(syntax: str, pixels: bytes, severity: str | None):
    """(0002,0010) is in no MAC, and a MAC transfer syntax can be changed along with it."""
    hashed = {0x7FE00010: pixels} if pixels[8:12] != b"\xff" * 4 else {}
    parts = GOOD.but(data=DATA | {0x7FE00010: pixels}, syntax=syntax, hashed=hashed, listed=(0x00080018,))
    report = checked(parts.file())
    assert [f.severity for f in report.findings if f.code == "pixel-syntax-contradiction"] == (
        [severity] if severity else []
    )
    otherwise = "indeterminate" if syntax.startswith("1.3.6.1") else "passed"
    assert report.verdict == ("failed" if severity == "error" else otherwise)
    if severity == "warning":
        assert checked(parts.file(), strict=True).verdict == "failed"


@pytest.mark.parametrize(
    ("syntax", "named"),
    [
        (None, True),
        ("1.2.3.4.5", True),
        ("1.2.840.10008.1.2.1.1000", True),
        ("1.2.840.10008.1.20", True),
        (e.DEFLATED + ".1", True),
        ("1.2.840.10008.1.2.4.299", False),
        ("1.2.840.10008.1.2.4.100.1", False),
        (e.LITTLE, False),
    ],
)
def test_a_transfer_syntax_that_nobody_knows(syntax: str | None, named: bool):
    """Compressed ones to come are known by their family (PS3.5 A.4); readers leave alone what they cannot decode."""
    file = bytes(128) + b"DICM" + e.meta(syntax) + GOOD.but(listed=(0x00080018,)).data_set()
    report = checked(file)
    codes = [(f.code, f.severity) for f in report.findings if f.code == "transfer-syntax-unknown"]
    assert codes == ([("transfer-syntax-unknown", "error")] if named else [])
    [signature] = report.signatures
    assert signature.axes["structure"].status == ("indeterminate" if named else "passed")
    assert (report.verdict == "indeterminate") is named
    if named:
        assert checked(file, strict=True).signatures[0].axes["structure"].status == "failed"


def test_a_file_without_transfer_syntax_gets_one_when_it_is_signed():
    file = bytes(128) + b"DICM" + e.meta(None) + b"".join(DATA.values())
    signed = dsig.sign(file, key=key()).output
    report = checked(signed)
    assert (report.verdict, report.transfer_syntax, report.findings) == ("passed", e.LITTLE, ())


def test_a_file_in_a_transfer_syntax_that_nobody_knows_is_not_signed():
    file = bytes(128) + b"DICM" + e.meta("1.2.3.4.5") + b"".join(DATA.values())
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(file, key=key())
    assert caught.value.code == "transfer-syntax-unknown"


def test_a_bare_data_set_contradicts_no_transfer_syntax():
    """Nothing names its transfer syntax: that of the MAC stands alone, and stays what the signer wrote."""
    pixels = e.encapsulated(b"", JFIF)
    hashed = {0x7FE00010: bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0") + JFIF + bytes.fromhex("feffdde0")}
    bare = GOOD.but(data=DATA | {0x7FE00010: pixels}, hashed=hashed, syntax=e.JPEG).data_set()
    assert checked(bare).verdict == "passed"
    named = checked(bytes(128) + b"DICM" + e.meta("1.2.840.10008.1.2.4.80") + bare)
    assert [f.code for f in named.signatures[0].axes["integrity"].findings if f.severity == "error"] == [
        "mac-transfer-syntax-changed",
        "pixel-encoding-changed",
    ]


def test_no_honest_file_of_the_corpus_contradicts_its_transfer_syntax():
    for path in sorted(Path(CORPUS / "files").glob("v-base-*.dcm")):
        assert "pixel-syntax-contradiction" not in {f.code for f in dsig.verify(path).findings}, path.name


@pytest.mark.parametrize(
    ("rest", "loose", "strict"),
    [
        (b"\0", "passed", "passed"),
        (bytes(512), "passed", "failed"),
        (b"forged", "failed", "failed"),
        (b"x", "failed", "failed"),
    ],
)
def test_bytes_behind_a_deflated_data_set(rest: bytes, loose: str, strict: str):
    data = bytes(128) + b"DICM" + e.meta(e.DEFLATED) + e.deflate(GOOD.data_set(), pad=False) + rest
    assert (checked(data).verdict, checked(data, strict=True).verdict) == (loose, strict)
    codes = ["trailing-bytes"] if rest != b"\0" else []
    assert [f.code for f in checked(data).findings] == codes
