"""Somebody new, with nothing but the documentation: each walk-through is followed literally, and ends as shown."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from support import tools
from support.transcripts import constant

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/update_pages.py."""
    return tools.tool("update_pages")


@pytest.fixture(scope="module")
def today(tool: ModuleType) -> dict[str, str]:
    """The pages as they would be if they were made now."""
    return tool.updated(tool.texts())


@pytest.mark.pkcs11
@pytest.mark.interop
@pytest.mark.parametrize(
    "page",
    ["quick-start", "hsm", "tutorials/modality", "tutorials/radiologist", "tutorials/archive", "faq", "signatures"],
)
def test_pages_show_what_their_commands_print(tool: ModuleType, today: dict[str, str], page: str) -> None:
    shown = (DOCS / f"{page}.md").read_text()
    assert len(tool.commands(shown)) >= 3
    assert constant(today[page]) == constant(shown), "run tools/update_pages.py"


@pytest.mark.pkcs11
@pytest.mark.interop
def test_what_the_walk_throughs_are_about_happens(today: dict[str, str]) -> None:
    """Whatever the pages show, these have to be among it."""
    start = today["quick-start"]
    signing, rest = start.split("## Verify it")
    verifying, finding = rest.split("## Find why a tampered copy fails")
    assert "--key 'pkcs11:" in signing
    assert signing.count("\nsigned ") == 3
    assert "3 files: 3 passed" in verifying
    assert "integrity   failed" in finding
    assert "PatientName: the value differs" in finding
    assert "profile     passed" in today["tutorials/radiologist"]
    assert "profiles    sr-verification" in today["tutorials/radiologist"]
    assert "3 had been done before" in today["tutorials/modality"]
    assert "2 archive timestamps" in today["tutorials/archive"]
    assert "PixelData: the pixel data were compressed" in today["faq"]
    assert "the same digest" in today["signatures"]


def test_the_quick_start_has_the_four_walk_throughs() -> None:
    """The fourth is a page of its own, run by tests/test_plugin_docs.py in an environment of its own."""
    page = (DOCS / "quick-start.md").read_text()
    assert re.findall(r"^## (.*)", page, re.MULTILINE) == [
        "Sign a study with SoftHSM",
        "Verify it",
        "Find why a tampered copy fails",
        "Write a MAC plugin",
        "And then",
    ]
    assert "(plugins.md#your-first-plugin)" in page
    assert "\n## Your first plugin\n" in (DOCS / "plugins.md").read_text()
    assert "def test_your_first_plugin" in (ROOT / "tests" / "test_plugin_docs.py").read_text()
    assert page.count("<!-- run -->") == page.count("```console\n$ ") - 1, "all but the installation"
