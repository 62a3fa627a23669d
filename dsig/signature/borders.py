"""Bytes inside pixel data fragments that the MAC cannot tell from borders (PS3.3 C.12.1.1.3.1.1).

A fragment is hashed without its length, between item tags. So two fragments hash like one that holds the tag between
them, and one that holds a delimiter and elements hashes like one that ends there. Encoded images hold the bytes of an
item tag by chance, once in some tens of megabytes; a delimiter with an element header behind it they never do.

Looking takes no pass of its own: the values go by a second cursor while they are hashed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from dsig.dicom.dataset import DataSet, Element
from dsig.dicom.location import Path, format_path
from dsig.dicom.vr import LONG, SHORT
from dsig.model import Finding
from dsig.signature.mac import MacCursor, Piece

__all__ = ["Borders"]

CLAUSE = "PS3.3 C.12.1.1.3.1.1"
_VRS = b"|".join(vr.encode() for vr in (*SHORT, *LONG))
_BORDER = re.compile(rb"\xfe\xff(?:(\x00\xe0)|\xdd\xe0(?:[\x00-\xff]{4}(?:" + _VRS + rb")|\xfe\xff[\x00\xdd]\xe0))")
"""An item tag; or a sequence delimiter with an explicit VR header, another delimiter or an item behind it."""
_LONGEST = 10
"""Bytes of the longest match."""


class Borders:
    """Watches the fragments of signed pixel data, nested ones too, while values go by."""

    def __init__(self) -> None:
        self._watches: dict[int, _Watch] = {}

    def watch(self, level: DataSet, selected: Collection[Element]) -> None:
        """Look at the pixel data among the signed elements of a level."""
        for _path, element in _pixels(level, selected):
            self._watches.setdefault(element.start, _Watch(level, element))

    def cursors(self) -> list[MacCursor]:
        """What has to see the values; they read nothing that the MACs do not read anyway."""
        return [watch.cursor for watch in self._watches.values()]

    def findings(self, level: DataSet, selected: Collection[Element]) -> Iterator[Finding]:
        """What was seen in the pixel data among the signed elements of a level."""
        for path, element in _pixels(level, selected):
            watch = self._watches.get(element.start)
            where = format_path(path, element.tag)
            if watch is None:
                continue
            if watch.ends:
                yield Finding(
                    "fragment-ambiguity",
                    "a fragment holds a sequence delimiter and a data element: the same MAC fits pixel data that end"
                    " there",
                    where,
                    CLAUSE,
                )
            elif watch.splits:
                yield Finding(
                    "fragment-holds-tag",
                    "a fragment holds the bytes of an item tag, by chance or because two were joined: the same MAC fits"
                    " both",
                    where,
                    CLAUSE,
                    "warning",
                )


def _pixels(level: DataSet, selected: Collection[Element]) -> Iterator[tuple[Path, Element]]:
    """Encapsulated pixel data among these elements and inside their items."""
    if level.encapsulated or level.nested_pixels:
        signed = {element.tag for element in selected}
        yield from ((level.path, element) for element in level.encapsulated if element in selected)
        yield from ((path, element) for top, path, element in level.nested_pixels if top in signed)


class _Watch:
    """Looks at one pixel data element."""

    def __init__(self, level: DataSet, element: Element) -> None:
        self.splits = False
        self.ends = False
        self._tail = b""
        self._at = 0
        self.cursor = MacCursor(self._pieces(level, element), self._look)

    def _pieces(self, level: DataSet, element: Element) -> Iterator[Piece]:
        """The fragments with zeros between them, so that nothing reaches over; each begins at an even offset."""
        for _start, value, end in level.fragments(element):
            yield value, end, 1
            yield bytes(_LONGEST + (end - value & 1))

    def _look(self, part: bytes | memoryview) -> None:
        before = len(self._tail)
        seam = self._tail + bytes(part[:_LONGEST])
        for found in _BORDER.finditer(seam):
            if found.start() < before:
                self._found(self._at - before + found.start(), item=found[1] is not None)
        for found in _BORDER.finditer(part):
            self._found(self._at + found.start(), item=found[1] is not None)
        self._at += len(part)
        self._tail = bytes(part[-_LONGEST:]) if len(part) >= _LONGEST else (self._tail + bytes(part))[-_LONGEST:]

    def _found(self, offset: int, *, item: bool) -> None:
        if not item:
            self.ends = True
        elif offset % 2 == 0:  # fragments have even lengths (PS3.5 A.4)
            self.splits = True
