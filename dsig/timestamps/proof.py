"""When did the signature exist? The time axis: only a timestamp proves it (RFC 3161, PS3.3 C.12.1.1.3.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from dsig.distrust import answered, answered_all, blaming
from dsig.hookspecs import (
    CertificateFacts,
    Imprint,
    TimestampEvidence,
    TimestampFacts,
    TimestampVerifier,
    TimestampVerifierSpec,
    TrustEvidence,
)
from dsig.model import Axis, Finding, Status
from dsig.plugins import Plugins
from dsig.printable import printable
from dsig.providers import Provider
from dsig.signature.items import parse_datetime
from dsig.signature.signatures import FoundSignature
from dsig.signature.timestamp import signature_value, stored_timestamp
from dsig.timestamps.claimed import TOLERANCE
from dsig.trust.material import TrustMaterial
from dsig.trust.past import PastChains

__all__ = [
    "Held",
    "Proof",
    "TimestampPolicy",
    "examined",
    "imprint_findings",
    "proof",
    "still_good",
    "tsa_chains",
    "verifier_for",
]

CLAUSE = "PS3.3 C.12.1.1.3.1.3"


class TimestampPolicy(StrEnum):
    """What a verification makes of timestamps."""

    VERIFY = "verify"
    """There need be none; one that is there must be good."""
    REQUIRE = "require"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Proof:
    """The time axis, and the time it proves."""

    axis: Axis
    time: datetime | None = None
    """UTC; only of a timestamp that passed."""
    counts: bool = False
    """Whether the axis is part of the verdict."""


@dataclass(frozen=True, slots=True)
class Held:
    """What evidence kept beside a file proves of a signature and its timestamp (docs/evidence.md)."""

    status: Status
    since: datetime | None
    """When both are proven to have existed; only if passed."""
    findings: tuple[Finding, ...]
    timestamp: bytes = b""
    """The token it is about; empty if there was none."""


def proof(
    found: FoundSignature,
    facts: CertificateFacts | None,
    *,
    policy: TimestampPolicy,
    tsa: TrustMaterial,
    at: datetime,
    plugins: Plugins,
    chains: PastChains,
    held: Held | None = None,
) -> Proof:
    """Judge the timestamp of a signature.

    `facts` are those of the signer's certificate, `at` is the time of evaluation.
    """
    stored = stored_timestamp(found.item)
    # 1. Is there one, and does anybody ask?
    if policy is TimestampPolicy.IGNORE:
        ignored = _finding("timestamp-ignored", "there is a timestamp; it was not looked at", severity="info")
        return Proof(Axis(Status.NOT_CHECKED, () if stored.token is None else (ignored,)))
    since = None if held is None else held.since
    if held is not None and since is None:
        return Proof(Axis(held.status, held.findings), counts=True)
    if stored.token is None:
        return _absent(stored.kind, policy) if held is None or since is None else _without(held, since, facts)
    counts = policy is TimestampPolicy.REQUIRE or bool(tsa.anchors)

    def failed(*findings: Finding) -> Proof:
        return Proof(Axis(Status.FAILED, findings), counts=True)

    # 2. Is it of a kind somebody knows, and right in itself?
    provider = verifier_for(stored.kind, plugins)
    if provider is None:
        what = f"is {printable(stored.kind)!r}, which nobody here knows" if stored.kind else "is missing or empty"
        return failed(_finding("timestamp-type", f"Certified Timestamp Type {what}"))
    evidence = examined(provider, stored.token, tsa.intermediates, plugins)
    said, stamped = evidence.findings, evidence.facts
    if stamped is None:
        return failed(*said)

    # 3. Is it about this signature?
    values = dict.fromkeys((signature_value(found.item.signature, facts), found.item.signature))
    said = (*said, *imprint_findings(stamped.imprint, tuple(values), plugins))

    # 4. Does its time go with the other times?
    said = (*said, *_times(stamped, facts, found.item.date_time, at))
    if evidence.status is Status.FAILED or any(f.severity == "error" for f in said):
        gravest = Status.FAILED if evidence.status is not Status.INDETERMINATE else _gravest(evidence, said)
        return Proof(Axis(gravest, said), counts=counts or gravest is Status.FAILED)

    # 5. Was the TSA one the user trusts, when it stamped, and is it still?
    kept = held is not None and held.timestamp == stored.token
    status, trusted = _tsa(stamped, tsa, since if kept and since is not None else at, chains)
    said = (*said, *trusted, *(held.findings if held is not None and kept else ()), _told(stamped))
    if status is not Status.PASSED:
        return Proof(Axis(status, said), counts=counts or status is Status.FAILED)
    return Proof(Axis(Status.PASSED, said), stamped.time, counts=True)


def verifier_for(kind: str, plugins: Plugins) -> Provider[TimestampVerifierSpec] | None:
    """Who knows timestamps of this Certified Timestamp Type; None if nobody does. Raises `PluginError` for several."""
    for provider in plugins.timestamp_verifiers:
        if kind in provider.spec.types:
            return plugins.timestamp_verifiers.provider(provider.spec.name)
    return None


def examined(
    provider: Provider[TimestampVerifierSpec], token: bytes, certificates: Sequence[bytes], plugins: Plugins
) -> TimestampEvidence:
    """What a verifier says of a token; what it cannot have meant is its fault. Raises `PluginError`."""
    doing = "judging a timestamp"
    verifier: TimestampVerifier = plugins.timestamp_verifiers.get(provider.spec.name)
    with blaming(provider.origin, doing):
        said = verifier.verify(token, tuple(certificates))
    evidence = answered(said, TimestampEvidence, provider.origin, doing)
    answered_all(evidence.findings, Finding, provider.origin, doing)
    if evidence.facts is not None:
        answered(evidence.facts, TimestampFacts, provider.origin, doing)
    wrong = evidence.facts is None or any(f.severity == "error" for f in evidence.findings)
    if evidence.status is Status.PASSED and wrong:
        return replace(evidence, status=Status.FAILED)  # it contradicts itself
    return evidence


def imprint_findings(imprint: Imprint, values: Sequence[bytes], plugins: Plugins) -> tuple[Finding, ...]:
    """Whether an imprint is that of one of `values`, computed here and not by whoever read the token."""
    name = next((p.spec.name for p in plugins.mac_algorithms if p.spec.oid == imprint.oid), None)
    if name is None:
        unknown = f"nobody here knows the hash algorithm {imprint.oid} of the timestamp's imprint"
        return (_finding("timestamp-imprint-algorithm", unknown, "RFC 3161 2.4.1"),)
    for value in values:
        running = plugins.new_mac(name)
        running.update(value)
        if running.digest() == imprint.digest:
            break
    else:
        return (_finding("timestamp-imprint", "the timestamp is about something else", "RFC 3161 2.4.2"),)
    if plugins.mac_algorithms.spec(name).weak:
        weak = f"the timestamp's imprint is made with {name}, which no longer resists forgery"
        return (_finding("timestamp-weak-imprint", weak, "RFC 3161 4", severity="warning"),)
    return ()


def _without(held: Held, since: datetime, facts: CertificateFacts | None) -> Proof:
    """Evidence stands for a timestamp where there is none: it is about the signature's value too."""
    if facts is not None and facts.not_after is not None and since > facts.not_after:
        text = "the evidence was made after the signer's certificate had expired, so it proves nothing"
        return Proof(
            Axis(Status.FAILED, (_finding("timestamp-outside-validity", text, "RFC 3161 4.3"), *held.findings)),
            counts=True,
        )
    return Proof(Axis(Status.PASSED, held.findings), since, counts=True)


