"""PEM armour (RFC 7468): labelled blocks between lines of anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Block", "blocks", "is_pem"]

_BEGIN = b"-----BEGIN "
_DASHES = b"-----"


@dataclass(frozen=True, slots=True)
class Block:
    """One armoured object."""

    label: str
    """Such as `CERTIFICATE` or `RSA PRIVATE KEY`."""
    text: bytes = field(repr=False)
    """From the first dash of BEGIN to the last of END; may be a private key."""

    @property
    def is_certificate(self) -> bool:
        """Whether the label is one of X.509 certificates."""
        return self.label in ("CERTIFICATE", "X509 CERTIFICATE")

    @property
    def is_private_key(self) -> bool:
        """Whether the label is one of private keys, of whatever format."""
        return self.label.endswith("PRIVATE KEY")


def is_pem(content: bytes) -> bool:
    """Whether the file is to be read as PEM; a DER file cannot hold the marker except by design."""
    return _BEGIN in content


def blocks(content: bytes) -> Iterator[Block]:
    """Complete blocks in file order, in one pass; an unfinished one ends the search."""
    start = content.find(_BEGIN)
    while start >= 0:
        label_start = start + len(_BEGIN)
        label_end = content.find(_DASHES, label_start)
        if label_end < 0:
            return
        label = content[label_start:label_end]
        closing = _DASHES + b"END " + label + _DASHES
        end = content.find(closing, label_end)
        if end < 0:
            return
        end += len(closing)
        yield Block(label.decode("ascii", "replace"), content[start:end])
        start = content.find(_BEGIN, end)
