"""`dsig completion`, and the answers the shells get when they ask."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from dsig.cli.terminal import standard_output

__all__ = ["VARIABLE", "answer", "command"]

VARIABLE = "_DSIG_COMPLETE"
"""Environment variable set by the shell when it asks."""


class _OrFiles(ShellComplete):
    """Where no command, option or choice fits, a file may: most arguments of ours are paths."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What fits; the shell looks for files itself."""
        found = super().get_completions(args, incomplete)
        in_a_command = bool(args) and not incomplete.startswith("-")
        return found or ([CompletionItem(incomplete, type="file")] if in_a_command else [])


class _Bash(_OrFiles, BashComplete):
    pass


class _Zsh(_OrFiles, ZshComplete):
    pass


class _Fish(_OrFiles, FishComplete):
    pass


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command("completion")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(list(_SHELLS)))
def command(shell: str) -> int:
    """Write a script that makes a shell complete commands, options and files.

    \b
    bash: eval "$(dsig completion bash)"      in ~/.bashrc
    zsh:  eval "$(dsig completion zsh)"       in ~/.zshrc, after compinit
    fish: dsig completion fish > ~/.config/fish/completions/dsig.fish
    """  # noqa: D301 - click's mark for lines that stay as they are
    with standard_output() as out:
        out.write(_completer(shell).source() + "\n")
    return 0


def answer(instruction: str) -> int:
    """What a shell wants to know: `SHELL_complete`, or its script by `SHELL_source`."""
    shell, _, wanted = instruction.partition("_")
    if shell not in _SHELLS or wanted not in ("source", "complete"):
        return 1
    completer = _completer(shell)
    click.echo(completer.source() if wanted == "source" else completer.complete())
    return 0


def _completer(shell: str) -> ShellComplete:
    from dsig.cli.app import app

    return _SHELLS[shell](app, {}, "dsig", VARIABLE)