def _absent(kind: str, policy: TimestampPolicy) -> Proof:
    alone = _finding("timestamp-type-alone", "there is a Certified Timestamp Type and no timestamp", severity="warning")
    findings = (alone,) if kind else ()
    if policy is not TimestampPolicy.REQUIRE:
        return Proof(Axis(Status.NOT_CHECKED, findings))
    missing = _finding("timestamp-missing", "there is no timestamp, and one is required")
    return Proof(Axis(Status.FAILED, (missing, *findings)), counts=True)


def _gravest(evidence: TimestampEvidence, said: Sequence[Finding]) -> Status:
    """Indeterminate only if nothing but what the verifier itself could not decide is wrong."""
    others = [f for f in said if f.severity == "error" and f not in evidence.findings]
    return Status.FAILED if others else Status.INDETERMINATE


def _times(stamped: TimestampFacts, facts: CertificateFacts | None, claimed: str, at: datetime) -> tuple[Finding, ...]:
    """GenTime beside the signer's validity, the claimed time, and the time of evaluation."""
    found: list[Finding] = []
    time = stamped.time.replace(microsecond=0)
    when = f"{time:%Y-%m-%d %H:%M:%S} UTC"
    if facts is not None and (
        (facts.not_before is not None and time < facts.not_before)
        or (facts.not_after is not None and time > facts.not_after)
    ):
        found.append(
            _finding(
                "timestamp-outside-validity",
                f"the timestamp is of {when}; the signer's certificate was not valid then, so it proves nothing",
                "RFC 3161 4.3",
            )
        )
    # Differences, because sums may lie beyond the end of the calendar.
    if time - at > TOLERANCE:
        found.append(_finding("timestamp-future", f"the timestamp is of {when}, after the time of evaluation"))
    if stamped.accuracy > TOLERANCE:
        text = f"the TSA says that its clock may be wrong by {stamped.accuracy}"
        found.append(_finding("timestamp-accuracy", text, "RFC 3161 2.4.2", severity="warning"))
    said = parse_datetime(claimed)
    if said is not None and said.tzinfo is not None and said - stamped.time - TOLERANCE > stamped.accuracy:
        found.append(
            _finding(
                "timestamp-before-claimed",
                f"the signature existed at {when}, before the time it claims for itself ({printable(claimed)})",
                severity="warning",
            )
        )
    return tuple(found)


