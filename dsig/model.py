"""What a signature is and what a report says: frozen facts, no behaviour beyond what Python and notebooks ask of them.

The JSON form (`dsig.report/1`), which reporters make, is described by `dsig/schema/report-1.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

__all__ = [
    "AXES",
    "Axis",
    "Coverage",
    "ErrorReport",
    "Extent",
    "FileReport",
    "FileVerdict",
    "Finding",
    "MacFacts",
    "PluginUse",
    "Protection",
    "Purpose",
    "Report",
    "ReportView",
    "SignatureReport",
    "SignerFacts",
    "Status",
    "Thumbnail",
    "Times",
    "UnsignedElement",
]


class Status(StrEnum):
    """Outcome of one axis, or of a signature: the worst of its required axes."""

    PASSED = "passed"
    NOT_CHECKED = "not-checked"
    INDETERMINATE = "indeterminate"
    FAILED = "failed"


class FileVerdict(StrEnum):
    """Outcome for a file: the worst of its signatures, `unsigned` without any, `error` if it could not be judged."""

    PASSED = "passed"
    UNSIGNED = "unsigned"
    INDETERMINATE = "indeterminate"
    ERROR = "error"
    FAILED = "failed"


AXES = ("structure", "integrity", "coverage", "profile", "trust", "time")
"""The six questions asked of every signature, in this order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation; `severity` says whether it failed its axis."""

    code: str
    """Stable slug, documented under `docs/findings.md`."""
    message: str
    """One sentence for people; values from the file are escaped."""
    location: str = ""
    """Attribute path or empty for the whole signature or file."""
    clause: str = ""
    """Clause of the standard or RFC behind the rule."""
    severity: str = "error"
    """`error` fails the axis, `warning` and `info` do not."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Answer to one of the six questions."""

    status: Status = Status.NOT_CHECKED
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class SignerFacts:
    """Who the certificate of the signature names; proof of that is the trust axis' business."""

    subject: str
    """RFC 4514 name."""
    issuer: str
    """RFC 4514 name."""
    serial: str
    """Serial number, lower-case hexadecimal."""
    sha256: str
    """Fingerprint of the certificate's DER, lower-case hexadecimal."""
    key: str
    """Such as `RSA 2048`, `EC secp256r1`, `DSA 2048`."""
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class MacFacts:
    """The MAC Parameters item a signature refers to (PS3.3 C.12.1.1.3.1.1)."""

    id: int | None
    """(0400,0005) MAC ID Number."""
    algorithm: str
    """(0400,0015) as stored, padding removed."""
    transfer_syntax: str
    """(0400,0010) as stored, padding removed."""
    digest: str = ""
    """The digest that matched, or of the first attempt; lower-case hexadecimal, empty if none was computed."""
    encoding: str = ""
    """Which reading of the data gave `digest`: `stored`, `canonical-padding`, `trailing-nul-padding`, `old-format`,
    `recovered-vr`."""
    elements: tuple[int, ...] = ()
    """(0400,0020) Data Elements Signed in the order stored."""
    backend: str = ""
    """Where `digest` was computed: `host`, or the name of a MAC backend; empty if none was computed."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """(0400,0401) Digital Signature Purpose Code Sequence, as stored."""

    code: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Times:
    """Three times that must never be mixed up."""

    claimed: str = ""
    """(0400,0105) Digital Signature DateTime as stored: the signer's word, no proof."""
    proven: str = ""
    """Time of a verified RFC 3161 timestamp, ISO 8601 in UTC."""
    evaluated: str = ""
    """Moment of the verification, or the one asked for (`--at`), ISO 8601 in UTC. The signer's chain is judged at
    `proven` if there is such a time, else here.
    """


@dataclass(frozen=True, slots=True)
class UnsignedElement:
    """An element of the signed data set (or inside a signed sequence) that the signature does not protect."""

    tag: str
    """`GGGGEEEE`; nested elements are named by `location`."""
    keyword: str
    reason: str
    """`not-listed`, `unsignable-un`, `unsignable-nested-un`, `unsignable-tag`, or `private-vr-unknown`."""
    location: str = ""
    """Attribute path of a nested element, empty at the level of the signature."""
    value: str = ""
    """The value for people: escaped, at most 64 characters or so."""


class Extent(StrEnum):
    """How much of one kind of content is signed."""

    SIGNED = "signed"
    PARTLY = "partly"
    UNSIGNED = "unsigned"
    ABSENT = "absent"
    """There is none."""


