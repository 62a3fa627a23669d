"""Pictures of a real HTML report for the documentation: desktop, dark, narrow, printed. Writes docs/images/."""

from __future__ import annotations

import io
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from dsig import FileReport, Report, VerifyOptions, load_trust, verify
from dsig.model import PluginUse
from dsig.plugins import default
from dsig.thumbnails import Studio
from dsig_reports.html_document import document

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus"
IMAGES = ROOT / "docs" / "images"
MOST = 200_000
"""Bytes of all pictures together."""
SHOTS = {
    "desktop": ({"viewport": {"width": 1200, "height": 900}}, "screen"),
    "dark": ({"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"}, "screen"),
    "narrow": ({"viewport": {"width": 400, "height": 900}}, "screen"),
    "print": ({"viewport": {"width": 760, "height": 1000}}, "print"),
}


def judged(scratch: Path) -> Report:
    """A small study: one instance tampered with, one signed in part, one not at all, one cut off."""
    signed = (CORPUS / "files" / "v-base-ct.dcm").read_bytes()
    (scratch / "name.dcm").write_bytes(signed.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    (scratch / "cut.dcm").write_bytes(signed[:3000])
    pki = CORPUS / "pki"
    options = VerifyOptions(
        trust=load_trust([pki / "root.pem"], [pki / "inter.pem"]), at=datetime(2026, 11, 22, 12, tzinfo=UTC)
    )

    studio = Studio(default().thumbnailers.provider("pydicom"))

    def report(path: Path, name: str) -> FileReport:
        judged, found = verify(path, options), path.stat()
        picture = studio.thumbnail(str(path), (found.st_size, found.st_mtime_ns, found.st_ino))
        return replace(judged, path=f"study/{name}", thumbnail=picture)

    with studio:
        files = (
            report(scratch / "name.dcm", "ct/slice-002.dcm"),
            report(CORPUS / "files" / "v-base-ct.dcm", "ct/slice-001.dcm"),
            report(CORPUS / "files" / "v-tags-three.dcm", "mr/localizer.dcm"),
            report(scratch / "cut.dcm", "ct/slice-003.dcm"),
            report(CORPUS / "base" / "ct.dcm", "ct/slice-004.dcm"),
            report(CORPUS / "files" / "v-base-sr-basic.dcm", "sr/report.dcm"),
        )
    return Report(
        files, tuple(PluginUse(name, "dsig", "0.1.0") for name in ("cryptography", "macs", "reports", "thumbnails"))
    )


def main() -> None:
    """Take the pictures, in as few colours as they need."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        path = Path(scratch) / "report.html"
        path.write_text("".join(document(judged(Path(scratch)))), encoding="ascii")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name, (options, media) in SHOTS.items():
            page = browser.new_context(**options).new_page()
            page.goto(path.as_uri())
            page.locator("summary").first.click()
            page.emulate_media(media=media)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            small = picture.quantize(64, dither=Image.Dither.NONE)
            small.save(IMAGES / f"report-{name}.png", optimize=True)
        browser.close()
    total = sum(path.stat().st_size for path in IMAGES.glob("report-*.png"))
    print(f"{total:,} bytes")
    if total > MOST:
        raise SystemExit(f"the pictures have {total} bytes together, at most {MOST} are wanted")


if __name__ == "__main__":
    main()
