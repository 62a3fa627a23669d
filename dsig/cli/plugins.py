"""`dsig plugins`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from dsig.cli.app import BUILT_IN
from dsig.cli.options import plugin_choice, plugin_selection, with_plugins_as_they_are
from dsig.cli.terminal import row, standard_output
from dsig.errors import DsigError, PluginError, UsageError
from dsig.hookspecs import Spec
from dsig.model import PluginUse
from dsig.plugins import Plugins, installed
from dsig.providers import Provider, Providers

if TYPE_CHECKING:
    from dsig.doctor import Diagnosis

__all__ = ["command"]

SCHEMA = "dsig.plugins/1"
DOCTOR_SCHEMA = "dsig.plugins-doctor/1"
WIDEST_NAME = 24
"""Characters of a name that the list keeps its column for."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A provider and whether it can be used."""

    kind: str
    plural: str
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
        column = min(max((len(entry.provider.spec.name) for entry in entries), default=0), WIDEST_NAME)
        for entry in entries:
            if entry.kind != kind:
                kind = entry.kind
                row(out, entry.plural, "", indent=0)
            spec = entry.provider.spec
            row(out, spec.name, f" {spec.summary} [{_origin(entry.provider.origin)}]", column=column)
            if entry.problem:
                row(out, "", f" unusable: {entry.problem}", column=column)
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


@command.command("doctor", short_help="Examine plugins in processes of their own.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3600),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="For each plugin.",
)
@plugin_choice
@click.pass_context
def _doctor(
    ctx: click.Context,
    name: str | None,
    as_json: bool,
    timeout: float,
    no_plugins: bool,
    allow_plugin: tuple[str, ...],
    config: str | None,  # noqa: ARG001 - read from the context
) -> int:
    """Examine plugins, or the one of this name or distribution, each in a process of its own.

    Exit status 7 if one is bad, or if NAME lacks a library.

    Example: dsig plugins doctor
    """
    from dsig.doctor import Health, examine

    there = list(installed(**plugin_selection(ctx, no_plugins, allow_plugin)))
    if name is not None and not any(name in _names(found.origin) for found in there):
        raise UsageError(
            f"no plugin or distribution is called {name!r}", code="unknown-plugin", hint="dsig plugins list shows all"
        )
    diagnoses = examine([f for f in there if name is None or name in _names(f.origin)], seconds=timeout)
    with standard_output() as out:
        if as_json:
            document = {"schema": DOCTOR_SCHEMA, "plugins": [_diagnosis(d) for d in diagnoses]}
            json.dump(document, out, indent=2)
            out.write("\n")
        else:
            for diagnosis in diagnoses:
                count = sum(bool(e.kind) for e in diagnosis.examined)
                row(out, diagnosis.health, f" {_origin(diagnosis.plugin)}: {count} tried", indent=0)
                for one in diagnosis.examined:
                    if one.reason:
                        what = f"{one.kind} {one.name}: " if one.kind else ""
                        row(out, "", f" {what}{one.reason} ({one.hint})")
    wrong = {d.health for d in diagnoses} - {Health.GOOD} - ({Health.UNAVAILABLE} if name is None else set())
    return PluginError.exit_status if wrong else 0


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        **_use(diagnosis.plugin),
        "health": diagnosis.health.value,
        "examined": [
            {"kind": e.kind, "name": e.name, "health": e.health.value, "reason": e.reason, "hint": e.hint}
            for e in diagnosis.examined
        ],
    }


def _entries(plugins: Plugins) -> Iterator[_Entry]:
    for _, providers in plugins.kinds().values():
        for provider in providers:
            yield _Entry(providers.kind, providers.plural, provider, _problem(providers, provider))


def _problem(providers: Providers[Any, Any], provider: Provider[Spec]) -> str:
    """Import the provider to see whether it works."""
    if providers.kind == "command" and provider.spec.name in BUILT_IN:
        return "the name is that of a built-in command"
    try:
        providers.get(provider.spec.name)
    except DsigError as error:
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
