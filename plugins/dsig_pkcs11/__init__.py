"""Keys on tokens and HSMs, through PKCS#11: the key source `pkcs11`."""

from __future__ import annotations

from dsig.hookspecs import CommandSpec, KeySourceSpec, MacBackendSpec, hookimpl

__all__ = ["dsig_commands", "dsig_key_sources", "dsig_mac_backends"]

_REQUIRES = "pip install 'python-pkcs11>=0.10'"


@hookimpl
def dsig_key_sources() -> list[KeySourceSpec]:
    """One source, serving RFC 7512 URIs."""
    return [
        KeySourceSpec(
            name="pkcs11",
            summary="keys on smart cards, tokens and HSMs, named by RFC 7512 URIs",
            factory="dsig_pkcs11.source:TokenKeySource",
            requires=_REQUIRES,
            schemes=("pkcs11",),
            workers="threads",
        )
    ]


@hookimpl
def dsig_mac_backends() -> list[MacBackendSpec]:
    """One: the token."""
    return [
        MacBackendSpec(
            name="pkcs11",
            summary="digests computed by a token: the one of the key, the only one, or --mac-backend pkcs11:token=...",
            factory="dsig_pkcs11.digest:TokenMacs",
            requires=_REQUIRES,
        )
    ]


@hookimpl
def dsig_commands() -> list[CommandSpec]:
    """`keys`."""
    return [
        CommandSpec(
            name="keys",
            summary="List, make, import, certify and examine keys on tokens.",
            factory="dsig_pkcs11.commands:command",
            requires=_REQUIRES,
        )
    ]
