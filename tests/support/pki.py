"""Test keys of the corpus, used through `cryptography` directly and never through dsig's key sources."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

import dsig

CORPUS = Path(__file__).parents[1] / "corpus"
BASE = CORPUS / "base"
PKI = CORPUS / "pki"
HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA1": hashes.SHA1(),
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Signer:
    """A private key and its certificate."""

    key: rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: bytes
    """DER."""

    def sign(self, stream: bytes, mac: str = "SHA256") -> bytes:
        """The value of (0400,0120) over a MAC stream, not padded."""
        algorithm = HASHES[mac]
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(stream, padding.PKCS1v15(), algorithm)
        if isinstance(self.key, dsa.DSAPrivateKey):
            return self.key.sign(stream, algorithm)
        return self.key.sign(stream, ec.ECDSA(algorithm))


@cache
def signer(name: str = "rsa2048") -> Signer:
    """A signer of the corpus."""
    key = load_pem_private_key((PKI / f"{name}.key.pem").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey)
    return Signer(key, certificate(name))


@cache
def certificate(name: str) -> bytes:
    """A certificate of the corpus, DER."""
    return x509.load_pem_x509_certificate((PKI / f"{name}.pem").read_bytes()).public_bytes(Encoding.DER)


@cache
def trusting() -> dsig.TrustMaterial:
    """The corpus root trusted, its intermediate known."""
    return dsig.TrustMaterial(anchors=(certificate("root"),), intermediates=(certificate("inter"),))


def checked(given: object, **options: object) -> dsig.FileReport:
    """Verify with the corpus root trusted."""
    return dsig.verify(given, dsig.VerifyOptions(trust=trusting(), **options))


_OPEN = ExitStack()
atexit.register(_OPEN.close)


@cache
def key(name: str = "rsa2048") -> dsig.OpenKey:
    """A signer of the corpus opened by dsig, for as long as the tests run."""
    uri, given = f"file:{PKI / name}.key.pem", str(PKI / f"{name}.pem")
    return _OPEN.enter_context(dsig.open_key(uri, certificate=given))
