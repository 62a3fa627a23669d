"""Verify: six questions asked of every signature of a file, answered with findings and never with a bare yes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from dsig.dicom.encoding import Encoding
from dsig.dicom.file import DicomFile, open_dicom
from dsig.dicom.location import format_tag
from dsig.dicom.pump import WORTH_A_THREAD
from dsig.dicom.source import open_source
from dsig.dicom.walk import FRAGMENTS
from dsig.errors import DsigError, InputError, UsageError
from dsig.hookspecs import CertificateFacts, CryptoBackend, Mac, SignatureView, TrustRequest
from dsig.io import Given, as_input, name_of
from dsig.limits import DEFAULT, Limits
from dsig.model import (
    AXES,
    Axis,
    Coverage,
    ErrorReport,
    FileReport,
    FileVerdict,
    Finding,
    MacFacts,
    PluginUse,
    SignatureReport,
    SignerFacts,
    Status,
    Times,
)
from dsig.plugins import Plugins, Provider, blaming, default
from dsig.signature.coverage import coverage_axis, coverage_of
from dsig.signature.mac import MacCursor, mac_pieces, pump
from dsig.signature.padding import repads
from dsig.signature.purpose import SCHEME
from dsig.signature.reading import CANONICAL, OLD_FORMAT, STORED, TRAILING_NUL, Reading
from dsig.signature.signatures import FoundSignature, find_signatures, level_wide_findings, mac_encoding
from dsig.signature.view import LevelView
from dsig.trust import TrustMaterial

__all__ = ["VerifyOptions", "verify"]

WEAK_BITS = {"RSA": 2048, "DSA": 2048, "EC": 224}
"""Key sizes below these are reported (NIST SP 800-57 part 1, 112 bits of strength)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What a verification shall look at."""

    trust: TrustMaterial = field(default_factory=TrustMaterial)
    check_trust: bool = True
    """False: say nothing about who signed (`--no-trust`)."""
    at: datetime | None = None
    """Time to judge certificates at, aware; None is now."""
    require_coverage: tuple[int, ...] | str | None = None
    """`all`, or the tags that must be signed (at the level of the signature)."""
    require_profiles: tuple[str, ...] = ()
    """Profiles (PS3.15 annex C), each of which a signature of the file that passes must meet."""
    old_format: bool = False
    """Fragment lengths are part of the MAC (reference section 1.3)."""
    input_kind: str = "auto"
    crypto_backend: str = "cryptography"
    trust_backend: str = "cryptography"
    limits: Limits = DEFAULT


def verify(given: Given, options: VerifyOptions | None = None, *, plugins: Plugins | None = None) -> FileReport:
    """Verify all signatures of a path, bytes, binary file object or pydicom data set.

    What cannot be read gives a report with `error` set. Raises `UsageError` and `PluginError` only.
    """
    options = options or VerifyOptions()
    plugins = plugins or default()
    if options.at is not None and options.at.tzinfo is None:
        raise UsageError("the time of evaluation needs a time zone", hint="write 2026-01-31T12:00:00Z")
    for profile in options.require_profiles:
        plugins.profiles.get(profile)  # a name nobody has is an error whatever the file is
    name = name_of(given)
    try:
        with as_input(given) as plain, open_source(plain) as source:
            try:
                with open_dicom(source, kind=options.input_kind, limits=options.limits) as file:
                    return _Verification(file, name, options, plugins).report()
            except RecursionError:  # pragma: no cover - the walker keeps its own stack
                raise InputError("the data set is nested too deeply") from None
    except InputError as error:
        problem = ErrorReport(error.code, error.message, str(error.where), error.hint or "")
        return FileReport(name, FileVerdict.ERROR, error=problem)
    except DsigError as error:
        raise error.located(name) from None


class _Verification:
    """One file on its way through the six questions."""

    def __init__(self, file: DicomFile, name: str, options: VerifyOptions, plugins: Plugins) -> None:
        self.file = file
        self.name = name
        self.options = options
        self.plugins = plugins
        self.at = options.at or datetime.now(UTC)
        self.backend_origin = plugins.crypto_backends.provider(options.crypto_backend).origin

    def report(self) -> FileReport:
        """Ask everything, top to bottom."""
        # 1. Walk the file once: elements, signatures at all levels, whatever readers could disagree about.
        limits = self.options.limits
        main = self.file.main(limits)
        found = find_signatures(self.file, main, limits)
        findings = tuple(level_wide_findings(self.file, main))

        # 2. Read the values once, for all signatures together, into one MAC each.
        attempts = self.first_attempts(found)

        # 3. Ask the questions of each signature.
        signatures = tuple(self.signature(f, attempt) for f, attempt in zip(found, attempts, strict=True))

        # 4. Ask for the profiles: of all signatures, one that passes has to meet each of them.
        signatures = _with_profiles(signatures, self.options.require_profiles)
        return FileReport(
            self.name,
            _file_verdict(signatures, findings),
            signatures,
            findings,
            main.text(0x00080018),
            self.file.syntax.uid,
        )

    def first_attempts(self, found: Sequence[FoundSignature]) -> list[_Attempt]:
        """The MAC of every signature over the data as stored, all from one pass over the file."""
        reading = OLD_FORMAT if self.options.old_format else STORED
        attempts = [self.attempt(f, reading) for f in found]
        loaded = None
        if self.file.data.size >= WORTH_A_THREAD:
            # importing the backend takes a tenth of a second that a long hash can hide
            loaded = self.plugins.crypto_backends.preload(self.options.crypto_backend)
        pump(self.file.data, [a.cursor for a in attempts if a.cursor is not None])
        if loaded is not None:
            loaded()
        return attempts

    def attempt(self, found: FoundSignature, reading: Reading) -> _Attempt:
        """Set up one MAC computation, or say why there is none."""
        encoding, findings = mac_encoding(found, self.file)
        mac = found.mac
        if mac is None or encoding is None or not mac.elements:
            return _Attempt(reading, findings)
        if mac.algorithm not in self.plugins.mac_algorithms:
            unknown = Finding(
                "mac-algorithm-unknown",
                f"no MAC algorithm is called {mac.algorithm!r}",
                clause="PS3.3 C.12.1.1.3.1.2",
                severity="error",
            )
            return _Attempt(reading, [*findings, unknown])
        running = self.plugins.mac_algorithms.get(mac.algorithm)()
        return _Attempt(reading, findings, running, MacCursor(self.pieces(found, encoding, reading), running.update))

    def pieces(
        self, found: FoundSignature, encoding: Encoding, reading: Reading
    ) -> Iterator[bytes | tuple[int, int, int]]:
        """The MAC stream: the selected elements, then the signature item's own (PS3.3 C.12.1.1.3.1.1)."""
        limits = self.options.limits
        return chain(
            mac_pieces(found.level, found.selected, mac=encoding, reading=reading, limits=limits),
            mac_pieces(found.item.data, found.item.hashed, mac=encoding, reading=reading, limits=limits),
        )

    def signature(self, found: FoundSignature, attempt: _Attempt) -> SignatureReport:
        """The six answers and the verdict on one signature."""
        backend = self.plugins.crypto_backends.get(self.options.crypto_backend)
        with blaming(self.backend_origin, "reading a certificate"):
            facts, unreadable = _certificate(backend, found)
        structure = Axis(_worst(*found.structure, *unreadable), (*found.structure, *unreadable))
        integrity, used, digest = self.integrity(found, attempt, backend, facts)
        coverage = coverage_of(found.level, found.mac.elements if found.mac else ())
        trust = self.trust(found, facts) if self.options.check_trust else Axis()
        axes = dict.fromkeys(AXES, Axis()) | {
            "structure": structure,
            "integrity": integrity,
            "coverage": self.coverage(coverage, found),
            "trust": trust,
        }
        if self.options.require_profiles:
            axes["profile"], profiles = self.profile(found, facts)
        else:
            profiles = ()
        required = ["structure", "integrity"]
        if self.options.check_trust:
            required.append("trust")
        if self.options.require_coverage is not None:
            required.append("coverage")
        return SignatureReport(
            uid=found.item.uid,
            location=found.level.location,
            verdict=_verdict([axes[name].status for name in required]),
            axes=axes,
            mac=_mac_facts(found, digest, used),
            signer=_signer(facts),
            times=Times(found.item.date_time, "", self.at.astimezone(UTC).isoformat(timespec="seconds")),
            coverage=coverage,
            purpose=found.item.purpose,
            profiles=profiles,
            certificate=found.item.certificate,
        )

    def integrity(
        self, found: FoundSignature, attempt: _Attempt, backend: CryptoBackend, facts: CertificateFacts | None
    ) -> tuple[Axis, Reading, bytes]:
        """Does the signature value match the data? With the reading that gave the answer and its digest."""
        if attempt.running is None:
            blocked = any(f.severity == "error" for f in attempt.findings)
            status = Status.INDETERMINATE if blocked else Status.NOT_CHECKED
            return Axis(status, tuple(attempt.findings)), attempt.reading, b""
        digest = attempt.running.digest()
        if facts is None or not found.item.signature:
            return Axis(Status.NOT_CHECKED, tuple(attempt.findings)), attempt.reading, digest
        spec = self.plugins.mac_algorithms.spec(found.mac.algorithm if found.mac else "")
        notes = [*attempt.findings, *_weaknesses(spec.weak, spec.name, facts)]
        with blaming(self.backend_origin, "verifying a signature"):
            check = backend.verify_digest(found.item.certificate, digest, spec, found.item.signature)
        if check.valid:
            return Axis(Status.PASSED, tuple(notes)), attempt.reading, digest
        for reading in self.other_readings(found):
            again = self.attempt(found, reading)
            if again.running is None or again.cursor is None:
                continue
            pump(self.file.data, [again.cursor])
            other = again.running.digest()
            if backend.verify_digest(found.item.certificate, other, spec, found.item.signature).valid:
                return self.matched_otherwise(reading, notes), reading, other
        mismatch = Finding(
            "mac-mismatch", f"the signature does not match the data: {check.reason}", clause="PS3.3 C.12.1.1.3.1.1"
        )
        return Axis(Status.FAILED, (mismatch, *notes)), attempt.reading, digest

    def other_readings(self, found: FoundSignature) -> Iterator[Reading]:
        """Readings worth a second look because they would give another MAC."""
        if self.options.old_format:
            return
        selected = found.selected
        limits = self.options.limits
        unpadded = next(
            chain(repads(found.level, selected, limits), repads(found.item.data, found.item.hashed, limits)), None
        )
        if unpadded is not None:
            yield CANONICAL
            yield TRAILING_NUL
        if any(e.kind == FRAGMENTS for e in selected):
            yield OLD_FORMAT

    def matched_otherwise(self, reading: Reading, notes: list[Finding]) -> Axis:
        """The answer when the data match under another reading than the standard's."""
        if reading is OLD_FORMAT:
            finding = Finding(
                "old-format",
                "the MAC includes the lengths of pixel data fragments, as writers before 2006 did;"
                " give --old-format to accept that",
                clause="reference section 1.3",
            )
            return Axis(Status.INDETERMINATE, (finding, *notes))
        finding = Finding(
            reading.name,
            "the signature matches once trailing padding of text values is normalised; nothing but padding differs",
            clause="reference section 1.6",
            severity="info",
        )
        return Axis(Status.PASSED, (finding, *notes))

    def coverage(self, coverage: Coverage, found: FoundSignature) -> Axis:
        """Is everything signed that has to be?"""
        required = self.options.require_coverage
        axis = coverage_axis(coverage)
        if required is None:
            return axis
        if required == "all":
            return Axis(Status.FAILED if coverage.unsigned else Status.PASSED, axis.findings)
        signed = {e.tag for e in found.selected}
        missing = [tag for tag in required if tag not in signed] if not isinstance(required, str) else []
        if missing:
            names = ", ".join(format_tag(t) for t in missing)
            gap = Finding("coverage-required", f"required but not signed: {names}")
            return Axis(Status.FAILED, (gap, *axis.findings))
        return Axis(Status.PASSED, axis.findings)

    def profile(self, found: FoundSignature, facts: CertificateFacts | None) -> tuple[Axis, tuple[str, ...]]:
        """Which of the required profiles does this signature meet, and what is in the way of the others?"""
        mac, purpose = found.mac, found.item.purpose
        code = "" if purpose is None else purpose.code
        if purpose is not None and purpose.scheme != SCHEME:
            code = f"{code} of {purpose.scheme or 'no scheme'}"  # a 5 of another scheme is no verification
        view = SignatureView(
            # what is listed and cannot be in the MAC is not signed, whatever the list says
            frozenset(e.tag for e in found.selected),
            mac.algorithm if mac else "",
            mac.transfer_syntax if mac else "",
            facts.key_type if facts else "",
            code,
        )
        met: list[str] = []
        findings: list[Finding] = []
        for name in dict.fromkeys(self.options.require_profiles):
            profile = self.plugins.profiles.get(name)
            with blaming(self.plugins.profiles.provider(name).origin, "checking a profile"):
                said = [replace(f, message=f"{name}: {f.message}") for f in profile.check(LevelView(found.level), view)]
            findings += said
            if _worst(*said) is Status.PASSED:
                met.append(name)
        return Axis(_worst(*findings), tuple(findings)), tuple(met)

    def trust(self, found: FoundSignature, facts: CertificateFacts | None) -> Axis:
        """Does the certificate lead to a root the user trusts?"""
        if facts is None:
            return Axis(Status.NOT_CHECKED)
        material = self.options.trust
        if not material.anchors:
            none = Finding(
                "trust-no-anchors",
                "no trusted root was given, so nothing is known about who signed",
                clause="RFC 5280 6.1",
                severity="warning",
            )
            return Axis(Status.INDETERMINATE, (none,))
        request = TrustRequest(
            certificate=_unpadded(found.item.certificate),
            at=self.at,
            anchors=material.anchors,
            intermediates=material.intermediates,
            crls=material.crls,
        )
        trust_backend = self.plugins.trust_backends.get(self.options.trust_backend)
        with blaming(self.plugins.trust_backends.provider(self.options.trust_backend).origin, "judging trust"):
            evidence = trust_backend.evaluate(request)
        status, findings = evidence.status, evidence.findings
        if status is Status.PASSED and (
            not evidence.path or evidence.path[0] != request.certificate or evidence.path[-1] not in material.anchors
        ):
            # the backend's word is not enough: its path must begin with this certificate and end at an anchor
            bad = Finding("trust-evidence", f"backend {self.options.trust_backend} gave no usable path")
            return Axis(Status.INDETERMINATE, (bad, *findings))
        return Axis(status, findings)


