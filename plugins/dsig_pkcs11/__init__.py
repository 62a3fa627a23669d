"""Keys on tokens and HSMs, through PKCS#11: the key source `pkcs11`."""

from __future__ import annotations

from dsig.hookspecs import KeySourceSpec, hookimpl

__all__ = ["dsig_key_sources"]


@hookimpl
def dsig_key_sources() -> list[KeySourceSpec]:
    """One source, serving RFC 7512 URIs."""
    return [
        KeySourceSpec(
            name="pkcs11",
            summary="keys on smart cards, tokens and HSMs, named by RFC 7512 URIs",
            factory="dsig_pkcs11.source:TokenKeySource",
            requires="pip install 'python-pkcs11>=0.10'",
            schemes=("pkcs11",),
        )
    ]
