"""One file after the other: what is wrong with one is told and does not stop the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from dsig.cli.outputs import Job, Plan, directory_for
from dsig.cli.status import ExitStatus, gravest
from dsig.cli.terminal import complain, describe, note
from dsig.errors import DsigError, KeySourceError, PluginError

__all__ = ["run_jobs"]

R = TypeVar("R")

TOLD = 3
"""How often the same complaint is made, each time about another file."""


def run_jobs(planned: Plan, work: Callable[[Job], R], done: Callable[[Job, R], None]) -> int:
    """Do `work` for every job, tell `done` of each success, and give the gravest exit status.

    A single job's error is raised as it is. Among several, errors of key sources and plugins are raised too: what
    happened once would happen again, and a token locks itself.
    """
    jobs = planned.jobs
    outcomes: list[int] = []
    told: Counter[tuple[str, str]] = Counter()
    for job in jobs:
        try:
            with directory_for(job, within=planned.directory):
                result = work(job)
        except (KeySourceError, PluginError):
            raise
        except DsigError as error:
            if len(jobs) == 1:
                raise
            outcomes.append(error.exit_status)
            kind = (error.code, error.message)
            told[kind] += 1
            if told[kind] <= TOLD:
                complain(describe(error.located(job.source)))
            continue
        outcomes.append(ExitStatus.DONE)
        done(job, result)
    for (_, message), count in told.items():
        if count > TOLD:
            note(f"the same for {count - TOLD} more: {message}")
    if any(outcomes):
        note(f"{outcomes.count(ExitStatus.DONE)} of {len(jobs)} files done")
    return gravest(outcomes)
