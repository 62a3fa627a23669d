"""What a careful verifier says of tampered and malformed files, and what `--strict` makes of honest ones."""

from __future__ import annotations

from functools import cache

import pytest
from support.corpus import CORPUS, VERIFY, Case, report_on

import dsig

BAD = [case for case in VERIFY if case["group"] in ("tampered", "malformed") and case.get("opinion")]
ONLY_ISSUER = "v-mal-cert-bitflip-sig"
"""The CA's signature in the certificate is broken, which only the CA's key can tell."""
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
def test_what_is_invalid_fails(case: Case):
    assert verdict(case["file"], False).verdict == "failed"


@pytest.mark.parametrize("case", [c for c in BAD if "-mac-xfer-" in c["id"]], ids=lambda c: c["id"])
def test_a_changed_mac_transfer_syntax_is_told(case: Case):
    """Nothing protects it; deflation makes no difference to the MAC."""
    codes = {f.code for s in verdict(case["file"], False).signatures for f in s.axes["integrity"].findings}
    changed = {"mac-transfer-syntax-changed", "mac-mismatch"}
    assert codes & changed or (case["id"].endswith("-deflated") and not codes)


@pytest.mark.parametrize("case", [c for c in BAD if opinion(c, "clear error")], ids=lambda c: c["id"])
def test_what_is_malformed_does_not_pass(case: Case):
    report = report_on(case["file"], "ca") if case["id"] == ONLY_ISSUER else verdict(case["file"], False)
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
    "wrapped": ("structure", "item-relocatable"),
}
"""Changes that pass with a warning and fail strictly, by the end of the case's name."""


STRICTER = {
    "v-tamper-two-first-doubled": ("failed", "signature-uid-doubled"),
    "v-mal-many-signatures": ("failed", "signature-uid-doubled"),
    "v-mal-ts-unknown": ("indeterminate", "transfer-syntax-unknown"),
    "v-mal-ts-empty": ("indeterminate", "transfer-syntax-unknown"),
}
"""Where the tools that made the corpus see nothing wrong."""


@pytest.mark.parametrize("name", STRICTER)
def test_what_a_careful_verifier_refuses_is_told_why(name: str):
    expected, code = STRICTER[name]
    (case,) = (case for case in VERIFY if case["id"] == name)
    report = verdict(case["file"], False)
    assert report.verdict == expected
    assert code in {f.code for s in report.signatures for f in s.axes["structure"].findings if f.severity == "error"}
    assert verdict(case["file"], True).verdict == "failed"


def test_a_hundred_nested_sequences_are_beyond_a_limit():
    (case,) = (case for case in VERIFY if case["id"] == "v-mal-nest-100")
    report = verdict(case["file"], False)
    assert (report.verdict, report.error and report.error.code) == ("error", "limit-exceeded")
    assert "depth = 64" in report.error.message


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
    hidden = {"unsigned-unsignable-tag", "forbidden-group"}
    meaning = {"presentation-unsigned", "pixel-description-unsigned", "instance-uid-unsigned"}
    assert reasons <= borders | file | hidden | meaning
    assert passed > failed
