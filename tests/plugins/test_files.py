"""The key source `file`: which files it opens, what it signs, and how it says no."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, utils, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

import dsig_macs
from dsig.errors import KeySourceError
from dsig.hookspecs import KeyRequest, MacAlgorithmSpec
from dsig.plugins import default
from dsig_files import paths, signer
from dsig_files.source import FileKeySource

MACS = {spec.name: spec for spec in dsig_macs.dsig_mac_algorithms()}
PASSPHRASE = "Pass-Word.1"  # of the corpus' encrypted keys, see its README
CANARY = "canary-Zw7Vq2"
KEYS = ["rsa2048", "p256", "p384", "dsa2048"]
PLAIN = ["key.pem", "key.pkcs8.der", "key.trad.pem", "key.trad.der"]
ENCRYPTED = ["key.enc.pem", "key.enc.der", "key.trad.enc.pem", "key.trad.des3.pem"]


class Answers:
    """Secrets that give the answers prepared for them, then none."""

    def __init__(self, *answers: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answers = list(answers)

    def get(self, kind: str, what: str) -> str | None:
        self.asked.append((kind, what))
        return self._answers.pop(0) if self._answers else None


@pytest.fixture
def source():
    return FileKeySource()


def opened(source, key: object, certificate: object = None, secrets: Answers | None = None):
    return source.open(KeyRequest(str(key), None if certificate is None else str(certificate)), secrets or Answers())


def refusal(source, key: object, certificate: object = None, secrets: Answers | None = None) -> KeySourceError:
    with pytest.raises(KeySourceError) as caught, opened(source, key, certificate, secrets):
        pass
    return caught.value


def der(path: Path) -> bytes:
    """The first certificate of a PEM file, decoded by hand."""
    body = path.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return base64.b64decode(body)


def private_key(path: Path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


def written(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


# ------------------------------------------------------------------------------------------------- what it opens


@pytest.mark.parametrize("form", PLAIN + ENCRYPTED)
@pytest.mark.parametrize("name", KEYS)
def test_every_format_is_opened_and_asks_only_if_it_must(source, pki, name, form):
    secrets = Answers(PASSPHRASE)
    with opened(source, pki / f"{name}.{form}", pki / f"{name}.pem", secrets) as key:
        assert key.certificate == der(pki / f"{name}.pem")
        assert key.chain == ()
        assert key.sign_digest(bytes(32), MACS["SHA256"])
    assert secrets.asked == ([("passphrase", str(pki / f"{name}.{form}"))] if form in ENCRYPTED else [])


def test_the_content_decides_about_the_format_and_not_the_name(source, pki, tmp_path):
    key = written(tmp_path / "key.p12", (pki / "p256.key.trad.der").read_bytes())
    certificate = written(tmp_path / "certificate.key", (pki / "p256.der").read_bytes())
    with opened(source, key, certificate) as found:
        assert found.certificate == der(pki / "p256.pem")


@pytest.mark.parametrize("form", ["pem", "der"])
def test_the_certificate_may_be_pem_or_der(source, pki, form):
    with opened(source, pki / "rsa2048.key.pem", pki / f"rsa2048.{form}") as key:
        assert key.certificate == der(pki / "rsa2048.pem")


def test_the_first_certificate_of_a_pem_file_is_the_signers_and_the_others_are_the_chain(source, pki, tmp_path):
    names = ["rsa2048", "inter", "root", "inter"]
    bundle = written(tmp_path / "bundle.pem", *((pki / f"{name}.pem").read_bytes() for name in names))
    with opened(source, pki / "rsa2048.key.pem", bundle) as key:
        assert key.certificate == der(pki / "rsa2048.pem")
        assert key.chain == (der(pki / "inter.pem"), der(pki / "root.pem"))


def test_another_certificate_of_the_same_key_is_taken_when_it_is_asked_for(source, pki):
    with opened(source, pki / "rsa2048.key.pem", pki / "rsa2048_alias.pem") as key:
        assert key.certificate == der(pki / "rsa2048_alias.pem")


@pytest.mark.parametrize("order", [("key", "own", "ca"), ("own", "key", "ca"), ("ca", "own", "key")])
def test_key_and_certificates_may_share_a_pem_file_in_any_order(source, pki, tmp_path, order):
    parts = {
        "key": b"Bag Attributes\r\n    friendlyName: x\r\n" + (pki / "p256.key.pem").read_bytes(),
        "own": (pki / "p256.pem").read_bytes().replace(b"\n", b"\r\n"),
        "ca": b"# the issuer\n" + (pki / "inter.pem").read_bytes(),
    }
    both = written(tmp_path / "both.pem", *(parts[part] for part in order))
    with opened(source, both) as key:
        assert key.certificate == der(pki / "p256.pem")
        assert key.chain == (der(pki / "inter.pem"),)


def test_a_certificate_asked_for_wins_over_the_one_beside_the_key(source, pki, tmp_path):
    both = written(tmp_path / "both.pem", (pki / "rsa2048.key.pem").read_bytes(), (pki / "rsa2048.pem").read_bytes())
    with opened(source, both, pki / "rsa2048_alias.pem") as key:
        assert key.certificate == der(pki / "rsa2048_alias.pem")


def test_curve_parameters_before_the_key_do_not_matter(source, pki, tmp_path):
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key = written(tmp_path / "key.pem", parameters, (pki / "p256.key.trad.pem").read_bytes())
    with opened(source, key, pki / "p256.pem") as found:
        assert found.certificate == der(pki / "p256.pem")


def pkcs12_of(pki: Path, name: str, passphrase: str | None) -> bytes:
    chain = [x509.load_pem_x509_certificate((pki / f"{ca}.pem").read_bytes()) for ca in ("inter", "root")]
    return pkcs12.serialize_key_and_certificates(
        b"signer",
        private_key(pki / f"{name}.key.pem"),
        x509.load_pem_x509_certificate((pki / f"{name}.pem").read_bytes()),
        chain,
        NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode()),
    )


@pytest.mark.parametrize("passphrase", [None, CANARY, "Schlüssel☂"])
@pytest.mark.parametrize("name", ["rsa2048", "p256"])
def test_pkcs12_gives_key_certificate_and_chain_whatever_its_name(source, pki, tmp_path, name, passphrase):
    store = written(tmp_path / "store.pem", pkcs12_of(pki, name, passphrase))
    secrets = Answers(*filter(None, [passphrase]))
    with opened(source, store, secrets=secrets) as key:
        assert key.certificate == der(pki / f"{name}.pem")
        assert set(key.chain) == {der(pki / "inter.pem"), der(pki / "root.pem")}
    assert len(secrets.asked) == (passphrase is not None)


@pytest.mark.interop
@pytest.mark.parametrize(
    "options",
    [
        ["-passout", "pass:abc"],
        ["-passout", "pass:abc", "-legacy"],
        ["-passout", "pass:", "-keypbe", "NONE", "-certpbe", "NONE", "-nomac"],
        ["-passout", "pass:"],
    ],
    ids=["modern", "legacy", "plain", "empty"],
)
def test_pkcs12_files_of_openssl_are_opened(source, pki, tmp_path, openssl, options):
    store = tmp_path / "store.p12"
    openssl("pkcs12", "-export", "-inkey", pki / "p384.key.pem", "-in", pki / "p384.pem", "-out", store, *options)
    with opened(source, store, secrets=Answers("abc")) as key:
        assert key.certificate == der(pki / "p384.pem")


def test_pkcs12_without_certificate_takes_the_one_asked_for(source, pki, tmp_path):
    content = pkcs12.serialize_key_and_certificates(
        None, private_key(pki / "p256.key.pem"), None, None, BestAvailableEncryption(CANARY.encode())
    )
    store = written(tmp_path / "key.p12", content)
    assert refusal(source, store, secrets=Answers(CANARY)).code == "no-certificate"
    with opened(source, store, pki / "p256.pem", Answers(CANARY)) as key:
        assert key.certificate == der(pki / "p256.pem")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("key.pem", "key.pem"),
        ("100%20.pem", "100%20.pem"),
        ("./a:b.pem", "./a:b.pem"),
        ("file:key.pem", "key.pem"),
        ("FILE:key.pem", "key.pem"),
        ("file:100%20.pem", "100%20.pem"),
        ("file:with:colon.pem", "with:colon.pem"),
        ("file:/etc/key.pem", "/etc/key.pem"),
        ("file:///etc/my%20key%3a.pem", "/etc/my key:.pem"),
        ("file:///etc/%c3%a4.pem", "/etc/ä.pem"),
        ("file://localhost/etc/key.pem", "/etc/key.pem"),
    ],
)
def test_uri_forms(uri, path):
    assert paths.path_of(uri) == path


def test_the_core_finds_this_source_for_paths_and_file_uris():
    plugins = default()
    for uri in ("key.pem", "/a/b.pem", "file:x", "file:///x"):
        name, provider = plugins.key_source_for(uri)
        assert name == "file"
        assert isinstance(provider, FileKeySource)


def test_a_pipe_can_be_read_as_a_key(source, pki):
    reading, writing = os.pipe()
    os.write(writing, (pki / "p256.key.pem").read_bytes())
    os.close(writing)
    try:
        with opened(source, f"/dev/fd/{reading}", pki / "p256.pem") as key:
            assert key.certificate == der(pki / "p256.pem")
    finally:
        os.close(reading)


# -------------------------------------------------------------------------------------------------- what it signs


@pytest.fixture(scope="session")
def more_keys(tmp_path_factory, issue) -> Path:
    """Keys the corpus does not have, as `NAME.key.pem` and `NAME.pem`."""
    folder = tmp_path_factory.mktemp("keys")
    made = {
        "p521": ec.generate_private_key(ec.SECP521R1()),
        "k256": ec.generate_private_key(ec.SECP256K1()),
        "brainpool512": ec.generate_private_key(ec.BrainpoolP512R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ed448": ed448.Ed448PrivateKey.generate(),
    }
    for name, key in made.items():
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.key.pem").write_bytes(text)
        (folder / f"{name}.pem").write_bytes(issue(name, key.public_key(), key).public_bytes(Encoding.PEM))
    x = x25519.X25519PrivateKey.generate()
    text = x.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "x25519.key.pem").write_bytes(text)
    return folder


@pytest.mark.interop
@pytest.mark.parametrize("term", MACS)
@pytest.mark.parametrize("name", ["rsa2048", "rsa3072", "p256", "p384", "p521", "k256", "brainpool512", "dsa2048"])
def test_signatures_verify_with_openssl(source, pki, more_keys, tmp_path, openssl, name, term):
    folder = pki if (pki / f"{name}.pem").exists() else more_keys
    data = written(tmp_path / "data", random.Random(name + term).randbytes(300))
    public = tmp_path / "public.pem"
    public.write_bytes(openssl("x509", "-in", folder / f"{name}.pem", "-noout", "-pubkey"))
    mac = default().mac_algorithms.get(term)()
    mac.update(data.read_bytes())
    with opened(source, folder / f"{name}.key.pem", folder / f"{name}.pem") as key:
        signature = written(tmp_path / "signature", key.sign_digest(mac.digest(), MACS[term]))
    openssl("dgst", f"-{term.lower().replace('_', '-')}", "-verify", public, "-signature", signature, data)


def test_rsa_signs_the_digest_info_of_the_standard(source, pki):
    digest = hashlib.sha256(b"abc").digest()
    with opened(source, pki / "rsa2048.key.pem", pki / "rsa2048.pem") as key:
        signature = key.sign_digest(digest, MACS["SHA256"])
    numbers = private_key(pki / "rsa2048.key.pem").public_key().public_numbers()
    block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    # RFC 8017 9.2: 00 01 FF… 00, then note 1's DER for SHA-256
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    assert block == b"\x00\x01" + b"\xff" * (256 - 3 - len(info)) + b"\x00" + info


def test_an_object_identifier_of_another_plugin_is_encoded_as_x690_says(source, pki):
    mac = MacAlgorithmSpec(name="OTHER", summary="", factory="a:b", oid="2.999.1234567.0", digest_size=3)
    with opened(source, pki / "rsa2048.key.pem", pki / "rsa2048.pem") as key:
        signature = key.sign_digest(b"abc", mac)
    public = private_key(pki / "rsa2048.key.pem").public_key()
    info = public.recover_data_from_signature(signature, padding.PKCS1v15(), utils.NoDigestInfo())
    # 2.999 is one number, 1079 = 88 37; 1234567 = CB AD 07 (X.690 8.19)
    assert info.hex() == "3011300a0606" + "8837" + "cbad07" + "00" + "0500" + "0403" + "616263"


def test_p521_signatures_have_even_length(source, more_keys):
    digest = bytes(64)
    with opened(source, more_keys / "p521.key.pem", more_keys / "p521.pem") as key:
        signatures = [key.sign_digest(digest, MACS["SHA512"]) for _ in range(100)]
    public = private_key(more_keys / "p521.key.pem").public_key()
    for signature in signatures:
        assert signature[1] != 0x81 or len(signature) % 2 == 0
        public.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA512())))
    assert len(set(signatures)) == 100


def test_only_long_form_odd_signatures_are_made_again():
    short_odd, long_odd, long_even = b"\x30\x05" + bytes(5), b"\x30\x81" + bytes(137), b"\x30\x81" + bytes(136)
    given = iter([short_odd])
    assert signer._of_even_length(lambda: next(given)) == short_odd
    given = iter([long_odd, long_odd, long_even])
    assert signer._of_even_length(lambda: next(given)) == long_even


def test_hoping_for_an_even_length_has_an_end():
    odd = b"\x30\x81" + bytes(137)
    calls = []
    assert signer._of_even_length(lambda: calls.append(1) or odd) == odd
    assert len(calls) == 65


def test_ecdsa_is_randomised(source, pki):
    with opened(source, pki / "p256.key.pem", pki / "p256.pem") as key:
        assert key.sign_digest(bytes(32), MACS["SHA256"]) != key.sign_digest(bytes(32), MACS["SHA256"])


@pytest.mark.parametrize("name", KEYS)
def test_a_digest_of_another_size_is_refused(source, pki, name):
    with opened(source, pki / f"{name}.key.pem", pki / f"{name}.pem") as key, pytest.raises(KeySourceError) as caught:
        key.sign_digest(bytes(31), MACS["SHA256"])
    assert caught.value.code == "digest-size"


def test_a_closed_key_signs_no_more(source, pki):
    with opened(source, pki / "p256.key.pem", pki / "p256.pem") as key:
        pass
    with pytest.raises(KeySourceError) as caught:
        key.sign_digest(bytes(32), MACS["SHA256"])
    assert caught.value.code == "key-closed"


@pytest.mark.interop
def test_an_rsa_key_too_small_for_the_digest_info_is_refused(source, tmp_path, openssl):
    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:512",
        "-nodes",
        "-subj",
        "/CN=small",
        "-keyout",
        tmp_path / "k",
        "-out",
        tmp_path / "c",
    )
    with opened(source, tmp_path / "k", tmp_path / "c") as key:
        assert len(key.sign_digest(bytes(32), MACS["SHA256"])) == 64
        with pytest.raises(KeySourceError) as caught:
            key.sign_digest(bytes(64), MACS["SHA512"])
    assert caught.value.code == "key-too-small"
    assert caught.value.where.file == str(tmp_path / "k")


# ------------------------------------------------------------------------------------------------ how it says no


def test_errors_have_exit_status_code_file_and_hint(source, pki, tmp_path):
    error = refusal(source, tmp_path / "none.pem")
    assert (error.exit_status, error.code, error.where.file) == (6, "file-not-found", str(tmp_path / "none.pem"))
    assert error.hint


@pytest.mark.parametrize("role", ["key", "certificate"])
def test_files_that_cannot_be_read(source, pki, tmp_path, role):
    def code(path: object) -> str:
        error = refusal(source, path) if role == "key" else refusal(source, pki / "p256.key.pem", path)
        assert error.hint
        return error.code

    assert code(tmp_path / "none") == "file-not-found"
    assert code("") == "file-not-found"
    assert code(tmp_path) == "file-unreadable"
    assert code(tmp_path / "zero\x00byte") == "file-unreadable"
    assert code("/dev/zero") == "file-too-large"
    assert code(written(tmp_path / "big", bytes(paths.MAX_BYTES + 1))) == "file-too-large"
    locked = written(tmp_path / "locked", b"x")
    locked.chmod(0)
    if os.geteuid() != 0:
        assert code(locked) == "file-unreadable"
    locked.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_file_on_another_host_is_refused(source):
    error = refusal(source, "file://server/key.pem")
    assert error.code == "key-uri"
    assert "file:///" in error.hint


PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        bytes(100),
        b"\x30\x03\x02\x01\x00",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        PUBLIC,
    ],
)
def test_what_is_not_a_private_key(source, tmp_path, content):
    error = refusal(source, written(tmp_path / "key", content))
    assert error.code == "not-a-key"
    assert error.where.file == str(tmp_path / "key")
    assert error.hint


def test_a_damaged_key_is_not_a_key(source, pki, tmp_path):
    whole = (pki / "rsa2048.key.pkcs8.der").read_bytes()
    assert refusal(source, written(tmp_path / "short", whole[:-1])).code == "not-a-key"
    assert refusal(source, written(tmp_path / "half", whole[:500])).code == "not-a-key"


@pytest.mark.parametrize("name", ["rsa2048.pem", "rsa2048.der", "bundle.pem"])
def test_a_certificate_given_as_key(source, pki, name):
    error = refusal(source, pki / name, pki / "rsa2048.pem")
    assert error.code == "certificate-as-key"
    assert "--cert" in error.hint


def test_pkcs12_without_key(source, pki, tmp_path):
    certificate = x509.load_pem_x509_certificate((pki / "p256.pem").read_bytes())
    content = pkcs12.serialize_key_and_certificates(None, None, certificate, None, NoEncryption())
    assert refusal(source, written(tmp_path / "store", content)).code == "certificate-as-key"


def test_several_private_keys(source, pki, tmp_path):
    keys = [(pki / name).read_bytes() for name in ("p256.key.pem", "rsa2048.key.enc.pem")]
    secrets = Answers(PASSPHRASE)
    assert refusal(source, written(tmp_path / "keys", *keys), pki / "p256.pem", secrets).code == "several-keys"
    assert secrets.asked == []


def test_no_certificate(source, pki):
    error = refusal(source, pki / "p256.key.pem")
    assert error.code == "no-certificate"
    assert "--cert" in error.hint


def test_a_certificate_file_without_certificate(source, pki):
    assert refusal(source, pki / "p256.key.pem", pki / "p256.key.pem").code == "no-certificate"
    assert refusal(source, pki / "p256.key.pem", pki / "inter.crl.pem").code == "no-certificate"


@pytest.mark.parametrize("surplus", [b"\x00", b"x"])
def test_a_certificate_that_cannot_be_read(source, pki, tmp_path, surplus):
    whole = (pki / "p256.der").read_bytes()
    for number, content in enumerate(
        [
            b"",
            whole[:-1],
            whole + surplus,
            (pki / "inter.crl.der").read_bytes(),
            (pki / "p256.key.pkcs8.der").read_bytes(),
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            (pki / "p256.pem").read_bytes() + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ]
    ):
        file = written(tmp_path / f"certificate{number}", content)
        error = refusal(source, pki / "p256.key.pem", file)
        assert (error.code, error.where.file) == ("certificate-unreadable", str(file))


@pytest.mark.parametrize("other", ["rsa2048b.pem", "rsa3072.pem", "p256.pem", "dsa2048.pem", "bundle.pem"])
def test_key_and_certificate_that_do_not_belong_together(source, pki, other):
    error = refusal(source, pki / "rsa2048.key.pem", pki / other)
    assert (error.code, error.where.file) == ("key-mismatch", str(pki / other))


def test_only_strangers_beside_the_key_is_a_mismatch(source, pki, tmp_path):
    both = written(tmp_path / "both.pem", (pki / "p256.key.pem").read_bytes(), (pki / "inter.pem").read_bytes())
    assert refusal(source, both).code == "key-mismatch"


@pytest.mark.parametrize("name", ["ed25519", "ed448", "x25519"])
def test_keys_that_make_no_dicom_signatures(source, pki, more_keys, name):
    error = refusal(source, more_keys / f"{name}.key.pem", pki / "p256.pem")
    assert error.code == "key-type"
    assert name.upper() in error.message.upper()


def test_a_certificate_of_such_a_key_is_refused_too(source, pki, more_keys):
    assert refusal(source, pki / "p256.key.pem", more_keys / "ed25519.pem").code == "key-type"


@pytest.mark.interop
def test_diffie_hellman_keys_are_refused_without_warnings(source, pki, tmp_path, openssl):
    openssl("genpkey", "-algorithm", "DHX", "-pkeyopt", "dh_rfc5114:2", "-out", tmp_path / "dhx")
    openssl("genpkey", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", tmp_path / "dh")
    for name in ("dh", "dhx"):
        assert refusal(source, tmp_path / name, pki / "p256.pem").code == "key-type"


@pytest.mark.interop
def test_a_curve_that_is_not_supported_is_refused(source, pki, tmp_path, openssl):
    openssl("ecparam", "-name", "sect283k1", "-genkey", "-noout", "-out", tmp_path / "binary")
    assert refusal(source, tmp_path / "binary", pki / "p256.pem").code == "key-unsupported"


@pytest.mark.interop
def test_an_rsa_key_certified_for_pss_is_refused(source, tmp_path, openssl):
    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa-pss",
        "-nodes",
        "-subj",
        "/CN=pss",
        "-keyout",
        tmp_path / "k",
        "-out",
        tmp_path / "c",
    )
    assert refusal(source, tmp_path / "k", tmp_path / "c").code == "key-type"


# ------------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("form", ENCRYPTED)
def test_a_wrong_passphrase(source, pki, form):
    error = refusal(source, pki / f"p256.{form}", pki / "p256.pem", Answers(CANARY))
    assert (error.exit_status, error.code) == (6, "wrong-passphrase")
    assert error.where.file == str(pki / f"p256.{form}")


@pytest.mark.parametrize("form", ENCRYPTED)
def test_no_passphrase(source, pki, form):
    secrets = Answers()
    error = refusal(source, pki / f"p256.{form}", pki / "p256.pem", secrets)
    assert error.code == "passphrase-needed"
    assert "--passphrase-file" in error.hint
    assert len(secrets.asked) == 1


def test_pkcs12_passphrases(source, pki, tmp_path):
    store = written(tmp_path / "store.p12", pkcs12_of(pki, "p256", PASSPHRASE))
    assert refusal(source, store, secrets=Answers()).code == "passphrase-needed"
    assert refusal(source, store, secrets=Answers(CANARY)).code == "wrong-passphrase"


@pytest.mark.parametrize("answer", ["", "x" * 2000, "a\x00b", "\ud800", os.fsdecode(b"\xff\xfe")])
@pytest.mark.parametrize("form", ["key.enc.pem", "key.enc.der", "key.trad.enc.pem", "p12"])
def test_odd_passphrases_are_just_wrong(source, pki, tmp_path, form, answer):
    path = pki / f"p256.{form}"
    if form == "p12":
        path = written(tmp_path / "store.p12", pkcs12_of(pki, "p256", PASSPHRASE))
    assert refusal(source, path, pki / "p256.pem", Answers(answer)).code == "wrong-passphrase"


def test_a_passphrase_may_be_mistyped_and_given_again(source, pki):
    secrets = Answers("no", PASSPHRASE)
    with opened(source, pki / "p256.key.enc.pem", pki / "p256.pem", secrets) as key:
        assert key.certificate
    assert len(secrets.asked) == 2


def test_asking_ends_after_three_attempts(source, pki):
    secrets = Answers("a", "b", "c", PASSPHRASE)
    assert refusal(source, pki / "p256.key.enc.pem", pki / "p256.pem", secrets).code == "wrong-passphrase"
    assert len(secrets.asked) == 3


def test_a_passphrase_of_any_bytes_opens_the_key(source, pki, tmp_path):
    text = private_key(pki / "p256.key.pem").private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"caf\xe9")
    )
    with opened(source, written(tmp_path / "k", text), pki / "p256.pem", Answers(os.fsdecode(b"caf\xe9"))) as key:
        assert key.certificate


def told(error: BaseException) -> str:
    """Everything an error can show, local variables of the traceback included."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join([str(error), repr(error), repr(error.args), repr(vars(error)), *shown.format()])


