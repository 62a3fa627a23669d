"""The key source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.x509.oid import NameOID

from dsig.errors import KeySourceError
from dsig.hookspecs import KeyRequest, MacAlgorithmSpec, Secrets

__all__ = ["MemoryKeys"]


class MemoryKeys:
    """Makes a key for whatever name follows the scheme."""

    @contextmanager
    def open(self, request: KeyRequest, secrets: Secrets) -> Iterator[MemorySigner]:
        """A new key, gone at the end of the block. Raises `KeySourceError` if there is no name for it."""
        name = request.uri.partition(":")[2]
        if not name:
            raise KeySourceError("an Acme key needs a name", hint="write acme:NAME")
        if request.certificate is not None:
            raise KeySourceError("an Acme key makes its own certificate", hint="leave --cert out")
        yield MemorySigner(name)


class MemorySigner:
    """An RSA key and a certificate it signed itself."""

    def __init__(self, name: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = _certificate(name, self._key)
        self.chain: tuple[bytes, ...] = ()

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """RSASSA-PKCS1-v1_5 with the DigestInfo of `mac`, whichever it is."""
        return self._key.sign(mac.digest_info(digest), padding.PKCS1v15(), utils.NoDigestInfo())


def _certificate(name: str, key: rsa.RSAPrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)
