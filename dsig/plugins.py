"""Plugins: found through entry points, isolated from each other, selected by name, named in every report.

One faulty plugin never takes the others down: whatever goes wrong while it is imported or asked becomes a `Fault`, and
is told when something it might have provided is missed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from threading import Thread
from typing import Any, Generic, TypeVar, cast

import pluggy

from dsig import distributions, hookspecs
from dsig.distrust import GuardedMac, answered, blaming, breach
from dsig.errors import DsigError, PluginError, UsageError
from dsig.hookspecs import (
    API,
    Command,
    CommandSpec,
    CryptoBackend,
    CryptoBackendSpec,
    Executor,
    ExecutorSpec,
    KeySource,
    KeySourceSpec,
    MacAlgorithm,
    MacAlgorithmSpec,
    MacBackend,
    MacBackendSpec,
    Observer,
    ObserverSpec,
    Profile,
    ProfileSpec,
    Reporter,
    ReporterSpec,
    Spec,
    Thumbnailer,
    ThumbnailerSpec,
    TimestampSource,
    TimestampSourceSpec,
    TimestampVerifier,
    TimestampVerifierSpec,
    TrustBackend,
    TrustBackendSpec,
)
from dsig.model import PluginUse

__all__ = ["Fault", "Installed", "Plugins", "Provider", "Providers", "default", "installed", "load", "recorded"]

GROUP = "dsig"
HOST = "host"
"""The MAC backend that is none: each algorithm as its plugin implements it."""
FIRST_PARTY = "dsig"
"""Distribution whose plugins `third_party=False` keeps."""

S = TypeVar("S", bound=Spec)
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Fault:
    """A plugin that could not be used, or a registration that was refused."""

    plugin: PluginUse
    message: str


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that is there; nothing of it is imported."""

    origin: PluginUse
    value: str
    """What its entry point names."""
    entry: Any
    """The entry point; see `dsig.distributions`."""


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
                f"{self.kind} {spec.name!r} of {origin.distribution} does not load: {_brief(error)}",
                code="plugin-unavailable",
                hint=hint,
            ) from error
        missing = [m for m in self._methods if not callable(getattr(made, m, None))]
        if missing or not (self._instantiate or callable(made)):
            lack = ", ".join(missing) or "a callable factory"
            raise breach(origin, f"{self.kind} {spec.name!r} of {origin.distribution} lacks {lack}")
        return cast("P", made)


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


