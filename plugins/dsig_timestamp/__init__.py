"""Timestamps of RFC 3161: tokens judged, queries and responses as files, and TSAs over HTTP."""

from __future__ import annotations

from dsig.hookspecs import TimestampSourceSpec, TimestampVerifierSpec, hookimpl

__all__ = ["dsig_timestamp_sources", "dsig_timestamp_verifiers"]


@hookimpl
def dsig_timestamp_verifiers() -> list[TimestampVerifierSpec]:
    """What (0400,0305) calls CMS_TSP."""
    return [
        TimestampVerifierSpec(
            name="rfc3161",
            summary="RFC 3161 tokens, queries and responses on asn1crypto and pyca/cryptography",
            factory="dsig_timestamp.rfc3161:Rfc3161",
            types=("CMS_TSP",),
            requires="pip install asn1crypto cryptography",
        )
    ]


@hookimpl
def dsig_timestamp_sources() -> list[TimestampSourceSpec]:
    """RFC 3161 3.4."""
    return [
        TimestampSourceSpec(
            name="http",
            summary="TSAs over HTTP and HTTPS (RFC 3161 3.4)",
            factory="dsig_timestamp.http:HttpTsa",
            schemes=("http", "https"),
        )
    ]
