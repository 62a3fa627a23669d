"""The command `dsig`: a list of names; a command is imported only when it is run."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence

import click

from dsig.cli.options import chosen_plugins, plugin_choice
from dsig.printable import printable

__all__ = ["BUILT_IN", "app"]

BUILT_IN: Mapping[str, tuple[str, str]] = {
    "sign": ("dsig.cli.sign:command", "Sign files with a key from a file or a plugin."),
    "verify": ("dsig.cli.verify:command", "Say what the signatures of files are worth."),
    "inspect": ("dsig.cli.inspect:command", "List the signatures of a file, without a verdict."),
    "explain": ("dsig.cli.explain:command", "Say what makes a signature of one file not hold in another."),
    "remove": ("dsig.cli.remove:command", "Take signatures out of files."),
    "timestamp": ("dsig.cli.timestamp:command", "Have signatures stamped by a time stamp authority."),
    "ledger": ("dsig.cli.ledger:command", "Look into the ledger of a run over many files."),
    "evidence": ("dsig.cli.evidence:command", "Keep what proves signatures when certificates have expired."),
    "plugins": ("dsig.cli.plugins:command", "List plugins and what they provide."),
    "config": ("dsig.cli.config:command", "Check and show the configuration."),
    "completion": ("dsig.cli.completion:command", "Make a shell complete commands, options and files."),
}
"""Command to `module:attribute` and summary."""

FIRST_PARTY = {
    "demo": "Sign, verify and tamper with a real file, and see what is said.",
    "keys": "List, make, import, certify and examine keys on tokens.",
}
"""Commands of our own plugins, listed without loading them."""


class LazyGroup(click.Group):
    """Knows the built-in commands by name, and those of plugins by asking for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, those of third-party plugins last."""
        return [name for name, _ in self._summaries(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command. Raises `PluginError` if a plugin's cannot be had."""
        if cmd_name in BUILT_IN:
            module, _, attribute = BUILT_IN[cmd_name][0].partition(":")
            found = getattr(importlib.import_module(module), attribute)
            return found if isinstance(found, click.Command) else None
        plugins = chosen_plugins(ctx)
        if cmd_name not in plugins.commands:
            return None
        offered = plugins.commands.get(cmd_name)
        if not isinstance(offered, click.Command):
            from dsig.errors import PluginError

            origin = plugins.commands.provider(cmd_name).origin
            raise PluginError(
                f"command {cmd_name!r} of {origin.distribution} is no click command", code="plugin-contract"
            )
        return offered

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command may have been meant."""
        if self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches

            from dsig.cli.options import faults_told

            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            guess = f", did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"no command {args[0]!r}{guess}{faults_told(chosen_plugins(ctx))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl(self._summaries(ctx))

    def _summaries(self, ctx: click.Context) -> Sequence[tuple[str, str]]:
        from dsig.distributions import entry_points

        known = {name: summary for name, (_, summary) in BUILT_IN.items()} | FIRST_PARTY
        others = [e for e in entry_points("dsig") if e.dist is None or e.dist.name != "dsig"]
        if others:  # only then it is worth the time to load plugins for a list
            for provider in chosen_plugins(ctx).commands:
                known.setdefault(provider.spec.name, printable(provider.spec.summary))
        return list(known.items())


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib import metadata

        click.echo(f"dsig {metadata.version('dsig')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 passed or done, 1 failed, 2 usage, 3 indeterminate, 4 unsigned, 5 input, 6 key, 7 plugin,"
    " 8 output.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
@plugin_choice
def app(no_plugins: bool, allow_plugin: tuple[str, ...], config: str | None) -> None:
    """Sign and verify DICOM files (PS3.3 C.12.1.1.3, PS3.15 annex C)."""
