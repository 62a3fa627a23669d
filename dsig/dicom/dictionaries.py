"""Data dictionaries in files, in the text format of DCMTK: VRs and names beyond the built-in dictionary.

One entry a line, fields separated by tabs: tag, VR, name, and if present VM and version; `#` starts a comment line.
Tags are `(gggg,eeee)`, `(gggg,"CREATOR",ee)` in whatever block the creator has reserved (PS3.5 7.8.1) or
`(gggg,"CREATOR",eeee)` in this one only. `gggg-gggg` is a range of even numbers, `-o-` of odd ones, `-u-` of all; so
for elements.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dsig.arguments import paths_of
from dsig.dicom.dictionary import tag_of, vr_of
from dsig.dicom.vr import LONG, SHORT
from dsig.errors import UsageError, Where

__all__ = ["Dictionary", "PrivateTag", "load_dictionaries"]

MAX_FILE = 16 << 20
"""Bytes of one dictionary file; the standard's take 400 KB."""

_VRS = frozenset(SHORT + LONG)
_STANDS_FOR = {"xs": "US", "ox": "OB", "px": "OB", "lt": "OW", "up": "UL"}
"""Codes for a choice of VRs; where the standard leaves that choice, the built-in dictionary knows how to make it."""
_NO_VR = frozenset({"na", "??"})
_NAMELESS = "Unknown"
_RANGE = r"(?P<{0}low>[0-9A-Fa-f]{{1,4}})(?:-(?:(?P<{0}which>[oue])-)?(?P<{0}high>[0-9A-Fa-f]{{1,4}}))?"
_TAG = re.compile(
    r"\(\s*" + _RANGE.format("g") + r'\s*,\s*(?:"(?P<creator>[^"]*)"\s*,\s*)?' + _RANGE.format("e") + r"\s*\)"
)


class PrivateTag(NamedTuple):
    """A private element named by its creator, wherever in a data set that has its block (PS3.5 7.8.1)."""

    group: int
    creator: str
    element: int
    """The low byte of the element number."""

    def __str__(self) -> str:
        return f'({self.group:04X},"{self.creator}",{self.element:02X})'


@dataclass(frozen=True, slots=True)
class _Range:
    """Numbers of one half of a tag."""

    low: int
    high: int
    step: int
    """2 where only even or only odd ones count."""

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.high and (number - self.low) % self.step == 0


@dataclass(frozen=True, slots=True)
class _Entry:
    groups: _Range
    elements: _Range
    creator: str | None
    relative: bool
    """`elements` are low bytes, in whatever block the creator has reserved."""
    vr: str
    name: str

    def tag(self) -> int | PrivateTag:
        """The first tag the entry is about."""
        if self.relative and self.creator is not None:
            return PrivateTag(self.groups.low, self.creator, self.elements.low)
        return self.groups.low << 16 | self.elements.low


