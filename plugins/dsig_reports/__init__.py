"""Reports as text for people and as JSON for programs."""

from __future__ import annotations

from dsig.hookspecs import ReporterSpec, hookimpl

__all__ = ["dsig_reporters"]


@hookimpl
def dsig_reporters() -> list[ReporterSpec]:
    """`text` and `json`."""
    return [
        ReporterSpec(
            name="text",
            summary="for people: verdicts first, then who, when, what was checked and what is not protected",
            factory="dsig_reports.text:TextReporter",
        ),
        ReporterSpec(
            name="json",
            summary="for programs: dsig.report/1, see dsig/schema/report-1.schema.json",
            factory="dsig_reports.json_document:JsonReporter",
        ),
    ]
