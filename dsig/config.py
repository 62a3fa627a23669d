"""Configuration: TOML of the system, the user, or a file named by the user; never of the current directory.

    [plugins]              # which code may take part in verdicts
    deny = ["acme-plugin"]

    [verify]               # defaults of a command, by the long names of its options
    require-revocation = true

    [key.modality]         # --key @modality
    uri = "pkcs11:token=ct1;object=signer"
    pin-file = "/etc/dsig/ct1.pin"

    [trust.hospital]       # --trust-root @hospital
    trust-root = ["hospital-root.pem"]
    crl = ["crls"]

    [policy.archive]       # --policy @archive
    min_rsa_bits = 3072

Relative paths start at the directory of the file that holds them. What is not known is an error, so that a misspelt
line never weakens anything in silence.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsig.errors import UsageError, Where

__all__ = ["EMPTY", "Configuration", "Setup", "locations", "read_configuration"]

MAX_FILE = 1 << 20
SYSTEM = "/etc/dsig/config.toml"

KEY_OPTIONS = ("uri", "cert", "passphrase-file", "passphrase-env", "pin-file", "pin-env")
"""What a `[key.NAME]` may say; `uri` is what `--key` would get, the others are options of that name."""
TRUST_OPTIONS = (
    "trust-root",
    "intermediate",
    "crl",
    "ocsp",
    "require-revocation",
    "require-revocation-chain",
    "online",
    "partial-chain",
    "require-revocation-chain",
    "partial-chain",
    "tsa-root",
    "tsa-intermediate",
    "trust-backend",
)
"""What a `[trust.NAME]` may say."""
PATHS = frozenset(
    (
        *("key", "uri", "cert", "passphrase-file", "pin-file", "policy", "tag-file"),
        *("trust-root", "intermediate", "crl", "ocsp", "tsa-root", "tsa-intermediate"),
    )
)
"""Options whose values are paths."""
COMMANDS = ("sign", "verify", "remove", "inspect", "explain", "timestamp")
"""Commands that can be given defaults; their options are checked by the command line, which knows them."""
FORBIDDEN = frozenset(("config", "help", "in-place", "insecure-pin", "output", "report"))
"""Options that must be typed: a default would write where nobody expects it, or weaken what nobody sees."""
PLUGIN_KEYS: Mapping[str, type] = {
    "allow": list,
    "deny": list,
    "third-party": bool,
    "strict": bool,
    "experimental": bool,
}
SETUPS: Mapping[str, tuple[str, ...] | None] = {"key": KEY_OPTIONS, "trust": TRUST_OPTIONS, "policy": None}
"""Kinds of named setups with the keys they may have; None leaves that to who reads them."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A named table such as `[key.modality]`."""

    kind: str
    name: str
    values: Mapping[str, Any]
    origin: str
    """File it stands in."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What all files together say; a later file replaces commands' defaults and setups of the same name."""

    files: tuple[str, ...] = ()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Command to option (long name without dashes) to value."""
    setups: Mapping[tuple[str, str], Setup] = field(default_factory=dict)
    """By kind and name."""
    allow: frozenset[str] | None = None
    """Third-party plugins or distributions that may be loaded; None is all. Files can only narrow each other."""
    deny: frozenset[str] = frozenset()
    """Those that may not."""
    third_party: bool = True
    strict: bool = False
    """True: a plugin that does not load ends the run."""
    experimental: bool | None = None
    """Whether what is experimental may be selected; a False stays, whatever a later file says."""

    def setup(self, kind: str, name: str) -> Setup:
        """The setup `@name`. Raises `UsageError` with those there are."""
        found = self.setups.get((kind, name))
        if found is not None:
            return found
        from difflib import get_close_matches

        known = sorted(n for k, n in self.setups if k == kind)
        close = get_close_matches(name, known, n=1)
        told = (
            f"known: {', '.join(known)}"
            if known
            else f"write a [{kind}.{name}], see docs/configuration.md; looked in {_told(self.files)}"
        )
        hint = f"did you mean @{close[0]}?" if close else told
        raise UsageError(f"no {kind} setup is called {name!r}", code="unknown-name", hint=hint)

    def joined(self, later: Configuration) -> Configuration:
        """Both: this one with what a later file adds, replaces or narrows."""
        defaults = dict(self.defaults)
        for command, options in later.defaults.items():
            defaults[command] = {**defaults.get(command, {}), **options}
        if self.allow is None or later.allow is None:
            allow = later.allow if self.allow is None else self.allow
        else:
            allow = self.allow & later.allow
        return Configuration(
            self.files + later.files,
            defaults,
            {**self.setups, **later.setups},
            allow,
            self.deny | later.deny,
            self.third_party and later.third_party,
            self.strict or later.strict,
            later.experimental if self.experimental is None else self.experimental and later.experimental is not False,
        )


EMPTY = Configuration()


def locations(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where configuration is looked for, the system's first; none of it depends on the current directory."""
    places = [Path(SYSTEM)]
    home = environ.get("XDG_CONFIG_HOME") or ""
    if os.path.isabs(home):  # noqa: PTH117 - the XDG specification ignores relative ones
        places.append(Path(home, "dsig", "config.toml"))
    elif environ.get("HOME"):
        places.append(Path(environ["HOME"], ".config", "dsig", "config.toml"))
    return tuple(places)


