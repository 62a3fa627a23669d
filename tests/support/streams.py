"""The MAC stream of the code under test, as bytes."""

from __future__ import annotations

from collections.abc import Collection

from dsig.dicom.dataset import DataSet, Element, read_data_set
from dsig.dicom.encoding import EXPLICIT_LE, Encoding
from dsig.dicom.source import BytesSource, Source
from dsig.limits import DEFAULT
from dsig.signature.mac import MacCursor, mac_pieces, pump
from dsig.signature.padding import Edits
from dsig.signature.reading import STORED, Reading


def level_of(data: bytes, encoding: Encoding = EXPLICIT_LE, source: Source | None = None) -> DataSet:
    """A data set as the code under test reads it."""
    return read_data_set(source or BytesSource(data), 0, len(data), encoding)


def hashed(
    level: DataSet,
    elements: Collection[Element] | None = None,
    *,
    mac: Encoding = EXPLICIT_LE,
    reading: Reading = STORED,
    edits: Edits | None = None,
) -> bytes:
    """The MAC stream of elements of a level; all that can be signed if not said."""
    chosen = [e for e in level.elements if e.signable] if elements is None else elements
    stream = bytearray()
    pieces = mac_pieces(level, chosen, mac=mac, reading=reading, edits=edits, limits=DEFAULT)
    pump(level.source, [MacCursor(pieces, stream.extend)])
    return bytes(stream)


def stream(
    data: bytes, encoding: Encoding = EXPLICIT_LE, *, mac: Encoding = EXPLICIT_LE, reading: Reading = STORED
) -> bytes:
    """The MAC stream of everything in a data set that can be signed."""
    return hashed(level_of(data, encoding), mac=mac, reading=reading)
