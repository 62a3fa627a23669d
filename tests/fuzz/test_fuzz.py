"""What fuzzing found stays fixed, and each target is fuzzed a little, the same each time (see fuzz/README.md)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
RUNS = 1300
"""Executions, the seeds included."""
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.dcm"))

sys.path.insert(0, str(FUZZ))
import targets  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def known() -> None:
    targets.remember(targets.seeds())


@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_seeds_keep_the_promises(target):
    """All small files of the corpus, so that what holds for mutations is known to hold for what they come from."""
    for content in targets.seeds().values():
        targets.TARGETS[target](content)


@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_regressions(target):
    for path in REGRESSIONS:
        targets.TARGETS[target](path.read_bytes())


def test_the_targets_see_what_other_readers_see_differently():
    """The oracle is no decoration: a passing file that reads differently would be noticed."""
    content = targets.seeds()["v-base-mr.dcm"]
    targets.verify(content)
    kept = targets._SIGNED.copy()
    for uid in kept:
        targets._SIGNED[uid] = pydicom.Dataset()
    try:
        with pytest.raises(AssertionError, match="other readers see something else"):
            targets.verify(content)
        targets._SIGNED.clear()
        with pytest.raises(AssertionError, match="a signature nobody made"):
            targets.verify(content)
    finally:
        targets._SIGNED.update(kept)


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_a_moment_of_fuzzing_finds_nothing(target):
    command = [sys.executable, str(FUZZ / "run.py"), "--runs", str(RUNS), "--seed", "1", "--target", target]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200, cwd=FUZZ)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    executions, places = (int(n) for n in re.findall(r"(\d+) (?:executions|places)", ran.stdout))
    assert executions == RUNS > 1.5 * len(targets.seeds())
    assert places > 1000
