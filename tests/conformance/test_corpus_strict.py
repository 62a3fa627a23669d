"""What a careful verifier says of tampered and malformed files, and what `--strict` makes of honest ones."""

from __future__ import annotations

from functools import cache

import pytest
from support.corpus import CORPUS, VERIFY, Case

import dsig

BAD = [case for case in VERIFY if case["group"] in ("tampered", "malformed") and case.get("opinion")]
HARMLESS = {
    "v-mal-nest-100": "100 levels are within the limit, and the signature is good",
    "v-mal-cert-bitflip-sig": "the certificate's own signature is broken: trust fails, which is not asked here",
    "v-mal-ts-unknown": "the data set is read right by its looks",
    "v-mal-ts-empty": "the data set is read right by its looks",
    "v-mal-many-signatures": "one signature 301 times over; each is good",
}
"""Malformed files whose signature holds; what is odd about them is reported."""
NO_SIGNATURE = ("no signature", "not a live signature")


@cache
def verdict(file: str, strict: bool) -> dsig.FileReport:
    return dsig.verify(CORPUS / file, dsig.VerifyOptions(check_trust=False, strict=strict))


def opinion(case: Case, *starts: str) -> bool:
    return str(case["opinion"]).startswith(starts)


def test_every_opinion_is_looked_at():
    known = (
        "invalid",
        "clear error",
        "still valid",
        "either",
        "signature valid for the item only",
        "first",
        *NO_SIGNATURE,
    )
    known = (*known, "the remaining one is valid")
    assert [case["opinion"] for case in BAD if not opinion(case, *known)] == []
    assert len(BAD) > 350


@pytest.mark.parametrize("case", [c for c in BAD if opinion(c, "invalid", "first")], ids=lambda c: c["id"])
def test_what_is_invalid_fails_or_cannot_be_recomputed(case: Case):
    """Indeterminate only where the MAC transfer syntax, which nothing protects, was changed to another."""
    report = verdict(case["file"], False)
    if "-mac-xfer-" in case["id"]:
        codes = {f.code for s in report.signatures for f in s.axes["integrity"].findings}
        assert codes & {"mac-transfer-syntax-unknown", "pixel-encoding-changed", "mac-mismatch"}
        assert report.verdict in ("failed", "indeterminate")
    else:
        assert report.verdict == "failed"


@pytest.mark.parametrize("case", [c for c in BAD if opinion(c, "clear error")], ids=lambda c: c["id"])
def test_what_is_malformed_does_not_pass(case: Case):
    report = verdict(case["file"], False)
    if case["id"] in HARMLESS:
        assert report.verdict == "passed"
        return
    assert report.verdict in ("error", "failed", "unsigned", "indeterminate")
    assert (
        report.error is not None
        or report.findings
        or any(f.severity == "error" for s in report.signatures for axis in s.axes.values() for f in axis.findings)
        or report.verdict == "unsigned"
    )


@pytest.mark.parametrize("case", [c for c in BAD if opinion(c, *NO_SIGNATURE)], ids=lambda c: c["id"])
def test_what_has_no_signature_is_unsigned_and_says_why(case: Case):
    report = verdict(case["file"], False)
    assert report.verdict == "unsigned"
    assert {f.code for f in report.findings} & {"mac-parameters-left", "historic-signature"}


@pytest.mark.parametrize("case", [c for c in BAD if opinion(c, "still valid", "the remaining")], ids=lambda c: c["id"])
def test_what_no_signature_covers_changes_no_verdict(case: Case):
    assert verdict(case["file"], False).verdict == "passed"


WARNED = {
    "meta-sop-uid": ("file", "meta-sop-instance-uid"),
    "mac-extra-attr": ("structure", "foreign-attribute"),
    "two-first-doubled": ("structure", "signature-uid-doubled"),
    "wrapped": ("structure", "item-relocatable"),
    "mal-many-signatures": ("structure", "signature-uid-doubled"),
    "mal-ts-unknown": ("file", "transfer-syntax-unknown"),
    "mal-ts-empty": ("file", "transfer-syntax-unknown"),
}
"""Changes that pass with a warning and fail strictly, by the end of the case's name."""


@pytest.mark.parametrize("end", WARNED)
def test_what_is_odd_is_said_and_fails_strictly(end: str):
    axis, code = WARNED[end]
    cases = [case for case in VERIFY if case["id"].endswith(end)]
    assert cases
    for case in cases:
        loose, strict = verdict(case["file"], False), verdict(case["file"], True)
        assert (loose.verdict, strict.verdict) == ("passed", "failed"), case["id"]
        for report, severity in ((loose, "warning"), (strict, "error")):
            said = report.findings if axis == "file" else [f for s in report.signatures for f in s.axes[axis].findings]
            assert (code, severity) in {(f.code, f.severity) for f in said}, case["id"]


def test_strictly_honest_files_fail_only_for_what_strict_is_about():
    """Files signed whole by others: reports and plans whose signature could be moved, items that nothing holds."""
    reasons: set[str] = set()
    passed = failed = 0
    for case in VERIFY:
        if case["group"] not in ("bases", "mac-x-key", "items", "multi", "output", "transcoded"):
            continue
        if verdict(case["file"], False).verdict != "passed":
            continue
        report = verdict(case["file"], True)
        passed += report.verdict == "passed"
        failed += report.verdict == "failed"
        said = [*report.findings, *(f for s in report.signatures for a in s.axes.values() for f in a.findings)]
        reasons |= {f.code for f in said if f.severity == "error"}
    borders = {"relocatable", "item-relocatable"}
    file = {"meta-sop-instance-uid", "meta-sop-class-uid"}
    hidden = {"unsigned-unsignable-tag", "unknown-vr", "forbidden-group"}
    meaning = {"presentation-unsigned", "pixel-description-unsigned", "instance-uid-unsigned"}
    assert reasons <= borders | file | hidden | meaning
    assert passed > failed
