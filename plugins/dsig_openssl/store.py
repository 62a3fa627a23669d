"""OpenSSL's certificate store, asked one question at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from OpenSSL import crypto
from OpenSSL.crypto import X509StoreFlags as Flags

from dsig_openssl.reading import parsed

__all__ = ["Refused", "Stores"]

_PATHS = Flags.PARTIAL_CHAIN | Flags.POLICY_CHECK
_CRLS = Flags.CRL_CHECK | 0x1000 | 0x2000
"""With X509_V_FLAG_EXTENDED_CRL_SUPPORT (indirect CRLs, reasons) and X509_V_FLAG_USE_DELTAS, which have no names."""


class Refused(Exception):  # noqa: N818 - an answer
    """OpenSSL's refusal: code, depth (0 is the certificate asked about), message."""

    def __init__(self, code: int, depth: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.depth = depth
        self.message = message


class Stores:
    """Makes a store for each question, because time and flags belong to the store."""

    def __init__(
        self,
        anchors: Sequence[crypto.X509],
        intermediates: Sequence[crypto.X509],
        crls: Sequence[x509.CertificateRevocationList],
    ) -> None:
        self.anchors = anchors
        self.intermediates = intermediates
        self.crls = crls

    def signers(self, issuer: x509.Name, at: datetime) -> Iterator[crypto.X509]:
        """Certificates of that name that lead to an anchor."""
        for one in (*self.anchors, *self.intermediates):
            if parsed(one).subject == issuer:
                try:
                    self.path(one, at)
                except Refused:
                    continue
                yield one

    def path(self, certificate: crypto.X509, at: datetime) -> list[crypto.X509]:
        """The path from certificate to anchor at a time in UTC. Raises `Refused`."""
        return self._asked(certificate, at, int(_PATHS), ())

    def check_revocation(self, certificate: crypto.X509, at: datetime) -> None:
        """Ask CRLs about this certificate. Raises `Refused`, also with what they say.

        What is wrong higher up is not its fault; but only with everything checked are the signers of CRLs checked too.
        """
        try:
            self._asked(certificate, at, int(_PATHS | _CRLS | Flags.CRL_CHECK_ALL), self.crls)
        except Refused as refused:
            if refused.depth == 0:
                raise
            self._asked(certificate, at, int(_PATHS | _CRLS), self.crls)

    def _asked(
        self, certificate: crypto.X509, at: datetime, flags: int, crls: Sequence[x509.CertificateRevocationList]
    ) -> list[crypto.X509]:
        store = crypto.X509Store()
        for anchor in self.anchors:
            store.add_cert(anchor)
        for crl in crls:
            store.add_crl(crl)
        store.set_flags(flags)
        store.set_time(at)  # takes the fields and not the zone
        asked = crypto.X509StoreContext(store, certificate, list(self.intermediates))
        try:
            chain: list[crypto.X509] = asked.get_verified_chain()
        except crypto.X509StoreContextError as error:
            code, depth, message = error.errors
            raise Refused(code, depth, str(message)) from None
        return chain
