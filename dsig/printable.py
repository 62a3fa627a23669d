"""Text from files and other strangers, made harmless for terminals and one-line messages."""

from __future__ import annotations

import re

__all__ = ["date_time", "printable"]

_DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,6})?([+-]\d{4})?\Z", re.ASCII)


def printable(text: str) -> str:
    r"""The text with everything invisible written out, as `\x1b` or `\u202e`.

    That is control characters, line ends, bidirectional overrides and other format characters, unpaired surrogates,
    private and unassigned code points, all spaces but the plain one, and that too where it would move the rest out of
    sight or onto a line of its own.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return text.replace("  ", r" \x20")


def date_time(value: str) -> str:
    """A DICOM DT as people write it; anything else as it is."""
    found = _DATE_TIME.match(value)
    if not found:
        return value
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    zone = f" {offset}" if offset else ""
    return f"{year}-{month}-{day} {hour}:{minute}:{second}{fraction or ''}{zone}"
