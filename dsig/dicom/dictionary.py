"""The data dictionary: VRs for Implicit VR input and keywords, without loading either before it is needed.

Implicit VR Little Endian names no VR (PS3.5 A.1), so both sides must look up the same one or the MAC differs. Where
PS3.6 offers a choice ("US or SS"), this module makes the one that signers of DICOM files make.
"""

from __future__ import annotations

from functools import cache, lru_cache

__all__ = [
    "BITS_ALLOCATED_VR",
    "PIXEL_REPRESENTATION_VR",
    "format_tag",
    "is_shared",
    "keyword_of",
    "met_vr",
    "permitted_vrs",
    "private_vr_of",
    "suggestion",
    "tag_of",
    "vr_of",
]

PIXEL_REPRESENTATION_VR = "xs"
"""Marker: SS if Pixel Representation (0028,0103) *of the same item* is 1, else US (also when it is absent)."""

BITS_ALLOCATED_VR = "ox"
"""Marker: Waveform Bits Allocated (5400,1004) *of the same item* is 8 or absent: OB; any other value: OW."""

_AMBIGUOUS = {
    **dict.fromkeys(
        (
            0x00280106,  # Smallest Image Pixel Value
            0x00280107,  # Largest Image Pixel Value
            0x00280108,  # Smallest Pixel Value in Series
            0x00280109,  # Largest Pixel Value in Series
            0x00280120,  # Pixel Padding Value
            0x00280121,  # Pixel Padding Range Limit
            0x00283002,  # LUT Descriptor
            0x00409211,  # Real World Value Last Value Mapped
            0x00409216,  # Real World Value First Value Mapped
            0x00603004,  # Histogram First Bin Value
            0x00603006,  # Histogram Last Bin Value
        ),
        PIXEL_REPRESENTATION_VR,
    ),
    **dict.fromkeys(
        (
            0x5400100A,  # Waveform Padding Value
            0x54001010,  # Waveform Data
        ),
        BITS_ALLOCATED_VR,
    ),
    **dict.fromkeys(
        (
            0x00189810,  # Zero Velocity Pixel Value
            0x00221452,  # Mapped Pixel Value
            0x00280071,  # Perimeter Value
            0x00280104,  # Smallest Valid Pixel Value
            0x00280105,  # Largest Valid Pixel Value
            0x00280110,  # Smallest Image Pixel Value in Plane
            0x00280111,  # Largest Image Pixel Value in Plane
            0x00281100,  # Gray Lookup Table Descriptor
            0x00281101,  # Red Palette Color Lookup Table Descriptor
            0x00281102,  # Green Palette Color Lookup Table Descriptor
            0x00281103,  # Blue Palette Color Lookup Table Descriptor
            0x00281111,  # Large Red Palette Color Lookup Table Descriptor
            0x00281112,  # Large Green Palette Color Lookup Table Descriptor
            0x00281113,  # Large Blue Palette Color Lookup Table Descriptor
        ),
        "US",
    ),
    **dict.fromkeys(
        (
            0x00281200,  # Gray Lookup Table Data
            0x00283006,  # LUT Data
            0x7FE00010,  # Pixel Data
        ),
        "OW",
    ),
    **dict.fromkeys(
        (
            0x00143050,  # Dark Current Counts
            0x00143070,  # Air Counts
            0x54000110,  # Channel Minimum Value
            0x54000112,  # Channel Maximum Value
        ),
        "OB",
    ),
}
"""Elements to which PS3.6 gives more than one VR.

Signers decide while they read, in ascending order: (0018,9810), (5400,0110) and (5400,0112) come before the attribute
that would decide, so they are always taken as if it were absent.
"""

_AMBIGUOUS_REPEATING = {
    0x5000200C: "OB",  # Audio Sample Data
    0x50003000: "OB",  # Curve Data
    0x60003000: "OW",  # Overlay Data
    0x7F000010: "OB",  # Variable Pixel Data
}
"""The same for repeating groups, the group's low byte masked."""


@lru_cache(maxsize=8192)
def vr_of(tag: int) -> str:
    """Look up the VR of an element in Implicit VR input (PS3.5 A.1, PS3.6).

    Gives a VR, `PIXEL_REPRESENTATION_VR` or `BITS_ALLOCATED_VR`; `UN` for standard elements that are not in the
    dictionary and for all private data elements, which only `private_vr_of` can tell.
    """
    # Imported here: input with explicit VRs, which is nearly all there is, never needs the tables.
    from dsig.dicom._dictionary import REPEATING_VRS, VRS

    vr = VRS.get(tag) or _AMBIGUOUS.get(tag)
    if vr is not None:
        return vr
    group, element = tag >> 16, tag & 0xFFFF
    if element == 0:
        return "UL"
    if group & 1:
        # Private creators reserve blocks; nothing else below (gggg,1000) is legal in an odd group (PS3.5 7.8.1).
        return "LO" if 0x0010 <= element <= 0x00FF else "UN"
    for mask, entries in REPEATING_VRS.items():
        vr = entries.get(tag & mask)
        if vr is not None:
            return vr
    return _AMBIGUOUS_REPEATING.get(tag & 0xFF00FFFF, "UN")


