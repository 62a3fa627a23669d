"""Small files that ask for much work: refused with the name of a limit, or done in little time all the same."""

from __future__ import annotations

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import checked
from support.signed import Parts, joined

import dsig

CONTENT = 0x0040A730


def claimed(uid: str, listed: tuple[int, ...]) -> dict[int, bytes]:
    """The two sequences of a signature that costs nothing to make, because it is none."""
    parts = Parts(uid=uid, listed=listed)
    value = {s.SIGNATURE: element(s.SIGNATURE, "OB", bytes(256))}
    return {
        s.MAC_PARAMETERS: sequence(s.MAC_PARAMETERS, item(joined(parts.mac_elements()))),
        s.DIGITAL_SIGNATURES: sequence(s.DIGITAL_SIGNATURES, item(joined(parts.unsigned_item() | value))),
    }


def test_signatures_nested_in_each_other_cost_no_more_than_others():
    """Fifty items, each signing the sequence of the next, and nothing around them that fixes the first.

    Work that doubles with each level would never end.
    """
    level = item(joined({0x00400007: element(0x00400007, "LO", b"ab")} | claimed("1.2.3.99", (0x00400007,))))
    for depth in range(50):
        level = item(joined({CONTENT: sequence(CONTENT, level)} | claimed(f"1.2.3.{depth}", (CONTENT,))))
    report = checked(part10(sequence(CONTENT, level)))
    assert len(report.signatures) == 51
    loose = [x for x in report.signatures if "item-relocatable" in {f.code for f in x.axes["structure"].findings}]
    assert len(loose) == 51
    assert report.verdict == "failed"


@pytest.fixture(scope="module")
def many() -> bytes:
    """Twenty signatures over a list as long as lists can be, in a data set with as many elements as may be."""
    data = {number: element(number, "LO") for number in range(0x00110010, 0x00110010 + 60_000)}
    parts = Parts(data=data, listed=tuple(sorted(data))[:16383])
    value = {s.SIGNATURE: element(s.SIGNATURE, "OB", bytes(256))}
    items = [
        item(joined(parts.unsigned_item() | value | {s.UID: element(s.UID, "UI", e.text(f"1.2.{n}", b"\0"))}))
        for n in range(20)
    ]
    return part10(s.with_sequences(data, [item(joined(parts.mac_elements()))], items))


def test_signatures_times_elements_are_limited(many: bytes):
    report = checked(many)
    assert report.error is not None
    assert (report.verdict, report.error.code) == ("error", "limit-exceeded")
    assert "signature_work" in report.error.message


def test_that_limit_can_be_raised(many: bytes):
    options = dsig.VerifyOptions(check_trust=False, limits=dsig.Limits(signature_work=1 << 21))
    assert len(dsig.verify(many, options).signatures) == 20
