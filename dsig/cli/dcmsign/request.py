"""What a command line asks for, with dcmsign's defaults and its rules about which option goes with which."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dsig.cli.dcmsign.options import BARE, MAIN_ONLY, OPTIONS, SIGNING, STAMPING, VERIFYING, Option
from dsig.cli.dcmsign.words import CommandLineError, Given, Words

__all__ = ["LEVELS", "Logging", "Operation", "Request", "StampQuery", "check_parameters", "logging_wanted", "request"]

LEVELS = ("fatal", "error", "warn", "info", "debug", "trace")
MACS = {
    "--mac-ripemd160": "RIPEMD160",
    "--mac-sha1": "SHA1",
    "--mac-md5": "MD5",
    "--mac-sha256": "SHA256",
    "--mac-sha384": "SHA384",
    "--mac-sha512": "SHA512",
}
PROFILES = {
    "--profile-none": "none",
    "--profile-base": "base",
    "--profile-creator": "creator",
    "--profile-auth": "authorization",
    "--profile-sr": "sr",
    "--profile-srv": "sr-verification",
}
REQUIRED = {
    "--verify-if-present": "",
    "--require-sig": "any",
    "--require-creator": "creator",
    "--require-auth": "authorization",
    "--require-sr": "sr",
}
BARE_KINDS = {
    "--read-xfer-auto": "dataset",
    "--read-xfer-detect": "dataset",
    "--read-xfer-little": "dataset-le",
    "--read-xfer-big": "dataset-be",
    "--read-xfer-implicit": "dataset-implicit",
}
SYNTAXES = {
    "--write-xfer-same": None,
    "--write-xfer-little": "explicit",
    "--write-xfer-big": "big",
    "--write-xfer-implicit": "implicit",
}
MOST_PURPOSES = 18


class Operation:
    """The commands, by their long option."""

    VERIFY = "--verify"
    SIGN = "--sign"
    SIGN_ITEM = "--sign-item"
    INSERT_TIMESTAMP = "--insert-timestamp"
    REMOVE = "--remove"
    REMOVE_ALL = "--remove-all"


@dataclass(frozen=True, slots=True)
class Logging:
    """How much is said, and where."""

    level: str = "warn"
    config: str | None = None
    """Path of a log4cplus configuration file."""


@dataclass(frozen=True, slots=True)
class StampQuery:
    """The files of --timestamp-file and what the query shall say."""

    query: str
    uid_file: str
    mac: str
    nonce: bool
    certificate: bool
    policy: str | None
    """Object identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command line, understood. Paths are as given; `-` is standard input or output."""

    operation: str = Operation.VERIFY
    """One of `Operation`."""
    source: str = ""
    target: str | None = None
    input_kind: str = "auto"
    convert_un: bool = False
    der: bool = False
    """Keys, certificates and CRLs are DER, not PEM."""
    old_format: bool = False
    # ------------------------------------------------------------------------------------------------ verification
    require: str = ""
    """Empty, `any`, or the profile one signature must meet."""
    timestamps: str = "--verify-ts"
    trusted: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    crls: tuple[str, ...] = ()
    check_crls: bool = False
    # ------------------------------------------------------------------------------------------------------ creation
    key: str = ""
    certificate: str = ""
    location: str = "/"
    password: str | None = field(default=None, repr=False)
    """None: ask on the terminal."""
    profile: str = "none"
    mac: str = "RIPEMD160"
    purpose: int | None = None
    tags: tuple[str, ...] = ()
    tag_file: str | None = None
    stamp_query: StampQuery | None = None
    dump: str | None = None
    # ------------------------------------------------------------------------------------- timestamps and removal
    query: str = ""
    response: str = ""
    uid_file: str = ""
    uid: str = ""
    # -------------------------------------------------------------------------------------------------------- output
    transfer_syntax: str | None = None
    """A name of `dsig.dicom.reencode`; None keeps the one of the input."""
    lengths: str = "explicit"


def logging_wanted(words: Words) -> Logging:
    """What is said of logging. Raises `CommandLineError`."""
    level, switch, config = (words.last(group) for group in ("log-level", "log", "log-config"))
    for option in (level, config):
        if option and switch:
            raise CommandLineError(f"{option.option.long} not allowed with --verbose, --debug or --quiet")
    if level and config:
        raise CommandLineError("--log-config not allowed with --log-level")
    if switch:
        return Logging({"--quiet": "fatal", "--verbose": "info", "--debug": "debug"}[switch.option.long])
    if level and level.values[0].lower() not in LEVELS:
        raise CommandLineError("Invalid log level for --log-level option")
    if config:
        import os

        if not os.path.isfile(config.values[0]):  # noqa: PTH113 - has no errors of its own
            raise CommandLineError("Specified --log-config file does not exist")
    return Logging(level.values[0].lower() if level else "warn", config.values[0] if config else None)


def check_parameters(words: Words) -> None:
    """Raise `CommandLineError` for too few or too many of them, whatever the operation."""
    if not words.parameters:
        raise CommandLineError("Missing parameter dcmfile-in")
    if len(words.parameters) > 2:
        raise CommandLineError("Too many parameters")


def request(words: Words) -> Request:
    """What is asked for. Raises `CommandLineError`."""
    check_parameters(words)
    asked: dict[str, object] = {"source": words.parameters[0]}
    command = words.last("command")
    operation = command.option.long if command else Operation.VERIFY
    asked["operation"] = operation
    if command:
        asked.update(zip(_COMMAND_VALUES.get(operation, ()), command.values, strict=True))
    # In the tool's order, which decides what is told of several faults.
    options = [(option, given) for option in OPTIONS for given in words.counting(option)]
    for option, _ in options:
        if option.needs == BARE:
            _check_condition(words, option, operation)
    asked["target"] = _target(words, operation)
    for option, given in options:
        _check_condition(words, option, operation)
        if option.group in _MAPPED:
            asked.update(_MAPPED[option.group](given))
    asked.update(
        input_kind=_input_kind(words),
        trusted=words.every("--add-cert-file"),
        untrusted=words.every("--add-ucert-file"),
        directories=words.every("--add-cert-dir"),
        crls=words.every("--add-crl-file"),
        check_crls=words.has("--add-crl-file") or words.has("--enable-crl-vfy"),
        tags=words.every("--tag"),
        stamp_query=_stamp_query(words),
    )
    return Request(**asked)  # type: ignore[arg-type]


_COMMAND_VALUES: Mapping[str, tuple[str, ...]] = {
    Operation.SIGN: ("key", "certificate"),
    Operation.SIGN_ITEM: ("key", "certificate", "location"),
    Operation.INSERT_TIMESTAMP: ("query", "response", "uid_file"),
    Operation.REMOVE: ("uid",),
}
"""Fields of `Request` that the values of a command are."""


def _choice(field_name: str, choices: Mapping[str, object]) -> Callable[[Given], dict[str, object]]:
    return lambda given: {field_name: choices[given.option.long]}


def _switch(field_name: str, on: str) -> Callable[[Given], dict[str, object]]:
    return lambda given: {field_name: given.option.long == on}


def _value(field_name: str) -> Callable[[Given], dict[str, object]]:
    return lambda given: {field_name: given.values[0]}


def _password(given: Given) -> dict[str, object]:
    values = {"--std-passwd": None, "--null-passwd": ""}
    return {"password": given.values[0] if given.values else values[given.option.long]}


def _purpose(given: Given) -> dict[str, object]:
    if not given.values:
        return {"purpose": None}
    number = re.match(r"\s*\+?([0-9]+)", given.values[0])
    if number is None:
        shown = f" ({given.values[0]})" if given.values[0] else ""
        raise CommandLineError(f"Invalid value for option --sig-purpose{shown}")
    code = int(number[1])
    if not 1 <= code <= MOST_PURPOSES:
        raise CommandLineError(
            f"Invalid value for option --sig-purpose ({'overflow' if code else 'underflow'}: {code})"
        )
    return {"purpose": code}


_MAPPED: Mapping[str, Callable[[Given], Mapping[str, object]]] = {
    "un": _switch("convert_un", "--convert-un"),
    "key-format": _switch("der", "--der-keys"),
    "format": _switch("old_format", "--format-old"),
    "require": _choice("require", REQUIRED),
    "timestamp-verification": lambda given: {"timestamps": given.option.long},
    "password": _password,
    "profile": _choice("profile", PROFILES),
    "mac": _choice("mac", MACS),
    "purpose": _purpose,
    "tag-file": _value("tag_file"),
    "dump": _value("dump"),
    "write-xfer": _choice("transfer_syntax", SYNTAXES),
    "lengths": lambda given: {"lengths": given.option.long.removeprefix("--length-")},
}
"""What the rightmost option of a group says about the request."""


def _long(words: Words, group: str) -> str:
    given = words.last(group)
    return given.option.long if given else ""


def _check_condition(words: Words, option: Option, operation: str) -> None:
    """An option that counts and that this operation has no use for is an error, named by its long form."""
    if not option.needs:
        return
    signing = operation in (Operation.SIGN, Operation.SIGN_ITEM)
    met, wanted = {
        VERIFYING: (operation == Operation.VERIFY, "--verify"),
        SIGNING: (signing, "--sign or --sign-item"),
        MAIN_ONLY: (operation == Operation.SIGN, "--sign"),
        STAMPING: (_long(words, "timestamp") == "--timestamp-file", "--timestamp-file"),
        BARE: (_long(words, "read") == "--read-dataset", "--read-dataset"),
    }[option.needs]
    if not met:
        raise CommandLineError(f"{option.long} only allowed with {wanted}")


def _input_kind(words: Words) -> str:
    """As `dsig.dicom.file.InputKind`."""
    kind = _long(words, "read")
    if kind == "--read-dataset":
        return BARE_KINDS[_long(words, "read-xfer") or "--read-xfer-auto"]
    if kind == "--read-file-only":
        return "file"
    return "detect" if _long(words, "read-xfer") == "--read-xfer-detect" else "auto"


def _stamp_query(words: Words) -> StampQuery | None:
    given = words.last("timestamp")
    if given is None or not given.values:
        return None
    macs = {
        "--ts-mac-sha256": "SHA256",
        "--ts-mac-sha384": "SHA384",
        "--ts-mac-sha512": "SHA512",
        "--ts-mac-ripemd160": "RIPEMD160",
        "--ts-mac-sha1": "SHA1",
        "--ts-mac-md5": "MD5",
    }
    policy = words.last("timestamp-policy")
    query, uid_file = given.values
    return StampQuery(
        query,
        uid_file,
        mac=macs[_long(words, "timestamp-mac") or "--ts-mac-sha256"],
        nonce=_long(words, "timestamp-nonce") != "--ts-no-nonce",
        certificate=_long(words, "timestamp-certificate") != "--ts-no-cert",
        policy=policy.values[0] if policy and policy.values else None,
    )


def _target(words: Words, operation: str) -> str | None:
    target = words.parameters[1] if len(words.parameters) > 1 else None
    if operation == Operation.VERIFY and target is not None:
        raise CommandLineError("parameter dcmfile-out not allowed for --verify")
    if operation != Operation.VERIFY and target is None:
        raise CommandLineError(f"parameter dcmfile-out required for {operation}")
    return target
