"""Coverage: every element of the signed level is either in the MAC or listed with the reason why not."""

from __future__ import annotations

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, sequence
from support.pki import checked
from support.signed import DATA, Parts

import dsig

GOOD = Parts()


def verified(parts: Parts, **options: object) -> dsig.SignatureReport:
    [signature] = checked(parts.file(), **options).signatures
    assert signature.axes["integrity"].status == "passed"
    return signature


def unsigned(parts: Parts) -> list[tuple[str, str]]:
    return [(x.tag, x.reason) for x in verified(parts).coverage.unsigned]


def with_(number: int, whole: bytes) -> Parts:
    """The usual data set with one more element that is not listed."""
    return GOOD.but(data=DATA | {number: whole}, listed=tuple(sorted(DATA)))


def test_where_everything_is_signed_nothing_is_listed_and_the_axis_has_passed():
    signature = verified(GOOD)
    assert (signature.coverage.signed, signature.coverage.unsigned, signature.coverage.absent) == (len(DATA), (), ())
    assert signature.axes["coverage"] == dsig.Axis(dsig.Status.PASSED)


@pytest.mark.parametrize(
    ("number", "whole", "reason"),
    [
        (0x00104000, element(0x00104000, "LT", b"ab"), "not-listed"),
        (0x00400275, sequence(0x00400275, item()), "not-listed"),
        (0x00410010, element(0x00410010, "UN", b"ab"), "unsignable-un"),
        (0x00410010, e.tag(0x00410010) + b"ZZ" + bytes(6), "unsignable-un"),
        (0x00400275, sequence(0x00400275, item(element(0x00410010, "UN"))), "unsignable-nested-un"),
        (0x00060010, element(0x00060010, "LO", b"ab"), "unsignable-tag"),
        (0x00041430, element(0x00041430, "CS", b"IMAGE "), "unsignable-tag"),
        (0x00080001, element(0x00080001, "UL", bytes(4)), "unsignable-tag"),
        (0xFFFA0010, element(0xFFFA0010, "LO", b"ab"), "unsignable-tag"),
    ],
)
def test_what_is_not_protected_is_listed_with_the_reason(number: int, whole: bytes, reason: str):
    assert unsigned(with_(number, whole)) == [(f"{number:08X}", reason)]


@pytest.mark.parametrize(
    ("number", "whole", "code"),
    [
        (0x00104000, element(0x00104000, "LT", b"ab"), "unsigned-not-listed"),
        (0x00410010, element(0x00410010, "UN", b"ab"), "unsigned-unsignable-un"),
        (0x00400275, sequence(0x00400275, item(element(0x00410010, "UN"))), "unsigned-unsignable-nested-un"),
        (0x00060010, element(0x00060010, "LO", b"ab"), "unsigned-unsignable-tag"),
    ],
)
def test_each_reason_has_a_finding(number: int, whole: bytes, code: str):
    findings = verified(with_(number, whole)).axes["coverage"].findings
    assert [(f.code, f.severity) for f in findings] == [(code, "warning")]


def test_what_is_not_protected_makes_the_axis_indeterminate_and_not_the_verdict():
    signature = verified(with_(0x00104000, element(0x00104000, "LT", b"ab")))
    axis = signature.axes["coverage"]
    assert (axis.status, signature.verdict) == ("indeterminate", "passed")
    assert [(f.code, f.severity) for f in axis.findings] == [("unsigned-not-listed", "warning")]


@pytest.mark.parametrize(
    ("number", "whole"),
    [
        (0x00100000, element(0x00100000, "UL", bytes(4))),
        (0xFFFCFFFC, element(0xFFFCFFFC, "OB", bytes(4))),
    ],
    ids=["group length", "trailing padding"],
)
def test_what_says_nothing_is_not_listed(number: int, whole: bytes):
    assert unsigned(with_(number, whole)) == []


def test_the_second_of_two_elements_with_one_tag_is_listed_as_duplicate():
    data = s.joined(GOOD.elements())
    at = data.index(DATA[0x00100020])
    report = checked(s.part10(data[:at] + element(0x00100010, "PN", b"Forged^A") + data[at:]))
    [signature] = report.signatures
    assert [(x.tag, x.reason) for x in signature.coverage.unsigned] == [("00100010", "duplicate")]
    assert [f.code for f in signature.axes["coverage"].findings] == ["unsigned-duplicate"]
    assert report.verdict == "failed"


