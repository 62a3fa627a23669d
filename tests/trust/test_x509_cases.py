"""Where PKITS is silent: paths made by `openssl ca`, judged with every backend (docs/x509-cases.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import x509_cases

from dsig.cli.options import BACKENDS

pytestmark = pytest.mark.interop

PAGE = Path(__file__).parents[2] / "docs" / "x509-cases.md"


@pytest.mark.parametrize("backend", x509_cases.BACKENDS)
@pytest.mark.parametrize("case", x509_cases.CASES, ids=lambda c: c.what.replace(" ", "-"))
def test_a_path_is_judged_as_its_clause_says(case: x509_cases.Case, backend: str):
    result, evidence = x509_cases.outcome(backend, case)
    reason = x509_cases.UNSUPPORTED[backend].get(case.what)
    assert result == ("passed" if reason is None else "refused"), evidence.findings


def test_there_are_cases_of_both_kinds_and_each_has_a_name():
    assert len({case.what for case in x509_cases.CASES}) == len(x509_cases.CASES) >= 50
    valid = sum(case.valid for case in x509_cases.CASES)
    assert len(x509_cases.CASES) * 0.3 < valid < len(x509_cases.CASES) * 0.7


def test_the_default_declares_nothing_unsupported():
    assert x509_cases.UNSUPPORTED[BACKENDS["trust"]] == {}


def test_the_table_in_the_docs_is_current():
    assert PAGE.read_text() == x509_cases.table(), "run tools/update_pkits.py"
