"""Verdicts from statuses: the worst of what is required, and what signatures mean for their file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dsig.model import Axis, FileVerdict, Finding, SignatureReport, Status

__all__ = ["file_verdict", "verdict", "with_coverage", "with_profiles", "worst"]

_GRAVITY = [Status.PASSED, Status.NOT_CHECKED, Status.INDETERMINATE, Status.FAILED]


UNDECIDED = frozenset({"transfer-syntax-unknown"})
"""Errors that leave the question open: nobody knows which data set other readers see."""


def worst(*findings: Finding) -> Status:
    """Failed if any finding is an error, indeterminate if these only leave the question open, else passed."""
    errors = {f.code for f in findings if f.severity == "error"}
    if not errors:
        return Status.PASSED
    return Status.INDETERMINATE if errors <= UNDECIDED else Status.FAILED


def verdict(required: Sequence[Status]) -> Status:
    """The worst of the required axes; what could not be checked is at best indeterminate."""
    gravest = max(required, key=_GRAVITY.index)
    return Status.INDETERMINATE if gravest is Status.NOT_CHECKED else gravest


def with_coverage(signatures: tuple[SignatureReport, ...]) -> tuple[SignatureReport, ...]:
    """Verdicts with required coverage taken in: a signature of the main data set must have it.

    Signatures of items cover their item however much they sign; without one that covers the data set they fail,
    because the item may stand in a forged one.
    """
    covered = any(s.location == "/" and s.axes["coverage"].status is Status.PASSED for s in signatures)
    return tuple(_with_coverage(s, covered=covered) for s in signatures)


def _with_coverage(signature: SignatureReport, *, covered: bool) -> SignatureReport:
    if signature.location != "/":
        if covered:
            return signature
        gap = Finding("coverage-required", "no signature of the main data set covers what is required")
        failed = Axis(Status.FAILED, (gap, *signature.axes["coverage"].findings))
        signature = replace(signature, axes=signature.axes | {"coverage": failed})
    return replace(signature, verdict=verdict([signature.verdict, signature.axes["coverage"].status]))


def with_profiles(signatures: tuple[SignatureReport, ...], required: tuple[str, ...]) -> tuple[SignatureReport, ...]:
    """Verdicts with the profile axis taken in.

    A signature fails for a profile it does not meet unless another one meets it and passes: an approval beside a
    creator's signature does not have to be a creator's signature too. If the other is indeterminate, so is this axis.
    """
    if not required:
        return signatures
    best = {
        name: min((s.verdict for s in signatures if name in s.profiles), key=_GRAVITY.index, default=Status.FAILED)
        for name in required
    }
    return tuple(_with_profile(s, {n: best[n] for n in required if n not in s.profiles}) for s in signatures)


def _with_profile(signature: SignatureReport, missed: dict[str, Status]) -> SignatureReport:
    """One verdict with the profile axis; `missed` says how well other signatures meet what this one does not."""
    axis = signature.axes["profile"]
    if missed:
        status = max(missed.values(), key=_GRAVITY.index)
        if status is Status.PASSED:
            elsewhere = Finding(
                "profile-met-elsewhere",
                f"another signature meets {', '.join(missed)}, so this one does not have to",
                clause="PS3.15 C",
                severity="info",
            )
            notes = (replace(f, severity="info") if f.severity == "error" else f for f in axis.findings)
            axis = Axis(Status.PASSED if signature.profiles else Status.NOT_CHECKED, (elsewhere, *notes))
        else:
            axis = replace(axis, status=status)
    asked = [] if axis.status is Status.NOT_CHECKED else [axis.status]
    return replace(signature, axes=signature.axes | {"profile": axis}, verdict=verdict([signature.verdict, *asked]))


def file_verdict(signatures: Sequence[SignatureReport], findings: Sequence[Finding]) -> FileVerdict:
    """The worst of the signatures and of what concerns them all.

    Unsigned without signatures, unless something stands where they should.
    """
    if not signatures:
        broken = any(f.code == "not-a-sequence" for f in findings)
        return FileVerdict.FAILED if broken else FileVerdict.UNSIGNED
    gravest = max((*(s.verdict for s in signatures), worst(*findings)), key=_GRAVITY.index)
    return {
        Status.PASSED: FileVerdict.PASSED,
        Status.FAILED: FileVerdict.FAILED,
    }.get(gravest, FileVerdict.INDETERMINATE)
