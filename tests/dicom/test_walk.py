"""The walker: header forms of PS3.5 section 7 as the right tokens, everything else as an error with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import encode as e
from support.encode import element, encapsulated, implicit, implicit_sequence, item, sequence
from support.sources import Stingy
from support.trees import Tree, encoded, trees

from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Encoding
from dsig.dicom.source import BytesSource
from dsig.dicom.walk import (
    ELEMENT,
    FRAGMENT,
    FRAGMENTS,
    ITEM,
    ITEM_END,
    ITEM_TAG,
    SEQUENCE,
    SEQUENCE_END,
    Notes,
    Token,
    walk,
)
from dsig.errors import LimitError, MalformedError
from dsig.limits import DEFAULT, Limits


def tokens(data: bytes, encoding: Encoding = EXPLICIT_LE, *, items: str = "", limits: Limits = DEFAULT) -> list[Token]:
    return list(walk(BytesSource(data), 0, len(data), encoding, items=items, limits=limits))


def notes(data: bytes, encoding: Encoding = EXPLICIT_LE) -> list[tuple[str, str, int]]:
    found = Notes()
    for _ in walk(BytesSource(data), 0, len(data), encoding, notes=found):
        pass
    return [(n.code, n.path, n.offset) for n in found.kept]


def refused(data: bytes, encoding: Encoding = EXPLICIT_LE) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        tokens(data, encoding)
    assert caught.value.where.offset is not None
    return caught.value


# ------------------------------------------------------------------------------------------------------ elements


def test_an_explicit_little_endian_element_is_tag_vr_and_value_range():
    data = bytes.fromhex("08000500 4353 0a00") + b"ISO_IR 100"
    assert tokens(data) == [(ELEMENT, 0x00080005, "CS", 0, 8, 18)]


def test_an_explicit_big_endian_element_is_read_in_its_byte_order():
    data = bytes.fromhex("00280010 5553 0002 0200")
    assert tokens(data, EXPLICIT_BE) == [(ELEMENT, 0x00280010, "US", 0, 8, 10)]


def test_an_implicit_element_gets_its_vr_from_the_dictionary():
    data = bytes.fromhex("10001000 04000000") + b"A^B "
    assert tokens(data, IMPLICIT_LE) == [(ELEMENT, 0x00100010, "PN", 0, 8, 12)]


@pytest.mark.parametrize("vr", e.SHORT_VRS)
@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">")], ids=["little", "big"])
def test_a_vr_of_table_7_1_2_has_a_header_of_8_bytes(vr: str, encoding: Encoding, order: e.Order):
    data = element(0x00091001, vr, b"12345678", order=order)
    assert tokens(data, encoding) == [(ELEMENT, 0x00091001, vr, 0, 8, 16)]


@pytest.mark.parametrize("vr", [vr for vr in e.LONG_VRS if vr != "SQ"])
@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">")], ids=["little", "big"])
def test_a_vr_of_table_7_1_1_has_a_header_of_12_bytes(vr: str, encoding: Encoding, order: e.Order):
    data = element(0x00091001, vr, b"12345678", order=order)
    assert tokens(data, encoding) == [(ELEMENT, 0x00091001, vr, 0, 12, 20)]


def test_values_may_be_empty():
    data = element(0x00080005, "CS") + element(0x00081190, "UR") + element(0x00280010, "US")
    assert tokens(data) == [
        (ELEMENT, 0x00080005, "CS", 0, 8, 8),
        (ELEMENT, 0x00081190, "UR", 8, 20, 20),
        (ELEMENT, 0x00280010, "US", 20, 28, 28),
    ]


def test_no_data_are_no_elements():
    assert tokens(b"") == []


def test_a_walk_stays_within_the_range_it_is_given():
    before, wanted, after = element(0x00080005, "CS", b"AB"), element(0x00100010, "PN", b"A^"), b"garbage"
    source = BytesSource(before + wanted + after)
    start, end = len(before), len(before) + len(wanted)
    assert list(walk(source, start, end, EXPLICIT_LE)) == [(ELEMENT, 0x00100010, "PN", start, start + 8, end)]


# ------------------------------------------------------------------------------------------------- unknown VRs (1.5)


@pytest.mark.parametrize("vr", ["ZZ", "QQ"])
def test_an_unknown_vr_of_two_capitals_has_a_32_bit_length_and_counts_as_un(vr: str):
    data = e.tag(0x00091001) + vr.encode() + bytes.fromhex("0000 04000000") + b"1234"
    assert tokens(data) == [(ELEMENT, 0x00091001, "UN", 0, 12, 16)]
    assert notes(data) == [("unknown-vr", "(0009,1001)", 0)]


@pytest.mark.parametrize("vr", [b"zz", b"??", b"Zz", b"1A", b"\0\0", b"\xff\xff", b"A\xc4"])
def test_any_other_unknown_vr_has_a_16_bit_length_and_counts_as_un(vr: bytes):
    data = e.tag(0x00091001) + vr + bytes.fromhex("0400") + b"1234"
    assert tokens(data) == [(ELEMENT, 0x00091001, "UN", 0, 8, 12)]
    assert notes(data) == [("unknown-vr", "(0009,1001)", 0)]


@pytest.mark.parametrize(("code", "value"), [("xs", 8), ("up", 8), ("lt", 12), ("ox", 12), ("px", 12)])
def test_codes_that_stand_for_a_vr_have_its_header_form_and_are_told(code: str, value: int):
    length = bytes.fromhex("0400") if value == 8 else bytes.fromhex("0000 04000000")
    data = e.tag(0x00091001) + code.encode() + length + b"1234"
    assert tokens(data) == [(ELEMENT, 0x00091001, code, 0, value, value + 4)]
    assert notes(data) == [("unknown-vr", "(0009,1001)", 0)]


# ------------------------------------------------------------------------------------------------- implicit VR (1.5)


def implicit_vrs(*elements: bytes) -> list[str]:
    return [vr for kind, _, vr, *_ in tokens(b"".join(elements), IMPLICIT_LE) if kind in (ELEMENT, SEQUENCE)]


SIGNED, UNSIGNED = implicit(0x00280103, b"\1\0"), implicit(0x00280103, b"\0\0")
AFTER_PIXEL_REPRESENTATION = [
    0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x00280120, 0x00280121, 0x00283002, 0x00409211, 0x00409216,
    0x00603004, 0x00603006,
]  # fmt: skip


@pytest.mark.parametrize("number", AFTER_PIXEL_REPRESENTATION, ids=lambda n: f"{n:08X}")
def test_pixel_representation_of_the_item_decides_between_us_and_ss(number: int):
    assert implicit_vrs(SIGNED, implicit(number, b"\0\0"))[-1] == "SS"
    assert implicit_vrs(UNSIGNED, implicit(number, b"\0\0"))[-1] == "US"
    assert implicit_vrs(implicit(number, b"\0\0")) == ["US"]


def test_pixel_representation_of_an_outer_data_set_decides_nothing_in_an_item():
    lut = implicit_sequence(0x00283000, item(implicit(0x00283002, bytes(6))))
    after = implicit(0x00283010, b"")
    assert implicit_vrs(SIGNED, lut, after)[1:3] == ["SQ", "US"]


def test_pixel_representation_of_an_item_decides_nothing_after_it():
    inner = implicit_sequence(0x00280400, item(SIGNED))
    assert implicit_vrs(inner, implicit(0x00283002, bytes(6)))[-1] == "US"


@pytest.mark.parametrize("number", [0x5400100A, 0x54001010], ids=lambda n: f"{n:08X}")
@pytest.mark.parametrize(("bits", "vr"), [(8, "OB"), (16, "OW"), (None, "OB")])
def test_waveform_bits_allocated_of_the_item_decide_between_ob_and_ow(number: int, bits: int | None, vr: str):
    before = [] if bits is None else [implicit(0x54001004, bits.to_bytes(2, "little"))]
    assert implicit_vrs(*before, implicit(number, b"\0\0"))[-1] == vr


@pytest.mark.parametrize(
    ("number", "vr"),
    [
        (0x7FE00010, "OW"),
        (0x60003000, "OW"),
        (0x60223000, "OW"),
        (0x50003000, "OB"),
        (0x501E3000, "OB"),
        (0x00281101, "US"),
        (0x00281102, "US"),
        (0x00281103, "US"),
        (0x00221452, "US"),
        (0x00283006, "OW"),
        (0x00281200, "OW"),
        (0x7F000010, "OB"),
        (0x5000200C, "OB"),
        (0x00143050, "OB"),
        (0x00090010, "LO"),
        (0x000900FF, "LO"),
        (0x00090001, "UN"),
        (0x0009000F, "UN"),
        (0x00090100, "UN"),
        (0x00090FFF, "UN"),
        (0x00091001, "UN"),
        (0x00089999, "UN"),
        (0x00080000, "UL"),
    ],
)
def test_implicit_vrs_are_those_of_the_reference(number: int, vr: str):
    assert implicit_vrs(implicit(number, b"\0\0")) == [vr]
    assert implicit_vrs(SIGNED, implicit(number, b"\0\0"))[-1] == vr


def test_a_private_element_is_known_only_through_the_creator_of_its_block():
    creator = implicit(0x00190010, b"SIEMENS MR HEADER ")
    known, elsewhere = implicit(0x00191008, b"12"), implicit(0x00191108, b"12")
    assert implicit_vrs(creator, known, elsewhere) == ["LO", "CS", "UN"]
    assert implicit_vrs(known) == ["UN"]


def test_a_private_creator_of_an_outer_data_set_says_nothing_in_an_item():
    creator = implicit(0x00190010, b"SIEMENS MR HEADER ")
    nested = implicit_sequence(0x00321064, item(implicit(0x00191008, b"12")))
    assert implicit_vrs(creator, nested) == ["LO", "SQ", "UN"]


def test_private_elements_and_oversize_values_count_as_unknown_for_a_signer():
    data = implicit(0x00190010, b"SIEMENS MR HEADER ") + implicit(0x00191008, b"12")
    long = implicit(0x30060050, b"1\\" * 40000)
    assert [t[2] for t in tokens(data, IMPLICIT_LE.portably())] == ["LO", "UN"]
    assert [t[2] for t in tokens(long, IMPLICIT_LE.portably())] == ["UN"]
    assert [t[2] for t in tokens(long, IMPLICIT_LE)] == ["DS"]


# ----------------------------------------------------------------------------------------------- sequences and items


def test_a_sequence_of_defined_lengths_ends_without_delimiters():
    inner = element(0x00080100, "SH", b"x ")  # 10 bytes
    data = sequence(0x00400275, item(inner), item())
    assert tokens(data) == [
        (SEQUENCE, 0x00400275, "SQ", 0, 12, 38),
        (ITEM, ITEM_TAG, "", 12, 20, 30),
        (ELEMENT, 0x00080100, "SH", 20, 28, 30),
        (ITEM_END, ITEM_TAG, "", 30, 30, 30),
        (ITEM, ITEM_TAG, "", 30, 38, 38),
        (ITEM_END, ITEM_TAG, "", 38, 38, 38),
        (SEQUENCE_END, 0x00400275, "SQ", 38, 38, 38),
    ]


def test_a_sequence_of_undefined_lengths_ends_with_its_delimiters():
    inner = element(0x00080100, "SH", b"x ")
    data = sequence(0x00400275, item(inner, undefined=True), undefined=True)
    assert tokens(data) == [
        (SEQUENCE, 0x00400275, "SQ", 0, 12, -1),
        (ITEM, ITEM_TAG, "", 12, 20, -1),
        (ELEMENT, 0x00080100, "SH", 20, 28, 30),
        (ITEM_END, ITEM_TAG, "", 30, 38, 38),
        (SEQUENCE_END, 0x00400275, "SQ", 38, 46, 46),
    ]


@pytest.mark.parametrize("undefined", [False, True])
def test_an_empty_sequence_has_no_items(undefined: bool):
    data = sequence(0x00400275, undefined=undefined)
    kinds = [(kind, tag) for kind, tag, *_ in tokens(data)]
    assert kinds == [(SEQUENCE, 0x00400275), (SEQUENCE_END, 0x00400275)]


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"])
def test_defined_and_undefined_lengths_nest_in_every_way(outer: bool, inner: bool, encoding: Encoding):
    order: e.Order = ">" if encoding.big else "<"

    def seq(number: int, *items: bytes, undefined: bool) -> bytes:
        if encoding.explicit:
            return sequence(number, *items, undefined=undefined, order=order)
        return implicit_sequence(number, *items, undefined=undefined)

    def value(number: int, data: bytes) -> bytes:
        return element(number, "SH", data, order=order) if encoding.explicit else implicit(number, data)

    deep = seq(0x00400008, item(value(0x00080100, b"x "), undefined=outer, order=order), undefined=inner)
    data = seq(0x00400275, item(deep, undefined=inner, order=order), undefined=outer) + value(0x00400A00, b"")
    found = tokens(data, encoding)
    assert [t[0] for t in found] == [
        SEQUENCE, ITEM, SEQUENCE, ITEM, ELEMENT, ITEM_END, SEQUENCE_END, ITEM_END, SEQUENCE_END, ELEMENT,
    ]  # fmt: skip
    assert [t[1] for t in found if t[0] in (SEQUENCE, SEQUENCE_END)] == [
        0x00400275, 0x00400008, 0x00400008, 0x00400275,
    ]  # fmt: skip
    assert found[-1][5] == len(data)


def test_the_items_of_a_value_can_be_walked_alone():
    value = item(element(0x00080100, "SH", b"x ")) + item()
    assert [t[0] for t in tokens(value, items="SQ")] == [ITEM, ELEMENT, ITEM_END, ITEM, ITEM_END]


# -------------------------------------------------------------------------------------------- UN of undefined length


@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">")], ids=["little", "big"])
def test_un_of_undefined_length_holds_implicit_little_endian_whatever_the_file_is(encoding: Encoding, order: e.Order):
    inside = item(implicit(0x00280010, b"\2\0"), implicit_sequence(0x00400275, item(implicit(0x00280011, b"\3\0"))))
    unknown = element(0x00091001, "UN", inside + e.delimiter(e.SEQUENCE_END), order=order, length=e.UNDEFINED)
    after = element(0x00280010, "US", b"\0\2", order=order)
    found = tokens(unknown + after, encoding)
    assert [(t[0], t[1], t[2]) for t in found] == [
        (SEQUENCE, 0x00091001, "UN"),
        (ITEM, ITEM_TAG, ""),
        (ELEMENT, 0x00280010, "US"),
        (SEQUENCE, 0x00400275, "SQ"),
        (ITEM, ITEM_TAG, ""),
        (ELEMENT, 0x00280011, "US"),
        (ITEM_END, ITEM_TAG, ""),
        (SEQUENCE_END, 0x00400275, "SQ"),
        (ITEM_END, ITEM_TAG, ""),
        (SEQUENCE_END, 0x00091001, "SQ"),
        (ELEMENT, 0x00280010, "US"),
    ]
    assert found[-1][3:] == (len(unknown), len(unknown) + 8, len(unknown) + 10)


def test_un_of_defined_length_is_a_value_even_if_it_looks_like_a_sequence():
    data = element(0x00091001, "UN", item(implicit(0x00280010, b"\2\0")))
    assert [t[0] for t in tokens(data)] == [ELEMENT]


def test_an_item_of_a_value_stored_as_un_is_walked_as_implicit_little_endian():
    value = item(implicit(0x00280010, b"\2\0"))
    assert tokens(value, EXPLICIT_BE, items="UN")[1] == (ELEMENT, 0x00280010, "US", 8, 16, 18)


# --------------------------------------------------------------------------------------------------------- fragments


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_encapsulated_pixel_data_are_fragments_the_offset_table_included(vr: str):
    data = encapsulated(b"", b"\1\2\3", vr=vr)
    assert tokens(data) == [
        (FRAGMENTS, 0x7FE00010, vr, 0, 12, -1),
        (FRAGMENT, ITEM_TAG, "", 12, 20, 20),
        (FRAGMENT, ITEM_TAG, "", 20, 28, 31),
        (SEQUENCE_END, 0x7FE00010, "SQ", 31, 39, 39),
    ]


def test_an_encapsulated_icon_is_fragments_inside_its_item():
    data = sequence(0x00880200, item(encapsulated(b"", b"\1\2"))) + element(0x00880906, "ST", b"ab")
    assert [t[0] for t in tokens(data)] == [
        SEQUENCE, ITEM, FRAGMENTS, FRAGMENT, FRAGMENT, SEQUENCE_END, ITEM_END, SEQUENCE_END, ELEMENT,
    ]  # fmt: skip


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_undefined_length_of_what_is_no_pixel_data_is_refused(vr: str):
    assert "no pixel data" in refused(encapsulated(b"", number=0x00880905, vr=vr)).message


@pytest.mark.parametrize("vr", ["UT", "OF", "OD", "OV", "UC"])
def test_undefined_length_of_any_other_vr_is_refused(vr: str):
    data = element(0x00091001, vr, e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
    assert refused(data).where.path == "(0009,1001)"


def test_a_fragment_of_undefined_length_is_refused():
    data = element(0x7FE00010, "OB", e.delimiter(e.ITEM, "<", e.UNDEFINED) + bytes(8), length=e.UNDEFINED)
    assert refused(data).where.offset == 12


def test_a_sequence_delimiter_within_pixel_data_of_defined_length_is_just_a_value():
    data = element(0x7FE00010, "OB", e.delimiter(e.SEQUENCE_END))
    assert tokens(data) == [(ELEMENT, 0x7FE00010, "OB", 0, 12, 20)]


# ---------------------------------------------------------------------------------------- what is wrong, and where

SMALL: dict[str, tuple[Encoding, bytes]] = {
    "explicit": (
        EXPLICIT_LE,
        element(0x00080005, "CS", b"ISO_IR 100")
        + sequence(0x00400275, item(element(0x00400007, "LO", b"ab"), undefined=True), item(), undefined=True)
        + sequence(0x00400300, item(sequence(0x00400310, item(element(0x00400007, "UT", b"ab")))))
        + element(0x7FDF0010, "OB", b"1234"),
    ),
    "big": (
        EXPLICIT_BE,
        element(0x00080005, "CS", b"AB", order=">")
        + sequence(0x00400275, item(element(0x00400007, "LO", b"ab", order=">"), order=">"), order=">")
        + element(
            0x00410010,
            "UN",
            item(implicit(0x00280010, b"\2\0"), undefined=True) + e.delimiter(e.SEQUENCE_END),
            order=">",
            length=e.UNDEFINED,
        ),
    ),
    "implicit": (
        IMPLICIT_LE,
        implicit(0x00080005, b"ISO_IR 100")
        + implicit(0x00190010, b"SIEMENS MR HEADER ")
        + implicit(0x00191008, b"12")
        + implicit(0x00280103, b"\1\0")
        + implicit_sequence(0x00400275, item(implicit(0x00400007, b"ab"), undefined=True), undefined=True)
        + implicit_sequence(0x00400300, item(implicit(0x00400310, b"ab"))),
    ),
    "fragments": (EXPLICIT_LE, element(0x00280010, "US", b"\1\0") + encapsulated(b"", b"\1\2\3\4", b"\5\6")),
}


def top_level_ends(data: bytes, encoding: Encoding) -> set[int]:
    """Where a data set may rightly stop: after whole top-level elements, known from walking it whole."""
    depth, ends = 0, {0}
    for kind, _tag, _vr, _start, _value, end in tokens(data, encoding):
        depth += (kind in (SEQUENCE, FRAGMENTS)) - (kind == SEQUENCE_END)
        if depth == 0:
            ends.add(end)
    return ends


@pytest.mark.parametrize("name", SMALL)
def test_a_data_set_cut_off_anywhere_but_between_elements_is_refused_with_the_place(name: str):
    encoding, data = SMALL[name]
    whole = top_level_ends(data, encoding)
    assert max(whole) == len(data)
    for cut in range(len(data)):
        if cut in whole:
            tokens(data[:cut], encoding)
            continue
        error = refused(data[:cut], encoding)
        assert error.where.offset is not None
        assert 0 <= error.where.offset <= cut, cut


@pytest.mark.parametrize("name", SMALL)
def test_a_flipped_byte_gives_tokens_or_an_error_with_the_place_and_nothing_else(name: str):
    encoding, data = SMALL[name]
    for at in range(len(data)):
        for bits in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[at] ^= bits
            try:
                for kind, _tag, _vr, start, value, end in tokens(bytes(changed), encoding):
                    assert 0 <= start <= value <= len(data)
                    assert end == -1 or (value <= end <= len(data)) or kind in (ITEM_END, SEQUENCE_END)
            except MalformedError as error:
                assert error.where.offset is not None


@given(st.binary(max_size=64))
@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"])
def test_any_bytes_give_tokens_or_an_error_with_the_place(encoding: Encoding, data: bytes):
    try:
        tokens(data, encoding)
    except MalformedError as error:
        assert error.where.offset is not None


@pytest.mark.parametrize(
    ("data", "encoding", "path", "offset"),
    [
        (element(0x00100010, "PN", b"ab", length=4), EXPLICIT_LE, None, 0),
        (element(0x00100010, "PN", b"ab", length=4, order=">"), EXPLICIT_BE, None, 0),
        (element(0x00420011, "OB", b"ab", length=0xFFFFFFFE), EXPLICIT_LE, None, 0),
        (implicit(0x00100010, b"ab", length=4), IMPLICIT_LE, None, 0),
        (sequence(0x00400275, item(element(0x00400007, "LO", b"ab", length=4))), EXPLICIT_LE, "[0]", 20),
        (sequence(0x00400275, item(), item(element(0x00400007, "LO", b"a", length=9))), EXPLICIT_LE, "[1]", 28),
        (element(0x00400275, "SQ", e.delimiter(e.ITEM, "<", 4)), EXPLICIT_LE, "Sequence", 12),
        (element(0x00400275, "SQ", b"", length=8), EXPLICIT_LE, None, 0),
    ],
    ids=["explicit", "big endian", "long", "implicit", "in an item", "in the second item", "item", "sequence"],
)
def test_a_length_beyond_its_container_is_refused(data: bytes, encoding: Encoding, path: str | None, offset: int):
    error = refused(data, encoding)
    assert error.where.offset == offset
    assert path is None or path in (error.where.path or "")


def test_a_length_may_not_reach_beyond_its_item_into_what_follows():
    greedy = element(0x00400007, "LO", b"ab", length=10)
    data = sequence(0x00400275, item(greedy)) + element(0x00400A00, "CS", b"12345678")
    assert "the enclosing item or sequence ends" in refused(data).message


@pytest.mark.parametrize("number", [e.ITEM, e.ITEM_END, e.SEQUENCE_END, 0xFFFEFFFF], ids=lambda n: f"{n:08X}")
@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"])
def test_a_delimiter_among_data_elements_is_refused(number: int, encoding: Encoding):
    order: e.Order = ">" if encoding.big else "<"
    before = element(0x00080005, "CS", b"AB", order=order) if encoding.explicit else implicit(0x00080005, b"AB")
    error = refused(before + e.delimiter(number, order) + bytes(8), encoding)
    assert error.where.offset == 10
    assert "stands among data elements" in error.message


def test_an_item_delimiter_inside_an_item_of_defined_length_is_refused():
    data = sequence(0x00400275, item(element(0x00400007, "LO", b"ab"), e.delimiter(e.ITEM_END)))
    assert refused(data).where.path == "RequestAttributesSequence[0]"


@pytest.mark.parametrize(
    "wrong", [e.delimiter(e.ITEM_END), element(0x00400007, "LO", b"")], ids=["delimiter", "element"]
)
@pytest.mark.parametrize("undefined", [False, True])
def test_only_items_may_stand_directly_in_a_sequence(wrong: bytes, undefined: bool):
    assert (
        "where an item of a sequence should start" in refused(sequence(0x00400275, wrong, undefined=undefined)).message
    )


def test_a_sequence_delimiter_inside_a_sequence_of_defined_length_is_refused():
    assert refused(sequence(0x00400275, e.delimiter(e.SEQUENCE_END))).where.offset == 12


# ------------------------------------------------------------------------------------------------------------- notes


def test_tags_out_of_order_are_noted_with_path_and_offset():
    data = element(0x00100010, "PN", b"ab") + element(0x00080005, "CS", b"ab")
    assert notes(data) == [("tags-not-ascending", "(0008,0005)", 10)]


@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"])
def test_a_tag_that_occurs_twice_is_noted(encoding: Encoding):
    order: e.Order = ">" if encoding.big else "<"
    one = element(0x00100010, "PN", b"ab", order=order) if encoding.explicit else implicit(0x00100010, b"ab")
    assert notes(one + one, encoding) == [("duplicate-tag", "(0010,0010)", 10)]


def test_disorder_in_an_item_is_noted_with_the_item():
    twice = element(0x00400007, "LO", b"ab") * 2
    data = sequence(0x00400275, item(), item(sequence(0x00400008, item(twice))))
    assert notes(data) == [
        ("duplicate-tag", "RequestAttributesSequence[1].ScheduledProtocolCodeSequence[0].(0040,0007)", 58)
    ]


def test_order_starts_anew_in_every_item_and_goes_on_after_the_sequence():
    high = item(element(0x00400008, "LO", b""))
    assert notes(sequence(0x00400275, high, high) + element(0x00400A00, "CS", b"")) == []
    assert notes(sequence(0x00400275, high) + element(0x00400008, "LO", b""))[0][0] == "tags-not-ascending"


def test_a_group_0002_element_in_the_data_set_is_read_and_noted_where_it_is_out_of_order():
    data = element(0x00080005, "CS", b"ab") + element(0x00020010, "UI", b"1.2\0")
    assert [t[1] for t in tokens(data)] == [0x00080005, 0x00020010]
    assert notes(data) == [("tags-not-ascending", "(0002,0010)", 10)]
    nested = sequence(0x00400275, item(element(0x00020010, "UI", b"1.2\0")))
    assert notes(nested) == []


@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"])
def test_zeros_behind_the_data_set_are_noted_once_and_are_no_elements(encoding: Encoding):
    order: e.Order = ">" if encoding.big else "<"
    one = element(0x00100010, "PN", b"ab", order=order) if encoding.explicit else implicit(0x00100010, b"ab")
    data = one + bytes(8 * 70_000)
    assert [t[1] for t in tokens(data, encoding)] == [0x00100010]
    assert notes(data, encoding) == [("trailing-bytes", "", 10)]


def test_zeros_behind_the_data_set_that_could_be_no_elements_are_refused_with_their_number():
    error = refused(element(0x00100010, "PN", b"ab") + bytes(12))
    assert (error.message, error.where.offset) == ("12 zero bytes follow the data set", 10)


def test_an_element_of_zeros_is_one_where_anything_else_follows():
    data = element(0x00100010, "PN", b"ab") + bytes(8) + element(0x00100020, "LO", b"ab")
    assert [t[1] for t in tokens(data)] == [0x00100010, 0, 0x00100020]
    assert [code for code, _path, _offset in notes(data)] == ["tags-not-ascending", "unknown-vr"]


def test_zeros_at_the_end_of_an_item_are_elements():
    data = sequence(0x00400275, item(element(0x00400007, "LO", b"ab") + bytes(8)))
    assert [code for code, _path, _offset in notes(data)] == ["tags-not-ascending", "unknown-vr"]


def test_reserved_bytes_that_are_not_zero_are_noted():
    data = e.tag(0x00420011) + b"OB" + b"\1\0" + b"\2\0\0\0ab"
    assert notes(data) == [("reserved-bytes", "(0042,0011)", 0)]
    assert tokens(data) == [(ELEMENT, 0x00420011, "OB", 0, 12, 14)]


def test_delimiters_with_a_length_are_noted():
    ends = e.delimiter(e.ITEM_END, length=2), e.delimiter(e.SEQUENCE_END, length=4)
    data = element(0x00400275, "SQ", e.delimiter(e.ITEM, "<", e.UNDEFINED) + ends[0] + ends[1], length=e.UNDEFINED)
    assert [(code, offset) for code, _, offset in notes(data)] == [("delimiter-length", 20), ("delimiter-length", 28)]


def test_notes_beyond_the_limit_are_counted_and_not_kept():
    found = Notes(limit=3)
    data = element(0x00100010, "PN", b"") * 11
    assert len(list(walk(BytesSource(data), 0, len(data), EXPLICIT_LE, notes=found))) == 11
    assert (found.counts, len(found.kept)) == ({"duplicate-tag": 10}, 3)


# ----------------------------------------------------------------------------------------------------------- nesting


def nested(depth: int, *, undefined: bool) -> bytes:
    """`depth` sequences, one in the other; built from the ends, because nesting it with `item` would be quadratic."""
    head = element(0x00400275, "SQ", length=e.UNDEFINED) + e.delimiter(e.ITEM, "<", e.UNDEFINED)
    tail = e.delimiter(e.ITEM_END) + e.delimiter(e.SEQUENCE_END)
    if undefined:
        return head * depth + tail * depth
    data = []
    for level in range(depth, 0, -1):  # 12 bytes of header, 8 of the item for every level inside
        inside = 20 * (level - 1)
        data.append(element(0x00400275, "SQ", length=inside + 8) + e.delimiter(e.ITEM, "<", inside))
    return b"".join(data)


@pytest.mark.parametrize("undefined", [False, True])
def test_nesting_up_to_the_limit_is_read(undefined: bool):
    assert len(tokens(nested(64, undefined=undefined))) == 4 * 64


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("depth", [65, 10_000])
def test_nesting_beyond_the_limit_is_refused_with_its_name(undefined: bool, depth: int):
    with pytest.raises(LimitError, match="depth = 64") as caught:
        tokens(nested(depth, undefined=undefined))
    assert caught.value.where.offset == 64 * 20


@pytest.mark.parametrize("undefined", [False, True])
def test_absurd_nesting_is_no_recursion(undefined: bool):
    assert len(tokens(nested(10_000, undefined=undefined), limits=replace(DEFAULT, depth=10_000))) == 40_000


# --------------------------------------------------------------------------- random data sets, in every encoding

Read = Callable[[bytes, Encoding], Iterator[Token]]
SOURCES: dict[str, Read] = {
    "in memory": lambda data, encoding: walk(BytesSource(data), 0, len(data), encoding),
    "in windows no larger than asked for": lambda data, encoding: walk(Stingy(data), 0, len(data), encoding),
}


@settings(max_examples=50)
@given(tree=trees(unsignable=True))
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"])
def test_any_data_set_gives_its_tokens(encoding: Encoding, source: str, tree: Tree):
    data, expected = encoded(tree, encoding)
    assert list(SOURCES[source](data, encoding)) == expected
