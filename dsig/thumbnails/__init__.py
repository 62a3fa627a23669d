"""Small pictures of instances for reports, drawn by plugins in processes that may die of it; decision 0083."""

from __future__ import annotations

from dsig.thumbnails.studio import MOST, Studio, Version

__all__ = ["MOST", "Studio", "Version"]
