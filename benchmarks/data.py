"""Synthetic files, shaped as real ones are."""

from __future__ import annotations

import os
import struct
from pathlib import Path

EXPLICIT = b"1.2.840.10008.1.2.1\0"
JPEG = b"1.2.840.10008.1.2.4.50"
UNDEFINED = 0xFFFFFFFF


def element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    length = struct.pack("<HI", 0, len(value)) if vr in ("OB", "OW") else struct.pack("<H", len(value))
    return head + length + value


def item(body: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body


def sequence(tag: int, items: list[bytes]) -> bytes:
    body = b"".join(items)
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, len(body)) + body


def part10(path: Path, syntax: bytes, sop_class: bytes, data: bytes) -> None:
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class)
    meta += element(0x00020003, "UI", b"1.2.3.4.5\0") + element(0x00020010, "UI", syntax)
    meta += element(0x00020012, "UI", b"1.2.3\0")
    head = element(0x00020000, "UL", struct.pack("<I", len(meta)))
    path.write_bytes(b"\0" * 128 + b"DICM" + head + meta + data)


def patient(sop_class: bytes) -> bytes:
    data = element(0x00080016, "UI", sop_class) + element(0x00080018, "UI", b"1.2.3.4.5\0")
    return data + element(0x00080060, "CS", b"MR") + element(0x00100010, "PN", b"Many^Elements ")


def image(frames: int) -> bytes:
    count = str(frames).encode()
    data = element(0x00280002, "US", b"\1\0") + element(0x00280008, "IS", count + b" " * (len(count) % 2))
    for tag, value in ((0x00280010, 16), (0x00280011, 16), (0x00280100, 8), (0x00280101, 8), (0x00280102, 7)):
        data += element(tag, "US", struct.pack("<H", value))
    return data + element(0x00280103, "US", b"\0\0")


def enhanced(path: Path, elements: int) -> None:
    """An Enhanced MR image whose per-frame functional groups hold so many elements, 12 a frame with the sequences."""
    sop_class = b"1.2.840.10008.5.1.4.1.1.4.1\0"
    frames = elements // 12
    groups = []
    for number in range(frames):
        value = f"{number:06}.500000"[:12].encode()
        groups.append(
            item(
                element(0x00189074, "DT", b"20260101000000")
                + sequence(0x00189114, [item(element(0x00180081, "DS", f"{number:06}".encode()))])
                + sequence(
                    0x00209111,
                    [
                        item(
                            element(0x00209056, "SH", b"1 ")
                            + element(0x00209057, "UL", struct.pack("<I", number))
                            + element(0x00209128, "UL", struct.pack("<I", number))
                        )
                    ],
                )
                + sequence(0x00209113, [item(element(0x00200032, "DS", b"0\\0\\" + value))])
                + sequence(0x00289110, [item(element(0x00180050, "DS", b"1 ") + element(0x00280030, "DS", b"1\\1 "))])
            )
        )
    data = patient(sop_class) + image(frames) + sequence(0x52009230, groups)
    data += struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, frames * 256) + os.urandom(frames * 256)
    part10(path, EXPLICIT, sop_class, data)


def slides(path: Path, fragments: int) -> None:
    """A whole slide image with so many fragments of 2 KiB."""
    sop_class = b"1.2.840.10008.5.1.4.1.1.77.1.6"
    block = os.urandom(2048)
    data = patient(sop_class) + image(fragments)
    data += struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED) + item(b"")
    data += item(block) * fragments + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    part10(path, JPEG, sop_class, data)


def multiframe(path: Path, frames: int) -> None:
    """A native 16-bit multi-frame image of `frames` frames of 1024 x 1024."""
    uid = b"1.2.840.10008.5.1.4.1.1.7.3\0"
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", uid)
    meta += element(0x00020003, "UI", b"1.2.3.4.5\0") + element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    meta += element(0x00020012, "UI", b"1.2.3\0")
    count = str(frames).encode() + b" " * (len(str(frames)) % 2)
    short = [(0x00280010, 1024), (0x00280011, 1024), (0x00280100, 16), (0x00280101, 12), (0x00280102, 11)]
    data = element(0x00080005, "CS", b"ISO_IR 100") + element(0x00080016, "UI", uid)
    data += element(0x00080018, "UI", b"1.2.3.4.5\0") + element(0x00100010, "PN", b"Big^File")
    data += element(0x00280002, "US", b"\1\0") + element(0x00280008, "IS", count)
    data += b"".join(element(tag, "US", struct.pack("<H", value)) for tag, value in short)
    data += element(0x00280103, "US", b"\0\0")
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write(b"\0" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data)
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, frames << 21))
        for _ in range(frames * 2):
            file.write(block)


def ct_slice(path: Path) -> int:
    """The header of a real CT slice (from pydicom) with 512 x 512 random pixels; gives the number of its elements."""
    from pydicom import dcmread
    from pydicom.data import get_testdata_file

    data_set = dcmread(str(get_testdata_file("CT_small.dcm")))
    data_set.Rows = data_set.Columns = 512
    data_set.PixelData = os.urandom(512 * 512 * 2)
    data_set.save_as(path)
    return len(data_set)
