"""Files: preamble, File Meta Information and data set found in whatever a caller has, or the reason why not."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import replace

import pytest
from support import encode as e
from support.encode import element, implicit, meta, part10

from dsig.dicom.file import DicomFile, open_dicom
from dsig.dicom.source import BytesSource
from dsig.errors import DsigError, InputError, LimitError, MalformedError, UsageError
from dsig.limits import DEFAULT, Limits

EXPLICIT = element(0x00080018, "UI", b"1.2.3\0") + element(0x00100010, "PN", b"A^B ")
IMPLICIT = implicit(0x00080018, b"1.2.3\0") + implicit(0x00100010, b"A^B ")
BIG = element(0x00080018, "UI", b"1.2.3\0", order=">") + element(0x00100010, "PN", b"A^B ", order=">")
PREAMBLE = bytes(128) + b"DICM"


class Opened:
    """What one input turned out to be, read while it was open."""

    def __init__(self, data: bytes, kind: str = "auto", limits: Limits = DEFAULT) -> None:
        with open_dicom(BytesSource(data, "x.dcm"), kind=kind, limits=limits) as file:
            self.file: DicomFile = file
            self.syntax = file.syntax.uid
            self.header = b"".join(file.header())
            level = file.main(limits)
            self.tags = [element.tag for element in level.elements]
            self.name = level.text(0x00100010)


def refused(data: bytes, kind: str = "auto", limits: Limits = DEFAULT) -> DsigError:
    with pytest.raises(DsigError) as caught:
        Opened(data, kind, limits)
    assert isinstance(caught.value, InputError | UsageError)
    return caught.value


# --------------------------------------------------------------------------------------------------- what is a file


@pytest.mark.parametrize(
    ("syntax", "data"), [(e.LITTLE, EXPLICIT), (e.IMPLICIT, IMPLICIT), (e.BIG, BIG), (e.DEFLATED, EXPLICIT)]
)
def test_preamble_meta_information_and_data_set_are_told_apart(syntax: str, data: bytes):
    opened = Opened(part10(data, syntax))
    assert (opened.syntax, opened.tags, opened.name) == (syntax, [0x00080018, 0x00100010], "A^B")
    assert opened.header == PREAMBLE + meta(syntax)


def test_any_preamble_will_do():
    assert Opened(b"II*\0" + bytes(range(124)) + b"DICM" + meta(e.LITTLE) + EXPLICIT).name == "A^B"


def test_meta_information_without_preamble_is_found():
    opened = Opened(meta(e.IMPLICIT) + IMPLICIT)
    assert (opened.syntax, opened.header, opened.name) == (e.IMPLICIT, meta(e.IMPLICIT), "A^B")


@pytest.mark.parametrize(("data", "syntax"), [(EXPLICIT, e.LITTLE), (IMPLICIT, e.IMPLICIT), (BIG, e.BIG)])
def test_a_bare_data_set_is_recognised_by_its_first_element(data: bytes, syntax: str):
    opened = Opened(data)
    assert (opened.syntax, opened.header, opened.name) == (syntax, b"", "A^B")


@pytest.mark.parametrize(
    ("kind", "data", "syntax"),
    [
        ("dataset", EXPLICIT, e.LITTLE),
        ("dataset", IMPLICIT, e.IMPLICIT),
        ("dataset-le", EXPLICIT, e.LITTLE),
        ("dataset-be", BIG, e.BIG),
        ("dataset-implicit", IMPLICIT, e.IMPLICIT),
    ],
)
def test_a_bare_data_set_can_be_named_as_such(kind: str, data: bytes, syntax: str):
    assert Opened(data, kind).syntax == syntax


def test_a_file_with_preamble_but_without_meta_information_is_a_data_set_to_guess():
    assert Opened(PREAMBLE + EXPLICIT).syntax == e.LITTLE
    assert Opened(PREAMBLE + IMPLICIT).syntax == e.IMPLICIT


@pytest.mark.parametrize(("data", "syntax"), [(EXPLICIT, e.LITTLE), (IMPLICIT, e.IMPLICIT)])
def test_without_a_transfer_syntax_in_the_meta_information_the_data_set_tells(data: bytes, syntax: str):
    opened = Opened(PREAMBLE + meta(None) + data)
    assert (opened.syntax, opened.name) == (syntax, "A^B")


def test_an_unknown_transfer_syntax_is_taken_as_explicit_little_endian_with_encapsulated_pixel_data():
    opened = Opened(part10(EXPLICIT, "1.2.840.10008.1.2.4.999"))
    assert (opened.file.syntax.encapsulated, opened.name) == (True, "A^B")


# ------------------------------------------------------------------------------------------------- meta information


@pytest.mark.parametrize("off_by", [-30, -2, 2, 8, 26])
def test_meta_information_ends_where_group_0002_ends_whatever_its_length_says(off_by: int):
    data = PREAMBLE + meta(e.LITTLE, off_by=off_by) + EXPLICIT
    opened = Opened(data)
    assert opened.name == "A^B"
    assert [(p.code, str(off_by) in p.message) for p in opened.file.meta_problems] == [("meta-group-length", True)]


def test_meta_information_without_group_length_is_read():
    opened = Opened(PREAMBLE + meta(e.LITTLE)[12:] + EXPLICIT)
    assert (opened.name, opened.file.meta_problems) == ("A^B", ())


def test_meta_information_in_implicit_vr_is_read():
    data = PREAMBLE + implicit(0x00020010, e.text(e.LITTLE, b"\0")) + EXPLICIT
    opened = Opened(data)
    assert opened.syntax == e.LITTLE
    assert [(p.code, p.tag) for p in opened.file.meta_problems] == [("meta-encoding", 0x00020010)]


@pytest.mark.parametrize("length", [0, 2, 6])
def test_a_group_length_of_the_meta_information_that_is_no_32_bit_number_is_told(length: int):
    data = PREAMBLE + element(0x00020000, "OB", bytes(length)) + meta(e.LITTLE)[12:] + EXPLICIT
    assert [p.code for p in Opened(data).file.meta_problems] == ["meta-group-length"]


def test_reserved_bytes_in_the_meta_information_are_told():
    version = e.tag(0x00020001) + b"OB" + bytes.fromhex("0100 02000000 0001")
    data = PREAMBLE + version + element(0x00020010, "UI", e.text(e.LITTLE, b"\0")) + EXPLICIT
    assert [(p.code, p.tag) for p in Opened(data).file.meta_problems] == [("meta-encoding", 0x00020001)]


def test_an_element_of_the_meta_information_may_not_occur_twice():
    twice = meta(e.LITTLE, element(0x00020010, "UI", e.text(e.IMPLICIT, b"\0")))
    error = refused(PREAMBLE + twice + EXPLICIT)
    assert error.where.path == "(0002,0010)"
    assert error.where.offset is not None


@pytest.mark.parametrize(
    "bad",
    [element(0x00020102, "OB", b"", length=1 << 20), element(0x00020102, "OB", b"", length=0xFFFFFFFF)],
    ids=["beyond the file", "undefined"],
)
def test_a_meta_value_beyond_the_file_is_refused(bad: bytes):
    assert refused(PREAMBLE + meta(e.LITTLE, bad)).where.path == "(0002,0102)"


def test_a_meta_value_of_absurd_size_is_refused():
    refused(PREAMBLE + meta(e.LITTLE, element(0x00020102, "OB", bytes(1 << 17))) + EXPLICIT)


def test_meta_information_of_absurdly_many_elements_is_refused():
    many = b"".join(element(0x00021000 + number, "OB") for number in range(1000))
    refused(PREAMBLE + meta(e.LITTLE, many) + EXPLICIT)


@pytest.mark.parametrize(
    ("syntax", "data", "looks"),
    [
        (e.LITTLE, IMPLICIT, "implicit VR"),
        (e.LITTLE, BIG, "big endian"),
        (e.BIG, EXPLICIT, "little endian"),
        (e.IMPLICIT, EXPLICIT, "explicit VR"),
    ],
)
def test_a_data_set_that_contradicts_its_transfer_syntax_is_refused(syntax: str, data: bytes, looks: str):
    error = refused(part10(data, syntax))
    assert isinstance(error, MalformedError)
    assert error.where.offset == 132 + len(meta(syntax)), "where the data set begins"
    assert f" {syntax} " in error.message
    assert error.message.endswith(f"looks like {looks}")


# ------------------------------------------------------------------------------------------------------ no DICOM file


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"Hello, world. This is a text file, and a rather long one at that.\n" * 10,
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"PK\3\4" + os.urandom(100),
        b"%PDF-1.7\n" + bytes(200),
        b"\xff" * 300,
        bytes(128) + b"DICM",
        bytes(128) + b"DICM" + meta(e.LITTLE),
        bytes(128) + b"DIC",
    ],
    ids=["empty", "one byte", "text", "PNG", "ZIP", "PDF", "ones", "only preamble", "only meta", "cut preamble"],
)
def test_what_is_no_dicom_file_is_an_input_error(data: bytes):
    refused(data)


def test_the_hint_for_a_text_file_tells_how_to_name_a_bare_data_set():
    error = refused(b"Hello, world. This is a text file.")
    assert error.code == "not-dicom"
    assert "--input" in (error.hint or "")


@pytest.mark.parametrize("data", [EXPLICIT, IMPLICIT], ids=["explicit", "implicit"])
def test_where_a_file_is_asked_for_a_bare_data_set_is_refused(data: bytes):
    assert refused(data, "file").code == "not-dicom"


def test_an_unknown_kind_of_input_is_a_usage_error():
    assert "dataset-be" in (refused(part10(EXPLICIT), "tape").hint or "")


@pytest.mark.parametrize("syntax", [e.LITTLE, e.IMPLICIT, e.BIG, e.DEFLATED])
def test_a_file_cut_off_anywhere_is_read_or_refused_and_nothing_else(syntax: str):
    data = part10({e.IMPLICIT: IMPLICIT, e.BIG: BIG}.get(syntax, EXPLICIT), syntax)
    for cut in range(len(data)):
        try:
            Opened(data[:cut])
        except InputError as error:
            assert error.where.file == "x.dcm"


# ------------------------------------------------------------------------------------------------------------ deflate


@pytest.mark.parametrize(("rest", "counted"), [(b"", 0), (b"\0", 0), (b"\0\0", 2), (b"forged", 6)])
def test_bytes_after_a_deflated_data_set_are_counted_beyond_one_pad_byte(rest: bytes, counted: int):
    data = PREAMBLE + meta(e.DEFLATED) + e.deflate(EXPLICIT, pad=False) + rest
    assert Opened(data).file.trailing == counted


def test_a_deflated_data_set_that_is_cut_off_is_refused():
    data = PREAMBLE + meta(e.DEFLATED) + e.deflate(EXPLICIT * 50)[:-12]
    assert "cut off" in refused(data).message


def test_a_damaged_deflated_data_set_is_refused():
    data = PREAMBLE + meta(e.DEFLATED) + b"\xff" * 40
    assert "damaged" in refused(data).message


def test_a_deflated_data_set_beyond_the_size_limit_is_refused_by_name():
    data = part10(element(0x00420011, "OB", bytes(1 << 20)), e.DEFLATED)
    with pytest.raises(LimitError, match="inflated_size = 1000"):
        Opened(data, limits=replace(DEFAULT, inflated_size=1000))


def test_a_deflated_data_set_that_grows_beyond_all_reason_is_refused_by_name():
    data = part10(element(0x00420011, "OB", bytes(80 << 20)), e.DEFLATED)
    assert len(data) < 1 << 18
    with pytest.raises(LimitError, match="inflated_ratio = 200"):
        Opened(data)


def test_a_deflated_data_set_within_the_limits_may_be_large():
    noise = os.urandom(3 << 20)
    opened = Opened(part10(element(0x00420011, "OB", noise), e.DEFLATED))
    assert opened.tags == [0x00420011]


def test_a_deflated_data_set_may_be_cut_into_blocks_of_any_kind():
    stored = struct.pack("<BHH", 1, len(EXPLICIT), len(EXPLICIT) ^ 0xFFFF) + EXPLICIT
    assert Opened(PREAMBLE + meta(e.DEFLATED) + stored).name == "A^B"


def test_an_empty_deflated_data_set_has_no_elements():
    assert Opened(part10(b"", e.DEFLATED)).tags == []


def test_bytes_io_of_a_deflated_file_can_be_read_twice():
    file = io.BytesIO(part10(EXPLICIT, e.DEFLATED))
    assert Opened(file.getvalue()).name == Opened(file.getvalue()).name == "A^B"
