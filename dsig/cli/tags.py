"""Tags as users write them: options, comma-separated lists, tag files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dsig.dicom.location import parse_element, parse_tag
from dsig.errors import UsageError, Where

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary, PrivateTag

__all__ = ["coverage_wanted", "read_tag_file"]

LONGEST = 1 << 20
"""Bytes of a tag file; there are not that many tags in the standard."""

_ENTRY = re.compile(
    r'\(\s*[0-9A-Fa-f]{1,4}\s*,\s*"[^"]*"\s*,\s*[0-9A-Fa-f]{1,2}\s*\)'  # (gggg,"CREATOR",ee)
    r"|\(\s*(?:0[xX])?[0-9A-Fa-f]{1,4}\s*,\s*(?:0[xX])?[0-9A-Fa-f]{1,4}\s*\)"  # (gggg,eeee), many without space
    r"|(?:0[xX])?[0-9A-Fa-f]{1,4},(?:0[xX])?[0-9A-Fa-f]{1,4}(?![0-9A-Za-z])"
    r"|[^\s,()]+"
    r"|\S"
)


def read_tag_file(path: str, dictionary: Dictionary | None = None) -> tuple[int | PrivateTag, ...]:
    """Tags from a file: `(gggg,eeee)`, `gggg,eeee` or keywords, separated by white space; `#` starts a comment.

    Private elements may also be `(gggg,"CREATOR",ee)`.

    Raises `UsageError` naming file and line.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the tag file: {error.strerror}", code="tag-file", where=Where(path), hint="name a text file"
        ) from None
    if len(data) > LONGEST:
        raise UsageError(f"the tag file is longer than {LONGEST} bytes", code="tag-file", where=Where(path))
    tags: list[int | PrivateTag] = []
    text = data.decode("utf-8", "backslashreplace").removeprefix("\ufeff")  # as some editors begin their files
    for number, line in enumerate(text.splitlines(), start=1):
        for entry in _ENTRY.findall(line.partition("#")[0]):
            try:
                tags.append(parse_element(entry, dictionary))
            except UsageError as error:
                raise UsageError(
                    f"line {number}: {error.message}", code="tag-file", where=Where(path), hint=error.hint
                ) from None
    return tuple(tags)


def coverage_wanted(values: Iterable[str], dictionary: Dictionary | None = None) -> tuple[int | str, ...] | None:
    """What --require-coverage asks for: `all`, or `profile` and tags, or nothing. Raises `UsageError`."""
    given = list(values)
    if not given:
        return None
    if "all" in given:
        if len(given) > 1:
            raise UsageError("--require-coverage all leaves nothing to add")
        return ("all",)
    entries = [entry for value in given for entry in _ENTRY.findall(value) if entry != ","]
    if not entries:
        raise UsageError(
            "--require-coverage names nothing", hint="give all, profile, or tags and keywords separated by commas"
        )
    return tuple(dict.fromkeys(entry if entry == "profile" else _tag(entry, dictionary) for entry in entries))


def _tag(text: str, dictionary: Dictionary | None) -> int:
    """A tag that is the same in every file."""
    named = parse_element(text, dictionary)
    return named if isinstance(named, int) else parse_tag(text)
