"""Which elements are signed: all that can be, or those asked for, and never fewer than asked for."""

from __future__ import annotations

import pytest
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import BASE, checked, key
from support.signed import DATA

import dsig

UNKNOWN = element(0x00410010, "UN", b"ab")
TAINTED = sequence(0x00400275, item(UNKNOWN))
FILE = part10(
    s.joined(
        DATA
        | {
            0x00100000: element(0x00100000, "UL", bytes(4)),
            0x00400275: TAINTED,
            0x00410010: UNKNOWN,
            0xFFFCFFFC: element(0xFFFCFFFC, "OB", bytes(4)),
        }
    )
)


def signed(data: object = FILE, **options: object) -> tuple[int, ...]:
    """Tags that were signed; the signature is good."""
    output = dsig.sign(data, key=key("p256"), options=dsig.SignOptions(**options)).output
    [signature] = checked(output).signatures
    assert signature.verdict == "passed"
    assert signature.coverage.absent == ()
    return signature.mac.elements


def refused(data: object = FILE, **options: object) -> dsig.UsageError:
    with pytest.raises(dsig.UsageError) as caught:
        signed(data, **options)
    return caught.value


def test_without_a_selection_everything_that_can_be_signed_is_signed():
    assert signed() == tuple(sorted(DATA))


def test_only_what_is_asked_for_is_signed():
    assert signed(tags=(0x00100010,)) == (0x00100010,)


def test_order_and_repetition_of_what_is_asked_for_do_not_matter():
    assert signed(tags=(0x7FE00010, 0x00100010, 0x7FE00010)) == (0x00100010, 0x7FE00010)


def test_an_element_that_is_absent_is_refused_by_name():
    error = refused(tags=(0x00100010, 0x00101005))
    assert error.code == "tag-absent"
    assert "(0010,1005)" in error.message


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (0x00410010, "unknown VR"),
        (0x00400275, "holds elements of unknown VR"),
        (0x00100000, "signatures leave out"),
        (0xFFFCFFFC, "signatures leave out"),
    ],
)
def test_an_element_that_cannot_be_signed_is_refused_with_the_reason(number: int, reason: str):
    error = refused(tags=(number,))
    assert error.code == "tag-unsignable"
    assert reason in error.message


def test_elements_stored_as_un_are_refused_with_the_option_that_helps():
    items = bytes.fromhex("feff00e0 0a000000 40000700 02000000") + b"ab"
    data = part10(element(0x00100010, "UN", b"ab") + element(0x00400275, "UN", items))
    where = "RequestAttributesSequence[0]"
    for error in (refused(data, tags=(0x00100010,)), refused(data, item=where)):
        assert "convert_un" in (error.hint or "")
    assert signed(data, tags=(0x00100010,), convert_un=True) == (0x00100010,)
    assert signed(data, item=where, convert_un=True) == (0x00400007,)


def test_file_meta_information_is_not_part_of_the_data_set():
    assert refused(tags=(0x00020010,)).code == "tag-absent"


@pytest.mark.parametrize("number", [s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES])
def test_signatures_cannot_be_signed(number: int):
    once = dsig.sign(FILE, key=key("p256")).output
    assert refused(once, tags=(number,)).code == "tag-unsignable"


@pytest.mark.parametrize("tags", [None, ()])
def test_where_nothing_can_be_signed_signing_is_refused(tags: tuple[int, ...] | None):
    data = FILE if tags == () else part10(UNKNOWN)
    assert refused(data, tags=tags).code == "nothing-to-sign"


def test_a_directory_holds_nothing_that_can_be_signed():
    assert refused((BASE / "dicomdir").read_bytes()).code == "nothing-to-sign"


def test_tags_are_those_of_the_item_that_is_signed():
    data = part10(s.joined(DATA | {0x00400275: sequence(0x00400275, item(element(0x00400007, "LO", b"ab")))}))
    where = "RequestAttributesSequence[0]"
    assert signed(data, item=where) == (0x00400007,)
    assert refused(data, item=where, tags=(0x00100010,)).code == "tag-absent"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("RequestAttributesSequence[1]", "no-such-item"),
        ("BeamSequence[0]", "no-such-item"),
        ("PatientName[0]", "no-such-item"),
        ("RequestAttributesSequence[0].RequestAttributesSequence[0]", "no-such-item"),
        ("RequestAttributesSequence", "bad-location"),
        ("RequestAttributesSequence[0", "bad-location"),
        ("NoSuchSequence[0]", "unknown-tag"),
    ],
)
def test_an_item_that_is_not_there_is_refused(location: str, code: str):
    assert refused(item=location).code == code


def test_an_empty_item_holds_nothing_to_sign():
    data = part10(s.joined(DATA | {0x00400275: sequence(0x00400275, item())}))
    assert refused(data, item="RequestAttributesSequence[0]").code == "nothing-to-sign"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (element(0x00100010, "PN", b"A^") * 2, "duplicate-tag"),
        (element(0x00100010, "PN", b"A^") + element(0x00080005, "CS", b"AB"), "tags-not-ascending"),
        (sequence(0x00400275, item(element(0x00400007, "LO", b"ab") * 2)), "duplicate-tag"),
    ],
    ids=["twice", "out of order", "twice in an item"],
)
def test_what_two_readers_would_read_in_two_ways_gets_no_signature(data: bytes, code: str):
    with pytest.raises(dsig.MalformedError) as caught:
        signed(part10(data))
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("name", ["SHA1", "MD5", "RIPEMD160"])
def test_a_weak_mac_is_for_those_who_insist(name: str):
    assert refused(mac=name).code == "weak-mac"
    assert signed(mac=name, allow_weak=True) == tuple(sorted(DATA))


def test_profiles_add_nothing_unless_they_say_so():
    assert signed(profile="none", tags=(0x00100010,)) == (0x00100010,)


def test_a_profile_that_does_not_allow_the_key_refuses():
    assert refused(profile="base").code == "profile-key"


@pytest.mark.parametrize("options", [{"mac": "SHA257"}, {"profile": "nobody"}, {"crypto_backend": "nothing"}])
def test_unknown_names_are_usage_errors(options: dict[str, str]):
    assert next(iter(options.values())) in refused(**options).message