def test_nested_elements_that_a_signed_sequence_leaves_out_are_listed_with_their_path():
    inside = element(0x00060010, "LO", b"ab")
    kept = element(0x00400007, "LO", b"ab")
    deeper = sequence(0x00400008, item(inside))
    data = DATA | {0x00400275: sequence(0x00400275, item(kept), item(inside, kept, deeper))}
    hashed = (
        bytes.fromhex("40007502 5351 0000 feff00e0") + kept + bytes.fromhex("feff00e0") + kept
        + bytes.fromhex("40000800 5351 0000 feff00e0 feffdde0 feffdde0")
    )  # fmt: skip
    signature = verified(GOOD.but(data=data, hashed={0x00400275: hashed}))
    assert [(x.tag, x.reason, x.location) for x in signature.coverage.unsigned] == [
        ("00060010", "unsignable-tag", "RequestAttributesSequence[1].(0006,0010)"),
        (
            "00060010",
            "unsignable-tag",
            "RequestAttributesSequence[1].ScheduledProtocolCodeSequence[0].(0006,0010)",
        ),
    ]


def test_group_lengths_in_a_signed_sequence_are_not_listed():
    data = DATA | {0x00400275: sequence(0x00400275, item(element(0x00400000, "UL", bytes(4))))}
    hashed = bytes.fromhex("40007502 5351 0000 feff00e0 feffdde0")
    assert verified(GOOD.but(data=data, hashed={0x00400275: hashed})).coverage.unsigned == ()


def test_signatures_in_items_of_a_signed_sequence_are_machinery():
    inner = sequence(s.MAC_PARAMETERS, item()) + sequence(s.DIGITAL_SIGNATURES)
    data = DATA | {0x00400275: sequence(0x00400275, item(inner))}
    hashed = bytes.fromhex("40007502 5351 0000 feff00e0 feffdde0")
    [signature] = checked(GOOD.but(data=data, hashed={0x00400275: hashed}).file()).signatures
    assert signature.coverage.unsigned == ()


def test_tags_that_are_listed_and_absent_are_named():
    [signature] = checked(GOOD.but(listed=(*sorted(DATA), 0x7FE00011)).file()).signatures
    assert signature.coverage.absent == ("7FE00011",)
    assert signature.coverage.signed == len(DATA)


# ------------------------------------------------------------------------------------------------ what is shown of it


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        (element(0x00104000, "LT", b"fell twice"), "fell twice"),
        (element(0x00104000, "LT", b""), ""),
        (element(0x00104000, "LT", b"a\x1b[31m\r\nb"), r"a\x1b[31m\r\nb"),
        (element(0x00104000, "LT", "gr\u00fc\u00dfe ".encode("latin-1")), "gr\u00fc\u00dfe"),
        (element(0x00104000, "LT", b"x" * 1000), "x" * 63 + "\u2026"),
        (element(0x00281052, "DS", b"-1024 "), "-1024"),
        (element(0x00280002, "US", b"\3\0"), "3"),
        (element(0x00280009, "AT", b"\x18\0\x63\x10"), "(0018,1063)"),
        (element(0x00189089, "FD", bytes.fromhex("000000000000f03f 000000000000f0bf")), "1\\-1"),
        (element(0x00281201, "OW", bytes(range(40))), "000102030405060708090a0b0c0d0e0f\u2026 (40 bytes)"),
        (element(0x00091001, "UN", b"SMITH^JOHN"), "SMITH^JOHN"),
        (element(0x00091001, "UN", b"\1\2"), "0102 (2 bytes)"),
        (element(0x00280002, "US", b"\3\0\0"), "030000 (3 bytes)"),
        (sequence(0x00081140, item()), "a sequence (8 bytes)"),
    ],
)
def test_the_value_of_what_is_not_protected_is_shown_short_and_harmless(whole: bytes, shown: str):
    number = int.from_bytes(whole[:2], "little") << 16 | int.from_bytes(whole[2:4], "little")
    [unsigned] = verified(with_(number, whole)).coverage.unsigned
    assert unsigned.value == shown
    assert unsigned.value.isprintable()


def test_values_are_read_by_the_character_set_of_the_data_set():
    charset, name = element(0x00080005, "CS", b"ISO_IR 144"), element(0x00104000, "LT", b"\xbb\xee\xda\xdb")
    parts = GOOD.but(data=DATA | {0x00080005: charset, 0x00104000: name}, listed=(0x00080005, *DATA))
    [unsigned] = verified(parts).coverage.unsigned
    assert unsigned.value == "\u041b\u044e\u043a\u043b"  # PS3.5 annex I: ISO 8859-5


