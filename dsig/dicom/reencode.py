"""Re-encoding: the same data set in another native transfer syntax or with other length encodings (PS3.5 annex A).

Pixel data are never compressed or decompressed. Group lengths are left out: they are retired and say nothing.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum

from dsig.dicom.dictionary import format_tag, vr_of
from dsig.dicom.encoding import EXPLICIT_LE, TransferSyntax, transfer_syntax
from dsig.dicom.file import DicomFile, open_dicom
from dsig.dicom.headers import element, header, stored_as_un, swap_unit
from dsig.dicom.output import Deflater
from dsig.dicom.source import CHUNK, Source, own_source, spooled
from dsig.dicom.vr import effective
from dsig.dicom.walk import ELEMENT, FRAGMENT, FRAGMENTS, ITEM, ITEM_END, SEQUENCE, SEQUENCE_END, UNDEFINED, walk
from dsig.errors import UsageError, Where
from dsig.limits import DEFAULT, Limits

__all__ = ["Lengths", "as_wanted", "holds_convertible_un", "named_syntax", "reencoded"]

Write = Callable[[bytes | memoryview], object]

_NAMES = {
    "explicit": "1.2.840.10008.1.2.1",
    "implicit": "1.2.840.10008.1.2",
    "big": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
}
_TRANSFER_SYNTAX_UID = 0x00020010
_GROUP_LENGTH = 0x00020000
_META_VERSION = 0x00020001
_MEDIA_SOP_CLASS, _MEDIA_SOP_INSTANCE = 0x00020002, 0x00020003
_IMPLEMENTATION_CLASS = 0x00020012
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
IMPLEMENTATION_CLASS_UID = "2.25.211589369356707714898196302258029901560"
"""Of files that get their File Meta Information from us (PS3.7 D.3.3.2)."""
_LENGTH_TO_END = 0x00080001
_PIXEL_DATA = 0x7FE00010


class Lengths(StrEnum):
    """How sequences and items say where they end."""

    EXPLICIT = "explicit"
    UNDEFINED = "undefined"


def named_syntax(name: str) -> TransferSyntax:
    """A transfer syntax by UID or short name. Raises `UsageError`."""
    uid = _NAMES.get(name, name)
    if not uid.replace(".", "").isdigit():
        raise UsageError(f"unknown transfer syntax {name!r}", hint=f"a UID or one of {', '.join(_NAMES)}")
    return transfer_syntax(uid)


@contextmanager
def as_wanted(
    file: DicomFile,
    transfer_syntax: str | None,
    lengths: str | None,
    *,
    file_format: bool = False,
    limits: Limits = DEFAULT,
    first: Callable[[DicomFile], object] | None = None,
) -> Iterator[DicomFile]:
    """The file in a transfer syntax (as `named_syntax` takes it) and length encoding, or as it is where they are None.

    `file_format` adds File Meta Information where there is none (PS3.10 7.1). UN that the file's lookup converts is
    written with its VR. `first` is called before a conversion is refused, and raises for what is wrong beside it: that
    is told first. Raises `UsageError`.
    """
    converts = file.lookup.convert_un and holds_convertible_un(file, limits)
    bare = file_format and not file.meta
    if transfer_syntax is None and lengths is None and not converts and not bare:
        yield file
        return
    try:
        wanted = None if lengths is None else Lengths(lengths)
    except ValueError:
        raise UsageError(f"unknown length encoding {lengths!r}", hint="explicit or undefined") from None
    syntax = file.syntax if transfer_syntax is None else named_syntax(transfer_syntax)
    if bare:
        file = replace(file, meta=_new_meta(file, limits))
    with ExitStack() as stack:
        try:
            other = stack.enter_context(reencoded(file, syntax, wanted, limits))
        except UsageError:
            if first is not None:
                first(file)
            raise
        yield other


def _new_meta(file: DicomFile, limits: Limits) -> dict[int, bytes]:
    """File Meta Information for a data set that had none; `reencoded` adds the transfer syntax."""
    main = file.main(limits)
    named = {_MEDIA_SOP_CLASS: main.text(_SOP_CLASS), _MEDIA_SOP_INSTANCE: main.text(_SOP_INSTANCE)}
    uids = {tag: uid for tag, uid in (*named.items(), (_IMPLEMENTATION_CLASS, IMPLEMENTATION_CLASS_UID)) if uid}
    return {_META_VERSION: b"\0\1"} | {tag: uid.encode() + b"\0" * (len(uid) % 2) for tag, uid in uids.items()}


@contextmanager
def reencoded(
    file: DicomFile, syntax: TransferSyntax, lengths: Lengths | None, limits: Limits = DEFAULT
) -> Iterator[DicomFile]:
    """The file with its data set in `syntax`; `lengths` None keeps each sequence as it is.

    Elements are written with the VRs the file's lookup finds, those of VR UN included.
    Raises `UsageError` where pixel data would have to be compressed or decompressed.
    """
    if not _convertible(file, syntax, limits):
        raise _impossible(file, syntax)
    if (syntax.deflated or syntax.encoding.big_pixels) and not file.meta:
        raise UsageError(
            f"a data set without File Meta Information cannot be written as {syntax.uid}: nothing would say that it is",
            code="transfer-syntax-impossible",
            where=Where(file.source.name),
            hint="give it File Meta Information, or choose another transfer syntax",
        )
    with spooled(file.source.name) as spool:
        if file.meta:
            spool.write(_meta(file, syntax))
        if syntax.deflated:
            deflater = Deflater(spool)
            _DataSetWriter(file, syntax, lengths, limits).write(deflater.write)
            deflater.close()
        else:
            _DataSetWriter(file, syntax, lengths, limits).write(spool.write)
        spool.seek(0)
        kind = "auto" if file.meta else _KINDS[syntax.encoding.explicit, syntax.encoding.big]
        with open_dicom(own_source(spool, file.source.name), kind=kind, limits=limits, lookup=file.lookup) as again:
            yield again


def _impossible(file: DicomFile, syntax: TransferSyntax, *, tag: int = 0) -> UsageError:
    """`tag` names the compressed pixel data of a file that is said to be native."""
    return UsageError(
        f"{'compressed pixel data' if tag else file.syntax.uid} cannot be written as {syntax.uid}"
        " without touching the pixel data",
        code="transfer-syntax-impossible",
        where=Where(file.source.name, format_tag(tag) if tag else None),
        hint="compress or decompress with another tool before signing",
    )


def _convertible(file: DicomFile, other: TransferSyntax, limits: Limits) -> bool:
    """Whether pixel data can stay as they are, or there are none."""
    if file.syntax.uid == other.uid or other.encapsulated:
        return file.syntax.uid == other.uid
    return not file.syntax.encapsulated or not _holds_pixel_data(file, limits)


def _holds_pixel_data(file: DicomFile, limits: Limits) -> bool:
    """Whether there are pixel data that a native transfer syntax would need decompressed; native icons are none."""
    depth = 0
    for kind, tag, _vr, _start, _value, _stop in walk(file.data, file.start, file.end, file.encoding, limits=limits):
        if kind == FRAGMENTS or (tag == _PIXEL_DATA and not depth):
            return True
        depth += {SEQUENCE: 1, SEQUENCE_END: -1}.get(kind, 0)
    return False


def holds_convertible_un(file: DicomFile, limits: Limits = DEFAULT) -> bool:
    """Whether re-encoding gives elements of VR UN another one: that which the file's lookup finds."""
    encodings = [file.encoding]
    for kind, _tag, vr, start, _value, stop in walk(file.data, file.start, file.end, file.encoding, limits=limits):
        if kind in (SEQUENCE, FRAGMENTS):
            if vr == "UN" and stop != -1 and encodings[-1].explicit:
                return True
            encodings.append(encodings[-1].implicit() if vr == "UN" else encodings[-1])
        elif kind == SEQUENCE_END:
            encodings.pop()
        elif kind == ELEMENT and vr != "UN" and encodings[-1].explicit and stored_as_un(file.data, start):
            return True
    return False


