"""`dsig config`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

import click

from dsig.cli.app import BUILT_IN
from dsig.cli.configured import Configured, refuse_unknown
from dsig.cli.options import configuration
from dsig.cli.terminal import row, standard_output
from dsig.config import Configuration, locations

__all__ = ["command"]

SCHEMA = "dsig.config/1"


@click.group("config")
def command() -> None:
    """Check and show the configuration."""


@command.command("check", short_help="Say whether the configuration can be used.")
@click.argument("file", required=False)
@click.pass_context
def _check(ctx: click.Context, file: str | None) -> int:
    """Say whether the configuration can be used: what is in force, or FILE in place of the user's.

    Example: dsig config check ./new.toml
    """
    configured = _checked(ctx, file)
    with standard_output() as out:
        if not configured.files:
            row(out, "none", f" looked in {', '.join(map(str, locations()))}", indent=0)
        for name in configured.files:
            row(out, "good", f" {name}", indent=0)
    return 0


@command.command("show")
@click.option("--config", "file", metavar="FILE", help="Configuration to show instead of the user's.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def _show(ctx: click.Context, file: str | None, as_json: bool) -> int:
    """Show what all configuration files together say."""
    document = _document(_checked(ctx, file))
    with standard_output() as out:
        if as_json:
            json.dump(document, out, indent=2)
            out.write("\n")
            return 0
        for name in document["files"] or ["none"]:
            row(out, "file", f" {name}", indent=0)
        for title in ("plugins", "defaults", "setups"):
            for table, values in document[title].items() if title != "plugins" else [("plugins", document["plugins"])]:
                row(out, f"[{table}]", "", indent=0)
                for key, value in values.items():
                    row(out, key, f" {json.dumps(value, ensure_ascii=False)}")
    return 0


def _checked(ctx: click.Context, file: str | None) -> Configuration:
    """The configuration, with the options it names held against those there are. Raises `UsageError`."""
    configured = configuration(ctx, file)
    for name in configured.defaults:
        module, _, attribute = BUILT_IN[name][0].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, click.Group):
            found = next((inner for inner in found.commands.values() if isinstance(inner, Configured)), found)
        if isinstance(found, Configured):
            refuse_unknown(configured, found)
    return configured


def _document(configured: Configuration) -> Mapping[str, Any]:
    return {
        "schema": SCHEMA,
        "files": list(configured.files),
        "plugins": {
            "allow": None if configured.allow is None else sorted(configured.allow),
            "deny": sorted(configured.deny),
            "third-party": configured.third_party,
            "strict": configured.strict,
            "experimental": bool(configured.experimental),
        },
        "defaults": {name: dict(options) for name, options in configured.defaults.items()},
        "setups": {f"{kind}.{name}": dict(setup.values) for (kind, name), setup in sorted(configured.setups.items())},
    }
