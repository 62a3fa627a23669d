"""The bytes a signature covers: every row and every worked example of reference sections 1 and 2, verbatim."""

from __future__ import annotations

import pytest
from support import encode as e
from support.encode import element, encapsulated, implicit, implicit_sequence, item, sequence
from support.sources import Stingy
from support.streams import hashed, level_of, stream

from dsig.dicom import dataset
from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Encoding
from dsig.errors import LimitError, MalformedError
from dsig.limits import Limits
from dsig.signature.mac import mac_pieces
from dsig.signature.padding import Edits, repads
from dsig.signature.reading import CANONICAL, OLD_FORMAT, STORED, TRAILING_NUL, Reading, normalised


@pytest.fixture(autouse=True, params=[1 << 20, 0], ids=["remembered", "walked-again"])
def _marks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sequences are hashed from what was kept of them while walking, or walked once more."""
    monkeypatch.setattr(dataset, "MARKS", request.param)


# ------------------------------------------------------------------------------------------- 1.2 encoding of elements

NESTED = bytes.fromhex(
    "08000500 4353 0a00 49534f5f495220313030"
    "40007502 5351 0000"
    "  feff00e0"
    "    32006010 4c4f 0200 6162"
    "    40000800 5351 0000"
    "      feff00e0 08000001 5348 0200 7820"
    "      feff00e0"
    "    feffdde0"
    "    40000001 5351 0000 feffdde0"
    "feffdde0"
)
"""The worked example of section 1.2, line by line."""


def nested(*, undefined: bool, order: e.Order) -> bytes:
    """The data set of the worked example."""
    codes = sequence(
        0x00400008,
        item(element(0x00080100, "SH", b"x ", order=order), undefined=undefined, order=order),
        item(undefined=undefined, order=order),
        undefined=undefined,
        order=order,
    )
    content = element(0x00321060, "LO", b"ab", order=order) + codes
    content += sequence(0x00400100, undefined=undefined, order=order)
    request = sequence(0x00400275, item(content, undefined=undefined, order=order), undefined=undefined, order=order)
    return element(0x00080005, "CS", b"ISO_IR 100", order=order) + request


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">")], ids=["little", "big"])
def test_lengths_of_sequences_and_items_and_item_delimiters_are_not_hashed(
    encoding: Encoding, order: e.Order, undefined: bool
):
    assert stream(nested(undefined=undefined, order=order), encoding) == NESTED


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
def test_an_implicit_source_gives_the_same_bytes(undefined: bool):
    codes = implicit_sequence(
        0x00400008,
        item(implicit(0x00080100, b"x "), undefined=undefined),
        item(undefined=undefined),
        undefined=undefined,
    )
    content = implicit(0x00321060, b"ab") + codes + implicit_sequence(0x00400100, undefined=undefined)
    request = implicit_sequence(0x00400275, item(content, undefined=undefined), undefined=undefined)
    assert stream(implicit(0x00080005, b"ISO_IR 100") + request, IMPLICIT_LE) == NESTED


def test_an_empty_sequence_is_its_header_and_the_delimiter():
    assert stream(sequence(0x00400275)) == bytes.fromhex("40007502 5351 0000 feffdde0")


def test_long_values_in_items_stay_where_they_are():
    value = bytes(range(256)) * 300
    data = sequence(0x00400275, item(element(0x00321060, "UT", value)), item(element(0x00321060, "UT", value[:9000])))
    assert stream(data) == (
        bytes.fromhex("40007502 5351 0000 feff00e0 32006010 5554 0000 002c0100") + value
        + bytes.fromhex("feff00e0 32006010 5554 0000 28230000") + value[:9000] + bytes.fromhex("feffdde0")
    )  # fmt: skip


def test_reserved_bytes_of_a_sequence_are_hashed_as_zero():
    data = bytearray(sequence(0x00400275, item(element(0x00321060, "LO", b"ab"))))
    good = stream(bytes(data))
    data[6:8] = b"\1\2"
    assert stream(bytes(data)) == good
    assert good[:8] == bytes.fromhex("40007502 5351 0000")


def test_an_empty_item_is_its_tag():
    assert stream(sequence(0x00400275, item(), item())) == bytes.fromhex(
        "40007502 5351 0000 feff00e0 feff00e0 feffdde0"
    )


@pytest.mark.parametrize("vr", e.SHORT_VRS)
def test_an_element_with_a_short_header_is_hashed_with_its_16_bit_length(vr: str):
    expected = bytes.fromhex("09000110") + vr.encode() + bytes.fromhex("0800 3132333435363738")
    assert stream(element(0x00091001, vr, b"12345678")) == expected


@pytest.mark.parametrize("vr", [vr for vr in e.LONG_VRS if vr not in ("SQ", "UN")])
def test_an_element_with_a_long_header_is_hashed_with_its_32_bit_length(vr: str):
    expected = bytes.fromhex("09000110") + vr.encode() + bytes.fromhex("0000 08000000 3132333435363738")
    assert stream(element(0x00091001, vr, b"12345678")) == expected


def test_elements_are_hashed_in_ascending_order_whatever_the_order_of_the_file():
    low, high = element(0x00080005, "CS", b"AB"), element(0x00100010, "PN", b"CD")
    assert stream(high + low) == low + high


def test_only_the_elements_asked_for_are_hashed():
    parts = [element(0x00080000 + number, "LO", b"ab") for number in range(0x10, 0x20)]
    level = level_of(b"".join(parts))
    assert hashed(level, level.elements[3:5] + level.elements[9:10]) == parts[3] + parts[4] + parts[9]


def test_of_elements_that_occur_twice_the_first_is_the_one():
    level = level_of(element(0x00100010, "PN", b"AA") + element(0x00100010, "PN", b"BB"))
    assert hashed(level, list(level.by_tag.values())) == element(0x00100010, "PN", b"AA")


# ---------------------------------------------------------------------------------------- 1.3 encapsulated pixel data

BOT_AND_TWO = encapsulated(bytes.fromhex("000000000c000000"), b"\1\2\3\4", b"\5\6")
EMPTY_BOT_AND_ODD = encapsulated(b"", b"\1\2\3")


def test_fragments_are_hashed_without_lengths_the_offset_table_included():
    assert stream(BOT_AND_TWO) == bytes.fromhex(
        "e07f1000 4f42 0000 feff00e0 00000000 0c000000 feff00e0 01020304 feff00e0 0506 feffdde0"
    )


def test_a_fragment_of_odd_length_is_padded_where_padding_is_normalised():
    expected = bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0 01020300 feffdde0")
    assert stream(EMPTY_BOT_AND_ODD, reading=CANONICAL) == expected
    assert stream(EMPTY_BOT_AND_ODD) == expected.replace(b"\1\2\3\0", b"\1\2\3")


def test_encapsulated_pixel_data_are_hashed_as_ob_also_where_the_file_says_ow():
    assert stream(encapsulated(b"", b"\1\2", vr="OW")) == stream(encapsulated(b"", b"\1\2", vr="OB"))


def test_the_old_format_hashes_lengths_of_fragments_too():
    assert stream(BOT_AND_TWO, reading=OLD_FORMAT) == bytes.fromhex(
        "e07f1000 4f42 0000 feff00e0 08000000 00000000 0c000000 feff00e0 04000000 01020304"
        "feff00e0 02000000 0506 feffdde0"
    )


def test_the_old_format_hashes_the_length_a_padded_fragment_has_in_the_file():
    """A signer pads it (PS3.5 A.4), and the length is that of the padded fragment."""
    level = level_of(EMPTY_BOT_AND_ODD)
    padded = Edits.of(list(repads(level, level.elements, Limits())))
    assert hashed(level, level.elements, reading=OLD_FORMAT, edits=padded) == bytes.fromhex(
        "e07f1000 4f42 0000 feff00e0 00000000 feff00e0 04000000 01020300 feffdde0"
    )


def test_the_old_format_concerns_nothing_but_fragments():
    data = nested(undefined=True, order="<")
    assert stream(data, reading=OLD_FORMAT) == NESTED


def test_a_native_icon_in_a_sequence_is_hashed_like_any_element():
    icon = element(0x7FE00010, "OB", b"\1\2\3\4")
    assert stream(sequence(0x00880200, item(icon))) == (
        bytes.fromhex("88000002 5351 0000 feff00e0") + icon + bytes.fromhex("feffdde0")
    )


def test_an_encapsulated_icon_in_a_sequence_is_hashed_like_encapsulated_pixel_data():
    assert stream(sequence(0x00880200, item(encapsulated(b"", b"\5\6")), undefined=True)) == bytes.fromhex(
        "88000002 5351 0000 feff00e0 e07f1000 4f42 0000 feff00e0 feff00e0 0506 feffdde0 feffdde0"
    )


# -------------------------------------------------------------------------------------------- 1.4 what can be signed

KEPT = element(0x00400007, "LO", b"ab")
UNSIGNABLE = {
    "group length": element(0x00400000, "UL", bytes(4)),
    "private group length": element(0x00410000, "UL", bytes(4)),
    "length to end": element(0x00080001, "UL", bytes(4)),
    "group 0002": element(0x00020010, "UI", b"1.2\0"),
    "group 0004": element(0x00041430, "CS", b"IMAGE "),
    "group 0006": element(0x00060010, "LO", b"ab"),
    "signatures": sequence(0xFFFAFFFA, item(KEPT)),
    "another tag of group FFFA": element(0xFFFA0010, "LO", b"ab"),
    "MAC parameters": sequence(0x4FFE0001, item(KEPT)),
    "trailing padding": element(0xFFFCFFFC, "OB", bytes(6)),
    "unknown VR": element(0x00410010, "UN", b"ab"),
    "a code that is no VR": e.tag(0x00410010) + b"ZZ" + bytes.fromhex("0000 02000000 6162"),
}


@pytest.mark.parametrize("name", UNSIGNABLE)
def test_what_cannot_be_signed_is_left_out_of_a_data_set(name: str):
    level = level_of(UNSIGNABLE[name] + KEPT)
    assert [e_.signable for e_ in level.elements] == [False, True]
    assert hashed(level) == KEPT


@pytest.mark.parametrize("name", [n for n in UNSIGNABLE if n not in ("unknown VR", "a code that is no VR")])
@pytest.mark.parametrize("undefined", [False, True])
def test_what_cannot_be_signed_is_left_out_of_the_items_of_a_signed_sequence(name: str, undefined: bool):
    data = sequence(0x00400275, item(UNSIGNABLE[name], KEPT, UNSIGNABLE[name], undefined=undefined))
    inner = sequence(0x00400300, item(data)) + element(0x00400307, "LO", b"cd")
    assert stream(inner) == (
        bytes.fromhex("40000003 5351 0000 feff00e0 40007502 5351 0000 feff00e0")
        + KEPT
        + bytes.fromhex("feffdde0 feffdde0")
        + element(0x00400307, "LO", b"cd")
    )


@pytest.mark.parametrize(
    "number", [0x4FFE0002, 0xFFFC0010, 0x00080002, 0xFFF90010, 0xFFFB0010], ids=lambda n: f"{n:08X}"
)
def test_neighbours_of_what_cannot_be_signed_can_be_signed(number: int):
    data = element(number, "LO", b"ab")
    assert stream(data) == data


TAINTED = {
    "UN": element(0x00410010, "UN", b"ab"),
    "a code that is no VR": e.tag(0x00410010) + b"??" + bytes.fromhex("0200 6162"),
    "UN deep inside": sequence(0x00400008, item(sequence(0x00400009, item(element(0x00410010, "UN"))))),
    "UN inside nested MAC parameters": sequence(0x4FFE0001, item(element(0x00410010, "UN", b"ab"))),
    "UN inside nested signatures": sequence(0xFFFAFFFA, item(element(0x00410010, "UN", b"ab"))),
    "UN of a low group": element(0x00060010, "UN", b"ab"),
    "UN of undefined length with an unknown element": element(
        0x00410010, "UN", item(implicit(0x00410101, b"ab")) + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED
    ),
}


@pytest.mark.parametrize("name", TAINTED)
def test_a_sequence_with_an_unknown_vr_anywhere_inside_cannot_be_signed(name: str):
    level = level_of(sequence(0x00400275, item(KEPT), item(TAINTED[name])) + KEPT)
    assert [(e_.tainted, e_.signable) for e_ in level.elements] == [(True, False), (False, True)]


# ---------------------------------------------------------------------------------------------------- 1.5 effective VR


def test_a_wrong_but_valid_vr_in_the_file_is_hashed_as_found():
    data = element(0x00100010, "LT", b"A^B ") + element(0x7FE00010, "UT", b"abcd")
    assert stream(data) == data


@pytest.mark.parametrize(
    ("code", "vr", "long"), [("xs", "US", 0), ("up", "UL", 0), ("lt", "OW", 1), ("ox", "OB", 1), ("px", "OB", 1)]
)
def test_codes_that_are_no_vrs_are_hashed_as_what_they_stand_for(code: str, vr: str, long: int):
    length = bytes.fromhex("0000 04000000" if long else "0400")
    assert stream(e.tag(0x00091001) + code.encode() + length + b"1234") == element(0x00091001, vr, b"1234")


def test_codes_that_stand_for_numbers_are_swapped_as_those():
    data = e.tag(0x00091001, ">") + b"xs" + bytes.fromhex("0004 0102 0304")
    assert stream(data, EXPLICIT_BE) == bytes.fromhex("09000110 5553 0400 0201 0403")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (implicit(0x7FE00010, b"\1\2"), element(0x7FE00010, "OW", b"\1\2")),
        (implicit(0x60003000, b"\1\2"), element(0x60003000, "OW", b"\1\2")),
        (implicit(0x50003000, b"\1\2"), element(0x50003000, "OB", b"\1\2")),
        (implicit(0x54001004, b"\x08\0") + implicit(0x54001010, b"\1\2"),
         element(0x54001004, "US", b"\x08\0") + element(0x54001010, "OB", b"\1\2")),
        (implicit(0x54001004, b"\x10\0") + implicit(0x54001010, b"\1\2"),
         element(0x54001004, "US", b"\x10\0") + element(0x54001010, "OW", b"\1\2")),
        (implicit(0x00280103, b"\1\0") + implicit(0x00280106, b"\1\2"),
         element(0x00280103, "US", b"\1\0") + element(0x00280106, "SS", b"\1\2")),
        (implicit(0x00280103, b"\0\0") + implicit(0x00280106, b"\1\2"),
         element(0x00280103, "US", b"\0\0") + element(0x00280106, "US", b"\1\2")),
        (implicit(0x00280103, b"\1\0") + implicit_sequence(0x00283010, item(implicit(0x00283002, b"\1\2\3\4\5\6"))),
         element(0x00280103, "US", b"\1\0") + bytes.fromhex("28001030 5351 0000 feff00e0")
         + element(0x00283002, "US", b"\1\2\3\4\5\6") + bytes.fromhex("feffdde0")),
        (implicit(0x00280103, b"\1\0") + implicit(0x00281101, b"\1\2\3\4\5\6"),
         element(0x00280103, "US", b"\1\0") + element(0x00281101, "US", b"\1\2\3\4\5\6")),
        (implicit(0x00283006, b"\1\2"), element(0x00283006, "OW", b"\1\2")),
        (implicit(0x00090010, b"WHO "), element(0x00090010, "LO", b"WHO ")),
        (implicit(0x00090010, b"WHO ") + implicit(0x00091001, b"ab"), element(0x00090010, "LO", b"WHO ")),
        (implicit(0x00089999, b"ab") + implicit(0x00100010, b"AB"), element(0x00100010, "PN", b"AB")),
    ],
    ids=[
        "pixel data", "overlay", "curve", "8-bit waveform", "16-bit waveform", "signed pixels", "unsigned pixels",
        "LUT descriptor in an item", "palette descriptor", "LUT data", "private creator", "unknown private element",
        "unknown standard element",
    ],
)  # fmt: skip
def test_implicit_vrs_are_looked_up_as_signers_do(data: bytes, expected: bytes):
    assert stream(data, IMPLICIT_LE) == expected


def test_un_of_defined_length_cannot_be_signed():
    assert stream(element(0x00280010, "UN", b"\1\0")) == b""


@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">")], ids=["little", "big"])
def test_un_of_undefined_length_is_hashed_as_the_sequence_it_is(encoding: Encoding, order: e.Order):
    content = item(implicit(0x00280010, b"\1\2"), implicit_sequence(0x00400275, item(implicit(0x00400007, b"ab"))))
    data = element(0x00091001, "UN", content + e.delimiter(e.SEQUENCE_END), order=order, length=e.UNDEFINED)
    assert stream(data, encoding) == (
        bytes.fromhex("09000110 5351 0000 feff00e0 28001000 5553 0200 0102 40007502 5351 0000 feff00e0")
        + element(0x00400007, "LO", b"ab")
        + bytes.fromhex("feffdde0 feffdde0")
    )


def test_a_sequence_stored_as_un_inside_a_sequence_is_hashed_as_the_sequence_it_is():
    content = item(implicit(0x00280010, b"\1\2")) + e.delimiter(e.SEQUENCE_END)
    unknown = element(0x00091001, "UN", content, order=">", length=e.UNDEFINED)
    after = element(0x00280010, "US", b"\2\1", order=">")
    data = sequence(0x00400275, item(unknown, after, order=">"), item(after, order=">"), order=">")
    assert stream(data, EXPLICIT_BE) == bytes.fromhex(
        "40007502 5351 0000 feff00e0 09000110 5351 0000 feff00e0 28001000 5553 0200 0102 feffdde0"
        "28001000 5553 0200 0102 feff00e0 28001000 5553 0200 0102 feffdde0"
    )


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_bytes_of_undefined_length_that_are_no_pixel_data_are_refused(vr: str):
    with pytest.raises(MalformedError):
        stream(encapsulated(b"", b"\1\2", vr=vr, number=0x00880905))


def test_a_value_too_long_for_its_16_bit_length_is_hashed_as_un():
    value = b"1.5\\" * 20000
    assert stream(implicit(0x30060050, value), IMPLICIT_LE) == (
        bytes.fromhex("06305000 554e 0000 80380100 312e355c") + value[4:]
    )


@pytest.mark.parametrize("length", [65534, 65535])
def test_a_value_that_just_fits_its_16_bit_length_keeps_its_vr(length: int):
    value = (b"1\\" * 32768)[:length]
    assert stream(implicit(0x30060050, value), IMPLICIT_LE) == element(0x30060050, "DS", value)


def test_a_signer_does_not_take_what_later_readers_would_find_as_un():
    level = level_of(implicit(0x30060050, b"1\\" * 40000), IMPLICIT_LE.portably())
    assert [(e_.vr, e_.signable) for e_ in level.elements] == [("UN", False)]


# ------------------------------------------------------------------------------------------------ 1.6 normalisation

PAD_SPACE = {*e.SHORT_VRS, "UC", "UR", "UT"} - {"AT", "FD", "FL", "SL", "SS", "UI", "UL", "US"}

VALUES = [
    ("CS", b"A\\B   ", b"A\\B ", b"A\\B "),
    ("TM", b"      ", b"", b""),
    ("DA", b"20200101\0\0", b"20200101", b"20200101\0\0"),
    ("LO", b"abc", b"abc ", b"abc\0"),
    ("LO", b"abc\0", b"abc ", b"abc\0"),
    ("PN", b"A^B^^  ", b"A^B^^ ", b"A^B^^  \0"),
    ("UI", b"1.2.345 ", b"1.2.345\0", b"1.2.345\0"),
    ("UI", b"1.2. 3 ", b"1.2.3\0", b"1.2.3\0"),
    ("ST", b"line\r\n  ", b"line\r\n", b"line\r\n"),
    ("LT", b"   text\t ", b"   text\t", b"   text\t \0"),
]
"""The table of section 1.6: VR, raw value, what newer and what older writers hash."""


@pytest.mark.parametrize(("vr", "raw", "newer", "older"), VALUES)
def test_padding_is_normalised_by_the_newer_rule(vr: str, raw: bytes, newer: bytes, older: bytes):
    assert stream(element(0x00091001, vr, raw), reading=CANONICAL) == element(0x00091001, vr, newer)


@pytest.mark.parametrize(("vr", "raw", "newer", "older"), VALUES)
def test_padding_is_normalised_by_the_older_rule(vr: str, raw: bytes, newer: bytes, older: bytes):
    assert stream(element(0x00091001, vr, raw), reading=TRAILING_NUL) == element(0x00091001, vr, older)


@pytest.mark.parametrize(("vr", "raw", "newer", "older"), VALUES)
def test_as_stored_nothing_is_normalised(vr: str, raw: bytes, newer: bytes, older: bytes):
    data = element(0x00091001, vr, raw)
    assert stream(data, reading=STORED) == data


@pytest.mark.parametrize(
    "vr", ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"]
)
def test_text_is_padded_with_a_space(vr: str):
    assert normalised(vr, b"abc", CANONICAL.padding) == b"abc "
    assert normalised(vr, b"abc  \0\0 \0", CANONICAL.padding) == b"abc "
    assert normalised(vr, b" a\\ b ", CANONICAL.padding) == b" a\\ b "


@pytest.mark.parametrize("space", [b"\t", b"\n", b"\v", b"\f", b"\r", b" "])
def test_white_space_anywhere_in_a_uid_is_dropped(space: bytes):
    assert normalised("UI", b"1" + space + b".2" + space, CANONICAL.padding) == b"1.2\0"


@pytest.mark.parametrize("vr", ["OB", "OF", "OD", "OL", "OV", "FL", "UL", "US", "SV"])
def test_an_odd_value_that_is_no_text_gets_a_zero_byte_where_padding_is_normalised(vr: str):
    data = element(0x00091001, vr, b"\1\2\3")
    assert stream(data, reading=CANONICAL) == element(0x00091001, vr, b"\1\2\3\0")
    assert stream(data) == data


@pytest.mark.parametrize("reading", [STORED, CANONICAL, TRAILING_NUL])
def test_an_odd_value_of_ow_stays_odd(reading: Reading):
    data = element(0x7FE00010, "OW", b"\1\2\3")
    assert stream(data, reading=reading)[4:] == bytes.fromhex("4f57 0000 03000000 010203")


@pytest.mark.parametrize(("vr", "raw", "newer", "older"), VALUES)
def test_padding_is_normalised_inside_sequences_too(vr: str, raw: bytes, newer: bytes, older: bytes):
    data = sequence(0x00400275, item(element(0x00400007, vr, raw)))
    head, tail = bytes.fromhex("40007502 5351 0000 feff00e0"), bytes.fromhex("feffdde0")
    assert stream(data, reading=CANONICAL) == head + element(0x00400007, vr, newer) + tail


def test_a_text_beyond_the_limit_is_not_normalised_but_refused_by_name():
    level = level_of(element(0x00091001, "UT", b"abc" * 100))
    with pytest.raises(LimitError, match="text_value = 99"):
        list(mac_pieces(level, level.elements, reading=CANONICAL, limits=Limits(text_value=99)))


# ------------------------------------------------------------------------------------------------------ byte order

UNITS = {
    **dict.fromkeys(["AT", "US", "SS", "OW"], 2),
    **dict.fromkeys(["UL", "SL", "FL", "OF", "OL"], 4),
    **dict.fromkeys(["FD", "OD", "OV", "SV", "UV"], 8),
    **dict.fromkeys(["OB", "UT", "LO", "UI", "UR", "UC"], 1),
}


@pytest.mark.parametrize("vr", UNITS)
@pytest.mark.parametrize("count", [0, 1, 3, 10_000])
def test_big_endian_values_are_swapped_unit_by_unit(vr: str, count: int):
    value = bytes(i % 255 for i in range(count * UNITS[vr]))
    if vr in e.SHORT_VRS and len(value) > 0xFFFF:
        value = value[:0xFFF8]
    big = element(0x00091001, vr, e.swapped(value, UNITS[vr]), order=">")
    assert stream(big, EXPLICIT_BE) == element(0x00091001, vr, value)


@pytest.mark.parametrize("vr", [vr for vr, unit in UNITS.items() if unit > 1])
def test_a_big_endian_value_that_is_no_multiple_of_its_unit_keeps_the_bytes_left_over(vr: str):
    unit = UNITS[vr]
    value = bytes(range(unit)) + b"\xaa" * (unit - 1)
    big = element(0x00091001, vr, value, order=">")
    assert stream(big, EXPLICIT_BE) == element(0x00091001, vr, bytes(range(unit))[::-1] + b"\xaa" * (unit - 1))


@pytest.mark.parametrize(
    ("number", "vr", "value", "expected"),
    [
        (0x00209165, "AT", "10002000 e07f1000 feff00e0", "20006591 4154 0c00 10002000 e07f1000 feff00e0"),
        (0x00720081, "OV", "00" * 16, "72008100 4f56 0000 10000000" + "00" * 16),
        (0x00720082, "SV", "fdffffffffffffff", "72008200 5356 0000 08000000 fdffffffffffffff"),
        (0x00660016, "OF", "0102030405060708", "66001600 4f46 0000 08000000 0102030405060708"),
        (0x00660040, "OL", "0102030405060708", "66004000 4f4c 0000 08000000 0102030405060708"),
        (0x00280009, "AT", "", "28000900 4154 0000"),
    ],
)
def test_the_examples_of_the_reference_are_the_same_from_both_byte_orders(
    number: int, vr: str, value: str, expected: str
):
    raw = bytes.fromhex(value)
    assert stream(element(number, vr, raw)) == bytes.fromhex(expected)
    big = element(number, vr, e.swapped(raw, UNITS[vr]), order=">")
    assert stream(big, EXPLICIT_BE) == bytes.fromhex(expected)


# ------------------------------------------------------------------------------------------- 2 MAC transfer syntaxes


def test_a_mac_in_implicit_vr_has_no_vrs_and_no_lengths_of_sequences():
    assert stream(nested(undefined=False, order="<"), mac=IMPLICIT_LE) == bytes.fromhex(
        "08000500 0a000000 49534f5f495220313030"
        "40007502 feff00e0 32006010 02000000 6162"
        "40000800 feff00e0 08000001 02000000 7820 feff00e0 feffdde0"
        "40000001 feffdde0 feffdde0"
    )


def test_a_mac_in_implicit_vr_has_only_the_tag_of_encapsulated_pixel_data():
    assert stream(EMPTY_BOT_AND_ODD, mac=IMPLICIT_LE) == bytes.fromhex("e07f1000 feff00e0 feff00e0 010203 feffdde0")


@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">")], ids=["little", "big"])
def test_a_mac_in_big_endian_has_all_numbers_big_endian(encoding: Encoding, order: e.Order):
    assert stream(nested(undefined=True, order=order), encoding, mac=EXPLICIT_BE) == bytes.fromhex(
        "00080005 4353 000a 49534f5f495220313030"
        "00400275 5351 0000 fffee000 00321060 4c4f 0002 6162"
        "00400008 5351 0000 fffee000 00080100 5348 0002 7820 fffee000 fffee0dd"
        "00400100 5351 0000 fffee0dd fffee0dd"
    )


def test_values_are_swapped_for_a_mac_in_big_endian():
    data = element(0x00280010, "US", b"\1\2") + element(0x00720067, "OF", bytes(range(8)))
    expected = element(0x00280010, "US", b"\2\1", order=">")
    expected += element(0x00720067, "OF", bytes([3, 2, 1, 0, 7, 6, 5, 4]), order=">")
    assert stream(data, mac=EXPLICIT_BE) == expected
    assert stream(expected, EXPLICIT_BE, mac=EXPLICIT_BE) == expected


# ---------------------------------------------------------------------------------------------- ways to read a source


@pytest.mark.parametrize("undefined", [False, True])
def test_the_stream_does_not_depend_on_how_the_source_is_read(undefined: bool):
    data = nested(undefined=undefined, order="<") + encapsulated(b"", b"\1\2\3", b"x" * 5000)
    level = level_of(data, EXPLICIT_LE, Stingy(data))
    assert hashed(level) == stream(data)
    assert hashed(level, reading=CANONICAL) == stream(data, reading=CANONICAL)
