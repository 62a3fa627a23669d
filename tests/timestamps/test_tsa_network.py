"""TSAs that are far away: TLS with client certificates, proxies, pauses, and servers that never come to an end."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import tsa
from support.dripping import dripping
from support.pki import BASE, PKI
from timestamps.conftest import GOOD

import dsig
from dsig import TimestampPolicy, TsaOptions
from dsig.cli import main
from dsig_timestamp import http

pytestmark = pytest.mark.interop

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """Who certifies servers and their clients."""
    made = tsa.Authority(tmp_path_factory.mktemp("web"), "Web")
    made.certificate("server", "server")
    made.certificate("elsewhere", "elsewhere")
    made.certificate("outdated", "server", end="20210101000000Z")
    made.certificate("client", "client")
    return made


@pytest.fixture(scope="module")
def strange_web(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    made = tsa.Authority(tmp_path_factory.mktemp("strange-web"), "Web")
    made.certificate("client", "client")
    return made


def both(authority: tsa.Authority, name: str = "client") -> str:
    """Certificate and key in one file."""
    path = authority.directory / f"{name}.both.pem"
    path.write_bytes(authority.issued[name].read_bytes() + authority.key(name).read_bytes())
    return str(path)


def tls(web: tsa.Authority, name: str = "server", *, client: bool = True) -> ssl.SSLContext:
    """The side of a server that wants a certificate of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(web.issued[name], web.key(name))
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(web.root)
    return context


def asking(*urls: str, **more: object) -> TsaOptions:
    return TsaOptions(**{"urls": urls, "pause": 0.01, "timeout": 120, "attempts": 1} | more)


# ---------------------------------------------------------------------------------------------------------------- TLS


def test_a_tsa_over_tls_that_wants_a_client_certificate(stamps: tsa.Authority, web: tsa.Authority, roots):
    with tsa.serving(stamps, tls(web)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        known = asking(server.url, client_certificate=both(web), server_roots=str(web.root))
        done = dsig.timestamp(GOOD.file(), tsa=known)
    assert server.clients == ["Web client"]
    trust = dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"])
    options = dsig.VerifyOptions(trust=trust, tsa_trust=roots, timestamps=TimestampPolicy.REQUIRE)
    assert dsig.verify(done.output, options).verdict == "passed"


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("server", lambda web, strange: {"server_roots": str(web.root)}, ""),
        ("server", lambda web, strange: {"server_roots": str(web.root), "client_certificate": both(strange)}, ""),
        ("server", lambda web, strange: {"client_certificate": both(web)}, "not to be trusted"),
        ("server", lambda web, strange: {"client_certificate": both(web), "server_roots": str(strange.root)}, "not to"),
        ("elsewhere", lambda web, strange: {"client_certificate": both(web), "server_roots": str(web.root)}, "not to"),
        ("outdated", lambda web, strange: {"client_certificate": both(web), "server_roots": str(web.root)}, "not to"),
    ],
    ids=["no client", "strange client", "system roots", "strange root", "other host", "expired"],
)
def test_nobody_is_stamped_for_or_believed_who_is_not_known(stamps, web, strange_web, name, more, told):
    with tsa.serving(stamps, tls(web, name)) as server:
        with pytest.raises(dsig.OutputError) as caught:
            dsig.timestamp(GOOD.file(), tsa=asking(server.url, **more(web, strange_web)))
        assert (caught.value.code, server.asked) == ("timestamp-unavailable", [])
    assert told in caught.value.message


def test_the_command_line_reaches_it(stamps: tsa.Authority, web: tsa.Authority, tmp_path: Path):
    def sign(*more: object) -> int:
        keys = ("--key", PKI / "p256.key.pem", "--cert", PKI / "p256.pem")
        urls = ("--timestamp", server.url, "--tsa-attempts", 1, "--tsa-ca", web.root)
        out = tmp_path / "out.dcm"
        status = main([str(a) for a in ("sign", BASE / "ct.dcm", "-o", out, *keys, *urls, *more)])
        assert out.exists() == (status == 0)
        return status

    with tsa.serving(stamps, tls(web)) as server:
        assert sign() == 8
        assert sign("--tsa-client-cert", tmp_path / "none.pem") == 2
        assert sign("--tsa-client-cert", both(web)) == 0
        assert (len(server.asked), server.clients) == (1, ["Web client"])


