"""What the core does with what plugins do: blames them by name, takes no answer of the wrong kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dsig.errors import DsigError, PluginError
from dsig.hookspecs import MacAlgorithmSpec
from dsig.model import PluginUse

__all__ = ["GuardedMac", "answered", "answered_all", "blaming", "breach"]

T = TypeVar("T")


@contextmanager
def blaming(
    origin: PluginUse, doing: str, *, secret: bool = False, allow: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Turn what a plugin raises, this package's own errors excepted, into a `PluginError` that names it.

    Only the type of the exception is told: its text may hold what no log may see. With `secret` it is not even kept as
    the cause. `allow` is what the contract lets a provider raise.
    """
    try:
        yield
    except DsigError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, allow):
            raise
        raise PluginError(
            f"plugin {origin.name} of {origin.distribution} failed while {doing}: {type(error).__name__}",
            code="plugin-failed",
            hint=f"ask the authors of {origin.distribution}",
        ) from (None if secret else error)


def breach(origin: PluginUse, what: str) -> PluginError:
    """The error for a plugin that does not keep the contract; `what` says how."""
    return PluginError(what, code="plugin-contract", hint=f"ask the authors of {origin.distribution}")


def answered(value: object, expected: type[T], origin: PluginUse, doing: str) -> T:
    """An answer of the kind the contract promises. Raises `PluginError` for any other."""
    if not isinstance(value, expected):
        raise breach(
            origin,
            f"plugin {origin.name} of {origin.distribution} gave {type(value).__name__} instead of"
            f" {expected.__name__} when {doing}",
        )
    return value


def answered_all(values: Iterable[object], expected: type[T], origin: PluginUse, doing: str) -> list[T]:
    """A collection of such answers."""
    return [answered(value, expected, origin, doing) for value in values]


class GuardedMac:
    """A running MAC of a plugin, as `dsig.hookspecs.Mac`, whose faults are the plugin's. Raises `PluginError`."""

    def __init__(self, make: Callable[[], object], spec: MacAlgorithmSpec, origin: PluginUse) -> None:
        self._spec = spec
        self._origin = origin
        with blaming(origin, f"beginning a MAC with {spec.name}"):
            made = make()
        update, digest = getattr(made, "update", None), getattr(made, "digest", None)
        if not callable(update) or not callable(digest):
            raise breach(
                origin,
                f"MAC algorithm {spec.name} of {origin.distribution} gave {type(made).__name__}, which is no MAC",
            )
        self._update: Callable[[bytes | bytearray | memoryview], object] = update
        self._digest: Callable[[], object] = digest

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes."""
        with blaming(self._origin, f"computing a MAC with {self._spec.name}"):
            self._update(data)

    def digest(self) -> bytes:
        """The result, of the length the spec says."""
        doing = f"computing a MAC with {self._spec.name}"
        with blaming(self._origin, doing):
            value = self._digest()
        digest = answered(value, bytes, self._origin, doing)
        if len(digest) != self._spec.digest_size:
            raise breach(
                self._origin,
                f"MAC algorithm {self._spec.name} of {self._origin.distribution} gave {len(digest)} bytes instead of"
                f" {self._spec.digest_size}",
            )
        return digest
