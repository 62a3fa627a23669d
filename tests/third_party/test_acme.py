"""A complete package of somebody else adds a MAC, a key source and a profile through entry points; dsig uses them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from third_party.packages import ACME, discovered, install, make_wheel

import dsig

CORPUS = Path(__file__).parents[1] / "corpus"
CT = CORPUS / "base" / "ct.dcm"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A directory with dsig-acme installed in it from its wheel."""
    directory = tmp_path_factory.mktemp("acme")
    target = directory / "site"
    install(make_wheel(ACME, directory), target)
    return target


@pytest.fixture
def run(site):
    """Runs the command in a process that finds what is installed there."""

    def run(*arguments: object, third_party: bool = True) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(site)} if third_party else os.environ.copy()
        return subprocess.run(
            [sys.executable, "-m", "dsig.cli", *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )

    return run


USING_ALL = ["--key", "acme:Dr. Coyote", "--mac", "ACME_BLAKE2B", "--profile", "acme-patient"]


def test_the_package_uses_nothing_but_the_contract():
    """Any other import from dsig would be one that may move."""
    allowed = {"dsig.hookspecs", "dsig.errors", "dsig.model"}
    for path in (ACME / "src").rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].partition(".")[0] == "dsig":
                assert words[1] in allowed, f"{path}: {line}"


def test_all_three_are_listed_with_their_origin(run):
    document = json.loads(run("plugins", "list", "--json").stdout)
    acme = {(p["kind"], p["name"]): p for p in document["providers"] if p["distribution"] == "dsig-acme"}
    assert set(acme) == {("key source", "acme"), ("MAC algorithm", "ACME_BLAKE2B"), ("profile", "acme-patient")}
    assert all(p["available"] and p["version"] == "2.5.1" and p["plugin"] == "acme" for p in acme.values())
    assert document["faults"] == []
    assert document["conflicts"] == []


