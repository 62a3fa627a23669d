"""The corpus: our verdict on files others signed, tampered with, cut and malformed is the one its manifest expects."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from support.corpus import (
    CASES,
    HASHED_DIFFERENTLY,
    MANIFEST,
    OPERATIONS,
    SCOPES,
    SYNTAXES,
    VERIFY,
    VRS_LOST,
    Case,
    Scope,
    findings_of,
    intact,
    matched,
    objections,
    path_of,
    place,
    report_on,
    result_of,
    scopes_of,
    verifications,
)

import dsig

DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0002-corpus-scope.md"

AT_LEAST = {
    "bases": 67, "items": 18, "mac-x-key": 36, "malformed": 111, "multi": 7, "old-format": 6, "output": 32, "pki": 15,
    "profiles": 18, "purposes": 6, "remove": 26, "sign-operations": 125, "taglists": 11, "tampered": 363,
    "timestamp-operations": 8, "timestamps": 29, "transcoded": 14, "truncated": 62, "unsigned": 7,
}  # fmt: skip
"""Cases by group when the corpus was vendored; a refreshed one may have more."""

WHOLE = [(case, policy) for case, policy in verifications() if not scopes_of(case, policy)]
HALF = [(case, policy) for case, policy in verifications() if scopes_of(case, policy)]


def name(case: Case) -> str:
    return str(case["id"])


def names(pairs: list[tuple[Case, str]]) -> list[str]:
    return [f"{case['id']}-{policy}" for case, policy in pairs]


# ---------------------------------------------------------------------------------------------------- the corpus itself


def test_the_corpus_has_not_shrunk():
    counts = Counter(case["group"] for case in CASES)
    assert counts == MANIFEST["counts"]
    assert {group: counts[group] for group in AT_LEAST if counts[group] < AT_LEAST[group]} == {}
    assert len({case["id"] for case in CASES}) == len(CASES) == len(VERIFY) + len(OPERATIONS)


def test_every_case_is_looked_at():
    assert all(case["verify"] for case in VERIFY)
    assert len(WHOLE) + len(HALF) == sum(len(case["verify"]) for case in VERIFY)
    assert len(WHOLE) > 1000


def test_the_files_are_those_the_manifest_is_about():
    changed = []
    for case in VERIFY:
        data = path_of(case).read_bytes()
        if (len(data), hashlib.sha256(data).hexdigest()) != (case["size"], case["sha256"]):
            changed.append(case["file"])
    assert changed == []


@pytest.mark.parametrize("scope", SCOPES, ids=lambda s: s.name)
def test_what_is_left_to_later_work_is_written_down(scope: Scope):
    assert f"`{scope.name}`" in DECISION.read_text()


@pytest.mark.parametrize("scope", SCOPES, ids=lambda s: s.name)
def test_what_is_left_to_later_work_is_not_done_yet(scope: Scope):
    """Work that is done removes its scope, in `support/corpus.py` and in the decision."""
    alone = [(case, policy) for case, policy in HALF if scopes_of(case, policy) == [scope]]
    assert not alone or any(objections(case, policy) for case, policy in alone)


# -------------------------------------------------------------------------------------------------------- verification

OTHERWISE = (HASHED_DIFFERENTLY, VRS_LOST)
"""Cases that deserve another verdict than the manifest's: decisions 0002, 0005 and 0050."""


@pytest.mark.parametrize(("case", "policy"), [p for p in WHOLE if name(p[0]) not in OTHERWISE],
                         ids=names([p for p in WHOLE if name(p[0]) not in OTHERWISE]))  # fmt: skip
def test_the_verdict_is_the_expected_one(case: Case, policy: str):
    assert objections(case, policy) == []


@pytest.mark.parametrize(("case", "policy"), [p for p in HALF if name(p[0]) not in OTHERWISE],
                         ids=names([p for p in HALF if name(p[0]) not in OTHERWISE]))  # fmt: skip
def test_where_trust_is_left_to_later_work_integrity_is_the_expected_one(case: Case, policy: str):
    expectation, report = case["verify"][policy], report_on(case["file"], policy)
    assert report.verdict is not dsig.FileVerdict.ERROR or "unreadable" in expectation["accept"]
    for one, ours in matched(expectation, report):
        if one.get("verdict") in ("ok", "untrusted"):
            assert intact(ours), findings_of(ours)


def test_the_file_whose_mac_leaves_out_signed_content_is_not_accepted():
    [case] = [case for case in VERIFY if name(case) == HASHED_DIFFERENTLY]
    for policy in case["verify"]:
        report = report_on(case["file"], policy)
        assert result_of(report, policy) == "fail"
        assert [findings_of(s)[0] for s in report.signatures] == ["integrity mac-mismatch"]


def test_the_file_whose_vrs_were_lost_on_the_way_is_read_as_it_was_signed():
    """The manifest calls it bad; its digest is the one that was recorded when it was signed (decision 0050)."""
    [case] = [case for case in VERIFY if name(case) == VRS_LOST]
    (recorded,) = (step["mac_stream"]["sha256"] for step in case["steps"] if "mac_stream" in step)
    for policy in case["verify"]:
        report = report_on(case["file"], policy)
        assert result_of(report, policy) == "pass"
        (signature,) = report.signatures
        assert (signature.mac.encoding, signature.mac.digest) == ("recovered-vr", recorded)


# --------------------------------------------------------------------------------------------------------------- facts

WITH_FACTS = [case for case in VERIFY if case.get("signatures")]


@pytest.mark.parametrize("case", WITH_FACTS, ids=name)
def test_what_signatures_say_of_themselves_is_read_as_others_read_it(case: Case):
    kind = "auto" if "-opt" not in case["id"] else None
    policy = next(iter(case["verify"]))
    report = report_on(case["file"], policy)
    assert kind is None or report.error is None
    expected = [
        {
            "uid": one["uid"],
            "location": one["location"],
            "elements": [int(tag, 16) for tag in one["elements"]],
            "mac": one["mac"],
            "mac_xfer": SYNTAXES[one["mac_xfer"]],
            "purpose": one["purpose"],
        }
        for one in case["signatures"]
    ]
    ours = [
        {
            "uid": s.uid,
            "location": place(s),
            "elements": list(s.mac.elements),
            "mac": s.mac.algorithm,
            "mac_xfer": s.mac.transfer_syntax,
            "purpose": f"{s.purpose.meaning} ({s.purpose.code}, {s.purpose.scheme})"
            if s.purpose
            else "(not specified)",
        }
        for s in report.signatures
    ]
    assert ours == expected
