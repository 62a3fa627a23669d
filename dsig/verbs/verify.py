"""Verify: six questions asked of every signature of a file, answered with findings and never with a bare yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from dsig.arguments import as_annotated, checked
from dsig.der import without_padding
from dsig.dicom.file import DicomFile
from dsig.dicom.lookup import Lookup
from dsig.dicom.pump import WORTH_A_THREAD
from dsig.errors import DsigError, InputError, UsageError
from dsig.hookspecs import CertificateFacts, Revocation, TrustEvidence, Usage
from dsig.io import Given, name_of, open_input
from dsig.judgement import answers
from dsig.judgement.integrity import Attempt, Integrity
from dsig.judgement.strictness import strict_axis, strict_findings, without_weakness
from dsig.judgement.verdicts import file_verdict, verdict, with_coverage, with_profiles, worst
from dsig.limits import DEFAULT, Limits
from dsig.model import (
    AXES,
    Axis,
    ErrorReport,
    FileReport,
    FileVerdict,
    Finding,
    PluginUse,
    SignatureReport,
    SignerFacts,
    Status,
    Times,
)
from dsig.plugins import HOST, Plugins, default
from dsig.providers import Provider, preloaded
from dsig.signature.coverage import coverage_of
from dsig.signature.signatures import FoundSignature, find_signatures, level_wide_findings
from dsig.signature.timestamp import CMS_TSP, signature_value
from dsig.timestamps.claimed import claimed_findings
from dsig.timestamps.proof import Held, TimestampPolicy, proof, verifier_for
from dsig.trust.chain import Chains
from dsig.trust.material import TrustMaterial
from dsig.trust.past import PastChains

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary
    from dsig.judgement.policy import Policy
    from dsig.timestamps.evidence import Evidence

__all__ = ["VerifyOptions", "error_report", "past_chains", "plugins_used", "verify"]


_ITEMS_ONLY = Finding(
    "data-set-unsigned",
    "only items of sequences are signed, no signature is of the data set itself",
    clause="PS3.3 C.12.1.1.3",
    severity="info",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What a verification shall look at."""

    trust: TrustMaterial = field(default_factory=TrustMaterial)
    check_trust: bool = True
    """False: say nothing about who signed (`--no-trust`)."""
    check_usage: bool = True
    """False: that a signer's certificate is not for signatures (RFC 5280 4.2.1.3, 4.2.1.12) is a warning."""
    at: datetime | None = None
    """Time to judge certificates at, aware; None is now."""
    revocation: Revocation | None = None
    """None: soft if there are CRLs or OCSP responses or they may be fetched, else not at all."""
    online: bool = False
    """Whether certificates, CRLs and OCSP responses may be fetched from where certificates say they are."""
    timestamps: TimestampPolicy = TimestampPolicy.VERIFY
    """Whether there must be a certified timestamp (PS3.3 C.12.1.1.3.1.3), or may be one."""
    tsa_trust: TrustMaterial = field(default_factory=TrustMaterial)
    """Whose timestamps prove something; apart from `trust`, because these are other people."""
    evidence: tuple[Evidence, ...] = ()
    """What was kept beside the file; see `dsig.timestamps.evidence`."""
    require_coverage: tuple[int | str, ...] | str | None = None
    """`all`, `profile` (what one of `require_profiles` lists) or tags of the main data set, alone or together: each of
    its signatures must cover that, and there must be one."""
    require_profiles: tuple[str, ...] = ()
    """Profiles (PS3.15 annex C), each of which a signature of the file that passes must meet."""
    policy: Policy | None = None
    """What the site wants besides."""
    strict: bool = False
    """What is legal but lets signed content mean something else fails; see `dsig.judgement.strictness`."""
    old_format: bool = False
    """Fragment lengths are part of the MAC (decision 0006)."""
    convert_un: bool = False
    """Read elements of VR UN with the VR the dictionary gives them, as other programs do on demand (PS3.5 6.2.2)."""
    dictionary: Dictionary | None = None
    """Read by `load_dictionaries`; tells VRs of implicit VR and for `convert_un` before the built-in dictionary."""
    input_kind: str = "auto"
    mac_backend: str = HOST
    """Where MACs are computed, as in `SignOptions`."""
    crypto_backend: str = "cryptography"
    trust_backend: str = "certvalidator"
    limits: Limits = DEFAULT

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)

    @property
    def usage(self) -> Usage:
        """What the certificates of signers have to be meant for."""
        return Usage.SIGNING if self.check_usage else Usage.ANY

    def asked_revocation(self, material: TrustMaterial) -> Revocation:
        """What has to be known about revocation, the default worked out for what is offered."""
        if self.revocation is not None:
            return self.revocation
        offered = material.crls or material.ocsps or self.online
        return Revocation.SOFT if offered else Revocation.NONE


