"""Draw the pictures of docs/signatures.md as SVG. With --check: fail if they are not current."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
ROW, WIDTH = 26, 760
SIGNED, OPEN, ITEM, PLAIN = "signed", "open", "item", "plain"
STYLE = """
text { font: 13px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1c2733 }
.head { font-weight: 600 } .small { font-size: 11.5px; fill: #44525f }
.mono { font-family: ui-monospace, Menlo, monospace }
rect { stroke: #5b6b7a; stroke-width: 1 } .page { fill: #ffffff; stroke: #d5dce3 }
.signed { fill: #cfead6 } .open { fill: #f6d9d5; stroke-dasharray: 4 3 }
.item { fill: #d6e4f7 } .plain { fill: #eef1f4 }
path { fill: none; stroke: #33414e; stroke-width: 1.4 } .tip { fill: #33414e; stroke: none }
"""


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """A line of text with its baseline at y."""
    return f'<text x="{x}" y="{y}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(words)}</text>'


def box(x: float, y: float, width: float, words: str, kind: str, height: float = ROW) -> str:
    """A box with a line of text in it."""
    shape = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" class="{kind}"/>'
    return shape + text(x + 9, y + height / 2 + 4.5, words)


def stack(x: float, y: float, width: float, rows: Iterable[tuple[str, str]]) -> str:
    """Boxes beneath each other."""
    return "".join(box(x, y + i * ROW, width, words, kind) for i, (words, kind) in enumerate(rows))


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line from left to right with a tip."""
    middle = (x1 + x2) / 2
    tip = f'<path class="tip" d="M{x2} {y2} l-8 -4 v8 z"/>'
    return f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2 - 7} {y2}"/>{tip}'


def legend(y: float, kinds: Iterable[tuple[str, str]]) -> str:
    """What the colours mean, in a line."""
    return "".join(
        f'<rect x="{20 + i * 250}" y="{y}" width="16" height="16" rx="3" class="{kind}"/>'
        + text(43 + i * 250, y + 12.5, words, "small")
        for i, (kind, words) in enumerate(kinds)
    )


def drawing(title: str, height: int, *parts: str) -> str:
    """The file. `title` is what is read aloud."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="page"/>\n'
        + "\n".join(part.replace("><", ">\n<") for part in parts)
        + "\n</svg>\n"
    )


def where() -> str:
    """The two sequences in a file, and what is in their items."""
    file = [
        ("preamble, DICM", PLAIN),
        ("0002,eeee File Meta Information", PLAIN),
        ("0008,0016 SOP Class UID", SIGNED),
        ("0010,0010 Patient's Name", SIGNED),
        ("…", SIGNED),
        ("4FFE,0001 MAC Parameters Sequence", ITEM),
        ("7FE0,0010 Pixel Data", SIGNED),
        ("FFFA,FFFA Digital Signatures Sequence", ITEM),
    ]
    how = [
        ("0400,0005 MAC ID Number", ITEM),
        ("0400,0010 MAC Calculation Transfer Syntax UID", ITEM),
        ("0400,0015 MAC Algorithm", ITEM),
        ("0400,0020 Data Elements Signed: tags", ITEM),
    ]
    who = [
        ("0400,0005 MAC ID Number: which of these", ITEM),
        ("0400,0100 Digital Signature UID", ITEM),
        ("0400,0105 Digital Signature DateTime", ITEM),
        ("0400,0110 Certificate Type", ITEM),
        ("0400,0115 Certificate of Signer", ITEM),
        ("0400,0120 Signature: the value", ITEM),
        ("0400,0310 Certified Timestamp, if any", ITEM),
        ("0400,0401 Purpose, if any", ITEM),
    ]
    return drawing(
        "A signature is two sequences in the data set: MAC Parameters say how it was made, Digital Signatures by whom",
        450,
        text(20, 28, "The file", "head"),
        stack(20, 40, 300, file),
        text(410, 28, "an item of MAC Parameters: how", "head"),
        stack(410, 40, 330, how),
        text(410, 186, "an item of Digital Signatures: who and when", "head"),
        stack(410, 198, 330, who),
        arrow(320, 40 + 5.5 * ROW, 410, 40 + 2 * ROW),
        arrow(320, 40 + 7.5 * ROW, 410, 198 + 4 * ROW),
        text(20, 285, "Both stand where their tags sort them in.", "small"),
        text(20, 303, "Any item of a sequence is a data set too", "small"),
        text(20, 321, "and can have a pair of its own.", "small"),
        legend(420, [(SIGNED, "elements that can be signed"), (ITEM, "the signature"), (PLAIN, "never signed")]),
    )


def stream() -> str:
    """What is hashed, in order."""
    rows = [
        (
            "08 00 16 00 U I 1A 00  1.2.840.10008.5.1.4.1.1.2",
            "explicit VR little endian: tag, VR, length, value",
            SIGNED,
        ),
        ("08 00 40 11 S Q 00 00", "a sequence: no length", SIGNED),
        ("FE FF 00 E0", "its item: the tag alone, no length", SIGNED),
        ("08 00 50 11 U I …", "the elements in the item", SIGNED),
        ("FE FF DD E0", "its end: the tag alone", SIGNED),
        ("10 00 10 00 P N 08 00  Doe^Jane", "the value as stored, padding included", SIGNED),
        ("E0 7F 10 00 O W 00 00 00 80 00 00  …", "pixels, byte for byte", SIGNED),
        ("00 04 05 00 U S 02 00  0000", "then of the signature's own item: ID", ITEM),
        ("00 04 00 01 U I …", "the UID", ITEM),
        ("00 04 05 01 D T …", "the claimed time", ITEM),
        ("00 04 10 01 C S …", "the certificate's type; and the purpose", ITEM),
    ]
    boxes = [
        f'<rect x="20" y="{44 + i * ROW}" width="410" height="{ROW}" rx="3" class="{kind}"/>'
        + text(30, 44 + i * ROW + 17.5, code, "mono")
        + text(445, 44 + i * ROW + 17.5, said, "small")
        for i, (code, said, kind) in enumerate(rows)
    ]
    bottom = 44 + len(rows) * ROW
    return drawing(
        "The MAC stream: listed elements in ascending order without lengths of sequences, then most of the signature"
        " item; its digest is what the private key signs",
        bottom + 140,
        text(20, 28, "The MAC stream: what is hashed, from top to bottom", "head"),
        *boxes,
        box(20, bottom + 40, 120, "MAC Algorithm", ITEM, 40),
        arrow(140, bottom + 60, 190, bottom + 60),
        box(190, bottom + 40, 120, "digest", PLAIN, 40),
        arrow(310, bottom + 60, 360, bottom + 60),
        box(360, bottom + 40, 150, "private key", PLAIN, 40),
        arrow(510, bottom + 60, 560, bottom + 60),
        box(560, bottom + 40, 180, "0400,0120 Signature", ITEM, 40),
        f'<path d="M80 {bottom} v32"/><path class="tip" d="M80 {bottom + 40} l-4 -8 h8 z"/>',
        legend(bottom + 108, [(SIGNED, "elements of the data set, as listed"), (ITEM, "from the signature")]),
    )


def covered() -> str:
    """What a signature is about, what it could be, and what none can be."""
    signed = [
        "what Data Elements Signed lists:",
        "values, VRs and lengths",
        "all items of sequences",
        "pixels, as encoded",
    ]
    left_out = ["what the list leaves out", "elements added after signing"]
    outside = [
        "preamble, File Meta Information",
        "VR UN, sequences that hold UN",
        "groups below 0008, group lengths",
        "MAC Parameters, trailing padding",
    ]
    columns = [
        ("signed", SIGNED, signed),
        ("could be, and is not", OPEN, left_out),
        ("cannot be, by the standard", PLAIN, outside),
    ]
    parts = []
    for i, (title, kind, lines) in enumerate(columns):
        x = 20 + i * 245
        parts.append(f'<rect x="{x}" y="20" width="230" height="150" rx="5" class="{kind}"/>')
        parts.append(text(x + 12, 46, title, "head"))
        parts += [text(x + 12, 74 + 22 * n, line, "small") for n, line in enumerate(lines)]
    within = [
        ("0400,0005 0100 0105 0110 0401: ID, UID, claimed time, type, purpose", SIGNED),
        ("0400,0115 Certificate: replaced by another one of the same key, it verifies as well", OPEN),
        ("0400,0120 Signature: the value itself", OPEN),
        ("0400,0310 Timestamp: vouches for the value, can be added later", OPEN),
    ]
    return drawing(
        "What is signed, what could be and is not, and what no signature of DICOM can cover",
        335,
        *parts,
        text(20, 202, "and of the signature's own item", "head"),
        stack(20, 214, 720, within),
    )


def verdict() -> str:
    """Six questions, one verdict."""
    questions = [
        ("structure", "are the signature's items what the standard allows, and is there one reading of the file?"),
        ("integrity", "does the value match the MAC stream, with the key of the certificate?"),
        ("coverage", "what is signed, what is not, and is that enough?"),
        ("profile", "does it follow a profile of PS3.15 annex C?"),
        ("trust", "does the certificate lead to a root you named, at the time in question?"),
        ("time", "does a time stamp authority prove since when it exists?"),
    ]
    parts = []
    for i, (name, said) in enumerate(questions):
        parts.append(box(20, 44 + i * 32, 110, name, ITEM))
        parts.append(text(142, 44 + i * 32 + 17.5, said, "small"))
    worst = "the verdict is the worst of structure, integrity and trust, and of the others where you require them"
    return drawing(
        "Six questions and one verdict",
        290,
        text(20, 28, "Six questions", "head"),
        *parts,
        box(20, 250, 720, worst, PLAIN),
    )


DRAWINGS = {
    "signature-where.svg": where,
    "signature-stream.svg": stream,
    "signature-covered.svg": covered,
    "signature-verdict.svg": verdict,
}


def main() -> int:
    stale = [name for name, draw in DRAWINGS.items() if not _is(IMAGES / name, draw())]
    if "--check" in sys.argv[1:]:
        return int(bool(stale))
    for name in stale:
        (IMAGES / name).write_text(DRAWINGS[name](), "utf-8")
    return 0


def _is(path: Path, content: str) -> bool:
    return path.exists() and path.read_text("utf-8") == content


if __name__ == "__main__":
    sys.exit(main())
