"""Lines on a terminal or in a file: escaped, wrapped, in colour only where somebody can see it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO

from dsig.printable import printable

__all__ = ["Page"]

PLAIN_WIDTH = 100
"""Columns where there is no terminal to ask."""
NARROWEST, WIDEST = 40, 140
LONGEST = 1000
"""Characters shown of one text; a name of a megabyte must not flood the terminal."""

_STYLES: Mapping[str, str] = {
    "passed": "32",
    "failed": "31",
    "error": "31",
    "indeterminate": "33",
    "unsigned": "33",
    "warning": "33",
}


class Page:
    """Writes to a text stream; every text given to it is escaped here, so that none can be forgotten."""

    def __init__(self, stream: IO[str], environment: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        tty = bool(getattr(stream, "isatty", lambda: False)())
        self.width = PLAIN_WIDTH
        if tty:
            import shutil  # and half a dozen modules of archives with it

            columns = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
            self.width = min(max(columns, NARROWEST), WIDEST)
        # https://no-color.org: present and not empty
        self.colour = tty and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"

    def blank(self) -> None:
        """An empty line."""
        self._stream.write("\n")

    def heading(self, verdict: str, text: str, remark: str = "", *, column: int) -> None:
        """Write a line that is not wrapped, so that programs like grep find it whole."""
        shown = f"{_shortened(printable(text))}{printable(remark)}"
        self._stream.write(f"{self._styled(verdict)}{' ' * max(column - len(verdict), 2)}{shown}\n")

    def line(self, text: str, *, indent: int = 0, lead: str = "", column: int = 0) -> None:
        """Write `lead` (coloured if it is a verdict), then `text` from `column` on, wrapped with a hanging indent."""
        shown = _shortened(printable(text))
        lead = _shortened(printable(lead))
        start = max(indent + column, indent + len(lead) + 2 if lead and column else indent)
        room = max(self.width - start, 10)
        wrapped = _wrapped(shown, room)
        first = " " * indent + self._styled(lead) + " " * (start - indent - len(lead)) + wrapped[0]
        self._stream.write(first.rstrip() + "\n")
        for more in wrapped[1:]:
            self._stream.write(" " * start + more + "\n")

    def _styled(self, lead: str) -> str:
        code = _STYLES.get(lead)
        return f"\x1b[{code}m{lead}\x1b[0m" if code and self.colour else lead


def _wrapped(text: str, room: int) -> list[str]:
    """One line at least."""
    if len(text) <= room:
        return [text]
    import textwrap

    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
