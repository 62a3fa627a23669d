"""What a signature protects and what not: every element of its level is either in the MAC or listed with a reason."""

from __future__ import annotations

from collections.abc import Collection

from dsig.dicom.dataset import DataSet, signable_tag
from dsig.dicom.dictionary import keyword_of
from dsig.dicom.location import format_path
from dsig.model import Axis, Coverage, Finding, Status, UnsignedElement
from dsig.signature.items import DIGITAL_SIGNATURES, MAC_PARAMETERS

__all__ = ["coverage_axis", "coverage_of"]

_MACHINERY = frozenset({MAC_PARAMETERS, DIGITAL_SIGNATURES, 0xFFFCFFFC})


def coverage_of(level: DataSet, listed: Collection[int]) -> Coverage:
    """Coverage of a signature at `level` whose Data Elements Signed are `listed`."""
    wanted = frozenset(listed)
    signed = 0
    covered: set[int] = set()
    unsigned: list[UnsignedElement] = []
    for element in level.elements:
        tag = element.tag
        if tag in wanted and tag not in covered and element.signable:
            signed += 1
            covered.add(tag)
        elif tag & 0xFFFF and tag not in _MACHINERY:
            if not signable_tag(tag):
                reason = "unsignable-tag"
            elif element.vr == "UN" and element.kind == 0:
                reason = "unsignable-un"
            elif element.tainted:
                reason = "unsignable-nested-un"
            elif tag in covered:
                reason = "duplicate"
            else:
                reason = "not-listed"
            unsigned.append(UnsignedElement(f"{tag:08X}", keyword_of(tag), reason))
    unsigned.extend(
        UnsignedElement(f"{d.tag:08X}", keyword_of(d.tag), "unsignable-tag", format_path(d.path, d.tag))
        for d in level.drops
        if d.top in covered and d.tag not in _MACHINERY
    )
    present = {e.tag for e in level.elements}
    absent = tuple(f"{tag:08X}" for tag in sorted(wanted - present))
    return Coverage(signed, tuple(unsigned), absent)


def coverage_axis(coverage: Coverage) -> Axis:
    """Passed if nothing is left unsigned; else indeterminate, because only a policy can say what ought to be signed."""
    if not coverage.unsigned:
        return Axis(Status.PASSED)
    reasons: dict[str, list[UnsignedElement]] = {}
    for element in coverage.unsigned:
        reasons.setdefault(element.reason, []).append(element)
    findings = tuple(
        Finding(
            f"unsigned-{reason}",
            f"{len(elements)} element{'s' if len(elements) > 1 else ''} not protected: {_names(elements)}",
            clause="PS3.3 C.12.1.1.3.1.1",
            severity="warning",
        )
        for reason, elements in reasons.items()
    )
    return Axis(Status.INDETERMINATE, findings)


def _names(elements: list[UnsignedElement]) -> str:
    shown = [e.location or e.keyword or f"({e.tag[:4]},{e.tag[4:]})" for e in elements[:5]]
    return ", ".join(shown) + (f" and {len(elements) - 5} more" if len(elements) > 5 else "")
