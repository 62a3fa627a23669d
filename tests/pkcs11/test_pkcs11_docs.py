"""What docs/hsm.md names is there; its walk-through is run by tests/docs/test_walk_throughs.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pkcs11_tokens import ROOT, succeed

from dsig_pkcs11.modules import resolve
from dsig_pkcs11.uri import parse

PAGE = (ROOT / "docs" / "hsm.md").read_text()


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
