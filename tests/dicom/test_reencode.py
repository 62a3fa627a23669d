"""Re-encoding: one data set written by hand in every native encoding, and each made from each other."""

from __future__ import annotations

import struct
import zlib

import pytest
from support import encode as e
from support.encode import element, implicit, implicit_sequence, item, part10, sequence

from dsig.dicom.file import open_dicom
from dsig.dicom.reencode import Lengths, named_syntax, reencoded
from dsig.dicom.source import BytesSource
from dsig.errors import UsageError

NUMBERS = {
    "US": struct.pack("<2H", 1, 0xFFFE),
    "UL": struct.pack("<I", 0x01020304),
    "FD": struct.pack("<d", 1.5),
    "AT": e.tag(0x00100010) + e.tag(0x7FE00010),
    "OW": struct.pack("<3H", 1, 2, 0x0304),
    "OB": b"\1\2\3\4",
    "LO": b"text",
    "SV": struct.pack("<q", -3),
}
UNITS = {"US": 2, "UL": 4, "FD": 8, "AT": 2, "OW": 2, "SV": 8}
PLAIN = [
    (0x00081161, "UL"), (0x00100020, "LO"), (0x00280009, "AT"), (0x00280010, "US"), (0x00420011, "OB"),
    (0x00720074, "FD"), (0x00720082, "SV"), (0x7FE00010, "OW"),
]  # fmt: skip
CODES, REQUEST = 0x00400008, 0x00400275


def written(syntax: str, *, undefined: bool = False, group_lengths: bool = False) -> bytes:
    """The data set as a file, by hand."""
    order: e.Order = ">" if syntax == e.BIG else "<"

    def value(number: int, vr: str) -> bytes:
        raw = NUMBERS[vr]
        if syntax == e.IMPLICIT:
            return implicit(number, raw)
        return element(number, vr, e.swapped(raw, UNITS.get(vr, 1)) if order == ">" else raw, order=order)

    def seq(number: int, *items: bytes) -> bytes:
        if syntax == e.IMPLICIT:
            return implicit_sequence(number, *items, undefined=undefined)
        return sequence(number, *items, undefined=undefined, order=order)

    inner = item(value(0x00080104, "LO"), undefined=undefined, order=order)
    request = seq(
        REQUEST,
        item(undefined=undefined, order=order),
        item(value(0x00400007, "LO"), seq(CODES, inner, inner), undefined=undefined, order=order),
    )
    elements = {number: value(number, vr) for number, vr in PLAIN} | {REQUEST: request, 0x00400100: seq(0x00400100)}
    if group_lengths:
        zero = struct.pack(f"{order}I", 0)
        group = implicit(0x00280000, zero) if syntax == e.IMPLICIT else element(0x00280000, "UL", zero, order=order)
        elements[0x00280000] = group
    return part10(b"".join(elements[number] for number in sorted(elements)), syntax)


def again(data: bytes, syntax: str, lengths: Lengths | None = None) -> bytes:
    """A file re-encoded by the code under test; deflated data sets are inflated to compare them."""
    with open_dicom(BytesSource(data)) as file, reencoded(file, named_syntax(syntax), lengths) as other:
        buffer = bytearray(other.source.size)
        other.source.read_into(0, memoryview(buffer))
    return inflated(bytes(buffer))


def inflated(data: bytes) -> bytes:
    end = 144 + int.from_bytes(data[140:144], "little")
    if e.DEFLATED.encode() not in data[:end]:
        return data
    return data[:end] + zlib.decompress(data[end:], -zlib.MAX_WBITS)


SYNTAXES = [e.LITTLE, e.IMPLICIT, e.BIG, e.DEFLATED]
NAMES = {"explicit": e.LITTLE, "implicit": e.IMPLICIT, "big": e.BIG, "deflated": e.DEFLATED}


