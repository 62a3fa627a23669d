"""A private key out of a file, whatever the format, with the certificates that lie beside it.

The content says what it is, not the name of the file. Loaders answer `Locked` for what a passphrase may open; nothing
they raise carries a cause, because the causes may carry key material.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs12

from dsig.errors import KeySourceError, Where
from dsig.hookspecs import Secrets
from dsig_files import certificates
from dsig_files.passphrase import Locked, unlock
from dsig_files.pem import Block, blocks, is_pem

__all__ = ["KeyFile", "parse"]

_LENGTH = rb"(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)"
_PKCS12 = re.compile(
    rb"\x30" + _LENGTH + rb"\x02\x01\x03\x30" + _LENGTH + rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", re.DOTALL
)
"""Start of a PFX (RFC 7292 4): version 3, then a ContentInfo of a PKCS#7 type; lengths may be indefinite (BER)."""

_FORMATS = "expected PKCS#1, SEC1 or PKCS#8 in PEM or DER, or PKCS#12"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file holds."""

    key: PrivateKeyTypes = field(repr=False)
    """Of any kind; whether it may sign is judged elsewhere."""
    certificates: tuple[x509.Certificate, ...] = ()
    """In the order of the file; may be empty."""


def parse(content: bytes, secrets: Secrets, file: str) -> KeyFile:
    """Read the content of `file`. Raises `KeySourceError`."""
    if is_pem(content):
        return _parse_pem(content, secrets, file)
    if _PKCS12.match(content):
        return unlock(partial(_load_pkcs12, content, file), secrets, file)
    return KeyFile(unlock(partial(_load_der, content, file), secrets, file))


def _parse_pem(content: bytes, secrets: Secrets, file: str) -> KeyFile:
    found = list(blocks(content))
    keys = [block for block in found if block.is_private_key]
    if len(keys) > 1:
        raise KeySourceError(
            f"the file holds {len(keys)} private keys",
            code="several-keys",
            where=Where(file=file),
            hint="give a file with the one to sign with",
        )
    if not keys:
        raise _not_a_key(file, certificate=any(block.is_certificate for block in found))
    key = unlock(partial(_load_pem, keys[0], file), secrets, file)
    return KeyFile(key, tuple(certificates.from_blocks(found, file)))


def _load_pem(block: Block, file: str, passphrase: bytes | None) -> PrivateKeyTypes:
    if block.label == "OPENSSH PRIVATE KEY":
        raise _not_a_key(file, hint="convert the OpenSSH key: ssh-keygen -p -m PKCS8 -f KEY")
    try:
        return load_pem_private_key(block.text, passphrase)
    except TypeError:  # the library's way to say that the key is encrypted
        raise Locked from None
    except ValueError:
        raise Locked if passphrase is not None else _not_a_key(file) from None
    except UnsupportedAlgorithm:
        raise _unsupported(file) from None


def _load_der(content: bytes, file: str, passphrase: bytes | None) -> PrivateKeyTypes:
    try:
        return load_der_private_key(content, passphrase)
    except TypeError:
        raise Locked from None
    except ValueError:
        if passphrase is not None:
            raise Locked from None
        raise _not_a_key(file, certificate=_is_certificate(content)) from None
    except UnsupportedAlgorithm:
        raise _unsupported(file) from None


def _load_pkcs12(content: bytes, file: str, passphrase: bytes | None) -> KeyFile:
    if passphrase is not None and b"\x00" in passphrase:
        raise Locked  # a C string to the library, which does not survive a zero byte in it
    try:
        store = pkcs12.load_pkcs12(content, passphrase)
    except (ValueError, TypeError):  # not told apart: wrong passphrase, damage; TypeError: a passphrase not in UTF-8
        raise Locked from None
    except UnsupportedAlgorithm:
        raise _unsupported(file) from None
    found = [entry.certificate for entry in (store.cert, *store.additional_certs) if entry is not None]
    if store.key is None:
        raise _not_a_key(file, certificate=bool(found))
    return KeyFile(store.key, tuple(found))


def _is_certificate(content: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(content)
    except (ValueError, x509.InvalidVersion):
        return False
    return True


def _not_a_key(file: str, *, certificate: bool = False, hint: str = _FORMATS) -> KeySourceError:
    where = Where(file=file)
    if certificate:
        return KeySourceError(
            "the file holds a certificate but no private key",
            code="certificate-as-key",
            where=where,
            hint="give the private key with --key and the certificate with --cert",
        )
    return KeySourceError("the file holds no private key that can be read", code="not-a-key", where=where, hint=hint)


def _unsupported(file: str) -> KeySourceError:
    return KeySourceError(
        "the kind of the key, or the way it is encrypted, is not supported",
        code="key-unsupported",
        where=Where(file=file),
        hint="use an RSA, DSA, P-256, P-384 or P-521 key, encrypted with AES if at all",
    )
