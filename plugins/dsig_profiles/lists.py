"""What a profile wants signed: tags by edition, and the repeating groups (PS3.15 C.2 to C.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from dsig.hookspecs import DataSetView
from dsig_profiles._attributes import MANDATORY, TABLE

__all__ = ["Demands", "demands", "name_of"]

CREATOR_VERSION_UID = 0x00089123
_REPEATING = {0x50: "50xx", 0x60: "60xx"}
_LAST_REPEATED = 0x1E


@dataclass(frozen=True, slots=True)
class Demands:
    """The lists of one profile. Repeating groups are there as their first group."""

    mandatory: frozenset[int]
    """Must be there and signed."""
    always: frozenset[int]
    """Every edition wants them signed when present; holds `mandatory`."""
    since: frozenset[int]
    """Only editions after the older one do."""
    until: frozenset[int]
    """Only editions before the newer one do."""
    private: bool
    """Raw data count: with Creator-Version UID present, every private element (PS3.3 C.19.1)."""

    def of(self, view: DataSetView) -> Iterator[int]:
        """The tags at this level that any edition wants signed: whoever signs them all pleases every verifier."""
        every = self.always | self.since | self.until
        private = self.wants_private(view)
        return (tag for tag in view.tags if _first_group(tag) in every or (private and _is_private(tag)))

    def by_all(self, view: DataSetView) -> Iterator[int]:
        """Those that every edition wants signed."""
        private = self.wants_private(view)
        return (tag for tag in view.tags if _first_group(tag) in self.always or (private and _is_private(tag)))

    def by_some(self, view: DataSetView) -> Iterator[tuple[int, bool]]:
        """The rest of them, and whether it is the newer editions that want them."""
        for tag in view.tags:
            first = _first_group(tag)
            if first in self.since or first in self.until:
                yield tag, first in self.since

    def wants_private(self, view: DataSetView) -> bool:
        """Whether private elements are raw data."""
        return self.private and CREATOR_VERSION_UID in view.tags


@cache
def demands(profile: str) -> Demands:
    """The lists of a profile, by its name in `_attributes`."""
    column = list(MANDATORY).index(profile)
    lists: dict[str, set[int]] = {"=": set(), "+": set(), "-": set(), ".": set()}
    for line in TABLE.split("\n"):
        if line:
            tag, marks, _ = line.split()
            lists[marks[column]].add(_tag(tag))
    return Demands(
        frozenset(MANDATORY[profile]),
        frozenset(lists["="]),
        frozenset(lists["+"]),
        frozenset(lists["-"]),
        private=profile in ("creator", "authorization"),
    )


def name_of(tag: int) -> str:
    """Keyword of a tag of the lists, or what else can be said of it."""
    keyword = _keywords().get(_first_group(tag))
    if keyword is None:
        return f"private element ({tag >> 16:04X},{tag & 0xFFFF:04X})"
    return keyword


@cache
def _keywords() -> dict[int, str]:
    lines = (line.split() for line in TABLE.split("\n") if line)
    return {_tag(tag): keyword for tag, _, keyword in lines}


def _tag(text: str) -> int:
    return int(text.replace("xx", "00"), 16)


def _first_group(tag: int) -> int:
    """The tag in the first group of its repeating groups (PS3.5 7.6): 6000 for 6000 to 601E, 5000 for 5000 to 501E."""
    group = tag >> 16
    if group >> 8 in _REPEATING and not group & 1 and group & 0xFF <= _LAST_REPEATED:
        return tag & 0xFF00FFFF
    return tag


def _is_private(tag: int) -> bool:
    """Odd group, group lengths left out; the odd groups up to 0007, and FFFF, are nobody's (PS3.5 7.8.1)."""
    group = tag >> 16
    return bool(group & 1) and 0x0008 < group < 0xFFFF and bool(tag & 0xFFFF)
