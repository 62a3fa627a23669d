"""`dsig verify`: what goes in, where the report goes, and that the JSON is what the schema says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import dsig

SCHEMA = json.loads((Path(dsig.__file__).parent / "schema" / "report-1.schema.json").read_text())

REPORTER = """
from dsig.hookspecs import ReporterSpec, hookimpl

class Raw:
    def render(self, report, stream, *, verbose=0):
        stream.write(b"RAW" + bytes([len(report.files)]))

class Broken:
    def render(self, report, stream, *, verbose=0):
        stream.write("half a rep")
        raise KeyError("canary")

@hookimpl
def dsig_reporters():
    return [
        ReporterSpec(name="raw", summary="bytes", factory="plugin_acme_reports:Raw", binary=True),
        ReporterSpec(name="broken", summary="fails", factory="plugin_acme_reports:Broken"),
    ]
"""


@pytest.fixture(scope="session")
def validator():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


def test_report_of_every_file_of_the_corpus_is_as_the_schema_says(run, corpus, trust, validator):
    ran = run("verify", corpus / "files", corpus / "base", *trust, "--format", "json")
    assert ran.status == 1
    report = json.loads(ran.out)
    validator.validate(report)
    assert {f["verdict"] for f in report["files"]} == {"passed", "failed", "indeterminate", "unsigned", "error"}
    assert report["summary"]["files"] == len(report["files"]) > 800
    assert ran.out.isascii()


def test_fixed_points_of_the_report(run, signed_ct, ct, tmp_path, trust):
    missing = tmp_path / "missing.dcm"
    report = json.loads(run("verify", signed_ct, ct, missing, *trust, "--format", "json").out)
    assert report["schema"] == "dsig.report/1"
    assert [f["path"] for f in report["files"]] == [str(signed_ct), str(ct), str(missing)]
    assert report["summary"] == {"files": 3, "passed": 1, "failed": 0, "indeterminate": 0, "unsigned": 1, "error": 1}
    assert report["files"][2]["error"]["code"] == "input-unreadable"
    (signature,) = report["files"][0]["signatures"]
    # openssl x509 -in pki/rsa2048.pem -noout -fingerprint -sha256
    assert signature["signer"]["sha256"] == "b58628d7a22b2f79b4b0349682262663a8d3cc0bde8603e30bc1d4fd17a9a5ac"
    assert signature["coverage"] == {
        "signed": 257,
        "unsigned": [],
        "absent": [],
        "unsigned_more": 0,
        "protection": {"pixels": "signed", "identity": "signed", "uids": "signed", "content": "signed"},
    }
    assert signature["location"] == "/"
    assert signature["times"]["proven"] is None
    assert {use["name"] for use in report["plugins"]} == {"certvalidator", "cryptography", "macs", "reports"}


def test_files_found_in_a_directory_are_named_from_there(run, corpus, ct, tmp_path, monkeypatch):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "x").write_bytes(ct.read_bytes())
    monkeypatch.chdir(tmp_path)
    report = json.loads(run("verify", "in", "--format", "json").out)
    assert [f["path"] for f in report["files"]] == ["in/sub/x"]


def test_verdict_comes_first_and_is_never_a_bare_ok(run, signed_ct, trust):
    for more in ([], ["--quiet"], ["--verbose"]):
        first = run("verify", signed_ct, *trust, *more).out.splitlines()[0]
        assert first == f"passed        {signed_ct} (1 signature: 257 elements signed, none unsigned)"


def test_what_is_protected_is_summed_up_and_what_is_not_is_shown(run, corpus, trust, validator):
    file = corpus / "files" / "v-tags-one.dcm"
    plain = run("verify", file, *trust).out
    assert "pixels unsigned, identity partly, UIDs unsigned, clinical content unsigned" in plain
    assert "unsigned    (0010,0020) PatientID: not-listed = 4MR1" in run("verify", file, *trust, "-v").out
    ran = run("verify", file, *trust, "--format", "json")
    validator.validate(json.loads(ran.out))
    coverage = json.loads(ran.out)["files"][0]["signatures"][0]["coverage"]
    assert {"tag": "00100020", "keyword": "PatientID", "reason": "not-listed", "location": "", "value": "4MR1"} in (
        coverage["unsigned"]
    )
    assert coverage["protection"]["identity"] == "partly"


def test_quiet_is_one_line_a_file(run, signed_ct, ct, tampered, trust):
    out = run("verify", signed_ct, ct, tampered, *trust, "-q").out.splitlines()
    assert [line.split()[0] for line in out] == ["passed", "unsigned", "failed"]


def test_signer_of_other_data_is_not_called_proven(run, tampered, trust):
    out = " ".join(run("verify", tampered, *trust).out.split())
    assert "as the certificate says; integrity failed" in out


def test_report_goes_to_a_file_whole_or_not_at_all(run, signed_ct, trust, tmp_path, validator):
    path = tmp_path / "report.json"
    path.write_text("old")
    ran = run("verify", signed_ct, *trust, "--format", "json", "--report", path)
    assert (ran.status, ran.out) == (0, "")
    validator.validate(json.loads(path.read_text()))
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_report_of_a_failing_plugin_leaves_the_old_one(run, install, signed_ct, trust, tmp_path):
    install("acme-reports", "acme", REPORTER)
    path = tmp_path / "report"
    path.write_text("old")
    ran = run("verify", signed_ct, *trust, "--format", "broken", "--report", path)
    assert ran.status == 7
    assert "acme-reports" in ran.err
    assert "canary" not in ran.err
    assert path.read_text() == "old"


def test_binary_report_reaches_file_and_pipe(run, install, signed_ct, trust, tmp_path):
    install("acme-reports", "acme", REPORTER)
    assert run("verify", signed_ct, *trust, "--format", "raw").out == "RAW\x01"
    run("verify", signed_ct, *trust, "--format", "raw", "--report", tmp_path / "r")
    assert (tmp_path / "r").read_bytes() == b"RAW\x01"


LIAR = """
from dsig.hookspecs import TrustBackendSpec, TrustEvidence, hookimpl
from dsig.model import Status

