"""The picture of what a signature covers: a cell for each element of the data set, in the order of its tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from dsig.model import SignatureReport

__all__ = ["Cells", "cells", "element_name", "signed_names"]

COLUMNS = 16
CELL, PITCH = 9, 12
"""Pixels of a cell, and from one cell to the next."""
MOST = 4000
"""Cells drawn; a list of signed tags can be as long as a hostile writer wants."""

GROUPS = {
    0x0008: "Identification",
    0x0010: "Patient",
    0x0018: "Acquisition",
    0x0020: "Relationship",
    0x0028: "Image",
    0x0032: "Study",
    0x0038: "Visit",
    0x0040: "Procedure and content",
    0x0054: "Nuclear medicine",
    0x0062: "Segmentation",
    0x0070: "Presentation",
    0x0088: "Storage",
    0x3002: "RT image",
    0x3004: "RT dose",
    0x3006: "RT structures",
    0x300A: "RT plan",
    0x300C: "RT references",
    0x300E: "RT approval",
    0x5200: "Functional groups",
    0x5400: "Waveform",
    0x7FE0: "Pixel data",
}


@dataclass(frozen=True, slots=True)
class Cells:
    """One group of elements, drawn in rows of `COLUMNS`."""

    group: str
    name: str
    signed: int
    unsigned: int
    absent: int
    height: int
    """Pixels; the width is that of a whole row."""
    signed_path: str
    """SVG path data, as are the next two."""
    unsigned_path: str
    absent_path: str
    width: int = COLUMNS * PITCH

    @property
    def told(self) -> str:
        """The picture in words."""
        parts = [f"{self.signed} signed"] if self.signed else []
        parts += [f"{self.unsigned} not signed"] if self.unsigned else []
        parts += [f"{self.absent} missing"] if self.absent else []
        return ", ".join(parts)


def cells(signature: SignatureReport) -> Iterator[Cells]:
    """The groups of the data set or item that the signature is of; group lengths and signatures are left out."""
    for group, members in groupby(sorted(_states(signature).items()), lambda item: item[0] >> 16):
        yield _drawn(group, [state for _, state in members])


def signed_names(signature: SignatureReport, *, in_brief: bool = False) -> Iterator[str]:
    """Names of the signed elements, those of the standard first, private ones as tags, or in brief as groups."""
    tags = sorted(tag for tag, state in _states(signature).items() if state == "signed")
    yield from (element_name(f"{tag:08X}", "") for tag in tags if not tag >> 16 & 1)
    if in_brief:
        for group, members in groupby(tag >> 16 for tag in tags if tag >> 16 & 1):
            yield f"{len(list(members))} private of group {group:04X}"
        return
    yield from (f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags if tag >> 16 & 1)


def _states(signature: SignatureReport) -> dict[int, str]:
    coverage = signature.coverage
    states: dict[int, str] = dict.fromkeys(signature.mac.elements[:MOST], "signed")
    for element in coverage.unsigned[:MOST]:
        if not element.location and not (element.reason == "duplicate" and _tag(element.tag) in states):
            states[_tag(element.tag)] = "unsigned"
    for tag in coverage.absent[:MOST]:
        states[_tag(tag)] = "absent"
    return states


def _drawn(group: int, states: list[str]) -> Cells:
    paths: dict[str, list[str]] = {"signed": [], "unsigned": [], "absent": []}
    for number, state in enumerate(states):
        row, column = divmod(number, COLUMNS)
        x, y = column * PITCH + 1, row * PITCH + 1
        if state == "absent":
            paths[state].append(f"M{x} {y}l{CELL} {CELL}m0-{CELL}l-{CELL} {CELL}")
        elif state == "unsigned":  # half a pixel in, so that the line is sharp
            paths[state].append(f"M{x}.5 {y}.5h{CELL - 1}v{CELL - 1}h-{CELL - 1}z")
    for row in range(0, len(states), COLUMNS):
        column = row
        for state, run in groupby(states[row : row + COLUMNS]):
            length = len(list(run))
            if state == "signed":  # one dashed line, drawn as wide as a cell, is much shorter than its cells
                x, y = (column - row) * PITCH + 1, row // COLUMNS * PITCH + 1 + CELL // 2
                paths[state].append(f"M{x} {y}.5h{length * PITCH - PITCH + CELL}")
            column += length
    return Cells(
        f"{group:04X}",
        GROUPS.get(group, "Private" if group % 2 else ""),
        states.count("signed"),
        states.count("unsigned"),
        states.count("absent"),
        ((len(states) - 1) // COLUMNS + 1) * PITCH,
        "".join(paths["signed"]),
        "".join(paths["unsigned"]),
        "".join(paths["absent"]),
    )


def _tag(text: str) -> int:
    try:
        return int(text, 16) & 0xFFFFFFFF
    except ValueError:
        return 0


@lru_cache(maxsize=10_000)
def element_name(tag: str, keyword: str) -> str:
    """The name of an element as PS3.6 writes it, such as Patient's Name; its keyword where there is none."""
    from pydicom.datadict import dictionary_description

    number = _tag(tag)
    if number >> 16 & 1:
        return keyword or "Private element"
    try:
        return dictionary_description(number)
    except KeyError:
        return keyword or "Unknown element"