@dataclass(slots=True)
class _Attempt:
    """One computation of one MAC, or the reasons why there is none."""

    reading: Reading
    findings: list[Finding]
    running: Mac | None = None
    cursor: MacCursor | None = None


_GRAVITY = [Status.PASSED, Status.NOT_CHECKED, Status.INDETERMINATE, Status.FAILED]


def plugins_used(options: VerifyOptions, plugins: Plugins, files: Sequence[FileReport]) -> tuple[PluginUse, ...]:
    """The plugins that took part in these reports."""
    algorithms = {s.mac.algorithm for f in files for s in f.signatures}
    chosen: list[Provider[Any]] = [plugins.crypto_backends.provider(options.crypto_backend)]
    chosen += (plugins.profiles.provider(name) for name in options.require_profiles)
    if options.check_trust and options.trust.anchors:
        chosen_trust = plugins.trust_backends.provider(options.trust_backend)
        return plugins.use(
            *chosen,
            chosen_trust,
            *(plugins.mac_algorithms.provider(a) for a in sorted(algorithms) if a in plugins.mac_algorithms),
        )
    return plugins.use(
        *chosen, *(plugins.mac_algorithms.provider(a) for a in sorted(algorithms) if a in plugins.mac_algorithms)
    )


def _verdict(required: Sequence[Status]) -> Status:
    """The worst of the required axes; what could not be checked is at best indeterminate."""
    worst = max(required, key=_GRAVITY.index)
    return Status.INDETERMINATE if worst is Status.NOT_CHECKED else worst


