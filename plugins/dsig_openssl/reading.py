"""Reading certificates and CRLs, and how strong the signatures between them are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import crypto

from dsig.model import Finding

__all__ = ["believable", "finding", "one_line", "parsed", "read_certificate", "read_crl", "strength", "subject_of"]

_WEAK_HASHES = frozenset(("md5", "sha1"))


_filters = Lock()
"""Serializes our own changes of the warning filters, which are one for all threads."""


def parsed(certificate: crypto.X509) -> x509.Certificate:
    """The certificate as `cryptography` reads it. Raises `ValueError`.

    Warnings, as of serial numbers that are not positive, are not for the terminal.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return certificate.to_cryptography()


def read_certificate(der: bytes) -> crypto.X509:
    """Exactly one certificate. Raises `ValueError`."""
    try:
        read = crypto.load_certificate(crypto.FILETYPE_ASN1, der)
        whole = crypto.dump_certificate(crypto.FILETYPE_ASN1, read) == der
        parsed(read)  # names and dates are asked there
    except (crypto.Error, ValueError):
        raise ValueError("it is no X.509 certificate") from None
    if not whole:
        raise ValueError("something follows the certificate")
    return read


def read_crl(der: bytes) -> x509.CertificateRevocationList:
    """One CRL. Raises `ValueError`."""
    try:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = x509.load_der_x509_crl(der)
            _ = (read.last_update_utc, read.next_update_utc, read.issuer)
    except (ValueError, TypeError):
        raise ValueError("it is no CRL") from None
    return read


def strength(lower: crypto.X509, upper: crypto.X509) -> str:
    """Why the signature of `upper` under `lower` proves nothing any more, or an empty string (NIST SP 800-57)."""
    try:
        hashed = parsed(lower).signature_hash_algorithm
        key = parsed(upper).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "its algorithm is not known"
    if hashed is not None and hashed.name in _WEAK_HASHES:
        return f"the hash {hashed.name.upper()} no longer resists forgery"
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < 2048:
        return f"a key of {key.key_size} bits is too small"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < 224:
        return f"a key of {key.key_size} bits is too small"
    return ""


def believable(
    crls: Sequence[x509.CertificateRevocationList], signers: Callable[[x509.Name], Iterable[crypto.X509]]
) -> list[x509.CertificateRevocationList]:
    """The lists that one of their issuer's certificates signed, with a hash that resists forgery.

    OpenSSL looks at one list of an issuer only, and what anybody made in his name must not be that one.
    """
    return [
        crl
        for crl in crls
        if _hash_of(crl) not in _WEAK_HASHES and any(_signed(crl, one) for one in signers(crl.issuer))
    ]


def _hash_of(crl: x509.CertificateRevocationList) -> str:
    try:
        hashed = crl.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "md5"  # or something as old
    return "" if hashed is None else hashed.name


def _signed(crl: x509.CertificateRevocationList, signer: crypto.X509) -> bool:
    try:
        return crl.is_signature_valid(parsed(signer).public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def subject_of(certificate: crypto.X509) -> str:
    """The common name, or all of the name, for messages."""
    name = parsed(certificate).subject
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return one_line(str(common[0].value) if common else name.rfc4514_string())


def finding(code: str, message: str, severity: str = "error", *, clause: str = "RFC 5280 6.1") -> Finding:
    """A finding of a trust backend."""
    return Finding(code, message, clause=clause, severity=severity)


def one_line(text: str) -> str:
    """Text fit for a message."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))[:300]