_KINDS = {(True, False): "dataset-le", (True, True): "dataset-be", (False, False): "dataset-implicit"}


def _meta(file: DicomFile, syntax: TransferSyntax) -> bytes:
    """Preamble and meta information naming the new transfer syntax."""
    values = dict(file.meta)
    values[_TRANSFER_SYNTAX_UID] = syntax.uid.encode() + b"\0" * (len(syntax.uid) % 2)
    values.pop(_GROUP_LENGTH, None)
    body = b"".join(element(tag, vr_of(tag), value, EXPLICIT_LE) for tag, value in sorted(values.items()))
    preamble, _ = file.source.window(0, 132)
    head = preamble[:132] if preamble[128:132] == b"DICM" else b"\0" * 128 + b"DICM"
    return head + element(_GROUP_LENGTH, "UL", struct.pack("<I", len(body)), EXPLICIT_LE) + body


class _DataSetWriter:
    """Writes a data set in another encoding, token by token."""

    def __init__(self, file: DicomFile, syntax: TransferSyntax, lengths: Lengths | None, limits: Limits) -> None:
        self.file = file
        self.syntax = syntax
        self.encoding = syntax.encoding
        self.lengths = lengths
        self.limits = limits
        self.sizes = array("Q")

    def write(self, write: Write) -> None:
        """Write everything; a first walk finds out how long the containers become."""
        if self.lengths is not Lengths.UNDEFINED:
            self.measure()
        container = 0
        undefined: list[bool] = []
        order = self.encoding.order
        for kind, tag, vr, _start, value, stop, swap in self.tokens():
            if kind == ELEMENT:
                write(header(tag, vr, stop - value, self.encoding))
                self.copy(write, value, stop, swap)
            elif kind in (SEQUENCE, ITEM):
                open_ended = self.open_ended(stop)
                undefined.append(open_ended)
                length = UNDEFINED if open_ended else self.sizes[container]
                container += 1
                write(
                    header(tag, "SQ", length, self.encoding)
                    if kind == SEQUENCE
                    else struct.pack(f"{order}HHI", 0xFFFE, 0xE000, length)
                )
            elif kind == FRAGMENTS:
                undefined.append(True)
                container += 1
                write(header(tag, "OB", UNDEFINED, self.encoding))
            elif kind == FRAGMENT:
                write(struct.pack(f"{order}HHI", 0xFFFE, 0xE000, stop - value))
                self.copy(write, value, stop, 1)
            elif undefined.pop():
                write(struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD if kind == SEQUENCE_END else 0xE00D, 0))

    def measure(self) -> None:
        """Size of every container's content in the new encoding, in document order."""
        stack: list[int] = []
        undefined: list[bool] = []
        for kind, tag, vr, _start, value, stop, _swap in self.tokens():
            if kind == ELEMENT:
                grown = len(header(tag, vr, stop - value, self.encoding)) + stop - value
            elif kind == FRAGMENT:
                grown = 8 + stop - value
            elif kind in (SEQUENCE, FRAGMENTS, ITEM):
                stack.append(len(self.sizes))
                undefined.append(kind == FRAGMENTS or self.open_ended(stop))
                self.sizes.append(0)
                continue
            else:
                inside = self.sizes[stack.pop()]
                head = 8 if kind == ITEM_END or not self.encoding.explicit else 12
                grown = inside + head + (8 if undefined.pop() else 0)
            if stack:
                self.sizes[stack[-1]] += grown

    def open_ended(self, stop: int) -> bool:
        """Whether a sequence or item will be written with undefined length."""
        return stop == -1 if self.lengths is None else self.lengths is Lengths.UNDEFINED

    def tokens(self) -> Iterator[tuple[int, int, str, int, int, int, int]]:
        """The walk without group lengths, VRs standardised, and with the unit to swap values in."""
        file = self.file
        nested = [file.encoding]
        for token in walk(file.data, file.start, file.end, file.encoding, limits=self.limits):
            kind, tag, vr, start, value, stop = token
            if kind == ELEMENT:
                if not tag & 0xFFFF or tag == _LENGTH_TO_END:
                    continue
                vr = effective(vr)
                unit = swap_unit(file.data, start, tag, vr, nested[-1], self.encoding)
                yield kind, tag, vr, start, value, stop, unit
                continue
            if kind == FRAGMENTS and not self.syntax.encapsulated:
                raise _impossible(file, self.syntax, tag=tag)  # they stand where nothing said that they might
            if kind in (SEQUENCE, FRAGMENTS):
                nested.append(nested[-1].implicit() if vr == "UN" else nested[-1])
            elif kind == SEQUENCE_END:
                nested.pop()
            yield *token, 1

    def copy(self, write: Write, start: int, end: int, unit: int) -> None:
        """A value, byte-swapped where byte orders differ."""
        source: Source = self.file.data
        buffer = bytearray(min(CHUNK, max(end - start, 0)))
        at = start
        while at < end:
            view = memoryview(buffer)[: min(CHUNK, end - at)]
            source.read_into(at, view)
            at += len(view)
            write(swapped(view, unit) if unit > 1 else bytes(view))


def swapped(data: memoryview, unit: int) -> bytes:
    """Bytes reversed in units of 2, 4 or 8; what is left over at the end stays."""
    whole = len(data) - len(data) % unit
    units = array({2: "H", 4: "I", 8: "Q"}[unit], bytes(data[:whole]))
    units.byteswap()
    return units.tobytes() + bytes(data[whole:])
