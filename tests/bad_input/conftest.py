"""What the tests of bad input share: a key, and real runs of the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bad_files import BASE, PKI

import dsig

RUN = """
import sys
from dsig.cli import main
status = main(sys.argv[2:])
if sys.argv[1]:
    with open("/proc/self/status") as facts, open(sys.argv[1], "w") as out:
        out.write(next(line.split()[1] for line in facts if line.startswith("VmHWM")))
sys.exit(status)
"""


@dataclass(frozen=True)
class Ran:
    """How a run of the command ended."""

    status: int
    out: str
    err: str
    megabytes: int = 0
    """Peak resident memory."""

    def one_line(self, status: int, *words: str) -> None:
        """Assert that the run failed as documented: one line on standard error, and no internals in it."""
        assert self.status == status, self
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("dsig: error: "), self.err
        self.no_traceback()
        assert self.out == "", self.out
        for word in words:
            assert word in self.err, self.err

    def no_traceback(self) -> None:
        for text in (self.out, self.err):
            assert "Traceback" not in text, text
            assert "internal error" not in text, text


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    """Runs the command in a process of its own, without a terminal."""
    facts = tmp_path_factory.mktemp("memory") / "kilobytes"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DSIG")} | {"LC_ALL": "C.UTF-8"}

    def run(*arguments: object, env: dict[str, str] | None = None, memory: bool = False, **options: object) -> Ran:
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(facts) if memory else "", *map(str, arguments)],
            stderr=subprocess.PIPE,
            env=environment | (env or {}),
            start_new_session=True,  # no terminal to ask on
            timeout=600,
            check=False,
            **options,
        )
        peak = int(facts.read_text()) // 1024 if memory else 0
        return Ran(done.returncode, (done.stdout or b"").decode(), done.stderr.decode(), peak)

    return run


@pytest.fixture(scope="session")
def key() -> Iterator[dsig.OpenKey]:
    """A good key."""
    with dsig.open_key(str(PKI / "p256.key.pem"), certificate=str(PKI / "p256.pem")) as opened:
        yield opened


@pytest.fixture(scope="session")
def good_key() -> list[str]:
    """The same, for the command."""
    return ["--key", str(PKI / "p256.key.pem"), "--cert", str(PKI / "p256.pem")]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with one good input."""
    (tmp_path / "in.dcm").write_bytes((BASE / "mr.dcm").read_bytes())
    return tmp_path
