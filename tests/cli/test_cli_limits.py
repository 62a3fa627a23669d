"""Limits: each has a name, a default that is documented, an option, and an error that says which one it was."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.signed import DATA, Parts

import dsig
from dsig.limits import DEFAULT, NAMES, parse_limits

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
GOOD = Parts()
NESTED = sequence(0x00081140, item(sequence(0x00081140, item(sequence(0x00081140, item())))))
FLAT = sequence(0x00081140, item(*(element(n, "LO") for n in range(0x00101000, 0x00101064))))
TWO = [item(s.joined(parts.item_elements())) for parts in (GOOD, Parts(uid="1.2.3.6"))]
MACS = [item(s.joined(Parts(mac_id=n).mac_elements())) for n in (0, 1)]
TRAILING = part10(GOOD.data_set().replace(b"Doe^Jane", b"Doe^J   "))
UNSIGNED = s.joined(DATA)

BEYOND = {
    "depth": (2, part10(NESTED + UNSIGNED)),
    "top_level_elements": (5, GOOD.file()),
    "elements": (99, part10(FLAT + UNSIGNED)),
    "signatures": (1, part10(s.with_sequences(DATA, MACS[:1], TWO))),
    "signature_work": (9, GOOD.file()),
    "mac_parameters": (1, part10(s.with_sequences(DATA, MACS, TWO[:1]))),
    "signature_item": (999, GOOD.file()),
    "certificate": (99, GOOD.file()),
    "text_value": (7, TRAILING),
    "inflated_size": (99, part10(UNSIGNED, e.DEFLATED)),
    "seconds": (0, GOOD.file()),
}
"""A value, and a file that is beyond it."""
ELSEWHERE = {
    "unseekable_size": "tests/api/test_refusals.py",
    "inflated_ratio": "tests/dicom/test_file.py",
    "vr_readings": "tests/signature/test_recovery.py",
    "vr_work": "tests/signature/test_recovery.py",
    "findings": "tests/signature/test_coverage.py",
}
"""Limits that need more than a file, and those that make nothing an error."""


@pytest.mark.parametrize("name", BEYOND)
def test_a_file_beyond_a_limit_is_an_error_with_the_limits_name(run, tmp_path, name):
    value, data = BEYOND[name]
    path = tmp_path / "x.dcm"
    path.write_bytes(data)
    assert json.loads(run("verify", path, "--format", "json").out)["files"][0]["error"] is None
    ran = run("verify", path, "--limit", f"{name}={value}", "--format", "json")
    [file] = json.loads(ran.out)["files"]
    assert (ran.status, file["verdict"], file["error"]["code"]) == (5, "error", "limit-exceeded")
    assert f"limit {name} = " in file["error"]["message"]
    assert f"--limit {name}=" in file["error"]["hint"]


@pytest.mark.parametrize("command", [["inspect"], ["remove", "--all", "-o", "out.dcm"]])
def test_other_commands_have_the_same_limits(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    Path("x.dcm").write_bytes(GOOD.file())
    ran = run(*command, "x.dcm", "--limit", "top_level_elements=5")
    assert ran.status == 5
    assert "top_level_elements" in ran.err
    assert [p.name for p in tmp_path.iterdir()] == ["x.dcm"]


def test_signing_has_them_too(run, tmp_path, key):
    path = tmp_path / "x.dcm"
    path.write_bytes(part10(NESTED + UNSIGNED))
    ran = run("sign", path, "-o", tmp_path / "out.dcm", *key, "--limit", "depth=2")
    assert (ran.status, (tmp_path / "out.dcm").exists()) == (5, False)


def test_one_file_beyond_a_limit_does_not_stop_the_others(run, tmp_path):
    (tmp_path / "a.dcm").write_bytes(part10(NESTED + UNSIGNED))
    (tmp_path / "b.dcm").write_bytes(GOOD.file())
    ran = run("verify", tmp_path, "--no-trust", "--limit", "depth=2", "--format", "json")
    assert [f["verdict"] for f in json.loads(ran.out)["files"]] == ["error", "passed"]


def test_time_counts_for_each_file_anew():
    """Options that are used twice do not run out."""
    options = dsig.VerifyOptions(check_trust=False, limits=dsig.Limits(seconds=30))
    assert [dsig.verify(GOOD.file(), options).verdict for _ in range(3)] == ["passed"] * 3
    assert options.limits.deadline == float("inf")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("dept=3", "did you mean depth?"),
        ("xyz=3", "one of depth"),
        ("depth", "cannot be ''"),
        ("depth=many", "cannot be 'many'"),
        ("depth=-1", "cannot be '-1'"),
        ("depth=1.5", "cannot be '1.5'"),
        ("seconds=nan", "cannot be 'nan'"),
        ("seconds=inf", "cannot be 'inf'"),
        ("deadline=1", "no limit called"),
    ],
)
def test_a_limit_that_makes_no_sense_is_a_usage_error(run, signed_ct, given, said):
    ran = run("verify", signed_ct, "--limit", given)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_sizes_may_be_given_in_units():
    limits = parse_limits(["inflated_size=2G", "text-value=3m", "certificate=4K", "seconds=1.5", "depth=7"])
    assert (limits.inflated_size, limits.text_value, limits.certificate) == (2 << 30, 3 << 20, 4 << 10)
    assert (limits.seconds, limits.depth, limits.findings) == (1.5, 7, DEFAULT.findings)


def test_every_limit_is_documented_with_its_default_and_tested():
    documented = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert documented == {name: str(getattr(DEFAULT, name)) for name in NAMES}
    assert set(BEYOND) | set(ELSEWHERE) == set(NAMES) == {f.name for f in fields(DEFAULT)} - {"deadline"}
    for name, test in ELSEWHERE.items():
        assert name in (Path(__file__).parents[2] / test).read_text()
