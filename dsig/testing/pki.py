"""A small PKI for tests: root, issuing CA, and signers of each key type, made anew in every run and worth nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["KEYS", "Certified", "Pki", "foreign_key", "shared"]

Key = rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

KEYS = ("rsa2048", "rsa2040", "p256", "p521", "dsa2048")
"""Signers of a PKI; an RSA-2040 signature has an odd length and needs a pad byte."""
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA1": hashes.SHA1(),  # noqa: S303 - what verifiers must know
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Certified:
    """A private key and a certificate for it."""

    key: Key
    certificate: bytes
    """DER."""

    def sign(self, message: bytes, mac: str = "SHA256") -> bytes:
        """RSASSA-PKCS1-v1_5, DER of r and s, or Ed25519, over the message."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), HASHES[mac])
        if isinstance(self.key, dsa.DSAPrivateKey):
            return self.key.sign(message, HASHES[mac])
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(message)
        return self.key.sign(message, ec.ECDSA(HASHES[mac]))

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write `NAME.key.pem` and `NAME.pem` for key sources that read files."""
        key, certificate = directory / f"{name}.key.pem", directory / f"{name}.pem"
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(x509.load_der_x509_certificate(self.certificate).public_bytes(Encoding.PEM))
        return key, certificate


class Pki:
    """`root` certifies `issuing`, which certifies `signers`; other certificates on demand."""

    now: ClassVar[datetime] = datetime.now(UTC).replace(microsecond=0)
    day: ClassVar[timedelta] = timedelta(days=1)

    def __init__(self) -> None:
        self.root = self.certify("root", ca=True)
        self.issuing = self.certify("issuing", issuer=self.root, ca=True)
        self.signers = {name: self.certify(name, issuer=self.issuing, key=_key(name)) for name in KEYS}

    def certify(
        self,
        name: str,
        *,
        issuer: Certified | None = None,
        key: Key | None = None,
        ca: bool = False,
        timestamping: bool = False,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Certified:
        """A new certificate; its own issuer without `issuer`, for a new EC key without `key`, valid for a year.

        With `timestamping` it is that of a TSA (RFC 3161 2.3).
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        above = None if issuer is None else x509.load_der_x509_certificate(issuer.certificate)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if above is None else above.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or self.now - self.day)
            .not_valid_after(not_after or self.now + 365 * self.day)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(_usage(ca=ca), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if timestamping:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        signing = key if issuer is None else issuer.key
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        hashed = None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return Certified(key, builder.sign(signing, hashed).public_bytes(Encoding.DER))


@cache
def shared() -> Pki:
    """One PKI for the whole run; its keys take seconds to make."""
    return Pki()


def foreign_key() -> Key:
    """A key of a kind that makes no DICOM signatures: Ed25519."""
    return ed25519.Ed25519PrivateKey.generate()


def _key(name: str) -> Key:
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, int(name[3:]))
    if name.startswith("dsa"):
        return dsa.generate_private_key(int(name[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p521": ec.SECP521R1()}[name])


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
