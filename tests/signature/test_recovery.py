"""VRs lost on an honest hop through Implicit VR are found again; VRs that are there are believed (decision 0050).

Files are signed in explicit VR and then saved by pydicom in another way, as an archive might.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from support.encode import IMPLICIT, element, implicit, item, part10, sequence, text

import dsig
from dsig.limits import DEFAULT
from dsig.signature.recovery import Recovery

UID = element(0x00080018, "UI", text("1.2.3.4", b"\0"))
CREATOR = element(0x00090010, "LO", b"DSIG NOBODY ")
NO_TRUST = dsig.VerifyOptions(check_trust=False)


@pytest.fixture(scope="module")
def key():
    pki = Path(__file__).parents[1] / "corpus" / "pki"
    with dsig.open_key(str(pki / "p256.key.pem"), certificate=str(pki / "p256.pem")) as opened:
        yield opened


@pytest.fixture(scope="module")
def signed(key) -> Callable[..., bytes]:
    """Signs these elements, all of them."""

    def make(*elements: bytes) -> bytes:
        done = dsig.sign(part10(UID + b"".join(elements)), key=key)
        assert not done.coverage.unsigned
        assert isinstance(done.output, bytes)
        return done.output

    return make


def saved(file: bytes, syntax: str) -> bytes:
    """The same data set as pydicom writes it; values are not looked at."""
    ds = pydicom.dcmread(io.BytesIO(file))
    out = io.BytesIO()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.save_as(out, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, enforce_file_format=True)
    return out.getvalue()


def through_implicit(file: bytes) -> bytes:
    return saved(file, ImplicitVRLittleEndian)


def only(file: bytes, options: dsig.VerifyOptions = NO_TRUST) -> dsig.SignatureReport:
    (signature,) = dsig.verify(file, options).signatures
    return signature


def codes(signature: dsig.SignatureReport, axis: str = "integrity") -> list[str]:
    return [f.code for f in signature.axes[axis].findings]


def told(signature: dsig.SignatureReport, code: str) -> str:
    (finding,) = (f for f in signature.axes["integrity"].findings if f.code == code)
    return finding.message


BITS = element(0x00280103, "US", b"\1\0")

HOPS = {
    "pixels": ([element(0x7FE00010, "OB", b"\1\2\3\4")], ["(7FE0,0010) as OB"]),
    "unsigned though Pixel Representation is 1": (
        [BITS, element(0x00280106, "US", b"\1\0")],
        ["(0028,0106) as US"],
    ),
    "signed in an item, whose data set says so": (
        [BITS, sequence(0x00283000, item(element(0x00283002, "SS", bytes(6)), element(0x00283006, "US", b"\1\2")))],
        ["ModalityLUTSequence.(0028,3002) as SS", "ModalityLUTSequence.(0028,3006) as US"],
    ),
    "all at once": (
        [
            BITS,
            element(0x00280106, "US", b"\1\0"),
            element(0x00280107, "US", b"\1\0"),
            element(0x00280120, "US", b"\1\0"),
            element(0x60003000, "OB", b"\1\2"),
            element(0x7FE00010, "OB", b"\1\2\3\4"),
        ],
        ["(0028,0106) as US", "(0028,0107) as US", "(0028,0120) as US", "(6000,3000) as OB", "1 more"],
    ),
    "a private text": ([CREATOR, element(0x00091001, "SH", b"abcd")], ["(0009,1001) as SH"]),
    "two private ones": (
        [CREATOR, element(0x00091001, "DS", b"12.5"), element(0x00091002, "UL", b"\1\0\0\0")],
        ["(0009,1001) as DS", "(0009,1002) as UL"],
    ),
    "private ones whose maker does not write what dictionaries say": (
        [
            element(0x00510010, "LO", b"SIEMENS MR HEADER "),
            *(element(0x00511000 + n, "LO", b"TA 1") for n in (0xA, 0xB, 0xC)),
            element(0x0051100D, "SH", b"TA 1"),
            element(0x0051100E, "LO", b"TA 1"),
            *(element(0x00511000 + n, "SH", b"TA 1") for n in (0x12, 0x13, 0x15, 0x17, 0x18)),
        ],
        [f"(0051,100{n}) as LO" for n in "ABCE"],
    ),
    "private ones of which dictionaries know all but two": (
        [
            CREATOR,
            element(0x00091001, "AE", b"ab"),
            element(0x00091002, "FD", bytes(8)),
            element(0x00510010, "LO", b"SIEMENS MR HEADER "),
            *(element(0x00511000 + n, "SH", b"TA 1") for n in (0xD, 0x12, 0x13, 0x15, 0x17, 0x18)),
        ],
        ["(0009,1001) as AE", "(0009,1002) as FD"],
    ),
    "a private sequence": (
        [CREATOR, sequence(0x00091001, item(element(0x00100010, "PN", b"Doe^Jane")))],
        ["(0009,1001) as SQ"],
    ),
    "an empty private one": ([CREATOR, element(0x00091001, "CS", b"")], ["(0009,1001) as CS"]),
    "a standard one newer than the dictionary": ([element(0x00100009, "UC", b"new ")], ["(0010,0009) as UC"]),
}


@pytest.mark.parametrize("name", HOPS)
def test_a_signature_survives_implicit_vr(name, signed):
    elements, recovered = HOPS[name]
    hopped = through_implicit(signed(*elements))
    signature = only(hopped)
    assert signature.verdict is dsig.Status.PASSED
    assert signature.mac.encoding == "recovered-vr"
    assert codes(signature) == ["vr-recovered"]
    for change in recovered:
        assert change in told(signature, "vr-recovered")
    assert not signature.coverage.unsigned  # what was recovered is what was signed


@pytest.mark.parametrize("name", HOPS)
def test_a_changed_value_is_not_recovered(name, signed):
    elements, _ = HOPS[name]
    hopped = through_implicit(signed(element(0x00080090, "PN", b"Sender^A"), *elements))
    assert hopped.count(b"Sender^A") == 1
    signature = only(hopped.replace(b"Sender^A", b"Sender^B"))
    assert signature.verdict is not dsig.Status.PASSED
    assert set(codes(signature)) & {"mac-mismatch", "vr-unknown"}
    assert "vr-recovered" not in codes(signature)


@pytest.mark.parametrize("name", ["pixels", "unsigned though Pixel Representation is 1", "a private text"])
def test_when_every_reading_was_tried_it_is_a_mismatch(name, signed):
    elements, _ = HOPS[name]
    hopped = through_implicit(signed(element(0x00080090, "PN", b"Sender^A"), *elements))
    signature = only(hopped.replace(b"Sender^A", b"Sender^B"))
    assert signature.axes["integrity"].status is dsig.Status.FAILED
    assert codes(signature) == ["mac-mismatch"]


def test_a_program_that_knows_no_private_elements_writes_un(signed):
    file = signed(CREATOR, element(0x00091001, "SH", b"abcd"), element(0x00091002, "US", b"\1\0"))
    for known, unknown in (
        (element(0x00091001, "SH", b"abcd"), element(0x00091001, "UN", b"abcd")),
        (element(0x00091002, "US", b"\1\0"), element(0x00091002, "UN", b"\1\0")),
        (CREATOR, element(0x00090010, "UN", b"DSIG NOBODY ")),
    ):
        assert file.count(known) == 1
        file = file.replace(known, unknown)
    signature = only(file)
    assert signature.verdict is dsig.Status.PASSED
    assert told(signature, "vr-recovered").count(" as ") == 3
    assert codes(signature, "structure") == ["relocatable"]


def test_a_value_too_long_for_explicit_vr_is_un_there(key):
    """PS3.5 6.2.2: it cannot keep its VR; implicit VR could."""
    value = b"1.5\\" * 20_000
    data = part10(implicit(0x00080018, b"1.2.3\0") + implicit(0x30060050, value), IMPLICIT)
    done = dsig.sign(data, key=key, options=dsig.SignOptions(rely_on_dictionaries=True))
    assert done.mac.elements == (0x00080018, 0x30060050)
    with pytest.warns(UserWarning, match="64 kByte"):
        explicit = saved(done.output, ExplicitVRLittleEndian)
    assert element(0x30060050, "UN", value) in explicit
    signature = only(explicit)
    assert signature.verdict is dsig.Status.PASSED
    assert told(signature, "vr-recovered").count("(3006,0050) as DS") == 1


NAMED = {
    "pixels": (element(0x7FE00010, "OB", b"\1\2\3\4"), element(0x7FE00010, "OW", b"\1\2\3\4"), "(7FE0,0010) as OB"),
    "sign": (element(0x00280106, "US", b"\xff\xff"), element(0x00280106, "SS", b"\xff\xff"), "(0028,0106) as US"),
    "known to everybody": (
        element(0x00100010, "PN", b"Doe^Jane"),
        element(0x00100010, "UN", b"Doe^Jane"),
        "(0010,0010) as PN",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_vr_that_is_named_counts_and_the_report_says_which_was_signed(name, signed):
    before, after, change = NAMED[name]
    file = signed(before)
    assert file.count(before) == 1
    signature = only(file.replace(before, after))
    assert signature.verdict is dsig.Status.FAILED
    assert codes(signature) == ["mac-mismatch", "vr-changed"]
    assert change in told(signature, "vr-changed")
    assert signature.mac.encoding == "stored"


def test_beyond_the_limit_the_answer_is_that_it_cannot_be_computed(signed):
    """Nobody is accused, and nothing passes."""
    private = [element(0x00091000 + n, "US", bytes([n, 0])) for n in range(12)]
    hopped = through_implicit(signed(CREATOR, *private, element(0x0009100D, "UC", b"text")))
    signature = only(hopped)
    assert signature.verdict is dsig.Status.INDETERMINATE
    assert codes(signature) == ["vr-unknown"]
    assert f"{DEFAULT.vr_readings} readings" in told(signature, "vr-unknown")
    assert [f.severity for f in signature.axes["structure"].findings if f.code == "list-names-unsignable"] == [
        "warning"
    ]


@pytest.mark.parametrize("limits", [replace(DEFAULT, vr_readings=3), replace(DEFAULT, vr_work=0)])
def test_limits_bound_the_search(limits, signed):
    elements = [CREATOR, element(0x00091001, "UR", b"abcd")]
    hopped = through_implicit(signed(*elements))
    assert only(hopped).verdict is dsig.Status.PASSED
    signature = only(hopped, replace(NO_TRUST, limits=limits))
    assert codes(signature) == ["vr-unknown"]


def test_what_one_signature_has_proven_is_tried_for_the_next(signed, key):
    """However little is left of the limit."""
    once = signed(element(0x7FE00010, "OB", b"\1\2\3\4"))
    twice = dsig.sign(once, key=key).output
    hopped = through_implicit(twice)
    few = replace(NO_TRUST, limits=replace(DEFAULT, vr_work=1))
    signatures = dsig.verify(hopped, few).signatures
    assert [s.mac.encoding for s in signatures] == ["recovered-vr"] * 2


def test_many_signatures_that_fail_cost_little_more_than_one(signed, monkeypatch):
    """The work is bounded for a file, not for each of its signatures."""
    file = signed(CREATOR, element(0x00091001, "UR", b"abcd"), element(0x00100010, "PN", b"Doe^Jane"))
    ds = pydicom.dcmread(io.BytesIO(file))
    ds.PatientName = "Forged^Jane"
    for number in range(0x1000, 0x1400):
        ds.add_new((0x0011, number), "US", number)
    one = ds[0xFFFA, 0xFFFA].value[0]
    ds[0xFFFA, 0xFFFA].value = [one] * 100
    out = io.BytesIO()
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    ds.save_as(out, implicit_vr=True, little_endian=True, enforce_file_format=True)
    surveys = []
    survey = Recovery.survey
    monkeypatch.setattr(Recovery, "survey", lambda self, **how: (surveys.append(1), survey(self, **how)))
    report = dsig.verify(out.getvalue(), NO_TRUST)
    assert (report.verdict, len(report.signatures)) == (dsig.FileVerdict.FAILED, 100)
    assert dsig.Status.PASSED not in {s.verdict for s in report.signatures}
    assert len(surveys) < 10
