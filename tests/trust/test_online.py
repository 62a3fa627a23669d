"""Fetching with --online: from a server on this machine, within limits, and never without being told to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from support.certificates import CA, Holder, issue, usage
from support.dripping import dripping

from dsig.hookspecs import Revocation, TrustRequest
from dsig.model import Status
from dsig_certvalidator import online
from dsig_certvalidator.trust import CertvalidatorTrust

DAY = timedelta(days=1)
AT_THE_TOP = ("trust-revocation-unknown", "trust-crl-missing")
"""The authority says nowhere who would know about it."""


class Server:
    """Answers by path; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(b"")

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers["Content-Length"])))

            def answer(self, body: bytes) -> None:
                outer.asked.append(self.path)
                made = outer.answers.get(self.path.rpartition("/")[2])
                if isinstance(made, int):
                    self.send_response(made)
                    self.send_header("Location", outer.url("crl") if made == 307 else "file:///etc/passwd")
                    self.end_headers()
                    return
                content = made(body) if callable(made) else made
                self.send_response(200 if content is not None else 404)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_arguments: None  # clients that do not wait for the end are part of the test
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{path}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    yield made
    made.close()


class World:
    """Root, issuing authority, and a signer that says where everything is."""

    def __init__(self, points: str, *, responder: str = "", issuer: str = "") -> None:
        self.root = issue("root", extensions=[CA, usage("key_cert_sign", "crl_sign")])
        self.inter = issue("inter", self.root, [CA, usage("key_cert_sign", "crl_sign")])
        extensions: list[tuple[x509.ExtensionType, bool]] = [usage("digital_signature")]
        if points:
            where = x509.DistributionPoint([x509.UniformResourceIdentifier(points)], None, None, None)
            extensions.append((x509.CRLDistributionPoints([where]), False))
        access = [
            x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
            for method, url in ((Access.OCSP, responder), (Access.CA_ISSUERS, issuer))
            if url
        ]
        if access:
            extensions.append((x509.AuthorityInformationAccess(access), False))
        self.signer = issue("signer", self.inter, extensions)

    def crl(self, *revoked: Holder) -> bytes:
        now = datetime.now(UTC).replace(microsecond=0)
        made = x509.CertificateRevocationListBuilder().issuer_name(self.inter.certificate.subject)
        made = made.last_update(now - DAY).next_update(now + DAY)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            made = made.add_revoked_certificate(entry.revocation_date(now - DAY).build())
        return made.sign(self.inter.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def responder(self, status=ocsp.OCSPCertStatus.GOOD, nonce: bytes | None = b""):
        """Answers requests; an empty nonce is the one asked with."""

        def answer(body: bytes) -> bytes:
            request = ocsp.load_der_ocsp_request(body)
            now = datetime.now(UTC).replace(microsecond=0)
            revoked = now - DAY if status is ocsp.OCSPCertStatus.REVOKED else None
            made = ocsp.OCSPResponseBuilder().add_response(
                self.signer.certificate, self.inter.certificate, hashes.SHA1(), status, now, now + DAY, revoked, None
            )
            made = made.responder_id(ocsp.OCSPResponderEncoding.HASH, self.inter.certificate)
            if nonce is not None:
                asked = request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
                made = made.add_extension(x509.OCSPNonce(nonce or asked), critical=False)
            return made.sign(self.inter.key, hashes.SHA256()).public_bytes(Encoding.DER)

        return answer

    def judged(self, **asked):
        evidence = self.evidence(**asked)
        return evidence.status, [f.code for f in evidence.findings if f.code not in AT_THE_TOP]

    def evidence(self, *, fetch: bool = True, known: bool = True, revocation: Revocation = Revocation.HARD):
        request = TrustRequest(
            certificate=self.signer.der,
            at=datetime.now(UTC).replace(microsecond=0),
            anchors=(self.root.der,),
            intermediates=(self.inter.der,) if known else (),
            revocation=revocation,
            online=fetch,
        )
        return CertvalidatorTrust().evaluate(request)


def test_nothing_is_fetched_without_being_told_to(server):
    world = World(server.url("crl"), responder=server.url("ocsp"), issuer=server.url("issuer"))
    server.answers = {"crl": world.crl(), "ocsp": world.responder(), "issuer": world.inter.der}
    assert world.judged(fetch=False)[0] is Status.INDETERMINATE
    assert world.judged(fetch=False, known=False)[0] is Status.FAILED
    assert server.asked == []


def test_lists_are_fetched(server):
    world = World(server.url("crl"))
    server.answers["crl"] = world.crl()
    assert world.judged() == (Status.PASSED, [])
    server.answers["crl"] = world.crl(world.signer)
    assert world.judged() == (Status.FAILED, ["trust-revoked"])
    assert world.judged(revocation=Revocation.SOFT) == (Status.FAILED, ["trust-revoked"])


def test_responders_are_asked_before_lists(server):
    world = World(server.url("crl"), responder=server.url("ocsp"))
    server.answers["ocsp"] = world.responder()
    assert world.judged() == (Status.PASSED, [])
    server.answers["ocsp"] = world.responder(ocsp.OCSPCertStatus.REVOKED)
    assert world.judged() == (Status.FAILED, ["trust-revoked"])
    assert server.asked == ["/ocsp", "/ocsp"]


def test_a_missing_nonce_is_told_and_another_one_refused(server):
    world = World(server.url("crl"), responder=server.url("ocsp"))
    server.answers = {"ocsp": world.responder(nonce=None)}
    assert world.judged() == (Status.PASSED, ["trust-ocsp-no-nonce"])
    server.answers = {"ocsp": world.responder(nonce=b"another nonce...")}
    assert world.judged() == (Status.INDETERMINATE, ["trust-ocsp-nonce", "trust-fetch-failed"])
    server.answers["crl"] = world.crl()
    assert world.judged() == (Status.PASSED, ["trust-ocsp-nonce"])


@pytest.mark.parametrize("form", ["DER", "PEM", "CMS"])
def test_missing_issuers_are_fetched(server, form):
    world = World("", issuer=server.url("issuer"))
    inter = world.inter
    made = {"DER": inter.der, "PEM": inter.pem}.get(form) or pkcs7.serialize_certificates(
        [inter.certificate], Encoding.DER
    )
    server.answers["issuer"] = made
    assert world.judged(known=False, revocation=Revocation.NONE) == (Status.PASSED, [])


@pytest.mark.parametrize("answer", [None, 500, b"", b"garbage", b"0\x03\x02\x01\x05"])
def test_what_cannot_be_had_is_told(server, answer):
    world = World(server.url("crl"), responder=server.url("ocsp"))
    server.answers = {"crl": answer, "ocsp": answer}
    told = ["trust-fetch-failed", "trust-fetch-failed"]
    assert world.judged() == (Status.INDETERMINATE, told)
    assert world.judged(revocation=Revocation.SOFT) == (Status.PASSED, told)


def test_redirects_lead_to_the_web_and_nowhere_else(server):
    world = World(server.url("moved"))
    server.answers = {"crl": world.crl(), "moved": 307}
    assert world.judged() == (Status.PASSED, [])
    server.answers["moved"] = 302
    assert world.judged() == (Status.INDETERMINATE, ["trust-fetch-failed"])
    assert World("ldap://127.0.0.1/crl").judged() == (Status.INDETERMINATE, ["trust-fetch-failed"])
    assert World("file:///etc/hostname").judged() == (Status.INDETERMINATE, ["trust-fetch-failed"])


def test_answers_have_a_size_and_a_time(server, monkeypatch):
    world = World(server.url("crl"))
    server.answers["crl"] = world.crl() + bytes(3000)
    monkeypatch.setattr(online, "MAX_SIZE", 2000)
    assert world.judged() == (Status.INDETERMINATE, ["trust-fetch-failed"])
    monkeypatch.setattr(online, "TIMEOUT", 0.2)
    monkeypatch.setattr(online, "PATIENCE", 600)
    release, answered = threading.Event(), []

    def slow(_body: bytes) -> bytes:
        answered.append(release.wait(300))
        return b""

    server.answers["crl"] = slow
    assert world.judged() == (Status.INDETERMINATE, ["trust-fetch-failed"])
    assert answered == []
    release.set()


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_who_drips_is_left(monkeypatch, begin):
    monkeypatch.setattr(online, "PATIENCE", 0.5)
    with dripping(begin) as url:
        world = World(f"{url}crl")
        evidence = world.evidence()
    assert evidence.status is Status.INDETERMINATE
    assert "it took too long" in " ".join(f.message for f in evidence.findings)


def test_proxies_of_the_environment_are_used(server, monkeypatch):
    world = World("http://lists.invalid/crl")
    server.answers["crl"] = world.crl()
    monkeypatch.setenv("http_proxy", server.url(""))
    assert world.judged() == (Status.PASSED, [])
    assert server.asked == ["http://lists.invalid/crl"]
