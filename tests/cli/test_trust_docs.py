"""docs/trust.md: its commands end as it says, its Python runs, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

import dsig

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "trust.md").read_text()
COMMANDS = re.findall(r"^\$ dsig (.*?) +# (\d)$", PAGE, re.MULTILINE)


@pytest.fixture
def folder(corpus, pki, tmp_path, monkeypatch):
    """What the page says is there."""
    for name, source in {
        "signed.dcm": corpus / "files" / "v-pki-policies.dcm",
        "revoked.dcm": corpus / "files" / "v-pki-revoked.dcm",
        "other.crl.pem": pki / "other_root.crl.pem",
    }.items():
        shutil.copy(source, tmp_path / name)
    for name in ("root.pem", "inter.pem", "inter.crl.pem"):
        shutil.copy(pki / name, tmp_path)
    shutil.copytree(pki / "cadir", tmp_path / "hashed-directory")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_on_the_page_has_its_exit_status():
    assert len(COMMANDS) == PAGE.count("$ dsig") > 12


@pytest.mark.parametrize(("command", "status"), COMMANDS)
def test_commands_end_as_the_page_says(run, folder, command, status):
    assert run(*shlex.split(command)).status == int(status)


def test_python_on_the_page_runs(folder):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {"dsig": dsig})


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (DOCS / target).is_file(), target
