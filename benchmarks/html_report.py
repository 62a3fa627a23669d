"""How quickly a browser opens an HTML report of 5,000 files and filters it: `make bench`, or this script alone.

Measured by Chromium itself: from the start of the navigation to the end of the load event, and from a keystroke in the
search field to the next frame. Medians; writes them into docs/reports.md.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright

from dsig import Report, VerifyOptions, load_trust, verify
from dsig_reports.html_document import document

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus"
PAGE = ROOT / "docs" / "reports.md"
FILES, ROUNDS = 5000, 7
LOAD, FILTER = 2000, 200
"""Targets in milliseconds."""
WORDS = ["instance", "series-07", "series-07 match", "no such words", ""]
BEGIN, END = "<!-- measured by benchmarks/html_report.py -->\n", "<!-- /measured -->"

LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"
TYPED = """async (words) => {
    const field = document.getElementById("q");
    const began = performance.now();
    field.value = words;
    field.dispatchEvent(new Event("input"));
    await new Promise(requestAnimationFrame);
    document.body.offsetHeight;
    return performance.now() - began;
}"""


def study(directory: Path) -> Report:
    """A CT study, every sixth instance tampered with."""
    signed = (CORPUS / "files" / "v-base-ct.dcm").read_bytes()
    tampered = directory / "tampered.dcm"
    tampered.write_bytes(signed.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    pki = CORPUS / "pki"
    options = VerifyOptions(trust=load_trust([pki / "root.pem"], [pki / "inter.pem"]))
    good, bad = verify(CORPUS / "files" / "v-base-ct.dcm", options), verify(tampered, options)
    return Report(
        tuple(
            replace(good if n % 6 else bad, path=f"study/series-{n // 500:02}/instance-{n:05}.dcm")
            for n in range(FILES)
        )
    )


def main() -> int:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory() as scratch:
        whole = study(Path(scratch))
        path = Path(scratch) / "report.html"
        began = time.perf_counter()
        with path.open("w", encoding="ascii") as file:
            file.writelines(document(whole))
        written = time.perf_counter() - began
        loads, filters = [], []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            version = browser.version
            for _ in range(ROUNDS):
                page = browser.new_page()
                page.goto(path.as_uri())
                loads.append(page.evaluate(LOADED))
                filters += [page.evaluate(TYPED, words) for words in WORDS]
                page.close()
            browser.close()
        size = path.stat().st_size / 1e6
    load, typed = statistics.median(loads), statistics.median(filters)
    text = (
        f"Chromium {version}, {os.cpu_count()} cores, a study of {FILES:,} CT instances ({size:.0f} MB of report,"
        f" written in {written:.1f} s), medians:\n\n"
        "| what | target | measured | met |\n| --- | --- | --- | --- |\n"
        f"| load, by the browser's own measure | < {LOAD} ms | {load:.0f} ms | {'yes' if load < LOAD else 'no'} |\n"
        f"| search or filter, keystroke to next frame | < {FILTER} ms | {typed:.0f} ms |"
        f" {'yes' if typed < FILTER else 'no'} |\n"
    )
    print(text)
    print(f"load {min(loads):.0f} to {max(loads):.0f} ms, filter {min(filters):.0f} to {max(filters):.0f} ms")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
    return 0 if load < LOAD and typed < FILTER else 1


if __name__ == "__main__":
    sys.exit(main())
