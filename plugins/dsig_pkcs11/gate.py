"""Calls into a module go through its gate: many at once, but none while it is ended and begun again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Gate"]


class Gate:
    """Many callers, or one who is alone. A thread that is inside must not enter again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._most: int | None = None
        self._inside = 0
        self._closed = False

    def one_at_a_time(self) -> None:
        """From now on: the module cannot lock."""
        self._most = 1

    @property
    def parallel(self) -> bool:
        """Whether several calls may run at once."""
        return self._most is None

    @contextmanager
    def call(self) -> Iterator[None]:
        """Make calls; not while somebody is alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed and (self._most is None or self._inside < self._most))
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until all calls have ended, and keep others out."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed = True
            self._changed.wait_for(lambda: not self._inside)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()
