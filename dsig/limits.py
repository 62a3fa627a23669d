"""Bounds on what one input may cost. Beyond a limit the input is refused with the limit's name.

Every limit is a plain number in `Limits`; pass a changed copy (`dataclasses.replace(DEFAULT, depth=20)`) to any verb.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Named bounds; all sizes in bytes."""

    depth: int = 128
    """Nested sequences below the data set. Real objects rarely pass 10."""
    top_level_elements: int = 65_536
    """Elements held for one data set or signed item; nested elements are streamed and not counted."""
    signatures: int = 1_024
    """Digital Signatures items in one file, at all levels."""
    mac_parameters: int = 1_024
    """MAC Parameters items at one level."""
    signature_item: int = 1 << 20
    """Size of one Digital Signatures or MAC Parameters item (certificate and timestamp included)."""
    text_value: int = 16 << 20
    """A text value that has to be held to normalise its padding."""
    unseekable_size: int = 4 << 30
    """Input that can be read only once (pipes, devices) and has to be kept in a temporary file."""
    inflated_size: int = 16 << 30
    """Size of a deflated data set once inflated."""
    inflated_ratio: int = 200
    """Inflated size over deflated size, looked at once 64 MiB are inflated."""
    vr_readings: int = 256
    """Readings with other VRs tried for one signature that does not match (decision 0050)."""
    vr_work: int = 64 << 20
    """Bytes hashed for that in one file, an element counted as 4 KiB more; two readings are tried in any case."""
    findings: int = 200
    """Findings of one kind kept for one file; the rest is counted."""


DEFAULT = Limits()