@dataclass(frozen=True, slots=True)
class Protection:
    """Coverage in a line."""

    pixels: Extent = Extent.ABSENT
    """Pixel data, or the document, waveform or spectrum in their place."""
    identity: Extent = Extent.ABSENT
    """The patient's names, identifiers, birth date and sex."""
    uids: Extent = Extent.ABSENT
    """SOP class, instance, series, study and frame of reference."""
    content: Extent = Extent.ABSENT
    """Everything else: the clinical content."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a signature vouches for and what not."""

    signed: int = 0
    """Elements at the level of the signature that are in the MAC."""
    unsigned: tuple[UnsignedElement, ...] = ()
    """Signature machinery, group lengths and trailing padding are left out of this list."""
    absent: tuple[str, ...] = ()
    """Listed as signed (`GGGGEEEE`) but not in the data set."""
    unsigned_more: int = 0
    """Nested elements besides those in `unsigned`: only the first of a flood are kept."""
    protection: Protection = field(default_factory=Protection)


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """Everything known about one signature."""

    uid: str
    """(0400,0100), padding removed."""
    location: str
    """`/` for the main data set, else the item's path."""
    verdict: Status
    axes: dict[str, Axis]
    """One entry for each of `AXES`."""
    mac: MacFacts
    signer: SignerFacts | None
    times: Times = field(default_factory=Times)
    coverage: Coverage = field(default_factory=Coverage)
    purpose: Purpose | None = None
    profiles: tuple[str, ...] = ()
    """Profiles the signature was checked against and met."""
    certificate: bytes = b""
    """(0400,0115) DER without pad byte; not part of the JSON form."""
    path: tuple[SignerFacts, ...] = ()
    """Certificates that lead from the signer's to a trusted root, which is the last; empty unless trust passed. Not
    part of the JSON form.
    """
    crypto_backend: str = ""
    """Name of the crypto backend that was asked about the signature value."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A `DsigError` as data."""

    code: str
    message: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of an instance, to recognise it by and for nothing else: no verdict depends on it."""

    png: bytes = b""
    """A PNG file that this package wrote, whoever drew it; empty if there is no picture."""
    width: int = 0
    """Pixels."""
    height: int = 0
    """Pixels."""
    frame: int = 1
    """Which frame of the instance it shows, counted from 1."""
    frames: int = 1
    """How many there are."""
    reason: str = ""
    """Why there is no picture, for people."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """Verdict on one file."""

    path: str
    verdict: FileVerdict
    signatures: tuple[SignatureReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What concerns the file, not one signature: historic signatures, trailing bytes, meta contradictions."""
    sop_instance_uid: str = ""
    transfer_syntax: str = ""
    error: ErrorReport | None = None
    thumbnail: Thumbnail | None = None
    """None unless somebody asked (`--thumbnails`): it shows a patient. Not part of the JSON form."""

    def __bool__(self) -> bool:
        """A report is neither true nor false: raises `TypeError`, so that no `if` takes it for a verdict."""
        raise TypeError("a report is neither true nor false; compare its verdict, as report.verdict == 'passed'")

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        from dsig.notebook import shown

        return shown(Report((self,)))


@dataclass(frozen=True, slots=True)
class PluginUse:
    """A plugin that took part in a report."""

    name: str
    distribution: str
    version: str
    record: str = ""
    """SHA-256 of the distribution's RECORD, the list of its files with their hashes, lower-case hexadecimal; in reports
    only, and empty without such a list, as in editable installations.
    """


class ReportView(Protocol):
    """What a reporter gets: a `Report`, or one in the making that only looks like it."""

    @property
    def files(self) -> Iterable[FileReport]:
        """In the order given. One in the making gives them as they come, once."""

    @property
    def plugins(self) -> tuple[PluginUse, ...]:
        """Those that took part; of one in the making, until now."""

    @property
    def summary(self) -> dict[str, int]:
        """Counts by verdict, and `files`; of one in the making, until now."""


@dataclass(frozen=True, slots=True)
class Report:
    """Verdicts on many files, in the order given."""

    files: tuple[FileReport, ...]
    plugins: tuple[PluginUse, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """Counts by verdict, and `files`."""
        counts = {"files": len(self.files)} | {v.value: 0 for v in FileVerdict}
        for file in self.files:
            counts[file.verdict.value] += 1
        return counts

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        from dsig.notebook import shown

        return shown(self)
