"""What all benchmarks share: commands run in turn, medians, and a table of ratios with their targets."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PKI = ROOT / "tests" / "corpus" / "pki"
KEY, CERT, CA, INTERMEDIATE = (str(PKI / n) for n in ("rsa2048.key.pem", "rsa2048.pem", "root.pem", "inter.pem"))
DSIG = str(Path(sys.executable).parent / "dsig")
TRUST = ["--trust-root", CA, "--intermediate", INTERMEDIATE]
SIGNER = ["--key", KEY, "--cert", CERT]
PEER_TRUST = ["+cf", CA, "+uf", INTERMEDIATE]

Curves = dict[str, list[tuple[float, float]]]
"""Name to (size, seconds) pairs."""


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    rounds: int
    files: int
    """CT slices; ten times as many names for the steady state."""
    frames: int
    """Of 2 MiB, in the large file."""
    listed: int
    """Files listed, for memory."""


FULL = Scale(rounds=5, files=1000, frames=512, listed=1_000_000)
QUICK = Scale(rounds=1, files=200, frames=128, listed=20_000)


@dataclass
class Series:
    """Wall-clock seconds and peak memory of one command over all rounds."""

    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    """KiB."""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    target: str
    measured: str
    met: str = ""

    def __str__(self) -> str:
        return f"| {self.what} | {self.target} | {self.measured} | {self.met} |"


class Table:
    """Rows with their targets, printed as they come."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, what: str, target: str, ratio: float, more: str = "") -> None:
        """A measured number; `target` is `≥ x`, `≤ x`, or empty for comparison."""
        met = ""
        if target:
            limit = float(target.split()[1])
            met = "yes" if (ratio >= limit if target.startswith("≥") else ratio <= limit) else "no"
        self.rows.append(Row(what, target, f"{ratio:.2f}{more}", met))
        print(self.rows[-1], flush=True)


RUNNER = """
import json, os, subprocess, sys, time
for line in sys.stdin:
    command, environment, directory = json.loads(line)
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, cwd=directory,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps([seconds, usage.ru_maxrss, process.returncode, errors.decode(errors="replace")]), flush=True)
"""
"""Starts the processes: the kernel counts the memory of who starts one, up to exec, as that process's own."""


@cache
def _runner() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-S", "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def run(command: Sequence[str]) -> tuple[float, int]:
    """Seconds and peak resident KiB of one process, which must succeed."""
    runner = _runner()
    assert runner.stdin is not None
    assert runner.stdout is not None
    print(json.dumps([list(map(str, command)), dict(os.environ), str(Path.cwd())]), file=runner.stdin, flush=True)
    seconds, peak, code, errors = json.loads(runner.stdout.readline())
    if code:
        raise SystemExit(f"{' '.join(command)}: exit {code}\n{errors}")
    return seconds, peak


def interleaved(commands: Mapping[str, Sequence[str]], rounds: int, fresh: Sequence[Path] = ()) -> dict[str, Series]:
    """Run all commands `rounds` times in turn, after one round that warms caches and is not counted.

    `fresh` names outputs that must not be there before each run.
    """
    series = {name: Series() for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            for path in fresh:
                if path.is_dir():
                    shutil.rmtree(path)
                path.unlink(missing_ok=True)
            seconds, peak = run(command)
            if number:
                series[name].seconds.append(seconds)
                series[name].peak = max(series[name].peak, peak)
    return series


def loop(program: str, files: Sequence[Path]) -> list[str]:
    """A shell loop with one process for each file, called `$f`."""
    names = " ".join(str(f) for f in files)
    return ["sh", "-c", f"for f in {names}; do {program} >/dev/null 2>&1 || exit 1; done"]
