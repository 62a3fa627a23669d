"""Broken files, each with one defect, built byte by byte; and what is left of a directory when a run is over."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"
BASE = CORPUS / "base"
PKI = CORPUS / "pki"

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"

LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
UNDEFINED = 0xFFFFFFFF


def tag_bytes(tag: int, order: str = "little") -> bytes:
    return (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order)


def element(tag: int, vr: str, value: bytes, length: int | None = None, order: str = "little") -> bytes:
    """One element; `length` is what it claims to have (PS3.5 7.1.2)."""
    claimed = len(value) if length is None else length
    size = bytes(2) + claimed.to_bytes(4, order) if vr in LONG else claimed.to_bytes(2, order)
    return tag_bytes(tag, order) + vr.encode() + size + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    claimed = len(value) if length is None else length
    return tag_bytes(tag) + claimed.to_bytes(4, "little") + value


def item(content: bytes, length: int | None = None) -> bytes:
    return implicit(0xFFFEE000, content, length)


END_OF_ITEM = implicit(0xFFFEE00D, b"")
END_OF_SEQUENCE = implicit(0xFFFEE0DD, b"")


def part10(data_set: bytes, syntax: str = EXPLICIT, group_length: int | None = None) -> bytes:
    """A file around a data set (PS3.10 7.1)."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020010, "UI", uid)
    length = len(meta) if group_length is None else group_length
    return bytes(128) + b"DICM" + element(0x00020000, "UL", length.to_bytes(4, "little")) + meta + data_set


NAME = element(0x00080018, "UI", b"1.2.3\0") + element(0x00100010, "PN", b"A^B ")
IMPLICIT_NAME = implicit(0x00080018, b"1.2.3\0") + implicit(0x00100010, b"A^B ")
PIXELS = element(0x7FE00010, "OW", b"\1\2\3\4")


def nested(depth: int, *, syntax: str = EXPLICIT) -> bytes:
    """Sequences in sequences, of undefined length."""
    head = (
        implicit(0x00081140, b"", UNDEFINED) if syntax == IMPLICIT else element(0x00081140, "SQ", b"", UNDEFINED)
    ) + item(b"", UNDEFINED)
    inner = IMPLICIT_NAME if syntax == IMPLICIT else NAME
    return head * depth + inner + (END_OF_ITEM + END_OF_SEQUENCE) * depth


def nested_defined(depth: int) -> bytes:
    """Sequences in sequences, of defined length."""
    content = NAME
    for _ in range(depth):
        content = element(0x00081140, "SQ", item(content))
    return content


def deflated(data: bytes) -> bytes:
    engine = zlib.compressobj(9, wbits=-15)
    return engine.compress(data) + engine.flush()


def bomb() -> bytes:
    """300 MB of zeros as deflated pixel data: less than 1 MB."""
    engine = zlib.compressobj(9, wbits=-15)
    head = NAME + element(0x7FE00010, "OW", b"", 300 << 20)
    zeros = bytes(1 << 20)
    return engine.compress(head) + b"".join(engine.compress(zeros) for _ in range(300)) + engine.flush(zlib.Z_FINISH)


NOT_DICOM: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\0",
    "text": lambda: b"Dear colleague,\nthe images are attached.\n" * 20,
    "JSON": lambda: b'{"00100010": {"vr": "PN"}}' * 10,
    "PNG": lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(500),
    "gzip of a DICOM file": lambda: gzip.compress((BASE / "ct.dcm").read_bytes(), mtime=0),
    "certificate": lambda: (PKI / "p256.der").read_bytes(),
    "noise": lambda: random.Random(1).randbytes(1 << 16),
    "preamble alone": lambda: bytes(128),
    "prefix cut": lambda: bytes(128) + b"DIC",
    "prefix alone": lambda: bytes(128) + b"DICM",
    "prefix and noise": lambda: bytes(128) + b"DICM" + random.Random(2).randbytes(4096),
    "meta information alone": lambda: part10(b""),
    "meta information alone, cut": lambda: part10(b"")[:-5],
}
"""Things that are no DICOM file, or end before there is any data."""

