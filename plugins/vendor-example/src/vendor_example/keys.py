"""The key source: digest in, signature out, over HTTPS with a client certificate."""

from __future__ import annotations

import base64
import binascii
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from dsig.errors import KeySourceError, UsageError
from dsig.hookspecs import KeyRequest, MacAlgorithmSpec, Secrets

__all__ = ["RemoteKeySource", "RemoteSigner"]

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
ATTEMPTS = 4
PAUSE = 0.25
"""Seconds before the second attempt; doubled before each further one."""
BUSY = frozenset((429, 502, 503, 504))
"""Answers after which asking again may help."""
LONGEST = 1 << 20
"""Bytes of an answer."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the URI says."""

    base: str
    key: str
    ca: str
    client_certificate: str

    @classmethod
    def of(cls, uri: str) -> Address:
        """Read `vendor://HOST:PORT/KEY?ca=FILE&client-cert=FILE`. Raises `UsageError`."""
        parts = urlsplit(uri)
        wanted = ("ca", "client-cert")
        options = parse_qs(parts.query, keep_blank_values=True)
        key = parts.path.strip("/")
        if parts.username or parts.password:
            raise UsageError("a vendor: URI holds no passwords", hint="use client-cert=FILE")
        if not parts.hostname or not key or "/" in key or set(options) != set(wanted):
            raise UsageError(
                "this vendor: URI cannot be used", hint="write vendor://HOST:PORT/KEY?ca=FILE&client-cert=FILE"
            )
        return cls(f"https://{parts.netloc}", key, options["ca"][-1], options["client-cert"][-1])


class RemoteKeySource:
    """Implements `dsig.hookspecs.KeySource`."""

    @contextmanager
    def open(self, request: KeyRequest, secrets: Secrets) -> Iterator[RemoteSigner]:
        """Connect, and ask the service for the certificate of the key. Raises `KeySourceError` or `UsageError`."""
        address = Address.of(request.uri)
        context = _context(address, secrets)
        with httpx.Client(
            base_url=address.base, verify=context, timeout=TIMEOUT, trust_env=False, follow_redirects=False
        ) as client:
            described = _asked(client, "GET", f"/keys/{address.key}")
            yield RemoteSigner(
                client,
                address.key,
                _decoded(described, "certificate"),
                tuple(_decoded({"certificate": c}, "certificate") for c in described.get("chain", [])),
            )


class RemoteSigner:
    """Implements `dsig.hookspecs.Signer`; threads may share it, as they may share its client."""

    def __init__(self, client: httpx.Client, key: str, certificate: bytes, chain: tuple[bytes, ...]) -> None:
        self._client = client
        self._key = key
        self.certificate = certificate
        self.chain = chain

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """Have a digest signed; asking again for a lost answer does not sign again. Raises `KeySourceError`."""
        order = {
            "request": str(uuid.uuid4()),
            "mac": mac.name,
            "oid": mac.oid,
            "digest": base64.b64encode(digest).decode(),
        }
        return _decoded(_asked(self._client, "POST", f"/keys/{self._key}/signatures", order), "signature")


def _context(address: Address, secrets: Secrets) -> ssl.SSLContext:
    """TLS that believes one CA and shows one certificate."""

    def passphrase() -> str:
        # the library calls this only for an encrypted key, and again never
        return secrets.get("passphrase", address.client_certificate) or ""

    try:
        context = ssl.create_default_context(cafile=address.ca)
    except (OSError, ssl.SSLError):
        raise KeySourceError(f"the CA file {address.ca!r} cannot be used", hint="give a PEM file with ca=") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(address.client_certificate, password=passphrase)
    except (OSError, ssl.SSLError, ValueError):
        raise KeySourceError(
            f"the client certificate {address.client_certificate!r} cannot be used",
            hint="client-cert= names a PEM file with certificate and private key; is the passphrase right?",
        ) from None
    return context


def _asked(client: httpx.Client, method: str, path: str, order: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """One answer, whatever it takes within reason."""
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            answer = client.request(method, path, json=order)
        except httpx.TransportError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
                raise KeySourceError(
                    "the signing service shows a certificate that the CA given did not issue",
                    hint="check the host name and ca=",
                ) from None
            problem = f"cannot be reached ({type(error).__name__})"
            continue
        if answer.status_code not in BUSY:
            return _read(answer)
        problem = f"is busy (HTTP {answer.status_code})"
    raise KeySourceError(
        f"the signing service {problem}, asked {ATTEMPTS} times", hint="try again later; nothing was written"
    )


def _read(answer: httpx.Response) -> Mapping[str, Any]:
    if answer.status_code == 404:
        raise KeySourceError("the signing service has no such key", hint="check the name behind the host")
    if answer.status_code in (401, 403):
        raise KeySourceError(
            "the signing service does not let this client use the key", hint="ask for access for the client certificate"
        )
    if answer.status_code != 200:
        raise KeySourceError(
            f"the signing service refuses (HTTP {answer.status_code})", hint="ask those who run the service"
        )
    if len(answer.content) > LONGEST:
        raise _nonsense()
    try:
        content = answer.json()
    except ValueError:
        raise _nonsense() from None
    if not isinstance(content, dict):
        raise _nonsense()
    return content


def _decoded(content: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(content[name], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise _nonsense() from None


def _nonsense() -> KeySourceError:
    return KeySourceError("the answer of the signing service cannot be read", hint="is this the right host and port?")
