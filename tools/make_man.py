"""Manual pages, one for each command, made from its help by click-man: `make man`, or `make_man.py DIRECTORY`.

There is nothing to `--check`: no page is kept in the repository.
"""

from __future__ import annotations

import argparse
from importlib import metadata
from pathlib import Path

import click
from click_man.core import write_man_pages

from dsig.cli.app import BUILT_IN, FIRST_PARTY, app

DATE = "2026-11-22"
"""Of the last release, so that pages made twice are the same."""


def pages(directory: Path) -> list[Path]:
    """Write the pages of our own commands, those of other people's plugins left out, and give their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    context = click.Context(app, info_name="dsig")
    commands = {name: app.get_command(context, name) for name in (*BUILT_IN, *FIRST_PARTY)}
    whole = click.Group("dsig", {k: v for k, v in commands.items() if v is not None}, params=app.params, help=app.help)
    write_man_pages("dsig", whole, version=metadata.version("dsig"), target_dir=str(directory), date=DATE)
    return sorted(directory.glob("dsig*.1"))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("directory", nargs="?", type=Path, default=Path("build/man"))
    for path in pages(asked.parse_args().directory):
        print(path)
