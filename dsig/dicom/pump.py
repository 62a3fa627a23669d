"""Sequential reading and writing with the work beside it: chunks are fetched ahead and written behind by threads.

Only files worth it get threads; the interpreter lock is no obstacle, because reading, hashing and writing release it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from dsig.dicom.source import CHUNK, Source

__all__ = ["ReadAhead", "WriteBehind"]

WORTH_A_THREAD = 8 << 20
BUFFERS = 6
"""Chunks in flight: one fetched, one hashed, the others waiting to be written."""

Write = Callable[[bytes | memoryview], object]


class ReadAhead:
    """Chunks of a source from any offset; large sources are read ahead by a thread.

    A chunk is valid until the next call of `read`, or, once `lend` was called for it, until it is given back.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._memory = source.in_memory
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        if self._memory is None:
            size = min(CHUNK, max(source.size, 1))
            for _ in range(BUFFERS if source.size >= WORTH_A_THREAD else 2):
                self._free.put(memoryview(bytearray(size)))
        self._current: memoryview | None = None
        self._fetching: int | None = None
        self._orders: SimpleQueue[int | None] = SimpleQueue()
        self._done: SimpleQueue[memoryview | BaseException] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._orders.put(None)
            self._free.put(memoryview(b""))  # wakes the thread if it waits for a buffer that never comes
            self._thread.join()

    def read(self, offset: int) -> memoryview:
        """Up to `CHUNK` bytes from `offset`, fewer only at the end. Raises `InputError`."""
        if self._memory is not None:
            return self._memory[offset:]
        if self._current is not None:
            self._free.put(self._current)
            self._current = None
        chunk: memoryview | None = None
        if self._fetching is not None:
            fetched, self._fetching = self._fetching, None
            result = self._done.get()
            if isinstance(result, BaseException):
                raise result
            if fetched == offset:
                chunk = result
            else:
                self._free.put(_whole(result))
        if chunk is None:
            chunk = self._fill(offset)
        self._current = _whole(chunk)
        following = offset + len(chunk)
        if self._source.size - following >= WORTH_A_THREAD or (self._thread and following < self._source.size):
            self._order(following)
        return chunk

    def lend(self) -> Callable[[], None]:
        """Keep the present chunk valid beyond the next `read`, until the returned function is called."""
        lent, self._current = self._current, None
        return (lambda: None) if lent is None else (lambda: self._free.put(lent))

    def _fill(self, offset: int) -> memoryview:
        view = self._free.get()[: min(CHUNK, self._source.size - offset)]
        if view:
            self._source.read_into(offset, view)
        return view

    def _order(self, offset: int) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="dsig-read-ahead", daemon=True)
            self._thread.start()
        self._fetching = offset
        self._orders.put(offset)

    def _work(self) -> None:
        while (offset := self._orders.get()) is not None:
            try:
                self._done.put(self._fill(offset))
            except BaseException as error:  # noqa: BLE001 - raised again where the chunk is asked for
                self._done.put(error)


class WriteBehind:
    """Hands data to `write` in order, by a thread if `threaded`; its errors come back at the next call.

    Views handed over must stay valid: `after` runs a function when everything before it is written.
    """

    def __init__(self, write: Write, *, threaded: bool) -> None:
        self._write = write
        self._queue: SimpleQueue[bytes | memoryview | Callable[[], None] | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._work, name="dsig-write-behind", daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def write(self, data: bytes | memoryview) -> None:
        """Write now or soon."""
        if self._thread is None:
            self._write(data)
            return
        if self._error is not None:
            raise self._error
        self._queue.put(data)

    def after(self, action: Callable[[], None]) -> None:
        """Call `action` when everything handed over so far is written."""
        if self._thread is None:
            action()
        else:
            self._queue.put(action)

    def _work(self) -> None:
        while (order := self._queue.get()) is not None:
            if callable(order):
                order()
            elif self._error is None:
                try:
                    self._write(order)
                except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                    self._error = error


def _whole(view: memoryview) -> memoryview:
    """The full buffer behind a partial view."""
    return memoryview(view.obj)
