"""Which stored values have padding that other readers would change (decision 0006)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsig.dicom.dataset import DataSet, Element, signable_tag
from dsig.dicom.encoding import Encoding
from dsig.dicom.headers import length_field
from dsig.dicom.source import Source
from dsig.dicom.vr import PAD, UNIT, effective
from dsig.dicom.walk import ELEMENT, FRAGMENT, FRAGMENTS, ITEM_TAG, SEQUENCE, SEQUENCE_END, walk
from dsig.errors import Where
from dsig.limits import Limits, beyond
from dsig.signature.reading import Padding, normalised

if TYPE_CHECKING:
    from dsig.dicom.splice import Change, LengthField

__all__ = ["Edits", "Repad", "repads"]

_PADS = b" \0"
"""What text values are padded with."""


@dataclass(frozen=True, slots=True)
class Repad:
    """A value whose padding is not canonical."""

    tag: int
    """(FFFE,E000) for a fragment."""
    start: int
    """Offset of the header."""
    value: int
    end: int
    length: LengthField
    """The length field of the value."""
    new: bytes | None
    """The canonical value of a text element; None where one zero byte has to follow an odd length."""

    @property
    def growth(self) -> int:
        """Bytes the file gets longer by (negative: shorter)."""
        return 1 if self.new is None else len(self.new) - (self.end - self.value)

    def beyond_padding(self, source: Source) -> bool:
        """Whether more than what stands behind the value is lost: white space inside a UID."""
        if self.new is None:
            return False
        stored = bytearray(self.end - self.value)
        source.read_into(self.value, memoryview(stored))
        return stored.rstrip(_PADS) != self.new.rstrip(_PADS)

    def changes(self) -> Iterator[Change]:
        """What to change in the file: the length field and the value."""
        from dsig.dicom.splice import Change

        yield Change(self.length.offset, self.length.size, self.length.plus(self.growth))
        if self.new is None:
            yield Change(self.end, 0, b"\0")
        else:
            yield Change(self.value, self.end - self.value, self.new)


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
    source, encoding = level.source, level.encoding
    for element in elements:
        if element.kind == ELEMENT:
            tag, vr, start, value, end = element[:5]
            found = _value(source, tag, vr, start, value, end, encoding, limits)
            if found is not None:
                yield found
        elif element.kind == SEQUENCE:
            yield from _nested(level, element, limits)
        else:
            for start, value, stop in level.fragments(element):
                yield from _fragment(start, value, stop)


def _nested(level: DataSet, element: Element, limits: Limits) -> Iterator[Repad]:
    source = level.source
    end = element.end - 8 if element.undefined else element.end
    un = element.vr == "UN"
    encodings = [level.encoding.implicit() if un else level.encoding]
    skipping = 0
    for kind, tag, vr, start, value, stop in walk(
        source, element.value, end, level.encoding, items="UN" if un else "SQ", limits=limits
    ):
        if skipping:
            skipping += {SEQUENCE: 1, FRAGMENTS: 1, SEQUENCE_END: -1}.get(kind, 0)
        elif kind == ELEMENT:
            if vr != "UN" and signable_tag(tag):
                found = _value(source, tag, vr, start, value, stop, encodings[-1], limits)
                if found is not None:
                    yield found
        elif kind in (SEQUENCE, FRAGMENTS):
            if signable_tag(tag):
                encodings.append(encodings[-1].implicit() if vr == "UN" else encodings[-1])
            else:
                skipping = 1
        elif kind == FRAGMENT:
            yield from _fragment(start, value, stop)
        elif kind == SEQUENCE_END:
            encodings.pop()


def _fragment(start: int, value: int, stop: int) -> Iterator[Repad]:
    if (stop - value) & 1:
        from dsig.dicom.splice import LengthField

        yield Repad(ITEM_TAG, start, value, stop, LengthField(value - 4, 4, stop - value, "<"), None)


def _value(
    source: Source, tag: int, vr: str, start: int, value: int, end: int, encoding: Encoding, limits: Limits
) -> Repad | None:
    odd = (end - value) & 1
    vr = effective(vr)
    pad = PAD.get(vr)
    if pad is None:
        # a number of odd length has no pad byte that would survive swapping
        if odd and vr != "OW" and not (encoding.big and vr in UNIT):
            return Repad(tag, start, value, end, _length(start, value, end, encoding), None)
        return None
    if value == end:
        return None
    if end - value > limits.text_value:
        raise beyond("text_value", limits, Where(source.name, offset=start))
    buf, base = source.window(value, end - value)
    if not odd and vr != "UI" and buf[end - base - 1] not in _PADS:
        return None  # nothing to trim: so it is with most values of most files
    raw = buf[value - base : end - base]
    new = normalised(vr, raw, Padding.CANONICAL)
    return None if new == raw else Repad(tag, start, value, end, _length(start, value, end, encoding), new)


def _length(start: int, value: int, end: int, encoding: Encoding) -> LengthField:
    from dsig.dicom.splice import LengthField

    offset, size = length_field(start, value, encoding)
    return LengthField(offset, size, end - value, encoding.order)
