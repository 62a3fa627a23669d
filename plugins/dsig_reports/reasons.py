"""Why a verdict is what it is: the sentences a reader wants first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsig.model import FileReport, FileVerdict, Finding, SignatureReport, Status

__all__ = ["NOT_STANDARD", "UNSIGNED", "Reason", "is_standard", "reasons"]

UNSIGNED = "nothing in this file is protected by a signature"
NOT_STANDARD = "not of the standard"
"""What is said beside every verdict on a signature of a kind DICOM does not have, however short the report is."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence and what it is about."""

    message: str
    axis: str = ""
    """Empty for the file itself."""
    location: str = ""
    clause: str = ""
    hint: str = ""
    """What to do."""

    def __str__(self) -> str:
        where = f" [{self.location}]" if self.location else ""
        clause = f" ({self.clause})" if self.clause else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.axis}{': ' if self.axis else ''}{self.message}{where}{clause}{hint}"


def is_standard(signature: SignatureReport) -> bool:
    """Whether the signature is of a kind that DICOM has."""
    return all(f.code != "signature-not-standard" for f in signature.axes["integrity"].findings)


def reasons(file: FileReport) -> Iterator[Reason]:
    """All reasons, gravest first; none for a file that passed.

    What a signature leaves out is no reason for `indeterminate`: coverage decides only where it is required, and then
    it fails.
    """
    if file.error is not None:
        where = file.error.where.removeprefix(file.path).lstrip(", ")
        yield Reason(file.error.message, location=where, hint=file.error.hint)
    if file.verdict is FileVerdict.PASSED:
        return
    if file.verdict is FileVerdict.UNSIGNED:
        yield Reason(UNSIGNED)
    yield from (_reason("", finding) for finding in file.findings if finding.severity == "error")
    for wanted in (Status.FAILED, Status.INDETERMINATE):
        for signature in file.signatures:
            for name, axis in signature.axes.items():
                if axis.status is wanted and (name, wanted) != ("coverage", Status.INDETERMINATE):
                    told = [f for f in axis.findings if f.severity == "error"] or list(axis.findings)
                    yield from (_reason(name, finding) for finding in told)
                    if not told:
                        yield Reason(wanted.value, name)


def _reason(axis: str, finding: Finding) -> Reason:
    return Reason(finding.message, axis, finding.location, finding.clause)
