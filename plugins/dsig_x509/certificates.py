"""Reading certificates: strictly one DER certificate, its key, and the facts the core asks for."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import PublicKeyAlgorithmOID as Oid

from dsig.hookspecs import CertificateFacts
from dsig_x509.der import without_pad

__all__ = ["CACHED", "STANDARD", "Certificate", "Key", "facts", "read"]

CACHED = 256
"""Certificates a backend remembers: a batch rarely has more signers, and none needs more than a few kilobytes."""

Key = rsa.RSAPublicKey | dsa.DSAPublicKey | ec.EllipticCurvePublicKey

_OTHER_KINDS = {
    Oid.RSASSA_PSS: "RSASSA-PSS",
    Oid.ED25519: "Ed25519",
    Oid.ED448: "Ed448",
    Oid.X25519: "X25519",
    Oid.X448: "X448",
    Oid.ML_DSA_44: "ML-DSA-44",
    Oid.ML_DSA_65: "ML-DSA-65",
    Oid.ML_DSA_87: "ML-DSA-87",
}
"""Keys that make no DICOM signatures but have a name."""

STANDARD = frozenset((Oid.RSAES_PKCS1_v1_5, Oid.DSA, Oid.EC_PUBLIC_KEY))
"""Algorithms of keys that make DICOM signatures (PS3.15 C.1)."""

_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "contentCommitment",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
"""Attribute of `x509.KeyUsage` to name in RFC 5280 4.2.1.3; two more exist only under keyAgreement."""

_filters = Lock()
"""Serializes our own changes of the warning filters, which are one for all threads."""


@contextmanager
def _quiet() -> Iterator[None]:
    """The library warns of serial numbers that are not positive; that is not for the terminal of a batch."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, parsed once."""

    der: bytes
    """Without pad byte."""
    x509: x509.Certificate
    key: Key | None
    """None if the key is of another kind, cannot be read, or proves nothing."""
    key_type: str
    """`RSA`, `DSA`, `EC`, another name, or a dotted OID."""

    @property
    def foreign(self) -> bool:
        """Whether the key is of a kind that makes no DICOM signatures, so that nothing can be said about one."""
        return self.x509.public_key_algorithm_oid not in STANDARD


def read(value: bytes) -> Certificate:
    """Parse exactly one DER certificate, at most one pad byte behind it. Raises `ValueError` with a short reason."""
    der = without_pad(value)
    try:
        with _quiet():
            certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        raise ValueError("it is not an X.509 certificate") from None
    key = _key(certificate)
    return Certificate(der, certificate, key, _key_type(certificate, key))


def facts(certificate: Certificate) -> CertificateFacts:
    """What the certificate says. Raises `ValueError` if a name, a date or an extension cannot be read."""
    try:
        with _quiet():
            return _facts(certificate, certificate.x509)
    except Exception as error:  # noqa: BLE001 - the library parses on access and raises six unrelated kinds of error
        raise ValueError(f"a name, date or extension in it is not as RFC 5280 has it: {error}") from None


def _facts(certificate: Certificate, parsed: x509.Certificate) -> CertificateFacts:
    key = certificate.key
    size = 0 if key is None else key.key_size
    detail = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else str(size or "")
    purposes, critical = _extended_key_usage(parsed.extensions)
    return CertificateFacts(
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.rfc4514_string(),
        serial=f"{parsed.serial_number:x}",
        sha256=hashlib.sha256(certificate.der).hexdigest(),
        key=f"{certificate.key_type} {detail}".rstrip(),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        key_type=certificate.key_type,
        key_size=size,
        key_usage=_key_usage(parsed.extensions),
        extended_key_usage=purposes,
        extended_key_usage_critical=critical,
        authority=_authority(parsed.extensions),
        signature_size=(key.key_size + 7) // 8 if isinstance(key, rsa.RSAPublicKey) else 0,
    )


def _key(certificate: x509.Certificate) -> Key | None:
    # Asked by identifier first: the library reads an RSASSA-PSS key as if it were any RSA key, and warns of others.
    if certificate.public_key_algorithm_oid not in STANDARD:
        return None
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, dsa.DSAPublicKey):
        return key if _is_sound(key.public_numbers()) else None
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e  # to the power of 1 every block is its own signature (RFC 8017 3.1)
        return key if exponent >= 3 and exponent % 2 else None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def _is_sound(numbers: dsa.DSAPublicNumbers) -> bool:
    """Whether g and y are elements one can sign with; with 1 anything verifies (FIPS 186-4 4.1, SP 800-89 5.3.1)."""
    p = numbers.parameter_numbers.p
    return 1 < numbers.parameter_numbers.g < p - 1 and 1 < numbers.y < p - 1


def _key_type(certificate: x509.Certificate, key: Key | None) -> str:
    match key:
        case rsa.RSAPublicKey():
            return "RSA"
        case dsa.DSAPublicKey():
            return "DSA"
        case ec.EllipticCurvePublicKey():
            return "EC"
        case None:
            oid = certificate.public_key_algorithm_oid
            return _OTHER_KINDS.get(oid, oid.dotted_string)


def _key_usage(extensions: x509.Extensions) -> frozenset[str]:
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    names = {name for attribute, name in _USAGES.items() if getattr(usage, attribute)}
    if usage.key_agreement:
        names |= {"encipherOnly"} if usage.encipher_only else set()
        names |= {"decipherOnly"} if usage.decipher_only else set()
    if not names:  # RFC 5280 4.2.1.3 wants one bit at least; "nothing allowed" must not look like "nothing said"
        raise ValueError("keyUsage allows nothing")
    return frozenset(names)


def _authority(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _extended_key_usage(extensions: x509.Extensions) -> tuple[frozenset[str], bool]:
    """The purposes, and whether the extension is critical."""
    try:
        found = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return frozenset(), False
    names = frozenset(oid.dotted_string for oid in found.value)
    if not names:
        raise ValueError("extendedKeyUsage allows nothing")
    return names, found.critical