@checked
def verify(given: Given, options: VerifyOptions | None = None, *, plugins: Plugins | None = None) -> FileReport:
    """Verify all signatures of a path, bytes, binary file object or pydicom data set.

    What cannot be read gives a report with `error` set. Raises `UsageError` and `PluginError` only.
    """
    options = _effective(options or VerifyOptions())
    plugins = plugins or default()
    at = _in_utc(options.at)
    if options.mac_backend != HOST:
        plugins.mac_backend(options.mac_backend)
    for profile in options.require_profiles:
        plugins.profiles.get(profile)  # a name nobody has is an error whatever the file is
    for algorithm in (options.policy and options.policy.allowed_macs) or ():
        plugins.mac_algorithms.provider(algorithm)
    if "profile" in answers.demanded(options.require_coverage) and not options.require_profiles:
        raise UsageError(
            "coverage is required as a profile has it, but no profile is", hint="name one, as --require creator"
        )
    options = replace(options, at=at, limits=options.limits.started())
    name = name_of(given)
    try:
        with open_input(given, kind=options.input_kind, limits=options.limits, lookup=_lookup(options)) as file:
            return _Verification(file, name, options, plugins).report()
    except InputError as error:
        return FileReport(name, FileVerdict.ERROR, error=error_report(error))
    except DsigError as error:
        raise error.located(name) from None


def error_report(error: DsigError) -> ErrorReport:
    """An error as reports have it."""
    return ErrorReport(error.code, error.message, str(error.where), error.hint or "")


