"""Whether CRLs speak of a certificate, and of which moment.

OpenSSL knows neither dates of revocation nor lists newer than the moment it judges at. So it is asked as of the moment
and as of the time of each list, and what it finds is compared with the date in the entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from cryptography import x509
from OpenSSL import crypto

from dsig.model import Finding
from dsig_openssl.reading import finding, one_line, parsed, subject_of
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
        self.stores = stores
        self.at = at

    def of(self, certificate: crypto.X509) -> CertificateStatus:
        """The status of a certificate."""
        subject = subject_of(certificate)
        issuer = parsed(certificate).issuer
        moments = sorted({crl.last_update_utc for crl in self.stores.crls if crl.issuer == issuer}, reverse=True)
        good = ""
        reason: Finding | None = None
        revoked: datetime | None = None
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
        dates = []
        for crl in self.stores.crls:
            try:
                entry = crl.get_revoked_certificate_by_serial_number(certificate.get_serial_number())
            except ValueError:  # a serial number that is not positive
                entry = None
            if entry is None:
                continue
            dates.append(entry.revocation_date_utc)
            try:
                lost = entry.extensions.get_extension_for_class(x509.InvalidityDate).value
            except (x509.ExtensionNotFound, ValueError):
                continue
            dates.append(lost.invalidity_date_utc)
        return min(dates, default=parsed(certificate).not_valid_before_utc)


def _reason(refused: Refused, subject: str) -> Finding:
    code, words = _REASONS.get(refused.code, ("trust-crl-unusable", f"no CRL can answer for it: {refused.message}"))
    return finding(code, one_line(f"{subject}: {words}"), clause=_CLAUSE)


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
