"""What contracts look at: everything installed, what is experimental included."""

from __future__ import annotations

from functools import cache

from dsig.plugins import Plugins, load

__all__ = ["installed"]


@cache
def installed() -> Plugins:
    """All plugins, discovered once per process."""
    return load(experiments=True)
