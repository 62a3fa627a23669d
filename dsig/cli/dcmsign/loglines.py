"""What a line of the log has: an application, a level, and text that does nothing to a terminal."""

from __future__ import annotations

import logging

__all__ = ["APPLICATION", "LEVELS", "harmless"]

APPLICATION = "dcmtk.dcmsign"
"""Name of the logger, so that configuration files written for the tool find it."""
TRACE = 5
LEVELS = {
    "fatal": logging.CRITICAL,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
}


def harmless(text: str) -> str:
    """The text with control characters and the like written out; unlike `printable` it keeps columns."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
