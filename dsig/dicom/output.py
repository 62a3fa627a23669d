"""Outputs that are whole or not there: written beside, flushed to disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO

from dsig.errors import OutputError, Where

__all__ = ["Deflater", "renames_kept_together", "replacing", "same_file"]


def same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two paths name one file."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - a slash at the end counts
    except (OSError, ValueError):
        return False


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when the block ends well, and vanishes when it does not.

    Links are followed, permissions of an existing file kept; a device or pipe is written to directly. Raises
    `OutputError` with what to do.
    """
    shown = os.fspath(path)
    mode: int | None = None
    if shown.endswith(os.sep):
        raise _not_written(shown, "its name is that of a directory", "name a file")
    try:
        target = Path(os.path.realpath(path))
    except ValueError as error:
        raise _not_written(shown, str(error), "name another file") from None
    try:
        status = target.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _not_written(shown, "it is a directory", "name a file")
        mode = status.st_mode
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _failed(shown, error) from None
    if mode is not None and not stat.S_ISREG(mode):
        try:
            with target.open("wb") as device:
                yield device
        except OSError as error:
            raise _failed(shown, error) from None
        return
    if not target.parent.is_dir():
        raise _not_written(shown, "its directory does not exist", f"create {target.parent} first")
    try:
        unnamed = _unnamed(target.parent)
        temporary = None
        if unnamed is None:
            temporary = _beside(target, os.urandom(8))
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        else:
            descriptor = unnamed
    except OSError as error:
        raise _failed(shown, error) from None
    try:
        with io.BufferedRandom(_Steady(descriptor, "r+b"), 1 << 16) as file:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
            if temporary is None:
                temporary = _named(file.fileno(), target)
            if temporary is not None:
                Path(temporary).replace(target)
        _sync_directory(target.parent)
    except OSError as error:
        _discard(temporary)
        raise _failed(shown, error) from None
    except BaseException:
        _discard(temporary)
        raise


_OPEN_FILES = "/proc/self/fd"


def _unnamed(directory: Path) -> int | None:
    """A new file in a directory that vanishes with this process unless it gets a name; None where there is no such.

    Whoever is killed while writing leaves nothing behind then.
    """
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir(_OPEN_FILES):  # noqa: PTH112
        return None
    try:
        return os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ENOSYS):
            return None  # not on this file system, or the named file will say what is wrong
        raise


def _named(descriptor: int, target: Path) -> str | None:
    """Give an unnamed file the name of its target; where something has that, one beside it, to be renamed.

    A process killed before it renames leaves the name beside: it is the same for each try at one target, and the next
    try removes it, for the lock of the writer is gone with the writer.
    """
    if _linked(descriptor, target):
        return None
    beside = _beside(target, zlib.crc32(os.fsencode(target.name)).to_bytes(4))
    if _locked(descriptor):
        _clear(beside)
    while not _linked(descriptor, beside):
        beside = _beside(target, os.urandom(8))
    return beside


def _linked(descriptor: int, path: str | Path) -> bool:
    try:
        os.link(f"{_OPEN_FILES}/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)  # linkat, to follow
    except FileExistsError:
        return False
    return True


def _beside(target: Path, token: bytes) -> str:
    return str(target.parent / f".{target.name[:40]}.{token.hex()}.part")


def _locked(descriptor: int) -> bool:
    """Lock a file until it is closed; False where another has done so, and where there are no locks."""
    import fcntl  # exists where unnamed files do

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _clear(path: str) -> None:
    """Remove what a killed process left; not what one writes now."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if _locked(descriptor) and os.path.samestat(os.fstat(descriptor), os.lstat(path)):
                os.unlink(path)  # noqa: PTH108
        finally:
            os.close(descriptor)


class _Steady(io.FileIO):
    """A file whose data start on their way to the disk while more are written, so that the final sync is short."""

    STEP = 32 << 20
    _started = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write, and every now and then have the kernel begin with what is there."""
        written = super().write(data)
        at = self.tell()
        if at - self._started >= self.STEP and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.fileno(), self._started, at - self._started, os.POSIX_FADV_DONTNEED)
            self._started = at
        return written


class Deflater:
    """Writes raw deflate (PS3.5 A.5) to a file; `close` ends the stream and pads it to even length."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._engine = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Compress and pass on."""
        self._put(self._engine.compress(data))

    def close(self) -> None:
        """Finish; the file itself stays open."""
        self._put(self._engine.flush())
        if self._size & 1:
            self._put(b"\0")

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)


@contextmanager
def renames_kept_together() -> Iterator[None]:
    """Outputs of this block are safe from a crash when the block ends, and not one by one: a directory is synced once.

    Each output is whole or not there all the same. For who tells of them only after the block.
    """
    if _renamed.get() is not None:
        yield
        return
    directories: set[Path] = set()
    token = _renamed.set(directories)
    try:
        yield
    finally:
        _renamed.reset(token)
        for directory in directories:
            _sync_directory(directory)


_renamed: ContextVar[set[Path] | None] = ContextVar("dsig_renamed", default=None)


def _sync_directory(directory: Path) -> None:
    """Make the rename last; some file systems cannot, and the file itself is safe by then."""
    later = _renamed.get()
    if later is not None:
        later.add(directory)
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _discard(path: str | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            Path(path).unlink()


def _failed(path: str, error: OSError) -> OutputError:
    return _not_written(
        path, error.strerror or str(error), "nothing was left behind; free space or choose another place"
    )


def _not_written(path: str, reason: str, hint: str) -> OutputError:
    return OutputError(f"the output cannot be written: {reason}", where=Where(path), hint=hint)
