"""Asking for a passphrase: only when the key turns out to be encrypted, and without leaving traces of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dsig.errors import KeySourceError, Where
from dsig.hookspecs import Secrets

__all__ = ["ATTEMPTS", "Locked", "unlock"]

ATTEMPTS = 3
"""How often a passphrase is asked for; `Secrets` gives None as soon as asking again makes no sense."""

T = TypeVar("T")


class Locked(Exception):  # noqa: N818 - an answer of a loader, not an error
    """The content is encrypted, and the passphrase given (or none) does not open it."""


def unlock(load: Callable[[bytes | None], T], secrets: Secrets, file: str) -> T:
    """Call `load` without a passphrase and, while it says `Locked`, with those `secrets` has for `file`.

    Raises `KeySourceError`: `passphrase-needed`, `wrong-passphrase`, or what `load` raises.
    """
    try:
        return load(None)
    except Locked:
        pass
    code, message = "passphrase-needed", "the key is encrypted and no passphrase was given"
    for _ in range(ATTEMPTS):
        passphrase = secrets.get("passphrase", file)
        if passphrase is None:
            break
        code, message = "wrong-passphrase", "the passphrase does not open the key"
        try:
            # surrogateescape gives back the bytes of a passphrase file that is not UTF-8
            return load(passphrase.encode("utf-8", "surrogateescape"))
        except (Locked, UnicodeEncodeError):
            continue
        finally:
            del passphrase  # so that no traceback with local variables can show it
    raise KeySourceError(
        message,
        code=code,
        where=Where(file=file),
        hint=f"{'check it' if code == 'wrong-passphrase' else 'give it'}: with --passphrase-file, or at the prompt",
    )
