"""The MAC algorithm."""

from __future__ import annotations

import hashlib

from dsig.hookspecs import Mac

__all__ = ["blake2b_256"]


def blake2b_256() -> Mac:
    """A new computation."""
    return hashlib.blake2b(digest_size=32)
