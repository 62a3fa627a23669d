"""Reports in notebooks."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import dsig
import dsig.plugins

CORPUS = Path(__file__).parents[1] / "corpus"


class Frames(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_report_is_shown_as_the_html_report_in_a_frame_without_rights():
    report = dsig.verify(CORPUS / "files" / "v-base-ct.dcm")
    ((tag, attributes),) = Frames(report._repr_html_()).found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert "The file is undecided" in attributes["srcdoc"]
    assert "Content-Security-Policy" in attributes["srcdoc"]


def test_reports_on_many_files_are_shown_together():
    files = tuple(dsig.verify(CORPUS / "base" / name) for name in ("ct.dcm", "mr.dcm"))
    ((_, attributes),) = Frames(dsig.Report(files)._repr_html_()).found
    assert "2 of 2 files not signed" in attributes["srcdoc"]


def test_without_a_plugin_for_html_the_plain_form_is_shown(monkeypatch):
    monkeypatch.setattr("dsig.notebook.default", dsig.plugins.Plugins)
    assert dsig.Report(())._repr_html_() is None
