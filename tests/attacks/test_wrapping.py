"""Signed content moved to where the MAC still covers it but no reader looks: refused by what the items may hold.

The MAC does not say where the data set ends and the signature item begins (reference section 9). Each file here has the
very MAC of a good one, which the integrity axis confirms; the structure gate has to tell.
"""

from __future__ import annotations

import pytest
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import checked
from support.signed import Parts

import dsig

CONTENT = 0x0040A730
FINDING = element(0x0040A160, "UT", b"no finding")
TRUE = sequence(CONTENT, item(FINDING))
TRUE_HASHED = bytes.fromhex("400030a7 5351 0000 feff00e0") + FINDING + b"\xfe\xff\xdd\xe0"
FORGED = sequence(CONTENT, item(element(0x0040A160, "UT", b"metastases")))
REPORT = {
    0x00080018: element(0x00080018, "UI", b"1.2.3.4.5.6\0"),
    0x00100010: element(0x00100010, "PN", b"Doe^Jane"),
    0x0040A040: element(0x0040A040, "CS", b"CONTAINER "),
    CONTENT: TRUE,
}
SIGNED = Parts(data=REPORT, hashed={CONTENT: TRUE_HASHED})


def file_of(data: dict[int, bytes], listed: list[int], in_item: dict[int, bytes]) -> bytes:
    """The signature of the good report around another data set, with other tags listed and more in its item."""
    mac = SIGNED.but(listed=tuple(listed)).mac_elements()
    content = SIGNED.item_elements() | in_item
    return part10(s.with_sequences(data, [item(s.joined(mac))], [item(s.joined(content))]))


def only(report: dsig.FileReport) -> dsig.SignatureReport:
    [signature] = report.signatures
    return signature


def errors(signature: dsig.SignatureReport) -> set[str]:
    return {f.code for f in signature.axes["structure"].findings if f.severity == "error"}


def test_the_report_is_good_as_it_was_signed():
    assert checked(SIGNED.file()).verdict == "passed"


@pytest.mark.parametrize("moved", [[CONTENT], [0x0040A040, CONTENT], [0x00100010, 0x0040A040, CONTENT]])
def test_signed_elements_moved_into_the_signature_item_are_refused(moved: list[int]):
    stay = [number for number in REPORT if number not in moved]
    forged = {number: whole for number, whole in REPORT.items() if number in stay} | {CONTENT: FORGED}
    signature = only(checked(file_of(forged, stay, {number: REPORT[number] for number in moved})))
    assert signature.axes["integrity"].status == "passed"
    assert errors(signature) == {"foreign-attribute"}
    assert signature.verdict == "failed"


def test_a_signature_that_brings_all_its_content_along_is_refused_on_another_instance():
    image = {0x00080018: element(0x00080018, "UI", b"9.9.9\0"), 0x7FE00010: element(0x7FE00010, "OW", b"\1\2")}
    signature = only(checked(file_of(image, [0x00189999], REPORT)))
    assert signature.axes["integrity"].status == "passed"
    assert errors(signature) == {"foreign-attribute", "list-names-absent"}
    assert signature.verdict == "failed"


def test_a_signature_that_brings_all_its_content_along_and_lists_nothing_is_refused():
    signature = only(checked(file_of({0x00080018: REPORT[0x00080018]}, [], REPORT)))
    assert {"foreign-attribute", "list-empty"} <= errors(signature)
    assert signature.verdict == "failed"


def test_attributes_of_the_signature_item_moved_into_the_data_set_are_refused():
    """The same border, crossed the other way."""
    moved = {number: SIGNED.item_elements()[number] for number in (s.MAC_ID, s.UID, s.DATE_TIME)}
    left = {n: whole for n, whole in SIGNED.item_elements().items() if n not in moved}
    mac = SIGNED.but(listed=(*sorted(REPORT), *sorted(moved))).mac_elements()
    data = REPORT | moved
    report = checked(part10(s.with_sequences(data, [item(s.joined(mac))], [item(s.joined(left))])))
    assert "missing-attribute" in errors(only(report))
    assert report.verdict == "failed"


def test_signed_elements_hidden_in_a_group_no_mac_covers_are_refused():
    """A copy of the true content beside the forged one, in an item of the signature sequence of its own."""
    items = [item(s.joined(SIGNED.item_elements())), item(TRUE)]
    forged = REPORT | {CONTENT: FORGED}
    report = checked(part10(s.with_sequences(forged, [item(s.joined(SIGNED.mac_elements()))], items)))
    assert report.verdict == "failed"
    assert [x.axes["integrity"].status for x in report.signatures] == ["failed", "not-checked"]


def test_a_signed_data_set_wrapped_into_an_item_is_reported_for_the_item_only():
    wrapped = sequence(CONTENT, item(SIGNED.data_set()))
    forged = {n: whole for n, whole in REPORT.items() if n != CONTENT} | {CONTENT: wrapped}
    report = checked(part10(s.joined(forged)))
    signature = only(report)
    assert signature.location == "ContentSequence[0]"
    assert report.sop_instance_uid == "1.2.3.4.5.6"


def test_a_signature_moved_to_the_level_above_its_data_finds_no_data():
    """MAC Parameters and signature must stand at the level they are about."""
    inner = {n: whole for n, whole in REPORT.items() if n != CONTENT}
    signed = Parts(data=inner)
    outer = {CONTENT: sequence(CONTENT, item(s.joined(inner)))}
    macs, items = [item(s.joined(signed.mac_elements()))], [item(s.joined(signed.item_elements()))]
    report = checked(part10(s.with_sequences(outer, macs, items)))
    assert errors(only(report)) == {"list-names-absent"}
    assert only(report).axes["integrity"].status == "failed"
    assert report.verdict == "failed"


def test_mac_parameters_of_another_level_are_not_taken():
    macs = sequence(s.MAC_PARAMETERS, item(s.joined(SIGNED.mac_elements())))
    items = sequence(s.DIGITAL_SIGNATURES, item(s.joined(SIGNED.item_elements())))
    inner = s.joined(REPORT | {s.DIGITAL_SIGNATURES: items})
    report = checked(part10(sequence(0x00400275, item(inner)) + macs))
    assert errors(only(report)) == {"mac-id-dangling"}
    assert report.verdict == "failed"
