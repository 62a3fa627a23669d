"""Many files on the command line: which, by whom, with what memory; and what is said of them."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from dsig.cli.status import ExitStatus, gravest
from dsig.cli.terminal import complain, describe, note
from dsig.errors import DsigError, KeySourceError, PluginError

if TYPE_CHECKING:
    from dsig.batch.inputs import Wanted
    from dsig.batch.outcome import Outcome
    from dsig.batch.outputs import Placement
    from dsig.batch.purpose import Purpose
    from dsig.batch.run import Chosen
    from dsig.batch.work import Work
    from dsig.cli.progress import Progress
    from dsig.plugins import Plugins

__all__ = ["Many", "Running", "many_options", "running", "tell_all", "unforeseen"]

NAMED = 10
"""Files that are not done and named."""
ROOM = 600
"""Characters of their names, so that the line is not cut before it says how many more there are."""
TOLD = 3
"""How often the same complaint is made, each time about another file."""


@dataclass(frozen=True, slots=True)
class Many:
    """The options for many files."""

    jobs: int | None
    executor: str | None
    scheduler: str | None
    ledger: str | None
    include: tuple[str, ...]
    exclude: tuple[str, ...]

    def wanted(self, place: Placement | None) -> Wanted:
        """Which files are wanted, outputs and the ledger left out."""
        from dsig.batch.inputs import Wanted

        out = [place.output] if place is not None and place.mirrored and place.output is not None else []
        return Wanted(self.include, self.exclude, frozenset(os.path.realpath(path) for path in out))


def many_options(function: Callable[..., int]) -> Callable[..., int]:
    """--jobs, --executor, --scheduler, --ledger, --include and --exclude; the function gets `many`."""

    @click.option(
        "--jobs",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Files at a time. Default: as many as there are processors, once there are more than a few files.",
    )
    @click.option("--executor", metavar="NAME", help="Who does the work: serial, process, or a plugin's, such as dask.")
    @click.option("--scheduler", metavar="ADDRESS", help="Where the executor finds its workers, as tcp://host:8786.")
    @click.option(
        "--ledger", metavar="FILE", help="Keep account of what is done; the same command again does the rest."
    )
    @click.option("--include", multiple=True, metavar="GLOB", help="Of files found, take only these. Repeatable.")
    @click.option("--exclude", multiple=True, metavar="GLOB", help="Of files found, leave these out. Repeatable.")
    @functools.wraps(function)
    def wrapper(
        *args: Any,
        jobs: int | None,
        executor: str | None,
        scheduler: str | None,
        ledger: str | None,
        include: tuple[str, ...],
        exclude: tuple[str, ...],
        **kwargs: Any,
    ) -> int:
        return function(*args, many=Many(jobs, executor, scheduler, ledger, include, exclude), **kwargs)

    return wrapper


@dataclass(slots=True)
class Running:
    """A run that has begun."""

    outcomes: Iterator[Outcome]
    several: bool
    """More than one file is given, as far as can be seen before the work."""
    stopped: Callable[[], int]
    """The exit status if the user stopped the run, else 0."""
    stop: Callable[[], None]
    """No more files; those left come as outcomes of their own."""
    summary: Callable[[], None]
    """Says what the ledger knows."""
    progress: Progress | None = None


@contextlib.contextmanager
def running(
    paths: Sequence[str],
    many: Many,
    plugins: Plugins,
    *,
    kind: str,
    quiet: bool,
    work: Callable[[Chosen, bool], AbstractContextManager[Work]],
    purpose: Callable[[], Purpose],
    place: Placement | None = None,
    alone: Callable[[], None] | None = None,
    signs: bool = False,
    prepare: Callable[[], object] | None = None,
) -> Iterator[Running]:
    """Begin: look at what is given, choose who does it, open the ledger. `work` is asked last.

    `alone` is called if there is more than one file, and may raise `UsageError`. `signs` says that a file must not be
    done twice. `prepare` is what workers can do while `work` opens a key.
    """
    from dsig.batch.inputs import find
    from dsig.batch.outcome import settled
    from dsig.batch.run import Stop, choose, run, started

    wanted = many.wanted(place)
    with ExitStack() as stack:
        given = stack.enter_context(_held(paths)) if place is not None and place.mirrored else paths
        if place is not None:
            from dsig.batch.outputs import refuse_collisions

            refuse_collisions(given, place, wanted, kind)
        found: Iterator[Any] = iter(find(given, wanted))
        repeated: Counter[str] = Counter()
        if place is not None and _can_repeat(given, place):
            from dsig.batch.outputs import each_once

            found = each_once(found, place, lambda: repeated.update(["inputs"]))
        chosen, entries, known = choose(plugins, many.executor, many.jobs, many.scheduler, found)
        several = known > 1
        if several and alone is not None:
            alone()
        if signs and not chosen.local:
            from dsig.errors import UsageError

            raise UsageError(
                f"{chosen.name} workers are elsewhere, and the key stays here", hint="sign with --executor process"
            )
        if prepare is not None:
            stack.enter_context(started(chosen, plugins, prepare))
        doing = stack.enter_context(work(chosen, many.ledger is not None))
        ledger: Ledger | None = None
        if many.ledger is not None:
            from dsig.batch.ledger import Ledger, Locked

            ledger = Ledger(many.ledger, purpose())
            stack.callback(ledger.close)
            if chosen.local:
                doing = Locked(doing, many.ledger, ledger.run)
        stop = Stop()
        status = stack.enter_context(_stopping(stop)) if several else [0]
        in_place = place is not None and place.output is None

        outcomes = run(
            entries,
            doing,
            chosen,
            plugins=plugins,
            target=(lambda _found: None) if place is None else place.of,
            uid=_new_uid if in_place and signs else None,
            ledger=ledger,
            stop=stop,
        )

        def summary() -> None:
            if repeated.total() and not quiet:
                count = repeated.total()
                note(f"skipped {count} that {'was' if count == 1 else 'were'} named before")
            if ledger is not None and ledger.earlier:
                note(f"{ledger.earlier} had been done before, as the ledger says")
            if ledger is not None and ledger.changed:
                note(f"{ledger.changed} had changed since and were done again")

        found = settled(outcomes, (lambda _text: None) if quiet else note)
        progress: Progress | None = None
        if several and not quiet:
            from dsig.cli.progress import Progress

            progress = Progress(click.get_current_context().info_name or "", _counting(given, wanted))
            found = progress.over(found)
        yield Running(found, several, lambda: status[0], stop.for_trouble, summary, progress)


def _can_repeat(given: Sequence[str], place: Placement) -> bool:
    """Whether a file can be among the inputs twice: in a directory only by a link, which matters in place."""
    from dsig.batch.inputs import is_list

    return len(given) > 1 or is_list(given[0]) or (place.output is None and os.path.isdir(given[0]))  # noqa: PTH112


def _counting(given: Sequence[str], wanted: Wanted) -> Callable[[], int] | None:
    """How many files there are, if that can be found out without reading what is read once."""
    from dsig.batch.inputs import STANDARD_INPUT, Input, find

    if any(path in (STANDARD_INPUT, f"@{STANDARD_INPUT}") for path in given):
        return None
    return lambda: sum(isinstance(entry, Input) for entry in find(given, wanted))


def tell_all(run: Running, tell: Callable[[Any], None]) -> int:
    """Tell of each success with `tell` and of each failure, and give the gravest exit status.

    A single file's error is raised as it is. Among several, errors of key sources and plugins end the run and are
    raised too, once it is told which files are not done: what happened once would happen again, and a token
    locks itself. The same goes for TSAs that give nothing for a few files in a row.
    """
    from dsig.batch.patience import UNAVAILABLE, Patience, unasked

    patience = Patience()
    seen: Counter[int] = Counter()
    told: Counter[tuple[str, str]] = Counter()
    first: Outcome | None = None
    trouble: DsigError | None = None
    left = _Left()
    for outcome in run.outcomes:
        error = outcome.error
        same = isinstance(error, (KeySourceError, PluginError)) or (error is not None and error.code == UNAVAILABLE)
        if outcome.left or (trouble is not None and same):
            left.add(outcome.path)
            continue
        asked = trouble is None and not outcome.earlier and not outcome.unforeseen
        impatient = asked and patience.lost(outcome.error)
        if first is None and not run.several and outcome.error is not None:
            first = outcome  # perhaps it is the only one
            continue
        if first is not None:
            if isinstance(first.error, (KeySourceError, PluginError)):
                raise first.error
            _failed(first, seen, told)
            first = None
            run.several = True
        if run.several and (isinstance(outcome.error, (KeySourceError, PluginError)) or impatient):
            trouble = unasked() if impatient else outcome.error
            left.add(outcome.path)
            run.stop()
            continue
        if outcome.error is not None or outcome.unforeseen:
            _failed(outcome, seen, told)
            continue
        seen[ExitStatus.DONE] += 1
        if outcome.result is not None:
            if run.progress is not None:
                run.progress.aside()
            tell(outcome.result)
    if first is not None and first.error is not None:
        raise first.error
    for (_, message), count in told.items():
        if count > TOLD:
            note(f"the same for {count - TOLD} more: {message}")
    run.summary()
    if trouble is not None:
        note(f"{seen[ExitStatus.DONE]} of {sum(seen.values()) + left.count} files done; not done: {left}")
        raise trouble
    if any(seen) or run.stopped():
        note(f"{seen[ExitStatus.DONE]} of {sum(seen.values())} files done")
    return run.stopped() or gravest(status for status in seen)


class _Left:
    """Files that are not done: a few names, and how many more."""

    def __init__(self) -> None:
        self.count = 0
        self._names: list[str] = []

    def add(self, path: str) -> None:
        """One more."""
        self.count += 1
        if len(self._names) < NAMED and (not self._names or sum(map(len, self._names)) + len(path) <= ROOM):
            self._names.append(path)

    def __str__(self) -> str:
        more = self.count - len(self._names)
        return ", ".join(self._names) + (f" and {more} more" if more else "")


def _failed(outcome: Outcome, seen: Counter[int], told: Counter[tuple[str, str]]) -> None:
    error = outcome.error
    if error is None:
        seen[ExitStatus.INTERNAL] += 1
        kind, text = ("internal", outcome.unforeseen), unforeseen(outcome)
    else:
        seen[error.exit_status] += 1
        kind, text = (error.code, error.message), describe(error.located(outcome.path))
    told[kind] += 1
    if told[kind] <= TOLD:
        complain(text)


def unforeseen(outcome: Outcome) -> str:
    """What is said of a fault of this program."""
    return f"internal error: {outcome.unforeseen} [{outcome.path}] (run again with DSIG_DEBUG=1 to see where)"


@contextlib.contextmanager
def _held(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    """The paths, with a list on standard input in a file: it is read twice."""
    from dsig.batch.inputs import STANDARD_INPUT

    if not any(path in (STANDARD_INPUT, "@-") for path in paths) or sys.stdin is None:
        yield paths
        return
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="dsig-list-") as file:
        while chunk := sys.stdin.buffer.read(1 << 16):
            file.write(chunk)
        file.flush()
        yield [f"@{file.name}" if path in (STANDARD_INPUT, "@-") else path for path in paths]


@contextlib.contextmanager
def _stopping(stop: Callable[[], None]) -> Iterator[list[int]]:
    """While files are worked on, the first Ctrl-C or SIGTERM lets those begun be finished; the next is as ever.

    Gives a list with the exit status for it.
    """
    status = [0]
    if threading.current_thread() is not threading.main_thread():
        yield status
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handler(number: int, frame: FrameType | None) -> None:
        if status[0]:
            earlier = before[signal.Signals(number)]
            if callable(earlier):
                earlier(number, frame)
            raise KeyboardInterrupt
        status[0] = ExitStatus.INTERRUPTED if number == signal.SIGINT else ExitStatus.TERMINATED
        stop()
        word = "interrupted" if number == signal.SIGINT else "terminated"
        note(f"{word}: what has been begun is finished, once more ends at once")

    for number in before:
        signal.signal(number, handler)
    try:
        yield status
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _new_uid() -> str:
    from dsig.signature.build import new_uid

    return new_uid()
