"""The data dictionary against pydicom's, against DCMTK's, and against what dcmsign really hashes."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydicom import __version__ as pydicom_version
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from support import tools

from dsig.dicom import dictionary
from dsig.dicom._dictionary import REPEATING_VRS, VRS
from dsig.dicom._keywords import KEYWORDS, REPEATING_KEYWORDS
from dsig.dicom._private import MORE_PRIVATE, PRIVATE
from dsig.dicom._unshared import UNSHARED
from dsig.dicom.dictionary import format_tag, is_shared, keyword_of, private_vr_of, suggestion, tag_of, vr_of

ROOT = Path(__file__).resolve().parents[2]
PKI = ROOT / "tests" / "corpus" / "pki"

# PS3.6 gives these a choice of VRs; the choice is that of signers in the field (reference section 1.5, tested there).
CHOICES = {
    "xs": "00280106 00280107 00280108 00280109 00280120 00280121 00283002 00409211 00409216 00603004 00603006",
    "ox": "54001010 5400100A",
    "US": "00189810 00221452 00280071 00280104 00280105 00280110 00280111 "
    "00281100 00281101 00281102 00281103 00281111 00281112 00281113",
    "OW": "7FE00010 00281200 00283006 60xx3000",
    "OB": "00143050 00143070 54000110 54000112 50xx200C 50xx3000 7Fxx0010",
}
CHOSEN = {tag: vr for vr, tags in CHOICES.items() for tag in tags.split()}


def generator() -> ModuleType:
    return tools.tool("make_dictionary")


def tags_of_mask(mask: str) -> Iterator[int]:
    """Some tags a mask of pydicom's stands for, none of them with an entry of its own."""
    for digit in "02468ACE":
        tag = int(mask.replace("x", digit), 16)
        if tag not in DicomDictionary and tag & 0xFFFF:
            yield tag


# --------------------------------------------------------------------------------------------- against pydicom


@pytest.mark.parametrize("vr", sorted({entry[0] for entry in DicomDictionary.values()}))
def test_standard_vrs_are_those_of_pydicom(vr: str) -> None:
    expected, found = {}, {}
    for tag, entry in DicomDictionary.items():
        if entry[0] == vr and tag not in (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD):
            found[format_tag(tag)] = vr_of(tag)
            expected[format_tag(tag)] = vr if len(vr) == 2 else CHOSEN[f"{tag:08X}"]
    assert found == expected


def test_only_ambiguous_elements_are_decided_by_the_table() -> None:
    ambiguous = {f"{tag:08X}" for tag, entry in DicomDictionary.items() if " or " in entry[0]}
    ambiguous |= {tag for tag, entry in RepeatersDictionary.items() if " or " in entry[0]}
    assert set(CHOSEN) == ambiguous


@pytest.mark.parametrize("mask", sorted(RepeatersDictionary))
def test_repeating_groups_are_those_of_pydicom(mask: str) -> None:
    entry = RepeatersDictionary[mask]
    for tag in tags_of_mask(mask):
        assert vr_of(tag) == CHOSEN.get(mask, entry[0])
        assert keyword_of(tag) == entry[4]


def test_keywords_are_those_of_pydicom() -> None:
    assert {tag: keyword_of(tag) for tag in DicomDictionary} == {t: e[4] for t, e in DicomDictionary.items()}


def test_every_keyword_leads_back_to_its_tag() -> None:
    for tag, entry in DicomDictionary.items():
        if entry[4]:
            assert tag_of(entry[4]) == tag
    for entry in RepeatersDictionary.values():
        tag = tag_of(entry[4])
        assert tag is not None
        assert keyword_of(tag) == entry[4]


# ----------------------------------------------------------------------------------- reference section 1.5, by row


