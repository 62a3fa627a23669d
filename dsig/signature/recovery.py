"""VRs that an honest hop has lost: which readings of the data could be those that were signed.

A file in Implicit VR names no VRs, and programs that do not know a private element write it as UN. The MAC contains VRs
(PS3.3 C.12.1.1.3.1.1), so a verifier who guesses another one than the signer meant gets another digest. The guesses the
standard leaves open are few; a digest that matches proves the right one, because nothing else in the data is touched.

VRs that the file does name are another matter: they are signed, and whoever changed them changed what was signed. They
are tried only to say what is wrong.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from dsig.dicom.dataset import DataSet, read_data_set, signable_tag
from dsig.dicom.dictionary import BITS_ALLOCATED_VR, PIXEL_REPRESENTATION_VR, met_vr, permitted_vrs, vr_of
from dsig.dicom.location import format_path
from dsig.dicom.lookup import Lookup, Place
from dsig.dicom.source import Source
from dsig.dicom.vr import SHORT, UNIT
from dsig.dicom.walk import ELEMENT, FRAGMENTS, SEQUENCE, SEQUENCE_END, walk
from dsig.errors import DsigError
from dsig.limits import Limits
from dsig.model import Finding
from dsig.signature.signatures import FoundSignature, few_findings
from dsig.signature.structure import level_findings

__all__ = ["Candidate", "Recovery"]

_SHOWN = 4
_SIGNS = {"US", "SS"}
"""VRs of numbers that differ by their sign."""
_ELEMENT_COST = 4096
"""What walking and encoding one element costs, in bytes hashed in the same time."""
_DOUBT = 12
"""Guesses that are likelier wrong, one after the other, than a dictionary is."""
_LEAST = 2
"""Readings tried whatever a file's size."""
_EXAMINED = 1 << 12
"""Bytes of a value that are looked at to see which VRs could be its own."""


@dataclass(slots=True)
class _Unknown:
    """An attribute whose VR was not said, or could have been another, wherever it occurs."""

    where: str
    """Path of the first."""
    top: int
    """Tag at the level of the signature, of this element or of the sequence it is in."""
    found: str
    said: bool
    """The file names the VR."""
    choices: list[str]
    """Other VRs it may have had, the likeliest first."""
    high: bool = False
    """A value is one number as US and another as SS."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signature read with other VRs."""

    found: FoundSignature
    changes: tuple[str, ...]
    """Such as `(7FE0,0010) as OB`."""
    contradicts: bool
    """At least one VR is not the one the file names."""
    chosen: Mapping[Place, str]
    renumbered: bool
    """Who reads the file as it is finds other numbers."""


