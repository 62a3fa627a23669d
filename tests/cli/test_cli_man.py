"""Manual pages: one for each command, with all its options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from dsig.cli.app import BUILT_IN, FIRST_PARTY, app

TOOL = Path(__file__).parents[2] / "tools" / "make_man.py"


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("man")
    subprocess.run([sys.executable, TOOL, directory], check=True, capture_output=True)
    return {path.stem: path.read_text() for path in directory.iterdir()}


def test_every_command_has_a_page(pages):
    assert {"dsig", *(f"dsig-{name}" for name in (*BUILT_IN, *FIRST_PARTY))} <= set(pages)
    assert "dsig-plugins-list" in pages, "and every command of a command"
    for name in BUILT_IN:
        assert f"dsig-{name}(1)" in pages["dsig"], "the page of all names it"


def test_a_mistaken_option_is_no_directory(tmp_path):
    done = subprocess.run([sys.executable, TOOL, "--check"], capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_page_has_every_option(pages, name):
    command = app.get_command(click.Context(app, info_name="dsig"), name)
    page = pages[f"dsig-{name}"].replace("\\-", "-")
    assert page.startswith(".TH ")
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    assert [flag for option in options for flag in option.opts if flag not in page] == []
