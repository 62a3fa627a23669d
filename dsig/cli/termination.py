"""SIGTERM as an exception, so that unfinished outputs are removed on the way out."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

__all__ = ["Terminated", "terminable"]


class Terminated(BaseException):
    """The process was asked to end."""


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM for as long as the context lasts; outside the main thread nothing can be set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
