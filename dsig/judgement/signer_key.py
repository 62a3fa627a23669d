"""What is to be said of every signer's key: that it is none of DICOM's, or too short."""

from __future__ import annotations

from collections.abc import Iterator

from dsig.hookspecs import CertificateFacts
from dsig.model import Finding

__all__ = ["key_warnings"]

KEY_TYPES = frozenset(("RSA", "DSA", "EC"))
"""Kinds of keys whose signatures others verify (PS3.15 C.1)."""

WEAK_BITS = {"RSA": 2048, "RSASSA-PSS": 2048, "DSA": 2048, "EC": 224}
"""Sizes below these have less than 112 bits of strength (NIST SP 800-57 part 1)."""


def key_warnings(facts: CertificateFacts) -> Iterator[Finding]:
    """That this key makes signatures the standard does not know, or signatures that can be forged."""
    if facts.key_type not in KEY_TYPES:
        yield Finding(
            "signature-not-standard",
            f"{facts.key or facts.key_type} signatures are not of the standard: no other program verifies them",
            clause="PS3.15 C.1",
            severity="warning",
        )
    least = WEAK_BITS.get(facts.key_type)
    if least is not None and facts.key_size < least:
        yield Finding("weak-key", f"a {facts.key} key is weak", clause="NIST SP 800-57", severity="warning")
