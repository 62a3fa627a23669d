"""Public-key verification and certification paths on pyca/cryptography."""

from __future__ import annotations

from dsig.hookspecs import CryptoBackendSpec, TrustBackendSpec, hookimpl

__all__ = ["dsig_crypto_backends", "dsig_trust_backends"]

_REQUIRES = "pip install cryptography"


@hookimpl
def dsig_crypto_backends() -> list[CryptoBackendSpec]:
    """RSA, DSA and ECDSA."""
    return [
        CryptoBackendSpec(
            name="cryptography",
            summary="RSA PKCS#1 v1.5, DSA and ECDSA by pyca/cryptography",
            factory="dsig_cryptography.backend:CryptographyBackend",
            requires=_REQUIRES,
        )
    ]


@hookimpl
def dsig_trust_backends() -> list[TrustBackendSpec]:
    """Paths without revocation."""
    return [
        TrustBackendSpec(
            name="cryptography",
            summary="certification paths by pyca/cryptography; strict about algorithms and key sizes, no revocation",
            factory="dsig_cryptography.trust:CryptographyTrust",
            requires=_REQUIRES,
        )
    ]
