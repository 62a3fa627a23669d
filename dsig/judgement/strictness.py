"""`--strict`: what the standard allows and a verifier that cannot ask back should not.

Normally a finding about something legal is a warning, even where it lets signed content mean something else. Strictly,
it fails. How strong algorithms and keys have to be is not decided here but by a policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dsig.model import Axis, Finding, Status

__all__ = ["strict_axis", "strict_findings", "without_weakness"]

LOOSE_BORDERS = frozenset({"relocatable"})
"""Told as info, because the closed set of attributes in signature items makes up for it."""
STRENGTH = frozenset({"weak-key", "weak-mac"})
"""A policy's business."""
MEANING = frozenset(
    {
        "character-set-unsigned",
        "instance-uid-unsigned",
        "pixel-description-unsigned",
        "presentation-unsigned",
        "private-creator-doubled",
        "private-creator-unsigned",
        "unsigned-duplicate",
        "unsigned-unsignable-tag",
    }
)
"""Coverage: gaps that let what is signed be read or shown differently. Other gaps are for --require-coverage."""
SIGNERS = frozenset({"trust-authority-signs"})
"""Trust: who may issue certificates, and signs with one that is for nothing else."""


def strict_axis(name: str, axis: Axis) -> Axis:
    """The axis as --strict has it; `coverage` fails for what changes meaning, trust for who signs, time stays as it is.

    A structure that leaves open what readers see fails.
    """
    if name not in ("structure", "integrity", "coverage", "trust"):
        return axis
    findings = strict_findings(axis.findings, only={"coverage": MEANING, "trust": SIGNERS}.get(name))
    if name == "structure" and axis.status is Status.INDETERMINATE:
        return Axis(Status.FAILED, findings)
    return axis if findings == axis.findings else Axis(Status.FAILED, findings)


def without_weakness(axis: Axis) -> Axis:
    """The axis for a policy that allows nothing weak."""
    findings = tuple(replace(f, severity="error") if f.code in STRENGTH else f for f in axis.findings)
    return axis if findings == axis.findings else Axis(Status.FAILED, findings)


def strict_findings(findings: Iterable[Finding], only: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """Findings whose warnings, or those of codes in `only`, are errors."""

    def fails(finding: Finding) -> bool:
        if finding.code in LOOSE_BORDERS:
            return True
        if finding.severity != "warning" or finding.code in STRENGTH:
            return False
        return only is None or finding.code in only

    return tuple(replace(f, severity="error") if fails(f) else f for f in findings)
