"""Timestamps for many files: over the network and by files, by workers, gone on with where a run ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from support import tsa
from support.pki import BASE, PKI
from timestamps.conftest import GOOD

from dsig.cli import main

pytestmark = pytest.mark.interop


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


@pytest.fixture
def server(stamps: tsa.Authority) -> Iterator[tsa.Server]:
    with tsa.serving(stamps) as running:
        yield running


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Four signed files in two folders, and one that is no DICOM."""
    top = tmp_path / "study"
    for name in ("a/1", "a/2", "b/1", "b/2"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(GOOD.file())
    (top / "notes.txt").write_text("no DICOM")
    return top


def ways(top: Path) -> list[str]:
    return sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_file())


def verified(stamps: tsa.Authority, top: Path) -> int:
    trust = ("--trust-root", PKI / "root.pem", "--intermediate", PKI / "inter.pem")
    return run("verify", top, *trust, "--tsa-root", stamps.directory / "root.pem", "--require-timestamp")


def test_a_tree_is_stamped_into_another(server: tsa.Server, stamps: tsa.Authority, study: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert run("timestamp", "fetch", study, "-o", out, "--tsa", server.url, "--jobs", 2) == 0
    assert ways(out) == ["a/1", "a/2", "b/1", "b/2"]
    assert len(set(server.asked)) == 4, "a query of its own for each"
    assert verified(stamps, out) == 0


def test_a_file_without_signature_is_told_and_the_rest_is_stamped(server, stamps, study: Path, capfd):
    shutil.copy(BASE / "sc_odd.dcm", study / "a" / "3")
    assert run("timestamp", "fetch", study, "--in-place", "--tsa", server.url) == 2
    said = capfd.readouterr()
    assert "no signature is there" in said.err
    assert str(study / "a" / "3") in said.err
    assert "4 of 5 files done" in said.err
    assert [line.split()[1] for line in said.out.splitlines()] == [str(study / n) for n in ("a/1", "a/2", "b/1", "b/2")]
    (study / "a" / "3").unlink()
    assert verified(stamps, study) == 0


def test_a_ledger_goes_on_where_the_tsa_went_away(server: tsa.Server, stamps, study: Path, tmp_path: Path, capfd):
    again = ("timestamp", "fetch", study, "--tsa", server.url, "--tsa-attempts", 1, "--jobs", 1)
    place = ("--in-place", "--ledger", tmp_path / "ledger")
    server.answers = [stamps.stamp, stamps.stamp, 503, 503]
    assert run(*again, *place) == 8
    assert run(*again, *place) == 0
    assert "2 had been done before" in capfd.readouterr().err
    assert len(server.asked) == 6
    assert verified(stamps, study) == 0
    capfd.readouterr()
    assert run("ledger", "show", tmp_path / "ledger", "--verdict", "timestamped") == 0
    assert capfd.readouterr().out.count("timestamped") == 1 + 4
    (study / "a" / "1").write_bytes(GOOD.file())
    assert run(*again, *place) == 0
    assert len(server.asked) == 7, "the same signature without its timestamp is not what was done"
    assert run(*again, "-o", tmp_path / "out", "--ledger", tmp_path / "ledger") == 2


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Eight signed files."""
    (tmp_path / "many").mkdir()
    for number in range(8):
        (tmp_path / "many" / str(number)).write_bytes(GOOD.file())
    return tmp_path / "many"


def fetching(server: tsa.Server, many: Path) -> tuple[object, ...]:
    return ("timestamp", "fetch", many, "-o", many.parent / "out", "--tsa", server.url, "--tsa-attempts", 1)


def test_a_tsa_that_is_down_is_not_asked_for_every_file(server: tsa.Server, stamps, many: Path, capfd):
    server.answers = [stamps.stamp, *[503] * 3]
    again = (*fetching(server, many), "--ledger", many.parent / "ledger")
    assert run(*again, "--jobs", 1) == 8
    assert len(server.asked) == 4
    told = capfd.readouterr().err
    assert told.count("HTTP status 503") == 2, "of the first files"
    assert "1 of 8 files done" in told
    assert all(str(many / name) in told.partition("not done: ")[2] for name in "34567"), "those left are named"
    last = [line for line in told.splitlines() if line.startswith("dsig: error")][-1]
    assert "for 3 files in a row" in last
    assert ways(many.parent / "out") == ["0"]

    assert run(*again, "--jobs", 1) == 0, "it answers again, and the same command does the rest"
    assert len(server.asked) == 4 + 7
    assert verified(stamps, many.parent / "out") == 0


def test_failures_between_timestamps_stop_nothing(server: tsa.Server, stamps, many: Path):
    server.answers = [503, 503, stamps.stamp, 503, 503, stamps.stamp, 503, 503]
    assert run(*fetching(server, many), "--jobs", 1) == 8
    assert len(server.asked) == 8
    assert ways(many.parent / "out") == ["2", "5"]


def test_files_that_need_no_tsa_say_nothing_about_it(server: tsa.Server, stamps, many: Path, capfd):
    for name in "024":
        shutil.copy(BASE / "sc_odd.dcm", many / name)
    server.answers = [503] * 8
    assert run(*fetching(server, many), "--jobs", 1) == 8
    assert len(server.asked) == 3, "1, 3, and 5"
    assert "0 of 8 files done" in capfd.readouterr().err


@pytest.mark.parametrize("verb", ["fetch", "sign"])
def test_workers_lose_patience_too(server: tsa.Server, stamps, many: Path, capfd, verb):
    server.answers = [503] * 16
    if verb == "fetch":
        command: tuple[object, ...] = fetching(server, many)
    else:
        key = ("--key", PKI / "p256.key.pem", "--cert", PKI / "p256.pem")
        tsa_ = ("--timestamp", server.url, "--tsa-attempts", 1)
        command = ("sign", many, "-o", many.parent / "out", *key, *tsa_)
    assert run(*command, "--jobs", 2) == 8
    assert 3 <= len(server.asked) <= 6, "each of the two asks three times, whatever tasks it gets"
    assert "0 of 8 files done" in capfd.readouterr().err
    assert not (many.parent / "out").exists()


def test_a_query_never_takes_the_place_of_a_dicom_file(study: Path, tmp_path: Path):
    one, other = study / "a" / "1", study / "a" / "2"
    for output in (one, other):
        assert run("timestamp", "query", one, "-o", output) == 8
    assert run("timestamp", "query", one, "-o", tmp_path / "q.tsq", "--uid-file", one) == 8
    assert (one.read_bytes(), other.read_bytes()) == (GOOD.file(), GOOD.file())
    assert not (tmp_path / "q.tsq").exists()


def test_queries_and_answers_of_a_tree_are_trees(stamps: tsa.Authority, study: Path, tmp_path: Path):
    queries, uids, answers, out = (tmp_path / name for name in ("queries", "uids", "answers", "out"))
    assert run("timestamp", "query", study, "-o", queries, "--uid-file", uids, "--jobs", 2) == 0
    assert ways(queries) == ["a/1.tsq", "a/2.tsq", "b/1.tsq", "b/2.tsq"]
    assert ways(uids) == ["a/1.uid.dcm", "a/2.uid.dcm", "b/1.uid.dcm", "b/2.uid.dcm"]
    assert pydicom.dcmread(uids / "b" / "2.uid.dcm").DigitalSignatureUID == "1.2.3.4.5"
    for query in queries.rglob("*.tsq"):
        answer = answers / query.relative_to(queries).with_suffix(".tsr")
        answer.parent.mkdir(parents=True, exist_ok=True)
        answer.write_bytes(stamps.stamp(query.read_bytes()))
    given = ("--query", queries, "--response", answers, "--uid-file", uids)
    assert run("timestamp", "attach", study, "-o", out, *given, "--jobs", 2) == 0
    assert ways(out) == ["a/1", "a/2", "b/1", "b/2"]
    assert verified(stamps, out) == 0

    (answers / "a" / "1.tsr").unlink()
    shutil.copy(answers / "b" / "1.tsr", answers / "a" / "2.tsr")
    assert run("timestamp", "attach", study, "-o", tmp_path / "less", *given) == 5
    assert ways(tmp_path / "less") == ["b/1", "b/2"], "an answer to another query is for nobody"


def test_one_answer_is_not_for_several_files(stamps: tsa.Authority, study: Path, tmp_path: Path, capfd):
    assert run("timestamp", "query", study / "a" / "1", "-o", tmp_path / "q.tsq") == 0
    (tmp_path / "r.tsr").write_bytes(stamps.stamp((tmp_path / "q.tsq").read_bytes()))
    given = ("--query", tmp_path / "q.tsq", "--response", tmp_path / "r.tsr")
    assert run("timestamp", "attach", study, "--in-place", *given) == 2
    assert "for several inputs is a directory" in capfd.readouterr().err
    assert run("timestamp", "attach", study / "a" / "1", "--in-place", *given) == 0
    assert run("timestamp", "query", study, "-o", tmp_path / "q.tsq") == 2, "a directory cannot go to a file"