def read_configuration(named: str | os.PathLike[str] | None = None) -> Configuration:
    """All that is said by the system's file, then the user's or, instead of that, the one `named`.

    The system's file always counts: what it denies stays denied. Raises `UsageError`, also for a named file that is
    not there.
    """
    system, *user = locations()
    places = [system, *user] if named is None else [system, Path(named)]
    whole = EMPTY
    for place in places:
        if named is None and place in user and not _reachable(place):
            continue
        content = _content(place, required=named is not None and place is places[-1])
        if content is not None:
            whole = whole.joined(_parsed(content, place))
    return whole


def _reachable(place: Path) -> bool:
    """Whether one may look; a home nobody let us into, as after `su`, is somebody else's."""
    try:
        place.stat()
    except PermissionError:
        return False
    except OSError:
        pass  # told by whoever reads it
    return True


def _content(place: Path, *, required: bool) -> Mapping[str, Any] | None:
    try:
        with place.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise _wrong(place, "there is no such file") from None
        return None
    except OSError as error:
        raise _wrong(place, f"it cannot be read: {error.strerror}") from None
    if len(raw) > MAX_FILE:
        raise _wrong(place, f"it is longer than {MAX_FILE} bytes")

    import tomllib  # most runs have no configuration

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(place, f"it is not TOML: {error}") from None


def _parsed(content: Mapping[str, Any], place: Path) -> Configuration:
    known = ("plugins", *SETUPS, *COMMANDS)
    defaults: dict[str, Mapping[str, Any]] = {}
    setups: dict[tuple[str, str], Setup] = {}
    plugins: Mapping[str, Any] = {}
    for title, table in content.items():
        _known(place, "the file", title, known)
        if not isinstance(table, dict):
            raise _wrong(place, f"{title} must be a table, as [{title}]")
        if title == "plugins":
            plugins = _plugins(place, table)
        elif title in SETUPS:
            for name, values in table.items():
                if not isinstance(values, dict):
                    raise _wrong(place, f"{title}.{name} must be a table, as [{title}.{name}]")
                setups[title, name] = _setup(place, title, name, values)
        else:
            defaults[title] = _options(place, title, table)
    allow = plugins.get("allow")
    return Configuration(
        (str(place),),
        defaults,
        setups,
        None if allow is None else frozenset(allow),
        frozenset(plugins.get("deny", ())),
        plugins.get("third-party", True),
        plugins.get("strict", False),
        plugins.get("experimental"),
    )


def _plugins(place: Path, table: Mapping[str, Any]) -> Mapping[str, Any]:
    read = {key.replace("_", "-"): value for key, value in table.items()}
    for key, value in read.items():
        _known(place, "[plugins]", key, tuple(PLUGIN_KEYS))
        if PLUGIN_KEYS[key] is bool and not isinstance(value, bool):
            raise _wrong(place, f"{key} in [plugins] must be true or false")
        if PLUGIN_KEYS[key] is list and not _texts(value):
            raise _wrong(place, f"{key} in [plugins] must be a list of names")
    return read


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _setup(place: Path, kind: str, name: str, table: Mapping[str, Any]) -> Setup:
    keys = SETUPS[kind]
    title = f"[{kind}.{name}]"
    if keys is None:
        return Setup(kind, name, table, str(place))
    values = {key.replace("_", "-"): value for key, value in table.items()}
    for key, value in values.items():
        _known(place, title, key, keys)
        _simple(place, title, key, value)
    if kind == "key" and not isinstance(values.get("uri"), str):
        raise _wrong(place, f"{title} needs a uri, what --key would be given")
    return Setup(kind, name, {key: _below(place, key, value) for key, value in values.items()}, str(place))


def _options(place: Path, command: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
    read = {key.replace("_", "-"): value for key, value in table.items()}
    for key, value in read.items():
        if key in FORBIDDEN:
            raise _wrong(place, f"{key} in [{command}] must be given on the command line each time")
        _simple(place, f"[{command}]", key, value)
    return {key: _below(place, key, value) for key, value in read.items()}


def _simple(place: Path, title: str, key: str, value: object) -> None:
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str | int | bool) for entry in several):
        raise _wrong(place, f"{key} in {title} must be text, a number, true or false, or a list of texts")


def _below(place: Path, key: str, value: Any) -> Any:
    """The value, with relative paths made to start at the directory of the file."""
    if isinstance(value, list):
        return [_below(place, key, entry) for entry in value]
    if key not in PATHS or not isinstance(value, str) or value.startswith("@"):
        return value
    scheme, colon, rest = value.partition(":")
    if key in ("key", "uri") and colon and scheme != "file":
        return value
    path = rest if key in ("key", "uri") and colon else value
    return str(place.parent.absolute() / Path(path).expanduser())


def _known(place: Path, where: str, key: str, known: Collection[str]) -> None:
    if key in known:
        return
    from difflib import get_close_matches

    close = get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {_told(known)}"
    raise _wrong(place, f"{where} has the unknown key {key!r}", hint)


def _told(names: Collection[str]) -> str:
    return ", ".join(names) or "no file, as there is none"


def _wrong(place: Path, reason: str, hint: str = "see docs/configuration.md") -> UsageError:
    return UsageError(
        f"the configuration cannot be used: {reason}", code="configuration", where=Where(str(place)), hint=hint
    )
