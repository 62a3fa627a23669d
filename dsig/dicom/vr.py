"""Value representations: header form, byte order unit and padding (PS3.5 6.2 and 7.1.2)."""

from __future__ import annotations

__all__ = ["EFFECTIVE", "LONG", "PAD", "SHORT", "TEXT", "UNIT", "effective"]

SHORT = tuple("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())  # noqa: SIM905 - as PS3.5 lists them
"""Explicit VRs with a 16-bit length field."""

LONG = tuple("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # noqa: SIM905
"""Explicit VRs with two reserved bytes and a 32-bit length field; so has every VR in neither list."""

EFFECTIVE = {"xs": "US", "up": "UL", "lt": "OW", "ox": "OB", "px": "OB"}
"""Codes that are no VRs but are met in files, and what they stand for."""

UNIT = {
    **dict.fromkeys(("AT", "US", "SS", "OW"), 2),
    **dict.fromkeys(("UL", "SL", "FL", "OF", "OL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
"""Bytes per unit for byte swapping; VRs not listed are never swapped (PS3.5 7.3)."""

PAD = {
    **dict.fromkeys(
        ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"], b" "
    ),
    "UI": b"\0",
}
"""Pad byte of text VRs (PS3.5 6.2)."""

TEXT = frozenset(PAD)


def effective(code: str) -> str:
    """The VR a code stands for; unknown codes count as UN."""
    return EFFECTIVE.get(code, code)
