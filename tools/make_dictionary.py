"""Generate the data dictionaries dsig/dicom/_dictionary.py, _keywords.py, _private.py and _unshared.py.

    python tools/make_dictionary.py [--check]

Standard elements come from pydicom, which generates them from PS3.6. Private elements come from pydicom and from
the private dictionary of OFFIS DCMTK (libdcmtk): for an element both know, DCMTK's VR counts, because a MAC
computed from an implicit VR file agrees between two programs only if they take private elements for the same VR. UN
means that a dictionary doesn't know either. What DCMTK does not know is kept apart: signatures over implicit VR that
rely on it would not verify there. Tables are text that is decoded when first needed: that loads several times
faster than the same dicts as literals, with or without compiled modules.

`--check` writes nothing and says whether the files are what would be generated.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
TARGET = HERE / "dsig" / "dicom"

STANDARD_EXTRA = {0x00060001: ("SQ", "CurrentFrameFunctionalGroupsSequence")}
"""In PS3.6 section 9 (real-time video payload, PS3.22), which pydicom leaves out."""

MASKED = re.compile(r"[0-9A-F]*x[0-9A-Fx]*")
PRIVATE_LINE = re.compile(
    r"\((?P<group>[0-9a-f]{4})(?P<last>-[ou]-[0-9a-f]{4})?,\"(?P<creator>[^\"]*)\",(?P<element>[0-9a-f]{2,4})\)"
    r"\t(?P<vr>\w\w)\t",
    re.IGNORECASE,
)
STANDARD_LINE = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)\t", re.IGNORECASE)
PRIVATE_VR = {"px": "OW", "ox": "OB", "xs": "US", "US or SS": "US", "OB_OW": "OB", "OB or OW": "OB"}
"""How VRs that depend on other attributes are read from implicit VR input."""


def peer_dictionaries(name: str) -> list[Path]:
    """Where Debian and others install DCMTK's dictionaries."""
    return sorted(path for top in ("/usr/share", "/usr/local/share") for path in Path(top).glob(f"*dcmtk*/{name}"))


def standard() -> tuple[dict[int, str], dict[int, str], dict[int, dict[int, str]], dict[int, dict[int, str]]]:
    """VR and keyword by tag, and by mask and masked tag for repeating groups (PS3.5 7.6).

    Elements whose VR depends on something are left out of the VRs: dsig/dicom/dictionary.py decides them.
    """
    from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

    vrs, keywords = {}, {}
    for tag, (vr, keyword) in STANDARD_EXTRA.items():
        vrs[tag], keywords[tag] = vr, keyword
    for tag, entry in DicomDictionary.items():
        if len(entry[0]) == 2:
            vrs[tag] = entry[0]
        if entry[4]:
            keywords[tag] = entry[4]
    masked_vrs: dict[int, dict[int, str]] = {}
    masked_keywords: dict[int, dict[int, str]] = {}
    for text, entry in RepeatersDictionary.items():
        mask = int(re.sub(r"[0-9A-F]", "F", text).replace("x", "0"), 16)
        tag = int(text.replace("x", "0"), 16)
        if len(entry[0]) == 2:
            masked_vrs.setdefault(mask, {})[tag] = entry[0]
        masked_keywords.setdefault(mask, {})[tag] = entry[4]
    return vrs, keywords, masked_vrs, masked_keywords


def private_pydicom() -> Iterator[tuple[str, int, str]]:
    """Creator, key and VR. Entries that no data element can match are left out."""
    from pydicom._private_dict import private_dictionaries

    for creator, entries in private_dictionaries.items():
        for text, entry in entries.items():
            vr = PRIVATE_VR.get(entry[0], entry[0])
            if re.fullmatch(r"[0-9A-F]{4}xx[0-9A-F]{2}", text) or re.fullmatch(r"[0-9A-F]{2}xxxx[0-9A-F]{2}", text):
                yield creator, int(text.replace("x", "0"), 16), vr
            elif "x" not in text and int(text[4:], 16) >= 0x1000:
                yield creator, int(text, 16), vr


