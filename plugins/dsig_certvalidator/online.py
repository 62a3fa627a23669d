"""Fetching what certificates point to, with `--online` and never otherwise: issuers, CRLs, OCSP answers.

What comes back is as untrusted as any other file. But asking tells others what is being looked at, and certificates say
whom to ask; so there are limits on everything, no scheme but http and https, and proxies of the environment are used.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from typing import Any

from asn1crypto import cms, pem
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from dsig.model import Finding
from dsig_certvalidator import reading
from dsig_certvalidator.reading import Readable, finding, one_line

__all__ = ["Fetcher"]

TIMEOUT = 10.0
"""Seconds without a sign of life."""
PATIENCE = 60.0
"""Seconds for everything one certificate needs."""
MAX_REQUESTS = 16
MAX_REDIRECTS = 3
MAX_SIZE = 32 << 20
"""Bytes of one answer; CRLs of large authorities have some ten million."""
MAX_ISSUERS = 8
"""Steps from a certificate to its issuer to the next."""

TOO_LONG = "it took too long"

_CHUNK = 1 << 16


class NotFetchedError(Exception):
    """Why there is no answer, in a few words."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MAX_REDIRECTS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Follow to http and https only."""
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str) -> None:
    if not url.lower().startswith(("http://", "https://")):
        raise NotFetchedError("it is neither http nor https")


@dataclass(slots=True)
class Fetcher:
    """One budget for all requests on behalf of one certificate."""

    notes: list[Finding] = field(default_factory=list)
    """What could not be had."""
    requests: int = 0
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    seen: dict[str, bytes | None] = field(default_factory=dict)

    def issuers(self, certificate: Any, given: Readable) -> None:
        """Add issuers that are not at hand, from where certificates say they are, up to an anchor."""
        _fetch_issuers(certificate, given, self)

    def revocation(self, certificate: Any, issuer: Any, given: Readable) -> bool:
        """Add an OCSP answer or a CRL about a certificate; False if there is nothing new."""
        return _fetch_revocation(certificate, issuer, given, self)

    def get(self, url: str) -> bytes | None:
        """The body behind a URL, None with a note if there is none; asked once."""
        if url not in self.seen:
            self.seen[url] = self._noted(url, urllib.request.Request(url) if _is_web(url) else None)  # noqa: S310
        return self.seen[url]

    def post(self, url: str, body: bytes, kind: str) -> bytes | None:
        """The answer to a body sent there."""
        headers = {"Content-Type": kind}
        return self._noted(url, urllib.request.Request(url, body, headers) if _is_web(url) else None)  # noqa: S310

    def _noted(self, url: str, request: urllib.request.Request | None) -> bytes | None:
        try:
            if request is None:
                raise NotFetchedError("it is neither http nor https")
            return self._fetch(request)
        except NotFetchedError as error:
            reason = str(error)
        except urllib.error.HTTPError as error:
            reason = f"HTTP status {error.code}"
            error.close()
        except (OSError, HTTPException, ValueError) as error:
            inner = getattr(error, "reason", None) or error
            reason = TOO_LONG if isinstance(inner, TimeoutError) else one_line(ValueError(inner))
        told = f"could not fetch {one_line(ValueError(url))}: {reason}"
        self.notes.append(finding("trust-fetch-failed", told, "warning", clause="RFC 5280 4.2.2.1"))
        return None

    def _fetch(self, request: urllib.request.Request) -> bytes:
        self.requests += 1
        if self.requests > MAX_REQUESTS:
            raise NotFetchedError("there were too many requests for one certificate")
        request.add_header("User-Agent", "dsig")
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(),
        ):
            opener.add_handler(handler)
        return _before(self.deadline, partial(_read, opener, request, self.deadline))


def _read(opener: urllib.request.OpenerDirector, request: urllib.request.Request, deadline: float) -> bytes:
    """The body of one answer."""
    with opener.open(request, timeout=max(0.1, min(TIMEOUT, deadline - time.monotonic()))) as answer:
        body = bytearray()
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > MAX_SIZE:
                raise NotFetchedError(f"the answer is larger than {MAX_SIZE} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
    return bytes(body)


def _before(deadline: float, work: Callable[[], bytes]) -> bytes:
    """What `work` gives, done on a thread that is left alone when time is up.

    The library's timeout is for each step: it knows none for names, handshakes and headers together.
    """
    outcome: Future[bytes] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, name="dsig-fetch", daemon=True).start()
    try:
        return outcome.result(timeout=max(0.1, deadline - time.monotonic()))
    except TimeoutError:  # whichever limit was reached first
        raise NotFetchedError(TOO_LONG) from None


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


# ------------------------------------------------------------------------------------------------------------- issuers


