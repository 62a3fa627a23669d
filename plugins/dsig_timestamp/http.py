"""TSAs over HTTP (RFC 3161 3.4): patient with those that are busy, short with everybody else."""

from __future__ import annotations

import base64
import errno
import http.client
import ipaddress
import ssl
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future
from email.message import Message
from typing import IO, NoReturn
from urllib.parse import urlsplit

from dsig.errors import InputError, UsageError, Where
from dsig.hookspecs import TimestampRequest

__all__ = ["HttpTsa"]

MAX_RESPONSE = 1 << 20
"""Bytes; responses have a few thousand."""
BUSY = frozenset((408, 425, 429, 500, 502, 503, 504))
"""HTTP status codes that may be gone a moment later."""
_CHUNK = 1 << 14


class HttpTsa:
    """`dsig.hookspecs.TimestampSource`; proxies as the environment names them (`https_proxy`, `no_proxy`)."""

    def stamp(self, request: TimestampRequest) -> bytes:
        """POST the query. Raises `UsageError` for a request that cannot be made, `InputError` for no answer."""
        opener, headers = _opener(request), _headers(request)
        pause, problem = request.pause, "it was not asked"
        for attempt in range(max(1, request.attempts)):
            if attempt:
                time.sleep(pause)
                pause *= 2
            try:
                return _ask(opener, request, headers)
            except urllib.error.HTTPError as error:
                problem = f"HTTP status {error.code}"
                error.close()
                if error.code not in BUSY:
                    break
            except (OSError, http.client.HTTPException) as error:
                problem = _reason(error)
        raise _nothing(problem, request)


def _ask(opener: urllib.request.OpenerDirector, request: TimestampRequest, headers: dict[str, str]) -> bytes:
    """One attempt; a TSA that answers byte by byte does not get longer than one that does not answer.

    The library's timeout is for each step: it knows none for names, handshakes and headers together. So the attempt is
    made on a thread, which is left alone when time is up.
    """
    outcome: Future[bytes] = Future()

    def attempt() -> None:
        try:
            outcome.set_result(_answer(opener, request, headers))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=attempt, name="dsig-tsa", daemon=True).start()
    return outcome.result(timeout=request.timeout)


def _answer(opener: urllib.request.OpenerDirector, request: TimestampRequest, headers: dict[str, str]) -> bytes:
    deadline = time.monotonic() + request.timeout
    asked = urllib.request.Request(request.url, data=request.query, headers=headers, method="POST")  # noqa: S310 - scheme checked
    with opener.open(asked, timeout=request.timeout) as reply:
        kind = reply.headers.get_content_type() if "Content-Type" in reply.headers else ""
        if kind.startswith("text/"):
            raise _nothing(f"it sent {kind} instead of a timestamp", request)
        data = bytearray()
        while chunk := reply.read1(_CHUNK):
            data += chunk
            if len(data) > MAX_RESPONSE:
                raise OSError(errno.EMSGSIZE, f"it answered more than {MAX_RESPONSE} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(data)


def _opener(request: TimestampRequest) -> urllib.request.OpenerDirector:
    """What follows no redirection: the answer must come from who was asked."""
    parts = urlsplit(request.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        _refuse("it is no http or https URL", request)
    if not request.url.isprintable() or " " in request.url:
        _refuse("it holds characters no URL has", request)
    if parts.username or parts.password:
        _refuse("it holds a user or password, which everybody on this machine can read", request)
    if request.user and parts.scheme != "https" and not _is_here(parts.hostname):
        _refuse("a password is sent by https only", request)
    context = ssl.create_default_context()
    try:
        if request.server_roots:
            context = ssl.create_default_context(cafile=request.server_roots)
        if request.client_certificate:
            context.load_cert_chain(request.client_certificate, password=_encrypted)
    except (OSError, ValueError) as error:
        _refuse(f"a certificate for TLS cannot be used: {_reason(error)}", request)
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirection())


def _encrypted() -> str:
    """Instead of the library, which would ask on the terminal."""
    raise ValueError("its key is encrypted")


def _headers(request: TimestampRequest) -> dict[str, str]:
    headers = {
        "Content-Type": "application/timestamp-query",
        "Accept": "application/timestamp-reply",
        "User-Agent": "dsig",
    }
    if request.user:
        pair = f"{request.user}:{request.password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
    return headers


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """A redirection is an HTTP error like others."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002 - the interface of the library
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        """Follow nothing."""
        return


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: BaseException) -> str:
    """What went wrong, without anything the server or a secret may have put into it."""
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "it took too long"
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its TLS certificate is not to be trusted ({inner.verify_message})"
    if isinstance(inner, OSError):
        return inner.strerror or type(inner).__name__
    if isinstance(inner, ValueError):
        return "the key is encrypted, or the file is none"
    return type(inner).__name__


def _nothing(reason: str, request: TimestampRequest) -> InputError:
    return InputError(f"the TSA did not answer: {reason}", code="timestamp-no-answer", where=Where(request.url))


def _refuse(reason: str, request: TimestampRequest) -> NoReturn:
    shown = request.url if "@" not in request.url else f"{urlsplit(request.url).scheme}://…"
    raise UsageError(f"this TSA cannot be asked: {reason}", code="timestamp-source", where=Where(shown))
