"""Where an item is: `BeamSequence[0].ControlPointSequence[1]`, keywords or (gggg,eeee), indexes from 0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsig.dicom.dictionary import format_tag, keyword_of, suggestion, tag_of
from dsig.errors import UsageError

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary, PrivateTag

__all__ = ["Path", "format_path", "format_tag", "parse_element", "parse_location", "parse_tag"]

Path = tuple[tuple[int, int], ...]
"""(tag of the sequence, item index) from the outside in; index -1 stands for the sequence as a whole."""

_STEP = re.compile(
    r"\s*(?:\(\s*(?P<group>[0-9A-Fa-f]{1,4})\s*,\s*(?P<element>[0-9A-Fa-f]{1,4})\s*\)"
    r"|(?P<open_group>[0-9A-Fa-f]{4}),(?P<open_element>[0-9A-Fa-f]{4})"
    r"|(?P<joined>[0-9A-Fa-f]{8}(?=\s*\[))"
    r"|(?P<keyword>[A-Za-z_][A-Za-z0-9_]*))"
    r"\s*\[(?P<index>[0-9]{1,9})\]"
)
_PYTHON = (
    (re.compile(r"\A\s*(?:ds|dataset)(?=\s*[.\[])"), ""),
    (re.compile(r"\[\s*\(?\s*0[xX]([0-9A-Fa-f]{1,4})\s*,\s*0[xX]([0-9A-Fa-f]{1,4})\s*\)?\s*\]"), r".(\1,\2)"),
    (re.compile(r"(?:\[\s*)?0[xX]([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})(?:\s*\])?"), r".(\1,\2)"),
    (re.compile(r"\[\s*([\"'])([A-Za-z][A-Za-z0-9]*)\1\s*\]"), r".\2"),
    (re.compile(r"\.value(?=\s*\[)"), ""),
    (re.compile(r"\.\.+"), "."),
    (re.compile(r"\A\."), ""),
)
"""How Python code with pydicom names the same: `ds[0x300A, 0x00B0][0]`, `ds["BeamSequence"].value[0]`."""
_PYTHONIC = re.compile(r"\A\s*(?:ds|dataset)\s*[.\[]|0[xX]|[\"']|\.value")
_LONGEST = 4096
"""Characters of a location that may be Python; 128 levels of sequences fit in."""
_PRIVATE = re.compile(
    r'\(?\s*(?P<group>[0-9A-Fa-f]{1,3}[13579BDFbdf])\s*,\s*"(?P<creator>[^"]*)"\s*,\s*(?P<element>[0-9A-Fa-f]{1,2})\s*\)?\Z'
)
_TAG = re.compile(
    r"\(?\s*(?:0[xX])?([0-9A-Fa-f]{1,4})\s*,\s*(?:0[xX])?([0-9A-Fa-f]{1,4})\s*\)?\Z|(?:0[xX])?([0-9A-Fa-f]{8})\Z"
)


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
    """A tag from `gggg,eeee`, `(gggg,eeee)`, `ggggeeee`, each with 0x or without, or a keyword. Raises `UsageError`."""
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


def parse_element(text: str, dictionary: Dictionary | None = None) -> int | PrivateTag:
    """An element as `parse_tag` takes it, a name from `dictionary`, or a private one as `(gggg,"CREATOR",ee)`.

    Raises `UsageError`.
    """
    from dsig.dicom.dictionaries import PrivateTag

    private = _PRIVATE.match(text.strip())
    if private:
        return PrivateTag(int(private["group"], 16), private["creator"].strip(), int(private["element"], 16))
    named = None if dictionary is None else dictionary.tag_of(text.strip())
    return parse_tag(text) if named is None else named


def parse_location(text: str, dictionary: Dictionary | None = None) -> Path:
    """An item path; `/` or an empty text is the main data set. Raises `UsageError`.

    Sequences are keywords, names from `dictionary`, `(gggg,eeee)`, `gggg,eeee` or `ggggeeee`; the form of Python code
    with pydicom, `ds[0x300A, 0x00B0][0]`, is understood too.
    """
    if text.strip() in ("", "/"):
        return ()
    plain = text
    if len(text) <= _LONGEST and _PYTHONIC.search(text):
        for pattern, instead in _PYTHON:
            plain = pattern.sub(instead, plain)
    steps: list[tuple[int, int]] = []
    at = 0
    while True:
        found = _STEP.match(plain, at)
        if not found:
            raise UsageError(
                f"cannot read the item location {text!r}" + (f" from character {at + 1}" if plain == text else ""),
                code="bad-location",
                hint="write Sequence[index].Sequence[index], each a keyword or (gggg,eeee), index from 0",
            )
        steps.append((_sequence(found, dictionary), int(found["index"])))
        at = found.end()
        rest = plain[at:].strip()
        if not rest:
            return tuple(steps)
        if plain[at] != ".":
            raise UsageError(f"unexpected {plain[at]!r} in the item location {text!r}", code="bad-location")
        at += 1


def _sequence(found: re.Match[str], dictionary: Dictionary | None) -> int:
    """Tag of the sequence of one step."""
    keyword = found["keyword"]
    if keyword:
        named = None if dictionary is None else dictionary.tag_of(keyword)
        return named if isinstance(named, int) else parse_tag(keyword)
    if found["joined"]:
        return int(found["joined"], 16)
    group, element = found["group"] or found["open_group"], found["element"] or found["open_element"]
    return int(group, 16) << 16 | int(element, 16)
