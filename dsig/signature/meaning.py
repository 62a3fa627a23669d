"""Unsigned elements that decide what signed ones mean: changed by anybody, they break no signature.

The standard lets a signer leave them out (PS3.3 C.12.1.1.3.1.1), so these are warnings about coverage; `--strict` fails
for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dsig.dicom.dataset import MACHINERY, DataSet, Element
from dsig.dicom.dictionary import PIXEL_REPRESENTATION_VR, keyword_of, vr_of
from dsig.dicom.location import format_path, format_tag
from dsig.dicom.source import CHUNK
from dsig.dicom.walk import ELEMENT, PIXEL_REPRESENTATION, SEQUENCE, is_creator, walk
from dsig.limits import Limits
from dsig.model import Finding
from dsig.signature.signatures import FoundSignature
from dsig.signature.structure import PIXELS

__all__ = ["meaning_findings"]

SPECIFIC_CHARACTER_SET = 0x00080005
SOP_INSTANCE_UID = 0x00080018
PIXEL_DESCRIPTION = frozenset(
    {
        0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280009, 0x00280010, 0x00280011, 0x00280100, 0x00280101,
        0x00280102, 0x00280103, 0x00280106, 0x00280107, 0x00280120, 0x00280121, 0x00287FE0, 0x7FE00001, 0x7FE00002,
        0x7FE00003,
        # retired: format, compression, and the group that holds the pixel data
        0x00280040, 0x00280060, 0x00280200,
    }
)  # fmt: skip
"""How bytes become pixels and frames: PS3.3 C.7.6.3, extended offset table included (PS3.5 A.4)."""

PRESENTATION = frozenset(
    {
        # orientation, position and size (C.7.6.1, C.7.6.2)
        0x00200020, 0x00200032, 0x00200037, 0x00200060, 0x00200062, 0x00181164, 0x00280030, 0x00280034,
        # window, rescale, LUTs, palettes, ICC profile (C.7.6.3, C.7.9, C.11)
        0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281054, 0x00281055, 0x00281056, 0x00282000, 0x00282002,
        0x00281101, 0x00281102, 0x00281103, 0x00281104, 0x00281111, 0x00281112, 0x00281113, 0x00281201, 0x00281202,
        0x00281203, 0x00281204, 0x00281211, 0x00281212, 0x00281213, 0x00281221, 0x00281222, 0x00281223, 0x00283000,
        0x00283010, 0x00286100, 0x00409096, 0x20500010, 0x20500020,
        # what the numbers stand for: dose, activity, segments (C.8.8.3, C.8.9.1, C.8.20.2)
        0x30040002, 0x3004000C, 0x3004000E, 0x00541001, 0x00620001, 0x00620002, 0x0062000E, 0x00620010,
        # the icon that stands for it (C.7.6.1.1.6)
        0x00880200,
        # shutters and graphics over the image (C.7.6.11, C.10.5), functional groups (C.7.6.16)
        0x00181600, 0x00181622, 0x00181623, 0x00700001, 0x00700060, 0x52009229, 0x52009230,
    }
)  # fmt: skip
"""How pixels are shown; overlays (60xx) and curves (50xx) besides."""

_OVERLAYS = range(0x6000, 0x6100, 2)
_CURVES = range(0x5000, 0x5100, 2)
_TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""VRs that Specific Character Set applies to (PS3.5 6.1.2.3)."""
_SHOWN = 6


