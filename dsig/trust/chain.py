"""Judging a certificate: what it is meant for, what the trust backend says, and what the core believes of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

from dsig.distrust import answered, answered_all, blaming
from dsig.errors import UsageError
from dsig.hookspecs import (
    CertificateFacts,
    Revocation,
    RevocationCheck,
    TrustBackend,
    TrustEvidence,
    TrustRequest,
    Usage,
)
from dsig.model import Finding, PluginUse, Status
from dsig.plugins import Plugins
from dsig.printable import printable
from dsig.trust.material import TrustMaterial

__all__ = ["Chains", "fitness"]

REMEMBERED = 256
"""Judgements kept in a process: a batch has many files, few signers and one time of evaluation."""

_KEY_USAGES = frozenset(("digitalSignature", "contentCommitment"))
_ANY = "2.5.29.37.0"
_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
_PURPOSES = frozenset(
    (
        _ANY,
        "1.3.6.1.5.5.7.3.4",  # emailProtection, as certificates of persons have it
        "1.3.6.1.5.5.7.3.36",  # documentSigning, RFC 9336
        "1.3.6.1.4.1.311.10.3.12",  # document signing before RFC 9336, Microsoft
        "1.2.840.113583.1.1.5",  # authentic documents, Adobe
    )
)
"""Extended key usages a signature over data is within (RFC 5280 4.2.1.12); docs/decisions/0031."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Judges certificates with one trust backend, on the facts one crypto backend reads from them."""

    plugins: Plugins
    trust_backend: str
    crypto_backend: str

    def judge(
        self,
        certificate: bytes,
        material: TrustMaterial,
        at: datetime,
        *,
        usage: Usage = Usage.SIGNING,
        revocation: Revocation = Revocation.NONE,
        online: bool = False,
        evaluated: datetime | None = None,
    ) -> TrustEvidence:
        """Judge a DER certificate at an aware time, by what is known when it is `evaluated`; None is now.

        1. Anchors that are not valid at that time, or not self-issued, end no path; the latter may be part of one.
        2. The certificate must be valid then and meant for `usage`; for `Usage.ANY` a warning says what it is not for.
        3. The backend builds and validates a path; its answer is believed as far as it can be checked.

        Raises `PluginError` if a backend breaks the contract, `UsageError` for a time without zone.
        """
        if at.tzinfo is None:
            raise UsageError("the time of evaluation needs a time zone", hint="write 2026-01-31T12:00:00Z")
        at = at.astimezone(UTC).replace(microsecond=0)  # certificates know seconds
        try:
            facts = self.facts(certificate)
        except ValueError as error:
            unreadable = _finding("trust-certificate-unreadable", f"the certificate cannot be read: {error}")
            return TrustEvidence(Status.FAILED, findings=(unreadable,))
        if not material.anchors:
            nobody = _finding(
                "trust-no-anchors", "no trusted root was given (--trust-root), so nothing is known about who signed"
            )
            return TrustEvidence(Status.INDETERMINATE, findings=(replace(nobody, severity="warning"),))
        unfit = tuple(fitness(facts, at, usage))
        if any(finding.severity == "error" for finding in unfit):
            return TrustEvidence(Status.FAILED, findings=unfit)
        anchors, intermediates, left_out = self._sorted(material, at)
        if not anchors:
            nowhere = _finding("trust-path", "no path to a trust anchor: no trusted certificate given may end one")
            return TrustEvidence(Status.FAILED, findings=(nowhere, *left_out))
        request = TrustRequest(
            certificate=certificate,
            at=at,
            anchors=anchors,
            intermediates=intermediates,
            crls=material.crls,
            ocsps=material.ocsps,
            revocation=revocation,
            usage=usage,
            online=online,
            evaluated=evaluated,
        )
        provider = self.plugins.trust_backends.get(self.trust_backend)
        origin = self.plugins.trust_backends.provider(self.trust_backend).origin
        evidence = self._believed(_asked(_Provider(provider), origin, request), request)
        if evidence.status is Status.PASSED:
            left_out = ()
        return replace(evidence, findings=(*unfit, *evidence.findings, *left_out))

    def facts(self, der: bytes) -> CertificateFacts:
        """What a certificate says. Raises `ValueError` if it cannot be read."""
        provider = self.plugins.crypto_backends.get(self.crypto_backend)
        origin = self.plugins.crypto_backends.provider(self.crypto_backend).origin
        with blaming(origin, "reading a certificate", allow=(ValueError,)):
            read = provider.certificate(der)
        return answered(read, CertificateFacts, origin, "reading a certificate")

    def _sorted(
        self, material: TrustMaterial, at: datetime
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[Finding, ...]]:
        """Anchors that may end a path at that time, everything else on offer, and what was not taken as an anchor."""
        anchors: list[bytes] = []
        outdated: list[str] = []
        not_roots: list[tuple[bytes, str]] = []
        for der in material.anchors:
            try:
                facts = self.facts(der)
            except ValueError:
                anchors.append(der)  # the backend says what is wrong with it
                continue
            if any(True for _ in validity(facts, at)):
                outdated.append(facts.subject)
            elif not material.partial_chain and not _same_name(facts.issuer, facts.subject):
                not_roots.append((der, facts.subject))
            else:
                anchors.append(der)
        findings = []
        if outdated:
            findings.append(
                _finding(
                    "trust-anchor-not-valid",
                    f"not valid at the time of evaluation, so not used: {_some(outdated)}",
                    "warning",
                )
            )
        if not_roots:
            findings.append(
                _finding(
                    "trust-anchor-not-root",
                    f"not self-signed, so no end of a path unless partial chains are allowed: "
                    f"{_some([name for _, name in not_roots])}",
                    "warning",
                )
            )
        return tuple(anchors), (*material.intermediates, *(der for der, _ in not_roots)), tuple(findings)

    def _believed(self, evidence: TrustEvidence, request: TrustRequest) -> TrustEvidence:
        """A backend's word is not enough: what it says passed must have all the marks of it."""
        if evidence.status is not Status.PASSED:
            return evidence
        doubt = self._doubt(evidence, request)
        if not doubt:
            return evidence
        bad = _finding("trust-evidence", f"backend {self.trust_backend} {doubt}")
        return replace(evidence, status=Status.INDETERMINATE, findings=(bad, *evidence.findings))

    def _doubt(self, evidence: TrustEvidence, request: TrustRequest) -> str:
        """Why the evidence does not show what it claims, or an empty string."""
        path = evidence.path
        if not path or path[0] != request.certificate or path[-1] not in request.anchors:
            return "gave no usable path"
        try:
            facts = [self.facts(der) for der in path]
        except ValueError:
            return "gave a path with an unreadable certificate"
        if not all(_same_name(lower.issuer, upper.subject) for lower, upper in pairwise(facts)):
            return "gave a path whose names do not chain"
        if any(True for one in facts for _ in validity(one, request.at)):
            return "gave a path with a certificate that is not valid at that time"
        known = {check.certificate for check in evidence.checked}
        demanded = {Revocation.HARD: path[:1], Revocation.HARD_CHAIN: path}.get(request.revocation, ())
        if any(der not in known for der in demanded if der != path[-1]):
            return "does not say how it knows that nothing was revoked"
        return ""


