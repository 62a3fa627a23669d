"""How a run over many files ends: interrupted, on a full disk, with folders nobody may read, with nobody listening."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import shutil
import signal
import sqlite3
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from batch_files import KEY, SMALL, TRUST, command, without_progress

from dsig.batch.ledger import COLUMNS

IS_ROOT = os.geteuid() == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_ends_with_a_report_of_what_was_done(dsig, study, tmp_path, number, status):
    top, signed = study(1500), tmp_path / "signed"
    assert dsig("sign", SMALL, "-o", signed, *KEY).status == 0
    for path in top.rglob("0*"):
        shutil.copy(signed, path)
    with subprocess.Popen(
        command("verify", top, *TRUST, "--format", "json", "--jobs", 2),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True,
    ) as run:  # fmt: skip
        out = "".join(run.stdout.readline() for _ in range(100))
        os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)  # as a terminal does
        out += run.stdout.read()
        err = run.stderr.read()
    assert run.returncode == status, err
    assert "Traceback" not in err
    report = json.loads(out)
    assert 100 <= report["summary"]["files"] == len(report["files"]) < 1500
    assert report["summary"]["passed"] == report["summary"]["files"]
    paths = [f["path"] for f in report["files"]]
    assert paths == sorted(str(p) for p in top.rglob("0*"))[: len(paths)], "the first ones, without a gap"


def test_an_interrupted_signing_leaves_whole_files_and_goes_on(dsig, study, tmp_path):
    top, out, ledger = study(1000), tmp_path / "out", tmp_path / "ledger"
    arguments = ["sign", top, "-o", out, *KEY, "--jobs", 2, "--ledger", ledger]
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pipesize=4096
    ) as run:  # a pipe that is soon full, so that it waits for us however fast it is
        for _ in range(50):
            run.stdout.readline()
        run.send_signal(signal.SIGINT)
        run.stdout.read()
        err = run.stderr.read()
    assert run.returncode == 130
    written = [p for p in out.rglob("*") if p.is_file()]
    assert f"{len(written)} of {len(written)} files done" in err
    assert 0 < len(written) < 1000
    again = dsig(*arguments)
    assert again.status == 0
    assert f"{len(written)} had been done before" in again.err
    assert dsig("verify", out, *TRUST, "--format", "json").report["summary"]["passed"] == 1000


def test_an_interrupt_while_modules_are_imported_is_no_traceback():
    code = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # these tests may run where it is ignored
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from dsig.cli import console
console(["--help"])
"""
    done = subprocess.run([command()[0], "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "dsig: note: interrupted\n")


class Interrupted:
    """Work that is interrupted as soon as it arrives, as by Ctrl-C while workers are started."""

    def __setstate__(self, state: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def __getstate__(self) -> dict[str, int]:
        return {"number": 1}

    def __call__(self, task: int) -> int:
        return task + 1


def test_workers_leave_interrupts_to_their_parent():
    from dsig.hookspecs import ExecutorSettings
    from dsig_executors.process import Processes

    assert list(Processes().run(Interrupted(), iter([1, 2]), ExecutorSettings(1, None))) == [2, 3]


def test_a_reader_that_went_away_changes_no_verdict(dsig, study):
    top = study(200)
    (top / "series2" / "zz-missing").symlink_to(top / "nowhere")
    with subprocess.Popen(
        command("verify", top, "--no-trust", "--jobs", 2), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        run.stdout.readline()
        run.stdout.close()
        err = run.stderr.read()
    assert run.returncode == 5, err
    assert without_progress(err) == ""


@pytest.mark.skipif(not IS_ROOT, reason="mounts a file system")
def test_a_disk_that_fills_up_stops_nothing_but_the_files_that_do_not_fit(dsig, study, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    top = study(60, folders=1)
    big = top / "series0" / "00030"
    big.write_bytes((Path(__file__).parents[1] / "corpus" / "base" / "ct.dcm").read_bytes())
    (top / "series0" / "00031").write_bytes(SMALL.read_bytes()[:500])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], check=True)
    try:
        ledger = tmp_path / "ledger"
        small = ["sign", top, "-o", disk / "out", *KEY, "--ledger", ledger, "-q"]
        (disk / "ballast").write_bytes(bytes(240_000))
        for jobs in (1, 2):
            ran = dsig(*small, "--jobs", jobs)
            assert ran.status == 8, "an output that is not written is graver than an input that cannot be read"
            assert "No space left on device" in ran.err
            assert "00031" in ran.err
            assert ran.err.count("\n") < 12
            whole = [p for p in (disk / "out").rglob("*") if p.is_file()]
            assert 20 < len(whole) < 59
            assert dsig("verify", disk / "out", *TRUST).status == 0, "what is there is whole"
        (disk / "ballast").unlink()
        assert dsig(*small).status == 5
        assert len([p for p in (disk / "out").rglob("0*") if p.is_file()]) == 59
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(not IS_ROOT, reason="mounts a file system")
def test_a_disk_that_cannot_be_written_shows_its_ledger_and_takes_no_other(dsig, study, tmp_path):
    disk, top = tmp_path / "disk", study(3)
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        assert dsig("verify", top, "--ledger", disk / "ledger").status == 4
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        shown = dsig("ledger", "show", disk / "ledger")
        assert shown.status == 0, shown.err
        assert "unsigned    3" in shown.out
        again = dsig("verify", top, "--ledger", disk / "ledger")
        assert again.status == 8
        assert "Read-only file system" in again.err
        assert (again.out, again.err.count("\n")) == ("", 1)
        ran = dsig("sign", top, "-o", disk / "out", *KEY)
        assert ran.status == 8
        assert "choose another place" in ran.err
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_nobody_may_read_is_told_and_the_rest_is_done(study, tmp_path):
    """As somebody else if we are root, whom permissions don't stop."""
    top = study(9)
    closed = top / "series1"
    modes = {p: p.stat().st_mode for p in (tmp_path, *tmp_path.parents)}
    for path, mode in modes.items():
        if not mode & 0o001:
            path.chmod(mode | 0o001)
    closed.chmod(0)
    script = (
        "import os, sys; sys.dont_write_bytecode = True; import dsig, dsig.cli, dsig.cli.verify, dsig.plugins;"
        "from dsig.cli import main; main(['verify', sys.argv[2], '--format', 'json']);"
        "os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534));"
        "os.environ['HOME'] = '/nonexistent'; sys.stdout.flush(); print('----', flush=True);"
        "sys.exit(main(['verify', sys.argv[1], '--format', 'json']))"
    )
    try:
        done = subprocess.run([command()[0], "-c", script, top, SMALL], capture_output=True, text=True, check=False)
    finally:
        closed.chmod(0o755)
        for path, mode in modes.items():
            if not mode & 0o001:
                path.chmod(mode)
    assert done.returncode == 5, done.stderr
    report = json.loads(done.stdout.partition("----\n")[2])
    assert report["summary"] | {"files": 7, "unsigned": 6, "error": 1} == report["summary"]
    (error,) = [f for f in report["files"] if f["verdict"] == "error"]
    assert error["path"] == str(closed)
    assert "Permission denied" in error["error"]["message"]


# ------------------------------------------------------------------------------------------------------------ progress


def seen_on_a_terminal(arguments: list[object], lines: int = 24, columns: int = 120) -> str:
    """What a person sees, control sequences included."""
    main, sub = pty.openpty()
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    with subprocess.Popen(command(*arguments), stdin=sub, stdout=subprocess.DEVNULL, stderr=sub) as run:
        os.close(sub)
        shown = b""
        while True:
            try:
                shown += os.read(main, 65536)
            except OSError:
                break
        run.wait()
    os.close(main)
    return shown.decode()


def test_a_terminal_shows_a_bar_with_rate_time_left_and_verdicts(study):
    shown = seen_on_a_terminal(["verify", study(800), "--jobs", 2])
    assert "/800" in shown
    assert " files/s" in shown
    assert " unsigned" in shown
    assert "<" in shown, "time gone < time left"


@pytest.mark.parametrize(("lines", "columns"), [(0, 0), (24, 0), (0, 80)])
def test_a_terminal_that_does_not_know_its_size_gets_a_bar_of_a_usual_one(study, lines, columns):
    """Serial lines and containers say 0."""
    shown = seen_on_a_terminal(["verify", study(50)], lines, columns)
    assert "files/s" in shown
    assert max(len(line) for line in shown.split("\r")) <= 80


def test_elsewhere_there_is_no_bar(dsig, study):
    said = dsig("verify", study(300), "--jobs", 2).err
    assert "\r" not in said
    assert without_progress(said) == ""


def test_quiet_means_no_bar(study):
    assert seen_on_a_terminal(["verify", study(60), "-q"]) == ""


# -------------------------------------------------------------------------------------------------------------- ledger


def test_the_ledger_can_be_shown_and_exported(dsig, study, tmp_path):
    top, ledger = study(5), tmp_path / "ledger"
    (top / "cut").write_bytes(SMALL.read_bytes()[:700])
    dsig("sign", top, "-o", tmp_path / "out", *KEY, "--ledger", ledger)
    shown = dsig("ledger", "show", ledger)
    assert shown.status == 0
    assert f"{ledger}: sign" in shown.out
    assert [line.split() for line in shown.out.splitlines()[1:4]] == [["inputs", "6"], ["error", "1"], ["signed", "5"]]
    assert str(top / "cut") in shown.out
    assert str(top / "series0" / "00000") not in shown.out
    assert str(top / "series0" / "00000") in dsig("ledger", "show", ledger, "--verdict", "signed").out

    as_csv = list(csv.DictReader(io.StringIO(dsig("ledger", "export", ledger).out)))
    as_json = json.loads(dsig("ledger", "export", ledger, "--format", "json").out)
    assert len(as_csv) == len(as_json) == 6
    assert dsig("ledger", "export", ledger, "--format", "parquet", "-o", tmp_path / "p").status == 0
    parquet = pytest.importorskip("pyarrow.parquet")
    as_parquet = parquet.read_table(tmp_path / "p").to_pylist()
    assert as_parquet == as_json
    assert [r["path"] for r in as_csv] == [r["path"] for r in as_json] == sorted(r["path"] for r in as_json)
    assert [r["size"] for r in as_csv] == [str(r["size"]) for r in as_json]
    assert [p.name for p in tmp_path.glob("ledger*")] == ["ledger"], "looking leaves nothing beside it"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_damaged_ledger_is_told_before_anything_of_it_is_out(dsig, study, tmp_path, form):
    """Its first pages are whole: rows of them would be there before the bad one is read."""
    ledger = tmp_path / "ledger"
    assert dsig("verify", study(1), "--no-trust", "--ledger", ledger).status == 4
    with contextlib.closing(sqlite3.connect(ledger)) as base, base:
        names = ", ".join(COLUMNS[1:])
        more = [(f"/later/{number:05}",) for number in range(5_000)]
        base.executemany(f"insert into inputs (path, {names}) select ?, {names} from inputs limit 1", more)
    whole = dsig("ledger", "export", ledger, "--format", form)
    assert (whole.status, whole.out.count("/later/")) == (0, 5_000)
    data = bytearray(ledger.read_bytes())
    last = data.rindex(b"/later/04999") // 4096 * 4096
    data[last : last + 4096] = b"\xff" * 4096
    ledger.write_bytes(data)
    with contextlib.closing(sqlite3.connect(ledger)) as base, pytest.raises(sqlite3.DatabaseError):
        for number, _ in enumerate(base.execute("select path from inputs order by path")):
            assert number < 5_000
    assert number > 1_000, "so many can be read"
    ran = dsig("ledger", "export", ledger, "--format", form)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("dsig: error: the ledger cannot be used: database disk image is malformed")
    assert ran.err.count("\n") == 1


def test_a_ledger_in_use_is_refused(dsig, study, tmp_path):
    ledger = tmp_path / "ledger"
    top = study(2)
    assert dsig("verify", top, "--ledger", ledger).status == 4
    with ledger.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        began = time.monotonic()
        ran = dsig("verify", top, "--ledger", ledger)
        assert ran.status == 2
        assert "another run is using the ledger" in ran.err
        assert time.monotonic() - began > 5, "workers of a killed run are given time to end"


def test_no_password_reaches_the_ledger(dsig, study, tmp_path):
    from dsig.batch.purpose import settings
    from dsig.trust.material import TrustMaterial
    from dsig.verbs.verify import VerifyOptions

    one = settings(VerifyOptions(trust=TrustMaterial(anchors=(b"a" * 9000,))))
    other = settings(VerifyOptions(trust=TrustMaterial(anchors=(b"b" * 9000,))))
    assert one != other
    assert max(len(json.dumps(value)) for value in one.values()) < 100
