"""Whether CRLs speak of a certificate, and of which moment.

OpenSSL knows neither dates of revocation nor lists newer than the moment it judges at. So it is asked as of the moment
and as of the time of each list, and what it finds is compared with the date in the entry.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from functools import cache

from cryptography import x509
from OpenSSL import crypto

from dsig.model import Finding
from dsig_openssl.reading import believable, finding, one_line, parsed, subject_of
from dsig_openssl.store import Refused, Stores

__all__ = ["CertificateStatus", "Standing", "Statuses"]

MAX_MOMENTS = 8
"""Times of CRLs looked at, newest first."""

_CLAUSE = "RFC 5280 6.3.3"
_REVOKED = 23
_REASONS = {
    3: ("trust-crl-missing", "there is no CRL of its issuer"),
    8: ("trust-crl-signature", "the signature of the CRL does not verify with its issuer's key"),
    11: ("trust-crl-not-yet-valid", "the CRL is newer than the time of evaluation"),
    12: ("trust-crl-expired", "the CRL was out of date at the time of evaluation"),
    33: ("trust-crl-issuer", "the signer of the CRL is not known"),
    35: ("trust-crl-issuer", "the issuer may not sign CRLs (keyUsage cRLSign)"),
    36: ("trust-crl-critical", "the CRL has a critical extension that is not known"),
    44: ("trust-crl-scope", "the CRL is not for this certificate, or not for all reasons"),
    54: ("trust-crl-issuer", "the signer of the CRL does not lead to a trust anchor"),
}
"""Codes of X509_V_ERR_… to findings."""


class Standing(Enum):
    """What is known of a certificate at a moment."""

    GOOD = auto()
    REVOKED = auto()
    UNKNOWN = auto()


@dataclass(slots=True)
class CertificateStatus:
    """Standing of one certificate, with reasons."""

    standing: Standing
    by: str = ""
    """Who says that it is good."""
    reasons: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


class Statuses:
    """Answers from the CRLs of a store, at one moment."""

    def __init__(self, stores: Stores, at: datetime) -> None:
        self.at = at
        signers = cache(lambda issuer: tuple(stores.signers(issuer, at)))
        self.believed = believable(stores.crls, signers)
        """Lists that are what they seem to be; the others can only explain why nothing is known."""
        issuers = {crl.issuer for crl in self.believed}
        others = [crl for crl in stores.crls if crl.issuer not in issuers]
        self.stores = Stores(stores.anchors, stores.intermediates, [*self.believed, *others])

    def of(self, certificate: crypto.X509) -> CertificateStatus:
        """The status of a certificate."""
        subject = subject_of(certificate)
        issuer = parsed(certificate).issuer
        moments = sorted({crl.last_update_utc for crl in self.stores.crls if crl.issuer == issuer}, reverse=True)
        good = ""
        reason: Finding | None = None
        revoked: datetime | None = min(self._changed(certificate, issuer), default=None)
        for moment in [self.at, *moments[:MAX_MOMENTS]]:
            try:
                self.stores.check_revocation(certificate, moment)
            except Refused as refused:
                if refused.code == _REVOKED and refused.depth == 0:
                    when = self._date(certificate)
                    revoked = when if revoked is None else min(when, revoked)
                elif moment == self.at:
                    reason = _reason(refused, subject)
            else:
                if moment >= self.at:
                    good = f"CRL as of {_time(moment)}"
        if revoked is not None and revoked <= self.at:
            past = finding("trust-revoked", f"{subject} was revoked at {_time(revoked)}", clause=_CLAUSE)
            return CertificateStatus(Standing.REVOKED, reasons=[past])
        if revoked is not None:
            told = f"{subject} was revoked at {_time(revoked)}; that is after the time it is judged at"
            later = finding("trust-revoked-later", told, "warning", clause=_CLAUSE)
            return CertificateStatus(Standing.GOOD, by=f"CRL, revoked at {_time(revoked)} only", notes=[later])
        if good:
            return CertificateStatus(Standing.GOOD, by=good)
        unknown = reason or finding("trust-crl-unusable", f"{subject}: no CRL can answer for it", clause=_CLAUSE)
        return CertificateStatus(Standing.UNKNOWN, reasons=[unknown])

    def _date(self, certificate: crypto.X509) -> datetime:
        """The earliest date any list has for it, or that on which its key was lost; without any, since ever."""
        dates: list[datetime] = []
        for crl in self.stores.crls:
            entry = _entry(crl, certificate)
            if entry is not None:
                dates += _dates(entry)
        return min(dates, default=parsed(certificate).not_valid_before_utc)

    def _changed(self, certificate: crypto.X509, issuer: x509.Name) -> Iterator[datetime]:
        """What delta CRLs tell of, even if no complete one is at hand, and lists for others by their words."""
        ended = x509.ReasonFlags.remove_from_crl
        for crl in self.believed:
            entry = _entry(crl, certificate) if crl.issuer == issuer else None
            reason = ended if entry is None else _reason_of(entry)
            changes, scoped = _has(crl, x509.DeltaCRLIndicator), _has(crl, x509.IssuingDistributionPoint)
            # a hold in a list that is in scope is for the library, which knows when it ended
            told = changes or (scoped and reason is not x509.ReasonFlags.certificate_hold)
            if entry is not None and told and reason is not ended:
                yield min(_dates(entry))


def _entry(crl: x509.CertificateRevocationList, certificate: crypto.X509) -> x509.RevokedCertificate | None:
    try:
        return crl.get_revoked_certificate_by_serial_number(certificate.get_serial_number())
    except ValueError:  # a serial number that is not positive
        return None


def _dates(entry: x509.RevokedCertificate) -> Iterator[datetime]:
    """The date of revocation, and that on which the key was lost if it is said (RFC 5280 5.3.2)."""
    yield entry.revocation_date_utc
    with contextlib.suppress(x509.ExtensionNotFound, ValueError):
        yield entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc


def _reason_of(entry: x509.RevokedCertificate) -> x509.ReasonFlags:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError):
        return x509.ReasonFlags.unspecified


def _has(crl: x509.CertificateRevocationList, kind: type[x509.ExtensionType]) -> bool:
    try:
        crl.extensions.get_extension_for_class(kind)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return True


def _reason(refused: Refused, subject: str) -> Finding:
    code, words = _REASONS.get(refused.code, ("trust-crl-unusable", f"no CRL can answer for it: {refused.message}"))
    return finding(code, one_line(f"{subject}: {words}"), clause=_CLAUSE)


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
