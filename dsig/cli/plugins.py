"""`dsig plugins`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import click

from dsig.cli.app import BUILT_IN
from dsig.cli.options import with_plugins_as_they_are
from dsig.cli.terminal import row, standard_output
from dsig.errors import PluginError, UsageError
from dsig.hookspecs import Spec
from dsig.model import PluginUse
from dsig.plugins import Plugins, Provider, Providers

__all__ = ["command"]

SCHEMA = "dsig.plugins/1"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A provider and whether it can be used."""

    kind: str
    provider: Provider[Spec]
    problem: str
    """Why it cannot be used, with what to do; empty if it can."""

    def document(self) -> dict[str, Any]:
        spec, origin = self.provider.spec, self.provider.origin
        facts = {f.name: getattr(spec, f.name) for f in fields(spec)}
        return {
            "kind": self.kind,
            **facts,
            "plugin": origin.name,
            "distribution": origin.distribution,
            "version": origin.version,
            "available": not self.problem,
            "problem": self.problem or None,
        }


@click.group("plugins", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int | None:
    """List plugins and what they provide; `list` if no command is given."""
    if ctx.invoked_subcommand is None:
        status: int = ctx.invoke(_list, as_json=as_json, no_plugins=False, allow_plugin=(), config=None)
        return status
    return None


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@with_plugins_as_they_are
def _list(as_json: bool, plugins: Plugins) -> int:
    """List everything plugins provide, what cannot be used, and why."""
    entries = list(_entries(plugins))
    with standard_output() as out:
        if as_json:
            json.dump(_document(plugins, entries), out, indent=2)
            out.write("\n")
            return 0
        kind = ""
        for entry in entries:
            if entry.kind != kind:
                kind = entry.kind
                row(out, f"{kind}s", "", indent=0)
            spec = entry.provider.spec
            row(out, spec.name, f" {spec.summary} [{_origin(entry.provider.origin)}]")
            if entry.problem:
                row(out, "", f" unusable: {entry.problem}")
        for origin, message in _faults(plugins):
            row(out, "fault", f" {_origin(origin)}: {message}", indent=0)
    return 0


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@with_plugins_as_they_are
def _show(name: str, as_json: bool, plugins: Plugins) -> int:
    """Show all that is known of a provider, a plugin or a distribution.

    Example: dsig plugins show SHA256
    """
    entries = [e for e in _entries(plugins) if name in (e.provider.spec.name, *_names(e.provider.origin))]
    faults = [(origin, message) for origin, message in _faults(plugins) if name in _names(origin)]
    if not entries and not faults:
        raise UsageError(
            f"no plugin and no provider is called {name!r}", code="unknown-name", hint="try dsig plugins list"
        )
    with standard_output() as out:
        if as_json:
            json.dump({"schema": SCHEMA, "providers": [e.document() for e in entries]}, out, indent=2)
            out.write("\n")
            return 0
        for entry in entries:
            row(out, entry.provider.spec.name, f" {entry.provider.spec.summary}", indent=0)
            for label, value in entry.document().items():
                if label not in ("name", "summary") and value not in (None, "", ()):
                    row(out, label, f" {', '.join(map(str, value)) if isinstance(value, tuple) else value}")
        for origin, message in faults:
            row(out, "fault", f" {_origin(origin)}: {message}", indent=0)
    return 0


def _entries(plugins: Plugins) -> Iterator[_Entry]:
    for _, providers in plugins.kinds().values():
        for provider in providers:
            yield _Entry(providers.kind, provider, _problem(providers, provider))


def _problem(providers: Providers[Any, Any], provider: Provider[Spec]) -> str:
    """Import the provider to see whether it works."""
    if providers.kind == "command" and provider.spec.name in BUILT_IN:
        return "the name is that of a built-in command"
    try:
        providers.get(provider.spec.name)
    except PluginError as error:
        return f"{error.message} ({error.hint})" if error.hint else error.message
    return ""


def _faults(plugins: Plugins) -> Iterator[tuple[PluginUse, str]]:
    for fault in plugins.faults:
        yield fault.plugin, fault.message


def _document(plugins: Plugins, entries: list[_Entry]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "plugins": [_use(use) for use in plugins.loaded],
        "providers": [entry.document() for entry in entries],
        "conflicts": [
            {"kind": providers.kind, "name": name, "plugins": [_use(use) for use in claims]}
            for _, providers in plugins.kinds().values()
            for name, claims in providers.conflicts.items()
        ],
        "faults": [{**_use(origin), "message": message} for origin, message in _faults(plugins)],
    }


def _use(use: PluginUse) -> dict[str, str]:
    return {"plugin": use.name, "distribution": use.distribution, "version": use.version}


def _origin(use: PluginUse) -> str:
    return f"{use.name}, {use.distribution} {use.version}"


def _names(use: PluginUse) -> tuple[str, str]:
    return use.name, use.distribution