class Recovery:
    """Readings of one signature's level, and how many there were."""

    def __init__(
        self, found: FoundSignature, limits: Limits, budget: int, proven: Sequence[Mapping[Place, str]] = ()
    ) -> None:
        self.found = found
        self.limits = limits
        self.budget = budget
        self.proven = proven
        """VRs that made other signatures of the file match."""
        self.exhausted = True
        """Every reading that contradicts nothing has been tried."""
        self.skipped = False
        """Nothing was tried, because other signatures of the file have used up what may be."""
        self.tried = 0
        self.unknowns: dict[Place, _Unknown] = {}
        self.elements = 0

    @property
    def undecided(self) -> bool:
        """Readings are left that could match: of elements without any VR, or because nothing was tried."""
        if self.skipped:
            return not self.found.level.encoding.explicit
        return not self.exhausted and any(u.found == "UN" and not u.said for u in self.unknowns.values())

    def candidates(self) -> Iterator[Candidate]:
        """Readings worth a try, the likeliest first, until the limits are reached."""
        self.skipped = self.budget < 0 and not self.proven
        if self.skipped:
            return  # too many signatures of this file have failed already
        for guess in (True, False):
            try:
                self.survey(guess_sequences=guess)
                break
            except DsigError:
                self.limits.check_time(self.found.level.source.name)
                self.unknowns.clear()  # what began like items of a sequence were none
        for chosen in self.proven:
            if chosen.keys() & self.unknowns.keys():
                yield from self.reading({p: vr for p, vr in chosen.items() if p in self.unknowns}, contradicts=False)
        free = {place: u for place, u in self.unknowns.items() if not u.said}
        for chosen in _combinations(free):
            if (self.tried >= _LEAST or self.budget < 0) and self.spent():
                self.exhausted = False
                break
            yield from self.reading(chosen, contradicts=False)
        for chosen in _singles(self.unknowns):
            if self.spent():
                return
            yield from self.reading(chosen, contradicts=True)

    def spent(self) -> bool:
        """Whether enough was tried."""
        return self.tried >= self.limits.vr_readings or (self.tried + 1) * self.cost > self.budget

    def left(self) -> int:
        """What is left of the budget for other signatures of the file; negative once it is used up."""
        return self.budget if self.skipped else self.budget - (self.tried + 1) * self.cost

    @property
    def cost(self) -> int:
        """What one reading costs."""
        return self.found.level.end - self.found.level.start + self.elements * _ELEMENT_COST

    def survey(self, *, guess_sequences: bool) -> None:
        """Note every signed attribute that could have had another VR."""
        level, mac = self.found.level, self.found.mac
        listed = frozenset(mac.elements) if mac else frozenset()
        survey = _Survey(level.source, level.encoding.lookup, guess_sequences=guess_sequences)
        encoding = level.encoding.looking_up(replace(level.encoding.lookup, substitution=survey))
        path: list[tuple[int, int]] = list(level.path)
        depth = 0
        inside, top = False, 0
        for kind, tag, _vr, _start, _value, _stop in walk(
            level.source, level.start, level.end, encoding, limits=self.limits
        ):
            self.elements += 1
            seen, survey.seen = survey.seen, None
            if kind in (ELEMENT, SEQUENCE, FRAGMENTS):
                if not depth:
                    inside, top = tag in listed, tag
                if seen is not None and inside and signable_tag(tag):
                    self.note(*seen, format_path(tuple(path), tag), top)
                if kind != ELEMENT:
                    path.append((tag, -1))
                    depth += 1
            elif kind == SEQUENCE_END:
                path.pop()
                depth -= 1

    def note(self, place: Place, unknown: _Unknown, where: str, top: int) -> None:
        """One more attribute; what fits only some of its values is no choice."""
        known = self.unknowns.get(place)
        if known is None:
            if len(self.unknowns) < self.limits.findings:
                unknown.where, unknown.top = where, top
                self.unknowns[place] = unknown
        else:
            known.choices = [vr for vr in known.choices if vr in unknown.choices or vr == unknown.found]
            known.said = known.said or unknown.said
            known.high = known.high or unknown.high

    def reading(self, chosen: Mapping[Place, str], *, contradicts: bool) -> Iterator[Candidate]:
        """The signature with these VRs, if the data can be read so."""
        self.tried += 1
        level = self.found.level
        lookup = replace(level.encoding.lookup, substitution=_Chosen(chosen))
        try:
            again = read_data_set(
                level.source,
                level.start,
                level.end,
                level.encoding.looking_up(lookup),
                path=level.path,
                limits=self.limits,
            )
        except DsigError:
            self.limits.check_time(level.source.name)
            return
        changes = [
            f"{self.unknowns[place].where} as {vr}" for place, vr in chosen.items() if vr != self.unknowns[place].found
        ]
        more = len(changes) - _SHOWN
        shown = tuple(changes[:_SHOWN]) + ((f"{more} more",) if more > 0 else ())
        signs = [self.unknowns[place] for place, vr in chosen.items() if {vr, self.unknowns[place].found} == _SIGNS]
        found = replace(self.found, level=again, structure=self.structure(again))
        yield Candidate(found, shown, contradicts, chosen, any(u.high for u in signs))

    def excused(self) -> FoundSignature:
        """The signature, without the reproach that its list names what has no VR any more."""
        level = self.found.level
        tags = self.found.mac.elements if self.found.mac else ()
        unsignable = {t for t in tags if t in level.by_tag and not level.by_tag[t].signable}
        lost = {u.top for u in self.unknowns.values() if u.found == "UN" and not u.said}
        if not unsignable <= lost:
            return self.found
        kept = tuple(
            replace(f, severity="warning") if f.code == "list-names-unsignable" else f for f in self.found.structure
        )
        return replace(self.found, structure=kept)

    def structure(self, level: DataSet) -> tuple[Finding, ...]:
        """What the structure gate says when the level is read so."""
        mac = self.found.mac
        signable = mac is not None and all(t not in level.by_tag or level.by_tag[t].signable for t in mac.elements)
        said = tuple(f for f in self.found.structure if not (signable and f.code == "list-names-unsignable"))
        # what was a value of VR UN may have elements now, which have to be in order like all others
        return (*said, *(f for f in few_findings(level_findings(level)) if f not in said))


