"""Trust files: certificates and CRLs as PEM or DER, bundled or in directories. What does not load is an error."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dsig.errors import UsageError, Where

__all__ = ["TrustMaterial", "load_trust"]

MAX_FILE = 16 << 20
_PEM = re.compile(rb"-----BEGIN (X509 CERTIFICATE|CERTIFICATE|X509 CRL)-----(.*?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TrustMaterial:
    """What the user trusts and offers, DER."""

    anchors: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    """OCSP responses."""
    partial_chain: bool = False
    """Whether an anchor that is not self-issued ends a path; otherwise it is an intermediate like any other."""


def load_trust(
    roots: Iterable[str | os.PathLike[str]] = (),
    intermediates: Iterable[str | os.PathLike[str]] = (),
    crls: Iterable[str | os.PathLike[str]] = (),
) -> TrustMaterial:
    """Load trusted roots (files or directories), untrusted intermediates and CRLs.

    Raises `UsageError` for anything that cannot be read: dropping it silently would weaken or break the verdict.
    """
    anchors: list[bytes] = []
    revocations: list[bytes] = []
    for path in _files(roots):
        for kind, der in _read(path, b"CERTIFICATE"):
            (revocations if kind == b"X509 CRL" else anchors).append(der)
    helpers = [
        der for path in _files(intermediates) for kind, der in _read(path, b"CERTIFICATE") if kind != b"X509 CRL"
    ]
    revocations += [der for path in _files(crls) for _, der in _read(path, b"X509 CRL")]
    return TrustMaterial(_distinct(anchors), _distinct(helpers), _distinct(revocations))


def _distinct(ders: list[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(ders))


def _files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    for given in paths:
        path = Path(given)
        if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir it has no errors of its own
            try:
                inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
            except OSError as error:
                raise _unusable(path, error.strerror or "cannot be read") from None
            if not inside:
                raise _unusable(path, "the directory has no files")
            yield from inside
        else:
            yield path


def _read(path: Path, wanted: bytes) -> list[tuple[bytes, bytes]]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise _unusable(path, getattr(error, "strerror", None) or "cannot be read") from None
    if len(data) > MAX_FILE:
        raise _unusable(path, f"is larger than {MAX_FILE} bytes")
    if data[:1] == b"\x30":
        return [(wanted, data)]
    found: list[tuple[bytes, bytes]] = []
    for kind, body in _PEM.findall(data):
        try:
            der = base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _unusable(path, "has damaged PEM") from None
        found.append((kind, der))
    if not found:
        raise _unusable(path, "holds neither certificates nor CRLs in PEM or DER")
    return found


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"trust file: {reason}",
        code="trust-file",
        where=Where(str(path)),
        hint="a trust file that cannot be used is never ignored",
    )
