"""Sources: bytes at offsets from whatever a caller has, and an error wherever the bytes are not there."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsig.dicom.source import CHUNK, SKIPPING, SMALL, WINDOW, BytesSource, FileSource, Source, StreamSource, open_source
from dsig.errors import InputError

PATTERN = bytes(range(256)) * 16
LARGE = PATTERN * (2 * max(SMALL, CHUNK) // len(PATTERN) + 1)
"""More than what is read at once."""


class Unseekable(io.RawIOBase):
    """A file object such as a socket or a pipe, which gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int = 7) -> None:
        self._rest = io.BytesIO(data)
        self._step = step

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._rest.read(min(size, self._step) if size >= 0 else self._step)


def content(source: Source, start: int = 0, end: int | None = None) -> bytes:
    buffer = bytearray((source.size if end is None else end) - start)
    source.read_into(start, memoryview(buffer))
    return bytes(buffer)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.dcm"
    path.write_bytes(LARGE)
    return path


@pytest.fixture(params=["bytes", "file", "stream"])
def source(request: pytest.FixtureRequest, large: Path) -> Iterator[Source]:
    """One source of each kind over the same bytes."""
    if request.param == "bytes":
        yield BytesSource(LARGE)
    elif request.param == "file":
        with large.open("rb", buffering=0) as file:
            yield FileSource(file, str(large))
    else:
        yield StreamSource(io.BytesIO(LARGE), "<stream>")


# ----------------------------------------------------------------------------------------------------- what is taken


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_a_source(kind: type):
    with open_source(kind(PATTERN)) as source:
        assert (source.size, content(source), source.name) == (len(PATTERN), PATTERN, "<bytes>")


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("data", [PATTERN, LARGE], ids=["small", "large"])
def test_a_path_is_a_source_named_as_given(kind: type, data: bytes, tmp_path: Path):
    path = tmp_path / "file.dcm"
    path.write_bytes(data)
    with open_source(kind(path)) as source:
        assert (source.size, content(source), source.name) == (len(data), data, str(path))


def test_a_small_file_is_in_memory_and_a_large_one_is_not(tmp_path: Path, large: Path):
    small = tmp_path / "small.dcm"
    small.write_bytes(LARGE[:SMALL])
    with open_source(small) as source:
        assert source.in_memory == LARGE[:SMALL]
    with open_source(large) as source:
        assert source.in_memory is None


def test_a_file_object_is_taken_from_its_present_position_and_put_back_there():
    file = io.BytesIO(b"before" + PATTERN)
    file.seek(6)
    with open_source(file) as source:
        assert (source.size, content(source)) == (len(PATTERN), PATTERN)
        source.window(100, 8)
    assert file.tell() == 6


def test_the_position_of_a_file_object_is_restored_when_the_work_fails():
    file = io.BytesIO(PATTERN)
    file.seek(10)
    with pytest.raises(KeyError), open_source(file) as source:
        content(source, 0, 100)
        raise KeyError
    assert file.tell() == 10


def test_a_file_object_that_gives_less_than_asked_for_is_asked_again():
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    with open_source(Slow(PATTERN)) as source:
        assert content(source) == PATTERN


def test_a_file_object_is_named_by_its_name(large: Path):
    with large.open("rb") as file, open_source(file) as source:
        assert source.name == str(large)
    with open_source(io.BytesIO(PATTERN)) as source:
        assert source.name == "<file object>"


def test_a_file_object_without_positions_is_read_once_to_its_end():
    with open_source(Unseekable(PATTERN)) as source:
        assert content(source) == PATTERN
        assert content(source, 100, 200) == PATTERN[100:200]


def test_a_pipe_is_a_source():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as out, os.fdopen(writing, "wb") as into:
        feeder = threading.Thread(target=lambda: (into.write(LARGE), into.close()))
        feeder.start()
        with open_source(out) as source:
            assert content(source) == LARGE
        feeder.join()


# ---------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", ["missing.dcm", "missing/file.dcm", "", "null\0byte", "x" * 5000])
def test_a_path_that_cannot_be_opened_is_an_input_error_naming_it(name: str, tmp_path: Path):
    path = str(tmp_path / name) if name else name
    with pytest.raises(InputError) as caught, open_source(path):
        raise AssertionError
    assert (caught.value.code, caught.value.where.file) == ("input-unreadable", path)


