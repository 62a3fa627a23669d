"""The profiles `sr` and `sr-verification`: Structured Report RSA, PS3.15 C.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding
from dsig_profiles.base import BaseRsa
from dsig_profiles.lists import demands, name_of
from dsig_profiles.steps import elements, level

__all__ = ["StructuredReportRsa", "StructuredReportVerificationRsa"]

CLAUSE = "PS3.15 C.4"
VERIFICATION = "5"
"""Verification Signature, PS3.16 CID 7007."""

_MARKS_OF_A_REPORT = (0x0040A040, 0x0040A043, 0x0040A730)
"""Value Type, Concept Name Code Sequence, Content Sequence: what structured reports and key object documents have."""
_VERIFICATION_FLAG = 0x0040A493


class StructuredReportRsa:
    """Any signature of a report: author, coauthor, verifier, … (PS3.15 C.4); `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """Whatever any edition wants signed. SOP Instance UID is not of it: until verified, it may change."""
        return demands("sr").of(view) if view.location == "/" else ()

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:
        """As Base RSA, the level, a report, a purpose, the elements; a verification's own rules if it is one."""
        yield from BaseRsa().check(view, signature)
        refused = list(level(view, CLAUSE)) or list(_no_report(view))
        if refused:
            yield from refused
            return
        if not signature.purpose:
            yield Finding(
                "profile-purpose",
                "every signature of the profile says its purpose, this one has none",
                clause=CLAUSE,
            )
        verifies = _verified(view) and signature.purpose == VERIFICATION
        yield from elements(view, signature, demands("sr-verification" if verifies else "sr"), CLAUSE)
        if _verified(view) and not verifies:
            yield Finding(
                "profile-verification",
                "the document is VERIFIED, which needs a signature with purpose 5 (Verification Signature);"
                " sr-verification is the profile that demands it",
                clause=CLAUSE,
                severity="warning",
            )


class StructuredReportVerificationRsa:
    """The signature a VERIFIED report needs (PS3.15 C.4); `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """Whatever any edition wants signed, identity and verification included."""
        return demands("sr-verification").of(view) if view.location == "/" else ()

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:
        """As Base RSA, the level, a verified report, purpose 5, the elements."""
        yield from BaseRsa().check(view, signature)
        refused = list(level(view, CLAUSE)) or list(_no_report(view)) or list(_not_verified(view))
        if refused:
            yield from refused
            return
        if signature.purpose != VERIFICATION:
            yield Finding(
                "profile-purpose",
                f"a verification has purpose 5 (Verification Signature), not {signature.purpose or 'none'}",
                clause=CLAUSE,
            )
        yield from elements(view, signature, demands("sr-verification"), CLAUSE)


def _no_report(view: DataSetView) -> Iterator[Finding]:
    absent = [name_of(tag) for tag in _MARKS_OF_A_REPORT if tag not in view.tags]
    if absent:
        yield Finding(
            "profile-no-report",
            f"the data set is no structured report and no key object document: {', '.join(absent)} absent",
            clause=CLAUSE,
        )


def _not_verified(view: DataSetView) -> Iterator[Finding]:
    if not _verified(view):
        yield Finding(
            "profile-not-verified",
            "the document is not verified: Verification Flag is not VERIFIED",
            "(0040,A493)",
            CLAUSE,
        )


def _verified(view: DataSetView) -> bool:
    return (view.value(_VERIFICATION_FLAG) or b"").rstrip(b" \0") == b"VERIFIED"
