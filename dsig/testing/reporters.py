"""What a report format must do."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from dsig.hookspecs import Reporter
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
    Purpose,
    Report,
    SignatureReport,
    SignerFacts,
    Status,
    Thumbnail,
    Times,
    UnsignedElement,
)
from dsig.testing.installed import installed

__all__ = ["HOSTILE", "ReporterContract", "sample_file", "sample_finding", "sample_report", "sample_signature"]

HOSTILE = "<script>alert(1)</script>\x1b[2J\x07\u202e'\"&\r\n]]>\ud800\x00 ${x} {{y}}"
"""What an attribute value may hold."""
INVISIBLE = frozenset("\x00\x07\x1b\u202e\u2066\u200f\x9b")
"""Characters that no report may repeat as they are: they move cursors, hide text or end documents."""


class ReporterContract:
    """Subclass it with the name of the format."""

    name: ClassVar[str]

    @property
    def reporter(self) -> Reporter:
        """The provider."""
        return installed().reporters.get(self.name)

    def rendered(self, report: Report, *, verbose: int = 0) -> bytes:
        """The report as bytes."""
        if installed().reporters.spec(self.name).binary:
            data = io.BytesIO()
            self.reporter.render(report, data, verbose=verbose)
            assert not data.closed, "the stream is the caller's to close"
            return data.getvalue()
        text = io.StringIO()
        self.reporter.render(report, text, verbose=verbose)
        assert not text.closed, "the stream is the caller's to close"
        return text.getvalue().encode("utf-8", "surrogatepass")

    def test_every_verdict_can_be_told(self) -> None:
        """In every degree of detail."""
        for verbose in (-1, 0, 1):
            for verdict in FileVerdict:
                assert self.rendered(Report((sample_file("a.dcm", verdict),)), verbose=verbose)
            assert self.rendered(sample_report(), verbose=verbose)

    def test_no_files_is_a_report_too(self) -> None:
        """As a run over an empty list gives."""
        self.rendered(Report(()))

    def test_all_files_are_in_it(self) -> None:
        """A report that leaves out what failed is worse than none."""
        if installed().reporters.spec(self.name).binary:
            return
        text = self.rendered(sample_report()).decode()
        for file in sample_report().files:
            assert file.path in text

    def test_verdicts_differ(self) -> None:
        """Whoever reads only this must see whether it passed."""
        seen = {self.rendered(Report((sample_file("a.dcm", verdict),))) for verdict in FileVerdict}
        assert len(seen) == len(FileVerdict)

    def test_the_same_report_looks_the_same(self) -> None:
        """Archives compare."""
        assert self.rendered(sample_report()) == self.rendered(sample_report())

    def test_hostile_values_stay_inert(self) -> None:
        """Whatever a file says about itself is told without doing anything."""
        if installed().reporters.spec(self.name).binary:
            return
        for verbose in (-1, 0, 1):
            text = self.rendered(sample_report(HOSTILE), verbose=verbose).decode("utf-8", "strict")
            assert not INVISIBLE & set(text), [hex(ord(c)) for c in INVISIBLE & set(text)]

    def test_the_stream_gets_nothing_else(self) -> None:
        """Text formats write text, binary ones bytes, as the spec says."""

        class Strict(io.RawIOBase):
            kinds: ClassVar[set[type]] = set()

            def write(self, data: object, /) -> int:
                self.kinds.add(type(data))
                return len(data)  # type: ignore[arg-type]

        stream = Strict()
        self.reporter.render(sample_report(), stream)  # type: ignore[arg-type]
        binary = installed().reporters.spec(self.name).binary
        assert stream.kinds <= ({bytes, bytearray, memoryview} if binary else {str})


def sample_report(value: str = "CT1") -> Report:
    """One file of each verdict; `value` stands wherever there is text, but for the paths."""
    files = tuple(sample_file(f"{verdict.value}.dcm", verdict, value) for verdict in FileVerdict)
    return Report(files, (PluginUse(value, value, value, value),))


def sample_file(path: str, verdict: FileVerdict, value: str = "CT1") -> FileReport:
    """A file with this verdict, and a signature unless it has none or could not be read."""
    if verdict is FileVerdict.ERROR:
        return FileReport(path, verdict, error=ErrorReport(value, value, value, value))
    thumbnail = Thumbnail(reason=value)
    if verdict is FileVerdict.UNSIGNED:
        return FileReport(path, verdict, (), (sample_finding(value),), value, value, thumbnail=thumbnail)
    status = {FileVerdict.PASSED: Status.PASSED, FileVerdict.FAILED: Status.FAILED}.get(verdict, Status.INDETERMINATE)
    signature = sample_signature(value, status)
    return FileReport(path, verdict, (signature,), (sample_finding(value),), value, value, thumbnail=thumbnail)


def sample_signature(
    value: str = "CT1", status: Status = Status.PASSED, *, findings: int = 1, **facts: Any
) -> SignatureReport:
    """A signature with this answer to all questions, each with so many findings; `facts` replaces what it says."""
    axis = Axis(status, (sample_finding(value),) * findings)
    valid = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    someone = SignerFacts(value, value, value, value, value, *valid)
    unsigned = UnsignedElement(value, value, value, value, value)
    whole = SignatureReport(
        uid=value,
        location=value,
        verdict=status,
        axes=dict.fromkeys(AXES, axis),
        mac=MacFacts(1, value, value, value, value, (0x00100010, 0x00100020), value),
        signer=someone,
        times=Times(value, value, value),
        coverage=Coverage(1, (unsigned, replace(unsigned, location="", value="")), (value,), 1),
        purpose=Purpose(value, value, value),
        profiles=(value,),
        path=(someone, someone),
    )
    return replace(whole, **facts)


def sample_finding(value: str = "CT1") -> Finding:
    """A finding, `value` in all its parts."""
    return Finding(value, value, value, value, value)
