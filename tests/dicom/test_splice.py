"""Splices: a file copied as it is, with changes, and every length around them put right."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support import encode as e
from support.encode import element, implicit, implicit_sequence, item, sequence

from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Encoding
from dsig.dicom.pump import WORTH_A_THREAD
from dsig.dicom.source import BytesSource, open_source
from dsig.dicom.splice import Change, LengthField, enclosing_lengths, lengthened, write_spliced
from dsig.errors import InputError, OutputError

REQUEST, CODES = 0x00400275, 0x00400008


def spliced(data: bytes, *changes: Change) -> bytes:
    out = bytearray()
    write_spliced(BytesSource(data), 0, len(data), changes, out.extend, lambda _at, _part: None)
    return bytes(out)


# ----------------------------------------------------------------------------------------------------------- changes


def test_without_changes_a_copy_is_the_original():
    assert spliced(b"abcdef") == b"abcdef"


def test_bytes_are_inserted_replaced_and_removed():
    assert spliced(b"abcdef", Change(2, 0, b"+"), Change(3, 1, b"-"), Change(5, 1, b"")) == b"ab+c-e"


def test_changes_at_both_ends_are_made():
    assert spliced(b"abc", Change(0, 0, b"<"), Change(3, 0, b">")) == b"<abc>"


def test_changes_are_applied_in_order_of_place_and_then_as_given():
    changes = (Change(3, 0, b"3"), Change(1, 0, b"x"), Change(1, 0, b"y"))
    assert spliced(b"abc", *changes) == b"axybc3"


def test_late_bytes_are_asked_for_when_everything_before_has_been_seen():
    seen = bytearray()
    out = bytearray()
    change = Change(4, 0, lambda: b"[" + bytes(seen) + b"]")
    write_spliced(BytesSource(b"abcdef"), 0, 6, [change], out.extend, lambda _at, part: seen.extend(part))
    assert out == b"abcd[abcd]ef"


@pytest.mark.parametrize("size", [1000, WORTH_A_THREAD + 12345], ids=["small", "large"])
def test_a_copy_sees_every_byte_of_the_original_once_and_in_order(size: int, tmp_path: Path):
    data = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000)
    path, out, seen = tmp_path / "in", tmp_path / "out", bytearray()
    path.write_bytes(data)

    def see(at: int, part: memoryview) -> None:
        assert at == len(seen)
        seen.extend(part)

    changes = [Change(3, 5, b"12"), Change(len(data) // 2, 4, b""), Change(len(data) - 1, 0, b"end")]
    with open_source(path) as source, out.open("wb") as file:
        write_spliced(source, 0, len(data), changes, file.write, see)
    half = len(data) // 2
    assert seen == data
    assert out.read_bytes() == data[:3] + b"12" + data[8:half] + data[half + 4 : -1] + b"end" + data[-1:]


def test_only_the_range_asked_for_is_copied():
    out = bytearray()
    write_spliced(BytesSource(b"abcdef"), 2, 5, [Change(3, 0, b"+")], out.extend, lambda _at, _part: None)
    assert out == b"c+de"


@pytest.mark.parametrize("size", [1000, WORTH_A_THREAD + 1], ids=["small", "large"])
def test_an_error_while_writing_ends_the_copy(size: int, tmp_path: Path):
    path = tmp_path / "in"
    path.write_bytes(bytes(size))

    def write(_data: bytes | memoryview) -> None:
        raise OSError(28, "No space left on device")

    with open_source(path) as source, pytest.raises(OSError, match="No space"):
        write_spliced(source, 0, size, [], write, lambda _at, _part: None)


def test_an_error_while_reading_ends_the_copy(tmp_path: Path):
    path = tmp_path / "in"
    path.write_bytes(bytes(2 * WORTH_A_THREAD))
    with open_source(path) as source:
        with path.open("r+b") as file:
            file.truncate(WORTH_A_THREAD)
        with pytest.raises(InputError, match="end early"):
            write_spliced(source, 0, source.size, [], lambda _data: None, lambda _at, _part: None)


# ----------------------------------------------------------------------------------------------------- length fields


@pytest.mark.parametrize(
    ("size", "order", "growth", "field"),
    [
        (2, "<", 6, b"\x0a\x00"),
        (2, ">", 6, b"\x00\x0a"),
        (2, "<", -4, b"\x00\x00"),
        (4, "<", 0x10000, b"\x04\x00\x01\x00"),
        (4, ">", 0x10000, b"\x00\x01\x00\x04"),
        (2, "<", 0xFFFB, b"\xff\xff"),
        (4, "<", 0xFFFFFFFA, b"\xfe\xff\xff\xff"),
    ],
)
def test_a_length_field_is_written_in_its_size_and_byte_order(size: int, order: str, growth: int, field: bytes):
    assert LengthField(100, size, 4, order).plus(growth) == field


@pytest.mark.parametrize(("size", "growth"), [(2, 0xFFFC), (2, 0x10000), (4, 0xFFFFFFFB), (4, 1 << 33)])
def test_a_length_that_its_field_cannot_say_is_an_output_error(size: int, growth: int):
    with pytest.raises(OutputError, match="byte 100"):
        LengthField(100, size, 4, "<").plus(growth)


def test_growths_of_one_field_add_up_also_those_known_late():
    one, other = LengthField(8, 4, 10, "<"), LengthField(20, 4, 2, "<")
    late: list[int] = []
    changes = {c.offset: c for c in lengthened([(one, 6), (other, -2), (one, lambda: late[0]), (one, 4)])}
    assert changes[20].data == struct.pack("<I", 0)
    late.append(100)
    data = changes[8].data
    assert callable(data)
    assert data() == struct.pack("<I", 120)


def build(encoding: Encoding, payload: bytes, *, undefined: bool) -> bytes:
    """A data set with `payload` as the content of RequestAttributesSequence[1].ScheduledProtocolCodeSequence[0]."""
    order: e.Order = ">" if encoding.big else "<"

    def seq(number: int, *items: bytes) -> bytes:
        if encoding.explicit:
            return sequence(number, *items, undefined=undefined, order=order)
        return implicit_sequence(number, *items, undefined=undefined)

    first = element(0x00080005, "CS", b"AB", order=order) if encoding.explicit else implicit(0x00080005, b"AB")
    deep = seq(CODES, item(payload, undefined=undefined, order=order))
    return first + seq(REQUEST, item(order=order), item(deep, undefined=undefined, order=order)) + first


ENCODINGS = [(EXPLICIT_LE, "<"), (EXPLICIT_BE, ">"), (IMPLICIT_LE, "<")]


@pytest.mark.parametrize(("encoding", "order"), ENCODINGS, ids=["explicit", "big", "implicit"])
@pytest.mark.parametrize("undefined", [False, True])
def test_what_encloses_an_item_grows_with_it(encoding: Encoding, order: e.Order, undefined: bool):
    def payload(value: bytes) -> bytes:
        if encoding.explicit:
            return element(0x00080100, "SH", value, order=order)
        return implicit(0x00080100, value)

    data = build(encoding, payload(b"ab"), undefined=undefined)
    added = payload(b"cdef")
    content = data.index(b"ab") - 8
    around = enclosing_lengths(BytesSource(data), 0, len(data), encoding, levels=[content]).of_levels[content]
    assert len(around) == (0 if undefined else 4)
    at = data.index(b"ab") + 2
    grown = spliced(data, Change(at, 0, added), *lengthened((field, len(added)) for field in around))
    assert grown == build(encoding, payload(b"ab") + added, undefined=undefined)


@pytest.mark.parametrize(("encoding", "order"), ENCODINGS, ids=["explicit", "big", "implicit"])
def test_what_encloses_an_element_grows_with_it(encoding: Encoding, order: e.Order):
    def payload(value: bytes) -> bytes:
        if encoding.explicit:
            return element(0x00080100, "SH", value, order=order)
        return implicit(0x00080100, value)

    data = build(encoding, payload(b"ab"), undefined=False)
    start = data.index(b"ab") - 8
    around = enclosing_lengths(BytesSource(data), 0, len(data), encoding, starts=[start]).of_starts[start]
    whole = Change(start, 10, payload(b"abcd"))
    grown = spliced(data, whole, *lengthened((field, 2) for field in around))
    assert grown == build(encoding, payload(b"abcd"), undefined=False)


def test_lengths_inside_a_sequence_stored_as_un_are_little_endian_also_in_a_big_endian_file():
    def build_(value: bytes) -> bytes:
        inner = implicit_sequence(REQUEST, item(implicit(0x00080100, value))) + e.delimiter(e.ITEM_END)
        content = e.delimiter(e.ITEM, "<", e.UNDEFINED) + inner + e.delimiter(e.SEQUENCE_END)
        return element(0x00091001, "UN", content, order=">", length=e.UNDEFINED)

    data = build_(b"ab")
    start = data.index(b"ab") - 8
    around = enclosing_lengths(BytesSource(data), 0, len(data), EXPLICIT_BE, starts=[start]).of_starts[start]
    assert [field.order for field in around] == ["<", "<"]
    grown = spliced(data, Change(start, 10, implicit(0x00080100, b"abcd")), *lengthened((f, 2) for f in around))
    assert grown == build_(b"abcd")


def test_at_the_top_level_nothing_has_to_grow():
    data = element(0x00080005, "CS", b"AB")
    around = enclosing_lengths(BytesSource(data), 0, len(data), EXPLICIT_LE, starts=[0])
    assert (around.of_starts, around.of_levels) == ({0: ()}, {0: ()})
