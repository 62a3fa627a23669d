"""Who does the work when nobody says: this process what is little, one process for each processor what is more."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from dsig.batch import run
from dsig.batch.inputs import Input, find
from dsig.batch.run import Chosen, choose
from dsig.batch.work import Answer, Job
from dsig.plugins import default

MB = 1 << 20


@pytest.fixture(autouse=True)
def _four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "cores", lambda: 4)


def files(directory: Path, *sizes: int) -> list[Input]:
    """Files of these sizes that take no room."""
    paths = [directory / f"{number:04}" for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        with path.open("wb") as file:
            file.truncate(size)
    return [entry for entry in find([str(path) for path in paths]) if isinstance(entry, Input)]


def chosen(entries: list[Input], jobs: int | None = None) -> tuple[str, int]:
    """Executor and workers; whatever was looked at is still to come."""
    who, again, _ = choose(default(), None, jobs, None, iter(entries))
    assert list(again) == entries
    return who.name, who.jobs


def test_a_series_is_done_before_others_have_started(tmp_path: Path) -> None:
    assert chosen(files(tmp_path, *[MB // 2] * 100)) == ("serial", 1)


def test_a_study_is_for_every_processor(tmp_path: Path) -> None:
    assert chosen(files(tmp_path, *[MB // 2] * 200)) == ("process", 4)


def test_a_few_large_files_are_worth_a_worker_each_and_no_more(tmp_path: Path) -> None:
    assert chosen(files(tmp_path, *[300 * MB] * 3)) == ("process", 3)


def test_one_file_is_done_here_however_large(tmp_path: Path) -> None:
    assert chosen(files(tmp_path, 4096 * MB)) == ("serial", 1)


def test_what_the_user_says_counts(tmp_path: Path) -> None:
    many = files(tmp_path, *[MB] * 200)
    two = many[:2]
    assert chosen(two, jobs=2) == ("process", 2)
    assert chosen(two, jobs=100) == ("process", 2)
    assert chosen(many, jobs=150) == ("process", 150)
    assert chosen(many, jobs=1000) == ("process", 200)
    assert chosen(many, jobs=1) == ("serial", 1)


def test_of_a_million_files_a_few_are_looked_at_before_the_work_begins(tmp_path: Path) -> None:
    (one,) = files(tmp_path, 0)
    looked = itertools.count()
    entries = (one for _ in range(1_000_000) if next(looked) >= 0)
    assert choose(default(), None, None, None, entries)[0].name == "process"
    assert next(looked) < 200


# --------------------------------------------------------------------------------------------------------------- tasks


def tasks(entries: list[Input], jobs: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each task has."""
    seen: list[int] = []

    def work(task: tuple[Job, ...]) -> list[Answer]:
        seen.append(len(task))
        return [Answer() for _ in task]

    class Here:
        def run(self, work, tasks, _settings):
            return map(work, tasks)

    plugins = default()
    monkeypatch.setattr(plugins.executors, "get", lambda _name: Here())
    outcomes = list(run.run(entries, work, Chosen("process", jobs, local=True), plugins=plugins))
    assert [outcome.path for outcome in outcomes] == [entry.path for entry in entries]
    return seen


def test_a_few_files_are_work_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tasks(files(tmp_path, *[MB] * 3), 3, monkeypatch) == [1, 1, 1]


def test_many_files_go_to_workers_in_ever_larger_heaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tasks(files(tmp_path, *[1] * 300), 2, monkeypatch) == [1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 46]


def test_heaps_of_large_files_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tasks(files(tmp_path, *[3 * MB] * 12), 1, monkeypatch) == [1, 2, 2, 2, 2, 2, 1]
