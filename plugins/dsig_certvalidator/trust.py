"""The trust backend `certvalidator`: certification paths and revocation at any point in time (RFC 5280, RFC 6960)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.validate import async_validate_path

from dsig.hookspecs import Revocation, RevocationCheck, TrustEvidence, TrustRequest
from dsig.model import Finding, Status
from dsig_certvalidator import reading
from dsig_certvalidator.algorithms import explicit_curve
from dsig_certvalidator.building import candidate_paths, is_authority
from dsig_certvalidator.contexts import context, finished
from dsig_certvalidator.names import NAMES, TOO_MANY, Allowance
from dsig_certvalidator.reading import Readable, finding, one_line

if TYPE_CHECKING:
    from dsig_certvalidator.online import Fetcher
    from dsig_certvalidator.revocation import CertificateStatus, Statuses

__all__ = ["CertvalidatorTrust"]

_CURVE = "RFC 5480 2.1.1"

MAX_PATHS = 64
"""Paths tried for one certificate: cross-certificates multiply, and no hierarchy needs so many."""
MAX_VALID_PATHS = 4
"""Valid paths whose revocation is looked at before the best of them is the answer."""


class CertvalidatorTrust:
    """Builds and validates paths; `dsig.hookspecs.TrustBackend`. Keeps no state."""

    def evaluate(self, request: TrustRequest) -> TrustEvidence:
        """Judge a certificate: passed only with a path to an anchor and nothing left open that was asked.

        What the library cannot digest is undecided: it parses lazily, so anything may come up anywhere.
        """
        try:
            return _evaluate(request)
        except Exception as error:  # noqa: BLE001 - as above
            undecided = finding("trust-undecided", f"this cannot be decided: {type(error).__name__}: {one_line(error)}")
            return TrustEvidence(Status.INDETERMINATE, findings=(undecided,))


def _evaluate(request: TrustRequest) -> TrustEvidence:
    """The steps.

    1. Everything must be readable; what is not is told, and nothing passes then.
    2. The certificate is an anchor, or paths lead from it to one; those that RFC 5280 6.1 lets stand are looked at.
    3. Revocation along a path, as far as it is asked. The first path with nothing against it is the answer.
    """
    at = request.at.astimezone(UTC)
    given = Readable()
    faults = given.faults
    given.anchors = reading.read_all(
        request.anchors, reading.certificate, "trust anchor", "trust-anchor-unreadable", faults
    )
    given.intermediates = reading.read_all(
        request.intermediates, reading.certificate, "intermediate certificate", "trust-anchor-unreadable", faults
    )
    if request.revocation is not Revocation.NONE:
        given.crls = reading.read_all(request.crls, reading.crl_, "CRL", "trust-crl-unreadable", faults)
        given.ocsps = reading.read_all(request.ocsps, reading.ocsp_, "OCSP response", "trust-ocsp-unreadable", faults)
    try:
        certificate = reading.certificate(request.certificate)
    except ValueError as error:
        unreadable = finding("trust-certificate-unreadable", f"the certificate cannot be read: {one_line(error)}")
        return TrustEvidence(Status.FAILED, findings=(unreadable, *faults))
    if not given.anchors:
        if not request.anchors:
            faults.append(finding("trust-no-anchors", "no trust anchors were given, so nobody can be trusted"))
        return TrustEvidence(Status.INDETERMINATE, findings=tuple(faults))
    if explicit_curve(certificate.public_key):
        curve = finding("trust-weak-algorithm", "the curve of the key is spelled out instead of named", clause=_CURVE)
        return TrustEvidence(Status.FAILED, findings=(curve, *faults))
    if request.certificate in request.anchors:
        outside = _outside(certificate, at)
        if outside is not None:
            return TrustEvidence(Status.FAILED, findings=(outside, *faults))
        return _answer(request, [certificate], [], faults)
    return _best(request, certificate, given, at)


def _best(request: TrustRequest, certificate: Any, given: Readable, at: datetime) -> TrustEvidence:
    """The first path with nothing against it, or the first with something, or why there is none."""
    fetcher = _fetcher(request)
    if fetcher is not None:
        fetcher.issuers(certificate, given)
    judging = context(given.anchors, given.intermediates, at)
    statuses = _statuses(request, given, at)
    refusals: list[Finding] = []
    answers: list[TrustEvidence] = []
    allowance = Allowance()
    for path in islice(candidate_paths(certificate, given.anchors, given.intermediates), MAX_PATHS):
        if not allowance.takes(path):
            refusals.append(finding("trust-path", f"no path to a trust anchor: {TOO_MANY}", clause=NAMES))
            continue
        refused = _refusal(judging, path)
        if refused is not None:
            refusals.append(refused)
            continue
        known: list[tuple[bytes, CertificateStatus]] = []
        if statuses is not None:
            for one, issuer in pairwise(_signer_first(path)):
                status = statuses.of(one, path)
                if status.unknown and fetcher is not None and fetcher.revocation(one, issuer, given):
                    status = statuses.of(one, path)
                known.append((one.dump(), status))
        evidence = _answer(request, _signer_first(path), known, given.faults)
        if evidence.status is Status.PASSED:
            return _noted(evidence, fetcher)
        answers.append(evidence)
        if len(answers) == MAX_VALID_PATHS:
            break
    if answers:
        return _noted(answers[0], fetcher)
    if not refusals:
        missing = f"no certificate of {_name(certificate.issuer)} that leads to a trust anchor is known"
        refusals.append(finding("trust-path", f"no path to a trust anchor: {missing}"))
    distinct = tuple(dict.fromkeys(refusals))[:3]
    return _noted(TrustEvidence(Status.FAILED, findings=(*distinct, *given.faults)), fetcher)


def _fetcher(request: TrustRequest) -> Fetcher | None:
    """Whoever fetches, loaded only if that is wanted."""
    if not request.online:
        return None
    from dsig_certvalidator.online import Fetcher

    return Fetcher()


def _statuses(request: TrustRequest, given: Readable, at: datetime) -> Statuses | None:
    """Whoever knows what was revoked, loaded only if somebody asks."""
    if request.revocation is Revocation.NONE:
        return None
    from dsig_certvalidator.revocation import Statuses

    return Statuses(given, at, request.evaluated or at, demanding=request.revocation is Revocation.HARD_CHAIN)


def _noted(evidence: TrustEvidence, fetcher: Fetcher | None) -> TrustEvidence:
    """The evidence with what could not be fetched."""
    return evidence if fetcher is None else replace(evidence, findings=(*evidence.findings, *fetcher.notes))


def _refusal(judging: ValidationContext, path: ValidationPath) -> Finding | None:
    """Why RFC 5280 6.1 does not let this path stand.

    It takes an anchor for an authority. But a signer who is trusted by his own certificate is none, and must not be
    able to name others.
    """
    anchor = path.first
    if not is_authority(anchor):
        nobody = f"{_name(anchor.subject)} is trusted, but is no certification authority"
        return finding("trust-path", f"no path to a trust anchor: {nobody}", clause="RFC 5280 4.2.1.9")
    try:
        finished(async_validate_path(judging, path))
    except (ExpiredError, NotYetValidError) as error:
        if error.is_ee_cert and not error.is_side_validation:
            return _outside(path.last, judging.moment)
        return finding("trust-path", f"no path to a trust anchor: {one_line(error)}", clause="RFC 5280 6.1.3")
    except DisallowedAlgorithmError as error:
        return finding("trust-weak-algorithm", f"the path rests on a weak signature: {one_line(error)}")
    except ValidationError as error:
        return finding("trust-path", f"no path to a trust anchor: {one_line(error)}", clause="RFC 5280 6.1")
    return None


def _outside(certificate: Any, at: datetime) -> Finding | None:
    """The finding that a certificate is not valid at a time."""
    if at < certificate.not_valid_before:
        since = f"{certificate.not_valid_before:%Y-%m-%d %H:%M:%S} UTC"
        return finding("trust-not-yet-valid", f"the certificate is valid from {since}")
    if at > certificate.not_valid_after:
        until = f"{certificate.not_valid_after:%Y-%m-%d %H:%M:%S} UTC"
        return finding("trust-expired", f"the certificate expired at {until}")
    return None


def _answer(
    request: TrustRequest,
    path: Sequence[Any],
    known: Sequence[tuple[bytes, CertificateStatus]],
    faults: Sequence[Finding],
) -> TrustEvidence:
    """Evidence for a valid path, with what is known about revocation along it: certificates (DER), signer first."""
    demanded = {Revocation.HARD: path[:1], Revocation.HARD_CHAIN: path}.get(request.revocation, [])
    wanted = {one.dump() for one in demanded}
    findings: list[Finding] = []
    checked: list[RevocationCheck] = []
    unchecked: list[RevocationCheck] = []
    status = Status.INDETERMINATE if faults else Status.PASSED
    for der, one in known:
        checked += (RevocationCheck(der, by, source) for by, source in one.sources)
        findings += one.notes
        if one.revoked:
            findings += one.reasons
            status = Status.FAILED
        elif one.unknown:
            unchecked.append(RevocationCheck(der, one.reasons[0].message))
            if der in wanted:
                findings += one.reasons
                status = status if status is Status.FAILED else Status.INDETERMINATE
            else:
                findings += (finding(f.code, f.message, "warning", clause=f.clause) for f in one.reasons)
    ders = tuple(one.dump() for one in path)
    return TrustEvidence(status, ders, (*findings, *faults), tuple(checked), tuple(unchecked))


def _signer_first(path: ValidationPath) -> list[Any]:
    return list(reversed(list(path.iter_certs(include_root=True))))


def _name(name: Any) -> str:
    return one_line(ValueError(name.human_friendly))
