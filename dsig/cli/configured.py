"""Commands that take what was not typed from the configuration, and `@name` for what it calls by a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from dsig.cli.options import configuration
from dsig.config import Configuration, Setup
from dsig.errors import UsageError, Where

__all__ = ["Configured", "refuse_unknown"]

SECRETS = ("passphrase", "pin")


class Configured(click.Command):
    """A command whose options have defaults in `[command]`, and whose `--key` and `--trust-root` know setups.

    What is typed comes before a setup, and a setup before the defaults of the command.
    """

    @property
    def table(self) -> str:
        """The table with its defaults: its name, or that of the group it belongs to."""
        return self.name or ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with the configuration behind what was typed. Raises `UsageError`."""
        typed, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        configured = configuration(ctx, typed.get("config"))
        options = dict(_long_options(self))
        behind = _defaults(configured, self)
        places: dict[str, str] = {}
        lists: dict[str, list[str]] = {}

        for key, setup in _setups(configured, options, {**behind, **typed}):
            for option, value in setup.values.items():
                parameter = options.get("key" if option == "uri" else option)
                if parameter is None or parameter.name is None:
                    raise _unusable(setup, f"{self.name} has no --{option}")
                if _typed_otherwise(option, typed):
                    continue
                if parameter.multiple:
                    lists.setdefault(parameter.name, []).extend(value if isinstance(value, list) else [value])
                elif option == "uri":
                    places[parameter.name] = value
                else:
                    behind[parameter.name] = _fitting(
                        parameter, value, f"{option} in [{key}.{setup.name}]", setup.origin
                    )

        ctx.default_map = {**(ctx.default_map or {}), **behind}
        rest = super().parse_args(ctx, args)
        for name, value in places.items():
            ctx.params[name] = value
        for name, values in lists.items():
            ctx.params[name] = (*(v for v in ctx.params[name] if not v.startswith("@")), *values)
        return rest


def _long_options(command: click.Command) -> Iterator[tuple[str, click.Option]]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from ((option[2:], parameter) for option in parameter.opts if option.startswith("--"))


def refuse_unknown(configured: Configuration, command: click.Command) -> None:
    """Raise `UsageError` if the defaults of a command are none of its options, or not of their kind."""
    _defaults(configured, command)


def _defaults(configured: Configuration, command: click.Command) -> dict[str, Any]:
    """Parameter to value."""
    options = dict(_long_options(command))
    behind: dict[str, Any] = {}
    for key, value in configured.defaults.get(_table(command), {}).items():
        option = options.get(key)
        if option is None or option.name is None:
            from difflib import get_close_matches

            close = get_close_matches(key, options, n=1)
            raise UsageError(
                f"the configuration cannot be used: [{_table(command)}] has the unknown key {key!r}",
                code="configuration",
                where=Where(", ".join(configured.files)),
                hint=f"did you mean {close[0]}?" if close else f"dsig {command.name} --help shows the options",
            )
        behind[option.name] = _fitting(option, value, f"{key} in [{_table(command)}]", ", ".join(configured.files))
    return behind


def _table(command: click.Command) -> str:
    return command.table if isinstance(command, Configured) else command.name or ""


def _setups(
    configured: Configuration, options: Mapping[str, click.Option], given: Mapping[str, Any]
) -> Iterator[tuple[str, Setup]]:
    """The setups that were asked for by `@name`, with their kind."""
    for option, kind in (("key", "key"), ("trust-root", "trust")):
        parameter = options.get(option)
        value = given.get(parameter.name or "") if parameter is not None else None
        for entry in value if isinstance(value, list | tuple) else [value]:
            if isinstance(entry, str) and entry.startswith("@"):
                yield kind, configured.setup(kind, entry[1:])


def _typed_otherwise(option: str, typed: Mapping[str, Any]) -> bool:
    """Whether a secret's place was typed: the setup's would be a second one."""
    for secret in SECRETS:
        if option.startswith(f"{secret}-"):
            return any(typed.get(f"{secret}_{way}") is not None for way in ("file", "fd", "env"))
    return False


def _fitting(option: click.Option, value: object, where: str, files: str) -> object:
    """The value, if it is of the kind the option takes."""
    if option.is_flag:
        fits, wanted = isinstance(value, bool), "true or false"
    elif option.multiple:
        value = value if isinstance(value, list) else [value]
        fits, wanted = all(isinstance(entry, str) for entry in value), "a list of texts"
    else:
        fits, wanted = isinstance(value, str | int) and not isinstance(value, bool), "text or a number"
    if not fits:
        raise UsageError(
            f"the configuration cannot be used: {where} must be {wanted}",
            code="configuration",
            where=Where(files),
            hint="see docs/configuration.md",
        )
    return value


def _unusable(setup: Setup, reason: str) -> UsageError:
    return UsageError(
        f"the {setup.kind} setup {setup.name!r} cannot be used here: {reason}",
        code="configuration",
        where=Where(setup.origin),
        hint="see docs/configuration.md",
    )