def test_nested_values_are_shown_too():
    data = DATA | {0x00400275: sequence(0x00400275, item(element(0x00060010, "LO", b"forged")))}
    hashed = bytes.fromhex("40007502 5351 0000 feff00e0 feffdde0")
    [unsigned] = verified(GOOD.but(data=data, hashed={0x00400275: hashed})).coverage.unsigned
    assert (unsigned.location, unsigned.value) == ("RequestAttributesSequence[0].(0006,0010)", "forged")


def test_a_flood_of_nested_elements_is_counted_to_the_last():
    """Nothing hides behind it: neither the number, nor what other sequences leave out."""
    flood = item(*(element(0x00060000 + n, "LO", b"ab") for n in range(1, 1001)))
    other = item(element(0x00060010, "LO", b"forged"))
    tail = bytes.fromhex("5351 0000 feff00e0 feffdde0")
    data = DATA | {0x00081140: sequence(0x00081140, flood), 0x00400275: sequence(0x00400275, other)}
    hashed = {0x00081140: e.tag(0x00081140) + tail, 0x00400275: e.tag(0x00400275) + tail}
    signature = verified(GOOD.but(data=data, hashed=hashed))
    assert len(signature.coverage.unsigned) + signature.coverage.unsigned_more == 1001
    assert "RequestAttributesSequence[0].(0006,0010)" in [x.location for x in signature.coverage.unsigned]
    [finding] = [f for f in signature.axes["coverage"].findings if f.code == "unsigned-unsignable-tag"]
    assert finding.message.startswith("1001 elements")


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ((), ("signed", "signed", "signed", "signed")),
        ((0x7FE00010,), ("unsigned", "signed", "signed", "signed")),
        ((0x00100010,), ("signed", "partly", "signed", "signed")),
        ((0x00100010, 0x00100020), ("signed", "unsigned", "signed", "signed")),
        ((0x00080018,), ("signed", "signed", "partly", "signed")),
        ((0x00280010,), ("signed", "signed", "signed", "unsigned")),
    ],
)
def test_kinds_of_content_are_summed_up(left_out: tuple[int, ...], expected: tuple[str, ...]):
    kinds = verified(GOOD.but(listed=tuple(n for n in DATA if n not in left_out))).coverage.protection
    assert (kinds.pixels, kinds.identity, kinds.uids, kinds.content) == expected


def test_kinds_of_content_that_are_not_there_are_absent():
    data = {0x00080018: DATA[0x00080018]}
    kinds = verified(GOOD.but(data=data)).coverage.protection
    assert (kinds.pixels, kinds.identity, kinds.uids, kinds.content) == ("absent", "absent", "signed", "absent")


# -------------------------------------------------------------------------------------------------- required coverage

PARTLY = with_(0x00104000, element(0x00104000, "LT", b"ab"))


def test_all_may_be_required():
    assert verified(GOOD, require_coverage="all").verdict == "passed"
    signature = verified(PARTLY, require_coverage="all")
    assert (signature.axes["coverage"].status, signature.verdict) == ("failed", "failed")


def test_single_elements_may_be_required():
    assert verified(PARTLY, require_coverage=(0x00100010, 0x7FE00010)).verdict == "passed"
    signature = verified(PARTLY, require_coverage=(0x00100010, 0x00104000))
    assert signature.verdict == "failed"
    [finding] = [f for f in signature.axes["coverage"].findings if f.code == "coverage-required"]
    assert "(0010,4000)" in finding.message
    assert "(0010,0010)" not in finding.message


def test_a_required_element_that_is_absent_is_missing_too():
    assert verified(GOOD, require_coverage=(0x00104000,)).verdict == "failed"


def test_a_required_element_that_cannot_be_signed_is_missing_though_it_is_listed():
    data = DATA | {0x00410010: element(0x00410010, "UN", b"ab")}
    parts = GOOD.but(data=data, hashed={0x00410010: b""})
    assert verified(parts, require_coverage=(0x00410010,)).axes["coverage"].status == "failed"


def test_inspect_says_the_same_of_coverage_as_verify():
    [inspected] = dsig.inspect(PARTLY.file()).signatures
    assert inspected.coverage == verified(PARTLY).coverage


def test_what_says_who_and_what_is_seen_is_named_first():
    """Whoever adds a patient could add a dozen harmless elements before it."""
    others = {0x00080050 + n: element(0x00080050 + n, "LO", b"ab") for n in range(0, 12, 2)}
    data = {0x00080018: DATA[0x00080018]}
    added = {n: DATA[n] for n in (0x00100010, 0x7FE00010)}
    [finding] = verified(GOOD.but(data=data | others | added, listed=tuple(data))).axes["coverage"].findings
    assert finding.message.startswith("8 elements not protected: PatientName, PixelData, AccessionNumber, ")
    assert finding.message.endswith(" and 3 more")
