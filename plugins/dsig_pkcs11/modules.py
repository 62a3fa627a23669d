"""Which PKCS#11 module to use: named by the URI, by a configuration file, or by an environment variable.

Code is loaded from what the user or the administrator wrote, never from the current directory.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dsig.errors import KeySourceError, UsageError, Where
from dsig_pkcs11.uri import TokenUri

__all__ = ["VARIABLE", "ModuleChoice", "resolve", "user_file"]

VARIABLE = "DSIG_PKCS11_MODULE"
SYSTEM_FILE = Path("/etc/dsig/pkcs11.toml")
SESSIONS = 8
"""Signers at once on one token, unless the configuration says otherwise."""
MOST_SESSIONS = 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\Z")
_LIBRARY_DIRECTORIES = (
    *("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"),
    "/opt/homebrew/lib",
)
"""Where `module-name` is looked for besides the configuration; each with its `pkcs11` and `softhsm` below."""

_HOW = (
    f"name one with module-path= in the URI, in ~/.config/dsig/pkcs11.toml, or in {VARIABLE};"
    " for SoftHSM it is /usr/lib/softhsm/libsofthsm2.so"
)


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """A module and how to treat it."""

    path: str
    """Absolute."""
    origin: str
    """Who named it, for messages."""
    init_args: str | None = None
    """String for CK_C_INITIALIZE_ARGS.pReserved; NSS wants one."""
    sessions: int = SESSIONS
    probe: bool = True
    """Whether to try it in a child process first; a site may trust a module that is slow to start."""


@dataclass(frozen=True, slots=True)
class _Configuration:
    file: str
    default: str | None = None
    modules: Mapping[str, ModuleChoice] = field(default_factory=dict)


def resolve(uri: TokenUri, environ: Mapping[str, str] | None = None) -> ModuleChoice:
    """The module for a URI. Raises `KeySourceError` if none is named or none has the name, `UsageError`."""
    environ = os.environ if environ is None else environ
    configurations = [_read(file) for file in (user_file(environ), SYSTEM_FILE) if file is not None]
    by_name = {name: module for c in reversed(configurations) for name, module in c.modules.items()}
    if uri.module_path is not None:
        return _by_path(uri.module_path, "module-path in the URI", by_name)
    if uri.module_name is not None:
        return _by_name(uri.module_name, by_name)
    for configuration in configurations:
        if configuration.default is not None:
            return _default(configuration, by_name)
    if len(by_name) == 1:
        return next(iter(by_name.values()))
    if by_name:
        raise KeySourceError(
            f"several PKCS#11 modules are configured: {', '.join(sorted(by_name))}",
            code="module-not-named",
            hint="add module-name=NAME to the URI, or name the one to use with module = NAME in the configuration",
        )
    named = environ.get(VARIABLE)
    if named:
        return _by_path(named, VARIABLE, by_name)
    raise KeySourceError("no PKCS#11 module is named", code="module-not-named", hint=_HOW)


def user_file(environ: Mapping[str, str]) -> Path | None:
    """The user's configuration file; None if there is no home directory."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not Path(base).is_absolute():  # as the XDG specification has it, and never the current directory
        home = environ.get("HOME", "")
        if not Path(home).is_absolute():
            return None
        base = f"{home}/.config"
    return Path(base, "dsig", "pkcs11.toml")


def _by_path(path: str, origin: str, by_name: Mapping[str, ModuleChoice]) -> ModuleChoice:
    if not Path(path).is_absolute():
        raise KeySourceError(
            f"the PKCS#11 module {path!r} is not named by an absolute path",
            code="module-not-named",
            hint=f"{origin} must begin with /; modules are never looked for in the current directory",
        )
    for module in by_name.values():  # what the configuration knows of this file holds however it is named
        if os.path.realpath(module.path) == os.path.realpath(path):
            return module
    return ModuleChoice(path, origin)


def _by_name(name: str, by_name: Mapping[str, ModuleChoice]) -> ModuleChoice:
    if name in by_name:
        return by_name[name]
    if _NAME.match(name):
        for directory in _LIBRARY_DIRECTORIES:
            for below in ("", "pkcs11", "softhsm"):
                for file in (f"{name}.so", f"lib{name}.so", f"{name}.dylib", f"lib{name}.dylib"):
                    path = Path(directory, below, file)
                    if path.is_file():
                        return ModuleChoice(str(path), "module-name in the URI")
    raise KeySourceError(
        f"no PKCS#11 module is called {name!r}",
        code="module-missing",
        hint=f"configured: {', '.join(sorted(by_name)) or 'none'}; or give its path with module-path=",
    )


def _default(configuration: _Configuration, by_name: Mapping[str, ModuleChoice]) -> ModuleChoice:
    default = configuration.default or ""
    if default in by_name:
        return by_name[default]
    if Path(default).is_absolute():
        return _by_path(default, configuration.file, by_name)
    raise _wrong(configuration.file, f"module = {default!r} is neither in [modules] nor an absolute path")


def _read(file: Path) -> _Configuration:
    name = str(file)
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return _Configuration(name)
    except OSError as error:
        raise _wrong(name, f"it cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(name, f"it is not TOML: {error}") from None
    _require(name, "the file", content, {"module": str, "modules": dict})
    modules = {}
    for title, entry in content.get("modules", {}).items():
        if not isinstance(entry, dict):
            raise _wrong(name, f"modules.{title} must be a table")
        _require(name, f"modules.{title}", entry, {"path": str, "init-args": str, "sessions": int, "probe": bool})
        path, sessions = entry.get("path", ""), entry.get("sessions", SESSIONS)
        if not Path(path).is_absolute():
            raise _wrong(name, f"modules.{title} needs a path that is absolute")
        if not 1 <= sessions <= MOST_SESSIONS:
            raise _wrong(name, f"sessions of modules.{title} must be 1 to {MOST_SESSIONS}")
        modules[title] = ModuleChoice(path, name, entry.get("init-args"), sessions, entry.get("probe", True))
    return _Configuration(name, content.get("module"), modules)


def _require(file: str, place: str, table: Mapping[str, object], known: Mapping[str, type]) -> None:
    for key, value in table.items():
        if key not in known:
            raise _wrong(file, f"{place} has the unknown key {key!r}; known: {', '.join(known)}")
        if type(value) is not known[key]:
            raise _wrong(file, f"{key!r} in {place} is of the wrong type")


def _wrong(file: str, reason: str) -> UsageError:
    return UsageError(
        f"the PKCS#11 configuration cannot be used: {reason}",
        code="configuration",
        where=Where(file=file),
        hint="see docs/hsm.md",
    )
