"""The structure gate: what must hold before any cryptography is worth doing (PS3.3 C.12.1.1.3.1.1 and .2).

The MAC covers neither the list of signed tags nor the borders between data set, signature item and fragments. So the
two sequences must be exactly what the standard says, the list must be exactly what the data set has, and no two readers
may disagree about what the data set is.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from dsig.dicom.dataset import DataSet, signable_tag
from dsig.dicom.location import format_path, format_tag
from dsig.dicom.walk import SEQUENCE, Note
from dsig.errors import MalformedError, Where
from dsig.model import Finding
from dsig.signature.fragments import fragment_findings
from dsig.signature.items import (
    DIGITAL_SIGNATURES,
    ELEMENTS_SIGNED,
    MAC_PARAMETERS,
    UID,
    MacItem,
    SignatureItem,
)

__all__ = [
    "PIXELS",
    "RELOCATABLE_BELOW",
    "level_findings",
    "mac_item_for",
    "orphan_findings",
    "refuse_disorder",
    "signature_findings",
]

CLAUSE = "PS3.3 C.12.1.1.3.1.1"
RELOCATABLE_BELOW = 0x04000005
"""First tag of the signature item: a data set part that ends before it could be continued inside the item."""

FORBIDDEN_GROUPS = frozenset({0x0000, 0x0001, 0x0002, 0x0003, 0x0005, 0x0007, 0xFFFF})
"""Commands, File Meta Information, and odd groups that are not even private (PS3.5 7.1 and 7.8)."""

PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, Double Float and plain Pixel Data."""
_SHOWN = 8


def level_findings(level: DataSet) -> Iterator[Finding]:
    """What is wrong with a level, whatever signature it holds."""
    for note in level.notes:
        yield note_finding(note)
    # by index: this runs once per element of every file
    forbidden = [(level.path, e[0]) for e in level.elements if e[0] >> 16 in FORBIDDEN_GROUPS]
    forbidden += ((drop.path, drop.tag) for drop in level.drops if drop.tag >> 16 in FORBIDDEN_GROUPS)
    for path, tag in forbidden[:_SHOWN]:
        message = f"{format_tag(tag)} is of a group that no data set has; some readers take it for something else"
        severity = "error" if tag >> 16 in (0x0000, 0x0002) else "warning"
        yield Finding("forbidden-group", message, format_path(path, tag), "PS3.5 7.1", severity)
    for tag in (MAC_PARAMETERS, DIGITAL_SIGNATURES):
        element = level.by_tag.get(tag)
        if element is None:
            continue
        if element.kind != SEQUENCE:
            where = format_path(level.path, tag)
            yield Finding("not-a-sequence", f"{format_tag(tag)} has VR {element.vr} instead of SQ", where, CLAUSE)
        elif element.vr == "UN" and level.encoding.explicit:
            where = format_path(level.path, tag)
            yield Finding("wrong-vr", f"{format_tag(tag)} is stored as UN instead of SQ", where, CLAUSE)
    yield from pixel_findings(level)


def pixel_findings(level: DataSet) -> Iterator[Finding]:
    """Several images where one can be shown: readers differ in which."""
    if len(PIXELS & level.by_tag.keys()) > 1:
        yield Finding(
            "pixel-data-doubled",
            "there are several of Float, Double Float and plain Pixel Data; readers may show either",
            format_path(level.path) or format_tag(max(PIXELS)),
            "PS3.3 C.7.6.24",
        )


def note_finding(note: Note) -> Finding:
    """A parser's note as a finding: two readers of the file may see different things."""
    return Finding(
        note.code,
        f"{note.message} (byte {note.offset})",
        note.path,
        "PS3.5 7.1",
        "warning" if note.code == "odd-length" else "error",
    )


def refuse_disorder(level: DataSet) -> None:
    """Raise `MalformedError` for a level that two readers may read in two ways: it must not get a signature."""
    for note in level.notes:
        if note.code == "odd-length":
            continue  # signed values get their pad byte
        raise MalformedError(
            f"{note.message}; readers would disagree about what is signed",
            code=note.code,
            where=Where(level.source.name, note.path or None, note.offset),
            hint="cut the file off there"
            if note.code == "trailing-bytes"
            else "repair the file first, for instance by loading and saving it with pydicom",
        )
    for finding in pixel_findings(level):
        raise MalformedError(finding.message, code=finding.code, where=Where(level.source.name, finding.location))


