"""Explain: two files side by side, and what makes a signature of one not hold in the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from dsig.arguments import checked
from dsig.dicom.dataset import DataSet, Element, find_item, read_data_set
from dsig.dicom.dictionaries import Dictionary
from dsig.dicom.dictionary import keyword_of
from dsig.dicom.file import DicomFile
from dsig.dicom.location import format_path, format_tag
from dsig.dicom.lookup import Lookup
from dsig.errors import DsigError, UsageError
from dsig.io import Given, name_of, open_input
from dsig.limits import DEFAULT, Limits
from dsig.model import Finding
from dsig.signature.comparison import Difference, Half, Spot, differences, parting
from dsig.signature.items import (
    DIGITAL_SIGNATURES,
    ELEMENTS_SIGNED,
    MAC_PARAMETERS,
    NOT_IN_MAC,
)
from dsig.signature.mac import Piece, mac_pieces
from dsig.signature.signatures import FoundSignature, find_signatures, level_wide_findings, mac_encoding

__all__ = ["Difference", "ExplainedSignature", "Explanation", "Spot", "explain"]

_MACHINERY = frozenset({MAC_PARAMETERS, DIGITAL_SIGNATURES})


@dataclass(frozen=True, slots=True)
class ExplainedSignature:
    """One signature in two files."""

    uid: str
    location: str
    """Of the signed data set: `/` or the item's path, in the first file if it is there."""
    outcome: str
    """`same`, `differs`, `re-signed` (another signature stands in its place), `only-in-a`, `only-in-b` or `moved`."""
    parts_at: int | None
    """Byte of the MAC stream where the two part; None if they are the same or cannot be compared."""
    differences: tuple[Difference, ...]
    """The first of part `data` or `signature-item` is where the streams part."""
    more: int = 0
    """Differences beyond the limit `findings`, at least."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What two files have in common and what not."""

    a: str
    b: str
    transfer_syntaxes: tuple[str, str]
    signatures: tuple[ExplainedSignature, ...]
    unsigned: tuple[Difference, ...]
    """Differences that no signature at the top level covers, those of the File Meta Information included."""
    findings: tuple[Finding, ...] = field(default=())
    """What is wrong with the second file and not with the first."""

    @property
    def same(self) -> bool:
        """Every signature has the same MAC stream and item in both files."""
        return all(s.outcome == "same" for s in self.signatures)


@checked
def explain(
    a: Given,
    b: Given,
    *,
    input_kind: str = "auto",
    convert_un: bool = False,
    dictionary: Dictionary | None = None,
    limits: Limits = DEFAULT,
) -> Explanation:
    """Compare the MAC streams of every signature of two files: paths, bytes, binary file objects or pydicom data sets.

    Signatures belong together by UID; for one that only one of the files has, the other is compared over the same list
    of elements. Nothing is verified. Raises `InputError` or `UsageError`.
    """
    limits = limits.started()
    lookup = Lookup(convert_un=convert_un, dictionary=dictionary)
    with ExitStack() as stack:
        first, second = (_Side.opened(stack, given, input_kind, lookup, limits) for given in (a, b))
        return _Comparison(first, second, limits).explanation()


@dataclass(slots=True)
class _Side:
    """One of the two files."""

    name: str
    file: DicomFile
    main: DataSet
    found: list[FoundSignature]
    limits: Limits

    @classmethod
    def opened(cls, stack: ExitStack, given: Given, kind: str, lookup: Lookup, limits: Limits) -> _Side:
        """Open and walk it."""
        name = name_of(given)
        try:
            file = stack.enter_context(open_input(given, kind=kind, limits=limits, lookup=lookup))
            main = file.main(limits)
            return cls(name, file, main, find_signatures(file, main, limits), limits)
        except DsigError as error:
            raise error.located(name) from None

    def level(self, like: DataSet) -> DataSet | None:
        """The data set or item at the same place as one of the other file, None if there is none."""
        if not like.path:
            return self.main
        file = self.file
        try:
            item = find_item(file.data, file.start, file.end, file.encoding, like.path, self.limits)
        except UsageError:
            return None
        return read_data_set(file.data, item.start, item.end, item.encoding, path=item.path, limits=self.limits)

    def half(self, level: DataSet, elements: Sequence[Element], *, whole: bool = False) -> Half:
        return Half(level, elements, self.file.syntax.uid, whole)


