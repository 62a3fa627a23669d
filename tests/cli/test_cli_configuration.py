"""Configuration files: what they may say, which one wins, and what they never weaken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from third_party.packages import tiny

import dsig.config
from dsig.cli import main
from dsig.config import read_configuration

GOOD_PLUGIN = """
from dsig.hookspecs import MacAlgorithmSpec, hookimpl
@hookimpl
def dsig_mac_algorithms():
    return [MacAlgorithmSpec(name="ACME", summary="x", factory="hashlib:sha256", oid="1.2.3", digest_size=32)]
"""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty place for the user's configuration; the system's is beside it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(dsig.config, "SYSTEM", str(tmp_path / "etc" / "config.toml"))
    (tmp_path / "home" / "dsig").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    return tmp_path


def user(home: Path, text: str) -> Path:
    path = home / "home" / "dsig" / "config.toml"
    path.write_text(text)
    return path


def system(home: Path, text: str) -> None:
    (home / "etc" / "config.toml").write_text(text)


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    status = main([str(a) for a in arguments])
    told = capsys.readouterr()
    return status, told.out, told.err


# -------------------------------------------------------------------------------------------------------- defaults


def test_a_default_stands_where_nothing_was_typed(home, capsys, ct, pki, tmp_path):
    user(home, '[sign]\nmac = "SHA512"\n')
    signing = ("sign", ct, "--key", pki / "p256.key.pem", "--cert", pki / "p256.pem")
    status, out, _ = run(capsys, *signing, "-o", tmp_path / "a.dcm")
    assert status == 0
    assert "SHA512" in out
    status, out, _ = run(capsys, *signing, "-o", tmp_path / "b.dcm", "--mac", "SHA384")
    assert status == 0
    assert "SHA384" in out
    assert "SHA512" not in out


def test_the_user_comes_after_the_system_and_config_instead_of_the_user(home, capsys):
    system(home, '[sign]\nmac = "SHA512"\nprofile = "creator"\n')
    user(home, '[sign]\nmac = "SHA384"\n')
    other = home / "other.toml"
    other.write_text("[sign]\nallow_weak = true\n")
    status, out, _ = run(capsys, "config", "show", "--json")
    assert status == 0
    assert json.loads(out)["defaults"] == {"sign": {"mac": "SHA384", "profile": "creator"}}
    status, out, _ = run(capsys, "config", "show", "--json", "--config", other)
    assert json.loads(out)["defaults"] == {"sign": {"mac": "SHA512", "profile": "creator", "allow-weak": True}}


def test_nothing_is_read_from_the_current_directory(home, capsys, monkeypatch):
    below = home / "work"
    (below / "dsig").mkdir(parents=True)
    for name in ("config.toml", "dsig.toml", ".dsig.toml", "dsig/config.toml"):
        (below / name).write_text("nonsense = 1\n")
    monkeypatch.chdir(below)
    monkeypatch.setenv("XDG_CONFIG_HOME", ".")
    monkeypatch.setenv("HOME", str(home / "nobody"))
    status, out, _ = run(capsys, "config", "show", "--json")
    assert status == 0
    assert json.loads(out)["files"] == []


WRONG = {
    "not TOML": ("[sign\n", "it is not TOML"),
    "unknown table": ("[singing]\n", "unknown key 'singing'"),
    "unknown option": ('[sign]\nmacs = "SHA256"\n', "unknown key 'macs'"),
    "option of the wrong kind": ("[sign]\nallow-weak = 1\n", "must be true or false"),
    "an output": ('[sign]\noutput = "x"\n', "on the command line each time"),
    "in place": ("[sign]\nin-place = true\n", "on the command line each time"),
    "a table as value": ("[sign.mac]\nx = 1\n", "must be text"),
    "no table": ("sign = 1\n", "must be a table"),
    "unknown key of a key": ('[key.a]\nuri = "x"\npin = "1234"\n', "unknown key 'pin'"),
    "key without URI": ('[key.a]\ncert = "x"\n', "needs a uri"),
    "unknown key of trust": ('[trust.a]\nroot = "x"\n', "unknown key 'root'"),
    "plugins": ('[plugins]\ndeny = "acme"\n', "must be a list of names"),
    "plugin switch": ("[plugins]\nstrict = 1\n", "must be true or false"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_known_is_an_error(name, home, capsys):
    text, words = WRONG[name]
    path = user(home, text)
    status, out, err = run(capsys, "config", "check")
    assert (status, out) == (2, "")
    assert words in err
    assert str(path) in err
    assert err.count("\n") == 1


def test_a_misspelt_key_gets_a_suggestion(home, capsys):
    user(home, "[verify]\ntrust-rot = []\n")
    _, _, err = run(capsys, "config", "check")
    assert "did you mean trust-root?" in err


def test_a_wrong_file_ends_every_command(home, capsys, signed_ct):
    user(home, "[trust.a]\nroot = 'x'\n")
    for command in (("verify", signed_ct, "--no-trust"), ("inspect", signed_ct), ("plugins", "list")):
        status, out, err = run(capsys, *command)
        assert (status, out) == (2, "")
        assert "configuration" in err


def test_a_named_file_that_is_not_there_is_an_error(home, capsys, signed_ct):
    status, _, err = run(capsys, "verify", signed_ct, "--config", home / "none.toml")
    assert status == 2
    assert "there is no such file" in err


def test_a_user_file_that_cannot_be_read_is_an_error_and_a_home_of_somebody_else_is_not(home, monkeypatch):
    path = user(home, "[plugins]\nstrict = true\n")
    assert read_configuration().strict
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a: _denied() if self == path else real(self, *a))
    with pytest.raises(dsig.UsageError, match="cannot be read"):
        read_configuration()
    monkeypatch.setattr(Path, "stat", lambda self, **_: _denied())
    assert not read_configuration().strict


def _denied():
    raise PermissionError(13, "Permission denied")


# ---------------------------------------------------------------------------------------------------------- setups


def test_a_key_by_name(home, capsys, ct, pki, tmp_path):
    user(home, f'[key.modality]\nuri = "{pki}/p256.key.enc.pem"\ncert = "{pki}/p256.pem"\npassphrase-file = "secret"\n')
    (home / "home" / "dsig" / "secret").write_text("Pass-Word.1\n")
    status, out, err = run(capsys, "sign", ct, "-o", tmp_path / "a.dcm", "--key", "@modality")
    assert status == 0, err
    assert "EC secp256r1" in out
    status, _, err = run(capsys, "sign", ct, "-o", tmp_path / "b.dcm", "--key", "@modalty")
    assert status == 2
    assert "did you mean @modality?" in err


def test_what_is_typed_comes_before_the_setup(home, capsys, ct, pki, tmp_path, monkeypatch):
    user(home, f'[key.modality]\nuri = "{pki}/p256.key.enc.pem"\ncert = "{pki}/p256.pem"\npassphrase-file = "none"\n')
    monkeypatch.setenv("SECRET", "Pass-Word.1")
    arguments = ("sign", ct, "-o", tmp_path / "a.dcm", "--key", "@modality", "--passphrase-env", "SECRET")
    status, _, err = run(capsys, *arguments)
    assert status == 0, err


def test_trust_by_name(home, capsys, signed_ct, pki):
    for name in ("root", "inter"):
        (home / "home" / "dsig" / f"{name}.pem").write_bytes((pki / f"{name}.pem").read_bytes())
    user(home, '[trust.hospital]\ntrust-root = ["root.pem"]\nintermediate = ["inter.pem"]\n')
    assert run(capsys, "verify", signed_ct)[0] == 3
    assert run(capsys, "verify", signed_ct, "--trust-root", "@hospital")[0] == 0
    user(
        home,
        '[verify]\ntrust-root = ["@hospital"]\n[trust.hospital]\ntrust-root = "root.pem"\nintermediate = "inter.pem"',
    )
    assert run(capsys, "verify", signed_ct)[0] == 0


def test_a_policy_by_name(home, capsys, signed_ct):
    user(
        home, "[policy.archive]\nmin_rsa_bits = 4096\n[policy.today]\nmin_rsa_bits = 1024\n[policy.typo]\nmin_rsa = 1\n"
    )
    for name, status in (("today", 0), ("archive", 1), ("typo", 2), ("none", 2)):
        assert run(capsys, "verify", signed_ct, "--no-trust", "--policy", f"@{name}")[0] == status, name


# --------------------------------------------------------------------------------------------------------- plugins


@pytest.fixture
def acme(tmp_path, monkeypatch) -> None:
    """A third-party plugin with a MAC algorithm, installed."""
    tiny(tmp_path, "acme-plugin", GOOD_PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))


def macs(capsys, *options: object) -> set[str]:
    status, out, err = run(capsys, "plugins", "list", "--json", *options)
    assert status == 0, err
    return {p["name"] for p in json.loads(out)["providers"] if p["kind"] == "MAC algorithm"}


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "text",
    ['[plugins]\ndeny = ["acme-plugin"]\n', "[plugins]\nthird-party = false\n", '[plugins]\nallow = ["other"]\n'],
)
def test_what_the_system_does_not_permit_nobody_can(home, capsys, text):
    assert "ACME" in macs(capsys, "--allow-plugin", "acme-plugin")
    system(home, text)
    user(home, '[plugins]\nallow = ["acme-plugin", "other"]\nthird-party = true\n')
    assert "ACME" not in macs(capsys)
    status, _, err = run(capsys, "plugins", "list", "--allow-plugin", "acme-plugin")
    assert status == 2
    assert "does not permit" in err


def test_plugins_can_be_required_to_be_in_order(home, capsys, tmp_path, monkeypatch, signed_ct):
    tiny(tmp_path, "acme-broken", "raise RuntimeError('no')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("dsig.plugins.default", dsig.plugins.load)
    assert run(capsys, "verify", signed_ct, "--no-trust")[0] == 0
    user(home, "[plugins]\nstrict = true\n")
    status, out, err = run(capsys, "verify", signed_ct, "--no-trust")
    assert (status, out) == (7, "")
    assert "acme-broken" in err
    user(home, "")
    monkeypatch.setenv("DSIG_STRICT_PLUGINS", "1")
    assert run(capsys, "verify", signed_ct, "--no-trust")[0] == 7
    assert run(capsys, "plugins", "list")[0] == 0
