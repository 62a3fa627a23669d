"""What people see: on a terminal wrapped and in colour, anywhere else plain lines that programs can read."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import pytest


@pytest.fixture
def terminal():
    """Run `dsig` on a terminal of so many columns and give what it shows."""

    def terminal(*arguments: object, columns: int = 80, **env: str) -> str:
        ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
        child = subprocess.Popen(
            [sys.executable, "-m", "dsig.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            env=plain | {"TERM": "xterm"} | env,
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # how Linux says that the other side is closed
                break
            if not more:
                break
            shown += more
        os.close(ours)
        child.wait()
        return shown.decode().replace("\r\n", "\n")

    return terminal


def test_colour_is_for_terminals_whose_user_wants_it(terminal, signed_ct, trust, run):
    assert "\x1b[32mpassed\x1b[0m" in terminal("verify", signed_ct, *trust)
    assert "\x1b[1msignature\x1b[0m" in terminal("inspect", signed_ct)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in terminal("verify", signed_ct, *trust, **env)
        assert "\x1b" not in terminal("inspect", signed_ct, **env)
    assert "\x1b" not in run("inspect", signed_ct).out


@pytest.mark.parametrize("columns", [48, 80])
def test_narrow_terminals_get_short_lines_and_lose_nothing(terminal, run, signed_ct, columns):
    shown = terminal("inspect", signed_ct, columns=columns, NO_COLOR="1")
    for line in shown.splitlines()[1:]:
        assert len(line) <= columns or max(map(len, line.split())) > columns - 20, line  # UIDs stay whole
    assert shown.split() == run("inspect", signed_ct).out.split()


def test_elsewhere_each_fact_is_one_line(run, signed_ct):
    ran = run("inspect", signed_ct)
    assert re.search(r"^    signer      CN=.*\(issued by .*\)$", ran.out, re.MULTILINE)


def test_many_signed_files_have_a_line_each(run, ct, corpus, key, tmp_path):
    given = tmp_path / "in"
    given.mkdir()
    for name in ("ct", "mr"):
        (given / f"{name}.dcm").write_bytes((corpus / "base" / f"{name}.dcm").read_bytes())
    ran = run("sign", given, "-o", tmp_path / "out", *key)
    assert ran.status == 0
    lines = [line for line in ran.out.splitlines() if not line.startswith(" ")]
    assert [line.split()[0] for line in lines] == ["signed", "signed"]
    assert lines[0].endswith("ct.dcm (257 elements signed, none unsigned)")
    assert "sha256" not in ran.out
    assert "sha256" in run("sign", given, "-o", tmp_path / "more", *key, "--verbose").out
    assert run("sign", given, "-o", tmp_path / "quiet", *key, "--quiet").out == ""