@pytest.mark.parametrize(
    ("tags", "vr"),
    [
        ("7FE00010 60003000 60023000 60FE3000", "OW"),
        ("50003000 50023000 501E3000", "OB"),
        ("54001010 5400100A", dictionary.BITS_ALLOCATED_VR),
        ("00280106 00280107 00280108 00280109 00280120 00280121 00283002", dictionary.PIXEL_REPRESENTATION_VR),
        ("00409211 00409216 00603004 00603006", dictionary.PIXEL_REPRESENTATION_VR),
        ("00281101 00281102 00281103 00221452 00280104 00280110", "US"),
        ("00283006 00281200", "OW"),
        ("7F000010 7F020010 5000200C 00143050", "OB"),
        ("00090010 000900FF 60010010 7FE10042 00010010 FFFF0010", "LO"),
        ("00091001 0009FFFF 60013000", "UN"),
        ("00090001 0009000F 00090100 00090FFF", "UN"),
        ("00080000 00090000 60000000 10000000 12340000", "UL"),
        ("00080003 12345678 7FE0FFFF 0072006D", "UN"),
        # Before the attribute that would decide, which the peer has not read yet when it takes them up.
        ("00189810", "US"),
        ("54000110 54000112", "OB"),
        # Elements that look ambiguous and are not: their dictionary entry counts.
        ("00281201 00281202 00281203 00281221", "OW"),
        ("002804F0 00280412 002808A0 00203142 10000011 10101234", None),
        ("00041200 00041400", "UL"),
        ("00060001", "SQ"),
    ],
)
def test_row_of_the_reference(tags: str, vr: str | None) -> None:
    retired = {0x002804F0: "US", 0x00280412: "LO", 0x002808A0: "CS", 0x00203142: "CS", 0x10000011: "US"}
    for text in tags.split():
        tag = int(text, 16)
        assert vr_of(tag) == (vr or retired.get(tag, "US")), text


# --------------------------------------------------------------------------------------------------- private


@pytest.mark.parametrize(
    ("creator", "tag", "vr"),
    [
        # both know it
        ("SIEMENS CSA HEADER", 0x00291010, "OB"),
        ("SIEMENS CSA HEADER", 0x0029AB10, "OB"),
        ("GEMS_PARM_01", 0x00431027, "SH"),
        # only pydicom knows it
        ("ELSCINT1", 0x00E11018, "OB"),
        # groups by high byte
        ("PAPYRUS 3.0", 0x60011060, "LO"),
        ("PAPYRUS 3.0", 0x60FF2060, "LO"),
        # DCMTK overrides pydicom (LT there)
        ("DLX_LKUP_01", 0x60011001, "US"),
        # one block only
        ("OCULUS Optikgeraete GmbH", 0x00291012, "UL"),
        # "px" and "ox" of DCMTK, "OB_OW" of pydicom
        ("GEMS_Ultrasound_MovieGroup_001", 0x7FE11060, "OW"),
        ("SPI-P Release 1", 0x7FE11010, "OB"),
        ("TOSHIBA_MEC_OT3", 0x70191080, "OB"),
        # unknown creator, unknown element, no private data element
        ("", 0x00291010, "UN"),
        ("NOBODY", 0x00291010, "UN"),
        ("SIEMENS CSA HEADER", 0x002910FE, "UN"),
        ("SIEMENS CSA HEADER", 0x00290010, "UN"),
        ("PAPYRUS 3.0", 0x60001060, "UN"),
        ("PAPYRUS 3.0", 0x62011060, "UN"),
    ],
)
def test_private_vr(creator: str, tag: int, vr: str) -> None:
    assert private_vr_of(creator, tag) == vr


def test_what_only_pydicom_knows_is_told_apart() -> None:
    """dcmsign signs it in explicit VR only, and finds no VR for it in implicit VR."""
    assert private_vr_of("ELSCINT1", 0x00E11018, shared=True) == "UN"
    assert private_vr_of("GEMS_PARM_01", 0x00431027, shared=True) == "SH"
    assert not is_shared(0x00181204)  # Date of Manufacture
    assert is_shared(0x00100010)


def test_private_entries_are_well_formed() -> None:
    for creator, text in (*PRIVATE.items(), *MORE_PRIVATE.items()):
        assert creator == creator.strip()
        entries = text.split()
        assert len({entry[:8] for entry in entries}) == len(entries) > 0, creator
        for entry in entries:
            assert re.fullmatch(r"[0-9A-F]{8}[A-Z]{2}", entry), creator
            assert not entry.endswith("UN"), creator


# --------------------------------------------------------------------------------------------- small functions


def test_names_of_people() -> None:
    assert suggestion("patientid") == "PatientID"
    assert suggestion("Patient Name") == "PatientName"
    assert suggestion("qqqqqqqq") == ""
    assert tag_of("NoSuchKeyword") is None
    assert tag_of("") is None
    assert keyword_of(0x00091001) == keyword_of(0x00080003) == keyword_of(0x60010010) == keyword_of(0x60000000) == ""
    assert format_tag(0x7FE00010) == "(7FE0,0010)"


