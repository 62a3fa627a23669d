"""What a run imports: start-up time is import time."""

from __future__ import annotations

import pytest

HEAVY = {"pydicom", "OpenSSL", "pkcs11", "rich", "numpy", "pytest"}


def imported(spawn, *arguments: object) -> tuple[int, set[str]]:
    ran = spawn(*arguments, python=("-X", "importtime"))
    names = {line.rpartition("|")[2].strip() for line in ran.err.splitlines() if line.startswith("import time:")}
    assert "dsig.cli.run" in names, ran.err[-2000:]
    return ran.status, names


def heavy(names: set[str], *more: str) -> set[str]:
    return {name for name in names if name.partition(".")[0] in HEAVY | set(more)}


def test_help_imports_nothing_heavy(spawn):
    status, names = imported(spawn, "--help")
    assert status == 0
    assert not heavy(names, "cryptography", "pluggy")
    assert not [name for name in names if name.startswith(("dsig.dicom", "dsig.signature", "dsig.verbs"))]


def test_verify_of_an_explicit_vr_file_imports_nothing_heavy(spawn, signed_ct, trust):
    status, names = imported(spawn, "verify", signed_ct, *trust)
    assert status == 0
    assert "cryptography.x509" in names
    assert not heavy(names)
    assert not names & {"dsig.verbs.sign", "dsig.dicom._dictionary", "dsig.dicom._private", "dsig_demo.command"}


@pytest.mark.parametrize("command", ["remove", "inspect"])
def test_commands_that_compute_nothing_need_no_signing(spawn, command):
    status, names = imported(spawn, command, "--help")
    assert status == 0
    assert not heavy(names, "cryptography")
