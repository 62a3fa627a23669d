"""Changes to a signed file: each is refused, or reported as what the signature does not cover."""

from __future__ import annotations

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import certificate, checked, signer
from support.signed import DATA, Parts

import dsig

GOOD = Parts()
ITEM_OF = GOOD.item_elements()


def only(report: dsig.FileReport) -> dsig.SignatureReport:
    [signature] = report.signatures
    return signature


def codes(signature: dsig.SignatureReport) -> set[str]:
    return {
        f.code for name in ("structure", "integrity", "trust") for f in signature.axes[name].findings
        if f.severity == "error"
    }  # fmt: skip


def assembled(
    data: dict[int, bytes] | None = None,
    mac: dict[int, bytes] | None = None,
    of_item: dict[int, bytes] | None = None,
) -> bytes:
    """The good file with parts exchanged after signing."""
    macs = [item(s.joined(GOOD.mac_elements() | (mac or {})))]
    items = [item(s.joined(s.present(ITEM_OF | (of_item or {}))))]
    return part10(s.with_sequences(DATA if data is None else data, macs, items))


def refused(file: bytes, *expected: str, **options: object) -> dsig.SignatureReport:
    report = checked(file, **options)
    assert set(expected) <= codes(only(report))
    assert (only(report).verdict, report.verdict) == ("failed", "failed")
    return only(report)


# -------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("number", DATA, ids=lambda n: f"{n:08X}")
def test_a_changed_value_is_refused(number: int):
    changed = bytearray(DATA[number])
    changed[-1] ^= 1
    refused(assembled(DATA | {number: bytes(changed)}), "mac-mismatch")


@pytest.mark.parametrize("number", DATA, ids=lambda n: f"{n:08X}")
def test_a_removed_element_is_refused(number: int):
    data = {n: whole for n, whole in DATA.items() if n != number}
    refused(assembled(data), "list-names-absent", "mac-mismatch")


@pytest.mark.parametrize("vr", ["SH", "LT", "ST"])
def test_another_vr_is_refused(vr: str):
    refused(assembled(DATA | {0x00100020: element(0x00100020, vr, b"12345 ")}), "mac-mismatch")


def test_a_signed_element_turned_into_un_is_refused():
    """Readers with a dictionary would still show it."""
    refused(
        assembled(DATA | {0x00100020: element(0x00100020, "UN", b"12345 ")}), "list-names-unsignable", "mac-mismatch"
    )


def test_exchanged_values_are_refused():
    swapped = {
        0x00100010: element(0x00100010, "PN", b"12345 "),
        0x00100020: element(0x00100020, "LO", b"Doe^Jane"),
    }
    refused(assembled(DATA | swapped), "mac-mismatch")


def test_pixel_data_that_were_compressed_after_signing_are_not_accepted():
    compressed = part10(s.joined(GOOD.elements() | {0x7FE00010: e.encapsulated(b"", b"\1\2\3\4")}), e.RLE)
    assert checked(compressed).verdict == "indeterminate"


def test_a_flipped_bit_goes_unnoticed_only_in_preamble_and_meta_information():
    file = Parts(signer=signer("p256")).file()
    start = file.index(DATA[0x00080016])
    passed = []
    for at in range(len(file)):
        changed = bytearray(file)
        changed[at] ^= 1
        if checked(bytes(changed)).verdict == "passed":
            passed.append(at)
    assert [at for at in passed if at >= start] == []


# --------------------------------------------------------------------------------------- elements added to the data set


@pytest.mark.parametrize("at", [0x00100010, 0x00100020], ids=["before", "behind"])
@pytest.mark.parametrize("vr", ["PN", "LO", "UN"])
def test_a_second_element_of_one_tag_is_refused(at: int, vr: str):
    """Some readers show the first, others the last."""
    whole = s.joined(GOOD.elements())
    place = whole.index(DATA[at])
    forged = element(0x00100010, vr, b"Forged^A")
    refused(part10(whole[:place] + forged + whole[place:]), "duplicate-tag")


