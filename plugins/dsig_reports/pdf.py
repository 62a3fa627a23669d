"""The certificate of verification: the HTML report on paper, as PDF. Needs WeasyPrint (`dsig[pdf]`)."""

from __future__ import annotations

from typing import IO, Any

from weasyprint import HTML
from weasyprint.urls import URLFetcher

from dsig.errors import UsageError
from dsig.model import Report
from dsig_reports.html_document import document

__all__ = ["PdfReporter"]

MOST = 500
"""Files of one certificate; a page or more each, laid out in memory."""


class _Nothing(URLFetcher):  # type: ignore[misc]  # no types over there
    """The document asks for nothing but pictures it has in itself; whatever made it ask for more shall not succeed."""

    def fetch(self, url: str, headers: Any = None) -> Any:
        """Refuse what is elsewhere."""
        if url.startswith("data:image/png;base64,"):
            return super().fetch(url, headers)
        raise ValueError(f"a report fetches nothing, not {url[:80]!r}")


class PdfReporter:
    """Writes one PDF document; `dsig.hookspecs.Reporter`."""

    def render(self, report: Report, stream: IO[Any], *, verbose: int = 0) -> None:  # noqa: ARG002 - always everything
        """Lay the report out. Raises `UsageError` for more files than people read on paper."""
        if len(report.files) > MOST:
            raise UsageError(
                f"a PDF of {len(report.files)} files is too long, at most {MOST}", hint="use --format html, and print"
            )
        text = "".join(document(report, printed=True))
        HTML(string=text, url_fetcher=_Nothing()).write_pdf(stream, pdf_variant="pdf/ua-1")
