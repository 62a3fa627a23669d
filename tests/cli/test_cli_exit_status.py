"""Every exit status, by something that really leads to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dsig.cli.status import ExitStatus, gravest

MAC_PLUGIN = """
from dsig.hookspecs import MacAlgorithmSpec, hookimpl
@hookimpl
def dsig_mac_algorithms():
    return [MacAlgorithmSpec(name="SHA256", summary="mine", factory="hashlib:sha256", oid="1.2.3", digest_size=32)]
"""


def test_passed_is_0(run, signed_ct, trust):
    assert run("verify", signed_ct, *trust).status == 0


def test_failed_is_1(run, tampered, trust):
    assert run("verify", tampered, *trust).status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["--frobnicate"],
        ["verify"],
        ["verify", "--frobnicate", "x.dcm"],
        ["verify", "x.dcm", "--input", "nonsense"],
        ["verify", "x.dcm", "--format", "nonsense"],
        ["verify", "x.dcm", "--at", "yesterday"],
        ["verify", "x.dcm", "--at", "9999-12-31T23:59:59-01:00"],
        ["verify", "x.dcm", "--at", "0001-01-01T00:00:00+01:00"],
        ["verify", "x.dcm", "--trust-root", "/nowhere.pem"],
        ["verify", "x.dcm", "--require-coverage", "NoSuchKeyword"],
        ["sign", "x.dcm", "-o", "y.dcm"],
        ["sign", "x.dcm", "--key", "k.pem"],
        ["sign", "x.dcm", "-o", "y.dcm", "--in-place", "--key", "k.pem"],
        ["sign", "x.dcm", "-o", "y.dcm", "--key", "nosuchscheme:key"],
        ["sign", "x.dcm", "-o", "y.dcm", "--key", "k.pem", "--passphrase-file", "a", "--passphrase-env", "B"],
        ["remove", "x.dcm", "-o", "y.dcm"],
        ["remove", "x.dcm", "-o", "y.dcm", "--all", "--uid", "1.2"],
        ["plugins", "show", "nosuchthing"],
        ["verify", "x.dcm", "--allow-plugin", "nosuchplugin"],
    ],
)
def test_senseless_request_is_2_and_one_line(run, arguments):
    ran = run(*arguments)
    assert ran.status == 2
    assert ran.err.startswith("dsig: error: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


@pytest.mark.parametrize(
    "more",
    [
        ["--mac", "SHA265"],
        ["--mac", "MD5"],
        ["--profile", "nosuchprofile"],
        ["--tag", "PatientNaem"],
        ["--tag", "0010,2222"],
        ["--item", "BeamSequence[0]"],
        ["--item", "not a location"],
        ["--purpose", "99"],
        ["--mac", "SHA3_256", "--profile", "base"],
        ["--crypto-backend", "nosuchbackend"],
    ],
)
def test_signing_what_cannot_be_is_2_and_writes_nothing(run, ct, key, tmp_path, more):
    ran = run("sign", ct, "-o", tmp_path / "out.dcm", *key, *more)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_unknown_signer_is_3(run, signed_ct):
    assert run("verify", signed_ct).status == 3


def test_unsigned_is_4(run, ct):
    assert run("verify", ct).status == 4


def test_unreadable_input_is_5(run, tmp_path, key, ct):
    text = tmp_path / "text.dcm"
    text.write_text("not DICOM at all\n" * 20)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(ct.read_bytes()[:3000])
    for path in (text, cut, tmp_path / "missing.dcm"):
        assert run("verify", path).status == 5
        signing = run("sign", path, "-o", tmp_path / "out.dcm", *key)
        assert signing.status == 5
        assert str(path) in signing.err
        assert signing.err.count("\n") == 1
        assert run("inspect", path).status == 5
        assert run("remove", path, "--all", "-o", tmp_path / "out.dcm").status == 5
    assert not (tmp_path / "out.dcm").exists()


def test_key_trouble_is_6(run, ct, pki, tmp_path):
    out = ["sign", ct, "-o", tmp_path / "out.dcm"]
    missing = run(*out, "--key", tmp_path / "missing.pem")
    mismatch = run(*out, "--key", pki / "rsa2048.key.pem", "--cert", pki / "p256.pem")
    bare = run(*out, "--key", pki / "rsa2048.key.pem")
    passphrase = run(
        *out, "--key", pki / "rsa2048.key.enc.pem", "--cert", pki / "rsa2048.pem", "--passphrase-env", "NOPE"
    )
    for ran in (missing, mismatch, bare, passphrase):
        assert ran.status == 6
        assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_two_plugins_of_one_name_are_7(run, install, ct, key, tmp_path):
    install("acme-macs", "acme", MAC_PLUGIN)
    ran = run("sign", ct, "-o", tmp_path / "out.dcm", *key)
    assert ran.status == 7
    assert "acme-macs" in ran.err
    assert "dsig" in ran.err
    assert run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--no-plugins").status == 0


def test_output_trouble_is_8(run, ct, key, tmp_path):
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(ct.read_bytes())
    assert run("sign", copy, "-o", copy, *key).status == 8
    assert copy.read_bytes() == ct.read_bytes()
    nowhere = run("sign", ct, "-o", tmp_path / "no" / "such" / "out.dcm", *key)
    assert nowhere.status == 8
    assert "create" in nowhere.err
    assert run("verify", copy, "--report", tmp_path / "no" / "report.txt").status == 8
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.dcm"]


def test_full_disk_behind_standard_output_is_8(signed_ct, trust):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dsig.cli", "verify", str(signed_ct), *trust],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 8
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--version"], ["sign", "--list-purposes"]])
def test_full_disk_behind_what_is_only_shown_is_8(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dsig.cli", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 8
    assert "standard output" in done.stderr


@pytest.mark.parametrize("number", ["-1", "99999999999"])
def test_file_descriptor_that_cannot_be_is_2(run, ct, tmp_path, number):
    ran = run("sign", ct, "-o", tmp_path / "out.dcm", "--key", "key.pem", "--passphrase-fd", number)
    assert ran.status == 2
    assert "--passphrase-fd" in ran.err


def test_gravest_wins(run, signed_ct, tampered, ct, tmp_path, trust):
    missing = tmp_path / "missing.dcm"
    assert run("verify", signed_ct, ct, missing, tampered, *trust).status == 1
    assert run("verify", signed_ct, ct, missing, *trust).status == 5
    assert run("verify", ct, signed_ct).status == 3
    assert run("verify", signed_ct, ct, *trust).status == 4
    assert gravest([]) is ExitStatus.DONE
    assert gravest([0, 4, 3, 2, 5, 8, 1]) is ExitStatus.FAILED


def started_and_waiting(tmp_path: Path, arguments: list[object], number: int) -> subprocess.CompletedProcess[str]:
    """Start `dsig`, wait until it reads its passphrase from a pipe, and send it a signal."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "dsig.cli", *map(str, arguments), "--passphrase-file", str(fifo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with open(fifo, "wb"):  # returns once the other side has opened it
        process.send_signal(number)
        out, err = process.communicate(timeout=600)
    fifo.unlink()
    return subprocess.CompletedProcess([], process.returncode, out, err)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_says_so_and_leaves_nothing(ct, pki, tmp_path, number, status):
    command = ["sign", ct, "-o", tmp_path / "out.dcm", "--key", pki / "rsa2048.key.enc.pem"]
    done = started_and_waiting(tmp_path, command, number)
    assert done.returncode == status
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


EARLY = """
import posix, sys
left = int(sys.argv.pop(1))
def interrupted(event, _):
    global left
    if event == "import":
        left -= 1
        if left == 0:
            posix.kill(posix.getpid(), 2)
from {home} import console
sys.addaudithook(interrupted)
console()
"""


@pytest.mark.parametrize(
    ("home", "said"), [("dsig.cli", "dsig: note: interrupted\n"), ("dsig.cli.dcmsign", "")], ids=["dsig", "dcmsign"]
)
@pytest.mark.parametrize("imports", [1, 2, 3, 5, 20])
def test_ctrl_c_while_modules_are_imported_is_no_traceback(home, said, imports):
    """From the first import on; what comes before is Python's own start."""
    command = [sys.executable, "-c", EARLY.format(home=home), str(imports), "--help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", said)


def test_reader_that_went_away_changes_no_verdict(signed_ct, tampered, trust):
    for path, status in ((signed_ct, 0), (tampered, 1)):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-m", "dsig.cli", "verify", str(path), *trust],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(write)
        assert (done.returncode, done.stderr) == (status, "")


def test_reader_that_went_away_from_help_is_141(spawn):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "dsig.cli", "--help"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
