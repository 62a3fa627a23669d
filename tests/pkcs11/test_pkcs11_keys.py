"""`dsig keys`: what it makes and installs is seen by OpenSC and OpenSSL, and signs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pkcs11_tokens import CT, PKI, Token, certify, succeed

import dsig

pytestmark = pytest.mark.pkcs11


def copied(softhsm: Token, directory: Path) -> Token:
    """The SoftHSM token with a store of its own."""
    shutil.copytree(softhsm.directory / "tokens", directory / "tokens")
    configuration = directory / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\n")
    return replace(softhsm, environment={"SOFTHSM2_CONF": str(configuration)})


@pytest.fixture
def copy(token: Token, tmp_path: Path) -> Token:
    """A token of one's own, for processes of their own."""
    if token.name == "SoftHSM":
        return copied(token, tmp_path)
    shutil.copytree(token.directory / "db", tmp_path / "db")
    shutil.copytree(token.directory / "config", tmp_path / "config")
    file = tmp_path / "config" / "dsig" / "pkcs11.toml"
    file.write_text(file.read_text().replace(f"sql:{token.directory}/db", f"sql:{tmp_path}/db"))
    return replace(token, environment={"XDG_CONFIG_HOME": str(tmp_path / "config")})


@pytest.fixture
def keys(copy: Token, run):
    """Run `dsig keys ... --pin-file`, which must end with this status; gives both outputs."""

    def keys(verb: str, *arguments: object, status: int = 0) -> str:
        ran = run("keys", verb, *arguments, "--pin-file", copy.pin_file, environment=copy.environment)
        assert ran.status == status, ran
        return ran.out + ran.err

    return keys


def certified(copy: Token, request: Path, directory: Path) -> Path:
    """What the CA of the token makes of a request; with openssl, and the issuer behind it."""
    succeed("openssl", "req", "-in", request, "-verify", "-noout")
    certificate = directory / "certificate.pem"
    (directory / "ext").write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n")
    signing = ("-CA", copy.directory / "ca.pem", "-CAkey", copy.directory / "ca.key.pem", "-days", "30")
    succeed("openssl", "x509", "-req", "-in", request, *signing, "-extfile", directory / "ext", "-out", certificate)
    certificate.write_bytes(certificate.read_bytes() + (copy.directory / "ca.pem").read_bytes())
    return certificate


def signs(copy: Token, run, key: str, out: Path) -> dsig.FileReport:
    arguments = ("sign", CT, "-o", out, "--key", copy.uri(key), "--pin-file", copy.pin_file)
    ran = run(*arguments, environment=copy.environment)
    assert ran.status == 0, ran.err
    return dsig.verify(out, copy.trusting)


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p521"])
def test_from_nothing_to_a_signature(copy: Token, keys, run, tmp_path: Path, kind: str) -> None:
    uri = copy.uri("scanner7")
    assert "object=scanner7;id=%" in keys("generate", uri, "--type", kind)
    request = tmp_path / "request.pem"
    keys("csr", uri, "--subject", "CN=Scanner 7,O=A\\, B", "-o", request)
    assert "CN = Scanner 7" in succeed("openssl", "req", "-in", request, "-noout", "-subject")
    said = keys("install-cert", uri, certified(copy, request, tmp_path))
    assert "installed   CN=Scanner 7" in said
    assert "throw-away CA" in said
    assert signs(copy, run, "scanner7", tmp_path / "out.dcm").verdict is dsig.FileVerdict.PASSED
    assert "already" in keys("generate", uri, status=6)
    assert "is there" in keys("install-cert", uri, tmp_path / "certificate.pem")


