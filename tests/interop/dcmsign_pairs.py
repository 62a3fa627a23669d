"""One command line given to the peer and to `dsig-dcmsign`, each in a directory of its own, and what came of it."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from interop_peers import BASE, ENVIRONMENT, PKI, ROOT
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from support.dcmsign import Run, dcmsign

CA = ("+cf", ROOT, "+uf", PKI / "inter.pem")
"""Options with which signatures of the corpus are trusted."""
SIGN = ("+s", PKI / "rsa2048.key.pem", PKI / "rsa2048.pem")
TEXT = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"])
OWN = frozenset((0x04000100, 0x04000105, 0x04000120))
"""UID, date and value of a signature: no two are alike."""
ITEM_PART = bytes.fromhex("0004050055530200")
"""(0400,0005) US 2: where the signature item's part of the MAC stream begins."""


@dataclass(frozen=True)
class Both:
    """Two runs of one command line."""

    peer: Run
    ours: Run
    peer_directory: Path
    our_directory: Path

    def files(self, name: str) -> tuple[Path, Path]:
        """A file that both were told to write."""
        return self.peer_directory / name, self.our_directory / name


def run_both(directory: Path, *arguments: object, prepare: Sequence[tuple[str, bytes]] = ()) -> Both:
    """Run both; `prepare` are files that both find in their directory."""
    words = [os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments]
    places = directory / "peer", directory / "ours"
    for place in places:
        place.mkdir()
        for name, content in prepare:
            (place / name).write_bytes(content)
    done = subprocess.run(
        ["dcmsign", *words],
        cwd=places[0],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
        timeout=600,
    )
    peer = Run(done.returncode, done.stderr.decode("utf-8", "replace"), done.stdout.decode("utf-8", "replace"))
    before = Path.cwd()
    os.chdir(places[1])
    try:
        ours = dcmsign(*words)
    finally:
        os.chdir(before)
    return Both(peer, ours, *places)


def mac_streams_differ(peer: bytes, ours: bytes) -> str:
    """How two dumps of what is hashed differ, apart from UID and date of the signature; empty if they do not."""
    at, other = peer.rfind(ITEM_PART), ours.rfind(ITEM_PART)
    if peer[:at] != ours[:other]:
        where = next((n for n, (a, b) in enumerate(zip(peer, ours, strict=False)) if a != b), min(at, other))
        return f"data set part: {at} and {other} bytes, from {where} on {peer[where:][:24]!r} and {ours[where:][:24]!r}"
    items = [list(_elements(dump[start:])) for dump, start in ((peer, at), (ours, other))]
    return "" if items[0] == items[1] else f"item part: {items}"


def _elements(item: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and encoded elements of the item's part; the purpose sequence, which ends it, as one."""
    at = 0
    while at < len(item):
        tag = int.from_bytes(item[at : at + 2], "little") << 16 | int.from_bytes(item[at + 2 : at + 4], "little")
        if tag == 0x04000401:
            yield tag, item[at:]
            return
        length = int.from_bytes(item[at + 6 : at + 8], "little")
        yield tag, b"" if tag in OWN else item[at : at + 8 + length]
        at += 8 + length


def data_sets_differ(peer: Path, ours: Path) -> list[str]:
    """Elements, values, transfer syntax and kinds of lengths in which two outputs differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that pydicom does not like are compared as they are
        return _all_differences(pydicom.dcmread(peer, force=True), pydicom.dcmread(ours, force=True))


def _all_differences(one: Dataset, other: Dataset) -> list[str]:
    found = []
    syntaxes = [str(getattr(d, "file_meta", Dataset()).get("TransferSyntaxUID", "none")) for d in (one, other)]
    if syntaxes[0] != syntaxes[1]:
        found.append(f"transfer syntax {syntaxes}")
    return found + list(_differences(one, other, ""))


def _differences(one: Dataset, other: Dataset, where: str) -> Iterator[str]:
    tags = [set(filter(_compared, d.keys())) for d in (one, other)]
    for tag in sorted(tags[0] ^ tags[1]):
        yield f"{where}{tag} only in one"
    for tag in sorted(tags[0] & tags[1]):
        a, b = one[tag], other[tag]
        if a.VR != b.VR:
            yield f"{where}{tag} is {a.VR} and {b.VR}"
        elif a.VR == "SQ":
            if a.is_undefined_length != b.is_undefined_length:
                yield f"{where}{tag}: kind of length"
            if len(a.value) != len(b.value):
                yield f"{where}{tag}: number of items"
            for index, (left, right) in enumerate(zip(a.value, b.value, strict=False)):
                if left.is_undefined_length_sequence_item != right.is_undefined_length_sequence_item:
                    yield f"{where}{tag}[{index}]: kind of length"
                yield from _differences(left, right, f"{where}{tag}[{index}].")
        elif tag not in OWN and _value(a.value) != _value(b.value):
            yield f"{where}{tag}: {str(a.value)[:60]!r} and {str(b.value)[:60]!r}"


def _compared(tag: BaseTag) -> bool:
    """Neither group length, nor Length to End, nor padding."""
    return bool(tag.element) and tag not in (0x00080001, 0xFFFCFFFC)


def _value(value: object) -> object:
    """A value without padding, which the peer trims wherever it is (reference section 1.6)."""
    if isinstance(value, bytes):
        return value.rstrip(b"\0 ")
    return str(value).rstrip("\0 ")


def base(name: str) -> Path:
    """A base file of the corpus."""
    return BASE / name
