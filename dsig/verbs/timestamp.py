"""Timestamps: ask for a time stamp of a signature by files or over the network, and put it into the signature item."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dsig.arguments import checked
from dsig.dicom.dictionaries import Dictionary
from dsig.dicom.encoding import EXPLICIT_LE, IMPLICIT_LE
from dsig.dicom.file import DicomFile, open_dicom
from dsig.dicom.headers import element
from dsig.dicom.lookup import PLAIN, Lookup
from dsig.dicom.reencode import as_wanted
from dsig.dicom.rewrite import rewrite
from dsig.dicom.source import own_source
from dsig.errors import DsigError, InputError, OutputError, UsageError, Where
from dsig.hookspecs import TimestampFacts
from dsig.io import Given, as_output, name_of, open_input
from dsig.judgement import answers
from dsig.limits import DEFAULT, Limits
from dsig.model import Finding
from dsig.plugins import Plugins, default
from dsig.signature.items import UID
from dsig.signature.signatures import FoundSignature, find_signatures
from dsig.signature.timestamp import signature_value, stored_timestamp, timestamp_changes
from dsig.timestamps.stamping import QueryOptions, Stamp, TsaOptions, accepted, encoded, new_query, read_query, stamped

__all__ = [
    "Timestamped",
    "attach_timestamp",
    "read_uid_file",
    "timestamp",
    "timestamp_query",
    "uid_file",
]

MAX_MESSAGE = 1 << 20
"""Bytes of a query or response file; they have a few thousand."""
UID_FILE_CLASS = "2.25.38825270759891607213867164260654835343"
"""SOP class in the meta information of files that hold nothing but the UID of a signature; no standard one fits."""
IMPLEMENTATION_CLASS = "2.25.263161448065975382565354656436953690873"


@dataclass(frozen=True, slots=True)
class Timestamped:
    """What was stamped, by whom, and where it was written."""

    path: str
    output: Any = field(repr=False)
    """Path as given, or bytes, file object or data set like the input."""
    uid: str
    location: str
    facts: TimestampFacts
    source: str
    """URL of the TSA; empty for files."""
    findings: tuple[Finding, ...]


@checked
def timestamp_query(
    given: Given,
    *,
    uid: str | None = None,
    location: str | None = None,
    options: QueryOptions | None = None,
    input_kind: str = "auto",
    crypto_backend: str = "cryptography",
    plugins: Plugins | None = None,
    limits: Limits = DEFAULT,
) -> tuple[bytes, str]:
    """A query for the signature called `uid`, that at `location`, or the only one: DER, and the signature's UID.

    Raises `UsageError` (code `no-such-signature` or `several-signatures`), `InputError` or `PluginError`.
    """
    plugins = plugins or default()
    with _opened(given, input_kind, limits) as file:
        found = _chosen(file, uid, location, limits)
        values = _values(found, plugins, crypto_backend)
        return encoded(new_query(values[0], options or QueryOptions(), plugins), plugins), found.item.uid


@checked
def attach_timestamp(
    given: Given,
    output: object = None,
    *,
    query: bytes | str | os.PathLike[str],
    response: bytes | str | os.PathLike[str],
    uid: str | None = None,
    location: str | None = None,
    allow_modifications: bool = False,
    certificates: tuple[bytes, ...] = (),
    transfer_syntax: str | None = None,
    lengths: str | None = None,
    file_format: bool = False,
    convert_un: bool = False,
    dictionary: Dictionary | None = None,
    in_place: bool = False,
    input_kind: str = "auto",
    crypto_backend: str = "cryptography",
    plugins: Plugins | None = None,
    limits: Limits = DEFAULT,
) -> Timestamped:
    """Put the token of a TSA's response into the signature it is about, in place of an earlier one.

    `query` and `response` are DER or paths of files with DER; `certificates` (DER) may hold the TSA's if its token does
    not. The token must answer the query and be right in itself; the TSA's chain is not judged, `verify` does that. How
    the rest is written is said as in `SignOptions`. Raises `UsageError`, `InputError`, `PluginError` or `OutputError`;
    the output then is as it was before.
    """
    plugins = plugins or default()
    asked = read_query(_message(query, "query"), plugins)
    answer = _message(response, "response")

    def stamp(values: tuple[bytes, ...]) -> Stamp:
        return accepted(
            answer, asked, values, plugins, allow_modifications=allow_modifications, certificates=certificates
        )

    lookup = Lookup(convert_un=convert_un, dictionary=dictionary)
    with (
        _opened(given, input_kind, limits, lookup) as opened,
        as_wanted(
            opened,
            transfer_syntax,
            lengths,
            file_format=file_format,
            limits=limits,
            first=lambda file: stamp(_values(_chosen(file, uid, location, limits), plugins, crypto_backend)),
        ) as file,
    ):
        kind = "auto" if file.meta else input_kind
        found = _chosen(file, uid, location, limits)
        got = stamp(_values(found, plugins, crypto_backend))
        written = _write(given, output, file, found, got, in_place=in_place, input_kind=kind, limits=limits)
    return _told(given, written, found, got)


@checked
def timestamp(
    given: Given,
    output: object = None,
    *,
    tsa: TsaOptions,
    uid: str | None = None,
    location: str | None = None,
    in_place: bool = False,
    input_kind: str = "auto",
    crypto_backend: str = "cryptography",
    plugins: Plugins | None = None,
    limits: Limits = DEFAULT,
) -> Timestamped:
    """Have a signature stamped by the first TSA that does, and write the file with the token in it.

    Raises as `attach_timestamp`; `OutputError` with code `timestamp-unavailable` if no TSA gave a good answer.
    """
    plugins = plugins or default()
    with _opened(given, input_kind, limits) as file:
        found = _chosen(file, uid, location, limits)
        got = stamped(_values(found, plugins, crypto_backend), tsa, plugins)
        written = _write(given, output, file, found, got, in_place=in_place, input_kind=input_kind, limits=limits)
    return _told(given, written, found, got)


def uid_file(uid: str) -> bytes:
    """A DICOM file that holds (0400,0100) Digital Signature UID and nothing else, as other programs exchange it."""
    value = _even(uid)
    meta = b"".join(
        (
            element(0x00020001, "OB", b"\0\1", EXPLICIT_LE),
            element(0x00020002, "UI", _even(UID_FILE_CLASS), EXPLICIT_LE),
            element(0x00020003, "UI", value, EXPLICIT_LE),
            element(0x00020010, "UI", _even("1.2.840.10008.1.2"), EXPLICIT_LE),
            element(0x00020012, "UI", _even(IMPLEMENTATION_CLASS), EXPLICIT_LE),
        )
    )
    length = element(0x00020000, "UL", len(meta).to_bytes(4, "little"), EXPLICIT_LE)
    return bytes(128) + b"DICM" + length + meta + element(UID, "UI", value, IMPLICIT_LE)


def read_uid_file(given: Given) -> str:
    """(0400,0100) at the top level of a DICOM file. Raises `InputError`."""
    with _opened(given, "auto", DEFAULT) as file:
        uid = file.main().text(UID)
        if not uid:
            raise InputError(
                "there is no Digital Signature UID (0400,0100) in this file",
                code="uid-file",
                hint="name the file that was written with the query, or give --uid",
            )
        return uid


# ---------------------------------------------------------------------------------------------------------- the steps


@contextmanager
def _opened(given: Given, kind: str, limits: Limits, lookup: Lookup = PLAIN) -> Iterator[DicomFile]:
    """The input, with its name in every error."""
    try:
        with open_input(given, kind=kind, limits=limits, lookup=lookup) as file:
            yield file
    except DsigError as error:
        raise error.located(name_of(given)) from None


def _chosen(file: DicomFile, uid: str | None, location: str | None, limits: Limits) -> FoundSignature:
    """The one signature that is meant."""
    found = find_signatures(file, file.main(limits), limits)
    meant = [
        f
        for f in found
        if (uid is None or f.item.uid == uid) and (location is None or f.level.location == (location or "/"))
    ]
    if len(meant) == 1:
        return meant[0]
    which = f"has the UID {uid}" if uid is not None else f"is at {location}" if location is not None else "is there"
    if not meant:
        raise UsageError(f"no signature {which}", code="no-such-signature", hint="dsig inspect lists the signatures")
    raise UsageError(
        f"{len(meant)} signatures are meant; a timestamp is about one",
        code="several-signatures",
        hint="say which: --uid or --location; dsig inspect lists them",
    )


def _values(found: FoundSignature, plugins: Plugins, backend: str) -> tuple[bytes, ...]:
    """The signature value a timestamp is about, and as it is stored, which some programs stamp."""
    stored = found.item.signature
    if not stored:
        raise UsageError(
            "the signature has no value", code="no-signature-value", where=Where(path=found.level.location)
        )
    facts, _ = answers.certificate(found, plugins, backend)
    return tuple(dict.fromkeys((signature_value(stored, facts), stored)))


def _write(
    given: Given,
    output: object,
    file: DicomFile,
    found: FoundSignature,
    stamp: Stamp,
    *,
    in_place: bool,
    input_kind: str,
    limits: Limits,
) -> object:
    """Copy the file with the token in its place, and look at it again."""
    changes = timestamp_changes(file, found.item, stamp.token, limits)
    with as_output(given, output, in_place=in_place) as destination:
        rewrite(file, changes, destination.file)
        _look_again(destination.file, found, stamp.token, input_kind, limits)
    return destination.result


def _look_again(out: IO[bytes], found: FoundSignature, token: bytes, input_kind: str, limits: Limits) -> None:
    """Walk what was written: the token is where it belongs. Raises `OutputError`."""
    out.flush()
    if not out.seekable() or not out.readable():
        return  # a device or pipe
    out.seek(0)
    with open_dicom(own_source(out, "<output>"), kind=input_kind, limits=limits) as file:
        again = find_signatures(file, file.main(limits), limits)
        there = [
            f
            for f in again
            if (f.item.data.path, f.item.uid, f.item.signature)
            == (found.item.data.path, found.item.uid, found.item.signature)
        ]
        if len(there) != 1 or stored_timestamp(there[0].item).token != token:
            raise OutputError(
                "the file that was written does not hold the timestamp as intended",
                code="output-check",
                hint="this is a fault of dsig; please report it",
            )


def _told(given: Given, output: object, found: FoundSignature, stamp: Stamp) -> Timestamped:
    return Timestamped(
        name_of(given), output, found.item.uid, found.level.location, stamp.facts, stamp.source, stamp.findings
    )


def _message(given: bytes | str | os.PathLike[str], what: str) -> bytes:
    """A message, or the content of its file. Raises `InputError`."""
    if isinstance(given, bytes):
        return given
    try:
        with Path(given).open("rb") as file:
            data = file.read(MAX_MESSAGE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such name"
        raise InputError(
            f"cannot read the timestamp {what}: {reason}",
            code=f"timestamp-{what}-unreadable",
            where=Where(os.fspath(given)),
        ) from None
    if len(data) > MAX_MESSAGE:
        raise InputError(
            f"the timestamp {what} is longer than {MAX_MESSAGE} bytes",
            code=f"timestamp-{what}-unreadable",
            where=Where(os.fspath(given)),
        )
    return data


def _even(text: str) -> bytes:
    data = text.encode("ascii", "replace")
    return data + b"\0" if len(data) & 1 else data
