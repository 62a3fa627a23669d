"""Whole runs of dsig-dcmsign: standard input and output, the input as output, ways to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from support.dcmsign import dcmsign

import dsig

RUN = [sys.executable, "-c", "import sys; from dsig.cli.dcmsign import main; sys.exit(main(sys.argv[1:]))"]


def piped(content: bytes, *arguments: object, expect: int = 0) -> tuple[bytes, str]:
    """A run as a process: what it writes to standard output, and what it says."""
    done = subprocess.run([*RUN, *map(str, arguments)], input=content, capture_output=True, check=False)
    assert done.returncode == expect, done.stderr
    return done.stdout, done.stderr.decode()


@pytest.fixture
def sign(pki: Path) -> list[object]:
    return ["+s", pki / "rsa2048.key.pem", pki / "rsa2048.pem", "+m2"]


@pytest.fixture
def trust(pki: Path) -> list[object]:
    return ["+cf", pki / "root.pem", "+uf", pki / "inter.pem"]


def test_a_dash_is_standard_input_and_output(ct: Path, sign, trust):
    signed, said = piped(ct.read_bytes(), *sign, "-", "-")
    assert said == ""
    assert dsig.verify(signed, dsig.VerifyOptions(check_trust=False)).verdict is dsig.FileVerdict.PASSED
    out, said = piped(signed, *trust, "-")
    assert out == b""
    assert said.endswith("W:   Signature Verification : OK\n")
    plain, _ = piped(signed, "+ra", "-", "-")
    assert dsig.verify(plain).verdict is dsig.FileVerdict.UNSIGNED


def test_a_query_is_written_for_what_goes_to_standard_output(ct: Path, sign, tmp_path: Path):
    signed, _ = piped(ct.read_bytes(), *sign, "+ts", tmp_path / "q.tsq", tmp_path / "u.uid", "-", "-")
    [signature] = dsig.verify(signed, dsig.VerifyOptions(check_trust=False)).signatures
    assert pydicom.dcmread(tmp_path / "u.uid")[0x04000100].value == signature.uid
    assert (tmp_path / "q.tsq").stat().st_size > 60


def test_nothing_goes_to_standard_output_when_signing_fails(ct: Path, sign):
    out, said = piped(ct.read_bytes(), *sign, "-t", "PatientBirthName", "-", "-", expect=85)
    assert out == b""
    assert said.startswith("E: ")


def test_the_output_may_be_the_input(ct: Path, sign, tmp_path: Path):
    path = tmp_path / "x.dcm"
    path.write_bytes(ct.read_bytes())
    for signatures in (1, 2):
        assert dcmsign(*sign, path, path).code == 0
        assert len(dsig.verify(path).signatures) == signatures
    assert dcmsign("+ra", path, path).code == 0
    assert dsig.verify(path).signatures == ()


def test_removing_gives_back_what_was_signed(ct: Path, sign, tmp_path: Path):
    signed, plain = tmp_path / "signed.dcm", tmp_path / "plain.dcm"
    assert dcmsign(*sign, ct, signed).code == 0
    assert dcmsign("+ra", signed, plain).code == 0
    before, after = (pydicom.dcmread(path) for path in (ct, plain))
    assert before == after


def test_a_key_may_be_named_by_a_uri(ct: Path, pki: Path, tmp_path: Path):
    """As with `dsig sign`; nobody serves this scheme."""
    run = dcmsign("+s", "nosuch:key", pki / "rsa2048.pem", ct, tmp_path / "o.dcm")
    assert run.code == 85
    assert "nosuch" in run.log


def test_a_fault_of_ours_is_told_without_its_text(ct: Path, monkeypatch: pytest.MonkeyPatch):
    from dsig.cli.dcmsign import verification

    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(verification, "verify", broken)
    monkeypatch.delenv("DSIG_DEBUG", raising=False)
    run = dcmsign(ct)
    assert run.code == 70
    assert run.log.startswith("F: internal error: RuntimeError")
    assert "secret" not in run.log


def test_values_of_files_never_reach_the_terminal_raw(signed_ct: Path, tmp_path: Path):
    path = tmp_path / "x.dcm"
    content = signed_ct.read_bytes()
    at = content.rindex(b"1.2.276.0.7230010.3.1.4.")
    path.write_bytes(content[:at] + b"\x1b[2J\r\n" + content[at + 6 :])
    run = dcmsign("-v", path)
    assert "\x1b" not in run.log
    assert "\\x1b[2J" in run.log


def test_what_is_said_without_trusted_certificates_names_options_of_this_command(signed_ct: Path):
    run = dcmsign(signed_ct)
    assert run.code == 101
    [verdict] = [line for line in run.said("W") if "Signature Verification" in line]
    assert "+cf" in verdict
    assert "--trust-root" not in verdict


DICTIONARY = '(0009,"ACME",10)\tLO\tAcmeNote\t1\tPrivateTag\n(0010,0010)\tPN\tNameOfThePatient\t1\tDICOM\n'


def test_dictionaries_of_the_environment_name_tags(ct: Path, sign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    words = [*sign, "-t", "NameOfThePatient", ct, tmp_path / "o.dcm"]
    assert dcmsign(*words).code == 1
    (tmp_path / "own.dic").write_text(DICTIONARY)
    monkeypatch.setenv("DCMDICTPATH", f"{tmp_path / 'own.dic'}:{tmp_path / 'none.dic'}")
    run = dcmsign(*words)
    assert run.code == 0
    assert [line for line in run.said("W") if "none.dic" in line], "a dictionary that is not there is told"
    assert dsig.verify(tmp_path / "o.dcm").signatures[0].mac.elements == (0x00100010,)