class _Comparison:
    """Two files on their way to an explanation."""

    def __init__(self, a: _Side, b: _Side, limits: Limits) -> None:
        self.a = a
        self.b = b
        self.limits = limits
        self.hidden: list[Difference] = []
        """Differences inside signed sequences that no MAC covers."""

    def explanation(self) -> Explanation:
        """Ask of every signature what became of it."""
        a, b = self.a, self.b
        pairs = self.pairs()
        known = {(f.code, f.location) for f in level_wide_findings(a.file, a.main)}
        new = [f for f in level_wide_findings(b.file, b.main) if (f.code, f.location) not in known]
        signatures = tuple(self.signature(x, y) for x, y in pairs)
        told = {(d.location, d.cause) for s in signatures for d in s.differences}
        unsigned = (d for d in self.unsigned(pairs) if (d.location, d.cause) not in told or d.cause == "added")
        return Explanation(
            a.name,
            b.name,
            (a.file.syntax.uid, b.file.syntax.uid),
            signatures,
            tuple(islice(chain(self.hidden, unsigned), self.limits.findings)),
            tuple(new),
        )

    def pairs(self) -> list[tuple[FoundSignature | None, FoundSignature | None]]:
        """Signatures of the same UID, else of the same value, in order; then those of the second file that are left."""
        left = list(self.b.found)
        pairs: list[tuple[FoundSignature | None, FoundSignature | None]] = []
        for one in self.a.found:
            alike = [f for f in left if f.item.uid == one.item.uid] or [
                f for f in left if f.level.path == one.level.path and f.item.signature == one.item.signature
            ]
            other = next((f for f in alike if f.level.path == one.level.path), alike[0] if alike else None)
            if other is not None:
                left.remove(other)
            pairs.append((one, other))
        return pairs + [(None, f) for f in left]

    def signature(self, x: FoundSignature | None, y: FoundSignature | None) -> ExplainedSignature:
        """What became of one signature."""
        everything = list(islice(self.differences(x, y), self.limits.findings + 1))
        found = [d for d in everything if d.part != "unsigned"]
        self.hidden += (d for d in everything if d.part == "unsigned" and d not in self.hidden)
        more = max(0, len(everything) - self.limits.findings)
        whose = x or y
        assert whose is not None  # noqa: S101 - pairs have at least one
        return ExplainedSignature(
            whose.item.uid,
            whose.level.location,
            self.outcome(x, y, bool(found)),
            self.parts_at(x, y),
            tuple(found[: self.limits.findings]),
            more,
        )

    def outcome(self, x: FoundSignature | None, y: FoundSignature | None, differs: bool) -> str:
        """In one word."""
        if x is not None and y is not None:
            if differs:
                return "differs"
            return "same" if x.level.path == y.level.path else "moved"
        here, others = (x, self.b.found) if x is not None else (y, self.a.found)
        assert here is not None  # noqa: S101 - pairs have at least one
        ours = {f.item.uid for f in (self.a.found if x is not None else self.b.found)}
        if any(f.level.path == here.level.path and f.item.uid not in ours for f in others):
            return "re-signed"
        return "only-in-a" if x is not None else "only-in-b"

    # ------------------------------------------------------------------------------------------------- one signature

    def differences(self, x: FoundSignature | None, y: FoundSignature | None) -> Iterator[Difference]:
        """Everything that differs, the MAC stream first."""
        halves = self.halves(x, y)
        if halves is None:
            level = (x or y).level  # type: ignore[union-attr]
            here = Spot(level.start, level.start, "", None)
            a, b = (here, None) if x is not None else (None, here)
            tag = level.path[-1][0]
            side = "first" if x is not None else "second"
            yield Difference(
                level.location,
                f"{tag:08X}",
                keyword_of(tag),
                "removed" if x is not None else "added",
                f"the signed item is only in the {side} file",
                "data",
                a,
                b,
            )
            return
        for found in differences(*halves, "data", self.limits):
            yield self.listed(found, x, y)
            yield from self.tainted(found, halves)
        if x is None or y is None:
            yield _one_sided(x, y)
            return
        one, other = x.item.data, y.item.data
        yield from self.between(one, x.item.hashed, other, y.item.hashed, "signature-item")
        yield from self.parameters(x, y)
        outside = [[e for e in level.elements if e.tag in NOT_IN_MAC] for level in (one, other)]
        yield from self.between(one, outside[0], other, outside[1], "signature")

    def halves(self, x: FoundSignature | None, y: FoundSignature | None) -> tuple[Half, Half] | None:
        """The elements of both files that the signature covers, None if one has no such item.

        Where one file lists nothing it could be held to, the other's list counts.
        """
        levels = (x.level if x else None, y.level if y else None)
        first = levels[0] or self.a.level(levels[1])  # type: ignore[arg-type]
        second = levels[1] or self.b.level(levels[0])  # type: ignore[arg-type]
        if first is None or second is None:
            return None
        chosen = [_listed(f) for f in (x, y)]
        if not chosen[0] or not chosen[1]:
            chosen = [chosen[0] or chosen[1]] * 2
        chosen = [frozenset(tags) - _MACHINERY for tags in chosen]
        return (
            self.a.half(first, [e for e in first.by_tag.values() if e.tag in chosen[0] and e.signable], whole=True),
            self.b.half(second, [e for e in second.by_tag.values() if e.tag in chosen[1] and e.signable], whole=True),
        )

    def listed(self, found: Difference, x: FoundSignature | None, y: FoundSignature | None) -> Difference:
        """The difference; of an element that is there, and only not signed any more, or only since, that."""
        tag = int(found.tag, 16)
        lacking = y if found.cause == "removed" else x if found.cause == "added" else None
        if lacking is None or found.location != format_path(lacking.level.path, tag):
            return found
        element = lacking.level.by_tag.get(tag)
        if element is None:
            return found
        which = "second" if found.cause == "removed" else "first"
        spot = Spot(element.start, element.start, element.vr, element.end - element.value)
        both = replace(found, a=spot) if found.a is None else replace(found, b=spot)
        if not element.signable:
            lost = "an element of VR UN inside" if element.tainted else f"the VR {element.vr}, which cannot be signed,"
            return replace(both, cause="vr", message=f"the element has {lost} in the {which} file")
        return replace(
            both, cause="list", message=f"the element is not in the list of signed elements of the {which} file"
        )

    def tainted(self, found: Difference, halves: tuple[Half, Half]) -> Iterator[Difference]:
        """What keeps a sequence out of one of the MACs, if both files have it."""
        tag = int(found.tag, 16)
        if found.cause not in ("added", "removed") or found.location != format_path(halves[0].level.path, tag):
            return
        one, other = (half.level.by_tag.get(tag) for half in halves)
        if one is not None and other is not None and (one.tainted or other.tainted):
            yield from self.between(halves[0].level, [one], halves[1].level, [other], "data")

    def parameters(self, x: FoundSignature, y: FoundSignature) -> Iterator[Difference]:
        """The MAC Parameters items, element by element."""
        if x.mac is None or y.mac is None:
            if x.mac is not y.mac:
                side = "second" if y.mac is None else "first"
                cause = "removed" if y.mac is None else "added"
                message = f"the signature has no MAC Parameters item in the {side} file"
                where = format_path((x.mac or y.mac).data.path)  # type: ignore[union-attr]
                tag = f"{MAC_PARAMETERS:08X}"
                yield Difference(where, tag, keyword_of(MAC_PARAMETERS), cause, message, "mac-parameters", None, None)
            return
        one, other = x.mac.data, y.mac.data
        for found in self.between(one, one.elements, other, other.elements, "mac-parameters"):
            if int(found.tag, 16) == ELEMENTS_SIGNED and found.cause == "value":
                yield replace(found, cause="list", message=_lists(x.mac.elements, y.mac.elements))
            else:
                yield found

    def between(
        self, one: DataSet, these: Sequence[Element], other: DataSet, those: Sequence[Element], part: str
    ) -> Iterator[Difference]:
        """Differences between elements of two items."""
        return differences(
            self.a.half(one, these, whole=True), self.b.half(other, those, whole=True), part, self.limits
        )

    def parts_at(self, x: FoundSignature | None, y: FoundSignature | None) -> int | None:
        """Where the two MAC streams part."""
        if x is None or y is None or x.mac is None or y.mac is None:
            return None
        said = (mac_encoding(x, self.a.file), mac_encoding(y, self.b.file))
        if any(finding.severity == "error" for _, findings in said for finding in findings):
            return None
        encodings = said[0][0], said[1][0]
        if encodings[0] is None or encodings[1] is None:
            return None
        streams: list[Iterator[Piece]] = [
            chain(
                mac_pieces(f.level, f.selected, mac=encoding, limits=self.limits),
                mac_pieces(f.item.data, f.item.hashed, mac=encoding, limits=self.limits),
            )
            for f, encoding in ((x, encodings[0]), (y, encodings[1]))
        ]
        return parting(x.level.source, streams[0], y.level.source, streams[1])

    # ------------------------------------------------------------------------------------------------ everything else

    def unsigned(self, pairs: Sequence[tuple[FoundSignature | None, FoundSignature | None]]) -> Iterator[Difference]:
        """What differs in the main data set and is covered by no signature of it, and the File Meta Information."""
        yield from self.meta()
        covered: tuple[set[int], set[int]] = (set(), set())
        for x, y in pairs:
            halves = None if any(f is not None and f.level.path for f in (x, y)) else self.halves(x, y)
            for starts, half in zip(covered, halves or (), strict=False):
                starts.update(e.start for e in half.elements)
        rest = [
            [e for e in side.main.elements if e.start not in starts and e.tag not in _MACHINERY]
            for side, starts in zip((self.a, self.b), covered, strict=True)
        ]
        tags = {
            e.tag
            for side, starts in zip((self.a, self.b), covered, strict=True)
            for e in side.main.elements
            if e.start in starts
        }
        a, b = (
            side.half(side.main, elements, whole=True) for side, elements in zip((self.a, self.b), rest, strict=True)
        )
        for found in differences(a, b, "unsigned", self.limits):
            # an element that one file signs and the other has was told already
            if not (int(found.tag, 16) in tags and found.cause in ("added", "removed") and self.in_both(found.tag)):
                yield found

    def in_both(self, tag: str) -> bool:
        """Whether both files have such an element, once."""
        number = int(tag, 16)
        return all(sum(e.tag == number for e in side.main.elements) == 1 for side in (self.a, self.b))

    def meta(self) -> Iterator[Difference]:
        """Preamble and group 0002: never signed."""
        first, second = (next(side.file.header(), b"")[:128] for side in (self.a, self.b))
        if first != second and self.a.file.meta and self.b.file.meta:
            yield Difference("preamble", "", "", "value", "the preamble differs", "meta", None, None)
        old, new = self.a.file.meta, self.b.file.meta
        for tag in sorted(old.keys() | new.keys()):
            if old.get(tag) != new.get(tag) and tag & 0xFFFF:
                cause = "removed" if tag not in new else "added" if tag not in old else "value"
                message = {"removed": "only in the first file", "added": "only in the second file"}.get(
                    cause, "the value differs"
                )
                yield Difference(format_tag(tag), f"{tag:08X}", keyword_of(tag), cause, message, "meta", None, None)


