"""Integrity: does the signature value match the data, and under which reading of them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from dsig.dicom.encoding import Encoding
from dsig.dicom.file import DicomFile
from dsig.dicom.location import format_path, format_tag
from dsig.dicom.lookup import Place
from dsig.dicom.walk import FRAGMENTS
from dsig.distrust import answered, blaming
from dsig.errors import DsigError, LimitError
from dsig.hookspecs import CertificateFacts, Mac, SignatureCheck
from dsig.judgement.signer_key import key_warnings
from dsig.limits import Limits
from dsig.model import Axis, Finding, Status
from dsig.plugins import Plugins
from dsig.signature.borders import Borders
from dsig.signature.mac import MacCursor, Piece, mac_pieces, pump
from dsig.signature.padding import repads
from dsig.signature.reading import CANONICAL, OLD_FORMAT, RECOVERED_VR, STORED, TRAILING_NUL, Reading
from dsig.signature.signatures import FoundSignature, mac_encoding
from dsig.signature.timestamp import signature_value

if TYPE_CHECKING:
    from dsig.signature.recovery import Candidate

__all__ = ["Attempt", "Integrity", "Outcome"]

PROVEN_TRIES = 16
"""Signatures that do not match even with VRs another one has proven, before that is no longer tried."""


@dataclass(slots=True)
class Attempt:
    """One computation of one MAC, or the reasons why there is none."""

    reading: Reading
    findings: list[Finding]
    running: Mac | None = None
    cursor: MacCursor | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer, with the reading that gave it and its digest."""

    axis: Axis
    reading: Reading
    digest: bytes = b""
    recovered: FoundSignature | None = None
    """The signature as read with the VRs that made it match."""


