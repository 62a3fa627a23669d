"""Remove: take signatures out, with MAC Parameters nobody else uses; every other byte stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dsig.arguments import checked
from dsig.dicom.dataset import DataSet, read_data_set
from dsig.dicom.dictionaries import Dictionary
from dsig.dicom.file import DicomFile
from dsig.dicom.location import Path, format_path
from dsig.dicom.lookup import Lookup
from dsig.dicom.reencode import as_wanted
from dsig.dicom.rewrite import rewrite
from dsig.dicom.splice import Change, LengthField, enclosing_lengths, lengthened
from dsig.dicom.walk import SEQUENCE
from dsig.errors import DsigError, UsageError, Where
from dsig.io import Given, as_output, name_of, open_input
from dsig.limits import DEFAULT, Limits
from dsig.signature.items import (
    DIGITAL_SIGNATURES,
    MAC_PARAMETERS,
    SignatureItem,
    read_mac_items,
    read_signature_items,
    sequence_items,
)

__all__ = ["Removed", "remove"]

Growths = list[tuple[LengthField, int]]


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out and where the rest was written."""

    path: str
    output: Any = field(repr=False)
    """Path as given, or bytes, file object or data set like the input."""
    signatures: tuple[tuple[str, str], ...]
    """(Digital Signature UID, location) of each."""


@checked
def remove(
    given: Given,
    output: object = None,
    *,
    uid: str | None = None,
    everything: bool = False,
    transfer_syntax: str | None = None,
    lengths: str | None = None,
    file_format: bool = False,
    convert_un: bool = False,
    dictionary: Dictionary | None = None,
    whole: bool = False,
    in_place: bool = False,
    input_kind: str = "auto",
    limits: Limits = DEFAULT,
) -> Removed:
    """Remove the signature called `uid`, or all of them at every level but below Original Attributes.

    MAC Parameters items that no remaining signature refers to go too, and sequences that become empty. Removing all
    from an unsigned file copies it. `whole`: a signature goes only together with its MAC Parameters, so that one whose
    MAC ID Number cannot be read is refused. How the rest is written is said as in `SignOptions`. Raises `UsageError`
    (also when no signature is called `uid`), `InputError` or `OutputError`.
    """
    if everything == (uid is not None):
        raise UsageError(
            "say which signature to remove, or all", hint="give a UID (--uid), or all (--all or everything=True)"
        )
    name = name_of(given)
    lookup = Lookup(convert_un=convert_un, dictionary=dictionary)
    try:
        with (
            open_input(given, kind=input_kind, limits=limits, lookup=lookup) as opened,
            as_wanted(
                opened,
                transfer_syntax,
                lengths,
                file_format=file_format,
                limits=limits,
                first=lambda file: _Removal(file, uid, limits, whole=whole),
            ) as file,
        ):
            removal = _Removal(file, uid, limits, whole=whole)
            with as_output(given, output, in_place=in_place) as destination:
                rewrite(file, removal.changes, destination.file)
    except DsigError as error:
        raise error.located(name) from None
    return Removed(name, destination.result, tuple(removal.removed))


class _Removal:
    """The changes that take signatures out of one file."""

    def __init__(self, file: DicomFile, uid: str | None, limits: Limits, *, whole: bool) -> None:
        self.file = file
        self.uid = uid
        self.limits = limits
        self.whole = whole
        self.removed: list[tuple[str, str]] = []
        main = file.main(limits)
        levels = [
            *(
                read_data_set(file.data, r.start, r.end, r.encoding, path=r.path, limits=limits)
                for r in main.signed_items
            ),
            main,
        ]
        self.cuts: list[tuple[int, int]] = []
        self.growths: Growths = []
        self.around = enclosing_lengths(
            file.data, file.start, file.end, file.encoding, levels=[level.start for level in levels], limits=limits
        ).of_levels
        for level in levels:
            self.level(level)
        if uid is not None and not self.removed:
            raise UsageError(
                f"no signature has the UID {uid}",
                code="no-such-signature",
                where=Where(file.source.name),
                hint="dsig inspect lists the signatures",
            )
        self.changes = [*self.outermost(), *self.lengths()]

    def level(self, level: DataSet) -> None:
        """Decide what goes at one level."""
        signatures = read_signature_items(level, self.limits)
        if self.uid is None:
            # whatever carries one of the two tags, a second sequence and what is none included
            for signature in signatures:
                self.remove(signature, level)
            for element in level.elements:
                if element.tag in (MAC_PARAMETERS, DIGITAL_SIGNATURES):
                    self.cut(element.start, element.end, self.around[level.start])
            return
        gone = next((s for s in signatures if s.uid == self.uid), None)
        if gone is None or self.removed:
            return
        self.remove(gone, level)
        shared = any(s.mac_id == gone.mac_id for s in signatures if s is not gone)
        macs = [] if shared else read_mac_items(level, self.limits)
        self.take(level, MAC_PARAMETERS, [m.data.path for m in macs if m.mac_id == gone.mac_id])
        self.take(level, DIGITAL_SIGNATURES, [gone.data.path])

    def remove(self, signature: SignatureItem, level: DataSet) -> None:
        """One more. Raises `UsageError` if its MAC Parameters would have to be guessed and may not."""
        if self.whole and signature.mac_id is None:
            raise UsageError(
                f"signature {signature.uid or 'without UID'} has no MAC ID Number that can be read, so its MAC"
                " Parameters are not known",
                code="mac-id-unreadable",
                where=Where(self.file.source.name, format_path(level.path, DIGITAL_SIGNATURES)),
            )
        self.removed.append((signature.uid, level.location))

    def take(self, level: DataSet, tag: int, paths: list[Path]) -> None:
        """Cut these items of a sequence, or all of it when nothing would be left."""
        around = self.around[level.start]
        element = level.by_tag.get(tag)
        if element is None or element.kind != SEQUENCE:
            return
        items = list(sequence_items(level, element, self.limits))
        if len(paths) == len(items):
            self.cut(element.start, element.end, around)
            return
        own: tuple[LengthField, ...] = ()
        if not element.undefined:
            own = (LengthField(element.value - 4, 4, element.end - element.value, level.encoding.order),)
        starts = [item.start - 8 for item in items] + [element.end - 8 if element.undefined else element.end]
        for index, item in enumerate(items):
            if item.path in paths:
                self.cut(starts[index], starts[index + 1], (*around, *own))

    def cut(self, start: int, end: int, fields: tuple[LengthField, ...]) -> None:
        """Take bytes out and shorten what encloses them."""
        self.cuts.append((start, end))
        self.growths += [(field, start - end) for field in fields]

    def outermost(self) -> Iterator[Change]:
        """The cuts; one inside another is part of it already."""
        upto = -1
        for start, end in sorted(self.cuts, key=lambda c: (c[0], -c[1])):
            if start >= upto:
                yield Change(start, end - start, b"")
                upto = end

    def lengths(self) -> Iterator[Change]:
        """Length fields put right, but for those that are cut out themselves."""
        for change in lengthened(self.growths):
            if not any(start <= change.offset < end for start, end in self.cuts):
                yield change
