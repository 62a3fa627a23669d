"""Options that several commands have, and what they mean."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dsig.cli.terminal import prints_aside

if TYPE_CHECKING:
    from dsig.config import Configuration
    from dsig.plugins import Plugins
    from dsig.secrets import Channel

__all__ = [
    "backend_option",
    "chosen_plugins",
    "configuration",
    "convert_un_option",
    "dictionary_option",
    "faults_told",
    "input_option",
    "limit_option",
    "mac_backend_option",
    "old_format_option",
    "output_options",
    "plugin_choice",
    "plugin_selection",
    "revocation_options",
    "secret_options",
    "verbosity_options",
    "with_plugins",
    "with_plugins_as_they_are",
]

F = TypeVar("F", bound=Callable[..., Any])

INPUT_KINDS = ("auto", "file", "dataset", "dataset-le", "dataset-be", "dataset-implicit")
"""As `dsig.dicom.file.InputKind`, which help texts shall not import."""


CONFIGURATION = "dsig.configuration"
"""Key of what was read, in the context's `meta`."""
STRICT_PLUGINS = "DSIG_STRICT_PLUGINS"
"""Environment variable that makes a plugin that does not load end the run, as `strict` in the configuration does."""


def configuration(ctx: click.Context, named: str | None = None) -> Configuration:
    """The configuration of this run, read once for each file named. Raises `UsageError`."""
    from dsig.config import read_configuration

    named = named or ctx.params.get("config") or ctx.find_root().params.get("config")
    read: dict[str | None, Configuration] = ctx.meta.setdefault(CONFIGURATION, {})
    if named not in read:
        read[named] = read_configuration(named)
    return read[named]


def plugin_choice(function: F) -> F:
    """--no-plugins, --allow-plugin and --config."""
    config = click.option(
        "--config",
        metavar="FILE",
        help="Configuration to use instead of the user's; the system's counts always.",
    )
    only = click.option(
        "--allow-plugin",
        multiple=True,
        metavar="NAME",
        help="Of third-party plugins use only this one; by plugin or distribution. Repeatable.",
    )
    none = click.option("--no-plugins", is_flag=True, help="Use no plugins but those of dsig itself.")
    return none(only(config(function)))


def chosen_plugins(ctx: click.Context, no_plugins: bool = False, allow: tuple[str, ...] = ()) -> Plugins:
    """The plugins the user wants and the configuration permits, from these options and those before the command.

    Raises `UsageError` for a name that is not installed.
    """
    from dsig import plugins

    selection = plugin_selection(ctx, no_plugins, allow)
    if configuration(ctx).experimental:
        return plugins.load(**selection, experiments=True)
    return plugins.load(**selection) if selection else plugins.default()


def plugin_selection(ctx: click.Context, no_plugins: bool = False, allow: tuple[str, ...] = ()) -> dict[str, Any]:
    """The same as arguments of `dsig.plugins.load`, with nothing imported; empty for all. Raises `UsageError`."""
    from dsig import plugins

    configured = configuration(ctx)
    before = ctx.find_root().params
    allow = (*before.get("allow_plugin", ()), *allow)
    if not allow:
        if no_plugins or before.get("no_plugins") or not configured.third_party:
            return {"third_party": False}
        if configured.allow is None and not configured.deny:
            return {}
        return {"allow": configured.allow, "deny": configured.deny}

    seen = [found.origin for found in plugins.installed(allow=allow, deny=configured.deny)]
    known = {name for use in seen for name in (use.name, use.distribution)}
    for name in allow:
        permitted = configured.third_party and (configured.allow is None or name in configured.allow)
        if name not in known or not permitted:
            from dsig.errors import UsageError

            if name in configured.deny or not permitted:
                raise UsageError(
                    f"the configuration does not permit the plugin {name!r}",
                    code="plugin-not-permitted",
                    hint=f"see [plugins] in {', '.join(configured.files)}",
                )
            raise UsageError(
                f"no plugin or distribution is called {name!r}",
                code="unknown-plugin",
                hint="dsig plugins list shows all",
            )
    return {"allow": allow, "deny": configured.deny}


def with_plugins(function: Callable[..., int]) -> Callable[..., int]:
    """The options of `plugin_choice`; the function gets `plugins` instead, if need be all of them in order."""

    def strictly(*args: Any, plugins: Plugins, **kwargs: Any) -> int:
        _refuse_faults(click.get_current_context(), plugins)
        return function(*args, plugins=plugins, **kwargs)

    return with_plugins_as_they_are(functools.wraps(function)(strictly))


