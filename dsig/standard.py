"""What makes a signature none of DICOM's, said in every report."""

from __future__ import annotations

from collections.abc import Iterator

from dsig.hookspecs import CertificateFacts
from dsig.model import Finding

__all__ = ["KEY_TYPES", "nonstandard"]

KEY_TYPES = frozenset(("RSA", "DSA", "EC"))
"""Kinds of keys whose signatures others verify (PS3.15 C.1)."""


def nonstandard(facts: CertificateFacts) -> Iterator[Finding]:
    """The warning that this key makes signatures the standard does not know."""
    if facts.key_type not in KEY_TYPES:
        yield Finding(
            "signature-not-standard",
            f"{facts.key or facts.key_type} signatures are not of the standard: no other program verifies them",
            clause="PS3.15 C.1",
            severity="warning",
        )
