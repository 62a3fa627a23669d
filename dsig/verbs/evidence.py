"""Evidence: collect what makes signatures good today, and stamp it again before the last stamp expires."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NoReturn

from dsig.arguments import checked
from dsig.der import kind_of, without_padding
from dsig.errors import DsigError, UsageError
from dsig.hookspecs import TrustEvidence, Usage
from dsig.io import Given, name_of, open_input
from dsig.judgement import answers
from dsig.limits import DEFAULT, Limits
from dsig.model import FileVerdict, Finding, SignatureReport, Status
from dsig.plugins import Plugins, default
from dsig.signature.signatures import FoundSignature, find_signatures
from dsig.signature.timestamp import CMS_TSP, signature_value, stored_timestamp
from dsig.timestamps.evidence import Archived, Evidence, HeldSignature, judged
from dsig.timestamps.proof import Held, examined, tsa_chains, verifier_for
from dsig.timestamps.stamping import TsaOptions, stamped
from dsig.trust.material import TrustMaterial
from dsig.trust.past import PastChains
from dsig.verbs.verify import VerifyOptions, past_chains, verify

__all__ = ["EvidenceReport", "collect_evidence", "renew_evidence", "verify_evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReport:
    """What evidence proves at a time of evaluation."""

    status: Status
    since: datetime | None
    """When its content is proven to have existed."""
    signatures: tuple[HeldSignature, ...]
    findings: tuple[Finding, ...] = field(default=())


@checked
def collect_evidence(
    *given: Given,
    tsa: TsaOptions,
    options: VerifyOptions,
    plugins: Plugins | None = None,
    limits: Limits = DEFAULT,
) -> Evidence:
    """Verify files and keep what made them pass, fetched or given, protected together by one archive timestamp.

    `options` are those of `verify`; both roots of signers and of TSAs are needed. Raises `UsageError` (code
    `evidence-not-passed`) if a file does not pass with trust: there is nothing to prove then; `OutputError` if no TSA
    gives a timestamp.
    """
    plugins = plugins or default()
    if not options.check_trust or not options.trust.anchors or not options.tsa_trust.anchors:
        raise UsageError("evidence needs trusted roots of signers and of TSAs", hint="give --trust-root and --tsa-root")
    options = replace(options, at=options.at or datetime.now(UTC))  # so that nothing is asked or fetched twice
    kept = _Kept()
    kept.offered(options.trust)
    kept.offered(options.tsa_trust, anchors=True)  # tokens carry their TSA's certificate or leave it to these
    held = tuple(one for file in given for one in _collected(file, options, plugins, limits, kept))
    evidence = Evidence(held, tuple(kept.certificates), tuple(kept.crls), tuple(kept.ocsps))
    return _stamped(evidence, Archived(), tsa, plugins)


def _collected(
    given: Given, options: VerifyOptions, plugins: Plugins, limits: Limits, kept: _Kept
) -> list[HeldSignature]:
    """The signatures of one file that passes; what they passed by is kept."""
    try:
        reports = {(s.uid, s.location): s for s in _passed(given, options, plugins)}
        with open_input(given, kind=options.input_kind, limits=limits) as file:
            found = find_signatures(file, file.main(limits), limits)
            return [
                _held(one, reports.get((one.item.uid, one.level.location)), options, plugins, kept) for one in found
            ]
    except DsigError as error:
        raise error.located(name_of(given)) from None


@checked
def renew_evidence(
    evidence: Evidence,
    *,
    tsa: TsaOptions,
    options: VerifyOptions,
    plugins: Plugins | None = None,
) -> Evidence:
    """Add an archive timestamp about everything there is; it must still be good at the time of evaluation.

    What shows that the TSA of the newest one so far was good, fetched or offered by `options.tsa_trust`, is kept with
    it. Raises `UsageError` (code `evidence-not-passed`) and `OutputError`.
    """
    plugins = plugins or default()
    options = replace(options, at=options.at or datetime.now(UTC))
    report = verify_evidence(evidence, options=options, plugins=plugins)
    if report.status is not Status.PASSED:
        _refuse("the evidence itself is no longer good, so it cannot be renewed", report.findings)
    kept = _Kept()
    kept.offered(options.tsa_trust, anchors=True)
    kept.token(evidence.archive[-1].timestamp, evidence.material(options.tsa_trust), options, plugins)
    entry = Archived(tuple(kept.certificates), tuple(kept.crls), tuple(kept.ocsps))
    return _stamped(evidence, entry, tsa, plugins)


@checked
def verify_evidence(evidence: Evidence, *, options: VerifyOptions, plugins: Plugins | None = None) -> EvidenceReport:
    """Say since when the content of evidence is proven to exist, judged at `options.at` or now."""
    plugins = plugins or default()
    held: Held = judged(
        evidence,
        options.tsa_trust,
        options.at or datetime.now(UTC),
        plugins,
        past_chains(options, plugins, evidence.material(options.tsa_trust), Usage.TIMESTAMPING),
    )
    return EvidenceReport(status=held.status, since=held.since, signatures=evidence.signatures, findings=held.findings)


def _passed(given: Given, options: VerifyOptions, plugins: Plugins) -> tuple[SignatureReport, ...]:
    report = verify(given, options, plugins=plugins)
    if report.verdict is not FileVerdict.PASSED:
        findings = [f for s in report.signatures for a in s.axes.values() for f in a.findings]
        _refuse(f"the file is {report.verdict}, and evidence is kept of what passed", tuple(findings))
    return report.signatures


@dataclass(frozen=True, slots=True)
class _Kept:
    """What chains were judged with, each once and in order: keys of dictionaries, DER."""

    certificates: dict[bytes, None] = field(default_factory=dict)
    crls: dict[bytes, None] = field(default_factory=dict)
    ocsps: dict[bytes, None] = field(default_factory=dict)

    def offered(self, material: TrustMaterial, *, anchors: bool = False) -> None:
        """Keep what the user gave; signers of CRLs may be among intermediates."""
        self.certificates.update(dict.fromkeys((*material.intermediates, *(material.anchors if anchors else ()))))
        self.crls.update(dict.fromkeys(material.crls))
        self.ocsps.update(dict.fromkeys(material.ocsps))

    def used(self, *chains: TrustEvidence) -> None:
        """Keep the paths, and the CRLs and OCSP responses that answered, wherever the backend had them from."""
        for chain in chains:
            self.certificates.update(dict.fromkeys(chain.path))
            for source in (check.source for check in chain.checked if check.source):
                with contextlib.suppress(ValueError):  # of a backend that names something else; it would not be read
                    {"crl": self.crls, "ocsp": self.ocsps}.get(kind_of(source), {})[source] = None

    def token(self, token: bytes, tsa: TrustMaterial, options: VerifyOptions, plugins: Plugins) -> None:
        """Keep what the TSA of a token is judged with."""
        provider = verifier_for(CMS_TSP, plugins)
        facts = examined(provider, token, tsa.intermediates, plugins).facts if provider is not None else None
        if facts is not None:
            chains = past_chains(options, plugins, tsa, Usage.TIMESTAMPING)
            self.used(*tsa_chains(facts, tsa, options.at or datetime.now(UTC), chains))


def _held(
    found: FoundSignature, report: SignatureReport | None, options: VerifyOptions, plugins: Plugins, kept: _Kept
) -> HeldSignature:
    """One signature; the paths of its signer and its TSA are kept."""
    facts, _ = answers.certificate(found, plugins, options.crypto_backend)
    token = stored_timestamp(found.item).token or b""
    proven = report.times.proven if report is not None else ""
    at = datetime.fromisoformat(proven) if proven else options.at or datetime.now(UTC)
    chains: PastChains = past_chains(options, plugins, options.trust, options.usage)
    kept.used(chains.since(without_padding(found.item.certificate), options.trust, at))
    if proven:
        kept.token(token, options.tsa_trust, options, plugins)
    return HeldSignature(found.item.uid, found.level.location, signature_value(found.item.signature, facts), token)


def _stamped(evidence: Evidence, entry: Archived, tsa: TsaOptions, plugins: Plugins) -> Evidence:
    number = len(evidence.archive)
    stamp = stamped((evidence.stamped(number, entry),), tsa, plugins)
    return replace(evidence, archive=(*evidence.archive, replace(entry, timestamp=stamp.token)))


def _refuse(message: str, findings: tuple[Finding, ...]) -> NoReturn:
    first = next((f.message for f in findings if f.severity == "error"), "")
    raise UsageError(f"{message}{f': {first}' if first else ''}", code="evidence-not-passed")
