"""The executor `serial`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dsig.hookspecs import ExecutorSettings, Work

__all__ = ["Serial"]


class Serial:
    """Does each task when its result is asked for; `dsig.hookspecs.Executor`."""

    def run(self, work: Work, tasks: Iterator[Any], settings: ExecutorSettings) -> Iterator[Any]:  # noqa: ARG002
        """Give `work(task)` for each task."""
        return map(work, tasks)
