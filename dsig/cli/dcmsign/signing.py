"""--sign and --sign-item."""

from __future__ import annotations

import io
import sys
from contextlib import ExitStack, suppress

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.keyfiles import key_uri, refuse_other_format
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.places import places
from dsig.cli.dcmsign.request import Operation, Request
from dsig.dicom.dictionaries import Dictionary, PrivateTag
from dsig.dicom.output import replacing
from dsig.keys import open_key
from dsig.secrets import LONGEST, Channel, Channels, OnceChannel, PromptChannel, has_terminal
from dsig.verbs.sign import SignOptions, sign

__all__ = ["signed"]

VERIFICATION_PURPOSE = 5


Tags = tuple[int | PrivateTag, ...]


def signed(asked: Request, tags: Tags | None, dictionary: Dictionary | None, log: Log) -> ExitCode:
    """Sign as asked; nothing is said of a success. Raises `DsigError` or `Failure`."""
    if asked.dump is not None:
        _refuse_dump(asked.dump)
    refuse_other_format(asked.certificate, "certificate", der=asked.der)
    refuse_other_format(asked.key, "private key", der=asked.der)
    options = _options(asked, tags, dictionary, log)
    where = places(asked)
    kept = io.BytesIO() if asked.stamp_query is not None and asked.target == "-" else None
    secrets = Channels(passphrase=_password(asked))
    log.info(f"create signature in {'main object' if asked.operation == Operation.SIGN else 'sequence item'}.")
    with ExitStack() as stack:
        files = None
        if asked.stamp_query is not None:
            from dsig.cli.dcmsign.timestamps import query_files

            files = stack.enter_context(query_files(asked, asked.stamp_query, log))
        key = stack.enter_context(open_key(key_uri(asked.key), certificate=asked.certificate, secrets=secrets))
        done = sign(where.given, where.output if kept is None else kept, key=key, options=options)
        if files is not None:
            files.write(str(asked.target) if kept is None else kept.getvalue(), done.uid)
    if kept is not None:
        sys.stdout.buffer.write(kept.getvalue())
    for finding in done.findings:
        (log.warn if finding.severity == "warning" else log.info)(finding.message)
    log.debug(f"{done.mac.algorithm} MAC = {done.mac.digest}")
    log.info(f"create output file {asked.target}")
    return ExitCode.OK


def _options(asked: Request, tags: Tags | None, dictionary: Dictionary | None, log: Log) -> SignOptions:
    location = "/"
    if asked.operation == Operation.SIGN_ITEM:
        from dsig.cli.dcmsign.tags import item_location

        location = item_location(asked.location)
    purpose = asked.purpose
    if asked.profile == "sr-verification":
        if purpose not in (None, VERIFICATION_PURPOSE):
            log.warn(f"signature purpose {purpose} overridden: a verification has purpose {VERIFICATION_PURPOSE}")
        purpose = VERIFICATION_PURPOSE
    return SignOptions(
        mac=asked.mac,
        allow_weak=True,  # the tool's default is one of them
        profile=asked.profile,
        waived=frozenset(("profile-purpose",)),  # the tool asks for no purpose
        tags=tags,
        item=location,
        purpose=purpose,
        old_format=asked.old_format,
        dump=asked.dump,
        transfer_syntax=asked.transfer_syntax,
        lengths=asked.lengths,
        file_format=True,
        convert_un=asked.convert_un,
        dictionary=dictionary,
        rely_on_dictionaries=True,  # the tool signs private elements of implicit VR
        in_place=places(asked).in_place,
        input_kind=asked.input_kind,
    )


class _Unused(Exception):  # noqa: N818 - no error
    """Throws an output away."""


def _refuse_dump(path: str) -> None:
    """Raise `OutputError` for a dump that cannot be written, which the tool looks at before anything else."""
    with suppress(_Unused), replacing(path):
        raise _Unused


def _password(asked: Request) -> Channel:
    """--use-passwd and --null-passwd say it; else it is typed, or standard input has it where nobody can type."""
    password = asked.password
    if password is not None:
        return OnceChannel(lambda: password.encode("utf-8", "surrogateescape"))
    if has_terminal() or asked.source == "-":
        return PromptChannel()
    return OnceChannel(lambda: sys.stdin.buffer.readline(LONGEST))