def mac_item_for(signature: SignatureItem, items: Sequence[MacItem]) -> tuple[MacItem | None, list[Finding]]:
    """The MAC Parameters item of a signature (the first with its ID), and what is wrong with the reference."""
    if signature.mac_id is None:
        return None, []  # the item's own findings say why
    found = [item for item in items if item.mac_id == signature.mac_id]
    if len(found) == 1:
        return found[0], []
    where = format_path(signature.data.path)
    if not found:
        return None, [
            Finding("mac-id-dangling", f"no MAC Parameters item has MAC ID {signature.mac_id}", where, CLAUSE)
        ]
    return found[0], [
        Finding(
            "mac-id-doubled",
            f"{len(found)} MAC Parameters items have MAC ID {signature.mac_id}; readers may use either",
            where,
            CLAUSE,
        )
    ]


def orphan_findings(macs: Sequence[MacItem], signatures: Sequence[SignatureItem]) -> Iterator[Finding]:
    """MAC Parameters that no signature of their level refers to: what a removed signature left, or a hiding place."""
    used = {signature.mac_id for signature in signatures}
    for mac in macs:
        if mac.mac_id not in used:
            yield Finding(
                "mac-parameters-left",
                "no signature refers to these MAC Parameters: it was removed, or never there",
                format_path(mac.data.path),
                CLAUSE,
                "warning",
            )


def signature_findings(
    level: DataSet, signature: SignatureItem, mac: MacItem | None, uids: Collection[str]
) -> Iterator[Finding]:
    """Everything the gate has to say about one signature; `uids` are those of all signatures seen before it."""
    yield from signature.findings
    for note in signature.data.notes:
        yield note_finding(note)
    if signature.uid and signature.uid in uids:
        yield Finding(
            "signature-uid-doubled",
            f"another signature of this file has the UID {signature.uid}; it counts once",
            format_path(signature.data.path, UID),
            CLAUSE,
        )
    if mac is None:
        return
    yield from mac.findings
    for note in mac.data.notes:
        yield note_finding(note)
    yield from _list_findings(level, mac)
    signed = level.by_tag.keys() & mac.elements
    yield from fragment_findings(level, [level.by_tag[e.tag] for e in level.encapsulated if e.tag in signed])
    if signed and max(signed) < RELOCATABLE_BELOW:
        yield Finding(
            "relocatable",
            "the signed elements end before the signature item's own tags, so the MAC does not fix the border between"
            " the two; only the closed set of attributes in the item does",
            format_path(mac.data.path, ELEMENTS_SIGNED),
            CLAUSE,
            "info",
        )


def _list_findings(level: DataSet, mac: MacItem) -> Iterator[Finding]:
    """Data Elements Signed against the data set it is about."""
    tags = mac.elements

    def finding(code: str, message: str, which: list[int]) -> Finding:
        where = format_path(mac.data.path, ELEMENTS_SIGNED)
        shown = ", ".join(format_tag(t) for t in which[:_SHOWN])
        more = f" and {len(which) - _SHOWN} more" if len(which) > _SHOWN else ""
        return Finding(code, f"Data Elements Signed {message}: {shown}{more}", where, CLAUSE)

    if not tags:
        if ELEMENTS_SIGNED in mac.data.by_tag:
            where = format_path(mac.data.path, ELEMENTS_SIGNED)
            yield Finding("list-empty", "Data Elements Signed names nothing, so nothing is protected", where, CLAUSE)
        return
    if not all(map(operator.lt, tags, tags[1:])):
        repeated = [t for t, count in Counter(tags).items() for _ in range(count - 1)]
        if repeated:
            yield finding("list-duplicates", "repeats", repeated)
        descending = [b for a, b in pairwise(tags) if b < a]
        if descending:
            yield finding("list-not-ascending", "is not in ascending order at", descending)
    seen = frozenset(tags)
    by_tag = level.by_tag
    there = seen & by_tag.keys()
    unsignable = [tag for tag in there if not by_tag[tag].signable]
    if len(there) < len(seen):
        absent = sorted(seen - there)
        yield finding("list-names-absent", "names what the data set does not have", absent)
        unsignable += (tag for tag in absent if not signable_tag(tag))
    if unsignable:
        yield finding("list-names-unsignable", "names what cannot be signed", sorted(unsignable))
