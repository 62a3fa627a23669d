"""A time stamp authority on this machine: tokens by the `openssl` program, HTTP by the standard library."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from dsig.testing.pki import Pki

__all__ = ["Tsa", "serving", "silent"]

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
MAX_QUERY = 1 << 20
"""Bytes."""


@dataclass
class Tsa:
    """A running TSA."""

    url: str
    root: bytes
    """DER of the certificate to trust, that of a root which issued the TSA's."""
    queries: list[bytes] = field(default_factory=list)
    """What it was asked, DER."""
    statuses: list[int] = field(default_factory=list)
    """HTTP status codes to give instead of an answer to the next queries, such as 503."""


@contextmanager
def serving(pki: Pki, directory: Path) -> Iterator[Tsa]:
    """A TSA at 127.0.0.1, certified by the root of `pki`, until the block ends. Raises `RuntimeError` without openssl.

    It writes into `directory`.
    """
    program = shutil.which("openssl")
    if program is None:
        raise RuntimeError("the TSA of the kit runs the openssl program, which is not here: apt-get install openssl")
    pki.certify("tsa", issuer=pki.root, timestamping=True).write(directory, "tsa")
    (directory / "ts.cnf").write_text(CONFIG)
    (directory / "serial").write_text("01\n")
    one_by_one = Lock()  # the file with the serial number is one
    tsa = Tsa("", pki.root.certificate)

    def stamp(query: bytes) -> bytes:
        (directory / "query").write_bytes(query)
        answering = [program, "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out", "response"]
        ran = subprocess.run(answering, cwd=directory, capture_output=True, check=False)  # noqa: S603 - made here
        if ran.returncode:
            raise RuntimeError(ran.stderr.decode())
        return (directory / "response").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(min(MAX_QUERY, int(self.headers.get("Content-Length", 0))))
            with one_by_one:
                tsa.queries.append(query)
                status = tsa.statuses.pop(0) if tsa.statuses else 200
                body = stamp(query) if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface of the library
            """Say nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        tsa.url = f"http://127.0.0.1:{http.server_address[1]}/tsa"
        thread = Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield tsa
        finally:
            http.shutdown()
            thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """URL where connections are taken and nothing is ever said, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the system takes connections, nobody answers them
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/tsa"