class Dictionary:
    """Entries of dictionary files; of several about one tag or name the last counts."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._single: dict[int, str] = {}
        self._ranges: list[_Entry] = []
        self._private: dict[str, list[_Entry]] = {}
        self._names: dict[str, int | PrivateTag] = {}
        self._private_names: dict[str, int | PrivateTag] = {}
        for entry in entries:
            if entry.name != _NAMELESS:
                names = self._names if entry.creator is None else self._private_names
                names[entry.name] = entry.tag()
            if entry.creator is not None:
                self._private.setdefault(entry.creator, []).insert(0, entry)
            elif entry.groups.low == entry.groups.high and entry.elements.low == entry.elements.high:
                self._single[entry.groups.low << 16 | entry.elements.low] = entry.vr
            else:
                self._ranges.insert(0, entry)

    def vr_of(self, tag: int) -> str | None:
        """VR of an element that belongs to no private creator, None if the files do not say."""
        vr = self._single.get(tag)
        if vr is None:
            vr = next((e.vr for e in self._ranges if tag >> 16 in e.groups and tag & 0xFFFF in e.elements), None)
        if vr in _STANDS_FOR:
            return None if vr_of(tag) != "UN" else _STANDS_FOR[vr]
        return vr

    def private_vr_of(self, creator: str, tag: int) -> str | None:
        """VR of a private element whose block `creator` has reserved, None if the files do not say."""
        for entry in self._private.get(creator, ()):
            element = tag & 0xFF if entry.relative else tag & 0xFFFF
            if tag >> 16 in entry.groups and element in entry.elements:
                return _STANDS_FOR.get(entry.vr, entry.vr)
        return None

    def tag_of(self, name: str) -> int | PrivateTag | None:
        """The tag of a name, the first if it has several; None if the files do not have it.

        Private elements are named like standard ones now and then: a name of the standard is not theirs.
        """
        if name in self._names:
            return self._names[name]
        return None if tag_of(name) is not None else self._private_names.get(name)


def load_dictionaries(paths: Iterable[str | os.PathLike[str]]) -> Dictionary:
    """Read dictionary files; entries of later ones go before those of earlier ones.

    Raises `UsageError` naming file and line for anything that is no dictionary: reading on without it would silently
    change what VRs are found.
    """
    versions = []
    for path in paths_of(paths, "load_dictionaries"):
        try:
            status = os.stat(path)  # noqa: PTH116 - the path as it was given is part of the message
        except (OSError, ValueError) as error:
            raise _unusable(path, getattr(error, "strerror", None) or "cannot be read") from None
        versions.append((path, status.st_mtime_ns, status.st_size))
    return _loaded(tuple(versions))


@lru_cache(maxsize=8)
def _loaded(versions: tuple[tuple[str, int, int], ...]) -> Dictionary:
    return Dictionary([entry for path, _, _ in versions for entry in _read(path)])


def _read(path: str) -> list[_Entry]:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise _unusable(path, error.strerror or "cannot be read") from None
    if len(data) > MAX_FILE:
        raise _unusable(path, f"is larger than {MAX_FILE} bytes")
    entries = []
    for number, line in enumerate(data.decode("utf-8", "backslashreplace").split("\n"), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            entry = _parsed([field.strip() for field in text.split("\t") if field.strip()])
        except ValueError as error:
            raise _unusable(path, f"line {number}: {error}") from None
        if entry is not None:
            entries.append(entry)
    return entries


def _parsed(fields: list[str]) -> _Entry | None:
    """An entry from its fields, None for what is no data element. Raises `ValueError` saying what is wrong."""
    if not 3 <= len(fields) <= 5:
        raise ValueError(f"{len(fields)} fields instead of 3 to 5 separated by tabs")
    found = _TAG.fullmatch(fields[0])
    if found is None:
        raise ValueError(f"{fields[0]!r} is no tag")
    vr, name = fields[1], fields[2]
    if vr in _NO_VR:
        return None
    if vr not in _VRS and vr not in _STANDS_FOR:
        raise ValueError(f"{vr!r} is no VR")
    creator = found["creator"]
    relative = creator is not None and len(found["elow"]) <= 2
    groups, elements = _range(found, "g"), _range(found, "e")
    if creator is not None and not relative and elements.low < 0x1000:
        raise ValueError("elements below 1000 belong to no private creator")
    return _Entry(groups, elements, None if creator is None else creator.strip(), relative, vr, name)


def _range(found: re.Match[str], half: str) -> _Range:
    low = int(found[f"{half}low"], 16)
    if found[f"{half}high"] is None:
        return _Range(low, low, 1)
    high = int(found[f"{half}high"], 16)
    which = found[f"{half}which"] or "e"
    if high < low:
        raise ValueError("a range ends before it begins")
    if which == "u":
        return _Range(low, high, 1)
    return _Range(low + (low % 2 != (which == "o")), high, 2)


def _unusable(path: str, problem: str) -> UsageError:
    return UsageError(
        f"cannot use the data dictionary: {problem}",
        code="dictionary",
        where=Where(path),
        hint="one entry a line: tag, VR, name, VM and version, separated by tabs",
    )