@pytest.mark.parametrize("number", [0x00080005, 0x00100010], ids=["unsigned", "signed"])
def test_an_element_at_the_wrong_place_is_refused(number: int):
    forged = element(number, "LO", b"forged")
    report = checked(part10(s.joined(GOOD.elements()) + forged))
    assert "tags-not-ascending" in codes(only(report)) | {"duplicate-tag"}
    assert report.verdict == "failed"


def test_a_second_element_in_an_item_of_a_signed_sequence_is_refused():
    name = element(0x00400007, "LO", b"ab")
    twice = sequence(0x00400275, item(name + name))
    hashed = bytes.fromhex("40007502 5351 0000 feff00e0") + name + name + bytes.fromhex("feffdde0")
    refused(GOOD.but(data=DATA | {0x00400275: twice}, hashed={0x00400275: hashed}).file(), "duplicate-tag")


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        (0x00104000, element(0x00104000, "LT", b"forged")),
        (0x60003000, element(0x60003000, "OW", b"\xff\xff")),
        (0x00281050, element(0x00281050, "DS", b"40")),
        (0x00091001, element(0x00091001, "UN", b"forged")),
        (0x00081140, sequence(0x00081140, item())),
    ],
    ids=["comment", "overlay", "window", "private", "sequence"],
)
def test_an_element_added_later_is_named_as_not_protected(number: int, whole: bytes):
    file = assembled(DATA | {number: whole})
    signature = only(checked(file))
    assert [x.tag for x in signature.coverage.unsigned] == [f"{number:08X}"]
    assert signature.axes["coverage"].status == "indeterminate"
    assert only(checked(file, require_coverage="all")).verdict == "failed"


def test_an_element_added_where_a_signed_sequence_leaves_it_out_is_named_as_not_protected():
    sneaked = sequence(0x00400275, item(element(0x00060010, "LO", b"forged")))
    hashed = bytes.fromhex("40007502 5351 0000 feff00e0 feffdde0")
    signed = GOOD.but(data=DATA | {0x00400275: sneaked}, hashed={0x00400275: hashed})
    signature = only(checked(signed.file()))
    assert signature.axes["integrity"].status == "passed"
    assert [x.location for x in signature.coverage.unsigned] == ["RequestAttributesSequence[0].(0006,0010)"]


def test_a_command_element_in_the_data_set_is_refused():
    refused(assembled(DATA | {0x00000010: element(0x00000010, "LO", b"forged")}), "forbidden-group")


@pytest.mark.parametrize("number", [0x00000010, 0x00020010])
def test_commands_and_file_meta_information_are_refused_inside_a_sequence_too(number: int):
    sneaked = sequence(0x00400275, item(element(number, "LO", b"forged")))
    refused(assembled(DATA | {0x00400275: sneaked}), "forbidden-group")


@pytest.mark.parametrize("number", [0x00010010, 0x00030010, 0x00050010, 0x00070010, 0xFFFF0010])
def test_elements_of_other_groups_that_do_not_exist_are_refused_strictly(number: int):
    file = assembled(DATA | {number: element(number, "LO", b"forged")})
    assert checked(file).verdict == "passed"
    refused(file, "forbidden-group", strict=True)


def test_file_meta_information_at_the_head_of_the_data_set_is_refused():
    """Readers go by the group length, or by where the group ends."""
    refused(assembled({0x00020102: element(0x00020102, "OB", b"ab")} | DATA), "meta-group-length")


def test_fragments_joined_into_one_are_refused_where_the_frames_tell():
    two = {0x00280008: element(0x00280008, "IS", b"2 "), 0x7FE00010: e.encapsulated(b"", b"\1\2", b"\3\4")}
    hashed = bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0 0102 feff00e0 0304 feffdde0")
    parts = GOOD.but(data=DATA | two, hashed={0x7FE00010: hashed}, syntax=e.RLE)
    assert checked(parts.file()).verdict == "passed"
    joined = e.encapsulated(b"", b"\1\2\xfe\xff\x00\xe0\3\4")
    signature = only(checked(parts.but(data=DATA | two | {0x7FE00010: joined}).file()))
    assert signature.axes["integrity"].status == "passed"
    assert codes(signature) == {"fragment-ambiguity"}
    assert signature.verdict == "failed"


