"""What a signature protects and what not: every element of its level is either in the MAC or listed with a reason."""

from __future__ import annotations

from collections.abc import Collection
from operator import itemgetter

from dsig.dicom.dataset import MACHINERY, DataSet, Element, says_nothing, signable_tag
from dsig.dicom.dictionary import keyword_of
from dsig.dicom.location import format_path
from dsig.dicom.walk import ELEMENT, FRAGMENTS
from dsig.model import Axis, Coverage, Extent, Finding, Protection, Status, UnsignedElement
from dsig.signature.shown import shown_value

__all__ = ["coverage_axis", "coverage_of"]

_PIXELS = frozenset({0x00420011, 0x54000100, 0x56000020, 0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Pixel data, and what stands for them in documents, waveforms and spectra."""
_IDENTITY = frozenset(
    {
        0x00100010, 0x00100020, 0x00100021, 0x00100024, 0x00100030, 0x00100032, 0x00100040, 0x00101000, 0x00101001,
        0x00101002,
    }
)  # fmt: skip
"""Who the patient is (PS3.3 C.7.1.1)."""
_UIDS = frozenset({0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00200052})
"""Which instance this is, and of which series and study."""

_START = itemgetter(2)
_FIRST = _IDENTITY | _PIXELS | _UIDS


def coverage_of(level: DataSet, listed: Collection[int]) -> Coverage:
    """Coverage of a signature at `level` whose Data Elements Signed are `listed`."""
    wanted = frozenset(listed)
    first = level.by_tag
    there = wanted & first.keys()
    covered = frozenset([tag for tag in there if first[tag].signable])
    doubled = len(first) < len(level.elements)
    left = level.elements if doubled else sorted([first[tag] for tag in first.keys() - covered], key=_START)
    unsigned: list[UnsignedElement] = []
    for element in left:
        tag = element.tag
        if tag in covered and first[tag] is element:
            continue
        if (tag & 0xFFFF and tag not in MACHINERY) or not says_nothing(tag, element.vr, _length(element)):
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
            unsigned.append(UnsignedElement(f"{tag:08X}", keyword_of(tag), reason, value=_value(level, element)))
    nested = [d for d in level.drops if d.top in covered]
    unsigned += (
        UnsignedElement(
            f"{d.tag:08X}",
            keyword_of(d.tag),
            "unsignable-tag",
            format_path(d.path, d.tag),
            "a sequence" if d.end < 0 else shown_value(level, d.vr, d.value, d.end),
        )
        for d in nested
    )
    absent = tuple(f"{tag:08X}" for tag in sorted(wanted - there))
    more = sum(count for top, count in level.dropped.items() if top in covered) - len(nested)
    return Coverage(len(covered), tuple(unsigned), absent, more, _protection(level, covered))


def _length(element: Element) -> int:
    """Bytes of a plain value, -1 of what is none."""
    return element.end - element.value if element.kind == ELEMENT else -1


def _value(level: DataSet, element: Element) -> str:
    if element.kind == ELEMENT:
        return shown_value(level, element.vr, element.value, element.end)
    what = "encapsulated" if element.kind == FRAGMENTS else "a sequence"
    return f"{what} ({element.end - element.value} bytes)"


def _protection(level: DataSet, covered: frozenset[int]) -> Protection:
    """Coverage in a line: of each kind of content, is all signed, some, or nothing?"""
    rest = {tag for tag in level.by_tag if tag & 0xFFFF} - MACHINERY
    extents: dict[str, Extent] = {}
    for kind, tags in (("pixels", _PIXELS), ("identity", _IDENTITY), ("uids", _UIDS), ("content", rest)):
        extents[kind] = _extent(rest & tags, covered)
        rest = rest - tags
    return Protection(**extents)


def _extent(tags: set[int], covered: frozenset[int]) -> Extent:
    """How much of these is covered."""
    if not tags:
        return Extent.ABSENT
    if tags <= covered:
        return Extent.SIGNED
    return Extent.UNSIGNED if tags.isdisjoint(covered) else Extent.PARTLY


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
            f"{_count(reason, elements, coverage.unsigned_more)} not protected: {_names(elements)}",
            clause="PS3.3 C.12.1.1.3.1.1",
            severity="warning",
        )
        for reason, elements in reasons.items()
    )
    return Axis(Status.INDETERMINATE, findings)


def _count(reason: str, elements: list[UnsignedElement], more: int) -> str:
    count = len(elements) + (more if reason == "unsignable-tag" else 0)
    return f"{count} element{'s' if count > 1 else ''}"


def _names(elements: list[UnsignedElement]) -> str:
    """The first few, those before all that say who and what is seen: others must not hide them."""
    elements = sorted(elements, key=_rank)
    shown = [e.location or e.keyword or f"({e.tag[:4]},{e.tag[4:]})" for e in elements[:5]]
    return ", ".join(shown) + (f" and {len(elements) - 5} more" if len(elements) > 5 else "")


def _rank(element: UnsignedElement) -> bool:
    return bool(element.location) or int(element.tag, 16) not in _FIRST
