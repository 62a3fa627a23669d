"""Work that cannot go on, in the tool's terms: an exit code and lines for the log."""

from __future__ import annotations

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.request import Operation, Request
from dsig.errors import DsigError, InputError, KeySourceError, OutputError, PluginError, UsageError

__all__ = ["Failure", "described", "failed"]

_NOT_SIGNED = frozenset(
    ("key-mismatch", "key-type", "key-too-small", "signature-not-verified", "mac-oid", "digest-size")
)
"""Codes of key sources that say why no signature was made; the others say that a key could not be read."""
_DISORDER = frozenset(
    (
        "duplicate-tag",
        "tags-not-ascending",
        "reserved-bytes",
        "fragment-ambiguity",
        "meta-group-length",
        "not-a-sequence",
    )
)
"""Codes of inputs that can be read but must not be signed."""


class Failure(Exception):  # noqa: N818 - not every one is an error of ours
    """Ends the run with `code` and these lines; the last one is fatal if `fatal` says so."""

    def __init__(self, code: ExitCode, *lines: str, fatal: bool = False) -> None:
        super().__init__(*lines)
        self.code = code
        self.lines = lines
        self.fatal = fatal


def described(error: DsigError, *, but: str = "") -> str:
    """What went wrong, where and what to do; `but` is a file that the caller names anyway.

    Advice to use options is left out: it is about those of `dsig`.
    """
    where = str(error.where)
    if but and error.where.file == but:
        where = where.removeprefix(but).lstrip(", ")
    hint = f" ({error.hint})" if error.hint and "--" not in error.hint else ""
    return error.message + (f" [{where}]" if where else "") + hint


def failed(error: DsigError, request: Request) -> Failure:
    """An error of a verb as the exit code and the words of the tool."""
    text = described(error, but=request.source)
    if isinstance(error, PluginError):
        return Failure(ExitCode.NO_CRYPTO, text, fatal=True)
    if isinstance(error, OutputError):
        if request.dump is not None and error.where.file == request.dump:
            return Failure(ExitCode.DUMP_FILE, f"unable to create dump file '{request.dump}': {text}", fatal=True)
        return Failure(ExitCode.OUTPUT, f"{text}: writing file: {request.target}", fatal=True)
    if isinstance(error, KeySourceError) and error.code not in _NOT_SIGNED:
        return Failure(ExitCode.INPUT, f"{text}: while loading private key and certificate", fatal=True)
    if isinstance(error, InputError) and not _unsignable(error):
        return Failure(ExitCode.INPUT, f"{text}: reading file: {request.source}", fatal=True)
    if error.code == "trust-file":
        return Failure(ExitCode.INPUT, text, fatal=True)
    if error.code == "transfer-syntax-impossible" and not (request.operation == Operation.SIGN and error.where.path):
        return Failure(ExitCode.OUTPUT, text, fatal=True)
    if error.code == "no-such-signature":
        return Failure(ExitCode.NO_SUCH_SIGNATURE, f"signature with UID '{request.uid}' not found.")
    if request.operation in (Operation.SIGN, Operation.SIGN_ITEM):
        place = "main dataset" if request.operation == Operation.SIGN else f"item '{request.location}'"
        return Failure(ExitCode.SIGNING, f"{text} while creating signature in {place}")
    if request.operation in (Operation.REMOVE, Operation.REMOVE_ALL):
        return Failure(ExitCode.REMOVAL, f"{text}: while removing signature")
    return Failure(ExitCode.COMMAND_LINE if isinstance(error, UsageError) else ExitCode.INPUT, text, fatal=True)


def _unsignable(error: InputError) -> bool:
    """The file was read, and signing it was refused."""
    return error.code in _DISORDER or (error.code == "transfer-syntax-mismatch" and error.where.path is not None)
