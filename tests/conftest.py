"""Rules for the whole test run: which tests may skip, and when they may not."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
PEERS = dict(peer.split(":") for peer in re.findall(r"^PEERS := (.+)$", MAKEFILE.read_text(), re.MULTILINE)[0].split())
"""Programs that tests marked `interop`, `pkcs11` or `browser` run, and the Debian packages `make peers` installs."""

REQUIRED = os.environ.get("CI") == "true" or os.environ.get("DSIG_REQUIRE_PEERS") == "1"
"""Whether a skipped test is a failed test: a CI run that tested less than it says is worth nothing."""

MISSING = {peer: package for peer, package in PEERS.items() if shutil.which(peer) is None}

# A failure that only some runs see helps nobody in CI; elsewhere new examples are welcome. Machines differ in speed.
hypothesis.settings.register_profile(
    "local", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("local"), derandomize=True)
hypothesis.settings.load_profile("ci" if REQUIRED else "local")


# Started in the background by a shell we would ignore it, and so would every program the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def install_command() -> str:
    return f"{', '.join(MISSING)} missing; install with: apt-get install {' '.join(MISSING.values())}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not MISSING:
        return
    if REQUIRED:
        raise pytest.UsageError(install_command())
    for item in items:
        if any(item.get_closest_marker(marker) for marker in ("interop", "pkcs11", "browser")):
            item.add_marker(pytest.mark.skip(reason=install_command()))


def as_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure; an expected failure also says "skipped" and stays what it is."""
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"no test may skip in this run: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    as_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    as_failure(report)
    return report
