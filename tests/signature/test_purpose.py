"""Digital Signature Purpose (PS3.16 CID 7007; reference section 3.2)."""

from __future__ import annotations

import pytest
from support import signed as s
from support.encode import element, item, sequence
from support.pki import BASE, checked, key
from support.signed import Parts

import dsig

MEANINGS = {
    1: "Author's Signature",
    2: "Coauthor's Signature",
    3: "Co-participant's Signature",
    4: "Transcriptionist/Recorder Signature",
    5: "Verification Signature",
    6: "Validation Signature",
    7: "Consent Signature",
    8: "Signature Witness Signature",
    9: "Event Witness Signature",
    10: "Identity Witness Signature",
    11: "Consent Witness Signature",
    12: "Interpreter Signature",
    13: "Review Signature",
    14: "Source Signature",
    15: "Addendum Signature",
    16: "Modification Signature",
    17: "Administrative (Error/Edit) Signature",
    18: "Timestamp Signature",
}
SIGNED = (BASE / "sr_basic.dcm").read_bytes()


@pytest.mark.parametrize("number", MEANINGS)
def test_a_purpose_is_written_with_its_code_and_meaning(number: int):
    signed = dsig.sign(SIGNED, key=key("p256"), options=dsig.SignOptions(purpose=number))
    [signature] = checked(signed.output).signatures
    assert signature.purpose is not None
    assert (signature.purpose.code, signature.purpose.scheme) == (str(number), "ASTM-sigpurpose")
    assert signature.purpose.meaning == MEANINGS[number]
    assert signature.verdict == "passed"


@pytest.mark.parametrize("number", [0, 19, -1, 1000])
def test_there_are_no_others(number: int):
    with pytest.raises(dsig.UsageError, match="1 to 18") as caught:
        dsig.sign(SIGNED, key=key("p256"), options=dsig.SignOptions(purpose=number))
    assert caught.value.code == "unknown-purpose"


def test_without_one_no_purpose_is_written():
    [signature] = checked(dsig.sign(SIGNED, key=key("p256")).output).signatures
    assert signature.purpose is None


def test_a_foreign_purpose_is_shown_as_it_is():
    code = (
        element(0x00080100, "SH", b"X-7 ") + element(0x00080102, "SH", b"99LOCAL ")
        + element(0x00080104, "LO", b"Release to ward ")
    )  # fmt: skip
    hashed = bytes.fromhex("00040104 5351 0000 feff00e0") + code + bytes.fromhex("feffdde0")
    parts = Parts(item={s.PURPOSE: sequence(s.PURPOSE, item(code))}, hashed={s.PURPOSE: hashed})
    [signature] = checked(parts.file()).signatures
    assert signature.verdict == "passed"
    assert signature.purpose is not None
    assert (signature.purpose.code, signature.purpose.scheme, signature.purpose.meaning) == (
        "X-7", "99LOCAL", "Release to ward",
    )  # fmt: skip
