"""Every command shown anywhere, in the documentation or the README, is one that there is, with options that there are.

Those of walk-throughs are run as well; this is about all the others too.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from dsig.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").rglob("*.md")) if p.parent.name != "decisions")]
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
SAYING = re.compile(r"^(?:\$ +| {4})?(dsig (?!-).*)$", re.MULTILINE)
NO_COMMAND = re.compile(r"dsig: |dsig COMMAND|dsig \w+ → ")


def shown(page: Path) -> list[str]:
    """The lines of a page that begin with `dsig`, in blocks or indented."""
    text = page.read_text()
    blocks = BLOCK.findall(text) + re.findall(r"^ {4}dsig .*$", BLOCK.sub("", text), re.MULTILINE)
    found = [line for block in blocks for line in SAYING.findall(block)]
    return [line for line in found if not NO_COMMAND.match(line)]


COMMANDS = sorted({line for page in PAGES for line in shown(page)})


def test_there_are_many() -> None:
    assert len(COMMANDS) > 80


@pytest.mark.parametrize("line", ["dsig sing a.dcm", "dsig sign a.dcm --kye k", "dsig keys make", "dsig verify --jobs"])
def test_mistakes_are_seen(line: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        test_command_and_options_exist(line)


@pytest.mark.parametrize("line", COMMANDS)
def test_command_and_options_exist(line: str) -> None:
    words = shlex.split(line.replace("…", "x"), comments=True)
    until = next((i for i, word in enumerate(words) if re.match(r"\d?[<>|&;]", word)), len(words))
    context: click.Context = click.Context(app, info_name="dsig")
    command: click.Command = app
    left = words[1:until]
    while isinstance(command, click.Group):
        name, *left = _parsed(command, left)
        found = command.get_command(context, name)
        assert found is not None, name
        command, context = found, click.Context(found, parent=context, info_name=name)
    _parsed(command, left)


def _parsed(command: click.Command, words: list[str]) -> list[str]:
    """What is left without options. Raises `click.UsageError` for one that there is not, or that lacks its value."""
    return command.make_parser(click.Context(command, info_name="dsig")).parse_args(list(words))[1]