class Integrity:
    """Computes the MACs of one file's signatures and checks them with a crypto backend."""

    def __init__(
        self, file: DicomFile, plugins: Plugins, *, backend: str, mac_backend: str, old_format: bool, limits: Limits
    ) -> None:
        self.file = file
        self.plugins = plugins
        self.backend = backend
        self.mac_backend = mac_backend
        self.old_format = old_format
        self.limits = limits
        self.borders = Borders()
        """Whether fragments hold what looks like borders; known after `first_attempts`."""
        self.vr_work = limits.vr_work
        """What is left of it for this file."""
        self.proven: list[Mapping[Place, str]] = []
        """VRs that made signatures of this file match, not those of the file."""
        self.proven_tries = PROVEN_TRIES

    def first_attempts(self, found: Sequence[FoundSignature]) -> list[Attempt]:
        """The MAC of every signature over the data as stored, all from one pass over the file."""
        reading = OLD_FORMAT if self.old_format else STORED
        attempts = [self.attempt(f, reading) for f in found]
        for signature in found:
            self.borders.watch(signature.level, signature.selected)
        cursors = (*(a.cursor for a in attempts if a.cursor is not None), *self.borders.cursors())
        pump(self.file.data, cursors, self.limits)
        return attempts

    def attempt(self, found: FoundSignature, reading: Reading) -> Attempt:
        """Set up one MAC computation, or say why there is none."""
        encoding, findings = mac_encoding(found, self.file)
        mac = found.mac
        if mac is None or encoding is None or not mac.elements:
            return Attempt(reading, findings)
        if mac.algorithm not in self.plugins.mac_algorithms:
            unknown = Finding(
                "mac-algorithm-unknown",
                f"no MAC algorithm is called {mac.algorithm!r}",
                clause="PS3.3 C.12.1.1.3.1.2",
            )
            return Attempt(reading, [*findings, unknown])
        running = self.plugins.new_mac(mac.algorithm, self.mac_backend)
        return Attempt(reading, findings, running, MacCursor(self.pieces(found, encoding, reading), running.update))

    def pieces(self, found: FoundSignature, encoding: Encoding, reading: Reading) -> Iterator[Piece]:
        """The MAC stream: the selected elements, then the signature item's own (PS3.3 C.12.1.1.3.1.1)."""
        return chain(
            mac_pieces(found.level, found.selected, mac=encoding, reading=reading, limits=self.limits),
            mac_pieces(found.item.data, found.item.hashed, mac=encoding, reading=reading, limits=self.limits),
        )

    def outcome(self, found: FoundSignature, attempt: Attempt, facts: CertificateFacts | None) -> Outcome:
        """Does the signature value match the data, as stored or under another reading worth trying?"""
        if attempt.running is None or found.mac is None:
            unknown = any(f.severity == "error" for f in attempt.findings)
            status = Status.INDETERMINATE if unknown else Status.NOT_CHECKED
            return Outcome(Axis(status, tuple(attempt.findings)), attempt.reading)
        digest = attempt.running.digest()
        blocked = next((f for f in attempt.findings if f.severity == "error"), None)
        if facts is None or not found.item.signature:
            status = Status.INDETERMINATE if blocked else Status.NOT_CHECKED
            return Outcome(Axis(status, tuple(attempt.findings)), attempt.reading, digest)
        if blocked is not None:
            return self.impossible(found, attempt, blocked, digest)
        spec = self.plugins.mac_algorithms.spec(found.mac.algorithm)
        notes = [*attempt.findings, *_weaknesses(spec.weak, spec.name, facts), *_padded(found.item.signature, facts)]
        check = self.checked(found, digest)
        if check.valid is not True and check.unsupported is True:
            foreign = Finding(
                "key-algorithm-unknown",
                f"the crypto backend {self.backend} cannot verify this kind of signature: {check.reason or facts.key}",
                clause="PS3.15 C.1",
            )
            return Outcome(Axis(Status.INDETERMINATE, (foreign, *notes)), attempt.reading, digest)
        reason = _reason(check)
        if not reason:
            return Outcome(Axis(Status.PASSED, tuple(notes)), attempt.reading, digest)
        for reading in self.other_readings(found):
            again = self.attempt(found, reading)
            if again.running is None or again.cursor is None:
                continue
            pump(self.file.data, [again.cursor], self.limits)
            other = again.running.digest()
            if not self.mismatch(found, other):
                axis = _matched_otherwise(reading, notes)
                return Outcome(self.split_uids(found, notes) or axis, reading, other)
        return self.recovered(found, attempt, notes, digest, reason)

    def impossible(self, found: FoundSignature, attempt: Attempt, reason: Finding, digest: bytes) -> Outcome:
        """Data that cannot be what was hashed, by what their transfer syntaxes say: is that so?"""
        if self.mismatch(found, digest):
            return Outcome(Axis(Status.INDETERMINATE, tuple(attempt.findings)), attempt.reading)
        changed = Finding(
            "mac-transfer-syntax-changed",
            "the signature matches the data as they stand, so either the MAC Calculation Transfer Syntax UID or the"
            " Transfer Syntax UID of the file was changed; neither is signed",
            reason.location,
            "PS3.3 C.12.1.1.3.1.1",
        )
        return Outcome(Axis(Status.FAILED, (changed, *attempt.findings)), attempt.reading, digest)

    def recovered(
        self, found: FoundSignature, first: Attempt, notes: list[Finding], digest: bytes, reason: str
    ) -> Outcome:
        """Would it match with VRs that an honest hop has lost, or that somebody changed?"""
        from dsig.signature.recovery import Recovery

        proven = self.proven[-1:] if self.proven_tries else ()
        self.proven_tries -= len(proven)
        recovery = Recovery(found, self.limits, self.vr_work, proven)
        match: tuple[Candidate, bytes] | None = None
        for candidate in recovery.candidates():
            again = self.attempt(candidate.found, first.reading)
            if again.running is None or again.cursor is None:
                continue
            try:
                pump(self.file.data, [again.cursor], self.limits)
            except LimitError:
                raise
            except DsigError:
                self.limits.check_time(self.file.source.name)
                continue  # a guess that makes a sequence of what is none
            other = again.running.digest()
            if not self.mismatch(candidate.found, other):
                match = candidate, other
                break
        self.vr_work = recovery.left()
        if match is not None and not match[0].contradicts:
            candidate, other = match
            self.proven.append(candidate.chosen)
            self.proven_tries += 1
            lost = Finding(
                "vr-recovered",
                f"the signature matches with {', '.join(candidate.changes)}: the VRs were lost on the way"
                + ("; readers of the file as it is find other numbers" if candidate.renumbered else ""),
                clause="PS3.5 A.1",
                severity="warning" if candidate.renumbered else "info",
            )
            return Outcome(Axis(Status.PASSED, (lost, *notes)), RECOVERED_VR, other, candidate.found)
        if match is None and recovery.undecided:
            unknown = Finding(
                "vr-unknown",
                f"signed elements have lost their VRs and {recovery.tried} readings of them do not match;"
                " the MAC cannot be computed without the dictionary the signer had",
                clause="PS3.5 A.1",
            )
            return Outcome(Axis(Status.INDETERMINATE, (unknown, *notes)), first.reading, digest, recovery.excused())
        finding = Finding(
            "mac-mismatch", f"the signature does not match the data: {reason}", clause="PS3.3 C.12.1.1.3.1.1"
        )
        if match is not None:
            changed = Finding(
                "vr-changed",
                f"the signature would match with {', '.join(match[0].changes)}: the VR was signed and is another now",
                clause="PS3.3 C.12.1.1.3.1.1",
                severity="info",
            )
            notes = [changed, *notes]
        return Outcome(Axis(Status.FAILED, (finding, *notes)), first.reading, digest)

    def mismatch(self, found: FoundSignature, digest: bytes) -> str:
        """Why the signature value is not one of this digest, or an empty string."""
        return _reason(self.checked(found, digest))

    def checked(self, found: FoundSignature, digest: bytes) -> SignatureCheck:
        """What the crypto backend says of the signature value and this digest."""
        spec = self.plugins.mac_algorithms.spec(found.mac.algorithm if found.mac else "")
        backend = self.plugins.crypto_backends.get(self.backend)
        origin = self.plugins.crypto_backends.provider(self.backend).origin
        with blaming(origin, "verifying a signature"):
            said = backend.verify_digest(found.item.certificate, digest, spec, found.item.signature)
        return answered(said, SignatureCheck, origin, "verifying a signature")

    def split_uids(self, found: FoundSignature, notes: list[Finding]) -> Axis | None:
        """The answer where more than padding differs: to other readers a UID with a space inside is another one."""
        for data, elements in ((found.level, found.selected), (found.item.data, found.item.hashed)):
            for repad in repads(data, elements, self.limits):
                if repad.beyond_padding(data.source):
                    split = Finding(
                        "uid-white-space",
                        f"the signature matches once white space inside the UID {format_tag(repad.tag)} is left out",
                        format_path(data.path),
                        "PS3.5 9.1",
                    )
                    return Axis(Status.FAILED, (split, *notes))
        return None

    def other_readings(self, found: FoundSignature) -> Iterator[Reading]:
        """Readings worth a second look because they would give another MAC."""
        if self.old_format:
            return
        selected = found.selected
        unpadded = chain(
            repads(found.level, selected, self.limits), repads(found.item.data, found.item.hashed, self.limits)
        )
        if next(unpadded, None) is not None:
            yield CANONICAL
            yield TRAILING_NUL
        if any(e.kind == FRAGMENTS for e in selected):
            yield OLD_FORMAT


