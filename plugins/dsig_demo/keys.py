"""A certification authority and a signer for one afternoon."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["write_keys"]

BITS = 3072
LIFETIME = timedelta(days=7)


def write_keys(directory: Path) -> None:
    """Write `key.pem`, readable by the owner only, `signer.pem` and `ca.pem`; the CA's own key is forgotten."""
    ca_key = generate_private_key(65537, BITS)
    ca_name = _name("dsig demo CA")
    ca = _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(signs=False), critical=True)
    key = generate_private_key(65537, BITS)
    signer = _builder(_name("dsig demo signer"), ca_name, key.public_key(), ca_key.public_key())
    signer = signer.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    signer = signer.add_extension(_usage(signs=True), critical=True)
    _write_private(directory / "key.pem", key)
    for name, builder in (("signer.pem", signer), ("ca.pem", ca)):
        certificate = builder.sign(ca_key, hashes.SHA256())
        (directory / name).write_bytes(certificate.public_bytes(Encoding.PEM))


def _write_private(path: Path, key: RSAPrivateKey) -> None:
    path.unlink(missing_ok=True)  # an older one may have other permissions
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: RSAPublicKey, above: RSAPublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=signs,
        key_cert_sign=not signs,
        crl_sign=not signs,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
