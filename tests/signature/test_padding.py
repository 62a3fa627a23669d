"""Padding that other readers would change is made canonical before it is signed, and nothing else is touched."""

from __future__ import annotations

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, implicit, implicit_sequence, item, part10, sequence
from support.pki import checked, key
from support.signed import DATA, Parts

import dsig

ODD = {
    0x00104000: element(0x00104000, "LT", b"abc"),  # odd
    0x00104001: element(0x00104001, "LO", b"ab    "),  # too much padding
    0x00104002: element(0x00104002, "LO", b"ab\0\0"),  # padded with NUL
    0x00104003: element(0x00104003, "UI", b"1.2.3 "),  # padded with a space
    0x00104004: element(0x00104004, "OB", b"\1\2\3"),  # odd
    0x00104005: element(0x00104005, "TM", b"      "),  # nothing but padding
}
CANONICAL = {
    0x00104000: element(0x00104000, "LT", b"abc "),
    0x00104001: element(0x00104001, "LO", b"ab"),
    0x00104002: element(0x00104002, "LO", b"ab"),
    0x00104003: element(0x00104003, "UI", b"1.2.3\0"),
    0x00104004: element(0x00104004, "OB", b"\1\2\3\0"),
    0x00104005: element(0x00104005, "TM"),
}


def signed(data: bytes, **options: object) -> dsig.Signed:
    result = dsig.sign(data, key=key(), options=dsig.SignOptions(**options))
    assert all(x.verdict == "passed" for x in checked(result.output).signatures)
    return result


def stripped(output: object) -> bytes:
    """What is left when the signatures are taken out again."""
    removed = dsig.remove(output, everything=True).output
    assert isinstance(removed, bytes)
    return removed


def codes(result: dsig.Signed) -> list[str]:
    return [f.code for f in result.findings]


@pytest.mark.parametrize("number", ODD)
def test_signed_values_are_written_with_canonical_padding(number: int):
    result = signed(part10(s.joined(DATA | {number: ODD[number]})))
    assert stripped(result.output) == part10(s.joined(DATA | {number: CANONICAL[number]}))
    assert codes(result) == ["padding-canonicalised"]
    assert checked(result.output).signatures[0].mac.encoding == "stored"


def test_many_values_are_written_with_canonical_padding_at_once():
    result = signed(part10(s.joined(DATA | ODD)))
    assert stripped(result.output) == part10(s.joined(DATA | CANONICAL))
    [finding] = result.findings
    assert "6 signed values" in finding.message
    assert "(0010,4000)" in finding.message


@pytest.mark.parametrize("number", CANONICAL)
def test_canonical_padding_is_left_alone_without_a_word(number: int):
    data = part10(s.joined(DATA | {number: CANONICAL[number]}))
    result = signed(data)
    assert (stripped(result.output), codes(result)) == (data, [])


def test_values_that_are_not_signed_are_left_alone():
    data = part10(s.joined(DATA | ODD))
    result = signed(data, tags=(0x00100010,))
    assert (stripped(result.output), codes(result)) == (data, [])


def test_odd_values_of_ow_are_left_alone():
    data = part10(s.joined(DATA | {0x7FE00010: element(0x7FE00010, "OW", b"\1\2\3")}))
    result = signed(data)
    assert (stripped(result.output), codes(result)) == (data, [])


def test_who_wants_every_byte_kept_is_told_what_that_means():
    data = part10(s.joined(DATA | ODD))
    result = signed(data, preserve_bytes=True)
    assert (stripped(result.output), codes(result)) == (data, ["padding-kept"])


def nested(value: bytes, kind: str) -> bytes:
    """A value two sequences deep."""
    if kind == "implicit":
        inner = implicit_sequence(0x00400008, item(implicit(0x00400007, value), implicit(0x00400009, b"xy")))
        return part10(implicit(0x00100010, b"A^B ") + implicit_sequence(0x00400275, item(), item(inner)), e.IMPLICIT)
    order: e.Order = ">" if kind == "big" else "<"
    open_end = kind == "undefined"
    content = element(0x00400007, "LO", value, order=order) + element(0x00400009, "LO", b"xy", order=order)
    inner = sequence(0x00400008, item(content, undefined=open_end, order=order), undefined=open_end, order=order)
    outer = sequence(
        0x00400275, item(order=order), item(inner, undefined=open_end, order=order), undefined=open_end, order=order
    )
    return part10(element(0x00100010, "PN", b"A^B ", order=order) + outer, e.BIG if kind == "big" else e.LITTLE)


@pytest.mark.parametrize("kind", ["explicit", "undefined", "big", "implicit"])
@pytest.mark.parametrize(("stored", "canonical"), [(b"abc", b"abc "), (b"ab      ", b"ab"), (b"\0\0", b"")])
def test_nested_values_are_made_canonical_and_every_length_around_them_follows(
    kind: str, stored: bytes, canonical: bytes
):
    result = signed(nested(stored, kind))
    assert stripped(result.output) == nested(canonical, kind)


def test_a_value_inside_a_sequence_stored_as_un_in_a_big_endian_file_is_made_canonical():
    def file(value: bytes) -> bytes:
        content = item(implicit(0x00400007, value)) + e.delimiter(e.SEQUENCE_END)
        return part10(
            element(0x00100010, "PN", b"A^B ", order=">")
            + element(0x00400275, "UN", content, order=">", length=e.UNDEFINED),
            e.BIG,
        )

    assert stripped(signed(file(b"abc")).output) == file(b"abc ")


def test_fragments_of_odd_length_are_padded():
    def file(fragment: bytes) -> bytes:
        return part10(element(0x00100010, "PN", b"A^B ") + e.encapsulated(b"", fragment), e.RLE)

    result = signed(file(b"\1\2\3"))
    assert stripped(result.output) == file(b"\1\2\3\0")


def test_what_another_signature_covers_is_left_alone():
    """To make it canonical would break that signature for readers that hash what is stored."""
    data = DATA | {0x00104000: ODD[0x00104000]}
    first = Parts(data=data)
    result = signed(first.file())
    assert codes(result) == ["padding-kept"]
    assert stripped(result.output) == part10(s.joined(data))
    assert [x.mac.encoding for x in checked(result.output).signatures] == ["stored", "stored"]


def test_what_another_signature_does_not_cover_is_made_canonical():
    data = DATA | ODD
    first = Parts(data=data, listed=tuple(sorted({*DATA, 0x00104000})))
    result = signed(first.file())
    assert codes(result) == ["padding-kept", "padding-canonicalised"]
    assert stripped(result.output) == part10(s.joined(data | CANONICAL | {0x00104000: ODD[0x00104000]}))


def test_a_value_that_would_not_fit_its_length_once_padded_is_an_output_error():
    value = b"x" * 0xFFFF
    with pytest.raises(dsig.OutputError, match="65536"):
        signed(part10(s.joined(DATA | {0x00104000: element(0x00104000, "LT", value)})))


def test_a_dump_holds_the_bytes_that_were_hashed(tmp_path):
    dump = tmp_path / "hashed"
    result = signed(part10(s.joined(DATA | ODD)), dump=str(dump))
    hashed = dump.read_bytes()
    data_set = s.joined(DATA | CANONICAL)
    assert hashed.startswith(data_set)
    item_part = Parts(
        uid=result.uid, item={s.DATE_TIME: element(s.DATE_TIME, "DT", result.date_time.encode())}
    ).stream()[len(s.joined(DATA)) :]
    assert hashed == data_set + item_part