def _matched_otherwise(reading: Reading, notes: list[Finding]) -> Axis:
    """The answer when the data match under another reading than the standard's."""
    if reading is OLD_FORMAT:
        finding = Finding(
            "old-format",
            "the MAC includes the lengths of pixel data fragments, as writers before 2006 did;"
            " give --old-format to accept that",
            clause="PS3.3 C.12.1.1.3.1.1",
        )
        return Axis(Status.INDETERMINATE, (finding, *notes))
    finding = Finding(
        reading.name,
        "the signature matches once trailing padding of text values is normalised; nothing but padding differs",
        clause="PS3.5 6.2",
        severity="info",
    )
    return Axis(Status.PASSED, (finding, *notes))


def _reason(check: SignatureCheck) -> str:
    return "" if check.valid is True else check.reason or "the backend gave no reason"


def _weaknesses(weak: bool, name: str, facts: CertificateFacts) -> Iterator[Finding]:
    if weak:
        yield Finding("weak-mac", f"{name} no longer resists forgery", clause="PS3.15 C.1", severity="warning")
    yield from key_warnings(facts)


def _padded(value: bytes, facts: CertificateFacts) -> Iterator[Finding]:
    """The reason why a signature that is good here may not verify elsewhere; shorter DER is understood everywhere."""
    size = len(signature_value(value, facts))
    der = not facts.signature_size and facts.key_type != "RSA"
    if size % 2 and size < len(value) and not (der and value[1] < 0x80):
        yield Finding(
            "signature-padded",
            f"a pad byte follows the {size} bytes of the signature value; some readers take it for a part of the value,"
            " so that the signature does not verify for them",
            clause="PS3.5 6.2",
            severity="info",
        )
