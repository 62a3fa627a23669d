"""--timestamp-file, while signing, and --insert-timestamp."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.failure import Failure, described
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.places import places
from dsig.cli.dcmsign.request import Request, StampQuery
from dsig.dicom.output import replacing
from dsig.errors import DsigError, UsageError
from dsig.stamping import QueryOptions
from dsig.verbs.timestamp import attach_timestamp, read_uid_file, timestamp_query, uid_file

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["inserted", "refuse_policy", "write_query"]


def refuse_policy(wanted: StampQuery) -> None:
    """Raise `UsageError` for a policy that is no object identifier, before any work."""
    policy = wanted.policy
    if policy is not None and not all(part.isascii() and part.isdigit() for part in policy.split(".")):
        raise UsageError(f"{policy!r} is no object identifier", hint="write it in digits and dots")


def write_query(signed: str | bytes, uid: str, wanted: StampQuery) -> None:
    """Write the query for a new signature of a path or content, and the file with its UID. Raises `DsigError`."""
    options = QueryOptions(
        mac=wanted.mac, policy=wanted.policy or "", nonce=wanted.nonce, certificate=wanted.certificate
    )
    query, _ = timestamp_query(signed, uid=uid, options=options)
    for path, content in ((wanted.query, query), (wanted.uid_file, uid_file(uid))):
        with replacing(path) as file:
            file.write(content)


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