def _in_utc(at: datetime | None) -> datetime | None:
    """The time of evaluation. Raises `UsageError` without zone, and where the calendar has no such time in UTC."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise UsageError("the time of evaluation needs a time zone", hint="write 2026-01-31T12:00:00Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise UsageError("the time of evaluation lies beyond the calendar", hint="write 2026-01-31T12:00:00Z") from None


def _lookup(options: VerifyOptions) -> Lookup:
    return Lookup(convert_un=options.convert_un, dictionary=options.dictionary)


class _Verification:
    """One file on its way through the six questions."""

    def __init__(self, file: DicomFile, name: str, options: VerifyOptions, plugins: Plugins) -> None:
        self.file = file
        self.name = name
        self.options = options
        self.plugins = plugins
        self.at = options.at or datetime.now(UTC)
        self.offset = ""
        """(0008,0201) Timezone Offset From UTC."""
        self.integrity = Integrity(
            file,
            plugins,
            backend=options.crypto_backend,
            mac_backend=options.mac_backend,
            old_format=options.old_format,
            limits=options.limits,
        )

    def report(self) -> FileReport:
        """Ask everything, top to bottom."""
        # 1. Walk the file once: elements, signatures at all levels, whatever readers could disagree about.
        limits = self.options.limits
        main = self.file.main(limits)
        self.offset = main.text(0x00080201)
        found = find_signatures(self.file, main, limits)
        findings = tuple(level_wide_findings(self.file, main))

        # 2. Read the values once, for all signatures together, into one MAC each.
        with self.preloaded(found):
            attempts = self.integrity.first_attempts(found)

        # 3. Ask the questions of each signature.
        signatures = tuple(self.signature(f, attempt) for f, attempt in zip(found, attempts, strict=True))

        # 4. What is required of the file and not of each signature: coverage of the data set, and profiles, each of
        #    which a signature that passes has to meet.
        if self.options.require_coverage is not None:
            signatures = with_coverage(signatures)
        signatures = with_profiles(signatures, self.options.require_profiles)
        if self.options.policy is not None:
            from dsig.judgement.policy import file_findings

            findings += tuple(file_findings(self.options.policy, signatures))
        if signatures and all(signature.location != "/" for signature in signatures):
            findings += (_ITEMS_ONLY,)
        if self.options.strict:
            findings = strict_findings(findings)
        return FileReport(
            self.name,
            file_verdict(signatures, findings),
            signatures,
            findings,
            main.text(0x00080018),
            self.file.syntax.uid,
        )

    def preloaded(self, found: Sequence[FoundSignature]) -> AbstractContextManager[None]:
        """Importing backends takes a tenth of a second, which hashing a large file hides."""
        if not found or self.file.data.size < WORTH_A_THREAD:
            return nullcontext()
        options, plugins = self.options, self.plugins
        gets: list[Callable[[], object]] = [partial(plugins.crypto_backends.get, options.crypto_backend)]
        if options.check_trust and options.trust.anchors:
            gets.append(partial(plugins.trust_backends.get, options.trust_backend))
        return preloaded(*gets)

    def signature(self, found: FoundSignature, attempt: Attempt) -> SignatureReport:
        """The six answers and the verdict on one signature."""
        options, plugins = self.options, self.plugins
        facts, unreadable = answers.certificate(found, plugins, options.crypto_backend)
        outcome = self.integrity.outcome(found, attempt, facts)
        found = outcome.recovered or found
        borders = self.integrity.borders.findings(found.level, found.selected)
        structure = (*found.structure, *unreadable, *borders)
        coverage = coverage_of(found.level, found.mac.elements if found.mac else ())
        axes = dict.fromkeys(AXES, Axis()) | {
            "structure": Axis(worst(*structure), structure),
            "integrity": outcome.axis,
            "coverage": answers.coverage(
                found, coverage, options.require_coverage, options.require_profiles, plugins, options.limits
            ),
        }
        required = ["structure", "integrity"]
        met: tuple[str, ...] = ()
        if options.require_profiles:
            axes["profile"], met = answers.profiles(found, facts, options.require_profiles, plugins)
        held, tsa, trust = self.held(found, facts)
        proven = proof(
            found,
            facts,
            policy=options.timestamps,
            tsa=tsa,
            at=self.at,
            plugins=plugins,
            chains=self.chains(tsa, Usage.TIMESTAMPING),
            held=held,
        )
        claimed = claimed_findings(found.item.date_time, self.offset, facts, self.at)
        axes["time"] = replace(proven.axis, findings=(*claimed, *proven.axis.findings))
        if proven.counts:
            required.append("time")
        path: tuple[SignerFacts, ...] = ()
        if options.check_trust:
            required.append("trust")
            ask = partial(self.trusted, trust, proven.time)
            axes["trust"], path = answers.trust(found, facts, ask, plugins, options.crypto_backend)

        # The user's own rules come last: what fails for them is required, whatever else is.
        ruled = self.ruled(axes, found.mac.algorithm if found.mac else "", facts)
        required += [name for name in AXES if ruled[name] is not axes[name]]
        axes = ruled
        return SignatureReport(
            uid=found.item.uid,
            location=found.level.location,
            verdict=verdict([axes[name].status for name in required]),
            axes=axes,
            mac=found.mac_facts(outcome.digest, outcome.reading.name, options.mac_backend.partition(":")[0]),
            signer=None if facts is None else facts.signer(),
            times=Times(found.item.date_time, _iso(proven.time), _iso(self.at)),
            coverage=coverage,
            purpose=found.item.purpose,
            profiles=met,
            certificate=b"" if facts is None else without_padding(found.item.certificate),
            path=path,
            crypto_backend=options.crypto_backend,
        )

    def trusted(self, trust: TrustMaterial, proven: datetime | None, certificate: bytes) -> TrustEvidence:
        """The chain of a signer's certificate, judged at the proven time, or else at that of evaluation."""
        chains = self.chains(trust, self.options.usage)
        return chains.judge(certificate, trust, self.at) if proven is None else chains.since(certificate, trust, proven)

    def held(
        self, found: FoundSignature, facts: CertificateFacts | None
    ) -> tuple[Held | None, TrustMaterial, TrustMaterial]:
        """What evidence there is about a signature, and what TSAs and signers are judged with: theirs and its."""
        options = self.options
        if not options.evidence:
            return None, options.tsa_trust, options.trust
        from dsig.timestamps.evidence import judged

        value = signature_value(found.item.signature, facts)
        best: tuple[Held, Evidence] | None = None
        for evidence in options.evidence:
            about = next((one for one in evidence.signatures if one.signature == value), None)
            if about is None:
                continue
            material = evidence.material(options.tsa_trust)
            chains = self.chains(material, Usage.TIMESTAMPING)
            held = judged(evidence, options.tsa_trust, self.at, self.plugins, chains)
            if best is None or (held.since is not None and (best[0].since is None or held.since < best[0].since)):
                best = replace(held, timestamp=about.timestamp), evidence
        if best is None:
            return None, options.tsa_trust, options.trust
        return best[0], best[1].material(options.tsa_trust), best[1].material(options.trust)

    def chains(self, material: TrustMaterial, usage: Usage) -> PastChains:
        """How chains of this usage are judged."""
        return past_chains(self.options, self.plugins, material, usage)

    def ruled(self, axes: dict[str, Axis], algorithm: str, facts: CertificateFacts | None) -> dict[str, Axis]:
        """The axes under --strict and the policy; those that fail for them are new."""
        if self.options.strict:
            axes = {name: strict_axis(name, axis) for name, axis in axes.items()}
        policy = self.options.policy
        if policy is None:
            return axes
        from dsig.judgement.policy import signature_findings

        if not policy.allow_weak:
            axes = {name: without_weakness(axis) for name, axis in axes.items()}
        for name, finding in signature_findings(policy, algorithm, facts):
            axes = axes | {name: Axis(Status.FAILED, (finding, *axes[name].findings))}
        return axes


