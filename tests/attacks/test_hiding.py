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
