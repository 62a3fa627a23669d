"""The certificate of a token key: from a file or found by CKA_ID, and proved to be of this key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import PublicKeyAlgorithmOID
from pkcs11 import Attribute, Session

from dsig.errors import KeySourceError, Where
from dsig_pkcs11.objects import KeyFacts, attribute, stored_certificates
from dsig_pkcs11.tokens import TokenFacts

__all__ = [
    "PublicKey",
    "Stored",
    "chain_of",
    "from_file",
    "from_token",
    "issuers",
    "matches",
    "mismatch",
    "points_of",
    "public_key",
    "stored",
]

MAX_BYTES = 1 << 20
"""Largest certificate file read."""
MAX_CHAIN = 16
_OCTET_STRING = 0x04

Stored = tuple[bytes, str, x509.Certificate]
"""CKA_ID, label and certificate."""
PublicKey = rsa.RSAPublicKey | dsa.DSAPublicKey | ec.EllipticCurvePublicKey

_KINDS: dict[str, type] = {"RSA": rsa.RSAPublicKey, "DSA": dsa.DSAPublicKey, "EC": ec.EllipticCurvePublicKey}
_SIGNS = frozenset(
    (PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.DSA, PublicKeyAlgorithmOID.EC_PUBLIC_KEY)
)
"""One for RSASSA-PSS alone must not make PKCS#1 v1.5 signatures (RFC 4055 1.2)."""


def from_file(path: str) -> list[x509.Certificate]:
    """Certificates of a PEM file in its order, or the one of a DER file; never empty. Raises `KeySourceError`."""
    where = Where(file=path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES)
    except FileNotFoundError:
        raise KeySourceError(
            "the certificate file does not exist", code="file-not-found", where=where, hint="check the path"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "impossible file name"
        raise KeySourceError(
            f"the certificate file cannot be read: {reason}", code="file-unreadable", where=where
        ) from None
    try:
        if b"-----BEGIN " in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except (ValueError, x509.InvalidVersion):
        raise KeySourceError(
            "the certificate cannot be read",
            code="certificate-unreadable",
            where=where,
            hint="it must be an X.509 certificate in PEM or DER; see openssl x509 -text",
        ) from None


def stored(session: Session, like: Mapping[Attribute, bytes] = MappingProxyType({})) -> list[Stored]:
    """CKA_ID, label and certificate of all with these attributes that can be read. Raises `PKCS11Error`."""
    found = []
    for identifier, label, der in stored_certificates(session, like):
        try:
            found.append((identifier, label, x509.load_der_x509_certificate(der)))
        except (ValueError, x509.InvalidVersion):
            continue  # somebody else's, and of no use to anybody
    return found


def issuers(session: Session, certificate: x509.Certificate) -> list[x509.Certificate]:
    """Those on the token that may have issued it, found by CKA_SUBJECT. Raises `PKCS11Error`."""

    def named(name: x509.Name) -> list[x509.Certificate]:
        return [found for _, _, found in stored(session, {Attribute.SUBJECT: name.public_bytes()})]

    found = named(certificate.issuer)
    if found or named(certificate.subject):
        return found
    return [other for _, _, other in stored(session)]  # it may be that this token finds nothing by its subject


def from_token(
    key: KeyFacts, present: Sequence[Stored], token: TokenFacts, proof: Callable[[x509.Certificate], bool | None]
) -> x509.Certificate:
    """The one certificate with the key's CKA_ID; of several, those are left out that `proof` says are another key's.

    Raises `KeySourceError` if there is none, or several that differ.
    """
    hits = list(dict.fromkeys(c for identifier, _, c in present if key.id and identifier == key.id))
    if len(hits) > 1:
        hits = [c for c in hits if proof(c) is not False] or hits
    if len(hits) == 1:
        return hits[0]
    if hits:
        listed = "; ".join(f"{c.subject.rfc4514_string()} until {c.not_valid_after_utc:%Y-%m-%d}" for c in hits[:4])
        raise KeySourceError(
            f"{len(hits)} certificates of {token} have the CKA_ID of the key {key.uri}: {listed}",
            code="several-certificates",
            hint="name the one to use with --cert FILE",
        )
    own = next((label for _, label, c in present if proof(c)), None)
    more = f"; {own!r} is of this key but has another CKA_ID" if own is not None else ""
    raise KeySourceError(
        f"{token} has no certificate with the CKA_ID of the key {key.uri}{more}",
        code="no-certificate",
        hint="name a file with --cert, or store it beside the key with dsig keys install-cert",
    )


def public_key(key: KeyFacts, certificate: x509.Certificate) -> PublicKey:
    """The key in the certificate, of the kind the token key has. Raises `KeySourceError`."""
    kind = _KINDS.get(key.key_type)
    if kind is None:
        raise KeySourceError(
            f"{key.key_type} keys make no DICOM signatures",
            code="key-type",
            hint="use an RSA, DSA or elliptic curve key with a certificate",
        )
    try:
        found = certificate.public_key() if certificate.public_key_algorithm_oid in _SIGNS else None
    except (ValueError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, kind):
        raise mismatch(key)
    return found  # type: ignore[return-value]  # of one of the three kinds


def matches(key: KeyFacts, public: Any, certificate: x509.Certificate) -> bool | None:
    """Whether the certificate is of the key, judged by its modulus or its public key object; None if they tell nothing.

    Raises `PKCS11Error`.
    """
    try:
        given = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(given, _KINDS.get(key.key_type, ())):
        return False
    if isinstance(given, rsa.RSAPublicKey):
        modulus = key.modulus or int.from_bytes(attribute(public, Attribute.MODULUS, b"") if public else b"", "big")
        return modulus == given.public_numbers().n if modulus else None
    if isinstance(given, ec.EllipticCurvePublicKey):
        point = attribute(public, Attribute.EC_POINT) if public else None
        return given.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) in points_of(point) if point else None
    if isinstance(given, dsa.DSAPublicKey):
        value = attribute(public, Attribute.VALUE) if public else None
        return int.from_bytes(value, "big") == given.public_numbers().y if value else None
    return False


def chain_of(
    certificate: x509.Certificate,
    offered: Iterable[x509.Certificate],
    more: Callable[[x509.Certificate], Iterable[x509.Certificate]],
) -> tuple[bytes, ...]:
    """The issuers, from the signer's upwards, DER; a root included if it is there. What is offered comes first, then
    what `more` gives for a certificate. Raises what `more` raises.
    """
    pool = list(offered)
    chain: list[x509.Certificate] = []
    current = certificate

    def among(candidates: Iterable[x509.Certificate]) -> x509.Certificate | None:
        return next((c for c in candidates if c not in chain and c != certificate and _issued(c, current)), None)

    while len(chain) < MAX_CHAIN and current.issuer != current.subject:
        issuer = among(pool) or among(more(current))
        if issuer is None:
            break
        chain.append(issuer)
        current = issuer
    return tuple(c.public_bytes(Encoding.DER) for c in chain)


def mismatch(key: KeyFacts) -> KeySourceError:
    """The certificate is another key's."""
    return KeySourceError(
        f"the key {key.uri} and the certificate do not belong together",
        code="key-mismatch",
        hint="give the certificate that was issued for this key with --cert",
    )


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def points_of(value: bytes) -> tuple[bytes, ...]:
    """What CKA_EC_POINT may mean, the likeliest last: a DER OCTET STRING, but not with every module."""
    header = 3 if value[1:2] == b"\x81" else 2
    inside = value[header:]
    return (value, inside) if value[0] == _OCTET_STRING and value[header - 1] == len(inside) else (value,)
