"""Content put where a MAC does not reach or a finding does not show: refused all the same."""

from __future__ import annotations

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import checked, key
from support.signed import DATA, Parts

import dsig

GOOD = Parts()


def test_a_purpose_that_no_mac_covers_is_refused():
    """A UN element makes the purpose sequence unsignable, so it could be put into any signature item."""
    code = s.PURPOSE_CODE.replace(b"1 ", b"5 ") + element(0x00091001, "UN", b"ab")
    items = [item(s.joined(GOOD.item_elements() | {s.PURPOSE: sequence(s.PURPOSE, item(code))}))]
    report = checked(part10(s.with_sequences(DATA, [item(s.joined(GOOD.mac_elements()))], items)))
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed"
    assert [f.code for f in signature.axes["structure"].findings if f.severity == "error"] == ["wrong-vr"]
    assert report.verdict == "failed"


@pytest.mark.parametrize("number", [0x00041500, 0x00080001])
def test_what_no_mac_covers_inside_a_purpose_is_refused(number: int):
    """The item of the purpose is hashed, low groups in it are not."""
    code = element(number, "CS", b"5 ") + s.PURPOSE_CODE
    parts = GOOD.but(item={s.PURPOSE: sequence(s.PURPOSE, item(code))}, hashed={s.PURPOSE: s.PURPOSE_HASHED})
    [signature] = checked(parts.file()).signatures
    assert signature.axes["integrity"].status == "passed"
    assert [f.code for f in signature.axes["structure"].findings] == ["foreign-attribute"]
    assert signature.verdict == "failed"


@pytest.mark.parametrize(
    ("number", "hidden"),
    [
        (0x00100000, element(0x00100000, "LT", b"Forged^Name ")),
        (0x00100000, element(0x00100000, "UL", bytes(8))),
        (0xFFFCFFFC, sequence(0xFFFCFFFC, item(DATA[0x00100010]))),
    ],
    ids=["text as group length", "two group lengths", "sequence as padding"],
)
@pytest.mark.parametrize("nested", [False, True])
def test_content_in_the_guise_of_group_lengths_and_padding_is_told(number: int, hidden: bytes, nested: bool):
    data = DATA | ({0x00400275: sequence(0x00400275, item(hidden))} if nested else {})
    hashed = {0x00400275: bytes.fromhex("4000 7502 5351 0000 feff00e0 feffdde0")} if nested else {}
    parts = GOOD.but(data=data, hashed=hashed)
    file = part10(s.joined(parts.elements() | ({} if nested else {number: hidden})))
    [signature] = checked(file).signatures
    assert signature.verdict == "passed"
    assert [(u.tag, u.reason) for u in signature.coverage.unsigned] == [(f"{number:08X}", "unsignable-tag")]
    assert checked(file, strict=True).verdict == "failed"


def test_group_lengths_and_padding_that_are_such_are_no_gap_of_coverage():
    more = {
        0x00100000: element(0x00100000, "UL", bytes(4)),
        0xFFFCFFFC: element(0xFFFCFFFC, "OB", bytes(8)),
    }
    [signature] = checked(part10(s.joined(GOOD.elements() | more))).signatures
    assert (signature.verdict, signature.coverage.unsigned) == ("passed", ())


@pytest.mark.parametrize("place", ["mac", "item"])
def test_content_in_the_guise_of_a_group_length_is_foreign_to_a_signature_too(place: str):
    """No MAC covers an element 0000; a true group length is four bytes."""
    number = 0x04000000
    for whole, severity in (
        (element(number, "UL", bytes(4)), None),
        (element(number, "LO", b"Forged^Name "), "warning" if place == "mac" else "error"),
    ):
        parts = GOOD.but(**{place: {number: whole}}, hashed={number: b""})
        [signature] = checked(parts.file()).signatures
        assert signature.axes["integrity"].status == "passed"
        said = [f.severity for f in signature.axes["structure"].findings if f.code == "foreign-attribute"]
        assert said == ([severity] if severity else [])