def with_plugins_as_they_are(function: Callable[..., int]) -> Callable[..., int]:
    """As `with_plugins`, for commands that tell what is wrong with plugins."""

    @plugin_choice
    @functools.wraps(function)
    def wrapper(*args: Any, no_plugins: bool, allow_plugin: tuple[str, ...], config: str | None, **kwargs: Any) -> int:  # noqa: ARG001 - read from the context
        with prints_aside():
            plugins = chosen_plugins(click.get_current_context(), no_plugins, allow_plugin)
            with _missed(plugins):
                return function(*args, plugins=plugins, **kwargs)

    return wrapper


def _refuse_faults(ctx: click.Context, plugins: Plugins) -> None:
    """Where plugins must be in order, one that is not ends the run. Raises `PluginError`."""
    import os

    if plugins.faults and (configuration(ctx).strict or os.environ.get(STRICT_PLUGINS, "0") not in ("", "0")):
        from dsig.errors import PluginError

        fault = plugins.faults[0]
        raise PluginError(
            f"the plugin {fault.plugin.name} of {fault.plugin.distribution} {fault.message}",
            code="plugin-fault",
            hint=f"plugins must be in order here ({STRICT_PLUGINS} or strict in [plugins]); see dsig plugins list",
        )


@contextlib.contextmanager
def _missed(plugins: Plugins) -> Iterator[None]:
    """Whoever misses a name shall hear of the plugins that could not be loaded."""
    from dsig.errors import UsageError

    try:
        yield
    except UsageError as error:
        if error.code in ("unknown-name", "unknown-scheme"):
            error.hint = f"{error.hint or ''}{faults_told(plugins)}"
        raise


def faults_told(plugins: Plugins) -> str:
    """A half sentence about plugins that do not work, or nothing."""
    if not plugins.faults:
        return ""
    names = ", ".join(sorted({fault.plugin.name for fault in plugins.faults}))
    return f"; not all plugins could be loaded ({names}), see dsig plugins list"


def output_options(function: F) -> F:
    """-o and --in-place; `dsig.batch.outputs.placement` says what they mean together."""
    out = click.option("-o", "--output", metavar="OUT", help="File to write; a directory for several inputs.")
    place = click.option("--in-place", is_flag=True, help="Replace the input; it stays as it is until all is done.")
    return out(place(function))


def input_option(function: F) -> F:
    """--input."""
    return click.option(
        "--input",
        "input_kind",
        type=click.Choice(INPUT_KINDS),
        default="auto",
        help="What the input is: a file, or a bare data set in a known encoding. Default: look at it.",
    )(function)


def old_format_option(function: F) -> F:
    """--old-format."""
    return click.option(
        "--old-format",
        is_flag=True,
        help="Make the lengths of pixel data fragments part of the MAC, as writers before 2006 did.",
    )(function)


def convert_un_option(function: F) -> F:
    """--convert-un."""
    return click.option(
        "--convert-un", is_flag=True, help="Give elements of VR UN the VR that the dictionary has for them."
    )(function)


def dictionary_option(function: Callable[..., int]) -> Callable[..., int]:
    """--dictionary, or DCMDICTPATH; the function gets `dictionary`, loaded, or None. Raises `UsageError`."""

    @click.option(
        "--dictionary",
        "dictionaries",
        multiple=True,
        type=click.Path(),
        envvar="DCMDICTPATH",
        metavar="FILE",
        help="Data dictionary for names and VRs, in the format of DCMTK. Repeatable. Default: those in DCMDICTPATH.",
    )
    @functools.wraps(function)
    def wrapper(*args: Any, dictionaries: tuple[str, ...], **kwargs: Any) -> int:
        named = [path for path in dictionaries if path]
        if not named:
            return function(*args, dictionary=None, **kwargs)
        from dsig.dicom.dictionaries import load_dictionaries

        return function(*args, dictionary=load_dictionaries(named), **kwargs)

    return wrapper


def limit_option(function: Callable[..., int]) -> Callable[..., int]:
    """--limit; the function gets `limits`. Raises `UsageError`."""

    @click.option(
        "--limit",
        "changes",
        multiple=True,
        metavar="NAME=VALUE",
        help="Change what one input may cost, as depth=200 or inflated_size=4G; see docs/limits.md. Repeatable.",
    )
    @functools.wraps(function)
    def wrapper(*args: Any, changes: tuple[str, ...], **kwargs: Any) -> int:
        from dsig.limits import parse_limits

        return function(*args, limits=parse_limits(changes), **kwargs)

    return wrapper


