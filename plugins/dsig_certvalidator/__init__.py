"""Certification paths, CRLs, OCSP and points in time on pyhanko-certvalidator."""

from __future__ import annotations

from dsig.hookspecs import TrustBackendSpec, hookimpl

__all__ = ["dsig_trust_backends"]


@hookimpl
def dsig_trust_backends() -> list[TrustBackendSpec]:
    """All of RFC 5280 section 6, and RFC 6960."""
    return [
        TrustBackendSpec(
            name="certvalidator",
            summary="RFC 5280 with policies, name constraints, CRLs and OCSP at any time, by pyhanko-certvalidator",
            factory="dsig_certvalidator.trust:CertvalidatorTrust",
            requires="pip install pyhanko-certvalidator",
        )
    ]