@pytest.mark.parametrize("name", ["rsa2048", "p256", "p384", "dsa2048"])
def test_imported_key_signs(copy: Token, keys, run, tmp_path: Path, name: str) -> None:
    uri = copy.uri("imported").replace(";object", ";id=%AB%CD;object")
    key, certificate = PKI / f"{name}.key.pem", PKI / f"{name}.pem"
    if name.startswith("dsa"):  # that one is on both tokens already; another one of the same group
        group = load_pem_private_key(key.read_bytes(), None).parameters()
        key = tmp_path / "dsa.key.pem"
        key.write_bytes(group.generate_private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate = certify(copy.directory, key, "another-dsa")
    assert "object=imported;id=%AB%CD" in keys("import", uri, key)
    keys("install-cert", uri, certificate)
    assert signs(copy, run, "imported", tmp_path / "out.dcm").verdict is dsig.FileVerdict.PASSED


def test_keys_that_were_made_or_imported_do_not_leave(copy: Token, keys) -> None:
    """As OpenSC sees them."""
    if copy.name != "SoftHSM":
        return  # OpenSC cannot give NSS its init-args
    keys("generate", copy.uri("made"), "--type", "p256")
    keys("import", copy.uri("brought"), PKI / "p256.key.pem")
    for label in ("made", "brought"):
        said = succeed(
            *("pkcs11-tool", "--module", copy.module, "--token-label", copy.label, "--login", "--pin", copy.pin),
            *("--list-objects", "--type", "privkey", "--label", label),
            **copy.environment,
        )
        found = next(part for part in said.split("Private Key Object") if f"label:      {label}\n" in part)
        access = next(line for line in found.splitlines() if "Access:" in line)
        assert "sensitive" in access
        assert "never extractable" in access or "extractable" not in access


@pytest.mark.parametrize("encrypted", [True, False])
def test_encrypted_key_file(keys, copy: Token, tmp_path: Path, encrypted: bool) -> None:
    (tmp_path / "pass").write_text("Pass-Word.1\n" if encrypted else "wrong\n")
    file = PKI / "rsa2048.key.enc.pem"
    assert "no passphrase was given" in keys("import", copy.uri("new"), file, status=6)
    given = ("--passphrase-file", tmp_path / "pass")
    said = keys("import", copy.uri("new"), file, *given, status=0 if encrypted else 6)
    assert ("imported" if encrypted else "does not open") in said


def test_certificate_of_another_key_is_not_stored(keys, copy: Token) -> None:
    for own, other in (("rsa2048", "p256"), ("p256", "p256"), ("rsa2048", "rsa2048")):
        assert "do not belong together" in keys("install-cert", copy.uri(own), PKI / f"{other}.pem", status=6)


def test_what_cannot_be_imported(keys, copy: Token, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")
    assert "no private key" in keys("import", copy.uri("new"), tmp_path / "text", status=6)
    assert "cannot be read" in keys("import", copy.uri("new"), tmp_path / "none", status=6)
    ed = tmp_path / "ed.pem"
    succeed("openssl", "genpkey", "-algorithm", "ED25519", "-out", ed)
    assert "make no DICOM signatures" in keys("import", copy.uri("new"), ed, status=6)
    unnamed = f"pkcs11:token={copy.label}?module-path={copy.module}"
    assert "needs a label" in keys("import", unnamed, PKI / "p256.key.pem", status=2)
    assert "no subject name" in keys("csr", copy.uri("p256"), "--subject", "nonsense", status=2)


def test_list(copy: Token, keys, run) -> None:
    uri = f"pkcs11:token={copy.label}?module-path={copy.module}"
    said = keys("list", uri)
    assert "CKM_RSA_PKCS (RSA), CKM_ECDSA (EC), CKM_DSA (DSA)" in said
    for key in ("rsa2048", "p256", "dsa2048"):
        assert f"key         object={key};id=%" in said
        assert f"certificate object={key};id=%" in said
    without = run("keys", "list", f"pkcs11:?module-path={copy.module}", environment=copy.environment)
    assert without.status == 0
    assert f"token={copy.label}" in without.out
    assert "after login only" in without.out
    assert "key         object=rsa2048" not in without.out


def test_doctor_on_a_healthy_token(copy: Token, keys) -> None:
    for key in ("rsa2048", "p256", "dsa2048"):
        said = keys("doctor", copy.uri(key))
        assert "signature   ok    made on the token, verifies with the certificate" in said
        assert said.rstrip().endswith("nothing would fail")


def test_doctor_says_what_would_fail(softhsm: Token, run) -> None:
    uri = f"pkcs11:token=dsig-dev?module-path={softhsm.module}"
    ran = run("keys", "doctor", uri, "--pin-file", softhsm.pin_file)
    assert ran.status == 6
    parts = dict(p.split(";", 1) for p in ran.out.split("\nkey         object=")[1:] if not p.startswith("twin"))
    assert "CKA_SIGN is false" in parts["nosign"]
    assert "no certificate" in parts["lonely"]
    assert "2 certificates" in parts["several"]
    for mixed in ("mixed-rsa", "mixed-kind"):
        assert "do not belong together" in parts[mixed]
    assert "another key" in parts["mixed-ec"] or "do not belong together" in parts["mixed-ec"]
    assert "PIN for each signature" in parts["careful"]
    assert "signature   ok" in parts["careful"]
    assert "signature   ok" in parts["p521"]
    assert "another CKA_ID" in parts["strayed"]
    assert "CN=sorted" in parts["sorted"]
    assert ran.out.rstrip().endswith("11 would fail")


def test_doctor_tells_an_expired_certificate(copy: Token, keys, tmp_path: Path) -> None:
    keys("generate", copy.uri("old"), "--type", "p256")
    keys("csr", copy.uri("old"), "--subject", "CN=old", "-o", tmp_path / "request.pem")
    request = x509.load_pem_x509_csr((tmp_path / "request.pem").read_bytes())
    authority = load_pem_private_key((copy.directory / "ca.key.pem").read_bytes(), None)
    made = x509.CertificateBuilder(request.subject, request.subject, request.public_key(), 1)
    made = made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
    expired = tmp_path / "expired.pem"
    expired.write_bytes(made.sign(authority, SHA256()).public_bytes(Encoding.PEM))
    keys("install-cert", copy.uri("old"), expired)
    assert "FAIL  CN=old, expired on 2021-01-01" in keys("doctor", copy.uri("old"), status=6)


def test_import_that_fails_leaves_no_half_of_a_pair(softhsm: Token, shim: Path, run, tmp_path: Path) -> None:
    own = copied(softhsm, tmp_path)
    uri, given = own.uri("halved", module=str(shim)), ("--pin-file", own.pin_file)
    failing = own.environment | {"P11SHIM_REAL": own.module, "P11SHIM_CREATE": "0x31@2"}
    ran = run("keys", "import", uri, PKI / "rsa2048.key.pem", *given, environment=failing)
    assert (ran.status, ran.out) == (6, "")
    listed = run("keys", "list", own.uri("halved"), *given, environment=own.environment)
    assert "object=rsa2048;" in listed.out
    assert "halved" not in listed.out


def test_cost_of_opening_a_key_does_not_grow_with_the_others(softhsm: Token, shim: Path, run, tmp_path: Path) -> None:
    own = copied(softhsm, tmp_path)

    def reads(name: str) -> int:
        log = tmp_path / name
        logged = {"P11SHIM_REAL": own.module, "P11SHIM_LOG": str(log), "P11SHIM_READS": "1"}
        given = ("--key", own.uri("p256", module=str(shim)), "--pin-file", own.pin_file)
        ran = run("sign", CT, "-o", tmp_path / f"{name}.dcm", *given, environment=own.environment | logged)
        assert ran.status == 0, ran.err
        return sum(line.endswith(" read") for line in log.read_text().splitlines())

    before = reads("few")
    for name in ("more", "many"):
        ran = run(
            "keys", "generate", own.uri(name), "--type", "p256", "--pin-file", own.pin_file, environment=own.environment
        )
        assert ran.status == 0, ran.err
    assert reads("most") == before > 0


def test_request_without_a_name(keys, copy: Token, tmp_path: Path) -> None:
    said = keys("csr", copy.uri("p256"), "--subject", "", "-o", tmp_path / "request.pem", status=2)
    assert "no subject name" in said
    assert not (tmp_path / "request.pem").exists()


def test_doctor_without_pin_and_with_a_module_that_crashes(softhsm: Token, run, tmp_path: Path) -> None:
    ran = run("keys", "doctor", f"pkcs11:token=dsig-dev?module-path={softhsm.module}")
    assert ran.status == 0
    assert "not examined: say where the PIN is" in ran.out
    assert "a PIN is needed" not in ran.err
    (tmp_path / "crash.c").write_text("#include <stdlib.h>\nunsigned long C_GetFunctionList(void **o) { abort(); }\n")
    succeed("gcc", "-shared", "-fPIC", "-o", tmp_path / "crash.so", tmp_path / "crash.c")
    ran = run("keys", "doctor", f"pkcs11:?module-path={tmp_path}/crash.so")
    assert ran.status == 6
    assert "crashed (SIGABRT)" in ran.err
    ran = run("keys", "doctor", f"pkcs11:token=nobody?module-path={softhsm.module}")
    assert ran.status == 6
    assert "is it inserted" in ran.out


@pytest.mark.parametrize(
    ("flags", "text", "status"),
    [("0x40000", "FAIL  locked", 6), ("0x20000", "one more wrong PIN", 0), ("0x100", "typed at the reader", 0)],
)
def test_doctor_tells_the_state_of_the_pin(softhsm: Token, shim: Path, run, flags: str, text: str, status: int) -> None:
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_TOKENFLAGS": flags}
    ran = run("keys", "doctor", f"pkcs11:token=dsig-dev?module-path={shim}", environment=environment)
    assert ran.status == status
    assert text in ran.out


def test_no_option_takes_a_pin_as_its_value() -> None:
    from dsig_pkcs11.commands import command

    options = {o: p for one in command.commands.values() for p in one.params for o in p.opts if "pin" in o}
    assert options.keys() == {"--pin-file", "--pin-fd", "--pin-env", "--insecure-pin"}
    assert options["--insecure-pin"].is_flag
