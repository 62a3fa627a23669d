"""The crypto backend `cryptography`."""

from __future__ import annotations

from functools import lru_cache

from dsig.hookspecs import CertificateFacts, MacAlgorithmSpec, SignatureCheck
from dsig_cryptography import signatures
from dsig_x509 import certificates

__all__ = ["CryptographyBackend"]


class CryptographyBackend:
    """Verification and certificate parsing; `dsig.hookspecs.CryptoBackend`. Safe to share between threads."""

    def __init__(self) -> None:
        # A batch has many files and few signers: parse each certificate once.
        self._read = lru_cache(certificates.CACHED)(certificates.read)
        self._facts = lru_cache(certificates.CACHED)(lambda der: certificates.facts(self._read(der)))

    def verify_digest(
        self, certificate: bytes, digest: bytes, mac: MacAlgorithmSpec, signature: bytes
    ) -> SignatureCheck:
        """Check the value of (0400,0120) as stored; garbage is an answer."""
        try:
            signer = self._read(bytes(certificate))
        except ValueError as error:
            return SignatureCheck(False, f"the certificate cannot be read: {error}")
        if signer.foreign:
            return SignatureCheck(
                False, f"the key in the certificate ({signer.key_type}) is no RSA, DSA or EC key", unsupported=True
            )
        if signer.key is None:
            return SignatureCheck(
                False, f"the key in the certificate ({signer.key_type}) is no usable RSA, DSA or EC key"
            )
        try:
            signatures.check(signer.key, digest, mac, signature)
        except ValueError as error:
            return SignatureCheck(False, str(error))
        return SignatureCheck(True)

    def certificate(self, der: bytes) -> CertificateFacts:
        """Read a certificate. Raises `ValueError` if it is not exactly one DER certificate, one pad byte allowed."""
        facts: CertificateFacts = self._facts(bytes(der))
        return facts
