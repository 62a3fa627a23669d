"""What docs/hsm.md shows is what happens, and what it names is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from pkcs11_tokens import ROOT, succeed

from dsig_pkcs11.modules import resolve
from dsig_pkcs11.uri import parse

PAGE = (ROOT / "docs" / "hsm.md").read_text()
_VARYING = (
    (re.compile(r"2\.25\.\d+"), "2.25.N"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r"serial=[0-9a-f]{16}"), "serial=S"),
    (re.compile(r"id=(%[0-9A-F]{2}){8}"), "id=RANDOM"),
    (re.compile(r"\b20\d\d[-0-9]*[ T]?[0-9:.]*[0-9]( ?[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"/\S*/libsofthsm2.so"), "MODULE"),
)


def constant(text: str) -> str:
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/update_hsm.py."""
    spec = importlib.util.spec_from_file_location("update_hsm", ROOT / "tools" / "update_hsm.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.pkcs11
def test_walk_through_is_what_the_commands_print_today(tool: ModuleType) -> None:
    assert len(tool.commands(PAGE)) >= 4
    assert constant(tool.updated(PAGE)) == constant(PAGE), "run tools/update_hsm.py"


def test_configuration_shown_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "dsig").mkdir()
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    (tmp_path / "dsig" / "pkcs11.toml").write_text(shown[1])
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert resolve(parse("pkcs11:"), environment).sessions == 16
    assert "configdir" in (resolve(parse("pkcs11:?module-name=nss"), environment).init_args or "")


def test_every_option_and_file_named_is_there(run) -> None:
    text = run("sign", "--help").out + run("keys", "generate", "--help").out + run("verify", "--help").out
    for option in set(re.findall(r"`(--[a-z-]+)", PAGE)):
        assert option in text, option
    for link in re.findall(r"\]\((decisions/[^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).is_file()


@pytest.mark.pkcs11
def test_setup_is_private_and_repeatable(tmp_path: Path) -> None:
    """Nothing is made but the directory, nobody else may read it, and a second run changes nothing."""
    home = tmp_path / "home"
    home.mkdir()
    place = tmp_path / "with space" / "token"
    first = succeed("bash", ROOT / "softhsm" / "setup", place, HOME=str(home))
    made = {p: (p.stat().st_mtime_ns, p.stat().st_mode & 0o077) for p in place.rglob("*")}
    assert all(mode == 0 for _, mode in made.values())
    assert list(home.iterdir()) == []
    assert succeed("bash", ROOT / "softhsm" / "setup", place, HOME=str(home)) == first
    assert {p: p.stat().st_mtime_ns for p in place.rglob("*")} == {p: t for p, (t, _) in made.items()}
    assert not list(place.glob("work.*"))
    assert not [p for p in place.rglob("*.pem") if "PRIVATE" in p.read_text() and p.name != "ca.key.pem"]