def test_a_directory_is_an_input_error(tmp_path: Path):
    with pytest.raises(InputError, match="directory"), open_source(tmp_path):
        raise AssertionError


# ------------------------------------------------------------------------------------------------- windows and reads


def test_a_window_holds_what_was_asked_for(source: Source):
    for offset in (0, 1, WINDOW - 4, WINDOW, 5, SMALL, len(LARGE) - 12):
        window, base = source.window(offset, 12)
        assert window[offset - base : offset - base + 12] == LARGE[offset : offset + 12]


@pytest.mark.parametrize("step", [8, SKIPPING, SKIPPING + 1, SKIPPING + 9, WINDOW - 1, WINDOW + 1, 3 * WINDOW])
def test_windows_serve_whoever_goes_on_in_steps(source: Source, step: int):
    for offset in range(0, min(len(LARGE) - 12, 200 * step), step):
        window, base = source.window(offset, 12)
        assert window[offset - base : offset - base + 12] == LARGE[offset : offset + 12]


def test_little_is_read_where_values_are_skipped(large: Path):
    read: list[int] = []

    class Counting(FileSource):
        def read_into(self, offset: int, buffer: memoryview) -> None:
            read.append(len(buffer))
            super().read_into(offset, buffer)

    with large.open("rb") as file:
        counting = Counting(file, "counted")
        for offset in range(0, 100 * 20_000, 20_000):
            counting.window(offset, 8)
        assert sum(read) <= WINDOW + 100 * SKIPPING
        read.clear()
        for offset in range(0, 10 * WINDOW, 100):
            counting.window(offset, 8)
        assert len(read) <= 11


def test_a_window_larger_than_usual_is_given_whole(source: Source):
    window, base = source.window(3, 5 * WINDOW)
    assert window[3 - base : 3 - base + 5 * WINDOW] == LARGE[3 : 3 + 5 * WINDOW]


def test_a_window_at_the_end_holds_what_is_left(source: Source):
    window, base = source.window(len(LARGE) - 5, 12)
    assert window[len(LARGE) - 5 - base :] == LARGE[-5:]
    window, base = source.window(len(LARGE), 12)
    assert window[len(LARGE) - base :] == b""


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (CHUNK - 1, 2), (17, CHUNK), (len(LARGE) - 1, 1), (9, 0)])
def test_a_read_fills_the_whole_buffer(source: Source, offset: int, length: int):
    assert content(source, offset, offset + length) == LARGE[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(len(LARGE) - 4, 5), (len(LARGE), 1), (len(LARGE) + 100, 1)])
def test_a_read_beyond_the_end_is_an_error_with_the_offset(source: Source, offset: int, length: int):
    with pytest.raises(InputError) as caught:
        content(source, offset, offset + length)
    assert caught.value.code == "input-short"
    assert caught.value.where.offset is not None
    assert caught.value.where.offset >= len(LARGE)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(large: Path):
    with open_source(large) as source:
        content(source, 0, 100)
        os.truncate(large, SMALL)
        with pytest.raises(InputError) as caught:
            content(source, SMALL - 10, SMALL + 10)
        assert (caught.value.code, caught.value.where.offset) == ("input-short", SMALL)
        with pytest.raises(InputError):
            source.window(SMALL + 10, 8)


def test_a_file_object_that_shrinks_while_it_is_read_is_an_error():
    file = io.BytesIO(PATTERN)
    with open_source(file) as source:
        file.truncate(100)
        with pytest.raises(InputError) as caught:
            content(source, 90, 110)
        assert (caught.value.code, caught.value.where.offset) == ("input-short", 100)


def test_a_file_object_whose_device_fails_is_an_input_error():
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with open_source(Broken(PATTERN)) as source, pytest.raises(InputError, match="Input/output error"):
        content(source)


def test_threads_may_read_one_source_together(source: Source):
    wrong = []

    def read(start: int) -> None:
        wrong.extend(at for at in range(start, SMALL, 4097) if content(source, at, at + 99) != LARGE[at : at + 99])

    threads = [threading.Thread(target=read, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
