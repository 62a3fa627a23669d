"""`dsig explain`: what it prints, and what it returns."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

SCHEMA = json.loads(resources.files("dsig").joinpath("schema/explanation-1.schema.json").read_bytes())


@pytest.fixture
def changed(corpus):
    return corpus / "files" / "v-parent-mr.dcm", corpus / "files" / "v-tamper-mr-name-samelen.dcm"


def test_the_changed_element_is_named_in_words(run, changed):
    ran = run("explain", *changed)
    assert ran.status == 1
    assert (
        "(0010,0010) PatientName: the value differs from its byte 0 on (22 bytes) (A byte 714, B byte 714)" in ran.out
    )
    assert "the streams part at byte 380" in ran.out
    assert ran.err == ""


def test_json_says_the_same(run, changed):
    ran = run("explain", *changed, "--format", "json")
    document = json.loads(ran.out)
    assert ran.status == 1
    assert (document["schema"], document["same"]) == ("dsig.explanation/1", False)
    assert (document["a"], document["b"]) == tuple(map(str, changed))
    (signature,) = document["signatures"]
    assert (signature["outcome"], signature["location"], signature["parts_at"]) == ("differs", "/", 380)
    (difference,) = signature["differences"]
    assert {k: difference[k] for k in ("location", "tag", "keyword", "cause", "part")} == {
        "location": "(0010,0010)",
        "tag": "00100010",
        "keyword": "PatientName",
        "cause": "value",
        "part": "data",
    }
    assert difference["a"] == {"offset": 706, "byte": 714, "vr": "PN", "length": 22}


@pytest.mark.parametrize("name", ["pixel-vr", "id-removed", "list-tag-removed", "signature-stripped", "out-of-order"])
def test_json_follows_the_schema(run, corpus, name):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    files = corpus / "files" / "v-parent-mr.dcm", corpus / "files" / f"v-tamper-mr-{name}.dcm"
    jsonschema.validate(json.loads(run("explain", *files, "--format", "json").out), SCHEMA)


def test_the_same_file_twice_is_status_0(run, changed):
    ran = run("explain", changed[0], changed[0])
    assert ran.status == 0
    assert "the same in both files" in ran.out


def test_what_is_not_signed_differs_without_harm(run, corpus):
    ran = run("explain", corpus / "files" / "v-parent-mr.dcm", corpus / "files" / "v-tamper-mr-unsigned-added.dcm")
    assert ran.status == 0
    assert "(0010,4000) PatientComments: the element is only in the second file" in ran.out


def test_files_without_signatures_are_status_4(run, ct):
    ran = run("explain", ct, ct)
    assert ran.status == 4
    assert "none in either file" in ran.out


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_cannot_be_read_is_status_5_and_named(run, ct, tmp_path, which):
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(b"no DICOM")
    ran = run("explain", *((bad, ct) if which == 0 else (ct, bad)))
    assert ran.status == 5
    assert "bad.dcm" in ran.err
    assert ran.out == ""


def test_two_files_are_needed(run, ct):
    assert run("explain", ct).status == 2


def test_quiet_says_nothing(run, changed):
    ran = run("explain", *changed, "--quiet")
    assert (ran.status, ran.out, ran.err) == (1, "", "")
