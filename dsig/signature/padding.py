"""Which stored values have padding that other readers would change (reference section 1.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from dsig.dicom.dataset import DataSet, Element, signable_tag
from dsig.dicom.source import Source
from dsig.dicom.vr import TEXT, effective
from dsig.dicom.walk import ELEMENT, FRAGMENT, FRAGMENTS, SEQUENCE, SEQUENCE_END, walk
from dsig.errors import LimitError, Where
from dsig.limits import Limits
from dsig.signature.reading import Padding, normalised

__all__ = ["Edits", "Repad", "repads"]


@dataclass(frozen=True, slots=True)
class Repad:
    """A value whose padding is not canonical."""

    tag: int
    """(FFFE,E000) for a fragment."""
    start: int
    """Offset of the header."""
    value: int
    end: int
    new: bytes | None
    """The canonical value of a text element; None where one zero byte has to follow an odd length."""


@dataclass(frozen=True, slots=True)
class Edits:
    """Values a signer is about to write differently, by offset of their header."""

    values: dict[int, bytes] = field(default_factory=dict)
    pads: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.values or self.pads)

    @classmethod
    def of(cls, found: Collection[Repad]) -> Edits:
        """The edits that make `found` canonical."""
        return cls(
            {r.start: r.new for r in found if r.new is not None}, frozenset(r.start for r in found if r.new is None)
        )


def repads(level: DataSet, elements: Collection[Element], limits: Limits) -> Iterator[Repad]:
    """The values among `elements`, nested ones included, that a canonical reading would hash differently."""
    source = level.source
    for element in elements:
        if element.kind == ELEMENT:
            yield from _value(source, element.tag, element.vr, element.start, element.value, element.end, limits)
        elif element.kind == SEQUENCE:
            yield from _nested(level, element, limits)
        else:
            for kind, tag, _vr, start, value, stop in walk(
                source, element.start, element.end, level.encoding, limits=limits
            ):
                if kind == FRAGMENT and (stop - value) & 1:
                    yield Repad(tag, start, value, stop, None)


def _nested(level: DataSet, element: Element, limits: Limits) -> Iterator[Repad]:
    end = element.end - 8 if element.undefined else element.end
    items = "UN" if element.vr == "UN" else "SQ"
    skipping = 0
    for kind, tag, vr, start, value, stop in walk(
        level.source, element.value, end, level.encoding, items=items, limits=limits
    ):
        if skipping:
            skipping += {SEQUENCE: 1, FRAGMENTS: 1, SEQUENCE_END: -1}.get(kind, 0)
        elif kind == ELEMENT:
            if vr != "UN" and signable_tag(tag):
                yield from _value(level.source, tag, vr, start, value, stop, limits)
        elif kind in (SEQUENCE, FRAGMENTS) and not signable_tag(tag):
            skipping = 1
        elif kind == FRAGMENT and (stop - value) & 1:
            yield Repad(tag, start, value, stop, None)


def _value(source: Source, tag: int, vr: str, start: int, value: int, end: int, limits: Limits) -> Iterator[Repad]:
    vr = effective(vr)
    if vr not in TEXT:
        if (end - value) & 1 and vr != "OW":
            yield Repad(tag, start, value, end, None)
        return
    if value == end:
        return
    if end - value > limits.text_value:
        raise LimitError(
            f"a text value exceeds the limit text_value = {limits.text_value}", where=Where(source.name, offset=start)
        )
    buf, base = source.window(value, end - value)
    raw = buf[value - base : end - base]
    new = normalised(vr, raw, Padding.CANONICAL)
    if new != raw:
        yield Repad(tag, start, value, end, new)
