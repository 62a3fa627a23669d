"""Plugins: found through entry points, isolated from each other, selected by name, named in every report.

One faulty plugin never takes the others down: whatever goes wrong while it is imported or asked becomes a `Fault`, and
is told when something it might have provided is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import pluggy

from dsig import distributions, hookspecs
from dsig.distrust import GuardedMac, answered, blaming, brief
from dsig.errors import PluginError, UsageError
from dsig.hookspecs import (
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
from dsig.providers import Provider, Providers, refusal

__all__ = ["Fault", "Installed", "Plugins", "default", "installed", "load", "recorded"]

GROUP = "dsig"
HOST = "host"
"""The MAC backend that is none: each algorithm as its plugin implements it."""
FIRST_PARTY = "dsig"
"""Distribution whose plugins `third_party=False` keeps."""


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
            self.faults.append(Fault(origin, f"cannot be registered: {brief(error)}"))
            return
        self.loaded.append(origin)
        for hook, (spec_type, providers) in self.kinds().items():
            caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
            try:
                answers = [spec for answer in caller() for spec in answer]
            except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
                self.faults.append(Fault(origin, f"{hook} failed: {brief(error)}"))
                continue
            for spec in answers:
                problem = refusal(spec, spec_type)
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
        faults.append(Fault(origin, f"does not import: {brief(error)}"))
        return None