def _with_profiles(signatures: tuple[SignatureReport, ...], required: tuple[str, ...]) -> tuple[SignatureReport, ...]:
    """Verdicts with the profile axis taken in.

    A signature fails for a profile it does not meet unless another one meets it and passes: an approval beside a
    creator's signature does not have to be a creator's signature too. If the other is indeterminate, so is this axis.
    """
    if not required:
        return signatures
    best = {
        name: min((s.verdict for s in signatures if name in s.profiles), key=_GRAVITY.index, default=Status.FAILED)
        for name in required
    }
    return tuple(_with_profile(s, {n: best[n] for n in required if n not in s.profiles}) for s in signatures)


def _with_profile(signature: SignatureReport, missed: dict[str, Status]) -> SignatureReport:
    """One verdict with the profile axis; `missed` says how well other signatures meet what this one does not."""
    axis = signature.axes["profile"]
    if missed:
        status = max(missed.values(), key=_GRAVITY.index)
        if status is Status.PASSED:
            elsewhere = Finding(
                "profile-met-elsewhere",
                f"another signature meets {', '.join(missed)}, so this one does not have to",
                clause="PS3.15 C",
                severity="info",
            )
            notes = (replace(f, severity="info") if f.severity == "error" else f for f in axis.findings)
            axis = Axis(Status.PASSED if signature.profiles else Status.NOT_CHECKED, (elsewhere, *notes))
        else:
            axis = replace(axis, status=status)
    asked = [] if axis.status is Status.NOT_CHECKED else [axis.status]
    return replace(signature, axes=signature.axes | {"profile": axis}, verdict=_verdict([signature.verdict, *asked]))