def test_passwords_travel_over_tls(stamps: tsa.Authority, web: tsa.Authority):
    with tsa.serving(stamps, tls(web, client=False)) as server:
        known = asking(server.url, server_roots=str(web.root), user="radiology", password="open sesame")
        dsig.timestamp(GOOD.file(), tsa=known)
    assert server.headers[0]["Authorization"] == "Basic cmFkaW9sb2d5Om9wZW4gc2VzYW1l"


# ------------------------------------------------------------------------------------------------------------ proxies


@contextmanager
def tunnel() -> Iterator[tuple[str, list[str]]]:
    """A proxy for CONNECT (RFC 9110 9.3.6) that leads everywhere to 127.0.0.1: its URL, and what it was asked for."""
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode()
            while self.rfile.readline().strip():
                pass
            target = line.split()[1]
            asked.append(line.rpartition(" ")[0])
            with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as other:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=carried, args=(other, self.connection))
                back.start()
                carried(self.connection, other)
                back.join()

    def carried(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def test_proxies_of_the_environment_are_used_for_tls(stamps, web, monkeypatch: pytest.MonkeyPatch):
    """The handshake is with the TSA, whoever carries it."""
    with tsa.serving(stamps, tls(web)) as server, tunnel() as (proxy, asked):
        monkeypatch.setenv("https_proxy", proxy)
        known = asking(server.url, client_certificate=both(web), server_roots=str(web.root))
        dsig.timestamp(GOOD.file(), tsa=known)
        assert asked == [f"CONNECT 127.0.0.1:{server.port}"]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        dsig.timestamp(GOOD.file(), tsa=known)
        assert (len(asked), server.clients) == (1, ["Web client"] * 2)


def test_proxies_of_the_environment_are_used(stamps: tsa.Authority, monkeypatch: pytest.MonkeyPatch):
    with tsa.serving(stamps) as server:
        monkeypatch.setenv("http_proxy", server.url)
        done = dsig.timestamp(GOOD.file(), tsa=asking("http://tsa.invalid/stamp"))
        assert (done.source, server.paths) == ("http://tsa.invalid/stamp", ["http://tsa.invalid/stamp"])
        monkeypatch.setenv("no_proxy", "tsa.invalid")
        with pytest.raises(dsig.OutputError):
            dsig.timestamp(GOOD.file(), tsa=asking("http://tsa.invalid/stamp", timeout=3))


# ----------------------------------------------------------------------------------------------------------- patience


def test_pauses_double_and_attempts_end(stamps: tsa.Authority, monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []
    monkeypatch.setattr(http, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))
    with tsa.serving(stamps) as server:
        server.answers = [503, 429, 504]
        dsig.timestamp(GOOD.file(), tsa=asking(server.url, attempts=4, pause=1.5))
        assert pauses == [1.5, 3.0, 6.0]
        server.answers = [503] * 9
        with pytest.raises(dsig.OutputError, match="HTTP status 503"):
            dsig.timestamp(GOOD.file(), tsa=asking(server.url, attempts=2))
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "begin",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"],
    ids=["status", "headers", "body"],
)
def test_a_tsa_that_drips_is_left(begin: bytes):
    """Each byte comes in time; all of them never do."""
    with dripping(begin) as url, pytest.raises(dsig.OutputError, match="it took too long"):
        dsig.timestamp(GOOD.file(), tsa=asking(url, timeout=0.5))


def test_an_answer_has_a_size(stamps: tsa.Authority):
    with tsa.serving(stamps) as server:
        server.answers = [bytes(http.MAX_RESPONSE + 1)]
        with pytest.raises(dsig.OutputError, match="more than 1048576 bytes"):
            dsig.timestamp(GOOD.file(), tsa=asking(server.url))


def test_a_page_is_no_timestamp(stamps: tsa.Authority):
    """A portal that wants a login first, say."""
    with tsa.serving(stamps) as server:
        server.kind = "text/html; charset=utf-8"
        with pytest.raises(dsig.OutputError, match="text/html instead of a timestamp"):
            dsig.timestamp(GOOD.file(), tsa=asking(server.url, attempts=3))
        assert len(server.asked) == 1
        server.kind = "application/octet-stream"  # RFC 3161 3.4 wants another, and the token proves itself
        dsig.timestamp(GOOD.file(), tsa=asking(server.url))