def mac_backend_option(function: F) -> F:
    """--mac-backend."""
    return click.option(
        "--mac-backend",
        default="host",
        metavar="NAME",
        help="Where MACs are computed: host (default), pkcs11 (the token), pkcs11:token=... (this token).",
    )(function)


BACKENDS = {"crypto": "cryptography", "trust": "certvalidator"}
"""As the defaults of `dsig.verbs.verify.VerifyOptions`, which help texts shall not import."""


def backend_option(kind: str) -> Callable[[F], F]:
    """--crypto-backend or --trust-backend."""
    return click.option(
        f"--{kind}-backend",
        default=BACKENDS[kind],
        show_default=True,
        metavar="NAME",
        help=f"The {kind} plugin to use.",
    )


def revocation_options(function: Callable[..., int]) -> Callable[..., int]:
    """--require-revocation and what goes with it; the function gets `revocation`, `online` and `partial_chain`."""

    @click.option(
        "--require-revocation", is_flag=True, help="Do not pass unless the signer is known not to be revoked."
    )
    @click.option("--require-revocation-chain", is_flag=True, help="Nor any certificate between signer and root.")
    @click.option("--online", is_flag=True, help="Fetch CRLs, OCSP responses and issuers from where certificates say.")
    @click.option("--partial-chain", is_flag=True, help="Let trusted certificates that are not self-signed end a path.")
    @functools.wraps(function)
    def wrapper(*args: Any, require_revocation: bool, require_revocation_chain: bool, **kwargs: Any) -> int:
        from dsig.hookspecs import Revocation

        revocation = Revocation.HARD if require_revocation else None
        return function(*args, revocation=Revocation.HARD_CHAIN if require_revocation_chain else revocation, **kwargs)

    return wrapper


def verbosity_options(function: F) -> F:
    """--quiet and --verbose."""
    quiet = click.option("-q", "--quiet", is_flag=True, help="Say only what is necessary.")
    verbose = click.option("-v", "--verbose", is_flag=True, help="Say everything.")
    return verbose(quiet(function))


_DESCRIPTOR = click.IntRange(0, 2**31 - 1)


def secret_options(function: Callable[..., int]) -> Callable[..., int]:
    """The ways to give a passphrase or PIN, none of them its value; the function gets `secrets` and `insecure_pin`.

    Default: ask.
    """

    @click.option("--passphrase-file", metavar="FILE", help="Read the key's passphrase from this file.")
    @click.option("--passphrase-fd", type=_DESCRIPTOR, metavar="N", help="Read it from this file descriptor.")
    @click.option("--passphrase-env", metavar="NAME", help="Take it from this environment variable.")
    @click.option("--pin-file", metavar="FILE", help="Read the token's PIN from this file.")
    @click.option("--pin-fd", type=_DESCRIPTOR, metavar="N", help="Read it from this file descriptor.")
    @click.option("--pin-env", metavar="NAME", help="Take it from this environment variable.")
    @click.option("--insecure-pin", is_flag=True, help="Take a PIN that is in the key URI, for everybody to see.")
    @functools.wraps(function)
    def wrapper(
        *args: Any,
        passphrase_file: str | None,
        passphrase_fd: int | None,
        passphrase_env: str | None,
        pin_file: str | None,
        pin_fd: int | None,
        pin_env: str | None,
        insecure_pin: bool,
        **kwargs: Any,
    ) -> int:
        from dsig.secrets import Channels

        if insecure_pin:
            from dsig.cli.terminal import complain

            complain("--insecure-pin: everybody on this machine can read a PIN in the key URI", "warning")
        secrets = Channels(
            passphrase=_channel("passphrase", passphrase_file, passphrase_fd, passphrase_env),
            pin=_channel("PIN", pin_file, pin_fd, pin_env),
        )
        return function(*args, secrets=secrets, insecure_pin=insecure_pin, **kwargs)

    return wrapper


def _channel(what: str, file: str | None, descriptor: int | None, variable: str | None) -> Channel | None:
    from dsig.secrets import from_descriptor, from_environment, from_file

    if sum(way is not None for way in (file, descriptor, variable)) > 1:
        raise click.UsageError(f"give the {what} in one way only", click.get_current_context())
    if file is not None:
        return from_file(file)
    if descriptor is not None:
        return from_descriptor(descriptor)
    if variable is not None:
        return from_environment(variable)
    return None
