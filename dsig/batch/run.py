"""The run: entries become jobs, jobs go to workers a few at a time, outcomes come back in the order of the entries."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from dsig.batch.inputs import DirectoryEnd, Entry, Input, Problem
from dsig.batch.outcome import Outcome
from dsig.batch.work import Answer, Job, Work, identity
from dsig.distrust import answered, answered_all, blaming, breach
from dsig.errors import InputError, PluginError, UsageError
from dsig.hookspecs import EarlyExecutor, ExecutorSettings, TaskLost
from dsig.plugins import Plugins

if TYPE_CHECKING:
    from dsig.batch.ledger import Ledger

__all__ = ["A_FILE", "WORTH", "Chosen", "Stop", "choose", "run", "started"]

FILES = 64
"""Files in one task, once there are many."""
BYTES = 8 << 20
"""Of files in one task, unless one file has more."""
WORTH = 512 << 20
"""Bytes of work that this process does alone, unless the user asks for more: others would take longer to start."""
A_FILE = 4 << 20
"""What a file costs besides its bytes: with these figures it is between verifying it and signing it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who does the work."""

    name: str
    jobs: int
    local: bool
    scheduler: str | None = None


def choose(
    plugins: Plugins, executor: str | None, jobs: int | None, scheduler: str | None, entries: Iterator[Entry]
) -> tuple[Chosen, Iterator[Entry], int]:
    """An executor for these entries, the entries again, and how many there are if that is known to be 0, 1 or 2 (more).

    Raises `UsageError` for a name nobody has.
    """
    wanted = jobs or cores()
    first, work, more = list[Entry](), 0, False
    for entry in entries:
        first.append(entry)
        work += A_FILE + _size(entry)
        if work > WORTH and len(first) > wanted:
            more = True  # there may be
            break
    files = sum(isinstance(entry, Input) for entry in first)
    again = chain(first, entries)
    known = 2 if more else min(files, 2)
    if executor is not None:
        spec = plugins.executors.spec(executor)
        if scheduler is not None and spec.local:
            raise UsageError("--scheduler is for executors on other machines", hint="give --executor dask as well")
        return Chosen(executor, wanted, spec.local, scheduler), again, known
    if scheduler is not None:
        raise UsageError("--scheduler needs to know whose it is", hint="give --executor dask as well")
    if wanted == 1 or known < 2 or (jobs is None and work <= WORTH):
        return Chosen("serial", 1, local=True), again, known
    # a worker that finds nothing to do costs a start all the same
    return Chosen("process", wanted if more else min(wanted, files), local=True), again, known


def _size(entry: Entry) -> int:
    """Bytes of a file, as far as can be seen."""
    before = identity(entry.path) if isinstance(entry, Input) else None
    return 0 if before is None else before.size


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def started(chosen: Chosen, plugins: Plugins, prepare: Callable[[], object]) -> Iterator[None]:
    """The workers of a run that will follow, started already if their executor can do that.

    `prepare` is what they do meanwhile. Raises `PluginError`.
    """
    executor = plugins.executors.get(chosen.name)
    with ExitStack() as stack:
        if isinstance(executor, EarlyExecutor):
            origin = plugins.executors.provider(chosen.name).origin
            with blaming(origin, "starting workers"):
                stack.enter_context(executor.started(ExecutorSettings(chosen.jobs, chosen.scheduler), prepare))
        yield


class Stop:
    """Asked between tasks whether the user wants no more."""

    def __init__(self) -> None:
        self.asked = False
        self.troubled = False
        """No more for a reason that concerns all files: who runs this wants to know which are left."""

    def __call__(self) -> None:
        """No more."""
        self.asked = True

    def for_trouble(self) -> None:
        """No more, and an outcome for each file that is not begun."""
        self.asked = self.troubled = True


def run(
    entries: Iterable[Entry],
    work: Work,
    chosen: Chosen,
    *,
    plugins: Plugins,
    target: Callable[[Input], str | None] = lambda _found: None,
    uid: Callable[[], str] | None = None,
    ledger: Ledger | None = None,
    stop: Stop | None = None,
) -> Iterator[Outcome]:
    """One outcome for each entry, in their order, as they come.

    `uid` gives a new UID for each signature made in place. Raises `PluginError` for an executor that does not keep its
    word, and whatever a task raises that is about more than one file: errors of keys and plugins.
    """
    return _Run(work, chosen, plugins, target, uid, ledger, stop or Stop()).outcomes(entries)


@dataclass(slots=True)
class _Batch:
    """A task with what lies between its jobs."""

    slots: list[Job | Outcome]
    size: int = 0
    jobs: int = 0

    def task(self) -> tuple[Job, ...]:
        return tuple(slot for slot in self.slots if isinstance(slot, Job))


class _Run:
    """State of one run."""

    def __init__(
        self,
        work: Work,
        chosen: Chosen,
        plugins: Plugins,
        target: Callable[[Input], str | None],
        uid: Callable[[], str] | None,
        ledger: Ledger | None,
        stop: Stop,
    ) -> None:
        self.work = work
        self.chosen = chosen
        self.plugins = plugins
        self.target = target
        self.uid = uid
        self.ledger = ledger
        self.stop = stop
        self.begun: deque[_Batch] = deque()
        self.left: Iterator[Entry] = iter(())
        self.origin = plugins.executors.provider(chosen.name).origin
        self.settings = ExecutorSettings(chosen.jobs, chosen.scheduler)

    def outcomes(self, entries: Iterable[Entry]) -> Iterator[Outcome]:
        """Everything, top to bottom."""
        executor = self.plugins.executors.get(self.chosen.name)
        results = self.guarded(iter(executor.run(self.work, self.tasks(entries), self.settings)))
        for result in results:
            if not self.begun:
                raise self.broken("gave more results than there were tasks")
            yield from self.finished(self.begun.popleft(), result)
        if self.begun:
            raise self.broken("gave fewer results than there were tasks")
        if self.stop.troubled:
            slots = (self.slot(entry) for entry in self.left if isinstance(entry, Input))
            yield from (Outcome(slot.shown or slot.source, slot, left=True) for slot in slots if isinstance(slot, Job))

    def guarded(self, results: Iterator[Any]) -> Iterator[Any]:
        """What an executor raises is its own fault, unless it is about the work."""
        try:
            while True:
                with blaming(self.origin, "doing tasks"):
                    try:
                        result = next(results)
                    except StopIteration:
                        return
                yield result
        finally:
            close = getattr(results, "close", None)
            if close is not None:
                close()

    # ------------------------------------------------------------------------------------------------ on the way out

    def tasks(self, entries: Iterable[Entry]) -> Iterator[tuple[Job, ...]]:
        """Jobs in small heaps; what needs no work lies between them."""
        for batch in self.batches(entries):
            task = batch.task()
            if self.ledger is not None:
                self.ledger.begin(task)
            self.begun.append(batch)
            yield task

    def batches(self, entries: Iterable[Entry]) -> Iterator[_Batch]:
        """Heaps that are small enough."""
        sizes = self.sizes()
        most = next(sizes)
        batch = _Batch([])
        waiting = iter(entries)
        for entry in waiting:
            if self.stop.asked:
                self.left = chain((entry,), waiting)
                break
            slot = self.slot(entry)
            size = slot.before.size if isinstance(slot, Job) and slot.before is not None else 0
            if batch.slots and batch.size + size > BYTES:
                yield batch
                batch, most = _Batch([]), next(sizes)
            batch.slots.append(slot)
            batch.size += size
            if len(batch.slots) >= most:
                yield batch
                batch, most = _Batch([]), next(sizes)
        if batch.slots:
            yield batch

    def sizes(self) -> Iterator[int]:
        """How many files each task has: the first few, so that there is work for all when there are not many."""
        if self.chosen.name == "serial":
            yield from repeat(1)
        size = 1
        while True:
            yield from repeat(size, self.chosen.jobs)
            size = min(2 * size, FILES)

    def slot(self, entry: Entry) -> Job | Outcome:
        """A job, or the outcome of what needs no work."""
        if isinstance(entry, Problem):
            return Outcome(entry.path, error=entry.error)
        if isinstance(entry, DirectoryEnd):
            return Outcome(entry.path, end=entry)
        target = self.target(entry)
        job = Job(entry.path, target, entry.listed, before=identity(entry.path), relative=entry.relative)
        if not self.chosen.local:
            where = target and os.path.abspath(target)
            job = replace(job, source=os.path.abspath(entry.path), target=where, shown=entry.path)
        if self.uid is not None and target is None:
            job = replace(job, uid=self.uid())
        return job if self.ledger is None else self.ledger.decide(job)

    # ------------------------------------------------------------------------------------------------- on the way in

    def finished(self, batch: _Batch, result: object) -> Iterator[Outcome]:
        """The outcomes of one task and of what lies between its jobs."""
        answers = self.answers(batch.task(), result)
        taken = iter(answers)
        outcomes = [_outcome(slot, next(taken)) if isinstance(slot, Job) else slot for slot in batch.slots]
        if self.ledger is not None:
            self.ledger.finish(batch.task(), answers)
        yield from outcomes

    def answers(self, task: tuple[Job, ...], result: object) -> list[Answer]:
        """What a worker said, or who of a task killed it: its jobs are tried one by one."""
        if isinstance(result, TaskLost):
            if len(task) > 1:
                executor = self.plugins.executors.get(self.chosen.name)
                singles = iter([(job,) for job in task])
                results = list(self.guarded(iter(executor.run(self.work, singles, self.settings))))
                if len(results) != len(task):
                    raise self.broken("gave another number of results than there were tasks")
                return [self.answers((job,), one)[0] for job, one in zip(task, results, strict=True)]
            lost = InputError(
                f"working on this file ended the worker: {result.reason}",
                code="worker-lost",
                hint="is there enough memory? try it alone",
            )
            return [Answer(error=lost.located(job.shown or job.source)) for job in task]
        said = answered_all(answered(result, list, self.origin, "doing tasks"), Answer, self.origin, "doing tasks")
        if len(said) != len(task):
            raise self.broken(f"gave {len(said)} answers for {len(task)} files")
        return said

    def broken(self, how: str) -> PluginError:
        """An executor that does not keep its word."""
        return breach(self.origin, f"executor {self.chosen.name} of {self.origin.distribution} {how}")


def _outcome(job: Job, answer: Answer) -> Outcome:
    return Outcome(
        job.shown or job.source, job, answer.result, answer.error, answer.unforeseen, answer.skipped, answer.again
    )
