"""Tags, tag files and item locations in the tool's own grammars."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.failure import Failure

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary, PrivateTag

__all__ = ["item_location", "read_tag_file", "tag"]

LONGEST = 1 << 20
"""Bytes of a tag file."""

_HEX = r"\s*(?:0[xX])?0*([0-9A-Fa-f]{1,4})"
_NUMBERS = re.compile(rf"{_HEX},{_HEX}(?![0-9A-Fa-f])")
_ENTRY = re.compile(rf"\({_HEX},{_HEX}\s*\)|([A-Za-z0-9]+)")
_STEP = re.compile(rf"\s*(?:([A-Za-z][A-Za-z0-9]*)|\({_HEX},{_HEX}\s*\))\s*\[([0-9]+)\]")
_HISTORIC = ("RETIRED_", "ACR_NEMA_")
"""What the tool's dictionary puts before the keywords of PS3.6 for elements of the past."""


def tag(text: str, dictionary: Dictionary | None) -> int | PrivateTag:
    """A tag of --tag: `gggg,eeee` without brackets, or a name. Raises `Failure`."""
    found = _NUMBERS.match(text)
    if found:
        return int(found[1], 16) << 16 | int(found[2], 16)
    number = _named(text, dictionary)
    if number is None:
        raise Failure(ExitCode.COMMAND_LINE, f"unknown attribute tag '{text}'", fatal=True)
    return number


def read_tag_file(path: str, dictionary: Dictionary | None) -> tuple[int | PrivateTag, ...]:
    """The tags of --tag-file: `(gggg,eeee)` with brackets or keywords, with white space or nothing between them.

    Raises `Failure` naming the file.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise Failure(
            ExitCode.TAG_FILE, f"{path}: {reason}", f"Error while reading tag file '{path}', giving up."
        ) from None
    text = data[:LONGEST].decode("latin-1")
    tags: list[int | PrivateTag] = []
    at = 0
    while rest := text[at:].lstrip(" \t\r\n\v\f"):
        at = len(text) - len(rest)
        found = _ENTRY.match(text, at)
        if found is None:
            raise _bad_tag_file(path, f"parse error in text file '{path}'")
        if found[3]:
            number = _named(found[3], dictionary)
            if number is None:
                raise _bad_tag_file(path, f"attribute name '{found[3]}' unknown in text file '{path}'")
            tags.append(number)
        else:
            tags.append(int(found[1], 16) << 16 | int(found[2], 16))
        at = found.end()
    return tuple(tags)


def item_location(text: str) -> str:
    """The location of --sign-item, `Seq[n].Seq[n]` with keywords or (gggg,eeee), as `dsig` writes it.

    Raises `Failure`.
    """
    steps: list[str] = []
    at = 0
    while found := _STEP.match(text, at):
        name = found[1] or f"({found[2]},{found[3]})"
        steps.append(f"{name}[{int(found[4])}]")
        at = found.end()
        if not text[at:].strip():
            return ".".join(steps)
        if text[at] != ".":
            break
        at += 1
    raise Failure(
        ExitCode.SIGNING,
        f"parse error in item location string '{text}'",
        f"desired signature location not found while creating signature in item '{text}'",
    )


def _bad_tag_file(path: str, reason: str) -> Failure:
    return Failure(ExitCode.TAG_FILE_SYNTAX, reason, f"Error while reading tag file '{path}', giving up.")


def _named(text: str, dictionary: Dictionary | None) -> int | PrivateTag | None:
    """The element that dictionaries call so."""
    from dsig.dicom.dictionary import tag_of

    named = None if dictionary is None else dictionary.tag_of(text)
    if named is None:
        for prefix in _HISTORIC:
            text = text.removeprefix(prefix)
        named = tag_of(text)
    return named
