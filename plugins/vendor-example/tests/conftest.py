"""The service running beside the tests, with a PKI made for them."""

from __future__ import annotations

import datetime
import ipaddress
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dsig.testing.pki import shared
from signing_service import Key, SigningService

pytest_plugins = ["dsig.testing.fixtures"]

PASSPHRASE = "modality-passphrase"


@dataclass
class Running:
    """The service and how to reach it."""

    service: SigningService
    directory: Path
    port: int

    def uri(self, key: str = "ct1", *, client: str = "modality", ca: str = "ca") -> str:
        return (
            f"vendor://localhost:{self.port}/{key}?ca={self.directory / ca}.pem"
            f"&client-cert={self.directory / client}.pem"
        )


@pytest.fixture(scope="session")
def tls(tmp_path_factory) -> Path:
    """`server`, `modality` and `locked` of one CA, `stranger` of another."""
    directory = tmp_path_factory.mktemp("tls")
    authorities = {}
    for name in ("ca", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        authorities[name] = key, certificate(name, key, name, key, ca=True)
        (directory / f"{name}.pem").write_bytes(authorities[name][1].public_bytes(Encoding.PEM))
    for name, issuer in (("server", "ca"), ("modality", "ca"), ("locked", "ca"), ("stranger", "other")):
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate(name, key, issuer, authorities[issuer][0])
        locking = BestAvailableEncryption(PASSPHRASE.encode()) if name == "locked" else NoEncryption()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locking)
        (directory / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM) + private)
    return directory


def certificate(name, key, issuer, issuer_key, *, ca=False) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.fixture(scope="session")
def started(tls) -> Running:
    keys = {}
    for name, signer in (("ct1", "rsa2048"), ("mr1", "p256")):
        of_pki = shared().signers[signer]
        keys[name] = Key(of_pki.key, of_pki.certificate)
    service = SigningService(keys)
    server = service.server(("127.0.0.1", 0), tls / "server.pem", tls / "ca.pem")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Running(service, tls, server.server_address[1])
    server.shutdown()
    server.server_close()


@pytest.fixture
def service(started) -> Running:
    """The service with an empty audit list, in good order."""
    started.service.audit.clear()
    started.service.before_answering = lambda _handler: True
    yield started
    started.service.before_answering = lambda _handler: True
