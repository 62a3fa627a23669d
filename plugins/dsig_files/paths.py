"""From what the user wrote to the bytes of a file."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from dsig.errors import KeySourceError, Where

__all__ = ["MAX_BYTES", "path_of", "read"]

MAX_BYTES = 1 << 20
"""Largest key or certificate file read; an RSA 16384 key with a long chain takes a fiftieth of it."""


def path_of(uri: str) -> str:
    """The path in `file:PATH`, `file:///PATH` (RFC 8089, percent-encoded) or a bare path.

    Raises `KeySourceError` for a file on another host.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme.lower() != "file":
        return uri
    if not rest.startswith("//"):
        return rest
    host, slash, path = rest[2:].partition("/")
    if host.lower() not in ("", "localhost"):
        raise KeySourceError(
            f"{uri!r} names a file on the host {host!r}",
            code="key-uri",
            hint="write file:PATH, or file:///PATH with three slashes for an absolute path",
        )
    return os.fsdecode(unquote_to_bytes(os.fsencode(slash + path)))


def read(path: str, what: str) -> bytes:
    """All bytes of a small file, called `what` in errors. Raises `KeySourceError`."""
    where = Where(file=path)
    if not path:
        raise KeySourceError(f"the {what} has an empty name", code="file-not-found", hint="give its path")
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise KeySourceError(
            f"the {what} does not exist", code="file-not-found", where=where, hint="check the path"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "impossible file name"
        raise KeySourceError(
            f"the {what} cannot be read: {reason}",
            code="file-unreadable",
            where=where,
            hint="it must be a file that you may read",
        ) from None
    if len(content) > MAX_BYTES:
        raise KeySourceError(
            f"the {what} is larger than {MAX_BYTES} bytes",
            code="file-too-large",
            where=where,
            hint="give a file that holds nothing but keys and certificates",
        )
    return content
