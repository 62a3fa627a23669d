"""Key, certificate and CRL files: --pem-keys and --der-keys say what they are, and what they are not is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.failure import Failure

__all__ = ["key_uri", "refuse_other_format"]

HEAD = 1 << 16
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SEQUENCE, _LONG = 0x30, 0x80


def key_uri(key: str) -> str:
    """A key as `dsig.open_key` takes it: the path of a file; or a URI of another scheme, such as one of PKCS#11."""
    if _SCHEME.match(key) and not os.path.exists(key):  # noqa: PTH110 - has no errors of its own
        return key
    return "file:" + re.sub(r"^/{2,}", "/", key)


def refuse_other_format(path: str, what: str, *, der: bool) -> None:
    """Raise `Failure` for a file that cannot be read, or is plainly in the other of the two formats."""
    if what == "private key" and not key_uri(path).startswith("file:"):
        return
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be read"
        raise _unreadable(path, what, reason) from None
    if not der and b"-----BEGIN " not in head:
        raise _unreadable(path, what, "it is not PEM; -der is the option for DER files")
    if der and head[:1] != bytes([_SEQUENCE]):
        raise _unreadable(path, what, "it is not DER; -pem is the option for PEM files")
    if der and what == "private key" and _inner(head) == _SEQUENCE:
        raise _unreadable(path, what, "encrypted keys are read as PEM only")


def _inner(der: bytes) -> int:
    """First octet inside a SEQUENCE: of an encrypted PKCS#8 key another SEQUENCE (RFC 5958 3), else a version."""
    at = 2 + (der[1] & ~_LONG if der[1] & _LONG else 0) if len(der) > 1 else 0
    return der[at] if at < len(der) else 0


def _unreadable(path: str, what: str, reason: str) -> Failure:
    return Failure(ExitCode.INPUT, f"file cannot be read: while loading {what} file '{path}': {reason}", fatal=True)
