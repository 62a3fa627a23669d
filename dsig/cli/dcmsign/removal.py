"""--remove and --remove-all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.places import places
from dsig.cli.dcmsign.request import Operation, Request
from dsig.cli.dcmsign.results import UNKNOWN, place
from dsig.verbs.remove import remove

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["removed"]


def removed(asked: Request, dictionary: Dictionary | None, log: Log) -> ExitCode:
    """Remove as asked and name what was removed. Raises `DsigError`."""
    everything = asked.operation == Operation.REMOVE_ALL
    log.info("removing all signatures." if everything else "removing signature from sequence item.")
    where = places(asked)
    done = remove(
        where.given,
        where.output,
        uid=None if everything else asked.uid,
        everything=everything,
        whole=True,
        in_place=where.in_place,
        input_kind=asked.input_kind,
        transfer_syntax=asked.transfer_syntax,
        lengths=asked.lengths,
        file_format=True,
        convert_un=asked.convert_un,
        dictionary=dictionary,
    )
    for number, (uid, location) in enumerate(done.signatures, start=1):
        name = f"UID={uid or UNKNOWN}"
        log.warn(f"Signature #{number} {name}" if everything else f"Signature {name}")
        log.warn(f"  Location                    : {place(location)}")
    if everything:
        log.info(f"{len(done.signatures)} signatures found and removed from dataset.")
    log.info(f"create output file {asked.target}")
    return ExitCode.OK
