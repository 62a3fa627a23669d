"""Certificates out of PEM and DER."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509

from dsig.errors import KeySourceError, Where
from dsig_files.pem import Block, blocks, is_pem

__all__ = ["from_blocks", "from_content"]


def from_content(content: bytes, file: str) -> list[x509.Certificate]:
    """All certificates of a PEM file in its order, or the one of a DER file; never empty. Raises `KeySourceError`."""
    if not is_pem(content):
        try:
            return [x509.load_der_x509_certificate(content)]
        except (ValueError, x509.InvalidVersion):
            raise _unreadable(file) from None
    found = from_blocks(blocks(content), file)
    if not found:
        raise KeySourceError(
            "the file holds no certificate",
            code="no-certificate",
            where=Where(file=file),
            hint="--cert takes a PEM or DER file with an X.509 certificate",
        )
    return found


def from_blocks(armoured: Iterable[Block], file: str) -> list[x509.Certificate]:
    """The certificates among PEM blocks; may be empty. Raises `KeySourceError` if one cannot be read."""
    try:
        return [x509.load_pem_x509_certificate(block.text) for block in armoured if block.is_certificate]
    except (ValueError, x509.InvalidVersion):
        raise _unreadable(file) from None


def _unreadable(file: str) -> KeySourceError:
    return KeySourceError(
        "the certificate cannot be read",
        code="certificate-unreadable",
        where=Where(file=file),
        hint="it must be an X.509 certificate in PEM or DER; see openssl x509 -text",
    )
