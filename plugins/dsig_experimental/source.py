"""The key source `experimental`: private keys in PEM files, PKCS#8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from dsig.errors import KeySourceError, Where
from dsig.hookspecs import KeyRequest, MacAlgorithmSpec, Secrets
from dsig_experimental.algorithms import UnknownError, kind_of, message, permitted, pss, public_key

__all__ = ["ExperimentalKeys"]

MAX_FILE = 1 << 20


class ExperimentalKeys:
    """Opens keys of RSASSA-PSS, Ed25519 and ML-DSA; `dsig.hookspecs.KeySource`."""

    @contextmanager
    def open(self, request: KeyRequest, secrets: Secrets) -> Iterator[_Signer]:
        """Read key and certificate and prove that they belong together. Raises `KeySourceError`."""
        file = request.uri.partition(":")[2]
        content = _read(file)
        key = _key(content, secrets, file)
        source = request.certificate or file
        certificates = _certificates(_read(source), source)
        try:
            kind_of(certificates[0])
            public = public_key(certificates[0])
        except UnknownError as error:
            hint = (
                "write file:PATH for RSA, DSA and EC keys" if "OpenSSL" not in str(error) else "cryptography 49 has it"
            )
            raise KeySourceError(str(error), code="key-type", where=Where(source), hint=hint) from None
        except ValueError as error:
            raise KeySourceError(str(error), code="key-type", where=Where(source)) from None
        if public != key.public_key():
            raise KeySourceError(
                "the private key and the certificate do not belong together",
                code="key-mismatch",
                where=Where(source),
                hint="give the certificate that was issued for this key with --cert",
            )
        ders = [certificate.public_bytes(Encoding.DER) for certificate in certificates]
        yield _Signer(key, ders[0], tuple(dict.fromkeys(der for der in ders if der != ders[0])), file)


class _Signer:
    """`dsig.hookspecs.Signer`."""

    def __init__(self, key: Any, certificate: bytes, chain: Sequence[bytes], file: str) -> None:
        self._key = key
        self._file = file
        self.certificate = certificate
        """DER."""
        self.chain = chain
        """DER."""

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """As `dsig_experimental.algorithms` has it. Raises `KeySourceError`."""
        if not isinstance(self._key, rsa.RSAPrivateKey):
            value: bytes = self._key.sign(message(digest, mac))
            return value
        try:
            padding, prehashed = pss(mac)
        except UnknownError as error:
            raise self._refused(str(error)) from None
        if problem := permitted(self.certificate, mac):
            raise self._refused(problem)
        try:
            return self._key.sign(digest, padding, prehashed)
        except ValueError:
            raise self._refused(f"the key is too small for {mac.name}, or the digest is none") from None

    def _refused(self, reason: str) -> KeySourceError:
        return KeySourceError(
            reason, code="key-unsupported", where=Where(self._file), hint="choose another --mac or key"
        )


def _read(file: str) -> bytes:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is none"
        raise KeySourceError(
            f"the file cannot be read: {reason}", code="file-unreadable", where=Where(file), hint="check the path"
        ) from None
    if len(content) > MAX_FILE:
        raise KeySourceError(f"the file has more than {MAX_FILE} bytes", code="file-too-large", where=Where(file))
    return content


def _key(content: bytes, secrets: Secrets, file: str) -> Any:
    """The private key; nothing raised carries a cause, which may carry key material."""
    passphrase: str | None = None
    while True:
        try:
            return load_pem_private_key(content, None if passphrase is None else passphrase.encode())
        except TypeError:  # the library's way to say that the key is encrypted, or that it is not
            if passphrase is not None:
                raise _no_key(file) from None
        except UnsupportedAlgorithm:
            raise KeySourceError(
                "the OpenSSL of this installation does not know this kind of key",
                code="key-unsupported",
                where=Where(file),
                hint="ML-DSA needs the wheels of cryptography 49 or later",
            ) from None
        except ValueError:
            if passphrase is None:
                raise _no_key(file) from None
        passphrase = secrets.get("passphrase", file)
        if passphrase is None:
            raise KeySourceError(
                "the private key is encrypted, and no passphrase opens it",
                code="passphrase-needed",
                where=Where(file),
                hint="give the passphrase with --passphrase-file",
            )


def _no_key(file: str) -> KeySourceError:
    return KeySourceError(
        "the file holds no private key that can be read",
        code="not-a-key",
        where=Where(file),
        hint="expected PKCS#8 in PEM, of RSASSA-PSS, Ed25519 or ML-DSA",
    )


def _certificates(content: bytes, file: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise KeySourceError(
            "there is no certificate in PEM",
            code="no-certificate",
            where=Where(file),
            hint="name the certificate of the key with --cert",
        ) from None
