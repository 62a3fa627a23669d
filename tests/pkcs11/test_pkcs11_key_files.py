"""`dsig keys generate` and `csr` for who has no token: OpenSSL reads what they make, and it signs."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pkcs11_tokens import CT, PKI, succeed

pytestmark = pytest.mark.pkcs11

PASSPHRASE = "canary of k\xf6ln"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a file that holds a passphrase."""
    monkeypatch.chdir(tmp_path)
    Path("phrase").write_text(PASSPHRASE + "\n")
    return tmp_path


@pytest.mark.parametrize(("kind", "bits"), [("rsa2048", 2048), ("p384", 384)])
def test_from_nothing_to_a_signature(place: Path, run, kind: str, bits: int) -> None:
    made = run("keys", "generate", "key.pem", "--type", kind, "--passphrase-file", "phrase")
    assert made.status == 0, made.err
    assert Path("key.pem").stat().st_mode & 0o777 == 0o600
    assert Path("key.pem").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load_pem_private_key(Path("key.pem").read_bytes(), PASSPHRASE.encode()).key_size == bits
    asked = run("keys", "csr", "file:key.pem", "--subject", "CN=a,O=b", "-o", "key.csr", "--passphrase-file", "phrase")
    assert asked.status == 0, asked.err
    succeed("openssl", "req", "-in", "key.csr", "-verify", "-noout")
    signing = ("-CA", PKI / "root.pem", "-CAkey", PKI / "root.key.pem", "-days", "30")
    succeed("openssl", "x509", "-req", "-in", "key.csr", *signing, "-out", "key.crt")
    given = ("--key", "key.pem", "--cert", "key.crt", "--passphrase-file", "phrase")
    signed = run("sign", CT, "-o", "out.dcm", *given)
    assert signed.status == 0, signed.err
    assert run("verify", "out.dcm", "--trust-root", PKI / "root.pem").status == 0
    assert "canary" not in made.out + made.err + asked.out + asked.err + signed.out + signed.err
    assert sorted(p.name for p in place.iterdir()) == ["key.crt", "key.csr", "key.pem", "out.dcm", "phrase"]


def test_key_without_passphrase_for_who_insists(place: Path, run) -> None:
    assert run("keys", "generate", "key.pem", "--type", "p256", "--no-passphrase").status == 0
    succeed("openssl", "pkey", "-in", "key.pem", "-noout")
    both = run("keys", "generate", "other.pem", "--no-passphrase", "--passphrase-file", "phrase")
    assert both.status == 2
    assert not Path("other.pem").exists()


def test_key_is_never_overwritten(place: Path, run) -> None:
    Path("key.pem").write_bytes((PKI / "rsa2048.key.pem").read_bytes())
    for words in (
        ("generate", "key.pem", "--no-passphrase"),
        ("csr", "key.pem", "--subject", "CN=a", "-o", "./key.pem"),
    ):
        ran = run("keys", *words)
        assert (ran.status, ran.out) == (8, "")
        assert ran.err.count("\n") == 1
    assert Path("key.pem").read_bytes() == (PKI / "rsa2048.key.pem").read_bytes()


@pytest.mark.parametrize("what", ["image", "key.pem", "key.der", "certificate", "request with its key"])
def test_request_takes_the_place_of_nothing_but_a_request(place: Path, run, what: str) -> None:
    key = (PKI / "p256.key.pem").read_bytes()
    request = run("keys", "csr", PKI / "p256.key.pem", "--subject", "CN=a").out.encode()
    there = {
        "image": CT.read_bytes(),
        "key.pem": key,
        "key.der": load_pem_private_key(key, None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "certificate": (PKI / "p256.pem").read_bytes(),
        "request with its key": request + key,
    }[what]
    Path("there").write_bytes(there)
    ran = run("keys", "csr", PKI / "p256.key.pem", "--subject", "CN=b", "-o", "there")
    assert (ran.status, ran.out) == (8, "")
    assert "choose another name" in ran.err
    assert Path("there").read_bytes() == there
    assert sorted(p.name for p in place.iterdir()) == ["phrase", "there"]


def test_request_takes_the_place_of_an_earlier_one(place: Path, run) -> None:
    for subject in ("CN=first", "CN=second"):
        assert run("keys", "csr", PKI / "p256.key.pem", "--subject", subject, "-o", "request.pem").status == 0
    succeed("openssl", "req", "-in", "request.pem", "-verify", "-noout")
    assert "CN = second" in succeed("openssl", "req", "-in", "request.pem", "-noout", "-subject")
    assert run("keys", "csr", "nowhere.pem", "--subject", "CN=third", "-o", "request.pem").status == 6
    assert "CN = second" in succeed("openssl", "req", "-in", "request.pem", "-noout", "-subject")
    Path("empty").touch()  # as mktemp makes them
    assert run("keys", "csr", PKI / "p256.key.pem", "--subject", "CN=a", "-o", "empty").status == 0


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["key.pem"], 6, "no passphrase was given"),
        (["key.pem", "--passphrase-env", "NOBODY_HAS_SET_THIS"], 6, "is not set"),
        (["key.pem", "--passphrase-file", "empty"], 6, "is empty"),
        (["key.pem", "--passphrase-file", "long"], 6, "1023 bytes"),
        (["key.pem", "--passphrase-fd", "-1"], 2, "--passphrase-fd"),
        (["pkcs1:token=dsig-dev;object=key", "--no-passphrase"], 2, "pkcs1:"),
        (["file:", "--no-passphrase"], 2, "path"),
        (["nowhere/key.pem", "--no-passphrase"], 8, "cannot write"),
    ],
)
def test_no_key_is_made(place: Path, run, words: list[str], status: int, text: str) -> None:
    Path("empty").write_text("\n")
    Path("long").write_text("x" * 1024)
    ran = run("keys", "generate", *words, "--type", "p256")
    assert (ran.status, ran.out) == (status, "")
    assert text in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(p.name for p in place.iterdir()) == ["empty", "long", "phrase"]


def test_encrypted_key_of_a_request(place: Path, run) -> None:
    encrypted = PKI / "rsa2048.key.enc.pem"
    for given in ((), ("--passphrase-file", "phrase")):
        ran = run("keys", "csr", encrypted, "--subject", "CN=a", "-o", "out.csr", *given)
        assert (ran.status, ran.out) == (6, "")
        assert not Path("out.csr").exists()
    Path("right").write_text("Pass-Word.1")
    ran = run("keys", "csr", encrypted, "--subject", "CN=a", "--passphrase-file", "right")
    assert ran.out.startswith("-----BEGIN CERTIFICATE REQUEST-----")