class _Chosen:
    """A substitution by a table."""

    def __init__(self, chosen: Mapping[Place, str]) -> None:
        self.chosen = chosen

    def vr(self, place: Place, found: str, stored: str, value: int, length: int) -> str:  # noqa: ARG002
        """The VR of the table, or the one that was found."""
        return self.chosen.get(place, found)


class _Survey:
    """A substitution that changes nothing and looks at what could be."""

    def __init__(self, source: Source, lookup: Lookup, *, guess_sequences: bool) -> None:
        self.source = source
        self.lookup = lookup
        self.guess_sequences = guess_sequences
        self.seen: tuple[Place, _Unknown] | None = None

    def vr(self, place: Place, found: str, stored: str, value: int, length: int) -> str:
        """The VR that was found."""
        named = stored not in ("", "UN")
        permitted = permitted_vrs(place.tag)
        if permitted and stored != "UN":
            high = found in _SIGNS and any(byte & 0x80 for byte in self.read(value, min(length, _EXAMINED))[1::2])
            self.seen = place, _Unknown("", 0, found, named, [vr for vr in permitted if vr != found], high)
        elif place.is_creator:
            if found == "UN":
                self.seen = place, _Unknown("", 0, found, False, ["LO"])
        elif not named and found != "SQ":
            if place.private and found == "UN" and self.guess_sequences and self.read(value, min(length, 4)) == _ITEM:
                self.seen = place, _Unknown("", 0, found, False, ["SQ"])
                return "SQ"
            known = self.lookup.private_vr_of(place.creator, place.tag) if place.private else vr_of(place.tag)
            if place.private or known == "UN":
                met = met_vr(place.creator, place.tag)
                likely = [vr for vr in (known, met) if vr not in ("UN", None)]
                choices = dict.fromkeys((*likely, *self.fitting(value, length)))
                self.seen = place, _Unknown("", 0, found, False, [vr for vr in choices if vr != found])
            elif stored == "UN" and found == "UN":
                # only a value too long for its VR has to be UN in explicit VR (PS3.5 6.2.2)
                known = {PIXEL_REPRESENTATION_VR: "US", BITS_ALLOCATED_VR: "OB"}.get(known, known)
                honest = length > 0xFFFF and known in SHORT
                self.seen = place, _Unknown("", 0, found, not honest, [known])
        return found

    def fitting(self, value: int, length: int) -> list[str]:
        """The VRs a value could have, the likeliest first (PS3.5 6.2)."""
        if not length:
            return list(dict.fromkeys(("LO", "CS", "SH", "UI", "LT", *_TEXTS, "OB", *_NUMBERS, "SQ")))
        read = self.read(value, min(length, _EXAMINED))
        numbers = sorted((vr for vr in _NUMBERS if length % UNIT[vr] == 0), key=lambda vr: UNIT[vr] != length)
        if _TEXT_VALUE.fullmatch(read.rstrip(b"\0")) is None:
            return [*numbers, "OB", "UT", "LT", "ST", "UC", "LO", "SH"]
        values = [part.strip(b" \0") for part in read.split(b"\\")]
        texts = [vr for vr, form in _TEXTS.items() if all(form.fullmatch(part) for part in values)]
        if read.endswith(b"\0\0"):  # text has one pad byte, a number of value 0 has none but these
            return [*numbers, "OB", *texts]
        return [*texts, "OB", *numbers]

    def read(self, value: int, length: int) -> bytes:
        """The beginning of a value."""
        buffer = bytearray(length)
        self.source.read_into(value, memoryview(buffer))
        return bytes(buffer)


