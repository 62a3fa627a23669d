"""The key source `file`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import PublicKeyAlgorithmOID

from dsig.errors import KeySourceError, Where
from dsig.hookspecs import KeyRequest, Secrets
from dsig_files import certificates, keyfile
from dsig_files.paths import path_of, read
from dsig_files.signer import FileSigner, Key

__all__ = ["FileKeySource"]

_SIGNS = frozenset(
    (PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.DSA, PublicKeyAlgorithmOID.EC_PUBLIC_KEY)
)
"""What a key may be certified for; one for RSASSA-PSS alone must not make PKCS#1 v1.5 signatures (RFC 4055 1.2)."""


class FileKeySource:
    """Opens private keys in files; `dsig.hookspecs.KeySource`."""

    @contextmanager
    def open(self, request: KeyRequest, secrets: Secrets) -> Iterator[FileSigner]:
        """Read key and certificate and prove that they belong together. Raises `KeySourceError`."""
        with warnings.catch_warnings():
            # What the library means to drop one day is accepted or refused here in our words; the user is not warned.
            warnings.simplefilter("ignore")
            signer = _read(request, secrets)
        try:
            yield signer
        finally:
            signer.close()


def _read(request: KeyRequest, secrets: Secrets) -> FileSigner:
    file = path_of(request.uri)
    found = keyfile.parse(read(file, "key file"), secrets, file)
    key = _signing_key(found.key, file)
    if request.certificate is None:
        source, offered = file, list(found.certificates)
        certificate = _beside(key, offered, file)
    else:
        source = request.certificate
        offered = certificates.from_content(read(source, "certificate file"), source)
        certificate = offered[0]  # the first is the signer's, the others are its chain
    _prove(key, certificate, source)
    return FileSigner(key, _der(certificate), _chain(certificate, offered), file)


def _signing_key(key: PrivateKeyTypes, file: str) -> Key:
    if isinstance(key, rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    kind = type(key).__name__.removesuffix("PrivateKey")
    raise _wrong_type(f"{kind} keys make no DICOM signatures", file)


def _beside(key: Key, offered: Sequence[x509.Certificate], file: str) -> x509.Certificate:
    """The certificate of the key among those in its own file, in whatever order they are."""
    if not offered:
        raise KeySourceError(
            "the key file holds no certificate",
            code="no-certificate",
            where=Where(file=file),
            hint="name the certificate of the key with --cert",
        )
    return next((certificate for certificate in offered if _belongs(key, certificate)), offered[0])


def _prove(key: Key, certificate: x509.Certificate, file: str) -> None:
    if certificate.public_key_algorithm_oid not in _SIGNS:
        raise _wrong_type("the key in the certificate is not for RSA (PKCS#1 v1.5), DSA or ECDSA signatures", file)
    if not _belongs(key, certificate):
        raise KeySourceError(
            "the private key and the certificate do not belong together",
            code="key-mismatch",
            where=Where(file=file),
            hint="give the certificate that was issued for this key with --cert",
        )


def _belongs(key: Key, certificate: x509.Certificate) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False  # a public key that cannot be read is not ours


def _chain(certificate: x509.Certificate, offered: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    """The other certificates, each once."""
    return tuple(dict.fromkeys(_der(other) for other in offered if other != certificate))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _wrong_type(message: str, file: str) -> KeySourceError:
    return KeySourceError(
        message,
        code="key-type",
        where=Where(file=file),
        hint="use an RSA, DSA or elliptic curve key with a certificate",
    )
