"""Two data sets side by side, as the MAC sees them: which elements differ, where, and why as far as that can be told.

Both are walked in the order of the MAC stream (PS3.3 C.12.1.1.3.1.1), so lengths of sequences and items, group lengths
and byte order make no difference, as they make none to the MAC. Values are read in chunks; nothing is held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from dsig.dicom.dataset import DataSet, Element, signable_tag
from dsig.dicom.dictionary import keyword_of
from dsig.dicom.headers import is_big
from dsig.dicom.location import Path, format_path
from dsig.dicom.reencode import swapped
from dsig.dicom.source import Source
from dsig.dicom.vr import SHORT, TEXT, UNIT, effective
from dsig.dicom.walk import ELEMENT, FRAGMENT, FRAGMENTS, ITEM, ITEM_END, SEQUENCE, SEQUENCE_END, walk
from dsig.limits import Limits
from dsig.signature.mac import Piece
from dsig.signature.reading import Padding, normalised

__all__ = ["Difference", "Half", "Spot", "differences", "parting"]

CHUNK = 1 << 16
_UNITS = (2, 4, 8)
_PADDING = 0xFFFCFFFC


@dataclass(frozen=True, slots=True)
class Spot:
    """An element in one of the two files."""

    offset: int
    """Of its header, in bytes from the start of the file (of the inflated data set for deflated files)."""
    byte: int
    """Of the first byte of its value that differs, else of its header."""
    vr: str
    """As read; empty for items."""
    length: int | None
    """Of the value in bytes, None for sequences, items and encapsulated pixel data."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two files part."""

    location: str
    """Attribute path, in the first file if it is there."""
    tag: str
    """`GGGGEEEE`"""
    keyword: str
    cause: str
    """`value`, `padding`, `vr`, `byte-order`, `added`, `removed`, `pixel-encoding`, `list`, or `structure`."""
    message: str
    """One sentence for people."""
    part: str
    """`data`, `signature-item` (hashed), `mac-parameters`, `signature` (not hashed), `unsigned`, or `meta`."""
    a: Spot | None
    b: Spot | None


@dataclass(frozen=True, slots=True)
class Half:
    """Elements of a level of one file."""

    level: DataSet
    elements: Collection[Element]
    syntax: str
    """Transfer syntax of the file."""
    whole: bool = False
    """Nested elements that are in no MAC count too."""


class _Node(NamedTuple):
    """An element, item or fragment; `key` sorts as the MAC does."""

    key: tuple[tuple[int, int], ...]
    kind: int
    vr: str
    start: int
    value: int
    end: int
    big: bool
    named: bool
    """The file names the VR."""

    @property
    def tag(self) -> int:
        return self.key[-1][0]


def differences(a: Half, b: Half, part: str, limits: Limits) -> Iterator[Difference]:
    """What differs between two halves, in the order of the MAC stream."""
    left, right = _Nodes(a, limits), _Nodes(b, limits)
    while left.node is not None or right.node is not None:
        x, y = left.node, right.node
        if y is None or (x is not None and x.key < y.key):
            assert x is not None  # noqa: S101 - one of the two is there
            yield _alone(a, x, _part(part, x), removed=True)
            left.skip()
        elif x is None or y.key < x.key:
            yield _alone(b, y, _part(part, y), removed=False)
            right.skip()
        else:
            found = _compared(a, x, b, y)
            if found is not None:
                cause, message, at = found
                yield Difference(
                    _location(a, x),
                    f"{x.tag:08X}",
                    keyword_of(x.tag),
                    cause,
                    message,
                    _part(part, x),
                    _spot(x, at),
                    _spot(y, at),
                )
            if x.kind != y.kind or (found is not None and found[0] == "pixel-encoding"):
                left.skip()
                right.skip()
            else:
                left.step()
                right.step()


def _part(part: str, node: _Node) -> str:
    """The part a difference belongs to: signed sequences may hold what no MAC covers, and padding means nothing."""
    if part == "data":
        hidden = not all(signable_tag(tag) for tag, _ in node.key[1:])
    else:
        hidden = not all(tag & 0xFFFF and tag != _PADDING for tag, _ in node.key)
    return "unsigned" if hidden else part


