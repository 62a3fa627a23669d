"""Digital signature profiles of PS3.15 annex C."""

from __future__ import annotations

from dsig.hookspecs import ProfileSpec, hookimpl

__all__ = ["dsig_profiles"]


@hookimpl
def dsig_profiles() -> list[ProfileSpec]:
    """`none` and `base`."""
    return [
        ProfileSpec(
            name="none",
            summary="no profile: any key, any MAC, any selection of elements",
            factory="dsig_profiles.none:NoProfile",
        ),
        ProfileSpec(
            name="base",
            summary="PS3.15 C.1 Base RSA: an RSA key and one of the six MACs every validator knows",
            factory="dsig_profiles.base:BaseRsa",
            edition="2025b",
        ),
    ]
