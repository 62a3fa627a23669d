"""What signing writes: the two items byte for byte, their place, and numbers nobody else uses."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, implicit, item, part10, sequence
from support.pki import checked, key, signer
from support.signed import DATA, Parts

import dsig
from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from dsig.signature.build import NewSignature
from dsig.signature.purpose import purpose

NEW = NewSignature(
    mac_id=258,
    transfer_syntax="1.2.840.10008.1.2.1",
    algorithm="SHA256",
    elements=(0x00100010, 0x7FE00010),
    uid="1.2.3.4.5",
    date_time="20260101120000.000000+0000",
    certificate=b"\x30\x01\x00",
    purpose=None,
)
PLAIN = part10(s.joined(DATA))


def signed(data: bytes, **options: object) -> bytes:
    output = dsig.sign(data, key=key(), options=dsig.SignOptions(**options)).output
    assert isinstance(output, bytes)
    return output


# ------------------------------------------------------------------------------------------------------- byte for byte


def test_a_mac_parameters_item_in_little_endian():
    assert NEW.mac_item(EXPLICIT_LE) == bytes.fromhex(
        "00040500 5553 0200 0201"
        "00041000 5549 1400 312e322e3834302e31303030382e312e322e3100"
        "00041500 4353 0600 534841323536"
        "00042000 4154 0800 10001000 e07f1000"
    )


def test_a_mac_parameters_item_in_big_endian():
    assert NEW.mac_item(EXPLICIT_BE) == bytes.fromhex(
        "04000005 5553 0002 0102"
        "04000010 5549 0014 312e322e3834302e31303030382e312e322e3100"
        "04000015 4353 0006 534841323536"
        "04000020 4154 0008 00100010 7fe00010"
    )


def test_a_mac_parameters_item_in_implicit_vr():
    assert NEW.mac_item(IMPLICIT_LE) == bytes.fromhex(
        "00040500 02000000 0201"
        "00041000 14000000 312e322e3834302e31303030382e312e322e3100"
        "00041500 06000000 534841323536"
        "00042000 08000000 10001000 e07f1000"
    )


def test_a_signature_item_in_little_endian():
    assert NEW.signature_item(EXPLICIT_LE, b"\1\2\3") == bytes.fromhex(
        "00040500 5553 0200 0201"
        "00040001 5549 0a00 312e322e332e342e3500"
        "00040501 4454 1a00 32303236303130313132303030302e3030303030302b30303030"
        "00041001 4353 0e00 583530395f313939335f53494720"
        "00041501 4f42 0000 04000000 30010000"
        "00042001 4f42 0000 04000000 01020300"
    )


def test_a_purpose_follows_the_signature():
    with_purpose = NewSignature(**{f: getattr(NEW, f) for f in NEW.__slots__} | {"purpose": purpose(1)})
    content = with_purpose.signature_item(EXPLICIT_LE, b"\1\2")
    assert content.endswith(sequence(s.PURPOSE, item(s.PURPOSE_CODE)))


# ------------------------------------------------------------------------------------------------------------- values


def test_the_date_and_time_is_now_with_microseconds_at_offset_zero():
    before = datetime.now(UTC)
    [signature] = checked(signed(PLAIN)).signatures
    assert re.fullmatch(r"\d{14}\.\d{6}\+0000", signature.times.claimed)
    claimed = datetime.strptime(signature.times.claimed, "%Y%m%d%H%M%S.%f%z")
    assert before <= claimed <= datetime.now(UTC)


def test_every_signature_has_a_uid_of_its_own():
    uids = {checked(signed(PLAIN)).signatures[0].uid for _ in range(5)}
    assert len(uids) == 5
    assert all(re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid) and len(uid) <= 64 for uid in uids)


def test_the_certificate_and_the_list_are_written_as_they_are():
    [signature] = checked(signed(PLAIN)).signatures
    assert signature.certificate.rstrip(b"\0") == signer().certificate.rstrip(b"\0")
    assert signature.mac.elements == tuple(sorted(DATA))


@pytest.mark.parametrize(
    ("file", "syntax"),
    [
        (PLAIN, e.LITTLE),
        (part10(s.joined(DATA), e.DEFLATED), e.LITTLE),
        (part10(implicit(0x00100010, b"A^B "), e.IMPLICIT), e.LITTLE),
        (part10(element(0x00100010, "PN", b"A^B ", order=">"), e.BIG), e.LITTLE),
        (part10(element(0x00100010, "PN", b"A^B ") + e.encapsulated(b"", b"\1\2"), e.RLE), e.RLE),
        (part10(element(0x00100010, "PN", b"A^B "), e.JPEG), e.JPEG),
    ],
    ids=["plain", "deflated", "implicit", "big endian", "compressed", "compressed without pixel data"],
)
def test_the_mac_transfer_syntax_is_explicit_little_endian_or_that_of_the_pixel_data(file: bytes, syntax: str):
    [signature] = checked(signed(file)).signatures
    assert (signature.mac.transfer_syntax, signature.verdict) == (syntax, "passed")


# --------------------------------------------------------------------------------------------------------- the places


def tags_of(file: bytes) -> list[int]:
    from support.streams import level_of

    start = file.index(DATA[0x00080016])
    return [x.tag for x in level_of(file[start:]).elements]


def test_the_sequences_stand_in_ascending_order():
    data = DATA | {0xFFFCFFFC: element(0xFFFCFFFC, "OB", bytes(4))}
    assert tags_of(signed(part10(s.joined(data)))) == [
        *(n for n in sorted(DATA) if n < s.MAC_PARAMETERS), s.MAC_PARAMETERS, 0x7FE00010,
        s.DIGITAL_SIGNATURES, 0xFFFCFFFC,
    ]  # fmt: skip


def test_a_second_signature_goes_into_the_same_sequences():
    twice = signed(signed(PLAIN))
    assert tags_of(twice).count(s.MAC_PARAMETERS) == tags_of(twice).count(s.DIGITAL_SIGNATURES) == 1
    assert [x.verdict for x in checked(twice).signatures] == ["passed", "passed"]


def test_nothing_but_the_two_sequences_is_new():
    output = signed(PLAIN)
    start = PLAIN.index(DATA[0x00080016])
    pixels = PLAIN.index(DATA[0x7FE00010])
    assert output.startswith(PLAIN[:pixels])
    assert output[pixels:].find(DATA[0x7FE00010]) > 0
    assert len(tags_of(output)) == len(DATA) + 2
    assert output[:start] == PLAIN[:start]


@pytest.mark.parametrize("undefined", [False, True])
def test_existing_sequences_may_have_any_length_encoding(undefined: bool):
    elements = Parts().elements() | {
        s.MAC_PARAMETERS: sequence(
            s.MAC_PARAMETERS, item(s.joined(Parts().mac_elements()), undefined=undefined), undefined=undefined
        ),
        s.DIGITAL_SIGNATURES: sequence(
            s.DIGITAL_SIGNATURES, item(s.joined(Parts().item_elements()), undefined=undefined), undefined=undefined
        ),
    }
    report = checked(signed(part10(s.joined(elements))))
    assert [x.verdict for x in report.signatures] == ["passed", "passed"]


@pytest.mark.parametrize("number", [s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES])
def test_where_something_else_than_a_sequence_stands_signing_is_refused(number: int):
    with pytest.raises(dsig.UsageError, match="no sequence") as caught:
        signed(part10(s.joined(DATA | {number: element(number, "OB", b"ab")})))
    assert caught.value.code == "not-a-sequence"


# ------------------------------------------------------------------------------------------------------------- MAC IDs


def numbers(file: bytes) -> list[int | None]:
    return [x.mac.id for x in checked(file).signatures]


def test_the_first_mac_id_is_0_and_the_next_the_lowest_that_is_free():
    once = signed(PLAIN)
    assert numbers(once) == [0]
    assert numbers(signed(signed(once))) == [0, 1, 2]


def test_gaps_are_filled():
    file = s.together(Parts(mac_id=0), Parts(mac_id=1, uid="1.2.3.6"), Parts(mac_id=4, uid="1.2.3.7"))
    assert numbers(signed(file)) == [0, 1, 4, 2]


def test_numbers_of_mac_parameters_without_signature_are_taken():
    macs = [item(s.joined(Parts(mac_id=n).mac_elements())) for n in (0, 1)]
    assert numbers(signed(part10(s.with_sequences(DATA, macs, [])))) == [2]


def test_numbers_of_signatures_without_mac_parameters_are_taken():
    items = [item(s.joined(Parts(mac_id=n).item_elements())) for n in (0, 2)]
    assert numbers(signed(part10(s.with_sequences(DATA, [], items))))[-1] == 1


ITEM = "RequestAttributesSequence[0]"
WITH_ITEM = part10(s.joined(DATA | {0x00400275: sequence(0x00400275, item(element(0x00400007, "LO", b"ab")))}))


def test_mac_ids_are_unique_in_the_whole_instance():
    """PS3.3 C.12.1.1.3: not only at one level."""
    inner_first = signed(signed(WITH_ITEM, item=ITEM))
    outer_first = signed(signed(WITH_ITEM), item=ITEM)
    assert numbers(inner_first) == [0, 1]
    assert numbers(outer_first) == [1, 0]
    for file in (inner_first, outer_first):
        assert [(x.location, x.verdict) for x in checked(file).signatures] == [(ITEM, "passed"), ("/", "passed")]


def test_when_all_mac_ids_are_taken_signing_is_refused():
    from dsig.signature.build import free_mac_id

    assert free_mac_id(range(0xFFFF)) == 0xFFFF
    with pytest.raises(dsig.UsageError) as caught:
        free_mac_id(range(0x10000))
    assert caught.value.code == "no-mac-id"


# ---------------------------------------------------------------------------------------------------------- limits


def wide(count: int) -> bytes:
    """A data set of `count` private elements behind one private creator."""
    creator = element(0x00090010, "LO", b"WHO ")
    rest = (element((0x0011 + 2 * (n // 0xEF00)) << 16 | 0x1000 + n % 0xEF00, "US", b"\0\0") for n in range(count - 1))
    return part10(creator + b"".join(rest))


@pytest.mark.parametrize("count", [1, 16383])
def test_as_many_elements_as_the_list_can_name_are_signed(count: int):
    [signature] = checked(signed(wide(count))).signatures
    assert (len(signature.mac.elements), signature.verdict) == (count, "passed")


def test_more_elements_than_the_list_can_name_are_refused():
    with pytest.raises(dsig.UsageError, match="16384 elements are more than the 16383"):
        signed(wide(16384))
