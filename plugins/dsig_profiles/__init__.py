"""Digital signature profiles of PS3.15 annex C."""

from __future__ import annotations

from dsig.hookspecs import ProfileSpec, hookimpl

__all__ = ["dsig_profiles"]


@hookimpl
def dsig_profiles() -> list[ProfileSpec]:
    """`none`, `base`, `creator`, `authorization`, `sr` and `sr-verification`; docs/profiles.md says what they want."""
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
            edition="2024e",
        ),
        ProfileSpec(
            name="creator",
            summary="PS3.15 C.2 Creator RSA: what the equipment made, identity, pixels and content",
            factory="dsig_profiles.instance:CreatorRsa",
            edition="2026b",
        ),
        ProfileSpec(
            name="authorization",
            summary="PS3.15 C.3 Authorization RSA: what a technician or physician approved",
            factory="dsig_profiles.instance:AuthorizationRsa",
            edition="2026b",
        ),
        ProfileSpec(
            name="sr",
            summary="PS3.15 C.4 Structured Report RSA: the content of a report, with the purpose of the signature",
            factory="dsig_profiles.report:StructuredReportRsa",
            edition="2026b",
        ),
        ProfileSpec(
            name="sr-verification",
            summary="PS3.15 C.4 for VERIFIED reports: purpose 5, identity and verifying observer too",
            factory="dsig_profiles.report:StructuredReportVerificationRsa",
            edition="2026b",
            purpose=5,
        ),
    ]
