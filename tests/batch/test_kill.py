"""Killed at any moment, the same command goes on: nothing is lost, done twice or half-written, and the ledger agrees.

DSIG_KILLS and DSIG_KILL_FILES give other numbers than those of an ordinary run, such as 50 and 2000.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from batch_files import KEY, PKI, SMALL, TRUST, command

KILLS = int(os.environ.get("DSIG_KILLS", "6"))
FILES = int(os.environ.get("DSIG_KILL_FILES", "240"))
SEED = int(os.environ.get("DSIG_KILL_SEED", "7"))

pytestmark = pytest.mark.slow


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(top: Path) -> list[Path]:
    return sorted(p for p in top.rglob("*") if p.is_file())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Small files that all differ."""
    top, data = tmp_path / "in", SMALL.read_bytes()
    for number in range(FILES):
        path = top / f"{number % 5}" / f"{number:05}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[:-4] + number.to_bytes(4, "little"))
    return top


def done(ledger: Path) -> int:
    if not ledger.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as base, base:
            return base.execute("select count(*) from inputs where state = 'done'").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # it is just being made


def killed_again_and_again(arguments: list[object], ledger: Path) -> list[str]:
    """Run the command until it ends, killing it at random moments; gives the lines of what it said of files."""
    chance = random.Random(SEED)
    said: list[str] = []
    for kill in range(KILLS):
        before = done(ledger)
        wanted = before + chance.randrange(0, max(2, 2 * (FILES - before) // (KILLS - kill + 1)))
        with (
            tempfile.TemporaryFile() as out,  # a pipe that nobody reads would stop it
            subprocess.Popen(command(*arguments), stdout=out, stderr=subprocess.DEVNULL) as run,
        ):
            until = time.monotonic() + 60
            while run.poll() is None and done(ledger) <= wanted and time.monotonic() < until:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.02)
            run.send_signal(signal.SIGKILL)
            run.wait()
            out.seek(0)
            said += out.read().decode().splitlines()
    last = subprocess.run(command(*arguments), capture_output=True, check=False, text=True)
    assert last.returncode == 0, last.stderr
    return said + last.stdout.splitlines()


def rows(ledger: Path) -> dict[str, sqlite3.Row]:
    with closing(sqlite3.connect(ledger)) as base, base:
        base.row_factory = sqlite3.Row
        assert base.execute("pragma integrity_check").fetchone()[0] == "ok"
        return {row["path"]: row for row in base.execute("select * from inputs")}


def dcmsign_accepts(paths: list[Path]) -> None:
    """OFFIS dcmsign finds exactly one signature in each file, good and trusted."""
    ca, inter = PKI / "root.pem", PKI / "inter.pem"
    for path in paths:
        ran = subprocess.run(
            ["dcmsign", "--verify", "+cf", ca, "+uf", inter, path], capture_output=True, text=True, check=False
        )
        said = ran.stdout + ran.stderr
        assert ran.returncode == 0, (path, said)
        assert said.count("Signature #") == 1, (path, said)


@pytest.mark.interop
def test_signing_to_another_place(archive, tmp_path):
    out, ledger = tmp_path / "out", tmp_path / "ledger"
    before = {p: sha256(p) for p in files(archive)}
    said = killed_again_and_again(["sign", archive, "-o", out, *KEY, "--jobs", 2, "--ledger", ledger], ledger)

    assert {p: sha256(p) for p in files(archive)} == before, "inputs are untouched"
    assert [p.relative_to(out) for p in files(out)] == [p.relative_to(archive) for p in files(archive)]
    dcmsign_accepts(files(out))
    known = rows(ledger)
    assert set(known) == {str(p) for p in files(archive)}
    for path in files(archive):
        row, written = known[str(path)], out / path.relative_to(archive)
        assert (row["state"], row["verdict"]) == ("done", "signed")
        assert (row["digest"], row["output"]) == (before[path], str(written))
        assert row["output_digest"] == sha256(written)
    told = Counter(line.split()[1] for line in said if line.startswith("signed "))
    assert max(told.values()) <= 1, "what was told to be done is not done again"


@pytest.mark.interop
def test_signing_in_place(archive, tmp_path):
    ledger = tmp_path / "ledger"
    names = files(archive)
    killed_again_and_again(["sign", archive, "--in-place", *KEY, "--jobs", 2, "--ledger", ledger, "-q"], ledger)
    assert files(archive) == names, "nothing is left beside the files"
    dcmsign_accepts(names)
    known = rows(ledger)
    for path in names:
        row = known[str(path)]
        assert (row["state"], row["verdict"], row["output_digest"]) == ("done", "signed", sha256(path))
        assert row["uid"].encode() in path.read_bytes()


def test_verifying(archive, tmp_path, dsig):
    signed, ledger = tmp_path / "signed", tmp_path / "ledger"
    assert dsig("sign", archive, "-o", signed, *KEY, "--jobs", 2, "-q").status == 0
    again = ["verify", signed, *TRUST, "--jobs", 2, "--ledger", ledger, "--format", "json"]
    killed_again_and_again(again, ledger)
    last = dsig(*again)
    assert last.status == 0
    assert f"{FILES} had been done before" in last.err
    assert list(last.verdicts) == [str(p) for p in files(signed)]
    for path, row in rows(ledger).items():
        assert (row["verdict"], row["digest"]) == ("passed", sha256(Path(path)))


@contextmanager
def in_the_middle(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has begun and does not end: it has more to say than fits into its pipe, and nobody listens."""
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pipesize=4096
    ) as run:  # fmt: skip
        assert run.stdout.readline()
        yield run


def test_workers_die_with_their_parent(archive, tmp_path):
    """What a killed run leaves behind is nothing, also no process that goes on writing."""
    out = tmp_path / "out"
    with in_the_middle("sign", archive, "-o", out, *KEY, "--jobs", 2) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        assert len(children) >= 2
        run.kill()
    until = time.monotonic() + 300
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children):
        assert time.monotonic() < until, "a worker outlives its parent"
        time.sleep(0.02)
    shutil.rmtree(out)


def test_a_worker_that_is_killed_is_replaced(archive, tmp_path, dsig):
    """As by the kernel when memory runs out; signing in place, where a second time would be a second signature."""
    with in_the_middle("sign", archive, "--in-place", *KEY, "--jobs", 2) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        workers = [c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
        os.kill(int(workers[0]), signal.SIGKILL)
        run.stdout.read()
    assert run.returncode == 0
    assert len(files(archive)) == FILES, "nothing is left of what the worker was writing"
    report = dsig("verify", archive, *TRUST, "--format", "json").report
    assert report["summary"]["passed"] == FILES
    assert {len(f["signatures"]) for f in report["files"]} == {1}
