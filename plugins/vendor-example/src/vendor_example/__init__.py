"""Keys of a remote signing service, and a house profile, for dsig."""

from __future__ import annotations

from dsig.hookspecs import KeySourceSpec, ProfileSpec, hookimpl

__all__ = ["dsig_key_sources", "dsig_profiles"]


@hookimpl
def dsig_key_sources() -> list[KeySourceSpec]:
    """`vendor://HOST:PORT/KEY?ca=FILE&client-cert=FILE`."""
    return [
        KeySourceSpec(
            name="vendor",
            summary="keys of the remote signing service",
            factory="vendor_example.keys:RemoteKeySource",
            requires="pip install dsig-vendor-example",
            schemes=("vendor",),
            workers="threads",  # one connection pool, and the service signs beside Python
        )
    ]


@hookimpl
def dsig_profiles() -> list[ProfileSpec]:
    """What this vendor's modalities sign."""
    return [
        ProfileSpec(
            name="vendor-acquisition",
            summary="identity, acquisition and pixels are signed with SHA-256 or better",
            factory="vendor_example.profile:AcquisitionProfile",
            edition="house rules 2026",
        )
    ]
