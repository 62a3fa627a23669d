"""The reporters: text that no file can abuse, JSON that is what the schema says."""

from __future__ import annotations

import io
import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import pytest

import dsig
import dsig_reports
from dsig.model import (
    AXES,
    Axis,
    Coverage,
    ErrorReport,
    Extent,
    FileReport,
    FileVerdict,
    Finding,
    MacFacts,
    PluginUse,
    Report,
    SignatureReport,
    SignerFacts,
    Status,
    Times,
    UnsignedElement,
)
from dsig.printable import printable
from dsig.testing.reporters import sample_file, sample_signature
from dsig_reports.json_document import JsonReporter, document
from dsig_reports.page import LONGEST, Page
from dsig_reports.text import SHOWN, TextReporter

SCHEMA = json.loads((Path(dsig.__file__).parent / "schema" / "report-1.schema.json").read_text())
HOSTILE = (
    "\x1b[2J\x1b]8;;http://evil\x07\x9b31m\u202eRTL\u2066\u200b\r\n\tpassed  all.dcm\u2028\u2029\ue000\udc80\x00\x7f"
)


def signature(text: str = "x", status: Status = Status.PASSED, findings: int = 0, **facts: object) -> SignatureReport:
    return sample_signature(text, status, findings=findings, **facts)


def report(*signatures: SignatureReport, text: str = "x", verdict: FileVerdict = FileVerdict.PASSED) -> Report:
    """A file with these signatures, and one that could not be read."""
    files = (
        replace(sample_file(text, verdict, text), signatures=signatures),
        sample_file(text, FileVerdict.ERROR, text),
    )
    return Report(files, (PluginUse(text, text, text, text),))


