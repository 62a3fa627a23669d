"""Signatures taken elsewhere: to another instance, another level, or into a former state."""

from __future__ import annotations

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, implicit, item, part10, sequence
from support.pki import BASE, checked, key
from support.signed import DATA, Parts

import dsig

GOOD = Parts()
ORIGINAL = 0x04000561
MODIFIED = 0x04000550
SEQUENCES = {n: GOOD.elements()[n] for n in (s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES)}
OTHER_UID = {0x00080018: element(0x00080018, "UI", b"9.9.9.9\0")}


def only(report: dsig.FileReport) -> dsig.SignatureReport:
    [signature] = report.signatures
    return signature


def test_a_signature_copied_to_another_instance_is_refused():
    report = checked(part10(s.joined(DATA | OTHER_UID | SEQUENCES)))
    assert [f.code for f in only(report).axes["integrity"].findings] == ["mac-mismatch"]
    assert report.verdict == "failed"


@pytest.mark.parametrize("name", ["ct.dcm", "rtplan.dcm", "sr_comp.dcm"])
def test_a_signature_copied_between_files_of_the_corpus_is_refused(name: str):
    other = (BASE / name).read_bytes()
    signed = dsig.sign(other, key=key()).output
    plain = dsig.remove(signed, everything=True).output
    assert isinstance(plain, bytes)
    report = checked(plain + SEQUENCES[s.MAC_PARAMETERS] + SEQUENCES[s.DIGITAL_SIGNATURES])
    assert report.verdict in ("failed", "error")


def test_a_signature_over_what_two_instances_have_in_common_says_what_it_does_not_cover():
    """It fits both; that the instance UID is not signed is for the policy to judge."""
    parts = GOOD.but(listed=(0x00100010, 0x00100020))
    moved = part10(s.joined(DATA | OTHER_UID | {n: parts.elements()[n] for n in SEQUENCES}))
    signature = only(checked(moved))
    assert signature.axes["integrity"].status == "passed"
    assert "00080018" in [x.tag for x in signature.coverage.unsigned]
    assert signature.axes["coverage"].status == "indeterminate"
    assert only(checked(moved, require_coverage=(0x00080018,))).verdict == "failed"


def test_a_signed_item_taken_to_another_instance_is_reported_as_that_item_only():
    where = "RequestAttributesSequence[0]"
    content = {0x00400007: element(0x00400007, "LO", b"ab")}
    parts = Parts(data=content)
    moved = part10(s.joined(DATA | OTHER_UID | {0x00400275: sequence(0x00400275, item(parts.data_set()))}))
    signature = only(checked(moved))
    assert (signature.location, signature.mac.elements) == (where, (0x00400007,))


def test_a_signature_taken_out_of_its_item_is_refused():
    parts = Parts(data={0x00400007: element(0x00400007, "LO", b"ab")})
    outer = DATA | {n: parts.elements()[n] for n in SEQUENCES}
    report = checked(part10(s.joined(outer)))
    assert "list-names-absent" in [f.code for f in only(report).axes["structure"].findings]
    assert report.verdict == "failed"


# ------------------------------------------------------------------------------------------------- Original Attributes


def original(content: bytes, *, kind: str = "SQ") -> dict[int, bytes]:
    """Original Attributes with something in its Modified Attributes."""
    if kind == "SQ":
        return {ORIGINAL: sequence(ORIGINAL, item(sequence(MODIFIED, item(content))))}
    inner = implicit(MODIFIED, item(content) + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)
    return {ORIGINAL: element(ORIGINAL, "UN", item(inner) + e.delimiter(e.SEQUENCE_END), length=e.UNDEFINED)}


def test_a_signature_of_a_former_state_is_named_and_not_counted():
    """PS3.3 C.12.1.1.9: it was made over what the data set was before."""
    report = checked(part10(s.joined(DATA | original(GOOD.data_set()))))
    assert (report.verdict, report.signatures) == ("unsigned", ())
    [finding] = report.findings
    assert (finding.code, finding.severity) == ("historic-signature", "info")
    assert finding.location == "OriginalAttributesSequence[0].ModifiedAttributesSequence[0]"


def test_the_true_data_set_kept_as_a_former_state_does_not_vouch_for_a_forged_one():
    forged = DATA | {0x00100010: element(0x00100010, "PN", b"Forged^A")}
    assert checked(part10(s.joined(forged | original(GOOD.data_set())))).verdict == "unsigned"


def test_a_former_state_hidden_in_un_is_not_counted_either():
    as_implicit = s.joined(
        {n: implicit(n, w[8:] if w[4:6].decode() in e.SHORT_VRS else w[12:]) for n, w in DATA.items()}
    )
    signatures = implicit(s.DIGITAL_SIGNATURES, item())
    report = checked(part10(s.joined(DATA | original(as_implicit + signatures, kind="UN"))))
    assert (report.verdict, [f.code for f in report.findings]) == ("unsigned", ["historic-signature"])


def test_a_bad_signature_of_a_former_state_does_not_spoil_a_good_present_one():
    broken = sequence(s.DIGITAL_SIGNATURES, item(element(0x00100010, "PN", b"forged")))
    data = DATA | original(broken)
    signed = dsig.sign(part10(s.joined(data)), key=key()).output
    report = checked(signed)
    assert (report.verdict, len(report.signatures)) == ("passed", 1)
    assert [f.code for f in report.findings] == ["historic-signature"]


def test_removing_all_signatures_leaves_those_of_a_former_state():
    data = DATA | original(GOOD.data_set())
    signed = dsig.sign(part10(s.joined(data)), key=key()).output
    removed = dsig.remove(signed, everything=True)
    assert removed.output == part10(s.joined(data))
    assert len(removed.signatures) == 1
