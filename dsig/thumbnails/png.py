"""PNG files (ISO/IEC 15948) out of bare samples: nothing that a decoder of pixels made reaches a report as it is."""

from __future__ import annotations

import struct
import zlib

__all__ = ["png"]

GREY, TRUECOLOUR = 0, 2
"""Colour types."""
UP = 2
"""Filter of each row: the difference to the row above."""


def png(width: int, height: int, samples: bytes) -> bytes:
    """Eight bits a sample, one or three samples a pixel, row by row. Raises `ValueError` for other numbers."""
    if width < 1 or height < 1 or len(samples) not in (width * height, 3 * width * height):
        raise ValueError(f"{len(samples)} samples are no picture of {width} by {height} pixels")
    step = len(samples) // height
    rows, above = [], bytes(step)
    for start in range(0, len(samples), step):
        row = samples[start : start + step]
        rows.append(bytes([UP]) + bytes((a - b) & 0xFF for a, b in zip(row, above, strict=True)))
        above = row
    colour = GREY if step == width else TRUECOLOUR
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    data = zlib.compress(b"".join(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