@pytest.mark.parametrize("form", [*ENCRYPTED, "p12"])
def test_no_error_shows_the_passphrase(source, pki, tmp_path, form):
    path = pki / f"p256.{form}"
    if form == "p12":
        path = written(tmp_path / "store.p12", pkcs12_of(pki, "p256", PASSPHRASE))
    for answers in ([CANARY], [CANARY] * 3, [CANARY + "\ud800"], [CANARY + "\udcff"]):
        secrets = Answers(*answers)
        del answers
        assert "canary" not in told(refusal(source, path, pki / "p256.pem", secrets))


def test_no_error_shows_the_passphrase_of_a_key_that_is_refused(source, pki, more_keys, tmp_path):
    key = private_key(more_keys / "ed25519.key.pem")
    protected = BestAvailableEncryption(CANARY.encode())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protected)
    error = refusal(source, written(tmp_path / "k", text), pki / "p256.pem", Answers(CANARY))
    assert error.code == "key-type"
    assert "canary" not in told(error)


def test_no_error_shows_key_material(source, pki, tmp_path):
    text = (pki / "rsa2048.key.pem").read_bytes()
    line = text.splitlines()[5].decode()
    damaged = text.replace(b"-----\nMII", b"-----\nMIJ", 1)
    for content in (damaged, text):
        error = refusal(source, written(tmp_path / "k", content), pki / "rsa2048b.pem")
        del content
        assert line not in "".join([str(error), repr(error), *traceback.format_exception(error)])


def test_a_signer_does_not_show_its_key(source, pki):
    with opened(source, pki / "rsa2048.key.pem", pki / "rsa2048.pem") as key:
        assert "rsa" not in repr(key).lower().replace("dsig_files", "")


def test_registering_loads_no_cryptography():
    code = "import sys, dsig_files; dsig_files.dsig_key_sources(); print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