def _fetch_issuers(certificate: Any, given: Readable, fetcher: Fetcher) -> None:
    current = certificate
    for _ in range(MAX_ISSUERS):
        if current.issuer == current.subject:
            return
        known = [one for one in (*given.anchors, *given.intermediates) if one.subject == current.issuer]
        if not known:
            for url in _locations(current, "ca_issuers"):
                body = fetcher.get(url)
                known += (one for one in _certificates(body or b"") if one.subject == current.issuer)
            given.intermediates += known
        if not known or any(one in given.anchors for one in known):
            return
        current = known[0]


def _locations(certificate: Any, method: str) -> list[str]:
    """URLs of Authority Information Access (RFC 5280 4.2.2.1)."""
    return [
        entry["access_location"].native
        for entry in certificate.authority_information_access_value or ()
        if entry["access_method"].native == method and entry["access_location"].name == "uniform_resource_identifier"
    ]


def _certificates(body: bytes) -> Iterator[Any]:
    """Certificates in DER, PEM, or as a certs-only CMS message (RFC 5280 4.2.2.1)."""
    try:
        if pem.detect(body):
            for _kind, _headers, der in pem.unarmor(body, multiple=True):
                yield reading.certificate(der)
            return
        try:
            yield reading.certificate(body)
        except ValueError:
            for choice in cms.ContentInfo.load(body)["content"]["certificates"]:
                yield reading.certificate(choice.chosen.dump())
    except (ValueError, TypeError, KeyError):
        return


# ---------------------------------------------------------------------------------------------------------- revocation


def _fetch_revocation(certificate: Any, issuer: Any, given: Readable, fetcher: Fetcher) -> bool:
    for url in _locations(certificate, "ocsp"):
        if _ask_responder(url, certificate, issuer, given, fetcher):
            return True
    found = False
    for url in _crl_locations(certificate):
        body = fetcher.get(url)
        if body is None:
            continue
        try:
            der = pem.unarmor(body)[2] if pem.detect(body) else body
            given.crls.append(reading.crl_(der))
            found = True
        except (ValueError, TypeError) as error:
            fetcher.notes.append(_unreadable(url, error))
    return found


def _crl_locations(certificate: Any) -> list[str]:
    """URLs of CRL Distribution Points (RFC 5280 4.2.1.13)."""
    return [
        name.native
        for point in certificate.crl_distribution_points_value or ()
        if point["distribution_point"].name == "full_name"
        for name in point["distribution_point"].chosen
        if name.name == "uniform_resource_identifier"
    ]


def _ask_responder(url: str, certificate: Any, issuer: Any, given: Readable, fetcher: Fetcher) -> bool:
    nonce = os.urandom(16)
    try:
        request = (
            ocsp.OCSPRequestBuilder()
            .add_certificate(
                pyca.load_der_x509_certificate(certificate.dump()),
                pyca.load_der_x509_certificate(issuer.dump()),
                hashes.SHA1(),  # noqa: S303 - names the certificate, as RFC 5019 2.1.1 has it; protects nothing
            )
            .add_extension(pyca.OCSPNonce(nonce), critical=False)
            .build()
        )
    except ValueError as error:
        fetcher.notes.append(_unreadable(url, error))
        return False
    body = fetcher.post(url, request.public_bytes(Encoding.DER), "application/ocsp-request")
    if body is None:
        return False
    try:
        answer = reading.ocsp_(body)
    except (ValueError, TypeError) as error:
        fetcher.notes.append(_unreadable(url, error))
        return False
    successful = answer["response_status"].native == "successful"
    if successful and not _fresh(answer, nonce, url, fetcher):
        return False
    given.ocsps.append(answer)
    return bool(successful)


def _fresh(answer: Any, nonce: bytes, url: str, fetcher: Fetcher) -> bool:
    """Whether the answer is to this request (RFC 9654); many responders sign in advance and have no nonce."""
    said = answer.basic_ocsp_response["tbs_response_data"]["response_extensions"]
    for extension in said or ():
        if extension["extn_id"].native == "nonce":
            if extension["extn_value"].parsed.native == nonce:
                return True
            told = f"the OCSP responder {one_line(ValueError(url))} answered another request"
            fetcher.notes.append(finding("trust-ocsp-nonce", told, "warning", clause="RFC 9654 2.1"))
            return False
    told = f"the OCSP responder {one_line(ValueError(url))} repeats no nonce, so its answer may be an older one"
    fetcher.notes.append(finding("trust-ocsp-no-nonce", told, "info", clause="RFC 9654 2.1"))
    return True


def _unreadable(url: str, error: Exception) -> Finding:
    told = f"what {one_line(ValueError(url))} answers cannot be read: {one_line(error)}"
    return finding("trust-fetch-failed", told, "warning", clause="RFC 5280 4.2.2.1")