def _worst(*findings: Finding) -> Status:
    return Status.FAILED if any(f.severity == "error" for f in findings) else Status.PASSED


def _file_verdict(signatures: Sequence[SignatureReport], findings: Sequence[Finding]) -> FileVerdict:
    if not signatures:
        broken = any(f.code == "not-a-sequence" for f in findings)
        return FileVerdict.FAILED if broken else FileVerdict.UNSIGNED
    worst = max((s.verdict for s in signatures), key=_GRAVITY.index)
    return {
        Status.PASSED: FileVerdict.PASSED,
        Status.FAILED: FileVerdict.FAILED,
    }.get(worst, FileVerdict.INDETERMINATE)


def _certificate(backend: CryptoBackend, found: FoundSignature) -> tuple[CertificateFacts | None, tuple[Finding, ...]]:
    """Facts of the signer's certificate, or the finding that there are none."""
    if not found.item.certificate:
        return None, ()  # the structure gate has said so
    try:
        return backend.certificate(found.item.certificate), ()
    except ValueError as error:
        return None, (
            Finding("certificate-unreadable", f"Certificate of Signer: {error}", clause="PS3.3 C.12.1.1.3.1.2"),
        )


def _weaknesses(weak: bool, name: str, facts: CertificateFacts) -> Iterator[Finding]:
    if weak:
        yield Finding("weak-mac", f"{name} no longer resists forgery", clause="PS3.15 C.1", severity="warning")
    least = WEAK_BITS.get(facts.key_type)
    if least is not None and facts.key_size < least:
        yield Finding("weak-key", f"a {facts.key} key is weak", clause="NIST SP 800-57", severity="warning")


def _mac_facts(found: FoundSignature, digest: bytes, reading: Reading) -> MacFacts:
    mac = found.mac
    if mac is None:
        return MacFacts(found.item.mac_id, "", "")
    return MacFacts(
        mac.mac_id, mac.algorithm, mac.transfer_syntax, digest.hex(), reading.name if digest else "", mac.elements
    )


def _signer(facts: CertificateFacts | None) -> SignerFacts | None:
    if facts is None:
        return None
    return SignerFacts(
        facts.subject, facts.issuer, facts.serial, facts.sha256, facts.key, facts.not_before, facts.not_after
    )


def _unpadded(certificate: bytes) -> bytes:
    """DER without the pad byte that makes an OB value even; only called for certificates a backend has read."""
    if certificate[:1] != b"\x30" or len(certificate) < 4:
        return certificate
    first = certificate[1]
    if first < 0x80:
        return certificate[: 2 + first]
    count = first & 0x7F
    return certificate[: 2 + count + int.from_bytes(certificate[2 : 2 + count], "big")]
