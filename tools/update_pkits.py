"""Write docs/pkits.md and docs/x509-cases.md: what the trust backends make of NIST PKITS, and of what it leaves out."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import pkits, x509_cases  # noqa: E402

if __name__ == "__main__":
    (ROOT / "docs" / "pkits.md").write_text(pkits.table())
    (ROOT / "docs" / "x509-cases.md").write_text(x509_cases.table())