class Plugins:
    """Everything registered, ready to be selected by name."""

    def __init__(self, *, experiments: bool = False) -> None:
        made = partial(Providers, experiments=experiments)
        self.key_sources: Providers[KeySourceSpec, KeySource] = made("key source", ("open",))
        self.mac_algorithms: Providers[MacAlgorithmSpec, MacAlgorithm] = made("MAC algorithm", (), instantiate=False)
        self.mac_backends: Providers[MacBackendSpec, MacBackend] = made("MAC backend", ("new",))
        self.crypto_backends: Providers[CryptoBackendSpec, CryptoBackend] = made(
            "crypto backend", ("verify_digest", "certificate")
        )
        self.trust_backends: Providers[TrustBackendSpec, TrustBackend] = made("trust backend", ("evaluate",))
        self.timestamp_verifiers: Providers[TimestampVerifierSpec, TimestampVerifier] = made(
            "kind of timestamp",
            ("verify", "encode_query", "read_query", "read_response"),
            plural="kinds of timestamps",
        )
        self.timestamp_sources: Providers[TimestampSourceSpec, TimestampSource] = made(
            "way to timestamp authorities", ("stamp",), plural="ways to timestamp authorities"
        )
        self.profiles: Providers[ProfileSpec, Profile] = made("profile", ("required", "check"))
        self.reporters: Providers[ReporterSpec, Reporter] = made("report format", ("render",))
        self.thumbnailers: Providers[ThumbnailerSpec, Thumbnailer] = made("thumbnailer", ("draw",))
        self.executors: Providers[ExecutorSpec, Executor] = made("executor", ("run",))
        self.observers: Providers[ObserverSpec, Observer] = made("observer", ("verified", "signed"))
        self.commands: Providers[CommandSpec, Command] = made("command", ("make_context", "invoke"), instantiate=False)
        self.choice: tuple[bool, tuple[str, ...] | None, tuple[str, ...], bool] | None = None
        """What `load` was asked for, if it was nothing but installed plugins."""
        self.faults: list[Fault] = []
        self.loaded: list[PluginUse] = []
        self._manager = pluggy.PluginManager("dsig")
        self._manager.add_hookspecs(hookspecs)

    def __reduce__(self) -> tuple[Callable[..., Plugins], tuple[Any, ...]]:
        """For another process: the same choice, made there. Raises `TypeError` if it is none of installed plugins."""
        if self.choice is None:
            raise TypeError("plugins registered by hand do not go to another process")
        return _chosen, self.choice

    def kinds(self) -> dict[str, tuple[type[Spec], Providers[Any, Any]]]:
        """Hook name to (spec type, providers), in a fixed order."""
        return {
            "dsig_key_sources": (KeySourceSpec, self.key_sources),
            "dsig_mac_algorithms": (MacAlgorithmSpec, self.mac_algorithms),
            "dsig_mac_backends": (MacBackendSpec, self.mac_backends),
            "dsig_crypto_backends": (CryptoBackendSpec, self.crypto_backends),
            "dsig_trust_backends": (TrustBackendSpec, self.trust_backends),
            "dsig_timestamp_verifiers": (TimestampVerifierSpec, self.timestamp_verifiers),
            "dsig_timestamp_sources": (TimestampSourceSpec, self.timestamp_sources),
            "dsig_profiles": (ProfileSpec, self.profiles),
            "dsig_reporters": (ReporterSpec, self.reporters),
            "dsig_thumbnailers": (ThumbnailerSpec, self.thumbnailers),
            "dsig_executors": (ExecutorSpec, self.executors),
            "dsig_observers": (ObserverSpec, self.observers),
            "dsig_commands": (CommandSpec, self.commands),
        }

    def new_mac(self, name: str, backend: str = HOST) -> GuardedMac:
        """Begin a computation with a MAC algorithm, where `backend` says.

        Raises `UsageError`, `PluginError`, and `KeySourceError` if the backend cannot.
        """
        provider = self.mac_algorithms.provider(name)
        if backend == HOST:
            return GuardedMac(self.mac_algorithms.get(name), provider.spec, provider.origin)
        spec, where = provider.spec, self.mac_backend(backend)
        made = self.mac_backends.get(where.spec.name)
        return GuardedMac(lambda: made.new(spec, backend), spec, where.origin)

    def mac_backend(self, backend: str) -> Provider[MacBackendSpec]:
        """Who computes MACs at `NAME` or `NAME:PLACE`. Raises `UsageError` or `PluginError`."""
        name = backend.partition(":")[0]
        if name not in self.mac_backends:
            known = ", ".join(sorted({HOST, *(p.spec.name for p in self.mac_backends)}))
            raise UsageError(f"no MAC backend named {name!r}", code="unknown-name", hint=f"known: {known}")
        return self.mac_backends.provider(name)

    def settled_mac_backend(self, backend: str) -> str:
        """How other processes call the backend. Raises `UsageError` or `PluginError`."""
        if backend == HOST:
            return backend
        provider = self.mac_backend(backend)
        settled = getattr(self.mac_backends.get(provider.spec.name), "settled", None)
        if settled is None:
            return backend
        with blaming(provider.origin, "naming the MAC backend"):
            said = settled(backend)
        return answered(said, str, provider.origin, "naming the MAC backend")

    def mac_origin(self, name: str, backend: str = HOST) -> PluginUse:
        """The plugin that computes a MAC. Raises `UsageError` or `PluginError`."""
        return (self.mac_algorithms.provider(name) if backend == HOST else self.mac_backend(backend)).origin

    def key_source_for(self, uri: str) -> tuple[str, KeySource]:
        """Name and provider of the key source serving the scheme of `uri`; a bare path means `file`.

        Raises `UsageError` for an unknown scheme.
        """
        scheme = uri.partition(":")[0].lower()
        known = {s for p in self.key_sources for s in p.spec.schemes}
        if ":" not in uri or len(scheme) == 1 or (scheme not in known and not scheme.isalnum()):
            scheme = "file"  # a bare path; one letter before the colon is a drive
        names = sorted({p.spec.name for p in self.key_sources if scheme in p.spec.schemes})
        if not names:
            raise UsageError(
                f"no key source serves the scheme {scheme!r}",
                code="unknown-scheme",
                hint=f"known schemes: {', '.join(sorted(known)) or 'none'}; for an odd file name write file:PATH",
            )
        if len(names) > 1:
            raise PluginError(
                f"key scheme {scheme!r} is claimed by {' and '.join(names)}",
                code="plugin-conflict",
                hint="allow only one of them with --allow-plugin",
            )
        return names[0], self.key_sources.get(names[0])

    def use(self, *chosen: Provider[Any]) -> tuple[PluginUse, ...]:
        """The distinct plugins behind `chosen`, for a report."""
        return tuple(sorted({p.origin for p in chosen}, key=lambda u: (u.distribution, u.name)))

    def register(self, plugin: object, origin: PluginUse) -> None:
        """Ask one plugin, already imported, for all it provides; what it gets wrong becomes a `Fault`."""
        others = self._manager.get_plugins()
        try:
            self._manager.register(plugin, name=f"{origin.distribution}:{origin.name}")
        except Exception as error:  # noqa: BLE001 - isolation: any fault of a plugin is data
            self.faults.append(Fault(origin, f"cannot be registered: {_brief(error)}"))
            return
        self.loaded.append(origin)
        for hook, (spec_type, providers) in self.kinds().items():
            caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
            try:
                answers = [spec for answer in caller() for spec in answer]
            except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
                self.faults.append(Fault(origin, f"{hook} failed: {_brief(error)}"))
                continue
            for spec in answers:
                problem = _refusal(spec, spec_type)
                if problem:
                    self.faults.append(Fault(origin, f"{hook}: {problem}"))
                else:
                    providers.register(Provider(spec, origin))


