"""The trust backend `openssl`: certification paths and CRLs as `openssl verify` has them (RFC 5280 section 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from OpenSSL import crypto

from dsig.hookspecs import Revocation, RevocationCheck, TrustEvidence, TrustRequest
from dsig.model import Finding, Status
from dsig_openssl.reading import finding, one_line, parsed, read_certificate, read_crl, strength, subject_of
from dsig_openssl.revocation import Standing, Statuses
from dsig_openssl.store import Refused, Stores

__all__ = ["OpensslTrust"]

T = TypeVar("T")

_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED."""


@dataclass(slots=True)
class _Given:
    """What of the request can be read."""

    anchors: list[crypto.X509]
    intermediates: list[crypto.X509]
    crls: list[x509.CertificateRevocationList]
    faults: list[Finding] = field(default_factory=list)


class OpensslTrust:
    """Builds and validates paths; `dsig.hookspecs.TrustBackend`. Keeps no state."""

    def evaluate(self, request: TrustRequest) -> TrustEvidence:
        """Judge a certificate.

        1. Everything must be readable; what is not is told, and nothing passes then. OCSP and fetching are not done.
        2. OpenSSL builds one path, at that time, policies processed; an anchor may be of any kind.
        3. No signature in it rests on a weak hash or key.
        4. Revocation by CRLs, certificate by certificate, as far as it is asked.
        """
        at = request.at.astimezone(UTC)
        given = _read(request)
        try:
            signer = read_certificate(request.certificate)
        except ValueError as error:
            unreadable = finding("trust-certificate-unreadable", f"the certificate cannot be read: {error}")
            return TrustEvidence(Status.FAILED, findings=(unreadable, *given.faults))
        if not given.anchors:
            if not request.anchors:
                given.faults.append(
                    finding("trust-no-anchors", "no trust anchors were given, so nobody can be trusted")
                )
            return TrustEvidence(Status.INDETERMINATE, findings=tuple(given.faults))
        stores = Stores(given.anchors, given.intermediates, given.crls)
        try:
            path = stores.path(signer, at)
        except Refused as refused:
            return TrustEvidence(Status.FAILED, findings=(_refusal(refused, signer), *given.faults))
        for lower, upper in pairwise(path):
            weak = strength(lower, upper)
            if weak:
                rests = f"the path rests on a weak signature: {subject_of(lower)}: {weak}"
                return TrustEvidence(Status.FAILED, findings=(finding("trust-weak-algorithm", rests), *given.faults))
        return _with_revocation(request, path, stores, at, given.faults)


def _read(request: TrustRequest) -> _Given:
    faults: list[Finding] = []
    given = _Given(
        _all(request.anchors, read_certificate, "trust anchor", "trust-anchor-unreadable", faults),
        _all(request.intermediates, read_certificate, "intermediate certificate", "trust-anchor-unreadable", faults),
        [],
        faults,
    )
    if request.revocation is not Revocation.NONE:
        given.crls = _all(request.crls, read_crl, "CRL", "trust-crl-unreadable", faults)
        if request.ocsps:
            faults.append(finding("trust-ocsp-unsupported", "this trust backend cannot read OCSP responses"))
        if request.online:
            faults.append(finding("trust-online-unsupported", "this trust backend fetches nothing"))
    return given


def _all(ders: Sequence[bytes], read: Callable[[bytes], T], what: str, code: str, faults: list[Finding]) -> list[T]:
    found = []
    for number, der in enumerate(ders, 1):
        try:
            found.append(read(der))
        except ValueError as error:
            faults.append(finding(code, f"{what} {number} cannot be read: {error}"))
    return found


def _refusal(refused: Refused, signer: crypto.X509) -> Finding:
    """Why OpenSSL finds no path, in our words where we have some."""
    read = parsed(signer)
    if refused.depth == 0 and refused.code == _EXPIRED:
        return finding("trust-expired", f"the certificate expired at {read.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC")
    if refused.depth == 0 and refused.code == _NOT_YET_VALID:
        since = f"{read.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
        return finding("trust-not-yet-valid", f"the certificate is valid from {since}")
    return finding("trust-path", f"no path to a trust anchor: {one_line(refused.message)}")


def _with_revocation(
    request: TrustRequest, path: Sequence[crypto.X509], stores: Stores, at: datetime, faults: Sequence[Finding]
) -> TrustEvidence:
    """Evidence for a path, with what CRLs say of its certificates."""
    ders = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, one) for one in path)
    status = Status.INDETERMINATE if faults else Status.PASSED
    findings: list[Finding] = []
    checked: list[RevocationCheck] = []
    unchecked: list[RevocationCheck] = []
    if request.revocation is not Revocation.NONE:
        demanded = {Revocation.HARD: 1, Revocation.HARD_CHAIN: len(path)}.get(request.revocation, 0)
        statuses = Statuses(stores, at)
        for number, (der, one) in enumerate(zip(ders[:-1], path, strict=False)):
            known = statuses.of(one)
            findings += known.notes
            if known.standing is Standing.REVOKED:
                status = Status.FAILED
                findings += known.reasons
            elif known.standing is Standing.GOOD:
                checked.append(RevocationCheck(der, known.by))
            else:
                unchecked.append(RevocationCheck(der, known.reasons[0].message))
                hard = number < demanded
                if hard and status is Status.PASSED:
                    status = Status.INDETERMINATE
                severity = "error" if hard else "warning"
                findings += (finding(f.code, f.message, severity, clause=f.clause) for f in known.reasons)
    return TrustEvidence(status, ders, (*findings, *faults), tuple(checked), tuple(unchecked))
