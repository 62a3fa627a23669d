"""Which module is used: the URI, then the user's configuration, then the system's, then the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

import dsig
from dsig_pkcs11 import modules
from dsig_pkcs11.modules import resolve
from dsig_pkcs11.uri import parse

URI = parse("pkcs11:token=a")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Write the user's and the system's file; gives the environment."""

    def write(user: str | None = None, system: str | None = None, **environment: str) -> dict[str, str]:
        (tmp_path / "config" / "dsig").mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(modules, "SYSTEM_FILE", tmp_path / "system.toml")
        for path, content in ((tmp_path / "config/dsig/pkcs11.toml", user), (modules.SYSTEM_FILE, system)):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_text(content)
        return {"XDG_CONFIG_HOME": str(tmp_path / "config")} | environment

    return write


def table(name: str, path: str, more: str = "") -> str:
    return f'[modules.{name}]\npath = "{path}"\n{more}\n'


def test_order(files):
    everything = files(
        'module = "u"\n' + table("u", "/user.so"),
        'module = "s"\n' + table("s", "/sys.so"),
        DSIG_PKCS11_MODULE="/env.so",
    )
    assert resolve(parse("pkcs11:?module-path=/uri.so"), everything).path == "/uri.so"
    assert resolve(parse("pkcs11:?module-name=s"), everything).path == "/sys.so"
    assert resolve(URI, everything).path == "/user.so"
    system = files(None, 'module = "/sys.so"', DSIG_PKCS11_MODULE="/env.so")
    assert resolve(URI, system).path == "/sys.so"
    assert resolve(URI, files(None, None, DSIG_PKCS11_MODULE="/env.so")).path == "/env.so"


def test_only_module_is_the_one_and_several_are_not(files):
    assert resolve(URI, files(table("one", "/one.so"))).path == "/one.so"
    with pytest.raises(dsig.KeySourceError, match="several PKCS#11 modules are configured: one, two"):
        resolve(URI, files(table("one", "/one.so"), table("two", "/two.so")))


def test_user_overrides_system_by_name(files):
    assert resolve(URI, files(table("m", "/user.so"), table("m", "/sys.so"))).path == "/user.so"


def test_settings_hold_however_the_file_is_named(files):
    environment = files(table("m", "/m.so", 'init-args = "x=1"\nsessions = 2\nprobe = false'))
    for found in (resolve(URI, environment), resolve(parse("pkcs11:?module-path=/m.so"), environment)):
        assert (found.init_args, found.sessions, found.probe) == ("x=1", 2, False)


def test_home_when_xdg_says_nothing(files, tmp_path):
    home = tmp_path / "home"
    (home / ".config/dsig").mkdir(parents=True)
    (home / ".config/dsig/pkcs11.toml").write_text(table("m", "/home.so"))
    files()
    assert resolve(URI, {"HOME": str(home)}).path == "/home.so"
    assert resolve(URI, {"HOME": str(home), "XDG_CONFIG_HOME": "relative"}).path == "/home.so"


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "."}, {"XDG_CONFIG_HOME": "."}])
def test_current_directory_is_never_looked_at(files, tmp_path, monkeypatch, home):
    files()
    for place in ("dsig", ".config/dsig"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "pkcs11.toml").write_text(table("m", "/cwd.so"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dsig.KeySourceError) as caught:
        resolve(URI, home)
    assert caught.value.code == "module-not-named"


@pytest.mark.parametrize("path", ["m.so", "./m.so", "~/m.so", ""])
def test_path_that_is_not_absolute(files, path):
    with pytest.raises(dsig.KeySourceError):
        resolve(parse(f"pkcs11:?module-path={path.replace('~', '%7E')}"), files())
    with pytest.raises(dsig.KeySourceError):
        resolve(URI, files(DSIG_PKCS11_MODULE=path))


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "", "%00", "x" * 200])
def test_name_that_is_a_path(files, name):
    with pytest.raises(dsig.KeySourceError):
        resolve(parse(f"pkcs11:?module-name={name}"), files())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("modul = 1", "unknown key 'modul'"),
        ("module = 1", "wrong type"),
        ("module = 'x'", "neither in"),
        ("[modules.m]\nfile = '/x'", "unknown key 'file'"),
        ("[modules.m]\npath = 'x'", "absolute"),
        ("[modules.m]", "absolute"),
        ("[modules]\nm = 1", "must be a table"),
        ("[modules.m]\npath = '/x'\nsessions = 0", "1 to"),
        ("[modules.m]\npath = '/x'\nsessions = true", "wrong type"),
        ("[modules.m]\npath = '/x'\nprobe = 'no'", "wrong type"),
        ("= ?", "not TOML"),
        ("\udcff", "not TOML"),
    ],
)
def test_configuration_that_cannot_be_used(files, tmp_path, content, text):
    environment = files("")
    path = Path(environment["XDG_CONFIG_HOME"], "dsig/pkcs11.toml")
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(dsig.UsageError, match=text) as caught:
        resolve(URI, environment)
    assert caught.value.where.file == str(path)
