"""A PIN on its way from the user to the token: nothing else sees the value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote_to_bytes

from dsig.errors import KeySourceError, Where
from dsig.hookspecs import Secrets

__all__ = ["Pin", "ask", "from_source"]

LONGEST = 1024
"""Bytes of a PIN file; no token takes a longer PIN."""


class Pin:
    """A PIN that does not show itself, in `repr`, in tracebacks with local variables, or to `pickle`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The PIN, for the call that takes it."""
        return self._value

    def usable(self) -> bool:
        """Whether it may be sent at all: what is empty, no text, or more than a line would only be counted as wrong."""
        return bool(self._value) and not set("\0\r\n\ufeff") & set(self._value) and not _has_surrogates(self._value)

    def __repr__(self) -> str:
        return "Pin(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN is not pickled")


def ask(secrets: Secrets, source: str | None, value: Pin | None, what: str) -> Pin:
    """The PIN from `pin-source` or `pin-value` of the URI, else from `secrets` for `what`. Asked for once.

    Raises `KeySourceError` if there is none, or none that can be sent.
    """
    pin = value or (from_source(source) if source is not None else _from_secrets(secrets, what))
    if pin is None:
        raise KeySourceError(
            f"a PIN is needed for {what}, and none was given",
            code="pin-needed",
            hint="give it with --pin-file, --pin-fd or --pin-env, or at the prompt on a terminal",
        )
    if not pin.usable():
        raise KeySourceError(
            f"the PIN given for {what} is empty, not UTF-8 text, more than one line, or begins with a byte order mark;"
            " it was not sent to the token",
            code="pin-unusable",
            hint="is it the right file or variable?",
        )
    return pin


def from_source(source: str) -> Pin:
    """The content of the file that `pin-source` names (RFC 7512 2.4), without a line end. Raises `KeySourceError`."""
    if source.startswith("|"):
        raise _bad("commands are not run", None)
    if source.lower().startswith("file:"):
        path = os.fsdecode(unquote_to_bytes(source[5:]))
        if path.startswith("//"):
            host, slash, rest = path[2:].partition("/")
            if host.lower() not in ("", "localhost"):
                raise _bad("the file is on another host", None)
            path = slash + rest
    elif Path(source).is_absolute():
        path = source
    else:
        raise _bad("it is neither file:PATH nor an absolute path", None)
    return Pin(_first_line(path))


def _first_line(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return _without_line_end(file.read(LONGEST + 1)).decode("utf-8", "surrogateescape")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "impossible file name"
        raise _bad(reason, path) from None


def _without_line_end(content: bytes) -> bytes:
    if len(content) > LONGEST:
        return b""  # whatever it is, it is no PIN
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def _from_secrets(secrets: Secrets, what: str) -> Pin | None:
    answer = secrets.get("pin", what)
    try:
        return None if answer is None else Pin(answer)
    finally:
        del answer  # so that no traceback with local variables can show it


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _bad(reason: str, file: str | None) -> KeySourceError:
    return KeySourceError(
        f"pin-source of the URI cannot be used: {reason}",
        code="pin-source",
        where=Where(file=file),
        hint="write pin-source=file:/absolute/path, or use --pin-file",
    )
