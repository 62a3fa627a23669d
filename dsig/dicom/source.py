"""Random access to input bytes with bounded memory: bytes, paths, file objects; nothing is ever mapped.

A source gives *windows* for parsing (small, kept) and fills caller-owned buffers for hashing and copying. A read that
comes back short is an error: a file that shrinks while it is read must not verify.
"""

from __future__ import annotations

import io
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from dsig.errors import DsigError, InputError, MalformedError, Where
from dsig.limits import DEFAULT, Limits, beyond

__all__ = [
    "CHUNK",
    "BytesSource",
    "FileSource",
    "Inflation",
    "Source",
    "StreamSource",
    "open_source",
    "own_source",
    "spooled",
]

WINDOW = 1 << 16
"""Bytes fetched at a time while parsing a large file."""
SKIPPING = 1 << 12
"""The same where values longer than this are skipped, as fragments are: what follows the next header is skipped too."""
SMALL = 1 << 20
"""Files up to this size are read at once."""
CHUNK = 1 << 21
"""Bytes handed to hash and output at a time."""
SPOOL = 16 << 20
"""Data without random access (pipes, inflated data sets) is held in memory up to this size, then on disk."""


class Source(Protocol):
    """Bytes at offsets."""

    @property
    def name(self) -> str:
        """For error messages: the path, or a description in angle brackets."""

    @property
    def size(self) -> int:
        """Bytes."""

    def window(self, offset: int, length: int) -> tuple[bytes, int]:
        """Some bytes around `[offset, offset + length)` and the offset of the first; fewer only at the end of data."""

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` from `offset`. Raises `InputError` if the data end before."""

    @property
    def in_memory(self) -> memoryview | None:
        """All of it, if it is in memory anyway."""


class BytesSource:
    """A source over bytes already in memory."""

    def __init__(self, data: bytes, name: str = "<bytes>") -> None:
        self._data = data
        self.name = name
        self.size = len(data)
        self.in_memory = memoryview(data)

    def window(self, offset: int, length: int) -> tuple[bytes, int]:  # noqa: ARG002 - everything is at hand
        """All of it."""
        return self._data, 0

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Copy bytes out."""
        chunk = self._data[offset : offset + len(buffer)]
        if len(chunk) < len(buffer):
            raise _short(self.name, offset + len(chunk))
        buffer[:] = chunk


class FileSource:
    """A source over an open file descriptor; reads do not share a position, so threads may use it together."""

    in_memory = None

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._fd = file.fileno()
        self.name = name
        self.size = os.fstat(self._fd).st_size
        self._window = b""
        self._base = 0

    def window(self, offset: int, length: int) -> tuple[bytes, int]:
        """The kept window if it serves, else a new one from `offset`."""
        if self._base <= offset and offset + length <= self._base + len(self._window):
            return self._window, self._base
        skipped = offset - self._base - len(self._window)
        self._window, self._base = _fetched(self, offset, length, skipped), offset
        return self._window, offset

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Positioned read."""
        done = 0
        while done < len(buffer):
            try:
                got = os.preadv(self._fd, [buffer[done:]], offset + done)
            except OSError as error:
                raise _unreadable(self.name, error, offset + done) from None
            if got == 0:
                raise _short(self.name, offset + done)
            done += got


class StreamSource:
    """A source over a seekable binary file object, whose position it moves under a lock."""

    in_memory = None

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.name = name
        self._origin = file.tell()
        file.seek(0, os.SEEK_END)
        self.size = file.tell() - self._origin
        self._window = b""
        self._base = 0

    def window(self, offset: int, length: int) -> tuple[bytes, int]:
        """The kept window if it serves, else a new one from `offset`."""
        if self._base <= offset and offset + length <= self._base + len(self._window):
            return self._window, self._base
        skipped = offset - self._base - len(self._window)
        self._window, self._base = _fetched(self, offset, length, skipped), offset
        return self._window, offset

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Seek and read."""
        with self._lock:
            try:
                self._file.seek(self._origin + offset)
                done = 0
                while done < len(buffer):
                    data = _bytes(self._file, len(buffer) - done, self.name)
                    if not data:
                        raise _short(self.name, offset + done)
                    buffer[done : done + len(data)] = data
                    done += len(data)
            except OSError as error:
                raise _unreadable(self.name, error, offset) from None


def _fetched(source: Source, offset: int, length: int, skipped: int) -> bytes:
    """A new window, `skipped` bytes after the last one."""
    want = max(SKIPPING if skipped > SKIPPING else WINDOW, length)
    view = bytearray(min(want, max(source.size - offset, 0)))
    source.read_into(offset, memoryview(view))
    return bytes(view)


def own_source(file: IO[bytes], name: str) -> Source:
    """A source over a seekable file that nobody else writes to, such as an output; a small one is read at once."""
    source = StreamSource(file, name)
    if source.size > SMALL:
        return source
    data = bytearray(source.size)
    source.read_into(0, memoryview(data))
    return BytesSource(bytes(data), name)


@contextmanager
def open_source(
    given: str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes],
    limits: Limits = DEFAULT,
    name: str | None = None,
) -> Iterator[Source]:
    """Open bytes, a path or a binary file object (taken from its present position; position restored) as a source.

    `name` is for file objects that have none. Raises `InputError` when there is nothing to be read, `LimitError` for a
    pipe beyond `limits.unseekable_size`.
    """
    if isinstance(given, (bytes, bytearray, memoryview)):
        try:
            data = bytes(given)
        except ValueError as error:  # a view that was released
            raise _unreadable("<bytes>", error) from None
        yield BytesSource(data)
    elif isinstance(given, (str, os.PathLike)):
        name = os.fsdecode(given)
        try:
            file = open(given, "rb", buffering=0)  # noqa: SIM115, PTH123 - closed by the with below; quicker than a Path
        except (OSError, ValueError) as error:
            raise _unreadable(name, error) from None
        with file, _of_file(file, name, limits) as source:
            yield source
    else:
        named = getattr(given, "name", None)  # a descriptor or None for files without
        name = named if isinstance(named, str) else name or "<file object>"
        at = _place(given)
        if at is not None:
            try:
                yield StreamSource(given, name)
            finally:
                given.seek(at)
        else:
            with spooled(name) as spool:
                _fill(spool, given, name, limits)
                yield StreamSource(spool, name)


def _place(file: IO[bytes]) -> int | None:
    """Where a file object stands; None if it cannot go back there, or does not say so."""
    try:
        seekable = getattr(file, "seekable", None)
        if seekable is not None and not seekable():
            return None
        at = file.tell()
        file.seek(at)
    except (AttributeError, OSError):
        return None
    return at


def _bytes(file: IO[bytes], count: int, name: str) -> bytes:
    """What a file object gives. Raises `InputError` if that is no bytes, `OSError`."""
    data: object = file.read(count)
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    wrong = "it gives nothing at the moment and does not wait" if data is None else f"it gives {type(data).__name__}"
    raise InputError(f"cannot read: {wrong}", where=Where(name), hint="give a binary file object that waits for data")


@contextmanager
def _of_file(file: IO[bytes], name: str, limits: Limits) -> Iterator[Source]:
    """Small files at once; larger ones by positioned reads; pipes and devices through a spool."""
    import stat

    try:
        status = os.fstat(file.fileno())
        regular = stat.S_ISREG(status.st_mode)
        data = file.read() if regular and status.st_size <= SMALL else b""
    except OSError as error:
        raise _unreadable(name, error) from None
    if not regular:
        with spooled(name) as spool:
            _fill(spool, file, name, limits)
            yield StreamSource(spool, name)
    elif status.st_size <= SMALL:
        yield BytesSource(data, name)
    else:
        yield FileSource(file, name)


def _fill(spool: IO[bytes], file: IO[bytes], name: str, limits: Limits) -> None:
    """Copy what can be read only once, and go back to its beginning."""
    while True:
        try:
            data = _bytes(file, CHUNK, name)
        except OSError as error:
            raise _unreadable(name, error) from None
        if not data:
            spool.seek(0)
            return
        if spool.tell() + len(data) > limits.unseekable_size:
            raise beyond("unseekable_size", limits, Where(name))
        spool.write(data)


@contextmanager
def spooled(name: str, failure: type[DsigError] = InputError) -> Iterator[IO[bytes]]:
    """A temporary file that stays in memory while small. Raises `failure` if the disk is full."""
    import tempfile  # costs more than the rest of this module; few files need it

    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
        try:
            yield spool
        except OSError as error:
            raise failure(
                f"temporary file: {error.strerror or error}",
                where=Where(name),
                hint="free space, or name a roomier place in TMPDIR",
            ) from None


class Inflation:
    """The inflated bytes from `offset` on (PS3.5 A.5: raw deflate), in pieces of at most `CHUNK`.

    Iterating raises `MalformedError` for damaged data, `LimitError` beyond `inflated_size` or `inflated_ratio`.
    """

    def __init__(self, source: Source, offset: int, limits: Limits) -> None:
        self._source = source
        self._offset = offset
        self._limits = limits
        self.trailing = 0
        """After iteration: bytes that follow the deflated data, one zero byte not counted."""
        self.padding = True
        """After iteration: all of these are zero."""

    def __iter__(self) -> Iterator[bytes]:
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        source, limits = self._source, self._limits
        total, at = 0, self._offset
        buffer = bytearray(WINDOW)
        while not engine.eof:
            pending: bytes | memoryview = engine.unconsumed_tail
            if not pending:
                if at >= source.size:
                    raise MalformedError("the deflated data set is cut off", where=Where(source.name, offset=at))
                pending = memoryview(buffer)[: min(WINDOW, source.size - at)]
                source.read_into(at, pending)
                at += len(pending)
            try:
                data = engine.decompress(pending, CHUNK)
            except zlib.error as error:
                raise MalformedError(
                    f"the deflated data set is damaged ({error})", where=Where(source.name, offset=at)
                ) from None
            total += len(data)
            limits.check_time(source.name)
            if total > limits.inflated_size:
                raise beyond("inflated_size", limits, Where(source.name))
            if total > 64 << 20 and total > limits.inflated_ratio * (at - self._offset):
                raise beyond("inflated_ratio", limits, Where(source.name))
            if data:
                yield data
        rest = engine.unused_data
        self.padding = not rest.strip(b"\0")
        self.trailing = len(rest) + source.size - at
        while self.padding and at < source.size:
            pending = memoryview(buffer)[: min(WINDOW, source.size - at)]
            source.read_into(at, pending)
            self.padding = not bytes(pending).strip(b"\0")
            at += len(pending)
        if self.trailing == 1 and self.padding:
            self.trailing = 0


def _short(name: str, offset: int) -> InputError:
    return InputError(
        "the data end early; the file was cut off or changed while it was read",
        code="input-short",
        hint="get another copy of the file",
        where=Where(name, offset=offset),
    )


def _unreadable(name: str, error: Exception, offset: int | None = None) -> InputError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, io.UnsupportedOperation):
        reason = "not a readable binary file"
    return InputError(
        f"cannot read: {reason}",
        code="input-unreadable",
        where=Where(name, offset=offset),
        hint="check the path, and whether you may read it" if isinstance(error, OSError) else None,
    )