def permitted_vrs(tag: int) -> tuple[str, ...]:
    """The VRs PS3.6 gives to an element where it leaves a choice, in alphabetical order; empty where it does not."""
    default = _AMBIGUOUS.get(tag)
    if default is None and not tag & 0x10000:
        default = _AMBIGUOUS_REPEATING.get(tag & 0xFF00FFFF)
    if default is None:
        return ()
    if tag == 0x00281200:  # Gray Lookup Table Data
        return ("OW", "SS", "US")
    if tag == 0x00283006:  # LUT Data
        return ("OW", "US")
    return ("SS", "US") if default in ("US", PIXEL_REPRESENTATION_VR) else ("OB", "OW")


def is_shared(tag: int) -> bool:
    """Whether the dictionary of DCMTK has a standard element too, so that dcmsign finds its VR in Implicit VR."""
    from dsig.dicom._unshared import UNSHARED

    return tag not in UNSHARED


def private_vr_of(creator: str, tag: int, *, shared: bool = False) -> str:
    """Look up the VR of a private data element in Implicit VR input; `UN` if it is unknown.

    `creator` is the value of the Private Creator that reserves the block (PS3.5 7.8.1), without padding. `shared`
    leaves out what the private dictionary of DCMTK does not have.
    """
    if not tag >> 16 & 1 or tag & 0xFFFF < 0x1000:
        return "UN"
    entries = _private(creator, shared)
    for key in (tag, tag & 0xFFFF00FF, tag & 0xFF0000FF):
        vr = entries.get(key)
        if vr is not None:
            return vr
    return "UN"


_MET = {
    "AGFA": {0x00190010: "LO"},
    "CTP": {0x00130010: "LO", 0x00130011: "LO", 0x00130012: "LO", 0x00130013: "LO"},
    "CARDIO-D.R. 1.0": {0x00290002: "US", 0x00290003: "FL"},
    "GEMS_IMAG_01": {0x00270033: "UL"},
    "Philips MR Imaging DD 001": {0x2005002D: "IS"},
    "SIEMENS CSA HEADER": {0x00290020: "LO"},
    "SIEMENS MED SMS USG S2000": {0x00190021: "US", 0x0019003B: "UT"},
    "SIEMENS MR HEADER": {0x0051000A: "LO", 0x0051000B: "LO", 0x0051000C: "LO", 0x0051000E: "LO"},
}
"""VRs met in explicit VR files of these makers where the private dictionaries say others or none; tags in block 00."""


def met_vr(creator: str | None, tag: int) -> str | None:
    """The VR devices write for a private element where dictionaries say another or none; `tag` is that in block 00."""
    return _MET.get(creator, {}).get(tag) if creator else None


@lru_cache(maxsize=512)
def _private(creator: str, shared: bool) -> dict[int, str]:
    """Decode one creator's entries."""
    from dsig.dicom._private import MORE_PRIVATE, PRIVATE

    text = PRIVATE.get(creator, "") + ("" if shared else MORE_PRIVATE.get(creator, ""))
    return {int(entry[:8], 16): entry[8:] for entry in text.split()}


def keyword_of(tag: int) -> str:
    """Look up the keyword of a standard element (PS3.6), empty if there is none."""
    from dsig.dicom._keywords import KEYWORDS, REPEATING_KEYWORDS

    keyword = KEYWORDS.get(tag)
    if keyword is not None:
        return keyword
    if tag >> 16 & 1 or tag & 0xFFFF == 0:
        return ""
    for mask, entries in REPEATING_KEYWORDS.items():
        keyword = entries.get(tag & mask)
        if keyword is not None:
            return keyword
    return ""


def tag_of(keyword: str) -> int | None:
    """Find the tag of a keyword (PS3.6), None if there is none. Of a repeating group it is the first tag."""
    return _tags().get(keyword)


@cache
def _tags() -> dict[str, int]:
    from dsig.dicom._keywords import KEYWORDS, REPEATING_KEYWORDS

    tags = {keyword: tag for tag, keyword in KEYWORDS.items()}
    for mask, entries in REPEATING_KEYWORDS.items():
        # The lowest tags the mask allows may be group lengths or belong to somebody else.
        free = ~mask & 0xFFFFFFFF
        step = free & -free
        for masked, keyword in entries.items():
            tag = masked
            while tag in KEYWORDS or tag & 0xFFFF == 0:
                tag += step
            tags.setdefault(keyword, tag)
    return tags


def suggestion(text: str) -> str:
    """Find the keyword that `text` is probably a misspelling of, empty if none is close."""
    from difflib import get_close_matches

    by_folded = {keyword.casefold(): keyword for keyword in _tags()}
    # Names are often written with spaces; no keyword is longer than 64 characters.
    folded = "".join(text.split()).casefold()[:64]
    close = get_close_matches(folded, by_folded, n=1, cutoff=0.75)
    return by_folded[close[0]] if close else ""


def format_tag(tag: int) -> str:
    """Write a tag as `(GGGG,EEEE)`."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
