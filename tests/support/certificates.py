"""Certificates made to measure with `cryptography`, independently of every trust backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

CA = (x509.BasicConstraints(ca=True, path_length=None), True)
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def usage(*allowed: str) -> tuple[x509.KeyUsage, bool]:
    """A critical key usage, its bits named as `x509.KeyUsage` names them."""
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    assert set(allowed) <= set(names)
    return x509.KeyUsage(**{name: name in allowed for name in names}), True


def purposes(*oids: str, critical: bool = False) -> tuple[x509.ExtendedKeyUsage, bool]:
    """An extended key usage."""
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids]), critical


def named(common_name: str) -> x509.Name:
    """A name with nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@cache
def p256(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key; the same number gives the same key while the tests run."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Holder:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def issue(
    name: str,
    issuer: Holder | None = None,
    extensions: Extensions = (),
    *,
    key: Any = None,
    since: datetime = SINCE,
    until: datetime = UNTIL,
    serial: int | None = None,
    hash_: hashes.HashAlgorithm | None = None,
) -> Holder:
    """A certificate by `issuer`, self-signed without one."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(issuer.certificate.subject if issuer else named(name))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Holder(builder.sign(issuer.key if issuer else key, hash_ or hashes.SHA256()), key)
