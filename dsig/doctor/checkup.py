"""The part that runs in a process of its own: imports one plugin, loads what it provides, tries each provider.

Called as `python -m dsig.doctor.checkup NAME VALUE DISTRIBUTION FILE`. Each line of FILE is a JSON object: what begins
(`doing`), what was found (`kind`, `name`, `health`, `reason`, `hint`), and, if it gets there, `done`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from dsig.distributions import entry_points
from dsig.distrust import brief
from dsig.doctor.trials import TRIALS, UnfitError
from dsig.errors import DsigError, PluginError
from dsig.model import PluginUse
from dsig.plugins import GROUP, Plugins
from dsig.providers import Provider, Providers

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Examine the plugin of that entry point."""
    name, value, distribution, path = arguments
    with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - nothing more is needed here
        _checkup(name, value, distribution, lambda **facts: _write(file, facts))
    return 0


def _write(file: TextIO, facts: dict[str, Any]) -> None:
    file.write(json.dumps(facts) + "\n")
    file.flush()  # the process may not live to write the next one


def _checkup(name: str, value: str, distribution: str, tell: Callable[..., None]) -> None:
    tell(doing="it was imported")
    origin = PluginUse(name, distribution, "")
    try:
        entry = next(
            e
            for e in entry_points(GROUP)
            if (e.name, e.value, getattr(e.dist, "name", "") or "unknown") == (name, value, distribution)
        )
        plugin = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does is a finding here
        tell(health="bad", reason=f"it does not import: {brief(error)}")
        return
    tell(doing="it was asked what it provides")
    plugins = Plugins(experiments=True)
    plugins.register(plugin, origin)
    for fault in plugins.faults:
        tell(health="bad", reason=fault.message)
    for hook, (_, providers) in plugins.kinds().items():
        for provider in providers:
            told = {"kind": providers.kind, "name": provider.spec.name}
            tell(doing=f"its {providers.kind} {provider.spec.name} was tried")
            health, reason, hint = _tried(hook, providers, provider)
            tell(health=health, reason=reason, hint=hint, **told)
    tell(doing="it was to end", done=True)


def _tried(hook: str, providers: Providers[Any, Any], provider: Provider[Any]) -> tuple[str, str, str]:
    """Health, reason and hint for one provider."""
    try:
        made = providers.get(provider.spec.name)
    except PluginError as error:
        lacking = provider.spec.requires and isinstance(error.__cause__, ImportError)
        return "unavailable" if lacking else "bad", error.message, error.hint or ""
    except DsigError as error:
        return "bad", error.message, error.hint or ""
    try:
        if hook in TRIALS:
            TRIALS[hook](made, provider)
    except UnfitError as unfit:
        return "bad", str(unfit), ""
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        return "bad", f"it raises what the contract does not allow: {brief(error)}", ""
    return "good", "", ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
