"""Many files through the command: the same answers whoever does the work, in the same order, each file once."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from batch_files import CORPUS, KEY, PKI, SMALL, TRUST, without_progress


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """What a directory may hold: passed, failed, unsigned, damaged, no DICOM."""
    top = tmp_path_factory.mktemp("mixed") / "in"
    good = CORPUS / "files" / "v-base-ct.dcm"
    for number in range(12):
        folder = top / f"s{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(good, folder / f"{number:02}-good")
    (top / "s0" / "20-bad").write_bytes(good.read_bytes().replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    shutil.copy(SMALL, top / "s0" / "21-unsigned")
    (top / "s1" / "22-cut").write_bytes(good.read_bytes()[:3000])
    (top / "s1" / "23.txt").write_text("no DICOM")
    return top


def test_workers_give_the_report_one_process_gives(dsig, mixed):
    one = dsig("verify", mixed, *TRUST, "--at", "2026-06-01T00:00:00Z", "--format", "json", "--jobs", 1)
    two = dsig("verify", mixed, *TRUST, "--at", "2026-06-01T00:00:00Z", "--format", "json", "--jobs", 2)
    assert one.report == two.report
    assert one.status == two.status == 1
    assert without_progress(one.err) == without_progress(two.err)
    assert "skipped 1 in " in two.err
    assert list(two.verdicts.values()) == ["passed"] * 6 + ["failed", "unsigned"] + ["passed"] * 6 + ["error"]
    assert two.report["summary"] == {
        "files": 15, "passed": 12, "failed": 1, "unsigned": 1, "error": 1, "indeterminate": 0
    }  # fmt: skip


@pytest.mark.parametrize("form", ["text", "junit"])
def test_other_reports_are_the_same_too(dsig, mixed, form):
    fixed = [*TRUST, "--at", "2026-06-01T00:00:00Z", "--format", form]
    one, two = (dsig("verify", mixed, *fixed, "--jobs", jobs) for jobs in (1, 2))
    assert one.out == two.out
    assert len(one.out) > 1000


def test_signing_by_workers_mirrors_the_tree(dsig, study, tmp_path):
    top = study(40)
    (top / "notes.txt").write_text("no DICOM")
    (top / "broken").write_bytes(SMALL.read_bytes()[:700])
    ran = dsig("sign", top, "-o", tmp_path / "out", *KEY, "--jobs", 2)
    assert ran.status == 5
    assert "40 of 41 files done" in ran.err
    inside = sorted(p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert inside == sorted(p.relative_to(top) for p in top.rglob("0*"))
    assert ran.out.count("signed ") == 40
    report = dsig("verify", tmp_path / "out", *TRUST, "--format", "json", "--jobs", 2)
    assert report.report["summary"]["passed"] == 40
    uids = {s["uid"] for f in report.report["files"] for s in f["signatures"]}
    assert len(uids) == 40


def test_the_package_can_be_run_without_its_script(dsig, study):
    """`python -m dsig`, workers included: another script of that name may be found first."""
    given = ["verify", str(study(6)), "--jobs", "2", "--format", "json"]
    done = subprocess.run([sys.executable, "-m", "dsig", *given], capture_output=True, text=True, check=False)
    ran = dsig(*given)
    assert (done.returncode, done.stdout) == (ran.status, ran.out)


def test_an_encrypted_key_is_opened_once_whatever_the_number_of_workers(dsig, study, tmp_path):
    """The passphrase comes from a pipe: nobody can read it twice."""
    read, write = os.pipe()
    password = "Pass-Word.1"
    os.write(write, password.encode())
    os.close(write)
    ran = dsig(
        "sign", study(20), "-o", tmp_path / "out", "--jobs", 2, "--passphrase-fd", read,
        "--key", PKI / "rsa2048.key.enc.pem", "--cert", PKI / "rsa2048.pem", pass_fds=[read],
    )  # fmt: skip
    os.close(read)
    assert ran.status == 0, ran.err
    assert len(list((tmp_path / "out").rglob("0*"))) == 20


def test_removing_by_workers_gives_back_the_files(dsig, study, tmp_path):
    top = study(20)
    assert dsig("sign", top, "-o", tmp_path / "signed", *KEY, "--jobs", 2, "-q").status == 0
    assert dsig("remove", tmp_path / "signed", "-o", tmp_path / "plain", "--all", "--jobs", 2, "-q").status == 0
    for path in top.rglob("0*"):
        assert (tmp_path / "plain" / path.relative_to(top)).read_bytes() == path.read_bytes()


def test_a_list_from_another_program(dsig, study, tmp_path):
    top = study(9)
    names = "\n".join(sorted(str(p.relative_to(tmp_path)) for p in top.rglob("0*")))
    ran = dsig("sign", "-", "-o", tmp_path / "out", *KEY, "-q", input=names.encode(), cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert len(list((tmp_path / "out" / "study").rglob("0*"))) == 9
    ran = dsig("verify", "-", "--format", "json", input=names.encode(), cwd=tmp_path)
    assert list(ran.verdicts) == names.split("\n")


def test_a_trouble_with_the_key_ends_the_run(dsig, study, tmp_path):
    ran = dsig("sign", study(5), "-o", tmp_path / "out", "--jobs", 2, "--key", PKI / "rsa2048.key.pem",
               "--cert", PKI / "p256.pem")  # fmt: skip
    assert ran.status == 6
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_one_output_for_two_inputs_is_refused_before_any_work(dsig, study, tmp_path):
    one, two = study(3, name="one"), study(3, name="two")
    (one / "README").write_text("no DICOM")
    (two / "README").write_text("no DICOM")
    ran = dsig("sign", one, two, "-o", tmp_path / "out", *KEY)
    assert ran.status == 2
    assert str(one / "series0" / "00000") in ran.err
    assert not (tmp_path / "out").exists()
    shutil.rmtree(two / "series0"), shutil.rmtree(two / "series1"), shutil.rmtree(two / "series2")
    shutil.copy(SMALL, two / "other")
    assert dsig("sign", one, two, "-o", tmp_path / "out", *KEY).status == 0, "two files that are no DICOM do not count"


def test_what_is_named_twice_is_signed_once(dsig, study, tmp_path):
    top = study(3)
    (top / "link").symlink_to(top / "series0" / "00000")
    given = f"{top / 'series0' / '00000'}\n{top}/./series0/00000\n"
    ran = dsig("sign", "-", "-o", tmp_path / "out", *KEY, input=given.encode())
    assert ran.status == 0, ran.err
    assert ran.out.count("signed ") == 1
    assert "skipped 1 that was named before" in ran.err
    ran = dsig("sign", "-", top, "--in-place", *KEY, input=given.encode())
    assert ran.status == 0, ran.err
    assert "skipped 3 that were named before" in ran.err
    report = dsig("verify", top, *TRUST, "--format", "json").report
    assert [len(f["signatures"]) for f in report["files"]] == [1] * 4


def test_an_output_without_name_is_not_the_current_directory(dsig, study, tmp_path):
    """As with `-o "$OUT"` when OUT is not set."""
    for given in (study(2), SMALL):
        ran = dsig("sign", given, "-o", "", *KEY, cwd=tmp_path)
        assert ran.status == 2
    assert [p.name for p in tmp_path.iterdir()] == ["study"]


def test_workers_elsewhere_are_given_absolute_paths(tmp_path, monkeypatch):
    """They have another current directory, and the report says what was typed."""
    from dsig.batch.inputs import Input
    from dsig.batch.outputs import placement
    from dsig.batch.run import Chosen, run
    from dsig.batch.work import Answer
    from dsig.plugins import default

    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    place = placement(["in"], "out", in_place=False)
    given = []

    def work(jobs):
        given.extend(jobs)
        return [Answer() for _ in jobs]

    entries = [Input("in/a", "a", listed=True)]
    outcomes = list(run(entries, work, Chosen("serial", 1, local=False), plugins=default(), target=place.of))
    assert [(j.source, j.target) for j in given] == [(str(tmp_path / "in" / "a"), str(tmp_path / "out" / "a"))]
    assert [o.path for o in outcomes] == ["in/a"]
    assert place.within(local=False) == str(tmp_path / "out")
    assert place.within(local=True) == "out"


def test_schedulers_and_executors_nobody_has_are_refused(dsig, study):
    for more in (["--executor", "nobody"], ["--scheduler", "tcp://x"], ["--executor", "process", "--scheduler", "x"]):
        ran = dsig("verify", study(2), *more)
        assert ran.status == 2
        assert ran.err.count("\n") == 1


# -------------------------------------------------------------------------------------------------------------- ledger


def rows(ledger) -> dict[str, dict[str, object]]:
    with closing(sqlite3.connect(ledger)) as base, base:
        base.row_factory = sqlite3.Row
        return {row["path"]: dict(row) for row in base.execute("select * from inputs")}


def test_the_ledger_has_what_is_on_the_disk(dsig, study, tmp_path):
    import hashlib

    top, ledger = study(10), tmp_path / "ledger"
    (top / "cut").write_bytes(SMALL.read_bytes()[:700])
    assert dsig("sign", top, "-o", tmp_path / "out", *KEY, "--ledger", ledger, "-q").status == 5
    found = rows(ledger)
    assert len(found) == 11
    for path in top.rglob("0*"):
        row, out = found[str(path)], tmp_path / "out" / path.relative_to(top)
        assert row["verdict"] == "signed"
        assert row["digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (row["size"], row["mtime_ns"]) == (path.stat().st_size, path.stat().st_mtime_ns)
        assert row["output"] == str(out)
        assert row["output_digest"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (found[str(top / "cut")]["verdict"], found[str(top / "cut")]["exit_status"]) == ("error", 5)


def test_the_same_command_again_does_the_rest(dsig, study, tmp_path):
    top, ledger = study(10), tmp_path / "ledger"
    again = ["sign", top, "-o", tmp_path / "out", *KEY, "--ledger", ledger]
    assert dsig(*again).status == 0
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("0*")}
    changed, lost, damaged, new = (top / "series0" / "00000", *(list(before)[n] for n in (3, 5)), top / "new")
    data = bytearray(changed.read_bytes())
    data[-2] ^= 1
    changed.write_bytes(data)
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-100])
    shutil.copy(SMALL, new)
    ran = dsig(*again)
    assert ran.status == 0
    assert ran.out.count("signed ") == 4
    assert "7 had been done before" in ran.err
    assert "3 had changed since" in ran.err
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*") if p.is_file()}
    redone = {p for p in after if after[p] != before.get(p)}
    assert redone == {tmp_path / "out" / "series0" / "00000", lost, damaged, tmp_path / "out" / "new"}
    assert dsig("verify", tmp_path / "out", *TRUST).status == 0


def test_a_file_that_only_looks_changed_is_not_done_again(dsig, study, tmp_path):
    top, ledger = study(4), tmp_path / "ledger"
    again = ["sign", top, "-o", tmp_path / "out", *KEY, "--ledger", ledger]
    dsig(*again)
    for path in [*top.rglob("0*"), *(tmp_path / "out").rglob("0*")]:
        os.utime(path, (1, 1))
    assert dsig(*again).out == ""


def test_signing_in_place_again_signs_nothing_twice(dsig, study, tmp_path):
    top, ledger = study(6), tmp_path / "ledger"
    again = ["sign", top, "--in-place", *KEY, "--ledger", ledger, "-q"]
    assert dsig(*again).status == 0
    shutil.copy(SMALL, top / "new")
    touched = top / "series0" / "00000"
    touched.write_bytes(touched.read_bytes() + b"")
    assert dsig(*again).status == 0
    found = dsig("verify", top, *TRUST, "--format", "json").report["files"]
    assert [len(f["signatures"]) for f in found] == [1] * 7


def test_a_verification_that_goes_on_reports_on_every_file(dsig, mixed, tmp_path):
    again = ["verify", mixed, *TRUST, "--format", "json", "--ledger", tmp_path / "ledger"]
    first, second = dsig(*again), dsig(*again)
    assert first.status == second.status == 1
    assert "14 had been done before" in second.err, "what could not be read is tried again"
    assert first.report == second.report


def test_a_file_forged_in_place_whose_time_was_set_back_is_verified_again(dsig, tmp_path):
    path = tmp_path / "in" / "one"
    path.parent.mkdir()
    shutil.copy(CORPUS / "files" / "v-base-mr.dcm", path)
    again = ["verify", path.parent, "--no-trust", "--format", "json", "--ledger", tmp_path / "ledger"]
    assert dsig(*again).status == 0
    before = path.stat()
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(content.index(b"CompressedSamples"))
        file.write(b"F")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    found = dsig(*again)
    assert (found.status, found.report["files"][0]["verdict"]) == (1, "failed")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--mac", "SHA512"], "mac"),
        (["--tag", "PatientName"], "tags"),
        (["--key", str(PKI / "p256.key.pem"), "--cert", str(PKI / "p256.pem")], "certificate"),
    ],
)
def test_a_ledger_of_another_command_is_refused(dsig, study, tmp_path, more, word):
    top, ledger = study(2), tmp_path / "ledger"
    assert dsig("sign", top, "-o", tmp_path / "out", *KEY, "--ledger", ledger, "-q").status == 0
    ran = dsig("sign", top, "-o", tmp_path / "out", *KEY, *more, "--ledger", ledger)
    assert ran.status == 2
    assert word in ran.err
    assert ran.err.count("\n") == 1
    verified = dsig("verify", top, "--ledger", ledger)
    assert verified.status == 2
    assert verified.err.startswith("dsig: error: the ledger was begun with another command: dsig sign [")
    assert [p.name for p in tmp_path.glob("ledger*")] == ["ledger"], "a run that is refused leaves nothing beside it"
    assert dsig("sign", top, "-o", tmp_path / "elsewhere", *KEY, "--ledger", ledger).status == 2


def test_what_is_no_ledger_is_left_alone(dsig, study, tmp_path):
    text = tmp_path / "text"
    text.write_text("mine")
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as base, base:
        base.execute("create table inputs (path)")
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older)) as base, base:
        base.execute("create table ledger (name)")
    newer = tmp_path / "newer.db"
    assert dsig("verify", study(2), "--no-trust", "--ledger", newer).status == 4
    with closing(sqlite3.connect(newer)) as base, base:
        base.execute("update ledger set value = 'dsig.ledger/9' where key = 'schema'")
    before = other.read_bytes()
    for path in (older, newer):
        for ran in (dsig("ledger", "show", path), dsig("ledger", "export", path)):
            assert (ran.status, ran.out) == (2, "")
            assert "it is no dsig.ledger/1" in ran.err
    for path in (text, other, older, newer, tmp_path):
        ran = dsig("verify", study(2), "--ledger", path)
        assert ran.status in (2, 8), ran
        assert ran.err.count("\n") == 1
    assert text.read_text() == "mine"
    assert other.read_bytes() == before
    assert not [*tmp_path.glob("*-wal"), *tmp_path.glob("*-shm")]
