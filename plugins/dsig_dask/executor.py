"""The executor `dask`."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed import Client, Future, KilledWorker, WorkerPlugin, get_worker

from dsig.errors import PluginError, UsageError
from dsig.hookspecs import ExecutorSettings, TaskLost, Work

__all__ = ["DaskExecutor"]

NAME = "dsig-work"
AHEAD = 3
"""Tasks begun for each thread of the cluster."""
LEAST = 4
CONNECT = 30
"""Seconds to find the scheduler."""


class DaskExecutor:
    """Runs tasks on the workers of a cluster; `dsig.hookspecs.Executor`.

    The scheduler of Dask gives the tasks of a worker that died to another, and counts how often that happened.
    """

    def run(self, work: Work, tasks: Iterator[Any], settings: ExecutorSettings) -> Iterator[Any]:
        """Give `work(task)` for each task, in order."""
        if settings.scheduler is None:
            raise UsageError("dask needs a cluster", hint="give its address, as --scheduler tcp://host:8786")
        try:
            client = Client(settings.scheduler, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise PluginError(
                f"no Dask scheduler answers at {settings.scheduler}: {type(error).__name__}",
                code="executor-unreachable",
                hint="is it running, and is the address right?",
            ) from None
        with _retries_untold(), client:
            # as a plugin the work is on workers that join later, too
            client.register_plugin(_Carrier(work), name=NAME)
            waiting: deque[Future] = deque()
            for task in tasks:
                waiting.append(client.submit(_do, task, pure=False))
                while len(waiting) >= max(LEAST, AHEAD * sum(client.nthreads().values())):
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())


@contextmanager
def _retries_untold() -> Iterator[None]:
    """What was lost with a worker is done again and no news; what fails for good is in the report."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Carrier(WorkerPlugin):  # type: ignore[misc]
    """Brings the work to each worker once."""

    def __init__(self, work: Work) -> None:
        self.work = work


def _do(task: Any) -> Any:
    """On a worker."""
    return get_worker().plugins[NAME].work(task)


def _result(future: Future) -> Any:
    try:
        return future.result()
    except KilledWorker:
        return TaskLost("workers died of it, one after the other")
