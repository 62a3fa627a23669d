"""Passphrases and PINs: each kind comes from one configured channel, and nothing else ever sees the value."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dsig.errors import KeySourceError, Where
from dsig.printable import printable

__all__ = [
    "Channel",
    "Channels",
    "OnceChannel",
    "PromptChannel",
    "from_descriptor",
    "from_environment",
    "from_file",
    "has_terminal",
]

LONGEST = 1 << 16
"""Bytes of a secret; whoever names a disk image by mistake shall be told and not waited for."""
PROMPTS = {"passphrase": 3, "pin": 1}
"""How often a prompt asks: a token locks itself after a few wrong PINs."""


class Channel(Protocol):
    """Where secrets of one kind come from."""

    def get(self, kind: str, what: str, asked: int) -> str | None:
        """The secret for `what`; `asked` counts the answers given before, all of them wrong.

        Raises `KeySourceError` if the channel itself is unusable.
        """


class Channels:
    """One channel for each kind of secret; `dsig.hookspecs.Secrets`."""

    def __init__(self, *, passphrase: Channel | None = None, pin: Channel | None = None) -> None:
        self._channels = {"passphrase": passphrase or PromptChannel(), "pin": pin or PromptChannel()}
        self._asked: dict[tuple[str, str], int] = {}

    def get(self, kind: str, what: str) -> str | None:
        """Give the secret for `what`, or None if there is none or another try makes no sense."""
        channel = self._channels.get(kind)
        if channel is None:
            return None
        asked = self._asked.get((kind, what), 0)
        self._asked[kind, what] = asked + 1
        return channel.get(kind, what, asked)


class OnceChannel:
    """A channel whose answer does not get better by asking again."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._value: str | None = None

    def get(self, kind: str, what: str, asked: int) -> str | None:  # noqa: ARG002
        """The same answer for every `what`, once for each."""
        if asked:
            return None
        if self._value is None:
            self._value = _text(self._read())
        return self._value


def from_file(path: str | os.PathLike[str]) -> Channel:
    """The content of a file, without the line end it may have."""
    return OnceChannel(lambda: _file(path))


def from_descriptor(descriptor: int) -> Channel:
    """What an open file descriptor gives until its end, without a line end."""
    return OnceChannel(lambda: _descriptor(descriptor))


def from_environment(name: str) -> Channel:
    """The value of an environment variable."""
    return OnceChannel(lambda: _variable(name))


class PromptChannel:
    """Asks on the terminal without echo; has nothing to give where there is no terminal."""

    def get(self, kind: str, what: str, asked: int) -> str | None:
        """What the user types; None at the end of the input."""
        if asked >= PROMPTS.get(kind, 1) or not has_terminal():
            return None
        import getpass
        import warnings

        name = "PIN" if kind == "pin" else kind.capitalize()
        again = "Wrong, try again. " if asked else ""
        with warnings.catch_warnings():
            # without a way to turn the echo off the module would only warn and go on
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(f"{again}{name} for {printable(what)}: ")
            except (EOFError, getpass.GetPassWarning):
                return None


def has_terminal() -> bool:
    """Whether there is somebody to ask."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _file(path: str | os.PathLike[str]) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise _unusable(f"cannot read the secret: {error.strerror}", "name a readable file", os.fspath(path)) from None


def _descriptor(descriptor: int) -> bytes:
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise _unusable(
            f"cannot read file descriptor {descriptor}: {error.strerror}",
            f"open it for reading, as in: dsig ... {descriptor}<secret-file",
        ) from None


def _variable(name: str) -> bytes:
    value = os.environb.get(os.fsencode(name))
    if value is None:
        raise _unusable(f"the environment variable {name} is not set", "set it, or give the secret in another way")
    return value


def _text(value: bytes) -> str:
    if len(value) > LONGEST:
        raise _unusable(f"the secret is longer than {LONGEST} bytes", "is it the right file?")
    if value.endswith(b"\n"):
        value = value[:-2] if value.endswith(b"\r\n") else value[:-1]
    # what is not UTF-8 reaches the key source as the bytes it is
    return value.decode("utf-8", "surrogateescape")


def _unusable(reason: str, hint: str, file: str | None = None) -> KeySourceError:
    return KeySourceError(reason, code="secret-unavailable", where=Where(file), hint=hint)
