"""The crypto backend `pycryptodome`: certificates read as by the default backend, signatures verified by another."""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from typing import Any

from Cryptodome.PublicKey import DSA, ECC, RSA
from Cryptodome.Signature import DSS, pkcs1_15
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dsig.hookspecs import CertificateFacts, MacAlgorithmSpec, SignatureCheck
from dsig_x509 import CACHED, Key, facts, read, require_pair, without_pad

__all__ = ["PycryptodomeBackend"]


class PycryptodomeBackend:
    """`dsig.hookspecs.CryptoBackend`. Safe to share between threads."""

    def __init__(self) -> None:
        self._key = lru_cache(CACHED)(_key)
        self._facts = lru_cache(CACHED)(lambda der: facts(read(der)))

    def verify_digest(
        self, certificate: bytes, digest: bytes, mac: MacAlgorithmSpec, signature: bytes
    ) -> SignatureCheck:
        """Check the value of (0400,0120) as stored; garbage is an answer."""
        try:
            _check(self._key(bytes(certificate)), digest, mac, bytes(signature))
        except _UnknownError as error:
            return SignatureCheck(False, str(error), unsupported=True)
        except ValueError as error:
            return SignatureCheck(False, str(error))
        return SignatureCheck(True)

    def certificate(self, der: bytes) -> CertificateFacts:
        """Read a certificate. Raises `ValueError` if it is not exactly one DER certificate, one pad byte allowed."""
        said: CertificateFacts = self._facts(bytes(der))
        return said


class _UnknownError(ValueError):
    """A kind of key this library does not have."""


class _Digest:
    """A finished digest in the shape of the library's running hashes."""

    def __init__(self, digest: bytes, oid: str) -> None:
        self.oid = oid
        self.digest_size = len(digest)
        self._digest = digest

    def digest(self) -> bytes:
        return self._digest


def _key(der: bytes) -> Any:
    """The library's key in a certificate. Raises `ValueError`."""
    certificate = read(der)
    if certificate.foreign:
        raise _UnknownError(f"the key in the certificate ({certificate.key_type}) is no RSA, DSA or EC key")
    if certificate.key is None:
        raise ValueError(f"the key in the certificate ({certificate.key_type}) proves nothing")
    return _imported(certificate.key)


def _imported(key: Key) -> Any:
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(key, rsa.RSAPublicKey):
        return RSA.import_key(info)
    if isinstance(key, dsa.DSAPublicKey):
        return DSA.import_key(info)
    try:
        return ECC.import_key(info)
    except ValueError:
        raise _UnknownError(f"PyCryptodome does not have the curve {key.curve.name}") from None


def _check(key: Any, digest: bytes, mac: MacAlgorithmSpec, signature: bytes) -> None:
    """Raise `ValueError` with the reason why the signature is not valid."""
    if len(digest) != mac.digest_size:
        raise ValueError(f"{len(digest)} bytes are not a {mac.name} digest")
    if isinstance(key, RSA.RsaKey):
        _check_rsa(key, digest, mac, signature)
        return
    try:
        der = without_pad(signature)
        require_pair(der)
    except ValueError as error:
        raise ValueError(f"the signature is not DER SEQUENCE {{r, s}}: {error}") from None
    # the mode tells the library how to sign; in verification it only keeps it from refusing hashes
    try:
        DSS.new(key, "deterministic-rfc6979", encoding="der").verify(_Digest(digest, mac.oid), der)
    except ValueError:
        raise ValueError("the signature was not made by this key over this digest") from None


def _check_rsa(key: RSA.RsaKey, digest: bytes, mac: MacAlgorithmSpec, signature: bytes) -> None:
    """RSASSA-PKCS1-v1_5 by the library, which takes a DigestInfo without NULL too; here only that of RFC 8017 9.2."""
    size = key.size_in_bytes()
    if len(signature) == size + 1 and size % 2 and not signature[-1]:
        signature = signature[:-1]
    if len(signature) != size:
        raise ValueError(f"the signature has {len(signature)} bytes, the RSA key makes {size}")
    try:
        pkcs1_15.new(key).verify(_Digest(digest, mac.oid), signature)
    except (ValueError, TypeError):
        raise ValueError("the signature was not made by this RSA key over this digest") from None
    recovered = pow(int.from_bytes(signature), key.e, key.n).to_bytes(size)
    if not compare_digest(recovered[-len(mac.digest_info(digest)) :], mac.digest_info(digest)):
        raise ValueError("the DigestInfo in the RSA signature is not DER as RFC 8017 has it")