def test_tables_are_loaded_when_needed_and_pydicom_never() -> None:
    code = """if True:
        import sys
        def loaded():
            return {name for name in sys.modules if name.startswith("dsig.dicom._") or name.split(".")[0] == "pydicom"}
        from dsig.dicom import dictionary
        assert not loaded(), loaded()
        dictionary.vr_of(0x00100010)
        assert loaded() == {"dsig.dicom._dictionary"}, loaded()
        dictionary.private_vr_of("GEMS_PARM_01", 0x00431027)
        dictionary.keyword_of(0x00100010)
        assert loaded() == {"dsig.dicom._dictionary", "dsig.dicom._private", "dsig.dicom._keywords"}, loaded()
    """
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


# ------------------------------------------------------------------------------------------- generated files


def test_generated_tables_match_their_sources() -> None:
    """Text for text with the pydicom they were made from; with another one, entry for entry that both know."""
    tool = generator()
    vrs, keywords, masked_vrs, masked_keywords = tool.standard()
    made_from = re.search(r"pydicom ([0-9.]+)", (ROOT / "dsig" / "dicom" / "_keywords.py").read_text("utf-8"))
    assert made_from is not None
    if made_from[1] == pydicom_version:
        files = tool.generate([], [])
        for name in ("_dictionary.py", "_keywords.py"):
            assert (ROOT / "dsig" / "dicom" / name).read_text("utf-8") == files[name]
        assert (vrs, keywords, masked_vrs, masked_keywords) == (VRS, KEYWORDS, REPEATING_VRS, REPEATING_KEYWORDS)
    else:
        assert {tag: vr for tag, vr in VRS.items() if tag in vrs} == {tag: vr for tag, vr in vrs.items() if tag in VRS}
        assert len(vrs.keys() & VRS.keys()) > 5000


# ----------------------------------------------------------------------------------------- against the peer


def peer_lines(name: str) -> list[str]:
    found = generator().peer_dictionaries(name)
    if not found:
        pytest.skip(f"{name} of DCMTK is not installed")
    text: str = found[-1].read_text("latin-1")
    return text.splitlines()


@pytest.mark.interop
def test_standard_vrs_are_those_of_the_peers_dictionary() -> None:
    written = {"px": {"OW"}, "ox": {"OB", "ox"}, "xs": {"US", "xs"}, "lt": {"OW"}, "up": {"UL"}}
    seen = 0
    for line in peer_lines("dicom.dic"):
        match = re.match(
            r"\(([0-9A-F]{4})(?:-[0-9A-F]{4})?,([0-9A-F]{4})(?:-[0-9A-F]{4})?\)\t(\w\w)\t", line, re.IGNORECASE
        )
        if match and match[3] != "na":
            seen += 1
            tag = int(match[1] + match[2], 16)
            expected = {"OW"} if tag == 0x60003000 else written.get(match[3], {match[3]})
            assert vr_of(tag) in expected, line
    assert seen > 4500


@pytest.mark.interop
def test_private_vrs_are_those_of_the_peers_dictionary() -> None:
    tool = generator()
    lines = peer_lines("private.dic")
    last = {(creator, key): vr for creator, key, vr in tool.private_peer(lines)}
    # Nothing is read over: every line that is no comment is an entry.
    assert sum(1 for line in lines if line.startswith("(")) == sum(1 for _ in tool.private_peer(lines)) > 2500
    for (creator, key), vr in last.items():
        if vr != "UN" and key & 0xFFFF not in range(0x0100, 0x1000):
            tag = key if key & 0xFFFF >= 0x1000 else key | 0x1000
            tag = tag if tag >> 16 & 1 else tag | 0x10000
            assert private_vr_of(creator, tag) == private_vr_of(creator, tag, shared=True) == vr, (creator, hex(key))
    if f"pydicom {pydicom_version}" in (ROOT / "dsig" / "dicom" / "_private.py").read_text("utf-8"):
        made = tool.private(tool.private_peer(lines), tool.private_pydicom())
        for merged, table in zip(made, (PRIVATE, MORE_PRIVATE), strict=True):
            assert {c: " ".join(f"{k:08X}{vr}" for k, vr in sorted(e.items())) for c, e in merged.items()} == {
                creator: " ".join(text.split()) for creator, text in table.items()
            }


