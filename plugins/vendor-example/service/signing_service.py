"""A signing service on one machine: TLS with client certificates, keys that stay inside, an audit list.

    python signing_service.py --certificate server.pem --clients ca.pem --key ct1=ct1.key.pem,ct1.pem --port 8443

It is here so that the plugin is tested against something real; a hospital would put an HSM behind it.
"""

from __future__ import annotations

import argparse
import base64
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

__all__ = ["Key", "SigningService"]

MACS: Mapping[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
LONGEST = 1 << 16


@dataclass(frozen=True)
class Key:
    """A private key and its certificate."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: bytes
    """DER."""

    @classmethod
    def load(cls, key: Path, certificate: Path) -> Key:
        """From PEM files."""
        private = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise TypeError("RSA and EC keys only")
        return cls(private, x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER))

    def sign(self, digest: bytes, mac: str) -> bytes:
        """Over a finished digest. Raises `ValueError` or `KeyError` for what does not fit."""
        made = utils.Prehashed(MACS[mac])
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(digest, padding.PKCS1v15(), made)
        return self.private.sign(digest, ec.ECDSA(made))


@dataclass
class SigningService:
    """The service; `audit` has one line for each signature that was made."""

    keys: Mapping[str, Key]
    audit: list[Mapping[str, str]] = field(default_factory=list)
    before_answering: Callable[[BaseHTTPRequestHandler], bool] = field(default=lambda _handler: True)
    """For tests: may answer itself, or close the connection, and then returns False."""
    _answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Request to what was asked and its signature: who asks again gets the same."""
    _lock: Lock = field(default_factory=Lock)

    def server(self, address: tuple[str, int], certificate: Path, clients: Path) -> ThreadingHTTPServer:
        """An HTTPS server that lets in whom the CA in `clients` certified."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
        service = self

        class Handler(_Handler):
            signing = service

        server = _Server(address, Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        return server

    def sign(self, name: str, order: Mapping[str, Any], client: str) -> str:
        """Sign once for each request. Raises `ValueError` or `KeyError` for an order that makes no sense."""
        asked = json.dumps([name, order["mac"], order["digest"]])
        with self._lock:
            if order["request"] in self._answers:
                before, signature = self._answers[order["request"]]
                if before != asked:
                    raise ValueError("this request was about something else")
                return signature
            digest = base64.b64decode(order["digest"], validate=True)
            signature = base64.b64encode(self.keys[name].sign(digest, order["mac"])).decode()
            self.audit.append({"key": name, "client": client, "mac": order["mac"], "digest": digest.hex()})
            self._answers[order["request"]] = asked, signature
            return signature


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Strangers who break off are no news."""


class _Handler(BaseHTTPRequestHandler):
    signing: SigningService
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        """Describe a key."""
        parts = self.path.strip("/").split("/")
        if len(parts) != 2 or parts[0] != "keys" or parts[1] not in self.signing.keys:
            self.answer(404, {})
            return
        certificate = self.signing.keys[parts[1]].certificate
        self.answer(200, {"certificate": base64.b64encode(certificate).decode(), "chain": []})

    def do_POST(self) -> None:
        """Sign."""
        parts = self.path.strip("/").split("/")
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST:
            self.answer(413, {})
            return
        body = self.rfile.read(length)
        if len(parts) != 3 or parts[::2] != ["keys", "signatures"] or parts[1] not in self.signing.keys:
            self.answer(404, {})
            return
        try:
            signature = self.signing.sign(parts[1], json.loads(body), self.client())
        except (ValueError, KeyError, TypeError):
            self.answer(400, {})
            return
        self.answer(200, {"signature": signature})

    def client(self) -> str:
        """Common name of the client's certificate."""
        shown = self.connection.getpeercert()
        return next((v for entry in shown.get("subject", ()) for k, v in entry if k == "commonName"), "")

    def answer(self, status: int, content: Mapping[str, Any]) -> None:
        """As JSON."""
        if not self.signing.before_answering(self):
            return
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tell nothing: the audit list is what counts."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--certificate", type=Path, required=True, help="PEM of the server, with its key")
    parser.add_argument("--clients", type=Path, required=True, help="PEM of the CA of the clients")
    parser.add_argument("--key", action="append", required=True, metavar="NAME=KEY.pem,CERT.pem")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443)
    given = parser.parse_args()
    keys = {}
    for entry in given.key:
        name, _, files = entry.partition("=")
        key, _, certificate = files.partition(",")
        keys[name] = Key.load(Path(key), Path(certificate))
    SigningService(keys).server((given.host, given.port), given.certificate, given.clients).serve_forever()


if __name__ == "__main__":
    main()
