"""What the plugin tests share: the corpus PKI, certificates made to measure, the openssl program."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from cryptography.x509.oid import NameOID

PKI = Path(__file__).parents[1] / "corpus" / "pki"


@pytest.fixture(scope="session")
def pki() -> Path:
    """Directory of the corpus' keys and certificates; its README says what they are."""
    assert (PKI / "pki.json").is_file(), "the corpus is missing"
    return PKI


@pytest.fixture(scope="session")
def cert(pki):
    """Certificates of the corpus by name, DER."""

    @cache
    def der(name: str) -> bytes:
        body = (pki / f"{name}.pem").read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
        return base64.b64decode(body)

    return der


@pytest.fixture(scope="session")
def openssl():
    """Runs the openssl program and gives its standard output."""

    def run(*arguments: object, stdin: bytes | None = None) -> bytes:
        command = ["openssl", *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def issue():
    """Makes certificates: self-signed, or by an issuer given as (certificate, key)."""

    def make(
        name: str,
        public_key,
        signed_by,
        issuer: x509.Certificate | None = None,
        extensions=(),
        since=datetime(2020, 1, 1, tzinfo=UTC),
        until=datetime(2040, 1, 1, tzinfo=UTC),
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        bare = isinstance(signed_by, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        return builder.sign(signed_by, None if bare else hashes.SHA256())

    return make