LYING: dict[str, Callable[[], bytes]] = {
    "value past the end": lambda: part10(NAME + element(0x00100020, "LO", b"ab", 200)),
    "long value past the end": lambda: part10(NAME + element(0x7FE00010, "OW", b"abcd", 1 << 30)),
    "largest defined length": lambda: part10(NAME + element(0x7FE00010, "OB", b"abcd", 0xFFFFFFFE)),
    "implicit value past the end": lambda: part10(IMPLICIT_NAME + implicit(0x00100020, b"ab", 1 << 20), IMPLICIT),
    "big-endian value past the end": lambda: part10(element(0x00100010, "PN", b"A^B ", 0x4000, "big"), BIG),
    "sequence past the end": lambda: part10(element(0x00081140, "SQ", item(NAME), 4000)),
    "item past its sequence": lambda: part10(element(0x00081140, "SQ", item(NAME, 4000)) + PIXELS),
    "element past its item": lambda: part10(
        element(0x00081140, "SQ", item(element(0x00100010, "PN", b"A^B ", 400))) + element(0x00200010, "SH", b"x" * 600)
    ),
    "item longer than its sequence by one element": lambda: part10(
        element(0x00081140, "SQ", item(NAME), len(item(NAME)) - 12) + PIXELS
    ),
    "sequence without end": lambda: part10(element(0x00081140, "SQ", item(NAME), UNDEFINED)),
    "item without end": lambda: part10(element(0x00081140, "SQ", item(NAME, UNDEFINED), UNDEFINED)),
    "sequence of something else": lambda: part10(element(0x00081140, "SQ", NAME)),
    "half an item header": lambda: part10(element(0x00081140, "SQ", item(NAME) + b"\xfe\xff\x00")),
    "half an element header": lambda: part10(NAME + b"\x28\x00\x10"),
    "end of item at the top": lambda: part10(NAME + END_OF_ITEM + PIXELS),
    "undefined length of a number": lambda: part10(NAME + element(0x00720082, "SV", bytes(8), UNDEFINED)),
    "undefined length of text": lambda: part10(NAME + element(0x0008011A, "UT", b"abcd", UNDEFINED)),
    "fragments without end": lambda: part10(
        NAME + element(0x7FE00010, "OB", item(b"") + item(b"abcd"), UNDEFINED), RLE
    ),
    "fragment past the end": lambda: part10(
        NAME + element(0x7FE00010, "OB", item(b"") + item(b"ab", 1 << 24), UNDEFINED), RLE
    ),
    "fragment of undefined length": lambda: part10(
        NAME + element(0x7FE00010, "OB", item(b"") + item(b"abcd", UNDEFINED) + END_OF_SEQUENCE, UNDEFINED), RLE
    ),
    "something else among fragments": lambda: part10(
        NAME + element(0x7FE00010, "OB", item(b"") + NAME + END_OF_SEQUENCE, UNDEFINED), RLE
    ),
    "deflate of nothing": lambda: part10(b"", DEFLATED),
    "deflate of noise": lambda: part10(random.Random(3).randbytes(500), DEFLATED),
    "deflate cut": lambda: part10(deflated(NAME + PIXELS * 1)[:-6], DEFLATED),
    "deflate with a lying length": lambda: part10(deflated(NAME + element(0x7FE00010, "OW", b"", 1 << 30)), DEFLATED),
    "deflate bomb": lambda: part10(bomb(), DEFLATED),
}
"""Files whose lengths or ends are wrong."""

NESTED: dict[str, Callable[[], bytes]] = {
    "200 sequences deep": lambda: part10(nested(200)),
    "200 sequences of defined length deep": lambda: part10(nested_defined(200)),
    "200 sequences deep, implicit VR": lambda: part10(nested(200, syntax=IMPLICIT), IMPLICIT),
    "100,000 sequences deep": lambda: part10(nested(100_000)),
    "100,000 sequences deep, implicit VR": lambda: part10(nested(100_000, syntax=IMPLICIT), IMPLICIT),
    "100,000 beginnings of sequences": lambda: part10(nested(100_000)[: 20 * 100_000]),
    "200 UN sequences deep": lambda: part10(
        element(0x00091001, "UN", b"", UNDEFINED)
        + item(b"", UNDEFINED)
        + (implicit(0x00091001, b"", UNDEFINED) + item(b"", UNDEFINED)) * 199
        + (END_OF_ITEM + END_OF_SEQUENCE) * 200
    ),
}
"""More nesting than the limit of 64 (`dsig.Limits.depth`)."""

DISORDER: dict[str, Callable[[], bytes]] = {
    "groups out of order": lambda: part10(PIXELS + NAME),
    "elements out of order": lambda: part10(
        element(0x00100020, "LO", b"ab") + element(0x00100010, "PN", b"A^B ") + PIXELS
    ),
    "an element twice": lambda: part10(NAME + element(0x00100010, "PN", b"C^D ") + PIXELS),
    "groups out of order in an item": lambda: part10(
        element(0x00081140, "SQ", item(element(0x00100010, "PN", b"A^B ") + element(0x00080018, "UI", b"1.2.3\0")))
    ),
}
"""Data that readers understand differently (PS3.5 7.1)."""


WHOLE = 1 << 30
"""Bytes of a file that are read; larger ones are holes, of which it is enough that nothing was written into them."""


def snapshot(directory: Path) -> dict[str, tuple[object, ...]]:
    """Everything in a directory: kinds, permissions, contents."""
    found: dict[str, tuple[object, ...]] = {}
    for parent, directories, names in os.walk(directory):
        for name in [*directories, *names]:
            path = Path(parent, name)
            status = path.lstat()
            content: object = None
            if path.is_symlink():
                content = os.readlink(path)
            elif status.st_size > WHOLE:
                content = status.st_size, status.st_mtime_ns, status.st_blocks
            elif path.is_file():
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
            found[str(path)] = (status.st_mode, status.st_ino, content)
    return found


@contextmanager
def nothing_changes(directory: Path) -> Iterator[None]:
    """Assert that the block neither adds, changes nor removes anything in the directory."""
    before = snapshot(directory)
    yield
    after = snapshot(directory)
    assert sorted(after) == sorted(before), "nothing is left behind, nothing is taken away"
    assert after == before
