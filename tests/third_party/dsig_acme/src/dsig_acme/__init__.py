"""What Acme adds to dsig: three registrations; the modules named in them are imported only when they are used."""

from __future__ import annotations

from dsig.hookspecs import KeySourceSpec, MacAlgorithmSpec, ProfileSpec, hookimpl

__all__ = ["dsig_key_sources", "dsig_mac_algorithms", "dsig_profiles"]


@hookimpl
def dsig_mac_algorithms() -> list[MacAlgorithmSpec]:
    """BLAKE2b of 32 bytes (RFC 7693), under a private term."""
    return [
        MacAlgorithmSpec(
            name="ACME_BLAKE2B",
            summary="RFC 7693 BLAKE2b-256",
            factory="dsig_acme.mac:blake2b_256",
            oid="1.3.6.1.4.1.1722.12.2.1.8",
            digest_size=32,
        )
    ]


@hookimpl
def dsig_key_sources() -> list[KeySourceSpec]:
    """Keys that live as long as the process."""
    return [
        KeySourceSpec(
            name="acme",
            summary="a new RSA key in memory",
            factory="dsig_acme.keys:MemoryKeys",
            requires="pip install cryptography",
            schemes=("acme",),
        )
    ]


@hookimpl
def dsig_profiles() -> list[ProfileSpec]:
    """Whose data it is must be signed."""
    return [
        ProfileSpec(
            name="acme-patient",
            summary="Patient ID must be there and signed",
            factory="dsig_acme.profile:PatientSigned",
            edition="2026b",
        )
    ]
