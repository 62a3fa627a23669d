"""The structure gate: each way in which a well-signed file is not what the standard says, and the code it gets.

Every file here is signed over the very bytes it has, so that nothing but the gate objects.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence, text
from support.pki import checked, key, signer
from support.signed import DATA, Parts

import dsig
from dsig.limits import DEFAULT

GOOD = Parts()


def only(report: dsig.FileReport) -> dsig.SignatureReport:
    assert report.error is None
    [signature] = report.signatures
    return signature


def codes(axis: dsig.Axis, severity: str = "error") -> list[str]:
    return [f.code for f in axis.findings if f.severity == severity]


# ------------------------------------------------------------------------------------------------------- what is good


def test_a_file_signed_by_hand_passes_without_a_finding():
    report = checked(GOOD.file())
    signature = only(report)
    assert (report.verdict, signature.verdict) == ("passed", "passed")
    assert all(signature.axes[name].findings == () for name in ("structure", "integrity", "trust"))
    assert report.findings == ()


def test_everything_that_is_optional_may_be_there():
    token = element(s.TIMESTAMP, "OB", b"0\0") + b""
    parts = GOOD.but(
        item={
            s.PURPOSE: sequence(s.PURPOSE, item(s.PURPOSE_CODE)),
            s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "CS", b"CMS_TSP "),
            s.TIMESTAMP: token,
        },
        hashed={s.PURPOSE: s.PURPOSE_HASHED},
    )
    signature = only(checked(parts.file()))
    assert signature.axes["structure"].status == "passed"
    assert signature.axes["integrity"].status == "passed"
    assert signature.purpose is not None
    assert (signature.purpose.code, signature.purpose.scheme, signature.purpose.meaning) == (
        "1", "ASTM-sigpurpose", "Author's Signature",
    )  # fmt: skip


def test_what_a_signature_says_of_itself_is_reported_without_padding():
    signature = only(checked(GOOD.but(uid="1.2.3", mac_id=258).file()))
    assert (signature.uid, signature.location, signature.times.claimed) == ("1.2.3", "/", "20260101120000.000000+0000")
    assert (signature.mac.id, signature.mac.algorithm, signature.mac.transfer_syntax) == (258, "SHA256", e.LITTLE)
    assert signature.mac.elements == tuple(sorted(DATA))


# ----------------------------------------------------------------------------------------- the two items, one by one

NAMES = {
    s.MAC_ID: "MAC ID", s.UID: "UID", s.DATE_TIME: "date and time", s.CERTIFICATE_TYPE: "certificate type",
    s.CERTIFICATE: "certificate", s.SIGNATURE: "signature", s.MAC_TRANSFER_SYNTAX: "transfer syntax",
    s.MAC_ALGORITHM: "algorithm", s.ELEMENTS_SIGNED: "elements", s.PURPOSE: "purpose",
    s.TIMESTAMP_TYPE: "timestamp type", s.TIMESTAMP: "timestamp",
}  # fmt: skip
IN_ITEM = (s.MAC_ID, s.UID, s.DATE_TIME, s.CERTIFICATE_TYPE, s.CERTIFICATE, s.SIGNATURE)
IN_MAC = (s.MAC_ID, s.MAC_TRANSFER_SYNTAX, s.MAC_ALGORITHM, s.ELEMENTS_SIGNED)


@pytest.mark.parametrize("number", IN_ITEM, ids=NAMES.get)
def test_a_signature_item_without_a_required_attribute_is_refused(number: int):
    signature = only(checked(GOOD.but(item={number: b""}).file()))
    assert "missing-attribute" in codes(signature.axes["structure"])
    assert signature.verdict == "failed"


@pytest.mark.parametrize("number", IN_MAC, ids=NAMES.get)
def test_a_mac_parameters_item_without_a_required_attribute_is_refused(number: int):
    signature = only(checked(GOOD.but(mac={number: b""}).file()))
    expected = "mac-id-dangling" if number == s.MAC_ID else "missing-attribute"
    assert expected in codes(signature.axes["structure"])
    assert signature.verdict == "failed"


@pytest.mark.parametrize("number", IN_ITEM, ids=NAMES.get)
def test_a_signature_item_with_an_empty_attribute_is_refused(number: int):
    vr = {s.MAC_ID: "US", s.UID: "UI", s.DATE_TIME: "DT", s.CERTIFICATE_TYPE: "CS"}.get(number, "OB")
    signature = only(checked(GOOD.but(item={number: element(number, vr)}).file()))
    assert "empty-attribute" in codes(signature.axes["structure"])
    assert signature.verdict == "failed"


@pytest.mark.parametrize("number", [s.MAC_TRANSFER_SYNTAX, s.MAC_ALGORITHM, s.ELEMENTS_SIGNED], ids=NAMES.get)
def test_a_mac_parameters_item_with_an_empty_attribute_is_refused(number: int):
    vr = {s.MAC_TRANSFER_SYNTAX: "UI", s.MAC_ALGORITHM: "CS"}.get(number, "AT")
    signature = only(checked(GOOD.but(mac={number: element(number, vr)}).file()))
    assert "empty-attribute" in codes(signature.axes["structure"])
    assert signature.verdict == "failed"


@dataclass(frozen=True)
class Wrong:
    """One thing wrong with a signature that is good otherwise."""

    code: str
    parts: Parts
    integrity: str = "passed"
    """What the integrity axis says nevertheless."""


FOREIGN = element(0x00400007, "LO", b"ab")
WRONG = {
    "a foreign attribute in the signature item": Wrong("foreign-attribute", GOOD.but(item={0x00400007: FOREIGN})),
    "a private attribute in the signature item": Wrong(
        "foreign-attribute", GOOD.but(item={0x04010010: element(0x04010010, "LO", b"WHO ")})
    ),
    "an attribute of MAC Parameters in the signature item": Wrong(
        "foreign-attribute", GOOD.but(item={s.MAC_ALGORITHM: element(s.MAC_ALGORITHM, "CS", b"SHA256")})
    ),
    "a foreign attribute that no MAC would cover": Wrong(
        "foreign-attribute",
        GOOD.but(item={0x00410010: element(0x00410010, "UN", b"ab")}, hashed={0x00410010: b""}),
    ),
    "pixel data in the signature item": Wrong(
        "foreign-attribute", GOOD.but(item={0x7FE00010: element(0x7FE00010, "OW", b"\1\2")})
    ),
    "signatures in the signature item": Wrong(
        "foreign-attribute",
        GOOD.but(item={s.DIGITAL_SIGNATURES: sequence(s.DIGITAL_SIGNATURES)}, hashed={s.DIGITAL_SIGNATURES: b""}),
    ),
    "a UID of VR LO": Wrong("wrong-vr", GOOD.but(item={s.UID: element(s.UID, "LO", b"1.2.34")})),
    "a date and time of VR LO": Wrong(
        "wrong-vr", GOOD.but(item={s.DATE_TIME: element(s.DATE_TIME, "LO", b"20260101120000+0000 ")})
    ),
    "a MAC ID of VR UL": Wrong("wrong-vr", GOOD.but(item={s.MAC_ID: element(s.MAC_ID, "UL", bytes(4))}), "not-checked"),
    "a signature of VR OW": Wrong(
        "wrong-vr", GOOD.but(item={s.SIGNATURE: element(s.SIGNATURE, "OW", bytes(256))}), "failed"
    ),
    "a certificate of VR OW": Wrong(
        "wrong-vr",
        GOOD.but(item={s.CERTIFICATE: element(s.CERTIFICATE, "OW", s.even(signer().certificate))}),
    ),
    "a purpose that is no sequence": Wrong("wrong-vr", GOOD.but(item={s.PURPOSE: element(s.PURPOSE, "LO", b"ab")})),
    "a list of VR UL": Wrong(
        "wrong-vr",
        GOOD.but(mac={s.ELEMENTS_SIGNED: element(s.ELEMENTS_SIGNED, "UL", s.tags(*sorted(DATA)))}),
    ),
    "an algorithm of VR LO": Wrong(
        "wrong-vr", GOOD.but(mac={s.MAC_ALGORITHM: element(s.MAC_ALGORITHM, "LO", b"SHA256")})
    ),
    "two UIDs": Wrong("wrong-value", GOOD.but(item={s.UID: element(s.UID, "UI", b"1.2.3\\1.2.4\0")})),
    "two dates and times": Wrong(
        "wrong-value", GOOD.but(item={s.DATE_TIME: element(s.DATE_TIME, "DT", b"20260101\\20270101 ")})
    ),
    "two algorithms": Wrong(
        "wrong-value",
        GOOD.but(mac={s.MAC_ALGORITHM: element(s.MAC_ALGORITHM, "CS", b"SHA256\\SHA512 ")}),
        "indeterminate",
    ),
    "two MAC IDs": Wrong(
        "wrong-value", GOOD.but(item={s.MAC_ID: element(s.MAC_ID, "US", bytes(4))}), "not-checked"
    ),
    "another certificate type": Wrong(
        "certificate-type", GOOD.but(item={s.CERTIFICATE_TYPE: element(s.CERTIFICATE_TYPE, "CS", b"PGP ")})
    ),
    "a certificate type in small letters": Wrong(
        "certificate-type", GOOD.but(item={s.CERTIFICATE_TYPE: element(s.CERTIFICATE_TYPE, "CS", b"x509_1993_sig ")})
    ),
    "no certificate at all in the certificate": Wrong(
        "certificate-unreadable",
        GOOD.but(item={s.CERTIFICATE: element(s.CERTIFICATE, "OB", b"certificate!")}),
        "not-checked",
    ),
    "bytes behind the certificate": Wrong(
        "certificate-unreadable",
        GOOD.but(item={s.CERTIFICATE: element(s.CERTIFICATE, "OB", s.even(signer().certificate) + b"\0\0")}),
        "not-checked",
    ),
    "two purposes": Wrong(
        "wrong-value",
        GOOD.but(
            item={s.PURPOSE: sequence(s.PURPOSE, item(s.PURPOSE_CODE), item())},
            hashed={s.PURPOSE: s.PURPOSE_HASHED[:-4] + bytes.fromhex("feff00e0 feffdde0")},
        ),
    ),
    "a purpose without item": Wrong(
        "wrong-value",
        GOOD.but(
            item={s.PURPOSE: sequence(s.PURPOSE)},
            hashed={s.PURPOSE: bytes.fromhex("00040104 5351 0000 feffdde0")},
        ),
    ),
    "half a tag in the list": Wrong(
        "elements-signed",
        GOOD.but(mac={s.ELEMENTS_SIGNED: element(s.ELEMENTS_SIGNED, "AT", s.tags(*sorted(DATA)) + b"\x10\0")}),
    ),
    "an empty list": Wrong(
        "list-empty", GOOD.but(listed=(), mac={s.ELEMENTS_SIGNED: element(s.ELEMENTS_SIGNED, "AT")}), "not-checked"
    ),
    "a tag twice in the list": Wrong("list-duplicates", GOOD.but(listed=(*sorted(DATA), 0x7FE00010))),
    "a list out of order": Wrong("list-not-ascending", GOOD.but(listed=tuple(sorted(DATA, reverse=True)))),
    "an absent element in the list": Wrong("list-names-absent", GOOD.but(listed=(*sorted(DATA), 0x7FE00011))),
    "a group length in the list": Wrong(
        "list-names-unsignable",
        GOOD.but(
            data=DATA | {0x00100000: element(0x00100000, "UL", bytes(4))}, hashed={0x00100000: b""},
        ),
    ),
    "an element of VR UN in the list": Wrong(
        "list-names-unsignable",
        GOOD.but(data=DATA | {0x00410010: element(0x00410010, "UN", b"ab")}, hashed={0x00410010: b""}),
    ),
    "a sequence with UN inside in the list": Wrong(
        "list-names-unsignable",
        GOOD.but(
            data=DATA | {0x00400275: sequence(0x00400275, item(element(0x00410010, "UN", b"ab")))},
            hashed={0x00400275: b""},
        ),
    ),
    "the signatures themselves in the list": Wrong(
        "list-names-unsignable", GOOD.but(listed=(*sorted(DATA), s.DIGITAL_SIGNATURES)),
    ),
    "file meta information in the list": Wrong("list-names-unsignable", GOOD.but(listed=(0x00020010, *sorted(DATA)))),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_signature_is_refused_for(name: str):
    wrong = WRONG[name]
    signature = only(checked(wrong.parts.file()))
    assert wrong.code in codes(signature.axes["structure"])
    assert signature.axes["structure"].status == "failed"
    assert signature.verdict == "failed"


@pytest.mark.parametrize("name", WRONG)
def test_the_rest_of_a_refused_signature_is_judged_all_the_same(name: str):
    wrong = WRONG[name]
    assert only(checked(wrong.parts.file())).axes["integrity"].status == wrong.integrity


@pytest.mark.parametrize("name", WRONG)
def test_a_finding_says_where_it_was_found(name: str):
    wrong = WRONG[name]
    found = [f for f in only(checked(wrong.parts.file())).axes["structure"].findings if f.code == wrong.code]
    places = ("DigitalSignaturesSequence[0]", "MACParametersSequence[0]")
    assert found
    assert wrong.code == "certificate-unreadable" or all(f.location.startswith(places) for f in found)
    assert all(f.message and f.clause for f in found)


# ---------------------------------------------------------------------------------------------- dates and times (DT)


@pytest.mark.parametrize(
    "value",
    ["2026", "202601", "20260131", "2026013112", "202601311200", "20260131120000", "20260131120000.1",
     "20260131235960.999999", "20260131120000.123456+1400", "2026-1200", "20260131+0000"],
)  # fmt: skip
def test_a_date_and_time_may_have_any_precision(value: str):
    raw = element(s.DATE_TIME, "DT", text(value))
    signature = only(checked(GOOD.but(item={s.DATE_TIME: raw}).file()))
    assert signature.axes["structure"].status == "passed"
    assert signature.times.claimed == value
    offset = "+" in value or "-" in value
    assert ("datetime-without-offset" in codes(signature.axes["structure"], "warning")) is not offset


@pytest.mark.parametrize(
    "value",
    ["26", "20261301", "20260230", "2026013124", "202601311260", "20260131120061", "20260131120000.1234567",
     "20260131120000-0000", "20260131120000+1500", "20260131120000+0060", "2026-01-31", "20260131120000Z", "now",
     "20260101-", "0000"],
)  # fmt: skip
def test_what_is_no_date_and_time_is_refused(value: str):
    raw = element(s.DATE_TIME, "DT", text(value))
    signature = only(checked(GOOD.but(item={s.DATE_TIME: raw}).file()))
    assert "bad-datetime" in codes(signature.axes["structure"])
    assert signature.verdict == "failed"


# ------------------------------------------------------------------------------------------ what is worth a word only


def test_an_unknown_attribute_among_the_mac_parameters_means_nothing_but_is_reported():
    signature = only(checked(GOOD.but(mac={0x04000016: element(0x04000016, "LO", b"ab")}).file()))
    assert codes(signature.axes["structure"], "warning") == ["foreign-attribute"]
    assert signature.verdict == "passed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({s.TIMESTAMP: element(s.TIMESTAMP, "OB")}, "empty-attribute"),
        ({s.TIMESTAMP: element(s.TIMESTAMP, "OW", b"0\0")}, "wrong-vr"),
        ({s.TIMESTAMP_TYPE: b""}, "missing-attribute"),
        ({s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "CS")}, "empty-attribute"),
        ({s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "LO", b"CMS_TSP ")}, "wrong-vr"),
    ],
)
def test_a_timestamp_in_disorder_does_not_touch_the_signature(changes: dict[int, bytes], code: str):
    timestamp = {
        s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "CS", b"CMS_TSP "),
        s.TIMESTAMP: element(s.TIMESTAMP, "OB", b"0\0"),
    }
    signature = only(checked(GOOD.but(item=timestamp | changes).file()))
    assert code in codes(signature.axes["structure"], "warning")
    assert signature.axes["structure"].status == "passed"
    assert signature.axes["time"].status == "failed"


def test_a_group_length_in_the_signature_item_is_as_harmless_as_anywhere():
    group = element(0x04000000, "UL", bytes(4))
    signature = only(checked(GOOD.but(item={0x04000000: group}, hashed={0x04000000: b""}).file()))
    assert (signature.verdict, signature.axes["structure"].findings) == ("passed", ())


def test_a_signature_over_low_tags_only_is_told_that_the_border_is_not_fixed():
    low = {number: whole for number, whole in DATA.items() if number < 0x04000005}
    signature = only(checked(GOOD.but(data=low).file()))
    assert codes(signature.axes["structure"], "info") == ["relocatable"]
    assert signature.verdict == "passed"


def test_a_delimiter_with_a_length_is_refused():
    """PS3.5 7.5: readers that go by the length read on somewhere else."""
    ended = e.delimiter(e.ITEM, "<", e.UNDEFINED) + e.delimiter(e.ITEM_END) + e.delimiter(e.SEQUENCE_END, length=8)
    data = DATA | {0x00400275: element(0x00400275, "SQ", ended, length=e.UNDEFINED)}
    signature = only(checked(GOOD.but(data=data, listed=tuple(sorted(DATA))).file()))
    assert codes(signature.axes["structure"]) == ["delimiter-length"]
    assert signature.verdict == "failed"


def test_an_unknown_vr_is_refused():
    data = DATA | {0x00410010: e.tag(0x00410010) + b"ZZ" + bytes.fromhex("0000 02000000 6162")}
    signature = only(checked(GOOD.but(data=data, listed=tuple(sorted(DATA))).file()))
    assert codes(signature.axes["structure"]) == ["unknown-vr"]
    assert signature.verdict == "failed"


# -------------------------------------------------------------------------------- what the data set itself must be


def with_extra(*extra: tuple[int, bytes]) -> bytes:
    """A well-signed file with further elements put in, sorted behind those of their tag; the keys give the places."""
    whole = sorted([*GOOD.elements().items(), *extra], key=lambda pair: pair[0])
    return part10(b"".join(data for _, data in whole))


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ((0x00100010, element(0x00100010, "PN", b"Forged^A")), "duplicate-tag"),
        ((0x00100010, element(0x00080005, "CS", b"ISO_IR 100")), "tags-not-ascending"),
        ((0x00100011, e.tag(0x00100011) + b"OB\1\1" + bytes(4)), "reserved-bytes"),
        ((0x00400275, sequence(0x00400275, item(element(0x00400007, "LO", b"ab") * 2))), "duplicate-tag"),
    ],
    ids=["duplicate", "out of order", "reserved bytes", "duplicate in an item"],
)
def test_a_data_set_that_readers_could_read_in_two_ways_is_refused(extra: tuple[int, bytes], code: str):
    report = checked(with_extra(extra))
    assert code in codes(only(report).axes["structure"])
    assert report.verdict == "failed"
    assert code in [f.code for f in report.findings]


@pytest.mark.parametrize("number", [s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES], ids=["MAC parameters", "signatures"])
def test_a_second_sequence_of_one_kind_is_refused(number: int):
    report = checked(with_extra((number, GOOD.elements()[number])))
    assert report.verdict == "failed"
    assert "duplicate-tag" in [f.code for f in report.findings]


@pytest.mark.parametrize("where", [s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES], ids=["MAC parameters", "signature"])
def test_an_attribute_that_occurs_twice_in_an_item_is_refused(where: int):
    elements = GOOD.elements()
    content = s.joined(GOOD.mac_elements() if where == s.MAC_PARAMETERS else GOOD.item_elements())
    twice = element(s.MAC_ID, "US", b"\0\0") + content
    signature = only(checked(part10(s.joined(elements | {where: sequence(where, item(twice))}))))
    assert "duplicate-tag" in codes(signature.axes["structure"])
    assert signature.verdict == "failed"


def test_mac_parameters_that_are_no_sequence_leave_a_signature_without_its_parameters():
    report = checked(part10(s.joined(GOOD.elements() | {s.MAC_PARAMETERS: element(s.MAC_PARAMETERS, "OB", b"ab")})))
    assert set(codes(only(report).axes["structure"])) >= {"not-a-sequence", "mac-id-dangling"}
    assert report.verdict == "failed"


def test_signatures_that_are_no_sequence_are_refused_though_there_is_nothing_to_verify():
    other = GOOD.elements() | {s.DIGITAL_SIGNATURES: element(s.DIGITAL_SIGNATURES, "OB", b"ab")}
    report = checked(part10(s.joined(other)))
    assert (report.verdict, report.signatures) == ("failed", ())
    assert [f.code for f in report.findings] == ["not-a-sequence"]


@pytest.mark.parametrize("number", [s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES], ids=["MAC parameters", "signatures"])
def test_sequences_stored_as_un_are_refused(number: int):
    """Readers that do not look into UN would not see the signature at all."""
    as_implicit = {
        n: whole[:4]
        + struct.pack("<I", len(whole) - 8 - 4 * (whole[4:6] == b"OB"))
        + whole[8 + 4 * (whole[4:6] == b"OB") :]
        for n, whole in (GOOD.mac_elements() if number == s.MAC_PARAMETERS else GOOD.item_elements()).items()
    }
    content = item(s.joined(as_implicit)) + e.delimiter(e.SEQUENCE_END)
    stored = element(number, "UN", content, length=e.UNDEFINED)
    report = checked(part10(s.joined(GOOD.elements() | {number: stored})))
    assert codes(only(report).axes["structure"]) == ["wrong-vr"]
    assert only(report).axes["integrity"].status == "passed"
    assert report.verdict == "failed"


# --------------------------------------------------------------------------------------------------------- MAC IDs


def two(first: Parts, second: Parts, macs: list[Parts]) -> dsig.FileReport:
    items = [item(s.joined(parts.item_elements())) for parts in (first, second)]
    parameters = [item(s.joined(parts.mac_elements())) for parts in macs]
    return checked(part10(s.with_sequences(DATA, parameters, items)))


def test_a_signature_whose_mac_parameters_are_missing_is_refused():
    elements = GOOD.elements()
    other = sequence(s.MAC_PARAMETERS, item(s.joined(GOOD.but(mac_id=1).mac_elements())))
    for data in (elements | {s.MAC_PARAMETERS: other}, {n: d for n, d in elements.items() if n != s.MAC_PARAMETERS}):
        signature = only(checked(part10(s.joined(data))))
        assert codes(signature.axes["structure"]) == ["mac-id-dangling"]
        assert signature.axes["integrity"].status == "not-checked"
        assert signature.verdict == "failed"


def test_a_mac_id_that_two_mac_parameters_items_have_is_refused():
    first, other = GOOD, GOOD.but(algorithm="SHA512")
    parameters = [item(s.joined(parts.mac_elements())) for parts in (first, other)]
    data = s.with_sequences(DATA, parameters, [item(s.joined(first.item_elements()))])
    signature = only(checked(part10(data)))
    assert codes(signature.axes["structure"]) == ["mac-id-doubled"]
    assert signature.verdict == "failed"


def test_signatures_may_share_mac_parameters():
    report = two(GOOD, GOOD.but(uid="1.2.3.4.6", signer=signer("p256")), [GOOD])
    assert [x.verdict for x in report.signatures] == ["passed", "passed"]


def test_signatures_are_reported_in_the_order_they_stand_in():
    report = two(
        GOOD.but(mac_id=7, uid="1.2.7"), GOOD.but(mac_id=3, uid="1.2.3"), [GOOD.but(mac_id=3), GOOD.but(mac_id=7)]
    )
    assert [(x.uid, x.mac.id, x.verdict) for x in report.signatures] == [("1.2.7", 7, "passed"), ("1.2.3", 3, "passed")]


def test_a_signature_that_is_there_twice_counts_once():
    report = two(GOOD, GOOD, [GOOD])
    assert [codes(x.axes["structure"]) for x in report.signatures] == [[], ["signature-uid-doubled"]]
    assert (report.signatures[0].verdict, report.verdict) == ("passed", "failed")


# ------------------------------------------------------------------------------------------------ the MAC computation


def test_an_unknown_mac_algorithm_is_indeterminate():
    signature = only(checked(GOOD.but(mac={s.MAC_ALGORITHM: element(s.MAC_ALGORITHM, "CS", b"SHA257")}).file()))
    assert codes(signature.axes["integrity"]) == ["mac-algorithm-unknown"]
    assert (signature.axes["integrity"].status, signature.verdict) == ("indeterminate", "indeterminate")


@pytest.mark.parametrize("name", ["sha256", "Sha256"])
def test_the_case_of_a_mac_algorithm_matters(name: str):
    raw = element(s.MAC_ALGORITHM, "CS", name.encode())
    assert only(checked(GOOD.but(mac={s.MAC_ALGORITHM: raw}).file())).axes["integrity"].status == "indeterminate"


def test_spaces_around_a_mac_algorithm_do_not_matter():
    raw = element(s.MAC_ALGORITHM, "CS", b" SHA256 ")
    assert only(checked(GOOD.but(mac={s.MAC_ALGORITHM: raw}).file())).verdict == "passed"


@pytest.mark.parametrize("uid", ["1.2.3.4", "abc", "1.2.840.10009.1", "1.2.840.10008.1.2.77"])
def test_a_mac_transfer_syntax_that_was_made_unknown_fails(uid: str):
    """The signature matches the data as they stand: only the UID, which is not signed, is another."""
    raw = element(s.MAC_TRANSFER_SYNTAX, "UI", text(uid, b"\0"))
    signature = only(checked(GOOD.but(mac={s.MAC_TRANSFER_SYNTAX: raw}).file()))
    assert codes(signature.axes["integrity"]) == ["mac-transfer-syntax-changed", "mac-transfer-syntax-unknown"]
    assert signature.verdict == "failed"


def test_an_unknown_mac_transfer_syntax_is_indeterminate():
    """What the bytes of the MAC were, nobody knows."""
    raw = element(s.MAC_TRANSFER_SYNTAX, "UI", text("1.2.3.4", b"\0"))
    value = element(s.SIGNATURE, "OB", signer().sign(b"the data set in another form"))
    signature = only(checked(GOOD.but(mac={s.MAC_TRANSFER_SYNTAX: raw}, item={s.SIGNATURE: value}).file()))
    assert codes(signature.axes["integrity"]) == ["mac-transfer-syntax-unknown"]
    assert (signature.axes["integrity"].status, signature.verdict) == ("indeterminate", "indeterminate")


@pytest.mark.parametrize("uid", [e.LITTLE, e.DEFLATED])
@pytest.mark.parametrize("stored", [e.LITTLE, e.DEFLATED])
def test_deflated_and_plain_explicit_vr_are_interchangeable(uid: str, stored: str):
    parts = GOOD.but(syntax=uid)
    assert only(checked(part10(parts.data_set(), stored))).verdict == "passed"


def unpadded_stream(parts: Parts, order: e.Order | None) -> bytes:
    """The stream of `parts` in implicit VR (None) or in big endian, each element rewritten by hand."""
    out = b""
    of_item = parts.unsigned_item()
    for whole in [parts.data[n] for n in sorted(parts.data)] + [
        of_item[n] for n in sorted(of_item) if n not in s.NOT_HASHED
    ]:
        number = int.from_bytes(whole[:2], "little") << 16 | int.from_bytes(whole[2:4], "little")
        vr = whole[4:6].decode()
        value = whole[8 if vr in e.SHORT_VRS else 12 :]
        unit = {"US": 2, "OW": 2}.get(vr, 1)
        out += e.implicit(number, value) if order is None else element(number, vr, e.swapped(value, unit), order=order)
    return out


@pytest.mark.parametrize(("uid", "order"), [(e.IMPLICIT, None), (e.BIG, ">")], ids=["implicit", "big endian"])
def test_macs_in_other_transfer_syntaxes_verify_with_a_warning(uid: str, order: e.Order | None):
    named = GOOD.but(mac={s.MAC_TRANSFER_SYNTAX: element(s.MAC_TRANSFER_SYNTAX, "UI", text(uid, b"\0"))})
    value = element(s.SIGNATURE, "OB", signer().sign(unpadded_stream(GOOD, order)))
    signature = only(checked(named.but(item={s.SIGNATURE: value}).file()))
    assert signature.axes["integrity"].status == "passed"
    assert codes(signature.axes["integrity"], "warning") == ["mac-transfer-syntax-not-allowed"]


FRAGMENTS = {0x7FE00010: e.encapsulated(b"", b"\1\2\3\4")}
HASHED_FRAGMENTS = {0x7FE00010: bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0 01020304 feffdde0")}
COMPRESSED = GOOD.but(data=DATA | FRAGMENTS, hashed=HASHED_FRAGMENTS, syntax=e.RLE)


def test_encapsulated_pixel_data_are_verified_as_they_are_stored():
    assert only(checked(COMPRESSED.file())).verdict == "passed"


ENCODED_OTHERWISE = pytest.mark.parametrize(
    ("parts", "stored"),
    [
        (COMPRESSED, e.JPEG),
        (GOOD.but(syntax=e.RLE), e.LITTLE),
        (COMPRESSED.but(syntax=e.LITTLE), e.RLE),
        (COMPRESSED.but(syntax=e.IMPLICIT), e.RLE),
    ],
    ids=["another compression", "now native", "signed as native", "signed as implicit"],
)


@ENCODED_OTHERWISE
def test_pixel_data_that_were_compressed_otherwise_when_signed_are_indeterminate(parts: Parts, stored: str):
    value = element(s.SIGNATURE, "OB", signer().sign(b"the pixel data in another form"))
    signature = only(checked(part10(parts.but(item={s.SIGNATURE: value}).data_set(), stored)))
    assert codes(signature.axes["integrity"]) == ["pixel-encoding-changed"]
    assert (signature.axes["integrity"].status, signature.verdict) == ("indeterminate", "indeterminate")


@ENCODED_OTHERWISE
def test_pixel_data_that_only_are_said_to_have_been_compressed_otherwise_fail(parts: Parts, stored: str):
    """They are what was signed: one of the two transfer syntaxes, neither of which is signed, was changed."""
    signature = only(checked(part10(parts.data_set(), stored)))
    assert codes(signature.axes["integrity"]) == ["mac-transfer-syntax-changed", "pixel-encoding-changed"]
    assert (signature.axes["integrity"].status, signature.verdict) == ("failed", "failed")


def test_pixel_data_that_are_not_signed_may_be_compressed_or_not():
    others = tuple(n for n in sorted(DATA) if n != 0x7FE00010)
    for stored in (DATA, DATA | FRAGMENTS):
        for uid in (e.LITTLE, e.RLE):
            parts = GOOD.but(data=stored, listed=others, syntax=uid)
            assert (
                only(checked(part10(parts.data_set(), e.RLE if stored is not DATA else e.LITTLE))).verdict == "passed"
            )


def test_a_native_icon_in_a_compressed_file_is_fine():
    icon = sequence(0x00880200, item(element(0x7FE00010, "OB", b"\1\2")))
    hashed = bytes.fromhex("88000002 5351 0000 feff00e0 e07f1000 4f42 0000 02000000 0102 feffdde0")
    parts = COMPRESSED.but(data=DATA | FRAGMENTS | {0x00880200: icon}, hashed=HASHED_FRAGMENTS | {0x00880200: hashed})
    assert only(checked(parts.file())).verdict == "passed"


# ------------------------------------------------------------------------------------------- padding and old format


@pytest.mark.parametrize("encoding", ["canonical-padding", "trailing-nul-padding"])
def test_a_mac_over_normalised_padding_verifies_and_is_said_to(encoding: str):
    hashed = b"abc " if encoding == "canonical-padding" else b"abc\0"
    data = DATA | {0x00104000: element(0x00104000, "LT", b"abc")}
    signature = only(checked(GOOD.but(data=data, hashed={0x00104000: element(0x00104000, "LT", hashed)}).file()))
    assert (signature.verdict, signature.mac.encoding) == ("passed", encoding)
    assert codes(signature.axes["integrity"], "info") == [encoding]


def test_a_mac_over_the_bytes_as_stored_verifies_without_a_word():
    data = DATA | {0x00104000: element(0x00104000, "LT", b"abc"), 0x00104001: element(0x00104001, "LT", b"a   ")}
    signature = only(checked(GOOD.but(data=data).file()))
    assert (signature.verdict, signature.mac.encoding) == ("passed", "stored")
    assert signature.axes["integrity"].findings == ()


@pytest.mark.parametrize("hashed", [b"abd ", b" abc", b"abc  ", b""])
def test_no_more_than_padding_is_normalised(hashed: bytes):
    data = DATA | {0x00104000: element(0x00104000, "LT", b"abc")}
    signature = only(checked(GOOD.but(data=data, hashed={0x00104000: element(0x00104000, "LT", hashed)}).file()))
    assert codes(signature.axes["integrity"]) == ["mac-mismatch"]
    assert signature.verdict == "failed"


@pytest.mark.parametrize("stored", [b"1.2.3. 4.5.6", b" 1.2.3.4.5.6", b"1.2.3.4.5.6\t"])
@pytest.mark.parametrize("nested", [False, True])
def test_white_space_in_a_uid_is_more_than_padding(stored: bytes, nested: bool):
    """Other readers look for another UID, or show another instance."""
    tag = 0x00081155 if nested else 0x00080018
    uid, changed = (element(tag, "UI", value) for value in (b"1.2.3.4.5.6\0", stored))
    data, hashed = DATA | {tag: changed}, {tag: uid}
    if nested:
        data = DATA | {0x00081140: sequence(0x00081140, item(changed))}
        hashed = {0x00081140: bytes.fromhex("0800 4011 5351 0000 feff00e0") + uid + bytes.fromhex("feffdde0")}
    signature = only(checked(GOOD.but(data=data, hashed=hashed).file()))
    assert codes(signature.axes["integrity"]) == ["uid-white-space"]
    assert signature.verdict == "failed"


OLD = COMPRESSED.but(
    hashed={
        0x7FE00010: bytes.fromhex("e07f1000 4f42 0000 feff00e0 00000000 feff00e0 04000000 01020304 feffdde0"),
    }
)


def test_the_old_format_is_recognised_and_not_accepted_unasked():
    signature = only(checked(OLD.file()))
    assert codes(signature.axes["integrity"]) == ["old-format"]
    assert (signature.axes["integrity"].status, signature.verdict) == ("indeterminate", "indeterminate")


def test_the_old_format_is_accepted_when_asked_for():
    assert only(checked(OLD.file(), old_format=True)).verdict == "passed"


def test_when_the_old_format_is_asked_for_the_new_one_does_not_verify():
    assert only(checked(COMPRESSED.file(), old_format=True)).verdict == "failed"


# ----------------------------------------------------------------------------------------------------------- strength


def test_a_weak_mac_verifies_with_a_warning():
    signature = only(checked(GOOD.but(algorithm="SHA1").file()))
    assert signature.axes["integrity"].status == "passed"
    assert codes(signature.axes["integrity"], "warning") == ["weak-mac"]


# ------------------------------------------------------------------------------------------------------------ limits


def many(count: int) -> bytes:
    return part10(s.with_sequences(DATA, [item(s.joined(GOOD.mac_elements()))], [item()] * count))


@pytest.mark.parametrize(("count", "verdict"), [(DEFAULT.signatures, "failed"), (DEFAULT.signatures + 1, "error")])
def test_more_signatures_than_the_limit_are_refused(count: int, verdict: str):
    report = checked(many(count))
    assert report.verdict == verdict
    assert verdict != "error" or report.error.code == "limit-exceeded"


def test_a_signature_item_of_absurd_size_is_refused():
    huge = GOOD.but(item={s.TIMESTAMP: element(s.TIMESTAMP, "OB", bytes(DEFAULT.signature_item))})
    report = checked(huge.file())
    assert (report.verdict, report.error.code) == ("error", "limit-exceeded")
    assert "signature_item" in report.error.message


# ----------------------------------------------------------------------------------------------------------- the file


def test_meta_information_of_another_instance_is_reported_and_changes_nothing():
    other = e.meta(e.LITTLE).replace(b"1.2.3.4.5.6", b"1.2.3.4.5.7")
    report = checked(bytes(128) + b"DICM" + other + GOOD.data_set())
    assert [f.code for f in report.findings] == ["meta-sop-instance-uid"]
    assert report.verdict == "passed"


def test_meta_information_of_another_class_is_reported():
    other = e.meta(e.LITTLE).replace(b"5.1.4.1.1.7", b"5.1.4.1.1.4")
    assert [f.code for f in checked(bytes(128) + b"DICM" + other + GOOD.data_set()).findings] == ["meta-sop-class-uid"]


def test_a_wrong_length_of_the_meta_information_is_reported():
    report = checked(bytes(128) + b"DICM" + e.meta(e.LITTLE, off_by=8) + GOOD.data_set())
    assert [f.code for f in report.findings] == ["meta-group-length"]
    assert report.verdict == "failed"


def test_a_file_filled_up_with_zeros_fails_and_is_not_signed():
    """Other readers show elements of group 0000 there."""
    padded = part10(GOOD.data_set()) + bytes(8 * 100)
    report = checked(padded)
    assert [f.code for f in report.findings] == ["trailing-bytes"]
    assert report.verdict == "failed"
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(padded, key=key())
    assert (caught.value.code, caught.value.where.offset) == ("trailing-bytes", len(padded) - 800)
    assert "cut the file off" in (caught.value.hint or "")


def test_bytes_after_a_deflated_data_set_are_reported():
    report = checked(part10(GOOD.data_set(), e.DEFLATED) + b"forged")
    assert [f.code for f in report.findings] == ["trailing-bytes"]
