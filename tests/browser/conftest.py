"""A real Chromium, and reports to open in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dsig import FileReport, Report, VerifyOptions, load_trust, verify
from dsig.model import PluginUse, Thumbnail
from dsig.thumbnails.png import png
from dsig_reports.html_document import document

PATIENCE = 300_000
"""Milliseconds until something that does not happen is a failure."""
expect.set_options(timeout=PATIENCE)
CORPUS = Path(__file__).parents[1] / "corpus"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless; playwright brings no browser of its own.

    Not for the whole session: as long as it is there, playwright has an event loop running, which others may want.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[FileReport, ...]:
    """A file with each verdict, some elements unsigned, some signed elements gone."""
    directory = tmp_path_factory.mktemp("judged")
    signed = (CORPUS / "files" / "v-base-ct.dcm").read_bytes()
    (directory / "name.dcm").write_bytes(signed.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    (directory / "cut.dcm").write_bytes(signed[:3000])
    pki = CORPUS / "pki"
    trusting = VerifyOptions(trust=load_trust([pki / "root.pem"], [pki / "inter.pem"]))
    return (
        verify(CORPUS / "files" / "v-base-ct.dcm", trusting),
        verify(CORPUS / "files" / "v-tags-three.dcm", trusting),
        verify(directory / "name.dcm", trusting),
        verify(CORPUS / "files" / "v-base-mr.dcm"),
        verify(CORPUS / "base" / "ct.dcm", trusting),
        verify(directory / "cut.dcm", trusting),
    )


@pytest.fixture(scope="session")
def pictured(judged: tuple[FileReport, ...]) -> tuple[FileReport, ...]:
    """With a picture for all but one."""
    picture = Thumbnail(png(64, 48, bytes(range(256)) * 12), 64, 48, 2, 3)
    lacking = Thumbnail(reason="it has no pixels")
    return tuple(replace(file, thumbnail=picture if number else lacking) for number, file in enumerate(judged))


@pytest.fixture(scope="session")
def study(judged: tuple[FileReport, ...]) -> Report:
    """A report of 5,000 files, 500 a series, one in six of each kind."""
    files = tuple(
        replace(judged[number % len(judged)], path=f"study/series-{number // 500:02}/instance-{number:05}.dcm")
        for number in range(5000)
    )
    return Report(files, (PluginUse("reports", "dsig", "0.1.0"),))


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a report; whatever the page asks for, says or pops up is in `page.seen`."""
    contexts = []

    def opened(report: Report, **options: object) -> Page:
        path = tmp_path / "report.html"
        with path.open("w", encoding="ascii") as file:
            file.writelines(document(report))
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.seen = []  # type: ignore[attr-defined]
        page.on("request", lambda request: page.seen.append(request.url))
        page.on("console", lambda message: page.seen.append(message.text))
        page.on("pageerror", lambda error: page.seen.append(str(error)))
        page.on("dialog", lambda dialog: (page.seen.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
