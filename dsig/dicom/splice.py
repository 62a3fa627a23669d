"""Splicing: copy a file as it is, with changes at stated offsets and the lengths of what encloses them put right."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from dsig.dicom.encoding import Encoding
from dsig.dicom.pump import WORTH_A_THREAD, ReadAhead, WriteBehind
from dsig.dicom.source import Source
from dsig.dicom.walk import ELEMENT, FRAGMENT, FRAGMENTS, ITEM, ITEM_END, SEQUENCE, SEQUENCE_END, walk
from dsig.errors import OutputError
from dsig.limits import DEFAULT, Limits

__all__ = ["Change", "Enclosing", "LengthField", "enclosing_lengths", "lengthened", "write_spliced"]

Late = Callable[[], bytes]
"""Bytes that are known only when everything before has been read."""


@dataclass(frozen=True, slots=True)
class LengthField:
    """A length that grows when something is put into its element."""

    offset: int
    size: int
    """2 or 4 bytes."""
    length: int
    order: str
    """`<` or `>`."""

    def plus(self, growth: int) -> bytes:
        """The field with the new length. Raises `OutputError` if it does not fit."""
        length = self.length + growth
        if length > (0xFFFF if self.size == 2 else 0xFFFFFFFE):
            raise OutputError(
                f"an element at byte {self.offset} would grow to {length} bytes, more than its length field can say",
                hint="re-encode the file with undefined lengths first",
            )
        return struct.pack(f"{self.order}{'H' if self.size == 2 else 'I'}", length)


@dataclass(frozen=True, slots=True)
class Change:
    """Replace `removed` bytes at `offset` by `data`; several at one offset are applied in the order given."""

    offset: int
    removed: int
    data: bytes | Late


@dataclass(frozen=True, slots=True)
class Enclosing:
    """The defined lengths around some places of a file."""

    of_starts: dict[int, tuple[LengthField, ...]]
    """Element or fragment header offset to the lengths around it."""
    of_levels: dict[int, tuple[LengthField, ...]]
    """Offset where a level's content starts to the lengths around it; there are none around the main data set."""


def enclosing_lengths(
    source: Source,
    start: int,
    end: int,
    encoding: Encoding,
    *,
    starts: Collection[int] = (),
    levels: Collection[int] = (),
    limits: Limits = DEFAULT,
) -> Enclosing:
    """Find the length fields that have to follow when elements at `starts` change or levels change.

    `levels` are offsets where the content of items, or the main data set, starts.
    """
    wanted, grown = frozenset(starts), frozenset(levels) - {start}
    found: dict[int, tuple[LengthField, ...]] = {}
    of_levels: dict[int, tuple[LengthField, ...]] = {start: ()}
    if not wanted and not grown:
        return Enclosing(found, of_levels)
    fields: list[LengthField | None] = []
    encodings = [encoding]
    for kind, _tag, vr, at, value, stop in walk(source, start, end, encoding, limits=limits):
        if kind in (ELEMENT, FRAGMENT):
            if at in wanted:
                found[at] = tuple(f for f in fields if f is not None)
        elif kind in (SEQUENCE, FRAGMENTS):
            order = encodings[-1].order
            fields.append(LengthField(value - 4, 4, stop - value, order) if stop >= 0 else None)
            encodings.append(encodings[-1].implicit() if vr == "UN" else encodings[-1])
        elif kind == ITEM:
            fields.append(LengthField(value - 4, 4, stop - value, encodings[-1].order) if stop >= 0 else None)
            if value in grown:
                of_levels[value] = tuple(f for f in fields if f is not None)
        elif kind == ITEM_END:
            fields.pop()
        elif kind == SEQUENCE_END:
            fields.pop()
            encodings.pop()
    return Enclosing(found, of_levels)


def lengthened(growths: Iterable[tuple[LengthField, int | Callable[[], int]]]) -> Iterator[Change]:
    """Changes that put length fields right; growths of one field add up, late ones when they are known."""
    totals: dict[LengthField, list[int | Callable[[], int]]] = {}
    for field, growth in growths:
        totals.setdefault(field, []).append(growth)
    for field, parts in totals.items():
        if any(callable(p) for p in parts):
            yield Change(field.offset, field.size, _late_length(field, parts))
        else:
            yield Change(field.offset, field.size, field.plus(sum(p for p in parts if isinstance(p, int))))


def _late_length(field: LengthField, parts: list[int | Callable[[], int]]) -> Late:
    return lambda: field.plus(sum(p() if callable(p) else p for p in parts))


def write_spliced(
    source: Source,
    start: int,
    end: int,
    changes: Iterable[Change],
    write: Callable[[bytes | memoryview], object],
    seen: Callable[[int, memoryview], None],
) -> None:
    """Write `[start, end)` of the source with `changes` applied; `seen` gets every chunk read, in order."""
    at = start
    chunk, base = memoryview(b""), start
    threaded = source.in_memory is None and end - start >= WORTH_A_THREAD

    with ReadAhead(source) as reader, WriteBehind(write, threaded=threaded) as writer:
        give_back: Callable[[], None] | None = None

        def advance(upto: int, *, keep: bool) -> None:
            nonlocal at, chunk, base, give_back
            while at < upto:
                if at >= base + len(chunk):
                    if give_back is not None:
                        writer.after(give_back)
                    chunk, base = reader.read(at), at
                    give_back = reader.lend()
                part = chunk[at - base : upto - base]
                if keep:
                    writer.write(part)
                seen(at, part)
                at += len(part)

        for change in sorted(changes, key=lambda c: c.offset):
            advance(change.offset, keep=True)
            advance(change.offset + change.removed, keep=False)
            writer.write(change.data() if callable(change.data) else change.data)
        advance(end, keep=True)
