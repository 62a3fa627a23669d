"""Trust files: certificates, CRLs and OCSP responses, PEM or DER, bundled or in directories. What fails is an error."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dsig.arguments import as_annotated, paths_of
from dsig.der import kind_of
from dsig.errors import UsageError, Where

__all__ = ["TrustMaterial", "load_trust"]

MAX_FILE = 16 << 20
_PEM = re.compile(
    rb"-----BEGIN (X509 CERTIFICATE|CERTIFICATE|X509 CRL|OCSP RESPONSE)-----([^-]*)-----END \1-----", re.DOTALL
)
_BEGIN = re.compile(rb"-----BEGIN (?!(?:[A-Z0-9]+ )*(?:PRIVATE KEY|PARAMETERS)-----)")
"""Where something begins that has to be understood: what belongs to a key beside its certificate is none of it."""
_LIST = re.compile(rb"-----BEGIN (?:X509 CRL|OCSP RESPONSE)-----")
_HASHED = re.compile(r"[0-9a-f]{8}\.r?[0-9]+")
"""Names in OpenSSL's hashed directories."""
_KINDS = {"certificate": "certificate", "crl": "CRL", "ocsp": "OCSP response"}


@dataclass(frozen=True, slots=True)
class TrustMaterial:
    """What the user trusts and offers, DER."""

    anchors: tuple[bytes, ...] = field(default=(), repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    ocsps: tuple[bytes, ...] = field(default=(), repr=False)
    """OCSP responses."""
    partial_chain: bool = False
    """Whether an anchor that is not self-issued ends a path; otherwise it is an intermediate like any other."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)


def load_trust(
    roots: Iterable[str | os.PathLike[str]] = (),
    intermediates: Iterable[str | os.PathLike[str]] = (),
    crls: Iterable[str | os.PathLike[str]] = (),
    ocsps: Iterable[str | os.PathLike[str]] = (),
    *,
    partial_chain: bool = False,
) -> TrustMaterial:
    """Load trusted roots, untrusted intermediates, CRLs and OCSP responses.

    Each path is a file, PEM (one or many) or DER, or a directory of such files. In OpenSSL's hashed directories
    certificates count under their hashed names only, and files of another kind may be there. CRLs among certificates
    are used, certificates among CRLs are not. Raises `UsageError` for anything that cannot be read, and for a path
    without any of what it was given for: dropping it silently would weaken or break the verdict.
    """
    if any(isinstance(paths, (str, os.PathLike)) for paths in (roots, intermediates, crls, ocsps)):
        raise UsageError("one path is given where several may be", hint="write a list, as load_trust(['ca.pem'])")
    trusted = _load(paths_of(roots, "load_trust"), "certificate")
    helpers = _load(paths_of(intermediates, "load_trust"), "certificate")
    lists = _load(paths_of(crls, "load_trust"), "crl")
    return TrustMaterial(
        _distinct(trusted["certificate"]),
        _distinct(helpers["certificate"]),
        _distinct([*trusted["crl"], *helpers["crl"], *lists["crl"]]),
        _distinct(_load(paths_of(ocsps, "load_trust"), "ocsp")["ocsp"]),
        partial_chain,
    )


def _load(paths: Iterable[str | os.PathLike[str]], wanted: str) -> dict[str, list[bytes]]:
    """Everything under the paths by kind; each of them must have something of the kind wanted."""
    found: dict[str, list[bytes]] = {"certificate": [], "crl": [], "ocsp": []}
    for given in paths:
        before = len(found[wanted])
        files = list(_files(Path(given)))
        hashed = any(_HASHED.fullmatch(path.name) for path in files)
        for path in files:
            for kind, der in _read(path, lists_only=hashed and not _HASHED.fullmatch(path.name)):
                found[kind].append(der)
        if len(found[wanted]) == before:
            raise _unusable(Path(given), f"holds no {_KINDS[wanted]}")
    return found


def _distinct(ders: list[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(ders))


def _files(path: Path) -> Iterator[Path]:
    if not os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir it has no errors of its own
        yield path
        return
    try:
        inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from None
    if not inside:
        raise _unusable(path, "is a directory without files")
    yield from inside


def _read(path: Path, *, lists_only: bool) -> Iterator[tuple[str, bytes]]:
    """What a file holds, each with its kind; `lists_only` leaves out certificates, and files without CRL or OCSP."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise _unusable(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_FILE:
        raise _unusable(path, f"is larger than {MAX_FILE} bytes")
    if lists_only and data[:1] != b"\x30" and not _LIST.search(data):
        return
    for kind, der in _objects(path, data):
        if not lists_only or kind != "certificate":
            yield kind, der


def _objects(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    if data[:1] == b"\x30":
        yield _kind(path, data), data
        return
    blocks = _PEM.findall(data)
    if not blocks:
        raise _unusable(path, "holds neither certificates nor CRLs nor OCSP responses in PEM or DER")
    if len(blocks) != len(_BEGIN.findall(data)):
        raise _unusable(path, "has damaged PEM, or PEM of another kind between the others")
    for _label, body in blocks:
        try:
            der = base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _unusable(path, "has damaged PEM") from None
        yield _kind(path, der), der


def _kind(path: Path, der: bytes) -> str:
    try:
        return kind_of(der)
    except ValueError as error:
        raise _unusable(path, f"cannot be read: {error}") from None


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"the trust file {reason}",
        code="trust-file",
        where=Where(str(path)),
        hint="name certificates, CRLs or OCSP responses in PEM or DER, or a directory of them",
    )