def rendered(whole: Report, verbose: int = 0, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    TextReporter().render(whole, stream, verbose=verbose)
    return stream.getvalue()


def detailed(whole: Report, verbose: int = 0, stream: io.StringIO | None = None) -> str:
    """The first file alone, as it is shown when there is no other."""
    return rendered(Report(whole.files[:1], whole.plugins), verbose, stream)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("show", [rendered, detailed])
@pytest.mark.parametrize("verbose", [-1, 0, 1])
def test_nothing_hostile_reaches_the_terminal_from_any_field(verbose, show):
    text = show(report(signature(HOSTILE, findings=2), text=HOSTILE), verbose)
    assert all(line.isprintable() for line in text.split("\n"))
    for line in text.split("\n"):
        # what a text can put at the beginning of a line is never where verdicts are
        spoofed = line.lstrip().startswith(("passed all", r"passed \x20"))
        assert not spoofed or len(line) - len(line.lstrip()) > 8


def test_every_text_of_the_model_is_in_the_hostile_report():
    """So that the test above cannot go stale."""

    def texts(value: object) -> list[str]:
        if isinstance(value, (Extent, FileVerdict, Status)):
            return []
        if isinstance(value, str):
            return [value]
        if isinstance(value, tuple):
            return [t for v in value for t in texts(v)]
        if isinstance(value, dict):
            return [t for v in value.values() for t in texts(v)]
        if is_dataclass(value):
            return [t for f in fields(value) for t in texts(getattr(value, f.name))]
        return []

    found = texts(report(signature(HOSTILE, findings=1), text=HOSTILE))
    assert set(found) <= {HOSTILE, ""}
    assert len(found) > 60


def test_colour_is_for_terminals_alone(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    whole = report(signature())
    assert "\x1b" not in rendered(whole)
    assert "\x1b[32mpassed\x1b[0m" in rendered(whole, stream=Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in rendered(whole, stream=Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in rendered(whole, stream=Terminal())


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_text_fits_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    whole = report(signature("some words that are short " * 9, findings=2), text="words " * 5)
    lines = rendered(whole, 1, Terminal()).split("\n")
    assert max(len(line) for line in lines if not line.startswith(("passed", "error"))) <= columns


def test_fingerprints_are_never_broken(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    fingerprint = "0123456789abcdef" * 4
    whole = report(signature(signer=SignerFacts("CN=A", "CN=B", "1", fingerprint, "RSA 2048")))
    assert fingerprint in detailed(whole, stream=Terminal())


def test_verdict_line_says_what_it_is_about():
    one = signature(coverage=Coverage(3), location="/")
    assert rendered(report(one)).splitlines()[0] == "passed        x (1 signature: 3 elements signed, none unsigned)"
    four = rendered(report(one, one, one, signature(coverage=Coverage(1))))
    assert four.splitlines()[0].endswith("none unsigned; …)")
    for verbose in (-1, 0, 1):
        for line in rendered(report(one), verbose).splitlines():
            assert line.strip().casefold() not in ("ok", "passed")


def test_verdict_line_says_if_it_is_about_items_only():
    item = signature(coverage=Coverage(3), location="ContentSequence[0]")
    assert rendered(report(item)).splitlines()[0] == (
        "passed        x (1 signature: 3 elements signed, none unsigned in ContentSequence[0]; the data set itself is"
        " not signed)"
    )
    both = rendered(report(item, signature(coverage=Coverage(5), location="/"))).splitlines()[0]
    assert both.endswith("3 elements signed, none unsigned in ContentSequence[0]; 5 elements signed, none unsigned)")


def test_certificate_alone_proves_no_signer():
    passed, failed, unknown = Axis(Status.PASSED), Axis(Status.FAILED), Axis(Status.INDETERMINATE)
    axes = dict.fromkeys(AXES, passed)
    assert "as the certificate says" not in detailed(report(signature(axes=axes)))
    assert "x (as the certificate says; trust indeterminate)" in detailed(
        report(signature(axes=axes | {"trust": unknown}))
    )
    assert "x (as the certificate says; integrity failed)" in detailed(
        report(signature(axes=axes | {"integrity": failed}))
    )
    assert "no readable certificate" in detailed(report(signature(signer=None)))


def test_claimed_and_proven_time_are_not_mixed_up():
    text = detailed(report(signature(times=Times("20260131120000.5+0100", "", "2026-02-01T00:00:00+00:00"))))
    assert "claimed     2026-01-31 12:00:00.5 +0100 by the signer's clock" in text
    assert "proven" not in text
    assert "judged      as of 2026-02-01T00:00:00+00:00" in text
    assert "claimed     no time" in detailed(report(signature(times=Times())))


def test_many_findings_are_counted_unless_wanted():
    whole = report(signature(findings=SHOWN + 7))
    assert "and 7 more, see --verbose" in detailed(whole)
    assert "more, see" not in detailed(whole, 1)


def test_unsigned_and_unreadable_files_say_so():
    whole = Report(
        (
            FileReport("a", FileVerdict.UNSIGNED),
            FileReport("b", FileVerdict.ERROR, error=ErrorReport("not-dicom", "no DICOM", "b, byte 7", "look again")),
        )
    )
    text = rendered(whole)
    assert "nothing in this file is protected" in text
    assert "no DICOM [byte 7] (look again)" in text
    assert "2 files: 1 unsigned, 1 error" in text


def test_several_files_have_a_line_each_and_a_reason_where_there_is_one():
    failed = Axis(
        Status.FAILED, (Finding("mac-mismatch", "it does not match"), Finding("weak", "weak", severity="info"))
    )
    bad = signature(
        axes=dict.fromkeys(AXES, Axis(Status.PASSED)) | {"integrity": failed}, coverage=Coverage(3), location="/"
    )
    good = signature(axes=dict.fromkeys(AXES, Axis(Status.PASSED)), coverage=Coverage(3), location="/")
    files = (
        FileReport("a.dcm", FileVerdict.PASSED, (good,)),
        FileReport("b.dcm", FileVerdict.FAILED, (bad, bad)),
        FileReport("c.dcm", FileVerdict.UNSIGNED),
    )
    assert rendered(Report(files)).splitlines() == [
        "passed        a.dcm (1 signature: 3 elements signed, none unsigned)",
        "failed        b.dcm (2 signatures: 3 elements signed, none unsigned; 3 elements signed, none unsigned)",
        "              integrity: it does not match, and 1 more",
        "unsigned      c.dcm",
        "              nothing in this file is protected by a signature",
        "",
        "3 files: 1 passed, 1 unsigned, 1 failed",
        "--verbose shows everything about each, and --format html for a browser",
    ]
    assert rendered(Report(files), -1).splitlines() == [
        line for line in rendered(Report(files)).splitlines() if ".dcm" in line
    ]
    assert "structure   passed" in rendered(Report(files), 1)


def test_huge_texts_are_cut():
    stream = io.StringIO()
    Page(stream, {}).line("word " * 100_000)
    assert len(stream.getvalue()) < LONGEST * 2


def test_json_is_ascii_and_as_the_schema_says():
    stream = io.StringIO()
    hostile = signature(HOSTILE, findings=1, signer=None, times=Times())
    JsonReporter().render(report(hostile, text=HOSTILE), stream)
    assert stream.getvalue().isascii()
    assert json.loads(stream.getvalue())["files"][0]["path"] == HOSTILE
    good = signature(
        "x",
        mac=MacFacts(None, "SHA256", "1.2", "ab" * 32),
        signer=SignerFacts("CN=A", "CN=B", "1f", "0" * 64, "RSA 2048"),
        coverage=Coverage(1, (UnsignedElement("00100010", "PatientName", "not-listed"),)),
    )
    file = FileReport("x", FileVerdict.PASSED, (good,), (Finding("a-b", "c"),))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(document(Report((file,))))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(schema="dsig.report/2"),
        lambda d: d.pop("plugins"),
        lambda d: d["files"][0].update(verdict="ok"),
        lambda d: d["files"][0].update(error=None, verdict="error"),
        lambda d: d["files"][0].update(comment="more"),
    ],
)
def test_schema_refuses_what_is_no_report(spoil):
    good = document(Report((FileReport("x", FileVerdict.UNSIGNED),)))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(good)
    spoil(good)
    assert not validator.is_valid(good)


def test_whatever_is_escaped_is_printable_and_keeps_its_place():
    for code in range(0x110000):
        assert printable(chr(code)).isprintable()
    for text in (HOSTILE, " ", "  ", "   ", "a  b   c    d"):
        assert printable(text).isprintable()
        assert "  " not in printable(text)
    assert printable("Gr\u00fc\u00dfe \u4e2d\u6587 \u05d0") == "Gr\u00fc\u00dfe \u4e2d\u6587 \u05d0"


def test_registration_is_light_and_complete():
    assert [spec.name for spec in dsig_reports.dsig_reporters()] == ["text", "html", "json", "junit", "pdf"]
