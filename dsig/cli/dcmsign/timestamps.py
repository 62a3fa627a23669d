"""--timestamp-file, while signing, and --insert-timestamp."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.failure import Failure, described
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.places import places
from dsig.cli.dcmsign.request import Request, StampQuery
from dsig.dicom.output import replacing
from dsig.errors import DsigError, OutputError, UsageError
from dsig.io import refuse_same
from dsig.timestamps.stamping import QueryOptions
from dsig.verbs.timestamp import attach_timestamp, read_uid_file, timestamp_query, uid_file

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["QueryFiles", "inserted", "query_files"]


_OID = re.compile(r"(?:[01]\.[1-3]?[0-9]|2\.(?:0|[1-9][0-9]*))(?:\.(?:0|[1-9][0-9]*))*", re.ASCII)
"""X.660: below 0 and 1 there are 40 arcs."""


@dataclass(frozen=True, slots=True)
class QueryFiles:
    """The files of --timestamp-file, open to be written; None for one without name."""

    wanted: StampQuery
    query: IO[bytes] | None
    uid: IO[bytes] | None

    def write(self, signed: str | bytes, uid: str) -> None:
        """Write what is asked about a new signature of a path or content. Raises `DsigError`."""
        wanted = self.wanted
        options = QueryOptions(
            mac=wanted.mac, policy=wanted.policy or "", nonce=wanted.nonce, certificate=wanted.certificate
        )
        query, _ = timestamp_query(signed, uid=uid, options=options)
        for file, content in ((self.query, query), (self.uid, uid_file(uid))):
            if file is not None:
                file.write(content)


@contextmanager
def query_files(asked: Request, wanted: StampQuery, log: Log) -> Iterator[QueryFiles]:
    """Open the files before any work, and let them stand if it ends well. Raises `UsageError` or `Failure`."""
    if wanted.policy and not _OID.fullmatch(wanted.policy):
        raise UsageError(f"{wanted.policy!r} is no object identifier", hint="write it in digits and dots")
    with ExitStack() as stack:
        opened: dict[str, IO[bytes] | None] = {}
        for what, path in (("UID file for time stamp query", wanted.uid_file), ("timestamp query file", wanted.query)):
            if not path:
                log.warn(f"Name of {what} not set, will not write file.")
                opened[what] = None
                continue
            try:
                refuse_same(path, f"the {what}", (asked.source, asked.target))
                opened[what] = stack.enter_context(replacing(path))
            except OutputError as error:
                raise Failure(ExitCode.SIGNING, f"Unable to create {what} '{path}': {described(error)}") from None
        uid, query = opened.values()
        yield QueryFiles(wanted, query, uid)


def inserted(asked: Request, dictionary: Dictionary | None, log: Log) -> ExitCode:
    """Put the token of a response into the signature that the UID file names. Raises `DsigError` or `Failure`."""
    where = places(asked)
    query = _content(asked.query, ExitCode.TIMESTAMP_QUERY, "Unable to load timestamp query file")
    response = _content(asked.response, ExitCode.TIMESTAMP_RESPONSE, "Unable to load timestamp response file")
    uid = _uid(asked.uid_file)
    try:
        done = attach_timestamp(
            where.given,
            where.output,
            query=query,
            response=response,
            uid=uid,
            allow_modifications=True,  # status 1 is as good as 0 to the tool
            in_place=where.in_place,
            input_kind=asked.input_kind,
            transfer_syntax=asked.transfer_syntax,
            lengths=asked.lengths,
            file_format=True,
            convert_un=asked.convert_un,
            dictionary=dictionary,
        )
    except DsigError as error:
        failure = _failure(error, asked, uid)
        if failure is None:
            raise
        raise failure from None
    for finding in done.findings:
        log.warn(finding.message)
    log.info(f"create output file {asked.target}")
    return ExitCode.OK


def _failure(error: DsigError, asked: Request, uid: str) -> Failure | None:
    """What the tool has codes of its own for."""
    text = described(error)
    if error.code == "timestamp-query-unreadable":
        return Failure(ExitCode.TIMESTAMP_QUERY, f"Unable to load timestamp query file '{asked.query}': {text}")
    if error.code == "timestamp-response-unreadable":
        return Failure(
            ExitCode.TIMESTAMP_RESPONSE, f"Unable to load timestamp response file '{asked.response}': {text}"
        )
    if error.code == "no-such-signature":
        return Failure(ExitCode.NO_SUCH_SIGNATURE, f"signature with UID '{uid}' not found.")
    if error.code.startswith("timestamp-"):
        return Failure(ExitCode.TIMESTAMP_MISMATCH, f"timestamp response validation failed: {text}")
    return None


def _content(path: str, code: ExitCode, text: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        raise Failure(code, f"{text} '{path}'") from None


def _uid(path: str) -> str:
    try:
        return read_uid_file(path)
    except DsigError as error:
        raise Failure(ExitCode.UID_FILE, f"Cannot load UID file '{path}': {described(error, but=path)}") from None