def hashed_by_peer(folder: Path, elements: dict[int, bytes]) -> dict[int, str]:
    """VR by tag of what dcmsign hashes of an Implicit VR data set."""
    source, target, dump = folder / "in.raw", folder / "out.dcm", folder / "dump.raw"
    source.write_bytes(
        b"".join(struct.pack("<HHI", t >> 16, t & 0xFFFF, len(v)) + v for t, v in sorted(elements.items()))
    )
    command = [
        "dcmsign",
        "-q",
        "-f",
        "-ti",
        "+s",
        PKI / "rsa2048.key.pem",
        PKI / "rsa2048.pem",
        "+d",
        dump,
        source,
        target,
    ]
    subprocess.run(command, check=True, capture_output=True)
    data, at, result, last = dump.read_bytes(), 0, {}, 0
    while at < len(data):
        group, element, vr = struct.unpack_from("<HH2s", data, at)
        tag = group << 16 | element
        if tag <= last:
            break  # the signature item
        last = tag
        result[tag] = vr.decode()
        if vr == b"SQ":
            at += 12  # empty: no length, sequence delimiter without length
        elif vr in (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"):
            at += 12 + struct.unpack_from("<I", data, at + 8)[0]
        else:
            at += 8 + struct.unpack_from("<H", data, at + 6)[0]
    return result


UNSIGNABLE_GROUPS = (0x0400, 0x4FFE, 0xFFFA, 0xFFFC, 0xFFFE)
# Length to End is never signed; with Pixel Data Provider URL dcmsign doesn't accept pixel data.
SIGNABLE = [
    t
    for t in DicomDictionary
    if t >> 16 >= 8 and t >> 16 not in UNSIGNABLE_GROUPS and t not in (0x00080001, 0x00287FE0)
]


@pytest.mark.interop
@pytest.mark.parametrize(
    ("pixel_representation", "bits", "xs", "ox"), [(b"", b"", "US", "OB"), (b"\1\0", b"\x10\0", "SS", "OW")]
)
def test_every_standard_element_is_hashed_with_this_vr(
    tmp_path: Path, pixel_representation: bytes, bits: bytes, xs: str, ox: str
) -> None:
    elements = dict.fromkeys(SIGNABLE, b"")
    for mask in RepeatersDictionary:
        elements |= dict.fromkeys(tags_of_mask(mask), b"")
    elements |= {0x00080016: b"1.2\0", 0x00080018: b"1.2\0", 0x00280103: pixel_representation, 0x54001004: bits}
    hashed = hashed_by_peer(tmp_path, elements)
    ours = {tag: {"xs": xs, "ox": ox}.get(vr_of(tag), vr_of(tag)) for tag in hashed}
    assert {format_tag(t): vr for t, vr in ours.items()} == {format_tag(t): vr for t, vr in hashed.items()}
    # What it leaves out is newer than its dictionary, or among the retired repeating elements it knows one tag of.
    assert {t for t in SIGNABLE if vr_of(t) != "UN"} - hashed.keys() == UNSHARED & set(SIGNABLE)
    assert not any(map(is_shared, UNSHARED))
    assert len(hashed) > 4800


@pytest.mark.interop
def test_every_private_element_is_hashed_with_this_vr(tmp_path: Path) -> None:
    files: list[dict[tuple[int, int], str]] = []
    contents: list[dict[int, tuple[str, int]]] = []
    for creator in PRIVATE.keys() | MORE_PRIVATE.keys():
        keys = [int(e[:8], 16) for table in (PRIVATE, MORE_PRIVATE) for e in table.get(creator, "").split()]
        groups = {key >> 16 | (0 if key >> 16 & 1 else 1) for key in keys}
        exact = {(key >> 16, key >> 8 & 0xFF) for key in keys if key & 0xFF00}
        # The first file in which the blocks this creator must have, and one more for each group, are free.
        for number in range(len(PRIVATE) + len(MORE_PRIVATE)):
            if number == len(files):
                files.append({})
                contents.append({})
            taken = files[number]
            blocks = {
                (g, next(b for b in range(0x20, 0x100) if (g, b) not in taken | dict.fromkeys(exact))) for g in groups
            }
            if not exact & taken.keys():
                break
        taken |= dict.fromkeys(exact | blocks, creator)
        for key in keys:
            group = key >> 16 | (0 if key >> 16 & 1 else 1)
            block = key >> 8 & 0xFF or next(b for g, b in blocks if g == group)
            contents[number][group << 16 | block << 8 | key & 0xFF] = (creator, key)
    assert len(files) < 20
    seen = 0
    for taken, content in zip(files, contents, strict=True):
        elements = dict.fromkeys(content, b"") | {0x00080016: b"1.2\0", 0x00080018: b"1.2\0"}
        for (group, block), creator in taken.items():
            elements[group << 16 | block] = creator.encode("latin-1") + b" " * (len(creator) % 2)
        hashed = hashed_by_peer(tmp_path, elements)
        for tag, (creator, _key) in content.items():
            if tag < 0x00080000:
                continue  # never signed
            vr = hashed.get(tag, "UN")
            assert private_vr_of(creator, tag, shared=True) == vr, (creator, format_tag(tag))
            seen += vr != "UN"
    assert seen > 2500