def test_sign_and_verify_use_all_three(run, site, tmp_path):
    signed, stream = tmp_path / "signed.dcm", tmp_path / "stream.bin"
    ran = run("sign", CT, "-o", signed, "--tag", "PatientName", "--dump", stream, "--verbose", *USING_ALL)
    assert ran.returncode == 0, ran.stderr
    assert "Dr. Coyote" in ran.stdout
    assert "dsig-acme 2.5.1" in ran.stdout
    assert hashlib.blake2b(stream.read_bytes(), digest_size=32).hexdigest() in ran.stdout

    # the file says what happened, to any reader
    read = pydicom.dcmread(signed)
    (parameters,) = read[0x4FFE, 0x0001].value
    assert parameters[0x0400, 0x0015].value == "ACME_BLAKE2B"
    assert {int(tag) for tag in parameters[0x0400, 0x0020].value} == {0x00100010, 0x00100020}

    ran = run("verify", signed, "--no-trust", "--format", "json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    document = json.loads(ran.stdout)
    (file,) = document["files"]
    (signature,) = file["signatures"]
    assert signature["axes"]["integrity"]["status"] == "passed"
    assert signature["mac"]["algorithm"] == "ACME_BLAKE2B"
    assert signature["mac"]["digest"] == hashlib.blake2b(stream.read_bytes(), digest_size=32).hexdigest()
    record = hashlib.sha256((site / "dsig_acme-2.5.1.dist-info" / "RECORD").read_bytes()).hexdigest()
    assert {"name": "acme", "distribution": "dsig-acme", "version": "2.5.1", "record": record} in document["plugins"]
    told = run("verify", signed, "--no-trust", "--verbose").stdout
    assert f"dsig-acme 2.5.1, RECORD {record[:16]}" in " ".join(told.split())


def test_without_the_package_its_mac_is_unknown_and_nothing_passes(run, tmp_path):
    signed = tmp_path / "signed.dcm"
    assert run("sign", CT, "-o", signed, *USING_ALL).returncode == 0
    for ran in (run("verify", signed, "--no-trust", third_party=False), run("--no-plugins", "verify", signed)):
        assert ran.returncode == 3
        assert "ACME_BLAKE2B" in ran.stdout
    ran = run("--no-plugins", "sign", CT, "-o", tmp_path / "o.dcm", *USING_ALL)
    assert ran.returncode == 2
    assert not (tmp_path / "o.dcm").exists()
    assert run("--allow-plugin", "dsig-acme", "verify", "--no-trust", signed).returncode == 0
    assert run("--allow-plugin", "somebody-else", "verify", "--no-trust", signed).returncode == 2


def test_each_of_the_three_works_with_ours(run, tmp_path):
    signed = tmp_path / "signed.dcm"
    ours = ["--key", CORPUS / "pki" / "rsa2048.key.pem", "--cert", CORPUS / "pki" / "rsa2048.pem"]
    trust = ["--trust-root", CORPUS / "pki" / "root.pem", "--intermediate", CORPUS / "pki" / "inter.pem"]
    for key in ("rsa2048", "p256", "dsa2048"):
        ours = ["--key", CORPUS / "pki" / f"{key}.key.pem", "--cert", CORPUS / "pki" / f"{key}.pem"]
        assert run("sign", CT, "-o", signed, *ours, "--mac", "ACME_BLAKE2B").returncode == 0
        assert run("verify", signed, *trust).returncode == 0
    assert run("sign", CT, "-o", signed, "--key", "acme:X", "--mac", "SHA512").returncode == 0
    assert run("verify", signed, "--no-trust", third_party=False).returncode == 0
    assert run("sign", CT, "-o", signed, *ours, "--profile", "acme-patient").returncode == 0
    assert run("verify", signed, *trust, third_party=False).returncode == 0


def test_changes_are_found_under_the_new_mac(run, tmp_path):
    signed = tmp_path / "signed.dcm"
    assert run("sign", CT, "-o", signed, *USING_ALL).returncode == 0
    content = signed.read_bytes()
    assert content.count(b"CompressedSamples^CT1") == 1
    signed.write_bytes(content.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    assert run("verify", signed, "--no-trust").returncode == 1


def test_the_profile_is_obeyed(run, tmp_path):
    """No Patient ID: refused when signing, before anything is written."""
    read = pydicom.dcmread(CT)
    del read.PatientID
    given, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    read.save_as(given)
    ran = run("sign", given, "-o", out, *USING_ALL)
    assert ran.returncode == 2
    assert "there is no Patient ID" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not out.exists()


def test_the_profile_is_asked_when_verifying(run, tmp_path):
    with_it, without = tmp_path / "with.dcm", tmp_path / "without.dcm"
    assert run("sign", CT, "-o", with_it, *USING_ALL).returncode == 0
    assert run("sign", CT, "-o", without, "--key", "acme:X", "--tag", "PatientName").returncode == 0
    assert run("verify", with_it, "--no-trust", "--require", "acme-patient").returncode == 0
    ran = run("verify", without, "--no-trust", "--require", "acme-patient")
    assert ran.returncode == 1
    assert "acme" in ran.stdout


def test_a_profile_alone_is_named_among_the_plugins_that_took_part(site):
    """Every report names them."""
    pki = CORPUS / "pki"
    with (
        discovered(site) as plugins,
        dsig.open_key(str(pki / "p256.key.pem"), certificate=str(pki / "p256.pem"), plugins=plugins) as key,
    ):
        options = dsig.SignOptions(profile="acme-patient")
        signed = dsig.sign(CT.read_bytes(), key=key, options=options, plugins=plugins)
    assert "dsig-acme" in {use.distribution for use in signed.plugins}


def test_errors_of_the_key_source_are_told_as_ours(run, tmp_path):
    ran = run("sign", CT, "-o", tmp_path / "o.dcm", "--key", "acme:")
    assert (ran.returncode, ran.stderr) == (6, "dsig: error: an Acme key needs a name (write acme:NAME)\n")


def test_the_api_uses_all_three(site):
    with discovered(site) as plugins:
        options = dsig.SignOptions(mac="ACME_BLAKE2B", profile="acme-patient", tags=(0x00080018,))
        with dsig.open_key("acme:Coyote", plugins=plugins) as key:
            signed = dsig.sign(CT.read_bytes(), key=key, options=options, plugins=plugins)
        assert signed.mac.elements == (0x00080018, 0x00100020)
        assert {use.distribution for use in signed.plugins} == {"dsig", "dsig-acme"}
        trust = dsig.TrustMaterial(anchors=(key.certificate,))
        report = dsig.verify(signed.output, dsig.VerifyOptions(trust=trust), plugins=plugins)
    assert report.verdict is dsig.FileVerdict.PASSED
    assert report.signatures[0].signer.subject == "CN=Coyote"
    assert "dsig_acme" not in sys.modules