def test_an_offset_table_joined_with_the_first_fragment_is_refused():
    one = {0x7FE00010: e.encapsulated(b"", b"\1\2\3\4")}
    hashed = bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0 01020304 feffdde0")
    parts = GOOD.but(data=DATA | one, hashed={0x7FE00010: hashed}, syntax=e.RLE)
    joined = e.encapsulated(b"\xfe\xff\x00\xe0\1\2\3\4")
    signature = only(checked(parts.but(data=DATA | {0x7FE00010: joined}).file()))
    assert codes(signature) == {"fragment-ambiguity"}
    assert signature.verdict == "failed"


# ------------------------------------------------------------------------------------------------------ MAC parameters


@pytest.mark.parametrize("left_out", DATA, ids=lambda n: f"{n:08X}")
def test_a_tag_struck_from_the_list_is_refused(left_out: int):
    listed = s.tags(*(n for n in sorted(DATA) if n != left_out))
    refused(assembled(mac={s.ELEMENTS_SIGNED: element(s.ELEMENTS_SIGNED, "AT", listed)}), "mac-mismatch")


def test_a_list_that_names_more_than_was_signed_is_refused():
    data = DATA | {0x00104000: element(0x00104000, "LT", b"forged")}
    listed = s.tags(*sorted(data))
    refused(assembled(data, mac={s.ELEMENTS_SIGNED: element(s.ELEMENTS_SIGNED, "AT", listed)}), "mac-mismatch")


@pytest.mark.parametrize("number", [0x00104000, 0x00189999, 0x00100000])
def test_a_list_that_suggests_more_than_there_is_is_refused(number: int):
    listed = element(s.ELEMENTS_SIGNED, "AT", s.tags(*sorted([*DATA, number])))
    signature = only(checked(assembled(mac={s.ELEMENTS_SIGNED: listed})))
    assert signature.axes["integrity"].status == "passed"
    assert "list-names-absent" in codes(signature)
    assert signature.verdict == "failed"


@pytest.mark.parametrize("number", [0x00410010, 0x00100000, 0xFFFCFFFC])
def test_a_list_that_names_what_no_mac_covers_is_refused(number: int):
    whole = element(number, "UN", b"ab") if number == 0x00410010 else element(number, "OB", b"ab")
    listed = element(s.ELEMENTS_SIGNED, "AT", s.tags(*sorted([*DATA, number])))
    signature = only(checked(assembled(DATA | {number: whole}, mac={s.ELEMENTS_SIGNED: listed})))
    assert signature.axes["integrity"].status == "passed"
    assert codes(signature) == {"list-names-unsignable"}
    assert signature.verdict == "failed"


@pytest.mark.parametrize("algorithm", ["SHA512", "SHA384", "SHA1", "MD5", "RIPEMD160", "SHA3_256", "SHA512_256"])
def test_another_algorithm_is_refused(algorithm: str):
    raw = element(s.MAC_ALGORITHM, "CS", e.text(algorithm))
    refused(assembled(mac={s.MAC_ALGORITHM: raw}), "mac-mismatch")


