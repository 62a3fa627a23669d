"""What the commands share: where the PIN comes from, and text that is safe to show."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dsig.errors import KeySourceError, Where
from dsig_pkcs11.uri import TokenUri, parse

__all__ = ["GivenSecrets", "passphrase_options", "pin_options", "quiet_prompt", "shown", "tell"]

LONGEST = 1 << 16
_DESCRIPTOR = click.IntRange(0, 2**31 - 1)


class GivenSecrets:
    """Answers with what the options name, or asks on the terminal; `dsig.hookspecs.Secrets`."""

    def __init__(self, file: str | None, descriptor: int | None, variable: str | None, *, insecure: bool) -> None:
        self._file, self._descriptor, self._variable = file, descriptor, variable
        self._insecure = insecure

    def parsed(self, uri: str) -> TokenUri:
        """The URI, in which there may be a PIN if the user insists. Raises `KeySourceError`."""
        return parse(uri, insecure_pin=self._insecure)

    @property
    def given(self) -> bool:
        """Whether an option says where the secret is."""
        return any(way is not None for way in (self._file, self._descriptor, self._variable))

    def get(self, kind: str, what: str) -> str | None:
        """The secret for `what`. Raises `KeySourceError` if it cannot be had where it was said to be."""
        if self._file is not None:
            return _text(self._read(self._file))
        if self._descriptor is not None:
            return _text(self._read(self._descriptor))
        if self._variable is not None:
            value = os.environb.get(os.fsencode(self._variable))
            if value is None:
                raise _unusable(f"the environment variable {self._variable} is not set", None)
            return _text(value)
        return quiet_prompt(f"{kind if kind != 'pin' else 'PIN'} for {shown(what)}")

    def _read(self, place: str | int) -> bytes:
        try:
            with open(place, "rb", closefd=isinstance(place, str)) as stream:
                return stream.read(LONGEST)
        except OSError as error:
            raise _unusable(f"cannot read the secret: {error.strerror}", str(place)) from None


def pin_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The ways to give a PIN, none of them its value; the function gets `secrets`. Default: ask."""

    @click.option("--pin-file", metavar="FILE", help="Read the token's PIN from this file.")
    @click.option("--pin-fd", type=_DESCRIPTOR, metavar="N", help="Read it from this file descriptor.")
    @click.option("--pin-env", metavar="NAME", help="Take it from this environment variable.")
    @click.option("--insecure-pin", is_flag=True, help="Take a PIN that is in the URI, for everybody to see.")
    @functools.wraps(function)
    def wrapper(
        *args: Any, pin_file: str | None, pin_fd: int | None, pin_env: str | None, insecure_pin: bool, **kwargs: Any
    ) -> Any:
        if insecure_pin:
            click.echo("dsig: warning: --insecure-pin: everybody on this machine can read a PIN in the URI", err=True)
        if sum(way is not None for way in (pin_file, pin_fd, pin_env)) > 1:
            raise click.UsageError("give the PIN in one way only", click.get_current_context())
        return function(*args, secrets=GivenSecrets(pin_file, pin_fd, pin_env, insecure=insecure_pin), **kwargs)

    return wrapper


def passphrase_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The ways to give the passphrase of a key file; the function gets `passphrase`. Default: ask."""

    @click.option("--passphrase-file", metavar="FILE", help="Read the key file's passphrase from this file.")
    @click.option("--passphrase-fd", type=_DESCRIPTOR, metavar="N", help="Read it from this file descriptor.")
    @click.option("--passphrase-env", metavar="NAME", help="Take it from this environment variable.")
    @functools.wraps(function)
    def wrapper(
        *args: Any, passphrase_file: str | None, passphrase_fd: int | None, passphrase_env: str | None, **kwargs: Any
    ) -> Any:
        ways = (passphrase_file, passphrase_fd, passphrase_env)
        if sum(way is not None for way in ways) > 1:
            raise click.UsageError("give the passphrase in one way only", click.get_current_context())
        return function(*args, passphrase=GivenSecrets(*ways, insecure=False), **kwargs)

    return wrapper


def quiet_prompt(question: str) -> str | None:
    """Ask on the terminal without echo; None where there is no terminal."""
    import getpass
    import warnings

    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return None
    with warnings.catch_warnings(), contextlib.suppress(EOFError, getpass.GetPassWarning):
        warnings.simplefilter("error", getpass.GetPassWarning)  # else it would go on with the echo
        return getpass.getpass(f"{question}: ")
    return None


def shown(text: str) -> str:
    """Text of a token, harmless for terminals."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def tell(label: str, text: str, *, indent: int = 2) -> None:
    """A line of a result."""
    click.echo(f"{' ' * indent}{label:<12}{shown(text)}".rstrip())


def read_small(path: str, what: str) -> bytes:
    """All of a small file, called `what` in errors. Raises `KeySourceError`."""
    try:
        with Path(path).open("rb") as stream:
            return stream.read(1 << 20)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "impossible file name"
        raise KeySourceError(
            f"the {what} cannot be read: {reason}", code="file-unreadable", where=Where(file=path)
        ) from None


def _text(value: bytes) -> str:
    if value.endswith(b"\n"):
        value = value[:-1].removesuffix(b"\r")
    return value.decode("utf-8", "surrogateescape")


def _unusable(reason: str, file: str | None) -> KeySourceError:
    return KeySourceError(reason, code="secret-unavailable", where=Where(file), hint="give it in another way")