def fitness(facts: CertificateFacts, at: datetime, usage: Usage) -> Iterable[Finding]:
    """Why a certificate cannot vouch for what was made at that time, whoever issued it (RFC 5280 4.2.1.3, 4.2.1.12)."""
    yield from validity(facts, at)
    what = "time stamps" if usage is Usage.TIMESTAMPING else "signatures"
    severity = "warning" if usage is Usage.ANY else "error"
    if facts.key_usage and not facts.key_usage & _KEY_USAGES:
        usages = ", ".join(sorted(facts.key_usage))
        if usage is not Usage.TIMESTAMPING and facts.authority and "keyCertSign" in facts.key_usage:
            yield _finding(
                "trust-authority-signs",
                f"the certificate is that of a certification authority, for {usages}",
                "warning",
                clause="RFC 5280 4.2.1.3",
            )
        else:
            yield _finding(
                "trust-key-usage",
                f"the certificate is not for {what} but for {usages}",
                severity,
                clause="RFC 5280 4.2.1.3",
            )
    purposes = facts.extended_key_usage
    named = ", ".join(sorted(purposes)) or "nothing in particular"
    if usage is Usage.TIMESTAMPING:
        if purposes != {_TIME_STAMPING} or not facts.extended_key_usage_critical:
            yield _finding(
                "trust-extended-key-usage",
                f"the certificate must be for time stamps alone, and critically so; it is for {named}",
                clause="RFC 3161 2.3",
            )
    elif purposes and not purposes & _PURPOSES:
        yield _finding(
            "trust-extended-key-usage",
            f"the certificate is not for signatures over data but for {named}",
            severity,
            clause="RFC 5280 4.2.1.12",
        )


def validity(facts: CertificateFacts, at: datetime) -> Iterable[Finding]:
    """Why a certificate is not valid at that time (RFC 5280 4.1.2.5)."""
    if facts.not_before is not None and at < facts.not_before:
        yield _finding("trust-not-yet-valid", f"the certificate is valid from {facts.not_before:%Y-%m-%d %H:%M:%S} UTC")
    if facts.not_after is not None and at > facts.not_after:
        yield _finding("trust-expired", f"the certificate expired at {facts.not_after:%Y-%m-%d %H:%M:%S} UTC")


@dataclass(frozen=True, slots=True, eq=False)
class _Provider:
    """A backend that may be part of a key, by identity."""

    backend: TrustBackend

    def __hash__(self) -> int:
        return id(self.backend)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Provider) and other.backend is self.backend


@lru_cache(REMEMBERED)
def _asked(provider: _Provider, origin: PluginUse, request: TrustRequest) -> TrustEvidence:
    """The backend's answer, checked for its kinds; the same question is asked once."""
    with blaming(origin, "judging trust"):
        judged = provider.backend.evaluate(request)
    evidence = answered(judged, TrustEvidence, origin, "judging trust")
    answered_all(evidence.findings, Finding, origin, "judging trust")
    answered_all(evidence.path, bytes, origin, "judging trust")
    answered_all((*evidence.checked, *evidence.unchecked), RevocationCheck, origin, "judging trust")
    return evidence


def _same_name(one: str, other: str) -> bool:
    """Whether two RFC 4514 names are one, but for case and spaces (RFC 5280 7.1 has more rules, backends know them)."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(name.replace("\\ ", " ").split()).casefold()


def _some(names: Sequence[str]) -> str:
    shown = "; ".join(printable(name) or "without name" for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _finding(code: str, message: str, severity: str = "error", *, clause: str = "RFC 5280 6.1") -> Finding:
    return Finding(code, message, clause=clause, severity=severity)
