"""Completion as the shells ask for it, and `pydicom dsig`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ASKED = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "fish": lambda words: {"COMP_WORDS": " ".join(words[:-1]), "COMP_CWORD": words[-1]},
}


@pytest.fixture
def complete(spawn):
    """What a shell is told at the end of these words."""

    def complete(shell: str, *words: str) -> str:
        ran = spawn(env={"_DSIG_COMPLETE": f"{shell}_complete"} | ASKED[shell](words))
        assert (ran.status, ran.err) == (0, "")
        return ran.out

    return complete


@pytest.mark.parametrize("shell", ASKED)
def test_commands_options_and_choices_are_completed(complete, shell):
    assert "verify" in complete(shell, "dsig", "ver")
    assert "--trust-root" in complete(shell, "dsig", "verify", "--trust")
    assert "dataset-be" in complete(shell, "dsig", "verify", "--input", "dataset-b")


@pytest.mark.parametrize("shell", ASKED)
def test_files_are_left_to_the_shell(complete, shell):
    assert "file" in complete(shell, "dsig", "verify", "scan")
    assert "file" not in complete(shell, "dsig", "no-such-comm")
    assert "file" not in complete(shell, "dsig", "verify", "--no-such-opt")


@pytest.mark.parametrize("shell", ASKED)
def test_script_is_written(run, shell):
    ran = run("completion", shell)
    assert ran.status == 0
    assert f"_DSIG_COMPLETE={shell}_complete" in ran.out


def test_unknown_shell_is_a_usage_error(run):
    ran = run("completion", "cmd")
    assert ran.status == 2
    assert "'bash', 'zsh', 'fish'" in ran.err


def test_bash_itself_completes_with_the_script(run, tmp_path):
    """A real shell: the function it registers is called as readline does."""
    assert shutil.which("bash")
    (tmp_path / "dsig").write_text(f'#!/bin/sh\nexec {sys.executable} -m dsig.cli "$@"\n')
    (tmp_path / "dsig").chmod(0o755)
    script = run("completion", "bash").out
    asked = "COMP_WORDS=(dsig insp); COMP_CWORD=1; _dsig_completion dsig insp dsig; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"PATH={tmp_path}:$PATH\n{script}\n{asked}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["inspect"]


def pydicom(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "from pydicom.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_pydicom_has_us_as_a_subcommand(signed_ct: Path, trust, tampered):
    assert "sign and verify digital signatures" in pydicom("--help").stdout
    done = pydicom("dsig", "verify", signed_ct, *trust)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("passed ")
    assert pydicom("dsig", "verify", "--quiet", tampered, *trust).returncode == 1
    assert "Usage: dsig verify" in pydicom("dsig", "verify", "--help").stdout
    assert pydicom("dsig", "--version").stdout.startswith("dsig ")
