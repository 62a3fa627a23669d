"""The pages about dcmsign are made of the tables in use, name every option, and name only what there is."""

from __future__ import annotations

import importlib
import re
import runpy
from pathlib import Path

import click
import pytest
from support.dcmsign import dcmsign
from support.dcmsign_differences import DIFFERENCES, REFUSED
from support.dcmsign_twins import TWINS

from dsig.cli.app import BUILT_IN
from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.options import OPTIONS

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "update_dcmsign_docs.py"))
MIGRATION = (ROOT / "docs" / "dcmsign-migration.md").read_text()


@pytest.mark.parametrize("page", TOOL["PAGES"], ids=lambda p: p.name)
def test_pages_are_up_to_date(page: Path):
    """tools/update_dcmsign_docs.py fills them."""
    text = page.read_text()
    assert text == TOOL["filled"](text)
    assert "<!-- end -->" in text


@pytest.mark.parametrize("option", OPTIONS, ids=lambda o: o.long)
def test_every_option_has_a_row_with_a_twin(option):
    names = ", ".join(f"`{name}`" for name in (option.short, option.long) if name)
    [row] = [line for line in MIGRATION.splitlines() if line.startswith(f"| {names} |")]
    assert len(row.split(" | ")[-1]) > 3, "says what dsig has instead"


def test_every_option_of_our_help_text_is_in_the_page():
    shown = re.findall(r"^\s+(?:[-+][a-z0-9=]+\s+)?(--[a-z0-9-]+)", dcmsign("--help").out, re.MULTILINE)
    assert len(shown) == len(OPTIONS)
    assert [name for name in shown if f"`{name}` |" not in MIGRATION] == []


def options_of(command: click.Command) -> set[str]:
    """Names of the options of a command and of those below it."""
    found = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return found.union(*(options_of(one) for one in below))


def test_twins_exist():
    known = {"--help", "--version"}
    for path, _ in BUILT_IN.values():
        module, _, name = path.partition(":")
        known |= options_of(getattr(importlib.import_module(module), name))
    assert list(TWINS) == [o.long for o in OPTIONS]
    named = {option for twin in TWINS.values() for option in re.findall(r"--[a-z][a-z-]+", twin)}
    assert named - known == set()
    assert len(named) > 30


def test_every_exit_code_is_in_the_page():
    rows = re.findall(r"^\| (\d+) \|", MIGRATION, re.MULTILINE)
    assert {int(row) for row in rows} == {code.value for code in ExitCode}
    assert len(rows) == len(set(rows))


def test_what_is_refused_names_no_program():
    assert not [text for text in REFUSED if "dcmsign" in text.lower() or "dcmtk" in text.lower()]


def test_differences_have_names_of_their_own():
    assert len({d.name for d in DIFFERENCES}) == len(DIFFERENCES)
