"""Text from files, made harmless for terminals, as the core does it for its messages; plugins share no code with it."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""The text with everything invisible written out, as `\x1b` or `\u202e`.

    That is control characters, line ends, bidirectional overrides and other format characters, unpaired surrogates,
    private and unassigned code points, all spaces but the plain one, and that too where it would move the rest out of
    sight or onto a line of its own.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return text.replace("  ", r" \x20")
