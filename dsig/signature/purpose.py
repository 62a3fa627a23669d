"""Digital Signature Purpose codes (PS3.16 CID 7007)."""

from __future__ import annotations

from dsig.errors import UsageError
from dsig.model import Purpose

__all__ = ["PURPOSES", "purpose"]

SCHEME = "ASTM-sigpurpose"

PURPOSES = {
    number: f"{meaning} Signature"
    for number, meaning in enumerate(
        (
            "Author's",
            "Coauthor's",
            "Co-participant's",
            "Transcriptionist/Recorder",
            "Verification",
            "Validation",
            "Consent",
            "Signature Witness",
            "Event Witness",
            "Identity Witness",
            "Consent Witness",
            "Interpreter",
            "Review",
            "Source",
            "Addendum",
            "Modification",
            "Administrative (Error/Edit)",
            "Timestamp",
        ),
        start=1,
    )
}
"""Code value to code meaning."""


def purpose(number: int) -> Purpose:
    """The purpose with this code value. Raises `UsageError` outside 1 to 18."""
    if number not in PURPOSES:
        raise UsageError(
            f"there is no signature purpose {number}", code="unknown-purpose", hint="PS3.16 CID 7007 has 1 to 18"
        )
    return Purpose(str(number), SCHEME, PURPOSES[number])
