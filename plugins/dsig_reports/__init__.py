"""Reports: text and HTML for people, JSON for programs, JUnit XML for build servers."""

from __future__ import annotations

from dsig.hookspecs import ReporterSpec, hookimpl

__all__ = ["dsig_reporters"]


@hookimpl
def dsig_reporters() -> list[ReporterSpec]:
    """`text`, `html`, `json` and `junit`."""
    return [
        ReporterSpec(
            name="text",
            summary="for people: verdicts first, then who, when, what was checked and what is not protected",
            factory="dsig_reports.text:TextReporter",
            streams=True,
        ),
        ReporterSpec(
            name="html",
            summary="for people: one file for a browser, with everything, to search, filter and print",
            factory="dsig_reports.html_document:HtmlReporter",
            pictures=True,
        ),
        ReporterSpec(
            name="json",
            summary="for programs: dsig.report/1, see dsig/schema/report-1.schema.json",
            factory="dsig_reports.json_document:JsonReporter",
            streams=True,
        ),
        ReporterSpec(
            name="junit",
            summary="for build servers: JUnit XML, a test case for each file",
            factory="dsig_reports.junit:JunitReporter",
            streams=True,
        ),
        ReporterSpec(
            name="pdf",
            summary="for the record: a certificate of verification to print, send or archive",
            factory="dsig_reports.pdf:PdfReporter",
            requires="pip install 'dsig[pdf]'",
            binary=True,
            pictures=True,
        ),
    ]
