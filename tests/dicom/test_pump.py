"""Reading ahead and writing behind: the same bytes in the same order as without, and every error where it belongs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from support.sources import Failing, Stingy

from dsig.dicom.pump import BUFFERS, WORTH_A_THREAD, ReadAhead, WriteBehind
from dsig.dicom.source import CHUNK, BytesSource
from dsig.errors import InputError

SIZE = WORTH_A_THREAD + 2 * CHUNK + 4321
DATA = bytes(range(251)) * (SIZE // 251 + 1)
DATA = DATA[:SIZE]
PATIENCE = 300
"""Seconds after which something that does not come to an end is a deadlock."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before  # those of other tests may end now


def within(seconds: float, work: Callable[[], object]) -> None:
    """Run `work`; a deadlock is a failure and no hanging test run."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again in the test
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "deadlock"
    if errors:
        raise errors[0]


# -------------------------------------------------------------------------------------------------------- read ahead


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, SIZE])
def test_reading_on_gives_all_bytes_in_order(size: int):
    def work() -> None:
        got = bytearray()
        with ReadAhead(Stingy(DATA[:size])) as reader:
            while len(got) < size:
                got += reader.read(len(got))
        assert got == DATA[:size]

    within(PATIENCE, work)


def test_data_in_memory_are_given_without_a_copy():
    with ReadAhead(BytesSource(DATA)) as reader:
        chunk = reader.read(5)
        assert chunk.obj is DATA
        assert chunk == DATA[5:]


def test_a_chunk_is_at_most_one_chunk_and_shorter_only_at_the_end():
    with ReadAhead(Stingy(DATA)) as reader:
        assert len(reader.read(0)) == CHUNK
        assert len(reader.read(SIZE - 100)) == 100


@pytest.mark.parametrize(
    "offsets",
    [
        [0, 5 * CHUNK, CHUNK, 0, 7, SIZE - 1],
        [SIZE - 10, 0, SIZE - 10, 0],
        [0, CHUNK, 2 * CHUNK + 1, 3 * CHUNK + 1, 0, CHUNK],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
)
def test_reading_may_jump_anywhere(offsets: list[int]):
    def work() -> None:
        with ReadAhead(Stingy(DATA)) as reader:
            for offset in offsets:
                assert reader.read(offset) == DATA[offset : offset + CHUNK]

    within(PATIENCE, work)


def test_a_chunk_that_was_lent_stays_as_it_is_until_it_is_given_back():
    def work() -> None:
        with ReadAhead(Stingy(DATA)) as reader:
            lent = []
            for number in range(BUFFERS - 2):
                chunk = reader.read(number * CHUNK)
                lent.append((number, chunk, reader.lend()))
            for number, chunk, give_back in lent:
                assert chunk == DATA[number * CHUNK : (number + 1) * CHUNK]
                give_back()
            for number in range(SIZE // CHUNK):
                assert reader.read(number * CHUNK) == DATA[number * CHUNK : (number + 1) * CHUNK]

    within(PATIENCE, work)


@pytest.mark.parametrize("bad", [0, CHUNK, CHUNK + 5, 3 * CHUNK, SIZE - 1])
def test_an_error_while_reading_ahead_comes_where_the_bytes_are_asked_for(bad: int):
    def work() -> None:
        got = 0
        with ReadAhead(Failing(DATA, bad)) as reader, pytest.raises(InputError) as caught:
            while got < SIZE:
                got += len(reader.read(got))
        assert caught.value.where.offset == bad
        assert bad // CHUNK * CHUNK == got

    within(PATIENCE, work)


def test_bytes_nobody_asks_for_cause_no_error():
    with ReadAhead(Failing(DATA, 2 * CHUNK)) as reader:
        assert reader.read(0) == DATA[:CHUNK]


@pytest.mark.parametrize("lend", [False, True])
def test_work_that_stops_in_the_middle_leaves_no_thread_behind(lend: bool):
    def work() -> None:
        with pytest.raises(KeyError), ReadAhead(Stingy(DATA)) as reader:
            for number in range(3):
                reader.read(number * CHUNK)
                if lend:
                    reader.lend()
            raise KeyError

    within(PATIENCE, work)


# ------------------------------------------------------------------------------------------------------ write behind


@pytest.mark.parametrize("threaded", [False, True])
def test_everything_is_written_in_order(threaded: bool):
    out = bytearray()
    with WriteBehind(out.extend, threaded=threaded) as writer:
        for at in range(0, 100_000, 1000):
            writer.write(memoryview(DATA)[at : at + 1000])
    assert out == DATA[:100_000]


@pytest.mark.parametrize("threaded", [False, True])
def test_an_action_runs_after_what_was_handed_over_before_it(threaded: bool):
    out, states = bytearray(), []
    with WriteBehind(out.extend, threaded=threaded) as writer:
        for number in range(5):
            writer.write(b"x")
            writer.after(lambda number=number: states.append((number, len(out))))
    assert states == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


def test_writing_behind_does_not_wait_for_the_disk():
    release = threading.Event()

    def slow(_data: bytes | memoryview) -> None:
        release.wait()

    def work() -> None:
        with WriteBehind(slow, threaded=True) as writer:
            writer.write(b"a")
            writer.write(b"b")
            release.set()  # only now, so that waiting would have no end

    within(PATIENCE, work)


@pytest.mark.parametrize("threaded", [False, True])
def test_an_error_while_writing_reaches_the_caller(threaded: bool):
    written = []

    def write(data: bytes | memoryview) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(bytes(data))

    def work() -> None:
        with pytest.raises(OSError, match="No space"), WriteBehind(write, threaded=threaded) as writer:
            for number in range(1000):
                writer.write(b"%d" % number)
        assert written == [b"0", b"1"]

    within(PATIENCE, work)


def test_actions_run_also_after_an_error_so_that_no_reader_waits_for_a_buffer():
    ran = threading.Event()

    def fail(_data: bytes | memoryview) -> None:
        raise OSError(28, "No space left on device")

    def work() -> None:
        with pytest.raises(OSError, match="No space"), WriteBehind(fail, threaded=True) as writer:
            writer.write(b"a")
            writer.after(ran.set)
            assert ran.wait(PATIENCE)

    within(PATIENCE, work)


def test_the_error_of_the_work_itself_is_the_one_that_is_raised():
    def fail(_data: bytes | memoryview) -> None:
        raise OSError(28, "No space left on device")

    def work() -> None:
        with WriteBehind(fail, threaded=True) as writer:
            writer.write(b"a")
            raise KeyError("the work")

    with pytest.raises(KeyError, match="the work"):
        within(PATIENCE, work)
