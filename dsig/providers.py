"""Providers: what plugins registered, by kind and name. They are imported when they are selected, and checked then."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, Generic, TypeVar, cast

from dsig.distrust import breach, brief
from dsig.errors import DsigError, PluginError, UsageError
from dsig.hookspecs import API, KeySourceSpec, MacAlgorithmSpec, Spec, TimestampSourceSpec, TimestampVerifierSpec
from dsig.model import PluginUse

__all__ = ["Provider", "Providers", "preloaded", "refusal"]

S = TypeVar("S", bound=Spec)
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Provider(Generic[S]):
    """A registration and where it came from."""

    spec: S
    origin: PluginUse


class Providers(Generic[S, P]):
    """The providers of one kind, by name."""

    def __init__(
        self,
        kind: str,
        methods: tuple[str, ...],
        *,
        instantiate: bool = True,
        plural: str = "",
        experiments: bool = False,
    ) -> None:
        self.kind = kind
        self.plural = plural or f"{kind}s"
        self.experiments = experiments
        """Whether experimental ones may be selected."""
        self._methods = methods
        self._instantiate = instantiate
        self._by_name: dict[str, list[Provider[S]]] = {}
        self._loaded: dict[str, P] = {}

    def register(self, provider: Provider[S]) -> None:
        """Add a provider; a name claimed twice stays listed twice and cannot be selected."""
        self._by_name.setdefault(provider.spec.name, []).append(provider)

    def __iter__(self) -> Iterator[Provider[S]]:
        return (provider for name in sorted(self._by_name) for provider in self._by_name[name])

    def __contains__(self, name: str) -> bool:
        """Whether there is one, to be had or claimed twice."""
        found = self._by_name.get(name, [])
        return bool(found) and (self.experiments or not any(p.spec.experimental for p in found))

    @property
    def conflicts(self) -> dict[str, tuple[PluginUse, ...]]:
        """Names claimed by more than one plugin."""
        return {n: tuple(p.origin for p in ps) for n, ps in sorted(self._by_name.items()) if len(ps) > 1}

    def provider(self, name: str) -> Provider[S]:
        """The one registration of `name`.

        Raises `UsageError` for an unknown name, `PluginError` if several plugins claim it.
        """
        found = self._by_name.get(name, [])
        if not found:
            from difflib import get_close_matches

            close = get_close_matches(name, self._by_name, n=1, cutoff=0.5)
            known = f"known: {', '.join(sorted(self._by_name))}" if self._by_name else "no plugin provides any"
            hint = f"did you mean {close[0]}?" if close else known
            raise UsageError(f"no {self.kind} named {name!r}", code="unknown-name", hint=hint)
        if len(found) > 1:
            claims = " and ".join(f"{p.origin.distribution} ({p.origin.name})" for p in found)
            raise PluginError(
                f"{self.kind} {name!r} is claimed by {claims}",
                code="plugin-conflict",
                hint="uninstall one of them or allow only the other with --allow-plugin",
            )
        if found[0].spec.experimental and not self.experiments:
            raise UsageError(
                f"the {self.kind} {name!r} is experimental and not of the standard",
                code="plugin-experimental",
                hint="if you mean it, write experimental = true under [plugins] in the configuration",
            )
        return found[0]

    def spec(self, name: str) -> S:
        """The facts registered under `name`."""
        return self.provider(name).spec

    def get(self, name: str) -> P:
        """Import and return the provider called `name`. Raises `UsageError` or `PluginError`."""
        if name not in self._loaded:
            self._loaded[name] = self._load(self.provider(name))
        return self._loaded[name]

    def _load(self, provider: Provider[S]) -> P:
        spec, origin = provider.spec, provider.origin
        module, _, attribute = spec.factory.partition(":")
        try:
            made = getattr(importlib.import_module(module), attribute)
            if self._instantiate:
                made = made()
        except DsigError:
            raise
        except (Exception, SystemExit) as error:
            hint = f"install it with: {spec.requires}" if spec.requires else f"ask the authors of {origin.distribution}"
            raise PluginError(
                f"{self.kind} {spec.name!r} of {origin.distribution} does not load: {brief(error)}",
                code="plugin-unavailable",
                hint=hint,
            ) from error
        missing = [m for m in self._methods if not callable(getattr(made, m, None))]
        if missing or not (self._instantiate or callable(made)):
            lack = ", ".join(missing) or "a callable factory"
            raise breach(origin, f"{self.kind} {spec.name!r} of {origin.distribution} lacks {lack}")
        return cast("P", made)


def refusal(spec: object, expected: type[Spec]) -> str:
    """Why a registration is not taken, or an empty string."""
    if not isinstance(spec, expected):
        return f"gave {type(spec).__name__} instead of {expected.__name__}"
    facts: Any = spec  # annotations are promises of the plugin, not facts
    if facts.api != API:
        return f"{facts.name!r} was written for contract version {facts.api!r}, this is version {API}"
    if not isinstance(facts.name, str) or not facts.name or not facts.name.isprintable():
        return "a name must be printable text"
    if not isinstance(facts.factory, str) or facts.factory.count(":") != 1:
        return f"{spec.name!r}: factory must read module:attribute"
    if not isinstance(facts.summary, str) or not isinstance(facts.requires, str):
        return f"{spec.name!r}: summary and requires must be text"
    if not isinstance(facts.experimental, bool):
        return f"{spec.name!r}: experimental must be True or False"
    if isinstance(spec, KeySourceSpec | TimestampSourceSpec) and not (
        isinstance(facts.schemes, tuple) and all(isinstance(s, str) and s and s == s.lower() for s in facts.schemes)
    ):
        return f"{spec.name!r}: schemes must be a tuple of lower-case texts"
    if isinstance(spec, KeySourceSpec) and facts.workers not in ("processes", "threads"):
        return f"{spec.name!r}: workers must be processes or threads"
    if isinstance(spec, TimestampVerifierSpec) and not (
        isinstance(facts.types, tuple) and all(isinstance(t, str) and t for t in facts.types)
    ):
        return f"{spec.name!r}: types must be a tuple of texts"
    if isinstance(spec, MacAlgorithmSpec) and not (isinstance(facts.oid, str) and facts.oid):
        return f"{spec.name!r}: oid must be text"
    if isinstance(spec, MacAlgorithmSpec) and not (type(facts.digest_size) is int and facts.digest_size > 0):
        return f"{spec.name!r}: digest_size must be a number of bytes"
    return ""


@contextmanager
def preloaded(*gets: Callable[[], object]) -> Iterator[None]:
    """Import providers beside the work of the block. What goes wrong with one comes up when it is asked for."""

    def work() -> None:
        for get in gets:
            with suppress(DsigError):
                get()

    thread = Thread(target=work, name="dsig-preload", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
