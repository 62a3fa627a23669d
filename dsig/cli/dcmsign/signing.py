"""--sign and --sign-item."""

from __future__ import annotations

import io
import sys

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.keyfiles import key_uri, refuse_other_format
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.places import places
from dsig.cli.dcmsign.request import Operation, Request
from dsig.dicom.dictionaries import Dictionary, PrivateTag
from dsig.keys import open_key
from dsig.secrets import Channel, Channels, OnceChannel
from dsig.verbs.sign import SignOptions, sign

__all__ = ["signed"]

VERIFICATION_PURPOSE = 5


Tags = tuple[int | PrivateTag, ...]


def signed(asked: Request, tags: Tags | None, dictionary: Dictionary | None, log: Log) -> ExitCode:
    """Sign as asked; nothing is said of a success. Raises `DsigError` or `Failure`."""
    refuse_other_format(asked.certificate, "certificate", der=asked.der)
    refuse_other_format(asked.key, "private key", der=asked.der)
    options = _options(asked, tags, dictionary, log)
    where = places(asked)
    if asked.stamp_query is not None:
        from dsig.cli.dcmsign.timestamps import refuse_policy

        refuse_policy(asked.stamp_query)
    kept = io.BytesIO() if asked.stamp_query is not None and asked.target == "-" else None
    secrets = Channels(passphrase=_password(asked.password))
    log.info(f"create signature in {'main object' if asked.operation == Operation.SIGN else 'sequence item'}.")
    with open_key(key_uri(asked.key), certificate=asked.certificate, secrets=secrets) as key:
        done = sign(where.given, where.output if kept is None else kept, key=key, options=options)
    if asked.stamp_query is not None:
        from dsig.cli.dcmsign.timestamps import write_query

        write_query(str(asked.target) if kept is None else kept.getvalue(), done.uid, asked.stamp_query)
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


def _password(password: str | None) -> Channel | None:
    return None if password is None else OnceChannel(lambda: password.encode("utf-8", "surrogateescape"))