class _Nodes:
    """The nodes of a half, one at hand."""

    def __init__(self, half: Half, limits: Limits) -> None:
        self._nodes = _nodes(half, limits)
        self.node = next(self._nodes, None)

    def step(self) -> None:
        """Go on."""
        self.node = next(self._nodes, None)

    def skip(self) -> None:
        """Go on behind everything inside."""
        gone = self.node
        self.step()
        if gone is None or gone.kind in (ELEMENT, FRAGMENT):
            return
        outer = gone.key[:-1]
        while self.node is not None and len(self.node.key) >= len(gone.key):
            tag, index = self.node.key[len(outer)]
            inside = self.node.key[: len(outer)] == outer and tag == gone.tag
            if not inside or (index == -1 and len(self.node.key) == len(gone.key)):
                return
            if gone.kind == ITEM and index != gone.key[-1][1]:
                return
            self.step()


def _nodes(half: Half, limits: Limits) -> Iterator[_Node]:
    """Elements in ascending order, and everything in them."""
    level, encoding = half.level, half.level.encoding
    for element in sorted(half.elements):
        key = ((element.tag, -1),)
        big = is_big(level.source, element.start, element.tag, encoding)
        node = _Node(key, element.kind, element.vr, element.start, element.value, element.end, big, encoding.explicit)
        yield node
        if element.kind == FRAGMENTS:
            for index, (start, value, end) in enumerate(level.fragments(element)):
                yield _Node(((element.tag, index),), FRAGMENT, "OB", start, value, end, False, True)
        elif element.kind == SEQUENCE:
            yield from _inside(half, element, limits)


def _inside(half: Half, element: Element, limits: Limits) -> Iterator[_Node]:
    """What is in a sequence."""
    level = half.level
    un = element.vr == "UN"
    encodings = [level.encoding.implicit() if un else level.encoding]
    path = [(element.tag, -1)]
    end = element.end - 8 if element.undefined else element.end
    skipping = 0
    for kind, tag, vr, start, value, stop in walk(
        level.source, element.value, end, level.encoding, items="UN" if un else "SQ", limits=limits
    ):
        if skipping:
            skipping += {SEQUENCE: 1, FRAGMENTS: 1, SEQUENCE_END: -1}.get(kind, 0)
            continue
        if kind in (ITEM, FRAGMENT):
            path[-1] = (path[-1][0], path[-1][1] + 1)
            yield _Node(tuple(path), kind, "", start, value, stop, False, True)
        elif kind == SEQUENCE_END:
            path.pop()
            encodings.pop()
        elif kind != ITEM_END:
            encoding = encodings[-1]
            if half.whole or signable_tag(tag):
                big = is_big(level.source, start, tag, encoding)
                yield _Node((*path, (tag, -1)), kind, vr, start, value, stop, big, encoding.explicit)
            elif kind != ELEMENT:
                skipping = 1
            if kind != ELEMENT and not skipping:
                path.append((tag, -1))
                encodings.append(encoding.implicit() if vr == "UN" else encoding)


def _alone(half: Half, node: _Node, part: str, *, removed: bool) -> Difference:
    what = {ITEM: "the item", FRAGMENT: "the fragment"}.get(node.kind, "the element")
    message = f"{what} is only in the {'first' if removed else 'second'} file"
    cause = "removed" if removed else "added"
    spot = _spot(node, 0)
    a, b = (spot, None) if removed else (None, spot)
    return Difference(_location(half, node), f"{node.tag:08X}", keyword_of(node.tag), cause, message, part, a, b)


def _location(half: Half, node: _Node) -> str:
    path: Path = (*half.level.path, *node.key)
    if node.kind in (ITEM, FRAGMENT):
        return format_path(path)
    return format_path(path[:-1], node.tag)


def _spot(node: _Node, at: int | None) -> Spot:
    leaf = node.kind in (ELEMENT, FRAGMENT)
    byte = node.start if at is None or not leaf else min(node.value + at, node.end)
    return Spot(node.start, byte, node.vr, node.end - node.value if leaf else None)