class Liar:
    def evaluate(self, request):
        return TrustEvidence(Status.PASSED, (), ())

@hookimpl
def dsig_trust_backends():
    return [TrustBackendSpec(name="liar", summary="yes", factory="plugin_acme_liar:Liar")]
"""


def test_a_trust_backend_that_says_yes_without_a_path_is_not_believed(run, install, signed_ct, trust):
    install("acme-liar", "acme", LIAR)
    ran = run("verify", signed_ct, *trust, "--trust-backend", "liar", "--format", "json")
    trust_axis = json.loads(ran.out)["files"][0]["signatures"][0]["axes"]["trust"]
    assert (ran.status, trust_axis["status"]) == (3, "indeterminate")
    assert [f["code"] for f in trust_axis["findings"]] == ["trust-evidence"]


def test_no_trust_asks_for_the_data_alone(run, signed_ct, tampered):
    assert run("verify", signed_ct, "--no-trust").status == 0
    assert run("verify", tampered, "--no-trust").status == 1
    assert run("verify", signed_ct, "--no-trust", "--trust-root", "x.pem").status == 2


def test_certificates_are_judged_at_the_time_asked_for(run, signed_ct, trust):
    assert run("verify", signed_ct, *trust, "--at", "2030-01-01T00:00:00Z").status == 0
    assert run("verify", signed_ct, *trust, "--at", "1999-01-01T00:00:00+01:00").status == 1
    naive = run("verify", signed_ct, *trust, "--at", "2030-01-01")
    assert naive.status == 2
    assert "time zone" in naive.err


@pytest.mark.parametrize(
    ("file", "required", "status"),
    [
        ("v-base-ct.dcm", ["all"], 0),
        ("v-tags-one.dcm", ["all"], 1),
        ("v-tags-one.dcm", ["PatientName"], 0),
        ("v-tags-one.dcm", ["0010,0010"], 0),
        ("v-tags-one.dcm", ["(0010,0010)"], 0),
        ("v-tags-one.dcm", ["PatientName,PatientID"], 1),
        ("v-tags-three.dcm", ["PatientName,0010,0020,(0020,000D)"], 0),
        ("v-tags-three.dcm", ["PatientName", "0020000D"], 0),
        ("v-tags-three.dcm", ["all", "PatientName"], 2),
        ("v-tags-three.dcm", [","], 2),
        ("v-tags-three.dcm", ["profile"], 2),
    ],
)
def test_required_coverage(run, corpus, trust, file, required, status):
    options = [option for value in required for option in ("--require-coverage", value)]
    assert run("verify", corpus / "files" / file, *trust, *options).status == status


def test_report_to_a_narrow_character_set_survives(spawn, signed_ct, trust, tmp_path, ct):
    path = tmp_path / "Bild\u00e4\u4e2d.dcm"
    path.write_bytes(ct.read_bytes())
    ran = spawn("verify", path, env={"PYTHONIOENCODING": "ascii"})
    assert ran.status == 4
    assert r"Bild\xe4\u4e2d.dcm" in ran.out


def test_the_ending_of_the_report_says_its_format_where_nothing_else_does(run, signed_ct, trust, tmp_path):
    beginnings = {"r.html": "<!doctype html>", "r.JSON": "{", "r.txt": "passed ", "report": "passed "}
    for name, beginning in beginnings.items():
        assert run("verify", signed_ct, *trust, "--report", tmp_path / name).status == 0
        assert (tmp_path / name).read_text().lower().startswith(beginning)
    assert run("verify", signed_ct, *trust, "--report", tmp_path / "r.html", "--format", "text").status == 0
    assert (tmp_path / "r.html").read_text().startswith("passed ")
    (tmp_path / "config.toml").write_text('[verify]\nformat = "json"\n')
    config = ("--config", tmp_path / "config.toml")
    assert run("verify", signed_ct, *trust, *config, "--report", tmp_path / "r.html").status == 0
    assert (tmp_path / "r.html").read_text().startswith("{")
