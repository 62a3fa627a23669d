"""The trust backend `cryptography`: certification paths (RFC 5280 section 6), without revocation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from dsig.hookspecs import Revocation, RevocationCheck, TrustEvidence, TrustRequest
from dsig.model import Finding, Status
from dsig_x509 import Certificate, certificates

__all__ = ["CryptographyTrust"]

_SPELLED_OUT = re.compile(rb"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01[^\x06]", re.DOTALL)
"""id-ecPublicKey with anything but a namedCurve; the library forbids it to issuers and not to signers."""
MAX_DEPTH = 8
"""Intermediate certificates between signer and anchor; published hierarchies have three at most."""


class CryptographyTrust:
    """Builds and validates paths; `dsig.hookspecs.TrustBackend`. Safe to share between threads."""

    def __init__(self) -> None:
        self._read = lru_cache(certificates.CACHED)(certificates.read)

    def evaluate(self, request: TrustRequest) -> TrustEvidence:
        """Judge the signer's certificate at `request.at`: passed only with a path to an anchor and nothing left open.

        1. Everything must be readable; what is not is told, and nothing passes then.
        2. The certificate must be valid at that time.
        3. It is an anchor itself, or a path leads to one.
        4. Revocation must not be asked for, because nobody here can answer that; neither is anything fetched.
        """
        try:
            signer = self._read(request.certificate)
        except ValueError as error:
            return _failed(_finding("trust-certificate-unreadable", f"the certificate cannot be read: {error}"))
        anchors, faults = self._read_all(request.anchors, "trust anchor")
        intermediates, more = self._read_all(request.intermediates, "intermediate certificate")
        faults += more
        if not request.anchors:
            faults.append(_finding("trust-no-anchors", "no trust anchors were given, so nobody can be trusted"))
        if not anchors:
            return TrustEvidence(Status.INDETERMINATE, (), tuple(faults))
        at = _whole_seconds(request.at)
        problem = _unfit(signer, at)
        if problem is not None:
            return _failed(problem, *faults)
        try:
            path = _path(signer, anchors, intermediates, at)
        except (VerificationError, ValueError, UnsupportedAlgorithm) as error:
            return _failed(_finding("trust-path", f"no path to a trust anchor: {_one_line(error)}"), *faults)
        unchecked: tuple[RevocationCheck, ...] = ()
        if request.revocation is not Revocation.NONE and len(path) > 1:  # an anchor is not judged
            faults.append(_finding("trust-revocation-unsupported", "this trust backend cannot check revocation"))
            unchecked = tuple(RevocationCheck(der, "the backend cannot check revocation") for der in path[:-1])
        if request.online:
            faults.append(_finding("trust-online-unsupported", "this trust backend fetches nothing"))
        status = Status.INDETERMINATE if faults else Status.PASSED
        return TrustEvidence(status, path, tuple(faults), unchecked=unchecked)

    def _read_all(self, ders: Sequence[bytes], what: str) -> tuple[list[Certificate], list[Finding]]:
        found, faults = [], []
        for number, der in enumerate(ders, 1):
            try:
                found.append(self._read(der))
            except ValueError as error:
                faults.append(_finding("trust-anchor-unreadable", f"{what} {number} cannot be read: {error}"))
        return found, faults


def _unfit(signer: Certificate, at: datetime) -> Finding | None:
    """Why the certificate cannot vouch for a signature at that time, whoever issued it."""
    try:
        facts = certificates.facts(signer)
    except ValueError as error:
        return _finding("trust-certificate-unreadable", f"the certificate cannot be read: {error}")
    if _SPELLED_OUT.search(signer.x509.tbs_certificate_bytes):
        spelled = "the curve of the key is spelled out instead of named"
        return Finding("trust-weak-algorithm", spelled, clause="RFC 5480 2.1.1")
    if facts.not_before is not None and at < facts.not_before:
        return _finding(
            "trust-not-yet-valid", f"the certificate is valid from {facts.not_before:%Y-%m-%d %H:%M:%S} UTC"
        )
    if facts.not_after is not None and at > facts.not_after:
        return _finding("trust-expired", f"the certificate expired at {facts.not_after:%Y-%m-%d %H:%M:%S} UTC")
    return None


def _path(
    signer: Certificate, anchors: Sequence[Certificate], intermediates: Sequence[Certificate], at: datetime
) -> tuple[bytes, ...]:
    """The path from signer to anchor. Raises what the library raises if there is none."""
    if any(anchor.der == signer.der for anchor in anchors):
        return (signer.der,)  # trusted by name, whoever issued it
    verifier = (
        PolicyBuilder()
        .store(Store([anchor.x509 for anchor in anchors]))
        .time(at)
        .max_chain_depth(MAX_DEPTH)
        .extension_policies(ca_policy=_CA_POLICY, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    verified = verifier.verify(signer.x509, [certificate.x509 for certificate in intermediates])
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in verified.chain)


# What issuers must say of themselves. The library's defaults are for web servers: they want key usage in roots and
# names in signers that the certificates of people and machines do not have.


def _is_ca(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("the issuer is no certification authority")


def _may_certify(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("the issuer must not sign certificates")


def _names_are_checkable(
    _policy: Policy, _certificate: x509.Certificate, constraints: x509.NameConstraints | None
) -> None:
    """The library compares DNS, IP and mail names of subjectAltName only; a subject name would slip through."""
    if constraints is None:
        return
    trees = [*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())]
    if not all(isinstance(tree, x509.DNSName | x509.IPAddress) for tree in trees):
        raise ValueError("the issuer constrains names in a way that cannot be checked here")


_CA_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_ca)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_certify)
    .may_be_present(x509.NameConstraints, Criticality.AGNOSTIC, _names_are_checkable)
)


def _whole_seconds(at: datetime) -> datetime:
    """`at` in UTC, in the resolution of certificates; a time without zone is UTC by contract."""
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).replace(microsecond=0)


def _failed(*findings: Finding) -> TrustEvidence:
    return TrustEvidence(Status.FAILED, (), findings)


def _finding(code: str, message: str, section: str = "6.1") -> Finding:
    return Finding(code, message, clause=f"RFC 5280 {section}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
