"""The HTML report in a real browser: accessible, inert, searchable, printable, and still quick with 5,000 files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dsig import FileReport, FileVerdict, Finding, Report
from dsig.model import ErrorReport
from dsig_reports.html_document import EAGER

pytestmark = pytest.mark.browser

ACT = "window.hit = 1"
MARKUP = (
    f"</script></template></textarea></title></style>--><script>{ACT}</script>"
    f"<img src=//evil.example/x onerror='{ACT}'>"
    f"\"'><svg onload='{ACT}'><a href='javascript:{ACT}' autofocus onfocus='{ACT}'>x</a>"
    f"<iframe srcdoc='<script>parent.{ACT}</script>'></iframe><base href=//evil.example/><form action=//evil.example>"
)
"""What somebody would write into a data set to make a report act."""
CHANGED = "Do not rely on this file. The data, or the signature, were changed after signing."
SHAPES = [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)]


def hostile(copies: int = 1) -> Report:
    finding = Finding("mac-mismatch", MARKUP, MARKUP, MARKUP, "error")
    file = FileReport(
        MARKUP, FileVerdict.ERROR, (), (finding,), MARKUP, MARKUP, ErrorReport(MARKUP, MARKUP, MARKUP, MARKUP)
    )
    return Report((file,) * copies)


@pytest.mark.parametrize(("scheme", "width"), SHAPES)
def test_no_accessibility_violations(opened, pictured, scheme, width):
    judged = pictured
    page = opened(Report(judged), color_scheme=scheme, viewport={"width": width, "height": 900})
    page.click("#all")
    assert page.locator("details[open] > .body").count() == len(judged)
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    assert len(result.response["passes"]) > 20, "axe looked at the page"


def test_landmarks_and_headings_say_where_things_are(opened, judged):
    page = opened(Report(judged))
    for role, name in (("banner", None), ("search", "Filter files"), ("main", None), ("contentinfo", None)):
        expect(page.get_by_role(role, name=name)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("\u2715 1 of 6 files failed")


@pytest.mark.parametrize("copies", [1, EAGER + 1])
def test_markup_in_files_does_not_act(opened, copies):
    page = opened(hostile(copies))
    page.locator("summary").first.click()
    if copies == 1:  # was open to begin with
        page.locator("summary").first.click()
    expect(page.locator(".body").first).to_be_visible()
    assert "<script>window.hit = 1</script>" in page.locator(".body").first.inner_text()
    if copies > 1:
        page.fill("#q", "evil")
    assert page.evaluate("window.hit") is None
    assert page.locator(".body img, .body iframe, .body a, .body form, base").count() == 0
    assert [seen for seen in page.seen if not seen.endswith("report.html")] == []


def test_policy_would_stop_what_got_through(opened, judged):
    """As if a value had become markup after all."""
    page = opened(Report(judged))
    page.evaluate("""() => {
        document.body.insertAdjacentHTML("beforeend", `<img src="https://evil.example/x" onerror="window.hit = 1">
            <p style="position:fixed" onclick="window.hit = 1" id="bad">x</p>
            <iframe srcdoc="<script>parent.hit = 1</scr` + `ipt>"></iframe>`);
        const script = document.createElement("script");
        script.textContent = "window.hit = 1";
        document.body.append(script);
    }""")
    page.locator("#bad").click()
    while len([seen for seen in page.seen if "Content Security Policy" in seen]) < 4:  # what it refused, it says
        page.wait_for_event("console")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hit") is None
    assert page.evaluate("getComputedStyle(document.getElementById('bad')).position") == "static"


def test_nothing_is_asked_for_but_the_file_itself(opened, judged):
    page = opened(Report(judged))
    page.click("#all")
    assert len(page.seen) == 1
    assert page.seen[0].endswith("report.html")


@pytest.mark.parametrize("copies", [1, EAGER])
def test_thumbnails_are_shown_whatever_the_policy_forbids(opened, pictured, copies):
    page = opened(Report(pictured[1:2] * copies + pictured[:1]))
    if copies > 1:  # the few are open to begin with
        page.locator("summary").first.click()
    picture = page.locator(".thumbnail img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 64
    expect(page.locator(".thumbnail figcaption").first).to_contain_text("Frame 2 of 3.")
    assert [seen for seen in page.seen if not seen.startswith(("file:", "data:image/png"))] == []


def test_search_and_verdicts_narrow_the_list(opened, judged):
    page = opened(Report(judged))
    shown = page.locator("#files > li:visible")
    count = page.locator("#count")
    expect(count).to_have_text("6 files")
    page.fill("#q", "signer RSA2048")
    expect(count).to_have_text("4 of 6 files")
    page.fill("#q", "name.dcm does match")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("name.dcm")
    page.fill("#q", judged[0].sop_instance_uid)
    assert shown.count() >= 1
    page.fill("#q", "no such words")
    expect(page.get_by_text("No file matches.")).to_be_visible()
    page.fill("#q", "")
    page.get_by_role("button", name="passed").click()
    expect(count).to_have_text("4 of 6 files")
    assert "passed" not in shown.locator(".verdict").all_inner_texts()


def test_keyboard_alone_is_enough(opened, judged):
    page = opened(Report(judged))
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the files")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("v-base-ct")
    for _ in range(6):  # five verdicts, open all
        page.keyboard.press("Tab")
    expect(page.locator("#all")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#files")).not_to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#files > li:visible .said")).to_have_text(
        "Unchanged since it was signed. The signer is trusted."
    )


@pytest.mark.parametrize("width", [320, 700, 1600])
def test_nothing_runs_out_of_the_page_sideways(opened, judged, width):
    """WCAG 1.4.10 asks for 320 CSS pixels."""
    long = replace(judged[0], path="/".join(["a-rather-long-name-of-a-directory"] * 9), sop_instance_uid="1." * 32)
    page = opened(Report((*judged, long)), viewport={"width": width, "height": 800})
    page.click("#all")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_has_what_is_open_and_no_controls(opened, judged):
    page = opened(Report(judged), color_scheme="dark")
    page.locator("summary").first.click()
    page.emulate_media(media="print")
    expect(page.locator("#tools")).to_be_hidden()
    expect(page.locator(".said:visible")).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF-")


def test_without_a_script_everything_is_there(opened, judged):
    page = opened(Report(judged), java_script_enabled=False)
    expect(page.locator("#tools")).to_be_hidden()
    page.locator("summary").first.click()
    expect(page.locator(".said:visible")).to_have_count(1)


def test_five_thousand_files_stay_light(opened, study):
    """What makes it quick: few elements until details are opened. benchmarks/html_report.py measures how quick."""
    page = opened(study)
    assert page.evaluate("document.getElementsByTagName('*').length") < 150_000
    expect(page.locator("#count")).to_have_text("5,000 files")
    page.fill("#q", "series-07 match")
    # one in six failed: numbers 3500 to 3999 that leave 2 when divided by 6
    expect(page.locator("#count")).to_have_text(f"{len(range(3500, 4000, 6))} of 5,000 files")
    first = page.locator("#files > li:visible").first
    first.locator("summary").click()
    expect(first.locator(".said")).to_have_text(CHANGED)
    expect(first.get_by_text("PS3.3 C.12.1.1.3.1.1").first).to_be_visible()
    assert len(page.seen) == 1
