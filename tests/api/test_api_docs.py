"""docs/api.md: its examples run, and it names everything that is public."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path

import dsig

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "api.md"
CORPUS = ROOT / "tests" / "corpus"


def test_examples_run(tmp_path, monkeypatch):
    for name, given in {
        "ct.dcm": "base/ct.dcm",
        "key.pem": "pki/rsa2048.key.pem",
        "signer.pem": "pki/rsa2048.pem",
        "intermediate.pem": "pki/inter.pem",
        "ca.pem": "pki/root.pem",
    }.items():
        shutil.copy(CORPUS / given, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    ran = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, encoding="utf-8"
    )
    assert ran.attempted > 15
    assert ran.failed == 0


def test_every_public_name_is_on_the_page():
    words = set(re.findall(r"\w+", PAGE.read_text()))
    assert set(dsig.__all__) - words == set()