def test_an_algorithm_of_the_same_size_is_refused_for_the_hash_it_names():
    """The DigestInfo of an RSA signature names the hash (RFC 8017 9.2)."""
    import hashlib

    parts = GOOD.but(mac={s.MAC_ALGORITHM: element(s.MAC_ALGORITHM, "CS", b"SHA3_256")})
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

    key = signer().key
    assert isinstance(key, rsa.RSAPrivateKey)
    digest = hashlib.sha3_256(parts.stream()).digest()
    value = key.sign(digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    refused(parts.but(item={s.SIGNATURE: element(s.SIGNATURE, "OB", value)}).file(), "mac-mismatch")


def test_mac_parameters_in_front_of_the_true_ones_are_refused():
    """Readers that take the first item would look at another list than those that take the last."""
    short = GOOD.but(listed=(0x00080016,)).mac_elements()
    macs = [item(s.joined(short)), item(s.joined(GOOD.mac_elements()))]
    items = [item(s.joined(ITEM_OF))]
    for order in (macs, macs[::-1]):
        refused(part10(s.with_sequences(DATA, order, items)), "mac-id-doubled")


def test_a_signature_without_its_mac_parameters_is_refused():
    other = [item(s.joined(GOOD.but(mac_id=9).mac_elements()))]
    refused(part10(s.with_sequences(DATA, other, [item(s.joined(ITEM_OF))])), "mac-id-dangling")


def test_mac_parameters_exchanged_between_two_signatures_are_refused():
    first, second = GOOD.but(mac_id=0), GOOD.but(mac_id=1, uid="1.2.3.6", listed=(0x00100010, 0x00100020))
    items = [item(s.joined(parts.item_elements())) for parts in (first, second)]
    exchanged = [item(s.joined(first.but(listed=second.listed).mac_elements())),
                 item(s.joined(second.but(listed=None).mac_elements()))]  # fmt: skip
    report = checked(part10(s.with_sequences(DATA, exchanged, items)))
    assert [x.verdict for x in report.signatures] == ["failed", "failed"]


# -------------------------------------------------------------------------------------------------- the signature item

CHANGED = {
    "MAC ID": {s.MAC_ID: element(s.MAC_ID, "US", b"\1\0")},
    "UID": {s.UID: element(s.UID, "UI", b"1.2.3.4.6\0")},
    "date and time": {s.DATE_TIME: element(s.DATE_TIME, "DT", b"20270101120000.000000+0000")},
    "added purpose": {s.PURPOSE: sequence(s.PURPOSE, item(s.PURPOSE_CODE))},
    "signature value": {s.SIGNATURE: element(s.SIGNATURE, "OB", bytes(256))},
    "signature of something else": {s.SIGNATURE: element(s.SIGNATURE, "OB", signer().sign(b"something else"))},
    "certificate of another key": {s.CERTIFICATE: element(s.CERTIFICATE, "OB", s.even(certificate("rsa3072")))},
    "certificate of another kind of key": {s.CERTIFICATE: element(s.CERTIFICATE, "OB", s.even(certificate("p256")))},
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_signature_item_is_refused(name: str):
    mac = {s.MAC_ID: CHANGED[name][s.MAC_ID]} if name == "MAC ID" else {}
    refused(assembled(mac=mac, of_item=CHANGED[name]), "mac-mismatch")


def test_a_removed_purpose_is_refused():
    parts = GOOD.but(item={s.PURPOSE: sequence(s.PURPOSE, item(s.PURPOSE_CODE))}, hashed={s.PURPOSE: s.PURPOSE_HASHED})
    without = {n: whole for n, whole in parts.item_elements().items() if n != s.PURPOSE}
    file = part10(s.with_sequences(DATA, [item(s.joined(parts.mac_elements()))], [item(s.joined(without))]))
    refused(file, "mac-mismatch")


def test_a_signature_duplicated_under_another_uid_is_refused():
    twin = ITEM_OF | {s.UID: element(s.UID, "UI", b"1.2.3.4.6\0")}
    items = [item(s.joined(ITEM_OF)), item(s.joined(twin))]
    report = checked(part10(s.with_sequences(DATA, [item(s.joined(GOOD.mac_elements()))], items)))
    assert [x.verdict for x in report.signatures] == ["passed", "failed"]
    assert report.verdict == "failed"


def test_one_bad_signature_spoils_the_file():
    second = GOOD.but(mac_id=1, uid="1.2.3.6", signer=signer("p256"))
    bad = second.item_elements() | {s.SIGNATURE: element(s.SIGNATURE, "OB", bytes(70))}
    macs = [item(s.joined(p.mac_elements())) for p in (GOOD, second)]
    report = checked(part10(s.with_sequences(DATA, macs, [item(s.joined(ITEM_OF)), item(s.joined(bad))])))
    assert [x.verdict for x in report.signatures] == ["passed", "failed"]
    assert report.verdict == "failed"


def test_a_file_whose_signatures_were_removed_is_unsigned_and_not_passed():
    report = checked(part10(s.joined(DATA)))
    assert (report.verdict, report.signatures) == ("unsigned", ())


@pytest.mark.parametrize("number", [s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES])
def test_sequences_emptied_of_their_items_do_not_pass(number: int):
    report = checked(part10(s.joined(GOOD.elements() | {number: sequence(number)})))
    assert report.verdict == ("failed" if number == s.MAC_PARAMETERS else "unsigned")
