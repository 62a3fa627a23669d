"""Sequential reading with the next chunk fetched while the last one is used."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from dsig.dicom.source import CHUNK, Source

__all__ = ["ReadAhead"]

WORTH_A_THREAD = 8 << 20


class ReadAhead:
    """Chunks of a source from any offset; large sources are read ahead by a thread into a second buffer.

    A chunk is valid until the next call of `read`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._memory = source.in_memory
        self._spare = [] if self._memory is not None else [memoryview(bytearray(CHUNK)) for _ in range(2)]
        self._current: memoryview | None = None
        self._fetching: int | None = None
        self._orders: SimpleQueue[tuple[int, memoryview] | None] = SimpleQueue()
        self._done: SimpleQueue[memoryview | BaseException] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._orders.put(None)
            self._thread.join()

    def read(self, offset: int) -> memoryview:
        """Up to `CHUNK` bytes from `offset`, fewer only at the end. Raises `InputError`."""
        if self._memory is not None:
            return self._memory[offset:]
        if self._current is not None:
            self._spare.append(self._current)
        chunk: memoryview | None = None
        if self._fetching is not None:
            result = self._done.get()
            at, self._fetching = self._fetching, None
            if isinstance(result, BaseException):
                raise result
            if at == offset:
                chunk = result
            else:
                self._spare.append(_whole(result))
        if chunk is None:
            chunk = self._fill(offset, self._spare.pop())
        self._current = _whole(chunk)
        following = offset + len(chunk)
        if self._source.size - following >= WORTH_A_THREAD or (self._thread and following < self._source.size):
            self._order(following)
        return chunk

    def _fill(self, offset: int, buffer: memoryview) -> memoryview:
        view = buffer[: min(CHUNK, self._source.size - offset)]
        self._source.read_into(offset, view)
        return view

    def _order(self, offset: int) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="dsig-read-ahead", daemon=True)
            self._thread.start()
        self._fetching = offset
        self._orders.put((offset, self._spare.pop()))

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                self._done.put(self._fill(*order))
            except BaseException as error:  # noqa: BLE001 - raised again where the chunk is asked for
                self._done.put(error)


def _whole(view: memoryview) -> memoryview:
    """The full buffer behind a partial view."""
    return memoryview(view.obj)
