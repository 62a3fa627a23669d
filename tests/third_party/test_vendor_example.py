"""The vendor's package as a vendor would have it: built, installed from its wheel, and run by its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from third_party.packages import install

PACKAGE = Path(__file__).parents[2] / "plugins" / "vendor-example"


@pytest.mark.slow
def test_the_package_passes_its_own_tests_from_its_wheel(tmp_path):
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
    ]
    built = subprocess.run(
        [*build, "--wheel-dir", tmp_path, PACKAGE], capture_output=True, text=True, check=False, timeout=300
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    install(wheel, site)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=PACKAGE,
        env=os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout
    assert "skipped" not in ran.stdout


def test_the_package_uses_nothing_but_the_contract():
    allowed = {"dsig.hookspecs", "dsig.errors", "dsig.model"}
    for path in (PACKAGE / "src").rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].partition(".")[0] == "dsig":
                assert words[1] in allowed, f"{path}: {line}"
