"""The corpus of signed files and what its manifest expects; see tests/corpus/README.md for the format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dsig

CORPUS = Path(__file__).parents[1] / "corpus"
MANIFEST: dict[str, Any] = json.loads((CORPUS / "manifest.json").read_bytes())
POLICIES: dict[str, dict[str, Any]] = MANIFEST["policies"]
Case = dict[str, Any]
CASES: list[Case] = MANIFEST["cases"]
VERIFY = [case for case in CASES if case["kind"] == "verify"]
OPERATIONS = [case for case in CASES if case["kind"] == "operation"]

PROFILES = {
    "none": "none",
    "base": "base",
    "creator": "creator",
    "auth": "authorization",
    "sr": "sr",
    "srv": "sr-verification",
}
"""The manifest's names of profiles and dsig's."""

INPUTS = {"file-only": "file"} | {
    name: name for name in ("auto", "dataset", "dataset-le", "dataset-be", "dataset-implicit")
}
"""The manifest's forms of input and dsig's names for them."""

SYNTAXES = {
    "=Little Endian Explicit": "1.2.840.10008.1.2.1",
    "=Deflated Explicit VR Little Endian": "1.2.840.10008.1.2.1.99",
    "=RLE Lossless": "1.2.840.10008.1.2.5",
    "=JPEG Baseline": "1.2.840.10008.1.2.4.50",
    "=JPEG Extended, Process 2+4": "1.2.840.10008.1.2.4.51",
    "=JPEG Lossless, Non-hierarchical, 1st Order Prediction": "1.2.840.10008.1.2.4.70",
    "=JPEG-LS Lossless": "1.2.840.10008.1.2.4.80",
    "=JPEG-LS Lossy (Near-lossless)": "1.2.840.10008.1.2.4.81",
    "=JPEG 2000 (Lossless only)": "1.2.840.10008.1.2.4.90",
    "=JPEG 2000 (Lossless or Lossy)": "1.2.840.10008.1.2.4.91",
}
"""Names of MAC transfer syntaxes as the peer prints them, and their UIDs (PS3.6 annex A)."""

HASHED_DIFFERENTLY = "v-base-seg-labelmap"
"""Its recorded MAC leaves out content of a nested sequence: docs/decisions/0005. We do not accept it."""
VRS_LOST = "v-conv-wsi-ti"
"""Conversion to implicit VR lost the VR of the pixel data: docs/decisions/0050. We find it again."""


@dataclass(frozen=True)
class Scope:
    """Cases whose expectation needs what later work brings; docs/decisions/0002 lists them."""

    name: str
    reason: str
    applies: Callable[[Case, dict[str, Any]], bool]
    """To a case and, for verification, one policy; for operations, the operation's own `spec`."""


def accepted(case: Case, policy: dict[str, Any]) -> list[str]:
    """Results a case may have under a policy."""
    return [result for name, one in case["verify"].items() if POLICIES[name] is policy for result in one["accept"]]


SCOPES = (
    Scope(
        "sr-purpose",
        "our SR profile wants the purpose of a signature said, the manifest's does not",
        lambda case, policy: policy["require"] == "sr" and "pass" in accepted(case, policy),
    ),
)
"""What verification does not do yet, or does otherwise."""


def path_of(case: Case) -> Path:
    """The file a verification is about."""
    return CORPUS / case["file"]


@cache
def trust_of(policy: str) -> dsig.TrustMaterial:
    """What a policy trusts."""
    given = POLICIES[policy]
    roots = [CORPUS / name for name in (*given["trusted"], *given["cert_dirs"])]
    return dsig.load_trust(roots, [CORPUS / n for n in given["untrusted"]], [CORPUS / n for n in given["crls"]])


@cache
def report_on(file: str, policy: str) -> dsig.FileReport:
    """Our verdict on a file of the corpus under one of its policies."""
    given = POLICIES[policy]
    options = dsig.VerifyOptions(
        trust=trust_of(policy),
        old_format=given["old_format"],
        convert_un=given["convert_un"],
        revocation=dsig.Revocation.HARD if given["crl_check"] else dsig.Revocation.NONE,
        input_kind=INPUTS[given["input"]],
        require_profiles=() if given["require"] in ("none", "any") else (PROFILES[given["require"]],),
        timestamps=dsig.TimestampPolicy(given["timestamps"]),
        tsa_trust=trust_of(policy),  # the manifest has one store for signers and TSAs
    )
    return dsig.verify(CORPUS / file, options)


