"""The signatures of a file: every level that holds some, in document order, with what the structure gate says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dsig.dicom.dataset import DataSet, Element, read_data_set
from dsig.dicom.encoding import EXPLICIT_LE, Encoding, is_known, transfer_syntax
from dsig.dicom.file import DicomFile
from dsig.dicom.location import Path, format_path, format_tag
from dsig.dicom.walk import FRAGMENTS, SEQUENCE
from dsig.errors import Where
from dsig.limits import Limits, beyond
from dsig.model import Finding, MacFacts
from dsig.signature.fragments import pixel_syntax_findings
from dsig.signature.items import (
    DIGITAL_SIGNATURES,
    MAC_PARAMETERS,
    MacItem,
    SignatureItem,
    read_mac_items,
    read_signature_items,
)
from dsig.signature.structure import level_findings, mac_item_for, orphan_findings, signature_findings

__all__ = ["FoundSignature", "few_findings", "find_signatures", "level_wide_findings", "mac_encoding"]

PIXEL_DATA = 0x7FE00010
_IMPLICIT = ("1.2.840.10008.1.2", "1.2.840.113619.5.2")
_BIG = "1.2.840.10008.1.2.2"
_REPEATED = 8
"""Findings of one code about the whole data set that are repeated with a signature."""


@dataclass(frozen=True)  # without slots, because of what is computed once
class FoundSignature:
    """A signature item, the level it protects and the MAC Parameters item it refers to."""

    level: DataSet
    item: SignatureItem
    mac: MacItem | None
    structure: tuple[Finding, ...]

    @cached_property
    def selected(self) -> list[Element]:
        """The elements of the level that are in the MAC: listed, present, signable; the first of duplicates."""
        if self.mac is None:
            return []
        wanted = frozenset(self.mac.elements)
        return [element for tag, element in self.level.by_tag.items() if tag in wanted and element.signable]

    @cached_property
    def signed(self) -> frozenset[int]:
        """The tags of these."""
        return frozenset([element.tag for element in self.selected])

    def mac_facts(self, digest: bytes = b"", encoding: str = "", backend: str = "") -> MacFacts:
        """What the MAC Parameters item says, with a digest computed under the reading `encoding` by `backend`."""
        mac = self.mac
        if mac is None:
            return MacFacts(self.item.mac_id, "", "")
        if not digest:
            encoding = backend = ""
        return MacFacts(mac.mac_id, mac.algorithm, mac.transfer_syntax, digest.hex(), encoding, mac.elements, backend)


def find_signatures(file: DicomFile, main: DataSet, limits: Limits) -> list[FoundSignature]:
    """All signatures outside Original Attributes, items before the main data set, as they stand in the file."""
    levels = [
        *(
            read_data_set(file.data, item.start, item.end, item.encoding, path=item.path, limits=limits)
            for item in main.signed_items
        ),
        main,
    ]
    # disorder anywhere concerns every signature: it decides which item a reader takes for the signed one
    everywhere = tuple(few_findings((*level_findings(main), *_meta_findings(file), *_syntax_findings(file))))
    found: list[FoundSignature] = []
    uids: set[str] = set()
    work = 0
    for level in levels:
        items = read_signature_items(level, limits)
        if not items:
            continue
        macs = read_mac_items(level, limits)
        general = () if level is main else tuple(few_findings(level_findings(level)))
        general = (*everywhere, *general, *few_findings(orphan_findings(macs, items)))
        for item in items:
            mac, reference = mac_item_for(item, macs)
            work += len(level.elements) + (len(mac.elements) if mac else 0)
            if work > limits.signature_work:
                raise beyond("signature_work", limits, Where(file.source.name, format_path(item.data.path)))
            own = signature_findings(level, item, mac, uids)
            found.append(FoundSignature(level, item, mac, (*general, *reference, *own)))
            uids.add(item.uid)
            if len(found) > limits.signatures:
                raise beyond("signatures", limits, Where(file.source.name))
    if len(levels) == 1:
        return found  # none is in an item
    signed: dict[Path, set[int]] = {}
    for signature in found:
        signed.setdefault(signature.level.path, set()).update(signature.signed)
    return [replace(f, structure=(*f.structure, *_loose_item(f, signed))) for f in found]


def few_findings(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first of each code: every signature repeats these, and the report on the file has all of them."""
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.code] += 1
        if counts[finding.code] <= _REPEATED:
            yield finding


def _loose_item(signature: FoundSignature, signed: Mapping[Path, Collection[int]]) -> Iterator[Finding]:
    """A signed item that no signature around it fixes in its place: it could be taken from elsewhere."""
    path = signature.level.path
    if path and not _anchored(path, signed):
        yield Finding(
            "item-relocatable",
            "no signature of the data set covers the sequence this item is in, so the item may have been taken from"
            " somewhere else; nothing is said about the data set around it",
            format_path(path),
            "PS3.3 C.12.1.1.3.1.1",
            "warning",
        )


def _anchored(path: Path, signed: Mapping[Path, Collection[int]]) -> bool:
    """Whether signatures around an item lead from the main data set to it; `signed` are the tags signed by level."""
    reached = [0]  # depths of items that are fixed where they are, the data set first
    for inner in range(1, len(path) + 1):
        if any(path[depth][0] in signed.get(path[:depth], ()) for depth in reached):
            reached.append(inner)
    return reached[-1] == len(path)


