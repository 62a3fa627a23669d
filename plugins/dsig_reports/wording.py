"""What axes, verdicts and reasons mean, in the words of people who sign and read, not of the standard."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dsig.model import Extent, FileReport, FileVerdict, Protection, Report, SignatureReport, Status

__all__ = [
    "ANSWERS",
    "DOUBTS",
    "ITEMS_ONLY",
    "QUESTIONS",
    "READINGS",
    "UNSIGNED_REASONS",
    "VERDICTS",
    "answer",
    "common_name",
    "doubt",
    "headline",
    "is_of_items",
    "matches",
    "pixels",
    "revocation",
    "said",
]

QUESTIONS: Mapping[str, str] = {
    "structure": "Is the signature built as the standard says?",
    "integrity": "Are the signed data unchanged?",
    "coverage": "Is everything signed?",
    "profile": "Does it follow the profile asked for?",
    "trust": "Is the signer who the certificate says?",
    "time": "Is it proven when it was signed?",
}

ANSWERS: Mapping[tuple[str, Status], str] = {
    ("structure", Status.PASSED): "Yes. It can be read in one way only.",
    ("structure", Status.FAILED): "No. Readers may disagree about what is signed, so nothing it says counts.",
    ("structure", Status.INDETERMINATE): "This could not be decided.",
    ("structure", Status.NOT_CHECKED): "This was not looked at.",
    ("integrity", Status.PASSED): "Yes. Every signed element is as it was when it was signed.",
    ("integrity", Status.FAILED): "No. The data, or the signature, were changed after signing.",
    ("integrity", Status.INDETERMINATE): "This could not be computed, so nothing is known about changes.",
    ("integrity", Status.NOT_CHECKED): "This was not computed.",
    ("coverage", Status.PASSED): "Yes, everything that had to be is signed.",
    ("coverage", Status.FAILED): "No. Something that had to be signed is not.",
    ("coverage", Status.INDETERMINATE): "No. What is left out may be anything; nobody said whether it matters.",
    ("coverage", Status.NOT_CHECKED): "This was not looked at.",
    ("profile", Status.PASSED): "Yes. It has all the profile wants.",
    ("profile", Status.FAILED): "No. It is not a signature of the profile that was asked for.",
    ("profile", Status.INDETERMINATE): "This could not be decided.",
    ("profile", Status.NOT_CHECKED): "No profile was asked for.",
    ("trust", Status.PASSED): "Yes. The certificate leads to a root that was given as trusted.",
    ("trust", Status.FAILED): "No. The certificate must not be relied on.",
    ("trust", Status.INDETERMINATE): "Nobody trusted vouches for the name in the certificate.",
    ("trust", Status.NOT_CHECKED): "Nobody asked. The name is what the certificate says, no more.",
    ("time", Status.PASSED): "Yes. A timestamp authority proves that the signature existed.",
    ("time", Status.FAILED): "No. The timestamp does not hold.",
    ("time", Status.INDETERMINATE): "There is a timestamp, but it proves nothing yet.",
    ("time", Status.NOT_CHECKED): "No. The only time is what the signer's clock said.",
}

DOUBTS: Mapping[tuple[str, Status], str] = {
    ("integrity", Status.FAILED): "the data, or the signature, were changed",
    ("integrity", Status.INDETERMINATE): "nothing is known about changes",
    ("integrity", Status.NOT_CHECKED): "nothing is known about changes",
    ("trust", Status.FAILED): "the certificate must not be relied on",
    ("trust", Status.INDETERMINATE): "nobody trusted vouches for it",
    ("trust", Status.NOT_CHECKED): "nobody asked whether it is so",
}
"""Why the name in a certificate is no proof of who signed."""

DEMANDS = frozenset(
    ("mac-transfer-syntax-not-allowed", "policy-key", "policy-mac", "signature-not-standard", "weak-key", "weak-mac")
)
"""Errors of the axis integrity that say how a signature is made; one that does not match has others."""
NOT_AS_DEMANDED = "No. The signature matches the data, but it is not made as is demanded here."
ITEMS_ONLY = "the data set itself is not signed"
NOT_BY_THE_OWNER = "The certificate leads to a trusted root, but nothing proves that its owner signed this."
UNSTAMPED = "No. There is no timestamp, and one was asked for."

VERDICTS: Mapping[FileVerdict, str] = {
    FileVerdict.FAILED: "Do not rely on this file.",
    FileVerdict.INDETERMINATE: "Something that has to be known is not known.",
    FileVerdict.UNSIGNED: "Nothing in this file is protected by a signature.",
    FileVerdict.ERROR: "This file could not be judged.",
}
"""`passed` depends on what was asked, see `said`."""

UNSIGNED_REASONS: Mapping[str, str] = {
    "not-listed": "left out by the signer, or added later",
    "duplicate": "the second element with this tag",
    "unsignable-un": "of unknown type (UN), which no signature covers",
    "unsignable-nested-un": "has an element of unknown type (UN) inside, which no signature covers",
    "unsignable-tag": "no signature ever covers it",
    "private-vr-unknown": "a private element of unknown type",
}

READINGS: Mapping[str, str] = {
    "stored": "the data as stored",
    "canonical-padding": "the data with text padding normalised",
    "trailing-nul-padding": "the data with text padding normalised the old way",
    "recovered-vr": "the data with the VRs they had when they were signed",
    "old-format": "the data with fragment lengths, as writers before 2006 did",
}

_COMMON_NAME = re.compile(r"(?:^|[,+])CN=((?:\\.|[^,+\\])+)", re.IGNORECASE | re.DOTALL)
_SAID = ("failed", "error", "indeterminate", "unsigned")


def common_name(subject: str) -> str:
    """The common name in an RFC 4514 name, or all of it."""
    found = _COMMON_NAME.search(subject)
    return re.sub(r"\\(.)", r"\1", found.group(1)) if found else subject


def matches(signature: SignatureReport) -> bool:
    """Whether the signature matches the data, be it made as is demanded or not."""
    axis = signature.axes["integrity"]
    wrong = {finding.code for finding in axis.findings if finding.severity == "error"}
    return axis.status is Status.PASSED or (axis.status is Status.FAILED and bool(wrong) and wrong <= DEMANDS)


def answer(signature: SignatureReport, name: str) -> str:
    """The answer to one of the six questions."""
    status = signature.axes[name].status
    if name == "integrity" and status is Status.FAILED and matches(signature):
        return NOT_AS_DEMANDED
    if name == "trust" and status is Status.PASSED and not matches(signature):
        return NOT_BY_THE_OWNER
    if name == "time" and any(finding.code == "timestamp-missing" for finding in signature.axes[name].findings):
        return UNSTAMPED
    return ANSWERS[name, status]


def doubt(signature: SignatureReport) -> str:
    """Why the certificate's word is no proof of who signed; empty if it is."""
    integrity, trust = (signature.axes[name].status for name in ("integrity", "trust"))
    return DOUBTS.get(("trust", trust), "") if matches(signature) else DOUBTS["integrity", integrity]


