"""Judging a certificate at a moment in the past that is proven, when not all certificates at hand were there yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dsig.hookspecs import CertificateFacts, TrustEvidence
from dsig.model import Finding, Status
from dsig.trust.material import TrustMaterial

__all__ = ["PastChains"]

MAX_MOMENTS = 16
"""Later moments tried; authorities renew their certificates every few years."""


@dataclass(frozen=True, slots=True)
class PastChains:
    """How certificates are judged, for whatever usage these are for."""

    judge: Callable[[bytes, TrustMaterial, datetime], TrustEvidence]
    """A DER certificate at a moment."""
    facts: Callable[[bytes], CertificateFacts]
    """What a DER certificate says. Raises `ValueError`."""

    def since(self, certificate: bytes, material: TrustMaterial, time: datetime) -> TrustEvidence:
        """Judge a certificate that was used at `time`.

        That is where its path has to be valid, or at the first moment after it at which all of the path is: authorities
        renew their certificates, and the older ones are not always at hand. Nothing may have expired before that
        moment, the certificate itself must be valid at `time`, and a revocation until then counts. This is the control
        time of ETSI EN 319 102-1 5.6.2.1, sought forwards.
        """
        then = self.judge(certificate, material, time)
        if then.status is not Status.FAILED:
            return then
        for moment in self._moments(certificate, material, time):
            later = self.judge(certificate, material, moment)
            if later.status is Status.PASSED:
                renewed = Finding(
                    "trust-issuer-renewed",
                    f"the issuers' certificates at hand are later ones: all are valid from {moment:%Y-%m-%d %H:%M:%S}"
                    f" UTC, the certificate was used on {time:%Y-%m-%d %H:%M:%S} UTC",
                    clause="ETSI EN 319 102-1 5.6.2.1",
                    severity="warning",
                )
                return replace(later, findings=(*later.findings, renewed))
        return then

    def _moments(self, certificate: bytes, material: TrustMaterial, time: datetime) -> Iterator[datetime]:
        """When issuers begin to be valid, after `time` and while the certificate is valid, earliest first."""
        try:
            own = self.facts(certificate)
        except ValueError:
            return
        if own.not_before is None or own.not_after is None or not own.not_before <= time <= own.not_after:
            return
        found = set()
        for der in (*material.anchors, *material.intermediates):
            try:
                began = self.facts(der).not_before
            except ValueError:
                continue
            if began is not None and time < began <= own.not_after:
                found.add(began)
        yield from sorted(found)[:MAX_MOMENTS]