@pytest.mark.parametrize("target", SYNTAXES)
@pytest.mark.parametrize("source", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_every_encoding_becomes_every_other(source: str, target: str, undefined: bool):
    assert again(written(source, undefined=undefined), target) == inflated(written(target, undefined=undefined))


@pytest.mark.parametrize("lengths", Lengths)
@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_sequences_get_the_lengths_asked_for(syntax: str, lengths: Lengths, undefined: bool):
    expected = written(syntax, undefined=lengths is Lengths.UNDEFINED)
    assert again(written(syntax, undefined=undefined), syntax, lengths) == inflated(expected)


@pytest.mark.parametrize("target", SYNTAXES)
def test_group_lengths_are_left_out(target: str):
    """They would be wrong, and are retired (PS3.5 7.2)."""
    assert again(written(e.LITTLE, group_lengths=True), target) == inflated(written(target))


@pytest.mark.parametrize("name", NAMES)
def test_transfer_syntaxes_have_short_names(name: str):
    assert named_syntax(name).uid == NAMES[name]
    assert named_syntax(NAMES[name]).uid == NAMES[name]


@pytest.mark.parametrize("name", ["", "jpeg", "Explicit", "1.2.x"])
def test_other_names_are_refused(name: str):
    with pytest.raises(UsageError):
        named_syntax(name)


def test_un_of_undefined_length_becomes_a_sequence_in_the_encoding_of_the_file():
    content = item(implicit(0x00280010, b"\1\2")) + e.delimiter(e.SEQUENCE_END)
    unknown = part10(element(REQUEST, "UN", content, order=">", length=e.UNDEFINED), e.BIG)
    assert again(unknown, e.LITTLE, Lengths.EXPLICIT) == part10(
        sequence(REQUEST, item(element(0x00280010, "US", b"\1\2")))
    )
    assert again(unknown, e.BIG, Lengths.EXPLICIT) == part10(
        sequence(REQUEST, item(element(0x00280010, "US", b"\2\1", order=">"), order=">"), order=">"), e.BIG
    )


def test_encapsulated_pixel_data_are_copied():
    pixels = e.encapsulated(bytes(4), b"\1\2\3\4", b"\5\6")
    before = sequence(REQUEST, item(element(0x00400007, "LO", b"ab"), undefined=True), undefined=True)
    after = sequence(REQUEST, item(element(0x00400007, "LO", b"ab")))
    assert again(part10(before + pixels, e.RLE), e.RLE, Lengths.EXPLICIT) == part10(after + pixels, e.RLE)


@pytest.mark.parametrize(
    ("source", "target"), [(e.RLE, e.LITTLE), (e.RLE, e.IMPLICIT), (e.LITTLE, e.RLE), (e.RLE, e.JPEG)]
)
def test_pixel_data_are_neither_compressed_nor_decompressed(source: str, target: str):
    pixels = e.encapsulated(b"", b"\1\2") if source == e.RLE else element(0x7FE00010, "OW", b"\1\2")
    with pytest.raises(UsageError) as caught:
        again(part10(element(0x00280010, "US", b"\1\0") + pixels, source), target)
    assert caught.value.code == "transfer-syntax-impossible"


def test_where_no_pixel_data_are_compressed_there_is_nothing_to_decompress():
    """A report, or an icon that is native, may be stored in any transfer syntax (PS3.5 A.4)."""
    icon = sequence(0x00880200, item(element(0x7FE00010, "OW", b"\1\2")))
    compressed_icon = sequence(0x00880200, item(e.encapsulated(b"", b"\1\2")))
    assert again(part10(icon, e.RLE), e.LITTLE) == part10(icon, e.LITTLE)
    with pytest.raises(UsageError):
        again(part10(icon, e.LITTLE), e.RLE)
    with pytest.raises(UsageError):
        again(part10(compressed_icon, e.RLE), e.LITTLE)


@pytest.mark.parametrize("source", [e.LITTLE, None], ids=["said to be native", "nothing said"])
def test_compressed_pixel_data_are_not_written_as_native(source: str | None):
    """A transfer syntax that contradicts them would be made up, or repeated (PS3.5 A.4)."""
    pixels = e.encapsulated(b"", b"\1\2")
    with pytest.raises(UsageError) as caught:
        again(pixels if source is None else part10(pixels, source), e.LITTLE, Lengths.EXPLICIT)
    assert caught.value.code == "transfer-syntax-impossible"


def test_a_data_set_without_meta_information_is_not_deflated():
    """Nothing would say that it is, and no reader could tell."""
    bare = element(0x00100010, "PN", b"A^B ")
    with pytest.raises(UsageError) as caught:
        again(bare, e.DEFLATED)
    assert caught.value.code == "transfer-syntax-impossible"


def test_a_value_too_long_for_its_vr_becomes_un_in_explicit_vr():
    """PS3.5 6.2.2."""
    value = b"1.5\\" * 20000
    result = again(part10(implicit(0x30060050, value), e.IMPLICIT), e.LITTLE)
    assert result == part10(element(0x30060050, "UN", value))


def test_a_bare_data_set_stays_bare():
    bare = element(0x00280010, "US", b"\1\2")
    with open_dicom(BytesSource(bare)) as file, reencoded(file, named_syntax("big"), None) as other:
        buffer = bytearray(other.source.size)
        other.source.read_into(0, memoryview(buffer))
    assert bytes(buffer) == element(0x00280010, "US", b"\2\1", order=">")
