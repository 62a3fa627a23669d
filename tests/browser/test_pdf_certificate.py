"""The certificate of verification: a PDF that people can file, made without fetching anything.

With the browser tests because it needs what Debian's Chromium brings along: Pango and HarfBuzz.
"""

from __future__ import annotations

from pathlib import Path

import pypdf
import pytest

from dsig import FileReport, FileVerdict, Report
from dsig.cli import main
from dsig.errors import UsageError
from dsig_reports import pdf

pytestmark = pytest.mark.browser

CORPUS = Path(__file__).parents[1] / "corpus"


def test_certificate_says_the_verdict_in_its_title(tmp_path, capfd):
    out = tmp_path / "certificate.pdf"
    file = CORPUS / "files" / "v-base-ct.dcm"
    trust = ["--trust-root", str(CORPUS / "pki" / "root.pem"), "--intermediate", str(CORPUS / "pki" / "inter.pem")]
    assert main(["verify", str(file), "--format", "pdf", "--report", str(out), *trust]) == 0
    capfd.readouterr()
    read = pypdf.PdfReader(out)
    assert read.metadata.title == "The file passed \u2013 verification of DICOM signatures"
    text = " ".join(" ".join(page.extract_text() for page in read.pages).split())
    for said in (
        "Unchanged since it was signed. The signer is trusted.",
        "257 elements of the data set signed",
        "1.2.840",
    ):
        assert said in text
    assert f"The file passed 1 / {len(read.pages)}" in text, "what it is about is on every page"
    catalog = read.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert b"pdfuaid:part" in catalog["/Metadata"].get_data(), "it says it is accessible (PDF/UA)"


def test_certificate_shows_the_instance_if_somebody_wants_it(tmp_path, capfd):
    out = tmp_path / "certificate.pdf"
    file = str(CORPUS / "files" / "v-base-ct.dcm")
    for more, pictures in (([], set()), (["--thumbnails"], {(128, 128)})):
        assert main(["verify", file, "--no-trust", "--format", "pdf", "--report", str(out), *more]) == 0
        assert {image.image.size for page in pypdf.PdfReader(out).pages for image in page.images} == pictures
    capfd.readouterr()


def test_nothing_is_fetched_whatever_the_document_says(tmp_path, monkeypatch):
    """As if a value had become markup after all."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret" * 100)
    asked = []
    refuse = pdf._Nothing.fetch
    monkeypatch.setattr(
        pdf._Nothing, "fetch", lambda self, url, headers=None: (asked.append(url), refuse(self, url, headers))
    )
    hostile = f"<link rel=attachment href='{secret.as_uri()}'><img src='http://127.0.0.1:9/x'><p>x"
    monkeypatch.setattr(pdf, "document", lambda report, printed: [hostile])
    with (tmp_path / "out.pdf").open("wb") as file:
        pdf.PdfReporter().render(Report((FileReport("x", FileVerdict.UNSIGNED),)), file)
    assert sorted(url.partition(":")[0] for url in asked) == ["file", "http"]
    assert b"EmbeddedFile" not in (tmp_path / "out.pdf").read_bytes()


def test_more_files_than_anybody_prints_are_refused(tmp_path):
    many = Report((FileReport("x", FileVerdict.UNSIGNED),) * (pdf.MOST + 1))
    with (tmp_path / "out.pdf").open("wb") as file, pytest.raises(UsageError, match="too long, at most 500"):
        pdf.PdfReporter().render(many, file)
