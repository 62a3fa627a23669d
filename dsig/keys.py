"""Keys by URI: the plugin that serves the scheme opens it; the core keeps what reports have to say about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from dsig.arguments import path_of
from dsig.distrust import blaming
from dsig.errors import KeySourceError
from dsig.hookspecs import KeyRequest, Secrets, Signer
from dsig.model import PluginUse
from dsig.plugins import Plugins, default

__all__ = ["NoSecrets", "OpenKey", "open_key"]


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key ready to sign, and the plugin it came from."""

    signer: Signer
    certificate: bytes = field(repr=False)
    """X.509 certificate, DER."""
    origin: PluginUse


class NoSecrets:
    """For keys that need no password: has none to give."""

    def get(self, kind: str, what: str) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None


@contextmanager
def open_key(
    uri: str | os.PathLike[str],
    *,
    certificate: str | os.PathLike[str] | None = None,
    secrets: Secrets | None = None,
    insecure_pin: bool = False,
    plugins: Plugins | None = None,
) -> Iterator[OpenKey]:
    """Open the key named by a URI or a path, for as long as the context lasts.

    `certificate` is the path of a certificate file to use instead of the one found with the key. `insecure_pin`: take a
    PIN from the URI itself, which is refused otherwise. Raises
    `KeySourceError` for everything about the key itself, `UsageError` for an unknown scheme, `PluginError`.
    """
    plugins = plugins or default()
    uri = path_of(uri, "open_key")
    certificate = None if certificate is None else path_of(certificate, "certificate")
    name, source = plugins.key_source_for(uri)
    origin = plugins.key_sources.provider(name).origin
    with ExitStack() as stack:
        with blaming(origin, "opening the key", secret=True):
            signer = stack.enter_context(
                source.open(KeyRequest(uri, certificate, insecure_pin), secrets or NoSecrets())
            )
            der: object = signer.certificate
        if not isinstance(der, bytes) or not der:
            raise KeySourceError(
                f"key source {name!r} gave no certificate", code="no-certificate", hint="give one with --cert"
            )
        yield OpenKey(signer, der, origin)