def meaning_findings(found: FoundSignature, limits: Limits) -> Iterator[Finding]:
    """Which unsigned elements of the level could change what the signed ones mean."""
    level, signed = found.level, found.signed
    unsigned = sorted(level.by_tag.keys() - signed - MACHINERY)

    def finding(code: str, tags: list[int], consequence: str, clause: str) -> Finding:
        shown = ", ".join(keyword_of(t) or format_tag(t) for t in tags[:_SHOWN])
        more = f" and {len(tags) - _SHOWN} more" if len(tags) > _SHOWN else ""
        return Finding(code, f"not signed: {shown}{more}; {consequence}", format_path(level.path), clause, "warning")

    if not signed or not unsigned:
        return
    if level.location == "/" and SOP_INSTANCE_UID in unsigned:
        consequence = "the signature fits any other instance that has the same signed elements"
        yield finding("instance-uid-unsigned", [SOP_INSTANCE_UID], consequence, "PS3.3 C.12.1")
    if SPECIFIC_CHARACTER_SET in unsigned and _has_text(level, found.selected, limits):
        consequence = "with another character set the signed text reads differently"
        yield finding("character-set-unsigned", [SPECIFIC_CHARACTER_SET], consequence, "PS3.3 C.12.1.1.2")
    creators = {t & 0xFFFF0000 | t >> 8 & 0xFF for t in signed if t & 0x10000 and t & 0xFFFF >= 0x1000}
    if creators := creators.intersection(unsigned):
        consequence = "under another creator, or another block of one, signed private elements mean something else"
        yield finding("private-creator-unsigned", sorted(creators), consequence, "PS3.5 7.8.1")
    if doubled := sorted(_doubled_creators(level, signed, unsigned)):
        consequence = "readers that look for this creator may find elements of a block that is not signed"
        yield finding("private-creator-doubled", doubled, consequence, "PS3.5 7.8.1")
    if not signed & PIXELS:
        if PIXEL_REPRESENTATION in unsigned and _has_signs(level, found.selected, limits):
            consequence = "signed numbers whose VR the file does not name are read by it"
            yield finding("pixel-description-unsigned", [PIXEL_REPRESENTATION], consequence, "PS3.5 A.1")
        return
    if loose := [t for t in unsigned if t in PIXEL_DESCRIPTION]:
        consequence = "it decides how the signed pixel data are decoded"
        yield finding("pixel-description-unsigned", loose, consequence, "PS3.3 C.7.6.3")
    if loose := [t for t in unsigned if t in PRESENTATION or t >> 16 in _OVERLAYS or t >> 16 in _CURVES]:
        consequence = "it decides how the signed image is shown"
        yield finding("presentation-unsigned", loose, consequence, "PS3.3 C.7.6")


def _doubled_creators(level: DataSet, signed: Collection[int], unsigned: Iterable[int]) -> Iterator[int]:
    """Unsigned elements that reserve another block for a private creator whose own is signed."""
    doubtful = [tag for tag in unsigned if is_creator(tag)]
    if not doubtful:
        return
    creators = {(tag >> 16, level.text(tag)) for tag in signed if is_creator(tag)}
    for tag in doubtful:
        if (tag >> 16, level.text(tag)) in creators:
            yield tag


def _has_text(level: DataSet, selected: Collection[Element], limits: Limits) -> bool:
    """Whether anything signed is read by the character set; only asked where that is not signed."""
    if any(element.vr in _TEXT and element.end > element.value for element in selected):
        return True
    return any(vr in _TEXT and stop > value for _tag, vr, value, stop in _nested(level, selected, limits))


def _has_signs(level: DataSet, selected: Collection[Element], limits: Limits) -> bool:
    """Whether a signed item has numbers that some readers take for negative by the Pixel Representation around it."""
    without_vrs = [e for e in selected if e.kind == SEQUENCE and (e.vr == "UN" or not level.encoding.explicit)]
    for tag, vr, value, stop in _nested(level, without_vrs, limits):
        if vr == "US" and stop - value >= 2 and vr_of(tag) == PIXEL_REPRESENTATION_VR:
            buffer = bytearray(min(stop - value, CHUNK))
            level.source.read_into(value, memoryview(buffer))
            if any(byte & 0x80 for byte in buffer[1::2]):
                return True
    return False


def _nested(level: DataSet, selected: Iterable[Element], limits: Limits) -> Iterator[tuple[int, str, int, int]]:
    """Plain elements inside of sequences: tag, VR, and where the value is."""
    for element in selected:
        if element.kind != SEQUENCE:
            continue
        end = element.end - 8 if element.undefined else element.end
        items = "UN" if element.vr == "UN" else "SQ"
        for kind, tag, vr, _start, value, stop in walk(
            level.source, element.value, end, level.encoding, items=items, limits=limits
        ):
            if kind == ELEMENT:
                yield tag, vr, value, stop
