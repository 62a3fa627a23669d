"""Certification paths and CRLs by OpenSSL itself, through pyOpenSSL."""

from __future__ import annotations

from dsig.hookspecs import TrustBackendSpec, hookimpl

__all__ = ["dsig_trust_backends"]


@hookimpl
def dsig_trust_backends() -> list[TrustBackendSpec]:
    """What `openssl verify` does."""
    return [
        TrustBackendSpec(
            name="openssl",
            summary="paths, policies and CRLs (delta and indirect ones too) as openssl verify has them; no OCSP",
            factory="dsig_openssl.trust:OpensslTrust",
            requires="pip install dsig[openssl]",
        )
    ]
