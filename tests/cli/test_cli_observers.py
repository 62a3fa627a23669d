"""Observers hear of every verdict and signature and change none, whatever they do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PLUGIN = """
import os, sys, threading, time
from dsig.hookspecs import ObserverSpec, hookimpl

@hookimpl
def dsig_observers():
    return [ObserverSpec(name="trail", summary="x", factory="plugin_acme_trail:Trail")]

class Trail:
    def __init__(self):
        {init}
    def _told(self, what, path):
        with open(os.environ["ACME_TRAIL"], "a") as file:
            file.write(what + " " + path + "\\n")
    def verified(self, report):
        {verified}
        self._told(report.verdict.value, report.path)
    def signed(self, facts):
        self._told("signed " + facts.uid + " " + facts.signer.sha256, facts.output)
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Longer than any machine needs; who is to be stopped is stopped sooner."""
    monkeypatch.setattr("dsig.observing.audience.SECONDS", 100.0)
    return lambda seconds: monkeypatch.setattr("dsig.observing.audience.SECONDS", seconds)


@pytest.fixture
def observed(install, tmp_path, monkeypatch):
    """Installs an observer that does this; gives the lines of its trail."""
    trail = tmp_path / "trail.txt"
    monkeypatch.setenv("ACME_TRAIL", str(trail))

    def observed(verified: str = "pass", init: str = "pass"):
        install("acme-trail", "trail", PLUGIN.format(verified=verified, init=init))
        return lambda: trail.read_text().splitlines() if trail.exists() else []

    return observed


def test_they_hear_each_verdict_once_in_order(run, observed, signed_ct, trust, tmp_path):
    lines = observed()
    unsigned, broken = tmp_path / "b.dcm", tmp_path / "c.dcm"
    broken.write_bytes(b"no DICOM at all")
    unsigned.write_bytes((Path(__file__).parents[1] / "corpus" / "base" / "ct.dcm").read_bytes())
    ran = run("verify", signed_ct, unsigned, broken, *trust, "--format", "json")
    assert ran.status == 5
    files = json.loads(ran.out)["files"]
    assert lines() == [f"{file['verdict']} {file['path']}" for file in files]
    assert len(files) == 3
    assert "trail" not in ran.err


def test_they_hear_of_signatures_made_by_workers_too(run, observed, key, tmp_path):
    lines = observed()
    study = tmp_path / "study"
    study.mkdir()
    image = (Path(__file__).parents[1] / "corpus" / "base" / "ct.dcm").read_bytes()
    for number in range(3):
        (study / f"{number}.dcm").write_bytes(image)
    assert run("sign", study, "-o", tmp_path / "out", *key, "--jobs", "2", "--executor", "process").status == 0
    assert [line.rpartition("/")[2] for line in lines()] == ["0.dcm", "1.dcm", "2.dcm"]
    assert len({line.split()[1] for line in lines()}) == 3


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ({"verified": "raise ValueError(report.path)"}, "failed 1 of 1 times: ValueError"),
        ({"verified": "sys.exit(7)"}, "failed 1 of 1 times: SystemExit"),
        ({"verified": "os._exit(7)"}, "ended before it was told everything"),
        ({"verified": "os.kill(os.getpid(), 11)"}, "ended before it was told everything"),
        ({"verified": "threading.Event().wait()"}, "was stopped: it was not done"),
        ({"init": "import no_such_module"}, "does not load"),
        ({"verified": "os.write(1, b'x' * 10**6); print('verdict: failed')"}, ""),
        ({"verified": "os.kill(os.getppid(), 0); report.signatures[0].axes.clear()"}, ""),
        ({"init": "os.environ.clear(); os.environ['ACME_TRAIL'] = os.devnull"}, ""),
    ],
    ids=lambda value: next(iter(value.values()))[:24] if isinstance(value, dict) else "",
)
def test_nothing_they_do_changes_a_verdict(run, observed, signed_ct, trust, does, told, patience):
    if "wait" in str(does):
        patience(0.5)
    before = run("verify", signed_ct, *trust, "--at", "2026-06-01T00:00:00Z", "--format", "json")
    observed(**does)
    ran = run("verify", signed_ct, *trust, "--at", "2026-06-01T00:00:00Z", "--format", "json")
    assert (ran.status, ran.out) == (before.status, before.out)
    assert before.status == 0
    assert (told in ran.err) if told else ("warning" not in ran.err)
    if told:
        assert "observer trail of acme-trail" in ran.err
        assert ran.err.count("\n") == 1


def test_one_that_reads_nothing_holds_nobody_up(run, observed, signed_ct, trust, monkeypatch, patience):
    """What waits for it fits into a queue; what does not is left out, and said."""
    patience(0.5)
    monkeypatch.setattr("dsig.observing.audience.WAITING", 2)
    observed("threading.Event().wait()")
    ran = run("verify", *[signed_ct] * 40, *trust, "--quiet")
    assert ran.status == 0
    assert ran.out.count("passed") == 40
    assert "was stopped" in ran.err


def test_they_see_no_secret_and_no_terminal(run, observed, tmp_path, monkeypatch):
    lines = observed(
        init="self._told('env', str(dict(os.environ))); self._told('terminal', str(any(map(os.isatty, range(3)))))"
    )
    pki = Path(__file__).parents[1] / "corpus" / "pki"
    image = Path(__file__).parents[1] / "corpus" / "base" / "ct.dcm"
    monkeypatch.setenv("THE_PASSPHRASE", "Pass-Word.1")
    given = ["--key", pki / "p256.key.enc.pem", "--cert", pki / "p256.pem", "--passphrase-env", "THE_PASSPHRASE"]
    assert run("sign", image, "-o", tmp_path / "signed.dcm", *given).status == 0
    assert lines()[0].startswith("env ")
    assert "Pass-Word.1" not in "\n".join(lines())
    assert lines()[1] == "terminal False"
    assert lines()[2].startswith("signed ")


def test_who_may_not_take_part_is_not_told(run, observed, signed_ct, trust):
    lines = observed()
    assert run("verify", signed_ct, *trust, "--no-plugins").status == 0
    assert lines() == []
    assert run("verify", signed_ct, *trust).status == 0
    assert len(lines()) == 1


def test_the_doctor_loads_them_and_tells_them_nothing(run, observed):
    lines = observed()
    ran = run("plugins", "doctor", "trail", "--json")
    assert ran.status == 0, ran.out
    assert lines() == []
