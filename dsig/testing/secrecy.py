"""A secret, and where it must not turn up."""

from __future__ import annotations

__all__ = ["CANARY", "all_texts"]

CANARY = "kit-canary-4f1d"
"""A secret nobody else has."""


def all_texts(error: BaseException | None) -> str:
    """What could be printed of an exception and all that led to it."""
    texts: list[str] = []
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return " ".join(texts)