def private_peer(lines: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """Creator, key and VR of DCMTK's private dictionary."""
    for line in lines:
        if match := PRIVATE_LINE.match(line):
            group, element = int(match["group"], 16), int(match["element"], 16)
            if match["last"]:
                # Ranges of groups are always odd groups with one high byte: the even group stands for all of them.
                group &= 0xFF00
            vr = PRIVATE_VR.get(match["vr"], match["vr"])
            yield match["creator"], group << 16 | element, vr


def unshared(peer: Iterable[str]) -> list[int]:
    """Standard data elements that DCMTK's dictionary does not have; repeating groups are left out."""
    from pydicom._dicom_dict import DicomDictionary

    known = {int(match[1] + match[2], 16) for match in map(STANDARD_LINE.match, peer) if match}
    return sorted(tag for tag in DicomDictionary if tag >= 0x00080000 and tag not in known)


Private = dict[str, dict[int, str]]


def private(peer: Iterable[tuple[str, int, str]], other: Iterable[tuple[str, int, str]]) -> tuple[Private, Private]:
    """What `peer` knows, and what only `other` does; `peer` has the last word unless it says UN."""
    known: Private = {}
    for creator, key, vr in peer:
        # A later line overrides an earlier one.
        known.setdefault(creator, {})[key] = vr
    known = {creator: {k: vr for k, vr in entries.items() if vr != "UN"} for creator, entries in sorted(known.items())}
    more: Private = {}
    for creator, key, vr in other:
        entries = known.get(creator, {})
        # The peer's entry for any block also decides for what the other dictionary says of one block.
        if vr != "UN" and not any(k in entries for k in (key, key & 0xFFFF00FF, key & 0xFF0000FF)):
            more.setdefault(creator, {})[key] = vr
    return {creator: entries for creator, entries in known.items() if entries}, dict(sorted(more.items()))


def block(words: Iterable[str]) -> str:
    """Words as the lines of a triple-quoted string."""
    return '"""\n' + "\n".join(textwrap.wrap(" ".join(words), 119, break_on_hyphens=False)) + '\n"""'


def header(title: str, origin: str) -> str:
    return f'"""{title}\n\nGenerated by tools/make_dictionary.py from {origin}. Do not edit.\n"""\n\n'


def literal(name: str, masked: dict[int, dict[int, str]]) -> str:
    lines = [f"{name}: dict[int, dict[int, str]] = {{"]
    for mask, entries in sorted(masked.items(), reverse=True):
        lines.append(f"    0x{mask:08X}: {{")
        lines += [f'        0x{tag:08X}: "{text}",' for tag, text in sorted(entries.items())]
        lines.append("    },")
    return "\n".join([*lines, "}"]) + "\n"


def private_literal(name: str, entries: Private) -> str:
    blocks = (
        f"    {quoted(creator)}: {block(f'{key:08X}{vr}' for key, vr in sorted(known.items()))},\n"
        for creator, known in entries.items()
    )
    return f"{name}: dict[str, str] = {{\n" + "".join(blocks) + "}\n"


def generate(peer_private: Iterable[tuple[str, int, str]], peer_standard: Iterable[str]) -> dict[str, str]:
    """File name -> content."""
    import pydicom

    vrs, keywords, masked_vrs, masked_keywords = standard()
    by_vr: dict[str, list[str]] = {}
    for tag, vr in sorted(vrs.items()):
        by_vr.setdefault(vr, []).append(f"{tag:08X}")
    origin = f"pydicom {pydicom.__version__} (PS3.6)"
    dictionary = (
        header("VRs of the standard data elements (PS3.6) that have exactly one.", origin)
        + "from struct import unpack\n\n_TAGS = {\n"
        + "".join(f'    "{vr}": {block(tags)},\n' for vr, tags in sorted(by_vr.items()))
        + "}\n\n"
        + "VRS: dict[int, str] = {}\n"
        + '"""VR by tag."""\n\n'
        + "for _vr, _text in _TAGS.items():\n"
        + "    _bytes = bytes.fromhex(_text)\n"
        + '    VRS.update(dict.fromkeys(unpack(f">{len(_bytes) // 4}I", _bytes), _vr))\n\n'
        + literal("REPEATING_VRS", masked_vrs)
        + '"""VR by mask, then by masked tag: repeating groups (PS3.5 7.6)."""\n'
    )
    words = "\n".join(f"{tag:08X} {keyword}" for tag, keyword in sorted(keywords.items()))
    keyword_module = (
        header("Keywords of the standard data elements (PS3.6).", origin)
        + f'_TEXT = """\\\n{words}"""\n\n'
        + 'KEYWORDS: dict[int, str] = {int(_line[:8], 16): _line[9:] for _line in _TEXT.split("\\n")}\n'
        + '"""Keyword by tag."""\n\n'
        + literal("REPEATING_KEYWORDS", masked_keywords)
        + '"""Keyword by mask, then by masked tag: repeating groups (PS3.5 7.6)."""\n'
    )
    shared, more = private(peer_private, private_pydicom())
    both = f"the dictionaries of OFFIS DCMTK 3.6.7\nand pydicom {pydicom.__version__}"
    private_module = (
        header("VRs of private data elements by private creator.", both)
        + private_literal("PRIVATE", shared)
        + '"""Creator -> keys with VRs, `GGGGEEEEVR`. EEEE of 00FF and less is the element in any block the creator\n'
        + 'reserves, else exactly that element; an even GGGG stands for all odd groups of the same high byte."""\n\n'
        + private_literal("MORE_PRIVATE", more)
        + '"""The same of elements that DCMTK does not know."""\n'
    )
    unshared_module = (
        header("Standard data elements (PS3.6) that not every program knows.", both)
        + f"_TAGS = {block(f'{tag:08X}' for tag in unshared(peer_standard))}\n\n"
        + "UNSHARED = frozenset(int(_tag, 16) for _tag in _TAGS.split())\n"
        + '"""Tags that DCMTK does not know: most are newer than its release."""\n'
    )
    return {
        "_dictionary.py": dictionary,
        "_keywords.py": keyword_module,
        "_private.py": private_module,
        "_unshared.py": unshared_module,
    }


def quoted(text: str) -> str:
    """A Python literal in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    found = [peer_dictionaries(name)[-1:] for name in ("private.dic", "dicom.dic")]
    if not all(found):
        print("no dictionaries of DCMTK found: apt-get install libdcmtk17", file=sys.stderr)
        return 1
    own, standards = (path.read_text("latin-1").splitlines() for [path] in found)
    files = generate(private_peer(own), standards)
    stale = []
    for name, text in files.items():
        path = TARGET / name
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
            if not arguments:
                path.write_text(text, "utf-8")
    print(f"{'stale' if arguments else 'written'}: {' '.join(stale) or 'nothing'}")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
