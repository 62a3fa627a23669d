"""Keys, certificates, passwords and requests that are wrong: one line, the documented status, nothing written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from bad_files import BASE, CORPUS, PKI, nothing_changes

import dsig
from dsig.secrets import Channels, from_file

PASSWORD = b"Pass-Word.1"
"""Of all encrypted keys of the corpus (tests/corpus/README.md)."""
KEY = str(PKI / "p256.key.pem")
CERTIFICATE = str(PKI / "p256.pem")


def made(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def from_openssl(path: Path, *arguments: str) -> str:
    subprocess.run(["openssl", *arguments, "-out", path], check=True, capture_output=True)
    return str(path)


def pem_cut(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: len(content) // 2]


KEYS = {
    "missing": lambda d: str(d / "nowhere.pem"),
    "empty": lambda d: made(d / "k", b""),
    "text": lambda d: made(d / "k", b"no key at all\n" * 10),
    "noise": lambda d: made(d / "k", bytes(range(256)) * 8),
    "half a PEM": lambda d: made(d / "k", pem_cut(PKI / "p256.key.pem")),
    "half a DER": lambda d: made(d / "k", pem_cut(PKI / "p256.key.pkcs8.der")),
    "a certificate": lambda d: CERTIFICATE,
    "a DICOM file": lambda d: str(BASE / "ct.dcm"),
    "a directory": lambda d: str(PKI),
    "a dangling link": lambda d: (d / "k").symlink_to(d / "nowhere") or str(d / "k"),
    "an Ed25519 key": lambda d: from_openssl(d / "k", "genpkey", "-algorithm", "ED25519"),
    "an X25519 key": lambda d: from_openssl(d / "k", "genpkey", "-algorithm", "X25519"),
    "a public key": lambda d: from_openssl(d / "k", "pkey", "-in", KEY, "-pubout"),
}

CERTIFICATES = {
    "missing": lambda d: str(d / "nowhere.pem"),
    "empty": lambda d: made(d / "c", b""),
    "text": lambda d: made(d / "c", b"no certificate at all\n" * 10),
    "noise": lambda d: made(d / "c", bytes(range(256)) * 8),
    "DER with something wrong inside": lambda d: made(d / "c", b"\x30\x82\x01\x00" + bytes(256)),
    "half a PEM": lambda d: made(d / "c", pem_cut(PKI / "p256.pem")),
    "half a DER": lambda d: made(d / "c", pem_cut(PKI / "p256.der")),
    "a PEM of noise": lambda d: made(d / "c", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "a CRL": lambda d: str(PKI / "root.crl.pem"),
    "a private key": lambda d: KEY,
    "a directory": lambda d: str(PKI),
    "of another key of this kind": lambda d: str(PKI / "tsa_ec.pem"),
    "of another curve": lambda d: str(PKI / "p384.pem"),
    "of another kind of key": lambda d: str(PKI / "rsa2048.pem"),
}


def refused(place: Path, cli, arguments: list[str], status: int, *words: str) -> None:
    """Nothing is signed, and one line says why."""
    with nothing_changes(place):
        cli("sign", place / "in.dcm", "-o", place / "out.dcm", *arguments).one_line(status, *words)


@pytest.mark.parametrize("name", KEYS)
def test_bad_keys(name, cli, place, tmp_path_factory):
    uri = KEYS[name](tmp_path_factory.mktemp("key"))
    with (
        nothing_changes(place),
        pytest.raises(dsig.KeySourceError) as caught,
        dsig.open_key(uri, certificate=CERTIFICATE) as key,
    ):
        dsig.sign(place / "in.dcm", place / "out.dcm", key=key)
    assert caught.value.exit_status == 6
    assert caught.value.hint
    assert str(caught.value).isprintable()
    refused(place, cli, ["--key", uri, "--cert", CERTIFICATE], 6, uri)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_bad_certificates(name, cli, place, tmp_path_factory):
    path = CERTIFICATES[name](tmp_path_factory.mktemp("certificate"))
    with (
        nothing_changes(place),
        pytest.raises(dsig.KeySourceError) as caught,
        dsig.open_key(KEY, certificate=path) as key,
    ):
        dsig.sign(place / "in.dcm", place / "out.dcm", key=key)
    assert caught.value.exit_status == 6
    assert caught.value.hint
    refused(place, cli, ["--key", KEY, "--cert", path], 6, path)


@pytest.mark.parametrize(
    "name", ["p256.key.enc.pem", "p256.key.enc.der", "p256.key.trad.enc.pem", "p256.key.trad.des3.pem", "p12"]
)
@pytest.mark.parametrize("given", ["wrong", "none", "empty", "file missing", "variable not set"])
def test_wrong_passwords(name, given, cli, place, tmp_path_factory):
    aside = tmp_path_factory.mktemp("key")
    uri = str(PKI / name)
    if name == "p12":
        uri = from_openssl(
            aside / "key.p12",
            "pkcs12",
            "-export",
            "-inkey",
            KEY,
            "-in",
            CERTIFICATE,
            "-passout",
            f"pass:{PASSWORD.decode()}",
        )
    way, words = {
        "wrong": (["--passphrase-file", made(aside / "p", b"Pass-Word.2\n")], [uri]),
        "none": ([], [uri, "passphrase"]),
        "empty": (["--passphrase-file", made(aside / "p", b"")], [uri]),
        "file missing": (["--passphrase-file", str(aside / "nowhere")], [str(aside / "nowhere")]),
        "variable not set": (["--passphrase-env", "NO_SUCH_VARIABLE"], ["NO_SUCH_VARIABLE"]),
    }[given]
    with nothing_changes(place):
        ran = cli("sign", place / "in.dcm", "-o", place / "out.dcm", "--key", uri, "--cert", CERTIFICATE, *way)
        ran.one_line(6, *words)
        assert "Pass-Word" not in ran.err


def test_the_right_password_is_right(cli, place, tmp_path_factory):
    """So that the tests above fail for the reason they say."""
    path = made(tmp_path_factory.mktemp("key") / "p", PASSWORD + b"\n")
    key = ["--key", PKI / "p256.key.enc.pem", "--cert", CERTIFICATE, "--passphrase-file", path]
    assert cli("sign", place / "in.dcm", "-o", place / "out.dcm", *key).status == 0
    uri = str(PKI / "p256.key.enc.pem")
    with dsig.open_key(uri, certificate=CERTIFICATE, secrets=Channels(passphrase=from_file(path))):
        pass


def test_wrong_passwords_through_the_api(tmp_path):
    wrong = Channels(passphrase=from_file(made(tmp_path / "p", b"Pass-Word.2")))
    with (
        pytest.raises(dsig.KeySourceError),
        dsig.open_key(str(PKI / "rsa2048.key.enc.pem"), certificate=str(PKI / "rsa2048.pem"), secrets=wrong),
    ):
        pass


REQUESTS = {
    "unknown MAC": (["--mac", "SHA257"], 2, ["SHA257", "did you mean SHA256"]),
    "MAC in lower case": (["--mac", "sha256"], 2, ["sha256", "SHA256"]),
    "no MAC": (["--mac", ""], 2, ["MAC"]),
    "weak MAC": (["--mac", "MD5"], 2, ["MD5", "--allow-weak"]),
    "unknown profile": (["--profile", "nobody"], 2, ["nobody"]),
    "unknown backend": (["--crypto-backend", "nobody"], 2, ["nobody"]),
    "unknown keyword": (["--tag", "PatientNames"], 2, ["PatientNames", "PatientName"]),
    "half a tag": (["--tag", "0010,"], 2, ["0010,"]),
    "absent element": (["--tag", "0019,0099"], 2, ["0019,0099"]),
    "unsignable element": (["--tag", "0002,0010"], 2, ["0002,0010"]),
    "tag file missing": (["--tag-file", "/nowhere"], 2, ["/nowhere"]),
    "tag file that is a directory": (["--tag-file", "/"], 2, ["/"]),
    "no such item": (["--item", "BeamSequence[0]"], 2, ["BeamSequence[0]"]),
    "half a location": (["--item", "BeamSequence["], 2, ["BeamSequence["]),
    "location without index": (["--item", "BeamSequence"], 2, ["BeamSequence"]),
    "purpose out of range": (["--purpose", "19"], 2, ["19"]),
    "purpose that is no number": (["--purpose", "author"], 2, ["author"]),
    "unknown option": (["--frobnicate"], 2, ["--frobnicate"]),
    "unknown key scheme": (["--key", "vault:x"], 2, ["vault"]),
    "input kind": (["--input", "dicom"], 2, ["dicom"]),
    "escape sequences": (["--mac", "\x1b[31mSHA256\u202e"], 2, ["\\x1b[31m", "\\u202e"]),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_make_no_sense(name, cli, good_key, place):
    arguments, status, words = REQUESTS[name]
    refused(place, cli, [*good_key, *arguments], status, *words)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mac": "SHA257"}, dsig.UsageError),
        ({"mac": "MD5"}, dsig.UsageError),
        ({"profile": "nobody"}, dsig.UsageError),
        ({"crypto_backend": "nobody"}, dsig.UsageError),
        ({"tags": (0x00190099,)}, dsig.UsageError),
        ({"tags": ()}, dsig.UsageError),
        ({"tags": (0xFFFAFFFA,)}, dsig.UsageError),
        ({"item": "BeamSequence[0]"}, dsig.UsageError),
        ({"item": "nonsense"}, dsig.UsageError),
        ({"purpose": 0}, dsig.UsageError),
        ({"input_kind": "nonsense"}, dsig.UsageError),
        ({"dump": "/nowhere/dump.bin"}, dsig.OutputError),
        ({"in_place": True}, dsig.UsageError),
    ],
)
def test_requests_of_programs_that_make_no_sense(options, error, key, place):
    with nothing_changes(place), pytest.raises(error) as caught:
        dsig.sign(place / "in.dcm", place / "out.dcm", key=key, options=dsig.SignOptions(**options))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--trust-root", "/nowhere"], ["/nowhere"]),
        (["--trust-root", "/dev/null"], ["/dev/null"]),
        (["--trust-root", str(BASE / "ct.dcm")], ["ct.dcm"]),
        (["--intermediate", str(PKI / "pki.json")], ["pki.json"]),
        (["--crl", str(PKI / "root.der")], []),
        (["--at", "yesterday"], ["yesterday"]),
        (["--format", "nobody"], ["nobody"]),
        (["--require-coverage", "nobody"], ["nobody"]),
        (["--crypto-backend", "nobody"], ["nobody"]),
    ],
)
def test_verifications_that_make_no_sense(arguments, words, cli):
    signed = CORPUS / "files" / "v-base-mr.dcm"
    ran = cli("verify", signed, *arguments)
    assert ran.status != 0, "whatever cannot be used is never ignored"
    if arguments[0] != "--crl":
        ran.one_line(2, *words)
    ran.no_traceback()


@pytest.mark.parametrize("arguments", [[], ["--all", "--uid", "1.2.3"], ["--uid", "1.2.3"], ["--uid", ""]])
def test_removals_that_make_no_sense(arguments, cli, place):
    with nothing_changes(place):
        cli("remove", place / "in.dcm", "-o", place / "out.dcm", *arguments).one_line(2)


@pytest.mark.parametrize(
    "replacement",
    [b"\0", b"\xff", b"-----BEGIN CERTIFICATE-----", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", b"\x30\x03\x02\x01"],
)
def test_garbage_certificates_inside_a_file(replacement, cli, tmp_path):
    """(0400,0115) says nonsense: the signature fails, and every verb still works."""
    signed = (CORPUS / "files" / "v-base-mr.dcm").read_bytes()
    der = (PKI / "rsa2048.der").read_bytes()
    assert signed.count(der) == 1
    garbage = (replacement * len(der))[: len(der)]
    path = tmp_path / "in.dcm"
    path.write_bytes(signed.replace(der, garbage))
    trust = dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"])
    report = dsig.verify(path, dsig.VerifyOptions(trust=trust))
    assert report.verdict is dsig.FileVerdict.FAILED
    assert report.signatures[0].signer is None
    ran = cli("verify", path, "--trust-root", PKI / "root.pem")
    assert ran.status == 1
    ran.no_traceback()
    ran = cli("inspect", path)
    assert ran.status == 0
    ran.no_traceback()
    assert len(dsig.remove(path, tmp_path / "out.dcm", everything=True).signatures) == 1


def test_huge_key_and_certificate_files_are_not_read(cli, place, tmp_path_factory):
    huge = tmp_path_factory.mktemp("huge") / "huge.pem"
    with huge.open("wb") as file:
        file.write(b"-----BEGIN CERTIFICATE-----\n")
        os.truncate(file.fileno(), 300 << 20)
    for arguments in (["--key", huge, "--cert", CERTIFICATE], ["--key", KEY, "--cert", huge]):
        with nothing_changes(place):
            ran = cli("sign", place / "in.dcm", "-o", place / "out.dcm", *arguments, memory=True)
            ran.one_line(6, str(huge))
            assert ran.megabytes < 100
    ran = cli("verify", CORPUS / "files" / "v-base-mr.dcm", "--trust-root", huge, memory=True)
    ran.one_line(2, str(huge))
    assert ran.megabytes < 100
    ran = cli("sign", place / "in.dcm", "-o", place / "o.dcm", "--key", KEY, "--passphrase-file", huge, memory=True)
    assert ran.status == 6
    assert ran.megabytes < 100
