"""Keys in files, for who has no token: made, read, and asked a certificate for."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from dsig.errors import KeySourceError, OutputError, UsageError, Where
from dsig_pkcs11.commands.options import GivenSecrets, quiet_prompt, read_small
from dsig_pkcs11.uri import is_uri

__all__ = ["CURVES", "load", "make", "path_of", "request"]

CURVES: dict[str, ec.EllipticCurve] = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
LONGEST = 1023
"""Bytes of a passphrase, with OpenSSL."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def path_of(key: str) -> str | None:
    """The path that a key URI means; None if it means a token. Raises `UsageError` for what is neither."""
    if is_uri(key):
        return None
    if key[:5].lower() == "file:":
        key = key[5:]
    elif _SCHEME.match(key):  # a slip in pkcs11: shall make no file
        raise UsageError(
            f"{key.partition(':')[0]}: is no kind of key here", hint="give a path, file:PATH or pkcs11:token=LABEL;..."
        )
    if not key:
        raise UsageError("the path of the key is empty", hint="give a path, file:PATH or pkcs11:token=LABEL;...")
    return key


def make(path: str, kind: str, passphrase: GivenSecrets, *, encrypted: bool) -> None:
    """A new key in a new file that only its owner can read, PKCS#8 in PEM (RFC 5958, RFC 7468).

    Nothing is overwritten. Raises `KeySourceError` without a passphrase, `OutputError`.
    """
    if os.path.lexists(path):
        raise _taken(path)
    protection: KeySerializationEncryption = NoEncryption()
    if encrypted:
        protection = BestAvailableEncryption(_new_passphrase(path, passphrase))
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind in CURVES:
        key = ec.generate_private_key(CURVES[kind])
    else:
        key = rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))


def request(path: str, name: x509.Name, passphrase: GivenSecrets) -> x509.CertificateSigningRequest:
    """CertificationRequest (RFC 2986 4) of the key in a file. Raises `KeySourceError`."""
    key = load(path, passphrase)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey):
        raise KeySourceError(
            "keys of this type make no DICOM signatures",
            code="key-type",
            where=Where(file=path),
            hint="use an RSA, DSA or elliptic curve key",
        )
    return x509.CertificateSigningRequestBuilder(name).sign(key, SHA256())


def load(path: str, passphrase: GivenSecrets) -> Any:
    """The private key in a PEM or DER file. Raises `KeySourceError`."""
    content = read_small(path, "key file")
    read = load_pem_private_key if b"-----BEGIN " in content else load_der_private_key
    where = Where(file=path)
    try:
        return read(content, None)
    except TypeError:  # encrypted
        pass
    except ValueError:
        raise KeySourceError(
            "the file holds no private key that can be read",
            code="not-a-key",
            where=where,
            hint="it must be PEM or DER; openssl pkcs12 -nocerts takes it out of a PKCS#12 file",
        ) from None
    secret = passphrase.get("passphrase", path) if passphrase.given else quiet_prompt(f"Passphrase for {path}")
    if secret is None:
        raise _needed(path, "the key is encrypted and no passphrase was given")
    try:
        return read(content, secret.encode("utf-8", "surrogateescape"))
    except (ValueError, TypeError):  # the latter if it is empty
        raise KeySourceError("the passphrase does not open the key", code="wrong-passphrase", where=where) from None
    finally:
        del secret


def _new_passphrase(path: str, given: GivenSecrets) -> bytes:
    secret = given.get("passphrase", path) if given.given else quiet_prompt(f"Passphrase for {path}")
    try:
        if not secret:
            raise _needed(
                path, "no passphrase was given for the new key" if secret is None else "the passphrase is empty"
            )
        if not given.given and quiet_prompt("The same again") != secret:
            raise KeySourceError(
                "the two passphrases differ", code="passphrase-needed", hint="nothing was made; try again"
            )
        if len(encoded := secret.encode("utf-8", "surrogateescape")) > LONGEST:
            raise _needed(path, f"the passphrase has more than {LONGEST} bytes")
        return encoded
    finally:
        del secret


def _needed(path: str, why: str) -> KeySourceError:
    return KeySourceError(
        why, code="passphrase-needed", where=Where(file=path), hint="give one with --passphrase-file, -fd or -env"
    )


def _write_new(path: str, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _taken(path) from None
    except (OSError, ValueError) as error:
        raise _unwritten(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(path).unlink()
        if isinstance(error, OSError):
            raise _unwritten(path, error) from None
        raise


def _unwritten(path: str, error: Exception) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "impossible file name"
    return OutputError(f"cannot write: {reason}", where=Where(file=path))


def _taken(path: str) -> OutputError:
    return OutputError(
        "there is such a file, and a key is never overwritten", where=Where(file=path), hint="choose another name"
    )