def _compared(a: Half, x: _Node, b: Half, y: _Node) -> tuple[str, str, int | None] | None:
    """Cause, message and offset in the value; None if the MAC sees no difference."""
    if x.kind != y.kind:
        if FRAGMENTS in (x.kind, y.kind):
            done = "decompressed" if x.kind == FRAGMENTS else "compressed"
            return "pixel-encoding", f"the pixel data were {done}", None
        cause = "vr" if "UN" in (x.vr, y.vr) else "structure"
        return cause, f"a {_called(x)} has become a {_called(y)}", None
    if x.kind == FRAGMENTS and a.syntax != b.syntax:
        return "pixel-encoding", f"the pixel data are stored as {a.syntax} and as {b.syntax}", None
    if x.kind not in (ELEMENT, FRAGMENT):
        return None
    values = _values(a.level.source, x, b.level.source, y)
    vrs = (_hashed_vr(x), _hashed_vr(y))
    if values is not None:
        cause, message, at = values
        if vrs[0] != vrs[1]:
            message += f"; the VR is {vrs[0]} in the first and {vrs[1]} in the second file"
        return cause, message, at
    if vrs[0] != vrs[1]:
        unnamed = "" if y.named and x.named else ", where it is not named" if not y.named else ""
        return "vr", f"same value, but the VR is {vrs[0]} in the first and {vrs[1]} in the second file{unnamed}", None
    return None


def _called(node: _Node) -> str:
    return "sequence" if node.kind == SEQUENCE else f"value of VR {node.vr}"


def _hashed_vr(node: _Node) -> str:
    vr = effective(node.vr)
    return "UN" if vr in SHORT and node.end - node.value > 0xFFFF else vr


def _values(s: Source, x: _Node, t: Source, y: _Node) -> tuple[str, str, int] | None:
    """How two values differ, in little endian."""
    long, short = x.end - x.value, y.end - y.value
    at = 0
    parted: int | None = None
    reversed_in = set(_UNITS) if long == short else set()
    for one, other in zip(_read(s, x), _read(t, y), strict=False):
        if parted is None and one != other:
            unequal = (i for i, (p, q) in enumerate(zip(one, other, strict=False)) if p != q)
            parted = at + next(unequal, min(len(one), len(other)))
        reversed_in = {u for u in reversed_in if swapped(memoryview(one), u) == other}
        at += len(one)
        if parted is not None and not reversed_in:
            break
    if parted is None:
        if long == short:
            return None
        parted = min(long, short)
    if reversed_in:
        return "byte-order", f"the bytes of each unit of {min(reversed_in)} are in the other order", parted
    if _only_padding(s, x, t, y):
        return "padding", "only the padding of the value differs", parted
    lengths = f"{long} bytes" if long == short else f"{long} and {short} bytes"
    return "value", f"the value differs from its byte {parted} on ({lengths})", parted


def _only_padding(s: Source, x: _Node, t: Source, y: _Node) -> bool:
    sizes = (x.end - x.value, y.end - y.value)
    if abs(sizes[0] - sizes[1]) > CHUNK or max(sizes) > 16 * CHUNK:
        return False
    one, other = b"".join(_read(s, x)), b"".join(_read(t, y))
    vr = effective(x.vr)
    if vr in TEXT and effective(y.vr) in TEXT:
        return normalised(vr, one, Padding.CANONICAL) == normalised(vr, other, Padding.CANONICAL)
    odd, even = sorted((one, other), key=len)
    return len(odd) & 1 == 1 and odd + b"\0" == even


def _read(source: Source, node: _Node) -> Iterator[bytes]:
    """The value in little endian, in chunks."""
    unit = UNIT.get(effective(node.vr), 1) if node.big else 1
    for start, stop in pairwise((*range(node.value, node.end, CHUNK), node.end)):
        buffer = bytearray(stop - start)
        source.read_into(start, memoryview(buffer))
        yield swapped(memoryview(buffer), unit) if unit > 1 else bytes(buffer)


def parting(s: Source, pieces: Iterator[Piece], t: Source, others: Iterator[Piece]) -> int | None:
    """Offset of the first byte in which two MAC streams differ, None if they are the same."""
    at = 0
    one, other = b"", b""
    left, right = _bytes(s, pieces), _bytes(t, others)
    while True:
        one = one or next(left, b"")
        other = other or next(right, b"")
        size = min(len(one), len(other))
        if one[:size] != other[:size]:
            return at + next(i for i in range(size) if one[i] != other[i])
        if not size:
            return at if one or other else None
        at += size
        one, other = one[size:], other[size:]


def _bytes(source: Source, pieces: Iterator[Piece]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            if piece:
                yield piece
            continue
        start, end, unit = piece
        for low, high in pairwise((*range(start, end, CHUNK), end)):
            buffer = bytearray(high - low)
            source.read_into(low, memoryview(buffer))
            yield swapped(memoryview(buffer), unit) if unit > 1 else bytes(buffer)