def past_chains(options: VerifyOptions, plugins: Plugins, material: TrustMaterial, usage: Usage) -> PastChains:
    """How these options have chains of this usage judged.

    That the signer must be known not to be revoked is not said of TSAs: only what is said of whole chains is.
    """
    revocation = options.asked_revocation(material)
    if usage is Usage.TIMESTAMPING and revocation is Revocation.HARD:
        revocation = Revocation.SOFT
    chains = Chains(plugins=plugins, trust_backend=options.trust_backend, crypto_backend=options.crypto_backend)
    judge = partial(
        chains.judge,
        usage=usage,
        revocation=revocation,
        online=options.online,
        evaluated=options.at,
    )
    return PastChains(judge, chains.facts)


def _iso(time: datetime | None) -> str:
    return "" if time is None else time.astimezone(UTC).isoformat(timespec="seconds")


def _effective(options: VerifyOptions) -> VerifyOptions:
    """The options with what their policy adds."""
    policy = options.policy
    if policy is None:
        return options
    coverage = (*answers.demanded(options.require_coverage), *policy.require_coverage)
    return replace(
        options,
        require_profiles=tuple(dict.fromkeys((*options.require_profiles, *policy.require_profiles))),
        require_coverage=coverage or None,
        strict=options.strict or policy.strict,
        timestamps=TimestampPolicy.REQUIRE if policy.require_timestamp else options.timestamps,
    )


def plugins_used(options: VerifyOptions, plugins: Plugins, files: Sequence[FileReport]) -> tuple[PluginUse, ...]:
    """The plugins that took part in these reports."""
    options = _effective(options)
    algorithms = {s.mac.algorithm for f in files for s in f.signatures}
    chosen: list[Provider[Any]] = [plugins.crypto_backends.provider(options.crypto_backend)]
    chosen += (plugins.profiles.provider(name) for name in options.require_profiles)
    if options.mac_backend == HOST:
        chosen += (plugins.mac_algorithms.provider(a) for a in sorted(algorithms) if a in plugins.mac_algorithms)
    else:
        chosen.append(plugins.mac_backend(options.mac_backend))
    stamped = any(s.axes["time"].status is not Status.NOT_CHECKED for f in files for s in f.signatures)
    if (options.check_trust and options.trust.anchors) or (stamped and options.tsa_trust.anchors):
        chosen.append(plugins.trust_backends.provider(options.trust_backend))
    if stamped and (verifier := verifier_for(CMS_TSP, plugins)) is not None:
        chosen.append(verifier)
    return plugins.use(*chosen)
