"""A level as profiles see it."""

from __future__ import annotations

from dsig.dicom.dataset import DataSet

__all__ = ["LevelView"]


class LevelView:
    """Implements `dsig.hookspecs.DataSetView` over a level."""

    def __init__(self, level: DataSet) -> None:
        self._level = level

    @property
    def location(self) -> str:
        """`/` or the item's path."""
        return self._level.location

    @property
    def tags(self) -> tuple[int, ...]:
        """Tags at this level in ascending order."""
        return tuple(sorted(self._level.by_tag))

    def signable(self, tag: int) -> bool:
        """Whether the element may enter the MAC."""
        element = self._level.by_tag.get(tag)
        return element is not None and element.signable

    def value(self, tag: int) -> bytes | None:
        """Raw value of a short element, None if absent, longer than 64 KiB, or a sequence."""
        return self._level.value(tag)
