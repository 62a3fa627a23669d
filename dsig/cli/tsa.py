"""Options that say which TSAs are asked, how, and for what."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

__all__ = ["query_options", "tsa_options"]


def query_options(function: Callable[..., int]) -> Callable[..., int]:
    """What a TSA is asked; the function gets `asked`, a `dsig.timestamps.stamping.QueryOptions`."""

    @click.option("--mac", default="SHA256", show_default=True, metavar="NAME", help="Hash of the signature.")
    @click.option("--policy", default="", metavar="OID", help="Policy the TSA shall follow. Default: its own.")
    @click.option("--nonce/--no-nonce", default=True, help="Send a random number to be repeated. Default: do.")
    @click.option(
        "--cert-req/--no-cert-req", "certificate", default=True, help="Ask for the TSA's certificate. Default: do."
    )
    @functools.wraps(function)
    def wrapper(*args: Any, mac: str, policy: str, nonce: bool, certificate: bool, **kwargs: Any) -> int:
        from dsig.timestamps.stamping import QueryOptions

        asked = QueryOptions(mac=mac, policy=policy, nonce=nonce, certificate=certificate)
        return function(*args, asked=asked, **kwargs)

    return wrapper


def tsa_options(name: str, help_text: str, *, required: bool) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """The option `name` for URLs, and how to reach them; the function gets `tsa`, None if there is no URL.

    What is asked is set by the caller (`dataclasses.replace(tsa, query=...)`).
    """

    def decorated(function: Callable[..., int]) -> Callable[..., int]:
        @click.option(name, "tsa_urls", multiple=True, required=required, metavar="URL", help=help_text)
        @click.option("--tsa-user", default="", metavar="NAME", help="User for the TSA (HTTP basic authentication).")
        @click.option("--tsa-password-file", metavar="FILE", help="Read the user's password from this file.")
        @click.option("--tsa-client-cert", default="", metavar="FILE", help="Certificate and key (PEM) for TLS.")
        @click.option("--tsa-ca", default="", metavar="FILE", help="Roots (PEM) for the TSA's TLS certificate.")
        @click.option("--tsa-timeout", type=click.FloatRange(0.1, 3600), default=30.0, metavar="SECONDS", hidden=True)
        @click.option("--tsa-attempts", type=click.IntRange(1, 100), default=3, metavar="N", hidden=True)
        @click.option("--tsa-pause", type=click.FloatRange(0, 3600), default=1.0, metavar="SECONDS", hidden=True)
        @click.option("--allow-modifications", is_flag=True, help="Take what a TSA granted with modifications.")
        @functools.wraps(function)
        def wrapper(
            *args: Any,
            tsa_urls: tuple[str, ...],
            tsa_user: str,
            tsa_password_file: str | None,
            tsa_client_cert: str,
            tsa_ca: str,
            tsa_timeout: float,
            tsa_attempts: int,
            tsa_pause: float,
            allow_modifications: bool,
            **kwargs: Any,
        ) -> int:
            tsa = None
            if tsa_urls:
                from dsig.timestamps.stamping import TsaOptions

                tsa = TsaOptions(
                    urls=tsa_urls,
                    timeout=tsa_timeout,
                    attempts=tsa_attempts,
                    pause=tsa_pause,
                    user=tsa_user,
                    password=_password(tsa_password_file),
                    client_certificate=tsa_client_cert,
                    server_roots=tsa_ca,
                    allow_modifications=allow_modifications,
                )
            return function(*args, tsa=tsa, **kwargs)

        return wrapper

    return decorated


def _password(path: str | None) -> str:
    if path is None:
        return ""
    from dsig.secrets import from_file

    return from_file(path).get("passphrase", "the TSA", 0) or ""