_ITEM = b"\xfe\xff\x00\xe0"
_NUMBERS = ("US", "SS", "UL", "SL", "FL", "FD", "OW", "AT", "OF", "OD", "OL", "OV", "SV", "UV")
_TEXT_VALUE = re.compile(rb"[\t\n\f\r\x1b\x20-\xff]*")
_TEXTS = {
    "IS": re.compile(rb"[+-]?[0-9]{1,12}|"),
    "DS": re.compile(rb"[0-9+\-eE. ]{0,16}"),
    "DA": re.compile(rb"[0-9]{8}|"),
    "TM": re.compile(rb"[0-9]{2,6}(\.[0-9]{1,6})?|"),
    "DT": re.compile(rb"[0-9]{4,14}(\.[0-9]{1,6})?([+-][0-9]{4})?|"),
    "UI": re.compile(rb"[0-9.]{0,64}"),
    "AS": re.compile(rb"[0-9]{3}[DWMY]|"),
    "CS": re.compile(rb"[A-Z0-9_ ]{0,16}"),
    "LO": re.compile(rb"[^\n\f\r]{0,64}"),
    "SH": re.compile(rb"[^\n\f\r]{0,16}"),
    "PN": re.compile(rb"[^\n\f\r]{0,324}"),
    "ST": re.compile(rb"[\0-\xff]{0,1024}"),
    "LT": re.compile(rb"[\0-\xff]{0,10240}"),
    "UT": re.compile(rb"[\0-\xff]*"),
    "UC": re.compile(rb"[^\n\f\r]*"),
    "AE": re.compile(rb"[^\n\f\r\x1b]{0,16}"),
    "UR": re.compile(rb"[!-~]*"),
}
"""What single values of text VRs look like, the likeliest VR first."""


def _combinations(unknowns: Mapping[Place, _Unknown]) -> Iterator[dict[Place, str]]:
    """Every choice of VRs but the one that was found: first whole kinds together, then by how unlikely each is."""
    places = list(unknowns)
    options = [u.choices if u.found == "UN" else [u.found, *u.choices] for u in unknowns.values()]
    if not places or not all(options):
        return
    start = (0,) * len(places)
    steps = [1 if u.found == "UN" or permitted_vrs(p.tag) else _DOUBT for p, u in unknowns.items()]
    done = {start} if not any(u.found == "UN" for u in unknowns.values()) else set()
    for picked in chain(_kinds(places, options), _by_rank(start, [len(o) for o in options], steps)):
        if picked not in done:
            done.add(picked)
            yield {place: option[i] for place, option, i in zip(places, options, picked, strict=True)}


def _kinds(places: Sequence[Place], options: Sequence[Sequence[str]]) -> Iterator[tuple[int, ...]]:
    """Attributes whose VRs depend on one thing, as on Pixel Representation or the maker, change together."""
    of: list[tuple[str, ...]] = []
    other: list[int] = []
    for place, option in zip(places, options, strict=True):
        met = met_vr(place.creator, place.tag)
        index = option.index(met) if met in option else int(len(option) > 1 and bool(permitted_vrs(place.tag)))
        of.append(permitted_vrs(place.tag) or (place.creator or "",) if index else ())
        other.append(index)
    kinds = sorted({kind for kind in of if kind}, key=lambda kind: (len(kind) == 1, of.index(kind)))
    for size in range(1, len(kinds) + 1):
        for changed in combinations(kinds, size):
            yield tuple(index if kind in changed else 0 for kind, index in zip(of, other, strict=True))


def _by_rank(start: tuple[int, ...], sizes: Sequence[int], steps: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All tuples of indexes below `sizes`, those with the smallest sum first; an index counts as much as its step."""
    waiting = [(0, start, 0)]
    while waiting:
        rank, picked, last = heapq.heappop(waiting)
        yield picked
        for at in range(last, len(picked)):
            if picked[at] + 1 < sizes[at]:
                following = (*picked[:at], picked[at] + 1, *picked[at + 1 :])
                heapq.heappush(waiting, (rank + steps[at], following, at))


def _singles(unknowns: Mapping[Place, _Unknown]) -> Iterator[dict[Place, str]]:
    """One VR that the file names replaced by another, then all of a kind."""
    said = {place: u for place, u in unknowns.items() if u.said}
    for place, unknown in said.items():
        for vr in unknown.choices:
            yield {place: vr}
    for kind in dict.fromkeys(permitted_vrs(place.tag) for place in said):
        alike = {place: u.choices[0] for place, u in said.items() if permitted_vrs(place.tag) == kind and u.choices}
        if len(alike) > 1:
            yield alike