def level_wide_findings(file: DicomFile, main: DataSet) -> Iterator[Finding]:
    """What concerns the file and not one signature."""
    yield from level_findings(main)
    for path in main.historic:
        yield Finding(
            "historic-signature",
            "a signature below Original Attributes describes a former state; it is not counted",
            format_path(path),
            "PS3.3 C.12.1.1.9",
            "info",
        )
    yield from _meta_findings(file)
    signatures = main.by_tag.get(DIGITAL_SIGNATURES)
    none = signatures is None or (signatures.kind == SEQUENCE and _is_empty(signatures))
    if none and (signatures is not None or MAC_PARAMETERS in main.by_tag):
        yield Finding(
            "mac-parameters-left",
            "there are MAC Parameters or an empty Digital Signatures Sequence, and no signature: it was removed",
            format_path((), MAC_PARAMETERS if signatures is None else DIGITAL_SIGNATURES),
            "PS3.3 C.12.1.1.3",
            "warning",
        )
    for path in main.orphans:
        yield Finding(
            "mac-parameters-left",
            "an item has MAC Parameters and no signature: it was removed, or something is hidden there",
            format_path(path, MAC_PARAMETERS),
            "PS3.3 C.12.1.1.3",
            "warning",
        )
    yield from _syntax_findings(file)
    yield from pixel_syntax_findings(file, main)
    if file.trailing:
        yield Finding(
            "trailing-bytes",
            f"{file.trailing} bytes{' of padding' if file.trailing_zeros else ''} follow the deflated data set",
            clause="PS3.5 A.5",
            severity="warning" if file.trailing_zeros else "error",
        )
    for meta_tag, tag, what in ((0x00020003, 0x00080018, "Instance"), (0x00020002, 0x00080016, "Class")):
        stored, named = main.text(tag), file.meta_text(meta_tag)
        if stored and named and stored != named:
            yield Finding(
                f"meta-sop-{what.lower()}-uid",
                f"{format_tag(meta_tag)} says SOP {what} UID {named}, the data set says {stored};"
                " the File Meta Information is never signed",
                format_tag(meta_tag),
                "PS3.10 7.1",
                "warning",
            )


def _is_empty(sequence: Element) -> bool:
    """Whether a sequence has no items."""
    return sequence.end - sequence.value == (8 if sequence.undefined else 0)


def _syntax_findings(file: DicomFile) -> Iterator[Finding]:
    """A transfer syntax that is missing or unknown: each reader does what it thinks best."""
    uid = file.meta_text(0x00020010)
    if not file.meta or is_known(uid):
        return
    said = f"is {uid}, which is not one of the standard's" if uid else "is missing"
    yield Finding(
        "transfer-syntax-unknown",
        f"the Transfer Syntax UID {said}; the data set is read by its looks, and other readers may read another one",
        format_tag(0x00020010),
        "PS3.10 7.1",
    )


def _meta_findings(file: DicomFile) -> Iterator[Finding]:
    """A group length that is off, a header that is not explicit VR: some readers begin the data set somewhere else."""
    for problem in file.meta_problems:
        message = f"{format_tag(problem.tag)} of the File Meta Information {problem.message}"
        yield Finding(problem.code, message, format_tag(problem.tag), "PS3.10 7.1")


def mac_encoding(found: FoundSignature, file: DicomFile) -> tuple[Encoding | None, list[Finding]]:
    """Encoding of the MAC stream for (0400,0010), None without MAC Parameters.

    Encapsulated pixel data can be hashed only as they are, so the file must still have the transfer syntax the MAC was
    made in; pixel data that are not signed do not matter. An error says why the data as they stand cannot be what was
    hashed: if they are, the transfer syntax was changed, which no MAC covers.
    """
    if found.mac is None:
        return None, []
    uid = found.mac.transfer_syntax
    data = found.mac.data

    def finding(code: str, message: str, severity: str) -> Finding:
        where = format_path(data.path)
        return Finding(code, message, where, "PS3.3 C.12.1.1.3.1.1", severity)

    if not is_known(uid) and uid != file.syntax.uid:
        return EXPLICIT_LE, [
            finding("mac-transfer-syntax-unknown", f"MAC Calculation Transfer Syntax UID {uid!r} is not known", "error")
        ]
    native = uid in _IMPLICIT or uid in (_BIG, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99")
    pixels = found.level.by_tag.get(PIXEL_DATA)
    encapsulated = pixels is not None and pixels.kind == FRAGMENTS
    signed = PIXEL_DATA in found.signed
    if signed:
        named = 0x00020010 in file.meta  # a bare data set contradicts nothing
        if encapsulated == native or (encapsulated and named and uid != file.syntax.uid):
            return EXPLICIT_LE, [
                finding(
                    "pixel-encoding-changed",
                    f"the pixel data were signed as {uid} and are now stored as {file.syntax.uid};"
                    " compression changes cannot be undone, so the MAC cannot be recomputed",
                    "error",
                )
            ]
    notes: list[Finding] = []
    if pixels is not None and not signed and encapsulated == native:
        notes.append(
            finding(
                "pixel-encoding-differs",
                f"the pixel data were {uid} when other elements were signed and are now stored as"
                f" {file.syntax.uid}; they are not signed, but some readers do not verify such a signature",
                "info",
            )
        )
    if uid in _IMPLICIT or uid == _BIG:
        notice = finding(
            "mac-transfer-syntax-not-allowed",
            f"the MAC was made in {uid}; the standard allows only explicit VR little endian",
            "warning",
        )
        return transfer_syntax(uid).encoding, [notice, *notes]
    return EXPLICIT_LE, notes
