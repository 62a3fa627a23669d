"""`dsig demo`: the story goes as it must, every command in it is real, and a wrong verdict is noticed."""

from __future__ import annotations

import shlex
import stat

import pytest

import dsig_pkcs11
from dsig.cli.app import FIRST_PARTY
from dsig_demo import command as story
from dsig_demo import dsig_commands


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_demo_tells_the_whole_story(run, place):
    ran = run("demo")
    assert (ran.status, ran.err) == (0, "")
    statuses = [line for line in ran.out.splitlines() if line.startswith("[exit status")]
    assert statuses == [f"[exit status {n}]" for n in (0, 0, 1, 1, 0, 4)]
    assert "byte for byte" in ran.out
    assert stat.S_IMODE((place / "dsig-demo" / "key.pem").stat().st_mode) == 0o600


def test_commands_shown_work_when_typed(run, place):
    shown = [line[2:] for line in run("demo").out.splitlines() if line.startswith("$ dsig ")]
    assert len(shown) == 6
    for line, status in zip(shown, (0, 0, 1, 1, 0, 4), strict=True):
        assert run(*shlex.split(line)[1:]).status == status


def test_demo_runs_again_in_the_same_place_and_elsewhere(run, place):
    for _ in range(2):
        assert run("demo", "--directory", place / "else where").status == 0
    assert [p.name for p in place.iterdir()] == ["else where"]


def test_wrong_verdict_fails_the_demo(run, place, monkeypatch):
    monkeypatch.setattr("dsig_demo.slice.with_other_pixel", lambda data: data)
    ran = run("demo")
    assert ran.status == 1
    assert ran.err.startswith("dsig: error: the demo failed: exit status 0 instead of 1")


def test_place_that_cannot_be_written_is_an_output_error(run, place):
    (place / "file").write_text("")
    assert run("demo", "--directory", place / "file").status == 8
    assert run("demo", "--directory", place / "no" / "such").status == 8


def test_summary_in_the_list_of_commands_is_the_plugins_own():
    specs = [*dsig_commands(), *dsig_pkcs11.dsig_commands()]
    assert {spec.name: spec.summary for spec in specs} == FIRST_PARTY
    assert story.command.name == "demo"
