"""A DICOM file: preamble, File Meta Information, and where the data set is (PS3.10 7.1); or a bare data set."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dsig.dicom.dataset import DataSet, read_data_set
from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, Encoding, TransferSyntax, transfer_syntax
from dsig.dicom.location import format_tag
from dsig.dicom.lookup import PLAIN, Lookup
from dsig.dicom.source import Inflation, Source, own_source, spooled
from dsig.dicom.vr import LONG, SHORT
from dsig.errors import InputError, MalformedError, UsageError, Where
from dsig.limits import DEFAULT, Limits

__all__ = ["DicomFile", "InputKind", "open_dicom"]

PREAMBLE = 128
META_ELEMENTS = 256
META_VALUE = 1 << 16
_GROUP_LENGTH = 0x00020000
_LONG_VRS = frozenset(v.encode() for v in LONG)
_VRS = _LONG_VRS | {v.encode() for v in SHORT}


class InputKind(StrEnum):
    """What the input is; everything but `auto`, `file` and `detect` is a bare data set."""

    AUTO = "auto"
    FILE = "file"
    DATASET = "dataset"
    DATASET_LE = "dataset-le"
    DATASET_BE = "dataset-be"
    DATASET_IMPLICIT = "dataset-implicit"
    DETECT = "detect"
    """As `auto`, but the data set itself tells its encoding, whatever (0002,0010) says unless it says deflated."""


class MetaProblem(NamedTuple):
    """Something wrong with the File Meta Information."""

    code: str
    """Of the finding."""
    message: str
    tag: int


@dataclass(frozen=True, slots=True)
class DicomFile:
    """An opened file; offsets below are in `data`, which is `source` itself unless the data set is deflated."""

    source: Source
    meta: dict[int, bytes]
    """Raw values of group 0002 by tag; empty for a bare data set."""
    meta_problems: tuple[MetaProblem, ...]
    """Why readers may disagree about where the meta information ends, or what it says."""
    header_end: int
    """Where the data set starts in `source`."""
    syntax: TransferSyntax
    data: Source
    start: int
    end: int
    trailing: int
    """Bytes after the end of a deflated data set, beyond one pad byte."""
    trailing_zeros: bool
    """All of these are zero."""
    lookup: Lookup = PLAIN
    """Where VRs come from that the data set does not say."""

    @property
    def encoding(self) -> Encoding:
        """How the data set is written."""
        return self.syntax.encoding.looking_up(self.lookup)

    def meta_text(self, tag: int) -> str:
        """A meta value without padding, empty if absent."""
        return self.meta.get(tag, b"").decode("latin-1").strip(" \0")

    def header(self) -> Iterator[bytes]:
        """Preamble and meta information as they are."""
        at = 0
        while at < self.header_end:
            buffer = bytearray(min(1 << 16, self.header_end - at))
            self.source.read_into(at, memoryview(buffer))
            yield bytes(buffer)
            at += len(buffer)

    def main(self, limits: Limits = DEFAULT) -> DataSet:
        """Walk the main data set."""
        return read_data_set(self.data, self.start, self.end, self.encoding, limits=limits)


@contextmanager
def open_dicom(
    source: Source, *, kind: str = "auto", limits: Limits = DEFAULT, lookup: Lookup = PLAIN
) -> Iterator[DicomFile]:
    """Find meta information and data set. Raises `InputError` or `MalformedError`; `UsageError` for an unknown kind."""
    try:
        wanted = InputKind(kind)
    except ValueError:
        raise UsageError(
            f"unknown input kind {kind!r}", hint=f"one of {', '.join(k.value for k in InputKind)}"
        ) from None
    if source.size == 0:
        raise InputError("the file is empty", code="not-dicom", where=Where(source.name))
    start = _meta_start(source)
    if wanted in (InputKind.AUTO, InputKind.FILE, InputKind.DETECT) and start is not None:
        meta, header_end, problems = _read_meta(source, start)
    elif wanted is InputKind.FILE:
        raise InputError(
            "no DICOM file: neither preamble nor File Meta Information",
            code="not-dicom",
            where=Where(source.name),
            hint="for a data set without them use --input dataset",
        )
    else:
        meta, header_end, problems = {}, 0, ()
    if header_end >= source.size:
        raise MalformedError("there is no data set after the File Meta Information", where=Where(source.name))
    uid = meta.get(0x00020010, b"").decode("latin-1").rstrip(" \0")
    if uid:
        if not (uid.isascii() and uid.replace(".", "").isdigit()):
            raise MalformedError(
                "the Transfer Syntax UID is no UID",
                where=Where(source.name, format_tag(0x00020010)),
                hint="correct it, or strip the meta information and name the encoding with --input",
            )
        syntax = transfer_syntax(uid)
        if wanted is InputKind.DETECT and not syntax.deflated:  # which does not show
            found = _guess(source, header_end, bare=False)
            syntax = syntax if syntax.encoding.alike(found.encoding) else found
        _expect_encoding(source, header_end, syntax, said=f"the File Meta Information says {syntax.uid}")
    elif wanted in _NAMED:
        syntax = _NAMED[wanted]
    else:
        syntax = _guess(source, header_end, bare=start is None)
        _expect_encoding(
            source, header_end, syntax, said="nothing says how the data set is encoded, it seems implicit VR"
        )
    if not syntax.deflated:
        yield DicomFile(source, meta, problems, header_end, syntax, source, header_end, source.size, 0, True, lookup)
        return
    with spooled(source.name) as spool:
        engine = Inflation(source, header_end, limits)
        for piece in engine:
            spool.write(piece)
        spool.seek(0)
        data = own_source(spool, source.name)
        yield DicomFile(
            source, meta, problems, header_end, syntax, data, 0, data.size, engine.trailing, engine.padding, lookup
        )


_NAMED = {
    InputKind.DATASET_LE: transfer_syntax("1.2.840.10008.1.2.1"),
    InputKind.DATASET_BE: transfer_syntax("1.2.840.10008.1.2.2"),
    InputKind.DATASET_IMPLICIT: transfer_syntax("1.2.840.10008.1.2"),
}


def _meta_start(source: Source) -> int | None:
    """Offset of group 0002, or None for a bare data set."""
    buf, base = source.window(0, PREAMBLE + 8)
    if buf[PREAMBLE - base : PREAMBLE - base + 4] == b"DICM":
        return PREAMBLE + 4
    if buf[:2] == b"\2\0" and buf[4:6] in _VRS:
        return 0
    return None


def _read_meta(source: Source, start: int) -> tuple[dict[int, bytes], int, tuple[MetaProblem, ...]]:
    """Values of group 0002, the offset after it, and what readers may disagree about.

    The end is where group 0002 ends, which every reader sees, not where the group length says.
    """
    meta: dict[int, bytes] = {}
    pos = start
    length_end: int | None = None
    problems: list[MetaProblem] = []
    while pos + 8 <= source.size:
        buf, base = source.window(pos, 12)
        group, element, code, length = struct.unpack_from("<HH2sH", buf, pos - base)
        if group != 2:
            break
        tag = group << 16 | element
        value = pos + 8
        if code in _LONG_VRS:
            if pos + 12 > source.size:
                raise MalformedError("the File Meta Information is cut off", where=Where(source.name, offset=pos))
            reserved, length = struct.unpack_from("<HI", buf, pos - base + 6)
            value = pos + 12
            if reserved:
                problems.append(MetaProblem("meta-encoding", "has reserved bytes that are not zero", tag))
        elif code not in _VRS:  # some writers use implicit VR here; other readers find other elements then
            (length,) = struct.unpack_from("<I", buf, pos - base + 4)
            problems.append(MetaProblem("meta-encoding", "is not in explicit VR", tag))
        if value + length > source.size or length > META_VALUE:
            raise MalformedError(
                f"({group:04X},{element:04X}) claims {length} bytes",
                where=Where(source.name, format_tag(tag), pos),
            )
        if tag in meta or len(meta) >= META_ELEMENTS:
            raise MalformedError(
                "an element of the File Meta Information occurs twice"
                if tag in meta
                else "the File Meta Information has too many elements",
                where=Where(source.name, format_tag(tag), pos),
            )
        data = bytearray(length)
        source.read_into(value, memoryview(data))
        meta[tag] = bytes(data)
        pos = value + length
        if tag == _GROUP_LENGTH and length == 4:
            length_end = pos + struct.unpack("<I", data)[0]
        elif tag == _GROUP_LENGTH:
            problems.append(MetaProblem("meta-group-length", f"has {length} bytes instead of 4", tag))
    if length_end is not None and length_end != pos:
        problems.append(MetaProblem("meta-group-length", f"is off by {length_end - pos} bytes", _GROUP_LENGTH))
    return meta, pos, tuple(problems)


def _guess(source: Source, at: int, *, bare: bool) -> TransferSyntax:
    """Transfer syntax of a data set that comes without one. Raises `InputError` if it is none."""
    buf, base = source.window(at, 12)
    head = buf[at - base : at - base + 12]
    if len(head) >= 8:
        little, big = struct.unpack_from("<H", head)[0], struct.unpack_from(">H", head)[0]
        if head[4:6] in _VRS:
            uid = "1.2.840.10008.1.2.1" if little <= big else "1.2.840.10008.1.2.2"
            return transfer_syntax(uid)
        length = struct.unpack_from("<I", head, 4)[0]
        plausible = 4 <= little <= 0x7FE0 or not bare
        if plausible and (length <= source.size - at - 8 or length == 0xFFFFFFFF):
            return transfer_syntax("1.2.840.10008.1.2")
    raise InputError(
        "not a DICOM file",
        code="not-dicom",
        where=Where(source.name),
        hint="if it is a data set without preamble and meta information, name its encoding with --input",
    )


def _expect_encoding(source: Source, at: int, syntax: TransferSyntax, *, said: str) -> None:
    """Refuse a data set that plainly is not in the transfer syntax its meta information names, or may be in another."""
    if syntax.deflated or at + 8 > source.size:
        return
    buf, base = source.window(at, 12)
    head = buf[at - base : at - base + 8]
    explicit = head[4:6] in _VRS
    little, big = struct.unpack_from("<H", head)[0], struct.unpack_from(">H", head)[0]
    found = None
    if syntax.encoding.explicit and not explicit and not head[4:6].isalpha() and head[:2] != b"\xfe\xff":
        found = "implicit VR"
    elif not syntax.encoding.explicit and head[4:6].isalpha() and head[4:6].isupper():
        found = "explicit VR"  # by its looks, which some readers go by; no first element is so long
    elif explicit and syntax.encoding is EXPLICIT_LE and big < little and big < 0x0100:
        found = "big endian"
    elif explicit and syntax.encoding is EXPLICIT_BE and little < big and little < 0x0100:
        found = "little endian"
    if found:
        raise MalformedError(
            f"{said} but the data set looks like {found}",
            code="transfer-syntax-mismatch",
            where=Where(source.name, offset=at),
            hint="correct (0002,0010), or strip the meta information and name the encoding with --input",
        )
