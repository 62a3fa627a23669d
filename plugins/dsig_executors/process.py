"""The executor `process`: worker processes that are spawned, never forked, and that die with their parent."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import get_context, parent_process
from typing import Any, cast

from dsig.hookspecs import ExecutorSettings, TaskLost, Work

__all__ = ["Processes"]

AHEAD = 3
"""Tasks begun for each worker: one being done, and what keeps it busy while results are looked at."""


class Processes:
    """Runs tasks on a pool of processes; `dsig.hookspecs.Executor`."""

    def __init__(self) -> None:
        self._started: ProcessPoolExecutor | None = None

    @contextlib.contextmanager
    def started(self, settings: ExecutorSettings, prepare: Callable[[], object]) -> Iterator[None]:
        """Start workers that call `prepare` and wait."""
        pool = self._started = _pool(settings.jobs)
        prepared = pickle.dumps(prepare)
        with contextlib.suppress(BrokenProcessPool):  # found out once there is work
            for _ in range(settings.jobs):
                _submit(pool, _prepare, prepared)
        try:
            yield
        finally:
            self._started = None
            pool.shutdown(cancel_futures=True)

    def run(self, work: Work, tasks: Iterator[Any], settings: ExecutorSettings) -> Iterator[Any]:
        """Give `work(task)` for each task, in order; what a dead worker left is done again."""
        started, self._started = self._started, None
        pool = _Pool(work, settings.jobs, started)
        waiting: deque[tuple[Any, Future[Any]]] = deque()
        try:
            for task in tasks:
                waiting.append((task, pool.submit(task)))
                if len(waiting) >= AHEAD * settings.jobs:
                    yield _first(pool, waiting)
            while waiting:
                yield _first(pool, waiting)
        finally:
            pool.close()


class _Pool:
    """A `ProcessPoolExecutor` that does one work, and can be made anew."""

    def __init__(self, work: Work, jobs: int, started: ProcessPoolExecutor | None) -> None:
        self._work = pickle.dumps(work)
        self._jobs = jobs
        self._pool = started or _pool(jobs)

    def submit(self, task: Any) -> Future[Any]:
        """Have a task done; a pool that broke in the meantime says so when the result is asked for."""
        try:
            return _submit(self._pool, _do, self._work, task)
        except BrokenProcessPool as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed

    def again(self) -> None:
        """Take new workers."""
        self._pool.shutdown(cancel_futures=True)
        self._pool = _pool(self._jobs)

    def close(self) -> None:
        """Wait for what is being done, and let the workers go."""
        self._pool.shutdown(cancel_futures=True)


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin)


def _submit(pool: ProcessPoolExecutor, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Hand in a task, which starts a worker if none waits."""
    with _main_stays_here(), _interrupts_held():
        return pool.submit(function, *arguments)


def _first(pool: _Pool, waiting: deque[tuple[Any, Future[Any]]]) -> Any:
    """The result of the oldest task. After the death of a worker its task is tried alone: if that kills, it is lost."""
    task, future = waiting.popleft()
    try:
        return future.result()
    except BrokenProcessPool:
        pool.again()
        result: Any
        try:
            result = pool.submit(task).result()
        except BrokenProcessPool:
            pool.again()
            result = TaskLost("the worker process died")
        # a task that is done needs no second time
        done = [(t, f) if f.done() and not f.cancelled() and f.exception() is None else (t, None) for t, f in waiting]
        waiting.clear()
        waiting.extend((t, pool.submit(t) if f is None else f) for t, f in done)
        return result


def _begin() -> None:
    """In a worker, once: when to stop, and how."""
    gc.set_threshold(100_000)  # neither imports nor files leave much to look for, and looking takes a tenth of the time
    sys.stdout = sys.stderr  # standard output is the report's, whatever a plugin prints, on import already
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, name="dsig-parent", daemon=True).start()
    # all that is left to do at the end is to take modules apart, for a twentieth of a second; what plugins do at exit
    # comes before
    atexit.register(os._exit, 0)


def _die_with_parent() -> None:
    """A worker whose parent was killed writes nothing any more: the next run may be at work already."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)


def _prepare(prepare: bytes) -> None:
    """In a worker that has nothing else to do. What fails will fail again, where it can be told."""
    with contextlib.suppress(Exception):
        pickle.loads(prepare)()  # noqa: S301 - from the process that started this one


@lru_cache(1)
def _loaded(work: bytes) -> Work:
    """What a worker does; it comes with each task and is nearly always the same."""
    return cast("Work", pickle.loads(work))  # noqa: S301 - as above


def _do(work: bytes, task: Any) -> Any:
    return _loaded(work)(task)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """SIGINT waits, and never comes to a worker that is started meanwhile: it has the mask before it can ignore."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _main_stays_here() -> Iterator[None]:
    """Workers need nothing of the program that started them: importing it once more would cost them time."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if main is None or file is None or getattr(main, "__spec__", None) is not None:
        yield
        return
    del main.__file__
    try:
        yield
    finally:
        main.__file__ = file
