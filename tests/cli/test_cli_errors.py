"""Errors: one line, what and where and what to do, nothing that acts on a terminal, never a traceback."""

from __future__ import annotations

from threading import Thread

import pytest

from dsig.cli import run as running
from dsig.errors import InputError, Where

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\r\nX"


def test_error_says_what_where_and_what_to_do(run, ct, tmp_path):
    ran = run("sign", ct, "-o", tmp_path / "x.dcm", "--key", "nosuch:key")
    assert ran.err.startswith("dsig: error: no key source serves the scheme 'nosuch' (known schemes:")


def test_hostile_file_name_is_escaped(run, tmp_path):
    ran = run("inspect", tmp_path / HOSTILE)
    assert ran.status == 5
    assert ran.err.rstrip("\n").isprintable()
    assert ran.err.count("\n") == 1
    assert r"\x1b[2J" in ran.err
    assert r"\u202e" in ran.err


def test_hostile_arguments_are_escaped(run):
    for arguments in (
        [HOSTILE],
        [f"--{HOSTILE}"],
        ["verify", "x", "--input", HOSTILE],
        ["verify", "x", "--format", HOSTILE],
    ):
        ran = run(*arguments)
        assert ran.status == 2
        assert ran.err.rstrip("\n").isprintable()


def test_hostile_file_name_in_a_report_is_escaped(run, tmp_path, ct):
    path = tmp_path / HOSTILE.replace("/", "")
    path.write_bytes(ct.read_bytes())
    for form in ("text", "json"):
        ran = run("verify", path, "--format", form)
        assert all(line.isprintable() for line in ran.out.split("\n"))


def test_name_that_is_no_unicode_is_no_obstacle(run, tmp_path, ct):
    name = b"\xff\xfe.dcm".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_bytes(ct.read_bytes())
    for form in ("text", "json"):
        assert run("verify", tmp_path / name, "--format", form).status == 4


def test_very_long_message_is_cut(run):
    assert len(run("inspect", "x" * 200_000).err) < 3000


def test_unknown_command_comes_with_a_guess(run):
    assert "did you mean verify?" in run("verfiy").err


def test_no_arguments_show_the_help(run):
    ran = run()
    assert ran.status in (0, 2)  # click before 8.2 ends with 0
    assert "Commands:" in ran.out + ran.err


@pytest.fixture
def broken(monkeypatch):
    """A command that fails as no command should."""

    def fail(_arguments: list[str]) -> int:
        raise ZeroDivisionError("the canary in the message")

    monkeypatch.setattr(running, "_invoke", fail)


def test_internal_error_is_one_line_without_details(run, broken, monkeypatch):
    monkeypatch.delenv("DSIG_DEBUG", raising=False)
    ran = run("--help")
    assert ran.status == 70
    assert ran.err.count("\n") == 1
    assert "ZeroDivisionError" in ran.err
    assert "DSIG_DEBUG=1" in ran.err
    assert "canary" not in ran.err


def test_internal_error_shows_its_traceback_when_asked(broken, monkeypatch):
    monkeypatch.setenv("DSIG_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        running.main(["--help"])


def test_plugin_that_ends_the_process_is_an_internal_error(run, monkeypatch):
    def leave(_arguments: list[str]) -> int:
        raise SystemExit(0)

    monkeypatch.setattr(running, "_invoke", leave)
    assert run("--help").status == 70


def test_command_line_works_outside_the_main_thread(ct):
    statuses: list[int] = []
    thread = Thread(target=lambda: statuses.append(running.main(["inspect", str(ct), "--quiet"])))
    thread.start()
    thread.join()
    assert statuses == [0]


def test_error_of_the_api_is_told_with_place(run, monkeypatch):
    def fail(_arguments: list[str]) -> int:
        raise InputError("too odd", where=Where("a.dcm", "PatientName", 12), hint="do this")

    monkeypatch.setattr(running, "_invoke", fail)
    assert run("--help").err == "dsig: error: too odd [a.dcm, at PatientName, byte 12] (do this)\n"