def verifications() -> Iterator[tuple[Case, str]]:
    """Every verification case under every policy it has an expectation for."""
    for case in VERIFY:
        for policy in case["verify"]:
            yield case, policy


def scopes_of(case: Case, policy: str) -> list[Scope]:
    """The reasons why only half of an expectation holds yet."""
    return [scope for scope in SCOPES if scope.applies(case, POLICIES[policy])]


def result_of(report: dsig.FileReport, policy: str) -> str:
    """Our verdict in the manifest's words."""
    required = POLICIES[policy]["require"]
    if required not in ("none", "any") and report.signatures and not any(s.profiles for s in report.signatures):
        return "policy"  # whatever else is wrong with them: none is of the kind that was asked for
    unsigned = "pass" if required == "none" else "nosig"
    return {"error": "unreadable", "unsigned": unsigned, "passed": "pass"}.get(report.verdict.value, "fail")


def verdict_of(signature: dsig.SignatureReport) -> str:
    """Our verdict on one signature in the manifest's words."""
    if not intact(signature):
        return "bad"
    if any(finding.code == "claimed-outside-validity" for finding in signature.axes["time"].findings):
        return "bad"  # by what it says itself; the manifest calls only signatures that could be good untrusted
    return "ok" if signature.axes["trust"].status is dsig.Status.PASSED else "untrusted"


TIMESTAMPS = {"ok": ("ok",), "bad": ("bad",), "missing": ("missing", "bad")}
"""The manifest's verdicts on timestamps and ours: where it counts an unreadable one as missing, we call it bad."""


def timestamp_of(signature: dsig.SignatureReport) -> str:
    """Our verdict on a signature's timestamp in the manifest's words."""
    axis = signature.axes["time"]
    if axis.status is dsig.Status.NOT_CHECKED or any(f.code == "timestamp-missing" for f in axis.findings):
        return "missing"
    return "ok" if axis.status is dsig.Status.PASSED and signature.times.proven else "bad"


def intact(signature: dsig.SignatureReport) -> bool:
    """Structure and integrity hold."""
    return all(signature.axes[name].status is dsig.Status.PASSED for name in ("structure", "integrity"))


def matched(
    expectation: dict[str, Any], report: dsig.FileReport
) -> Iterator[tuple[dict[str, Any], dsig.SignatureReport]]:
    """Expected signatures with ours: by UID and place where the manifest gives them, else in order."""
    expected = expectation["sigs"] or []
    left = list(report.signatures)
    for one in expected:
        ours = next(
            (x for x in left if one.get("uid") in (None, x.uid) and one.get("location") in (None, place(x))), None
        )
        assert ours is not None, f"no signature {one}"
        left.remove(ours)
        yield one, ours
    assert expectation["sigs"] is None or not left, f"not expected: {[x.uid for x in left]}"


def place(signature: dsig.SignatureReport) -> str:
    """Where a signature is, in the manifest's words."""
    return "Main Dataset" if signature.location == "/" else signature.location


def objections(case: Case, policy: str) -> list[str]:
    """Everything in which our verdict is not the one the manifest expects."""
    expectation, report = case["verify"][policy], report_on(case["file"], policy)
    found = []
    if result_of(report, policy) not in expectation["accept"]:
        found.append(f"{report.verdict} instead of {expectation['accept']}")
    for one, ours in matched(expectation, report):
        wanted = one.get("verdict")
        if wanted == "untrusted" and one.get("ts") == "ok":
            wanted = "ok"  # the manifest judges the signer now, we when the timestamp was made, and both let it pass
        if wanted is not None and verdict_of(ours) not in ([wanted] if isinstance(wanted, str) else wanted):
            found.append(f"{ours.uid} is {verdict_of(ours)} instead of {wanted}: {findings_of(ours)}")
        if "ts" in one and timestamp_of(ours) not in TIMESTAMPS[one["ts"]]:
            found.append(f"{ours.uid}: timestamp {timestamp_of(ours)} instead of {one['ts']}: {findings_of(ours)}")
    return found


def findings_of(signature: dsig.SignatureReport) -> list[str]:
    """Codes of what was found wrong, by axis."""
    return [f"{name} {f.code}" for name, axis in signature.axes.items() for f in axis.findings if f.severity == "error"]