def _tsa(
    stamped: TimestampFacts, tsa: TrustMaterial, at: datetime, chains: PastChains
) -> tuple[Status, tuple[Finding, ...]]:
    """The TSA's chain, if there is a root to lead it to."""
    if not tsa.anchors:
        none = _finding(
            "timestamp-no-anchors",
            "no trusted root for timestamps was given (--tsa-root), so the timestamp proves nothing here",
            "RFC 3161 4.3",
            severity="warning",
        )
        return Status.INDETERMINATE, (none,)
    return still_good(stamped, tsa, at, chains)


def still_good(
    stamped: TimestampFacts, tsa: TrustMaterial, until: datetime, chains: PastChains
) -> tuple[Status, tuple[Finding, ...]]:
    """The TSA's chain, at the time it stamped and at `until`: now, or when newer evidence takes over.

    A key whose certificate has expired may be anybody's by then, and tokens of any time can be made with it.
    """
    then, now = tsa_chains(stamped, tsa, until, chains)
    if then.status is not Status.PASSED:
        return _not_passed(then.status), tuple(_of_tsa(f) for f in then.findings)
    if now.status is not Status.PASSED:
        no_longer = _finding(
            "timestamp-tsa-no-longer",
            "the TSA's certificate was good when it stamped and is no longer; without evidence kept since, its"
            " timestamps prove nothing any more",
            "RFC 3161 4.3",
        )
        return _not_passed(now.status), (no_longer, *(_of_tsa(f) for f in now.findings))
    return Status.PASSED, tuple(_of_tsa(f) for f in then.findings)


def tsa_chains(
    stamped: TimestampFacts, tsa: TrustMaterial, until: datetime, chains: PastChains
) -> tuple[TrustEvidence, TrustEvidence]:
    """The TSA's chain as judged when it stamped and, if it held then, at `until`; else twice the same."""
    material = replace(tsa, intermediates=(*tsa.intermediates, *stamped.certificates))
    then = chains.since(stamped.certificate, material, stamped.time)
    if then.status is not Status.PASSED:
        return then, then
    return then, chains.judge(stamped.certificate, material, max(until, stamped.time))


def _not_passed(status: Status) -> Status:
    return Status.FAILED if status is Status.FAILED else Status.INDETERMINATE


def _of_tsa(finding: Finding) -> Finding:
    return replace(finding, message=f"TSA: {finding.message}")


def _told(stamped: TimestampFacts) -> Finding:
    """What is proven, by whom."""
    accuracy = stamped.accuracy.total_seconds()
    spread = f" ±{accuracy:g} s" if accuracy else ""
    time = stamped.time.astimezone(UTC)
    return _finding(
        "timestamp-says",
        f"{printable(stamped.tsa) or 'a TSA without name'} says that the signature existed at"
        f" {time:%Y-%m-%d %H:%M:%S} UTC{spread} (policy {stamped.policy}, serial {stamped.serial:x})",
        "RFC 3161 2.4.2",
        severity="info",
    )


def _finding(code: str, message: str, clause: str = CLAUSE, *, severity: str = "error") -> Finding:
    return Finding(code, message, clause=clause, severity=severity)
