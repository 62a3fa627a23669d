"""What an executor must do."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, ClassVar

import pytest

from dsig.errors import UsageError
from dsig.hookspecs import EarlyExecutor, Executor, ExecutorSettings, TaskLost
from dsig.testing.installed import installed

__all__ = ["ExecutorContract"]

FATAL = -1
"""The task that ends its worker."""


class ExecutorContract:
    """Subclass it with the name of the executor, and with `settings` if its workers are on a cluster."""

    name: ClassVar[str]
    ahead: ClassVar[int] = 64
    """Tasks it may take before the first result is asked for a second time."""

    @pytest.fixture
    def settings(self) -> ExecutorSettings:
        """What the user would say."""
        return ExecutorSettings(jobs=2)

    @property
    def executor(self) -> Executor:
        """The provider."""
        return installed().executors.get(self.name)

    def test_results_come_in_the_order_of_the_tasks(self, settings: ExecutorSettings) -> None:
        """Each once, however long each takes, and whatever the size of task and result."""
        given = [bytes([n, 255]) * (1 if n % 7 else 1 << 17) for n in range(40)]
        done = self.executor.run(reversed_bytes, iter(given), settings)
        pairs = zip_longest(done, [task[::-1] for task in given])
        wrong = [
            n for n, (result, wanted) in enumerate(pairs) if result != wanted
        ]  # pytest would take hours to show MBs
        assert wrong == [], "tasks with another result"

    def test_no_tasks_no_results(self, settings: ExecutorSettings) -> None:
        """An empty directory is no fault."""
        assert list(self.executor.run(negative, iter(()), settings)) == []

    def test_tasks_are_taken_when_they_are_needed(self, settings: ExecutorSettings) -> None:
        """A million files are not listed at once; and an executor that is closed takes no more."""
        tasks = _Counted(4 * self.ahead)
        results = self.executor.run(negative, tasks, settings)
        assert next(results) == 0
        assert tasks.taken <= self.ahead, "it takes tasks that no worker is free for"
        close = getattr(results, "close", None)
        if close is not None:
            taken = tasks.taken
            close()
            assert tasks.taken == taken

    def test_a_run_that_is_stopped_finishes_what_is_begun(self, settings: ExecutorSettings) -> None:
        """The iterator ends early when the user wants no more: every task it gave has a result."""
        tasks = _Counted(5)
        assert list(self.executor.run(negative, tasks, settings)) == [0, -1, -2, -3, -4]
        assert tasks.taken == 5

    def test_what_the_work_raises_comes_up(self, settings: ExecutorSettings) -> None:
        """As it is: the command line knows what to say of it."""
        with pytest.raises(UsageError) as caught:
            list(self.executor.run(refused, iter(range(3)), settings))
        assert (caught.value.message, caught.value.code) == ("no task is wanted", "kit-refused")

    def test_a_task_that_ends_its_worker_is_told_and_the_others_are_done(self, settings: ExecutorSettings) -> None:
        """If the workers are processes of their own; an executor in this one has none to lose."""
        if list(self.executor.run(process, iter([0]), settings)) == [os.getpid()]:
            return
        results = list(self.executor.run(fatal, iter([1, 2, FATAL, 3, 4]), settings))
        assert [result for result in results if not isinstance(result, TaskLost)] == [-1, -2, -3, -4]
        assert isinstance(results[2], TaskLost)
        assert results[2].reason.isprintable()
        assert results[2].reason

    def test_workers_may_be_started_before_there_is_work(self, settings: ExecutorSettings) -> None:
        """If the executor can do that. They do the next run, whatever preparing comes to, and nothing without one."""
        executor = self.executor
        if not isinstance(executor, EarlyExecutor):
            return
        for prepare in (nothing, unprepared):
            with executor.started(settings, prepare):
                assert list(executor.run(negative, iter(range(5)), settings)) == [0, -1, -2, -3, -4]
                assert list(executor.run(negative, iter([5]), settings)) == [-5]
        with executor.started(settings, nothing):
            pass
        assert list(executor.run(negative, iter([1]), settings)) == [-1]

    def test_signals_and_the_terminal_are_left_alone(
        self, settings: ExecutorSettings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Ctrl-C is the command line's, standard output the report's."""
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        capfd.readouterr()
        list(self.executor.run(negative, iter(range(3)), settings))
        assert capfd.readouterr().out == ""
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


class _Counted(Iterator[int]):
    """0, 1, 2, …; knows how many were taken."""

    def __init__(self, end: int) -> None:
        self.taken = 0
        self._end = end

    def __next__(self) -> int:
        if self.taken == self._end:
            raise StopIteration
        self.taken += 1
        return self.taken - 1


def negative(task: int) -> int:
    """Work that needs no time."""
    return -task


def reversed_bytes(task: bytes) -> bytes:
    """Work that takes longer the earlier it is begun, so that the first to end is not the first to begin."""
    sum(range((40 - task[0]) * 2000))
    return task[::-1]


def process(_task: int) -> int:
    """Who does it."""
    return os.getpid()


def refused(_task: int) -> Any:
    """Work that cannot be done."""
    raise UsageError("no task is wanted", code="kit-refused")


def nothing() -> None:
    """What workers that are started early may be given to do meanwhile."""


def unprepared() -> None:
    """The same, and it fails."""
    raise UsageError("nothing is prepared", code="kit-refused")


def fatal(task: int) -> int:
    """Work of which one task ends the process, as a fault in a library would."""
    if task == FATAL:
        os._exit(1)
    return -task
