"""Where an item is: `BeamSequence[0].ControlPointSequence[1]`, keywords or (gggg,eeee), indexes from 0."""

from __future__ import annotations

import re

from dsig.dicom.dictionary import format_tag, keyword_of, suggestion, tag_of
from dsig.errors import UsageError

__all__ = ["Path", "format_path", "format_tag", "parse_location", "parse_tag"]

Path = tuple[tuple[int, int], ...]
"""(tag of the sequence, item index) from the outside in; index -1 stands for the sequence as a whole."""

_STEP = re.compile(
    r"\s*(?:\(\s*(?P<group>[0-9A-Fa-f]{1,4})\s*,\s*(?P<element>[0-9A-Fa-f]{1,4})\s*\)|(?P<keyword>[A-Za-z][A-Za-z0-9]*))"
    r"\[(?P<index>[0-9]{1,9})\]"
)
_TAG = re.compile(r"\(?\s*([0-9A-Fa-f]{1,4})\s*,\s*([0-9A-Fa-f]{1,4})\s*\)?\Z|([0-9A-Fa-f]{8})\Z")


def format_path(path: Path, tag: int | None = None) -> str:
    """Human form of an item path, ending in `tag` if given; keywords where the dictionary has them."""
    steps = [
        (keyword_of(sequence) or format_tag(sequence)) + (f"[{index}]" if index >= 0 else "")
        for sequence, index in path
    ]
    if tag is not None:
        steps.append(format_tag(tag))
    return ".".join(steps)


def parse_tag(text: str) -> int:
    """A tag from `gggg,eeee`, `(gggg,eeee)`, `ggggeeee` or a dictionary keyword. Raises `UsageError`."""
    text = text.strip()
    found = _TAG.match(text)
    if found:
        group, element, joined = found.groups()
        return int(joined, 16) if joined else int(group, 16) << 16 | int(element, 16)
    tag = tag_of(text)
    if tag is None:
        close = suggestion(text)
        raise UsageError(
            f"{text!r} is no tag and no keyword of the DICOM dictionary",
            code="unknown-tag",
            hint=f"did you mean {close}?" if close else "write gggg,eeee or a keyword such as PatientID",
        )
    return tag


def parse_location(text: str) -> Path:
    """An item path; `/` or an empty text is the main data set. Raises `UsageError`."""
    if text.strip() in ("", "/"):
        return ()
    steps: list[tuple[int, int]] = []
    at = 0
    while True:
        found = _STEP.match(text, at)
        if not found:
            raise UsageError(
                f"cannot read the item location {text!r} from character {at + 1}",
                code="bad-location",
                hint="write Sequence[index].Sequence[index], each a keyword or (gggg,eeee), index from 0",
            )
        keyword = found["keyword"]
        tag = parse_tag(keyword) if keyword else int(found["group"], 16) << 16 | int(found["element"], 16)
        steps.append((tag, int(found["index"])))
        at = found.end()
        rest = text[at:].strip()
        if not rest:
            return tuple(steps)
        if text[at] != ".":
            raise UsageError(f"unexpected {text[at]!r} in the item location {text!r}", code="bad-location")
        at += 1
