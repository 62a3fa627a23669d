"""Signatures that DICOM does not have: RSASSA-PSS, Ed25519 and ML-DSA, to see that the contract carries them.

Nobody gets them without `experimental = true` under `[plugins]` in the configuration, and every report says that they
are not of the standard (docs/agility.md).
"""

from __future__ import annotations

from dsig.hookspecs import CryptoBackendSpec, KeySourceSpec, hookimpl

__all__ = ["dsig_crypto_backends", "dsig_key_sources"]

_SUMMARY = "RSASSA-PSS, Ed25519 and ML-DSA, which are not of the standard"
_REQUIRES = "pip install -U cryptography asn1crypto"


@hookimpl
def dsig_key_sources() -> list[KeySourceSpec]:
    """`--key experimental:PATH`."""
    return [
        KeySourceSpec(
            name="experimental",
            summary=f"private keys in PEM files: {_SUMMARY}",
            factory="dsig_experimental.source:ExperimentalKeys",
            schemes=("experimental",),
            requires=_REQUIRES,
            experimental=True,
        )
    ]


@hookimpl
def dsig_crypto_backends() -> list[CryptoBackendSpec]:
    """`--crypto-backend experimental`."""
    return [
        CryptoBackendSpec(
            name="experimental",
            summary=_SUMMARY,
            factory="dsig_experimental.backend:ExperimentalBackend",
            requires=_REQUIRES,
            experimental=True,
        )
    ]
