"""The site is built without a warning, and what it documents is what there is."""

from __future__ import annotations

import ast
import dataclasses
import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import dsig
from dsig import hookspecs
from dsig.cli.app import BUILT_IN, FIRST_PARTY, app
from dsig.cli.status import ExitStatus

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TAG = re.compile(r"<[^>]*>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `make docs` put the site; a warning is an error."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        ["make", "-s", "-o", "venv", "docs", f"SITE={directory}", f"BIN={Path(sys.executable).parent}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return directory


def text(site: Path, page: str) -> str:
    """A page as it is read."""
    return html.unescape(TAG.sub("", (site / f"{page}.html").read_text()))


def test_commands_can_be_copied_from_the_site(site):
    page = text(site, "cli")
    assert "dsig sign ct.dcm -o signed.dcm --key key.pem --cert signer.pem" in page
    assert 'eval "$(dsig completion bash)"' in page
    for path in site.glob("*.html"):
        assert not re.findall("[–—][a-z]+(?:-[a-z]+)*|[“”]", text(site, path.stem)), path.stem


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it."""
    yield name, command
    if isinstance(command, click.Group):
        for child in command.commands:
            yield from commands(f"{name} {child}", command.commands[child])


def ours() -> Iterator[tuple[str, click.Command]]:
    """Every command that comes with dsig, by its full name."""
    for name in (*BUILT_IN, *FIRST_PARTY):
        command = app.get_command(click.Context(app, info_name="dsig"), name)
        assert command is not None
        yield from commands(f"dsig {name}", command)


def sections(page: str) -> dict[str, str]:
    """The text of each command on the page of the command line."""
    found = re.findall(r'<section id="(dsig[^"]*)">(.*?)(?=<section id="dsig|\Z)', page, re.DOTALL)
    return {name: html.unescape(TAG.sub("", content)) for name, content in found}


def test_every_option_of_every_command_is_documented_and_no_other(site: Path) -> None:
    documented = sections((site / "cli.html").read_text())
    existing = dict(ours())
    assert {name.replace(" ", "-") for name in existing} | {"dsig"} == set(documented)
    for name, command in existing.items():
        said = documented[name.replace(" ", "-")]
        flags = {flag for p in command.params if isinstance(p, click.Option) and not p.hidden for flag in p.opts}
        flags |= {f for p in command.params if isinstance(p, click.Option) and not p.hidden for f in p.secondary_opts}
        headings = set(re.findall(r"^(-.*?)¶", said, re.MULTILINE))
        named = {word for heading in headings for word in re.findall(r"(?:^|, )(--?[a-zA-Z][\w-]*)", heading)}
        assert named == flags, name


def test_every_finding_and_error_code_is_on_the_site(site: Path) -> None:
    """That the pages name every code of the source and no other is tested in tests/cli/test_cli_docs.py."""
    for page in ("findings", "exit-status"):
        codes = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / f"{page}.md").read_text(), re.MULTILINE)
        words = set(re.findall(r"[a-z0-9-]+", text(site, page)))
        assert len(codes) > 50
        assert set(codes) - words == set()


def test_every_exit_status_is_on_the_site(site: Path) -> None:
    cells = set(re.findall(r"<td><p>(\d+)</p></td>", (site / "exit-status.html").read_text()))
    assert cells == {str(int(status)) for status in ExitStatus}


def test_every_hook_is_documented_and_no_other(site: Path) -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("dsig_")}
    headings = re.findall(r"<h3>(.*?)</h3>", (site / "plugin-contract.html").read_text())
    assert {TAG.sub("", h).partition("(")[0] for h in headings if "dsig_" in h} == hooks


def test_every_public_name_is_in_the_python_reference_and_no_other(site: Path) -> None:
    anchors = set(re.findall(r'id="dsig\.(\w+)"', (site / "reference.html").read_text()))
    assert anchors == set(dsig.__all__)


def test_every_field_of_a_public_class_is_in_the_python_reference(site: Path) -> None:
    anchors = set(re.findall(r'id="dsig\.(\w+\.\w+)"', (site / "reference.html").read_text()))
    classes = {name: getattr(dsig, name) for name in dsig.__all__}
    fields = {
        f"{name}.{field.name}"
        for name, found in classes.items()
        if dataclasses.is_dataclass(found)
        for field in dataclasses.fields(found)
    }
    assert len(fields) > 100
    assert fields - anchors == set()


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    """The site works offline: no script, style, font or picture of another host."""
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > 60
    for page in pages:
        content = page.read_text()
        fetched = re.findall(r'<(?:script|img|iframe|link|source)\b[^>]*(?:src|href)="(https?:|//)[^"]*"', content)
        fetched += re.findall(r"url\([\"']?(?:https?:)?//|@import", content)
        assert fetched == [], page.name


def test_pictures_are_drawn_by_the_script_and_have_words_for_who_cannot_see_them() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "make_diagrams.py", "--check"], check=False)
    assert done.returncode == 0, "run tools/make_diagrams.py"
    for page in (ROOT / "docs").rglob("*.md"):
        for words, _ in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text()):
            assert len(words) > 10, page.name


def test_the_modules_of_python_examples_are_the_public_ones() -> None:
    """What tutorials import of dsig is what is promised to stay."""
    for page in (ROOT / "docs").rglob("*.md"):
        if page.parent.name == "decisions":
            continue
        for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
            if ">>>" in code:
                continue
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dsig":
                    assert node.module in {"dsig", "dsig.hookspecs", "dsig.errors", "dsig.model", "dsig.testing",
                                           "dsig.testing.pki"}, page.name  # fmt: skip
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "dsig":
                    assert node.attr in dsig.__all__, (page.name, node.attr)
