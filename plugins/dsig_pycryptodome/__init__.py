"""A second opinion: the mathematics of PyCryptodome, which shares no code with OpenSSL."""

from __future__ import annotations

from dsig.hookspecs import CryptoBackendSpec, hookimpl

__all__ = ["dsig_crypto_backends"]


@hookimpl
def dsig_crypto_backends() -> list[CryptoBackendSpec]:
    """RSA, DSA and ECDSA."""
    return [
        CryptoBackendSpec(
            name="pycryptodome",
            summary="RSA PKCS#1 v1.5, DSA and ECDSA over the NIST curves by PyCryptodome; slower, for a second opinion",
            factory="dsig_pycryptodome.backend:PycryptodomeBackend",
            requires="pip install 'dsig[pycryptodome]'",
        )
    ]