def load(
    *,
    third_party: bool = True,
    allow: Collection[str] | None = None,
    deny: Collection[str] = (),
    experiments: bool = False,
    entry_points: Iterable[Any] | None = None,
) -> Plugins:
    """Discover plugins.

    `third_party=False` keeps only those of this distribution; `allow` names the plugins or distributions that may be
    loaded besides them, `deny` those that may not, which nothing overrides; with `experiments` what is experimental may
    be selected; `entry_points` replaces discovery (for tests).
    """
    plugins = Plugins(experiments=experiments)
    if entry_points is None:
        plugins.choice = (third_party, None if allow is None else tuple(allow), tuple(deny), experiments)
    for found in installed(third_party=third_party, allow=allow, deny=deny, entry_points=entry_points):
        plugin = _guarded(plugins.faults, found.origin, found.entry.load)
        if plugin is not None:
            plugins.register(plugin, found.origin)
    return plugins


def installed(
    *,
    third_party: bool = True,
    allow: Collection[str] | None = None,
    deny: Collection[str] = (),
    entry_points: Iterable[Any] | None = None,
) -> Iterator[Installed]:
    """What `load` would import, first those of this distribution, then by name."""
    found = list(distributions.entry_points(GROUP) if entry_points is None else entry_points)
    unique = {(e.name, e.value, _distribution(e)): e for e in found}
    for entry in sorted(unique.values(), key=lambda e: (_distribution(e)[0] != FIRST_PARTY, e.name)):
        distribution, version = _distribution(entry)
        origin = PluginUse(entry.name, distribution, version)
        names = {entry.name, distribution}
        if distribution != FIRST_PARTY and (
            not third_party or names & set(deny) or (allow is not None and not names & set(allow))
        ):
            continue
        yield Installed(origin, entry.value, entry)


def _distribution(entry: Any) -> tuple[str, str]:
    """Name and version of the distribution of an entry point; one half uninstalled may have neither."""
    try:
        return entry.dist.name or "unknown", entry.dist.version or "unknown"
    except Exception:  # noqa: BLE001 - what is raised depends on whose metadata finder is at work
        return "unknown", "unknown"


def recorded(use: PluginUse) -> PluginUse:
    """With the hash of the distribution's RECORD, for a report."""
    return replace(use, record=_record(use.distribution, use.version))


@cache
def _record(distribution: str, version: str) -> str:
    """SHA-256 of its RECORD; empty if there is none, or if its files need not be those listed (PEP 610, editable)."""
    import hashlib

    if distributions.version_of(distribution) != version:
        return ""
    direct = distributions.metadata_file(distribution, "direct_url.json")
    if b"editable" in direct:
        import json

        try:
            if json.loads(direct).get("dir_info", {}).get("editable"):
                return ""
        except (ValueError, AttributeError):
            return ""
    record = distributions.metadata_file(distribution, "RECORD")
    return hashlib.sha256(record).hexdigest() if record else ""


@cache
def default() -> Plugins:
    """All installed plugins, discovered once per process."""
    return load()


@cache
def _chosen(third_party: bool, allow: tuple[str, ...] | None, deny: tuple[str, ...], experiments: bool) -> Plugins:
    """As `load`; once per process."""
    if third_party and allow is None and not deny and not experiments:
        return default()
    return load(third_party=third_party, allow=allow, deny=deny, experiments=experiments)


def _guarded(faults: list[Fault], origin: PluginUse, loader: Callable[[], object]) -> object | None:
    """Import a plugin module; SystemExit counts as a failure too, so that no plugin ends the process."""
    try:
        return loader()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        faults.append(Fault(origin, f"does not import: {_brief(error)}"))
        return None


def _refusal(spec: object, expected: type[Spec]) -> str:
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


def _brief(error: BaseException) -> str:
    """One printable line about an exception from elsewhere."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