def test_mac_parameters_that_no_signature_refers_to_are_told():
    """Nothing of them is hashed: anything could be in there."""
    other = GOOD.but(mac_id=5, mac={0x00100010: DATA[0x00100010]})
    macs = [item(s.joined(p.mac_elements())) for p in (GOOD, other)]
    file = part10(s.with_sequences(DATA, macs, [item(s.joined(GOOD.item_elements()))]))
    [signature] = checked(file).signatures
    said = [(f.code, f.severity, f.location) for f in signature.axes["structure"].findings]
    assert said == [("mac-parameters-left", "warning", "MACParametersSequence[1]")]
    assert signature.verdict == "passed"
    assert checked(file, strict=True).verdict == "failed"


def test_mac_parameters_without_signatures_in_an_item_are_told():
    """They are in no MAC, so anything could be in there, inside of a signed sequence too."""
    hidden = sequence(s.MAC_PARAMETERS, item(DATA[0x00100010]))
    stream = bytes.fromhex("4000 7502 5351 0000 feff00e0 feffdde0")
    parts = GOOD.but(data=DATA | {0x00400275: sequence(0x00400275, item(hidden))}, hashed={0x00400275: stream})
    report = checked(parts.file())
    said = [(f.code, f.severity, f.location) for f in report.findings]
    place = "RequestAttributesSequence[0].(4FFE,0001)"
    assert said == [("mac-parameters-left", "warning", place)]
    assert report.verdict == "passed"
    assert checked(parts.file(), strict=True).verdict == "failed"


@pytest.mark.parametrize("undefined", [False, True])
def test_an_empty_digital_signatures_sequence_is_told(undefined: bool):
    empty = sequence(s.DIGITAL_SIGNATURES, undefined=undefined)
    report = checked(part10(s.joined(DATA | {s.DIGITAL_SIGNATURES: empty})))
    assert (report.verdict, [f.code for f in report.findings]) == ("unsigned", ["mac-parameters-left"])


def flooded() -> bytes:
    """A forged second name behind 200 delimiters that have a length."""
    oddity = e.delimiter(e.ITEM, "<", e.UNDEFINED) + e.delimiter(e.ITEM_END, length=2)
    flood = element(0x00091001, "SQ", oddity * 200 + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
    whole = s.joined(GOOD.elements() | {0x00091001: flood})
    at = whole.index(DATA[0x00100020])
    return part10(whole[:at] + element(0x00100010, "PN", b"Forged^A") + whole[at:])


def test_a_duplicate_behind_many_other_oddities_is_told():
    report = checked(flooded())
    assert "duplicate-tag" in {f.code for f in report.signatures[0].axes["structure"].findings}
    assert report.verdict == "failed"


def test_a_duplicate_behind_many_other_oddities_is_not_signed():
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(flooded(), key=key())
    assert caught.value.code == "delimiter-length"


def test_a_signed_item_of_a_sequence_that_occurs_twice_is_refused():
    """Readers that take the last of the two show the forged item."""
    inner = Parts(data={0x00400007: element(0x00400007, "LO", b"true")})
    forged = item(element(0x00400007, "LO", b"forged"))
    report = checked(
        part10(DATA[0x00100010] + sequence(0x00400275, item(inner.data_set())) + sequence(0x00400275, forged))
    )
    assert "duplicate-tag" in {f.code for f in report.signatures[0].axes["structure"].findings}
    assert report.verdict == "failed"


@pytest.mark.parametrize("required", ["all", (0x00080018,)])
def test_coverage_means_the_data_set_and_not_an_item_of_it(required):
    """A signed data set wrapped into a forged one keeps its signature, which then covers an item only."""
    forged = part10(element(0x00080018, "UI", b"6.6.6\0") + sequence(0x0040A730, item(GOOD.data_set())))
    report = checked(forged, require_coverage=required)
    assert "coverage-required" in {f.code for f in report.signatures[0].axes["coverage"].findings}
    assert report.verdict == "failed"
