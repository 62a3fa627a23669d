"""Files, keys and trust for the tests of many files."""

from __future__ import annotations

import sys
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"
SMALL = CORPUS / "base" / "sc_odd.dcm"
"""A little more than a kilobyte."""
PKI = CORPUS / "pki"
KEY = ["--key", str(PKI / "rsa2048.key.pem"), "--cert", str(PKI / "rsa2048.pem")]
TRUST = ["--trust-root", str(PKI / "root.pem"), "--intermediate", str(PKI / "inter.pem")]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "dsig.cli", *map(str, arguments)]


def without_progress(said: str) -> str:
    """Standard error without the lines a slow run says now and then."""
    return "".join(
        line for line in said.splitlines(keepends=True) if " files, " not in line or " a second, " not in line
    )