def _one_sided(x: FoundSignature | None, y: FoundSignature | None) -> Difference:
    """A signature item that only one file has."""
    found, cause, side = (x, "removed", "first") if x is not None else (y, "added", "second")
    assert found is not None  # noqa: S101 - one of the two is there
    item = found.item.data
    spot = Spot(item.start, item.start, "", None)
    return Difference(
        format_path(item.path),
        f"{DIGITAL_SIGNATURES:08X}",
        keyword_of(DIGITAL_SIGNATURES),
        cause,
        f"the signature item is only in the {side} file",
        "signature",
        spot if x is not None else None,
        None if x is not None else spot,
    )


def _listed(found: FoundSignature | None) -> frozenset[int]:
    return frozenset(found.mac.elements) if found is not None and found.mac is not None else frozenset()


def _lists(first: Sequence[int], second: Sequence[int]) -> str:
    """How two lists of signed elements differ, in words."""
    gone = sorted(set(first) - set(second))
    come = sorted(set(second) - set(first))
    said = [
        f"{what} {', '.join(format_tag(t) for t in tags[:8])}" + (f" and {len(tags) - 8} more" if len(tags) > 8 else "")
        for what, tags in (("no longer lists", gone), ("lists in addition", come))
        if tags
    ]
    return f"the second file {' and '.join(said)}" if said else "the same elements are listed in another way"