def said(file: FileReport) -> str:
    """The verdict on a file in a sentence or two; never a bare yes."""
    if file.verdict is not FileVerdict.PASSED:
        return f"{VERDICTS[file.verdict]} {_because(file)}".rstrip()
    rest = max((len(s.coverage.unsigned) + s.coverage.unsigned_more for s in file.signatures), default=0)
    among = _among([s.coverage.protection for s in file.signatures if s.location == "/"])
    what = f"What is signed is unchanged; {rest} element{' is' if rest == 1 else 's are'} not signed{among}."
    what = what if rest else ""
    if is_of_items(file):
        what = "What is signed is unchanged, but that is items of sequences; no signature protects the data set itself."
    trusted = all(s.axes["trust"].status is Status.PASSED for s in file.signatures)
    who = "The signer is trusted." if trusted else "Nobody asked who signed."
    return f"{what or 'Unchanged since it was signed.'} {who}"


def _among(signatures: Sequence[Protection]) -> str:
    """What matters most of what no signature of the data set protects."""
    left: list[str] = []
    if {p.pixels for p in signatures} == {Extent.UNSIGNED}:
        left.append("the pixels or the document")
    identity = {p.identity for p in signatures}
    if identity and identity <= {Extent.UNSIGNED, Extent.PARTLY}:
        left.append("the patient's identity" if identity == {Extent.UNSIGNED} else "some of the patient's identity")
    return f", {' and '.join(left)} among them" if left else ""


def is_of_items(file: FileReport) -> bool:
    """Whether there are signatures, and all of them are of items: whoever has a signed item can put it anywhere."""
    return bool(file.signatures) and all(signature.location != "/" for signature in file.signatures)


def pixels(file: FileReport) -> str:
    """What a picture of the instance is worth, as a sentence."""
    about = [s for s in file.signatures if s.location == "/" and s.coverage.protection.pixels is not Extent.UNSIGNED]
    holding = [s for s in about if s.axes["structure"].status is Status.PASSED and matches(s)]
    extents = {s.coverage.protection.pixels for s in holding}
    if Extent.SIGNED in extents:
        return (
            f"Its pixels are as {'they were signed' if file.verdict is FileVerdict.PASSED else 'somebody signed them'}."
        )
    if Extent.PARTLY in extents:
        return "Only some of its pixels are signed."
    if about:
        return "Its pixels need not be those that were signed."
    return "No signature protects its pixels."


def _because(file: FileReport) -> str:
    """The answer that decided, as a sentence; empty if it was none of the six."""
    wanted = {FileVerdict.FAILED: Status.FAILED, FileVerdict.INDETERMINATE: Status.INDETERMINATE}.get(file.verdict)
    for signature in file.signatures:
        for name, axis in signature.axes.items():
            # what is left out decides nothing, unless it had to be signed: then coverage has failed
            if axis.status is wanted and (name, wanted) != ("coverage", Status.INDETERMINATE):
                return answer(signature, name).removeprefix("No. ")
    return ""


def revocation(signature: SignatureReport) -> str:
    """What is known of revocation where trust passed, as a sentence; empty where findings say more."""
    trust = signature.axes["trust"]
    if trust.status is not Status.PASSED:
        return ""
    codes = {finding.code for finding in trust.findings}
    if "trust-not-revoked" in codes:
        return "Not revoked, as far as CRLs and OCSP responses say."
    unknown = any(code.startswith(("trust-crl-", "trust-ocsp-", "trust-revo")) for code in codes)
    return "" if unknown else "Nobody asked whether it was revoked."


def headline(report: Report) -> str:
    """One sentence about all files; it never says more than the counts do."""
    counts, total = report.summary, len(report.files)
    if total == 0:
        return "No file was judged"
    if counts["passed"] == total:
        of_items = sum(map(is_of_items, report.files))
        if total == 1:
            return "Items in the file passed, the file itself is not signed" if of_items else "The file passed"
        return f"All {total:,} files passed{f', but {of_items:,} of them for items alone' if of_items else ''}"
    worst = next(name for name in _SAID if counts[name])
    if total == 1:
        said = {"failed": "failed", "error": "could not be judged", "indeterminate": "is undecided"}
        return f"The file {said.get(worst, 'is not signed')}"
    said = {"failed": "failed", "error": "could not be judged", "indeterminate": "undecided", "unsigned": "not signed"}
    return f"{counts[worst]:,} of {total:,} files {said[worst]}"
