"""What the core does with what plugins do: blames them by name, takes no answer of the wrong kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from dsig.errors import DsigError, PluginError
from dsig.hookspecs import MacAlgorithmSpec
from dsig.model import PluginUse

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["GuardedMac", "answered", "answered_all", "blaming", "breach", "brief"]

T = TypeVar("T")


class blaming:  # noqa: N801 - reads like a function where it is used, as those of contextlib
    """Turn what a plugin raises, this package's own errors excepted, into a `PluginError` that names it.

    Only the type of the exception is told: its text may hold what no log may see. With `secret` it is not even kept as
    the cause. `allow` is what the contract lets a provider raise. May be entered any number of times.
    """

    __slots__ = ("_allow", "_doing", "_origin", "_secret")

    def __init__(
        self, origin: PluginUse, doing: str, *, secret: bool = False, allow: tuple[type[Exception], ...] = ()
    ) -> None:
        self._origin = origin
        self._doing = doing
        self._secret = secret
        self._allow: tuple[type[Exception], ...] = (DsigError, *allow)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, (Exception, SystemExit)) or isinstance(error, self._allow):
            return
        origin = self._origin
        raise PluginError(
            f"plugin {origin.name} of {origin.distribution} failed while {self._doing}: {type(error).__name__}",
            code="plugin-failed",
            hint=f"ask the authors of {origin.distribution}",
        ) from (None if self._secret else error)


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


def brief(error: BaseException) -> str:
    """One printable line about an exception from elsewhere."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return "".join(c if c.isprintable() else "?" for c in text)[:300]


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
        self._computing = blaming(origin, f"computing a MAC with {spec.name}")

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes."""
        with self._computing:
            self._update(data)

    def digest(self) -> bytes:
        """The result, of the length the spec says."""
        with self._computing:
            value = self._digest()
        digest = answered(value, bytes, self._origin, f"computing a MAC with {self._spec.name}")
        if len(digest) != self._spec.digest_size:
            raise breach(
                self._origin,
                f"MAC algorithm {self._spec.name} of {self._origin.distribution} gave {len(digest)} bytes instead of"
                f" {self._spec.digest_size}",
            )
        return digest
