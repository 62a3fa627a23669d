"""NIST PKITS against every trust backend: nothing invalid passes, nothing valid is refused but for a reason given."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import pkits

from dsig.cli.options import BACKENDS

PAGE = Path(__file__).parents[2] / "docs" / "pkits.md"


def test_the_suite_is_whole():
    """224 tests in the sections of the suite (PKITS 1.0.1, table of contents), numbered without gaps."""
    counts = {s: [t.number for t in pkits.tests() if t.section == s] for s in {t.section for t in pkits.tests()}}
    assert {s: len(numbers) for s, numbers in counts.items()} == {
        "4.1": 6, "4.2": 8, "4.3": 11, "4.4": 21, "4.5": 8, "4.6": 17, "4.7": 5, "4.8": 20, "4.9": 8, "4.10": 14,
        "4.11": 11, "4.12": 10, "4.13": 38, "4.14": 35, "4.15": 10, "4.16": 2,
    }  # fmt: skip
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in counts.values())


# What OpenSSL makes of self-issued certificates depends on its version, so these are not run on the lowest ones.
EACH = [pytest.param(name, marks=pytest.mark.interop) if name == "openssl" else name for name in pkits.BACKENDS]


@pytest.mark.parametrize("backend", EACH)
@pytest.mark.parametrize("test", pkits.tests(), ids=lambda t: f"{t.id}-{t.name}")
def test_a_path_is_judged_as_the_suite_says(test, backend):
    result, evidence = pkits.outcome(backend, test)
    reason = pkits.UNSUPPORTED[backend].get(test.id)
    assert result == ("passed" if reason is None else "refused"), evidence.findings


def test_the_default_declares_next_to_nothing_unsupported():
    assert len(pkits.UNSUPPORTED[BACKENDS["trust"]]) <= 3


@pytest.mark.interop
def test_the_table_in_the_docs_is_current():
    assert PAGE.read_text() == pkits.table(), "run tools/update_pkits.py"
