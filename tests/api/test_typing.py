"""The types that a program of somebody else is checked against (PEP 561)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

import dsig


def sign_all(paths: Iterable[Path], out: Path) -> list[str]:
    uids: list[str] = []
    with dsig.open_key(Path("key.pem"), certificate="signer.pem") as key:
        options = dsig.SignOptions(mac="SHA384", tags=("PatientName", 0x00100020), purpose=1)
        for path in paths:
            signed = dsig.sign(path, out / path.name, key=key, options=options)
            uids.append(signed.uid)
            print(signed.coverage.signed, signed.mac.algorithm, [finding.code for finding in signed.findings])
        in_memory: bytes = dsig.sign(Path("ct.dcm").read_bytes(), key=key).output
        loaded: Dataset = dsig.sign(dcmread("ct.dcm"), key=key).output
        plain: Dataset = dsig.remove(loaded, everything=True).output
        print(len(in_memory), plain.PatientName)
    return uids


def judge(path: str) -> bool:
    trust = dsig.load_trust(["ca.pem"], crls=[Path("list.crl")])
    options = dsig.VerifyOptions(
        trust=trust, at=datetime.now(UTC), revocation=dsig.Revocation.HARD, require_profiles=("creator",)
    )
    report = dsig.verify(path, options)
    for signature in report.signatures:
        for name, axis in signature.axes.items():
            print(name, axis.status.value, [finding.message for finding in axis.findings])
        print(signature.signer.subject if signature.signer else "", signature.coverage.signed)
    try:
        print(dsig.inspect(path).signatures[0].uid)
    except dsig.DsigError as error:
        print(error.code, error.hint, error.where.file, error.exit_status)
    return report.verdict is dsig.FileVerdict.PASSED
"""


def strict(source: str, folder: Path) -> str:
    """What `mypy --strict` says of a program that is nowhere near this repository."""
    (folder / "program.py").write_text(source)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), "program.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_program_is_checked_strictly_and_what_is_wrong_in_it_found(tmp_path: Path):
    assert "no issues found" in strict(PROGRAM, tmp_path)
    said = strict(PROGRAM.replace('mac="SHA384"', "mac=384").replace("report.verdict", "report.result"), tmp_path)
    assert said.count("error:") == 2
    assert '"mac"' in said
    assert '"result"' in said
