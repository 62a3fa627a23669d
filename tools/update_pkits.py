"""Write docs/pkits.md: what the trust backends make of NIST PKITS."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import pkits  # noqa: E402

if __name__ == "__main__":
    (ROOT / "docs" / "pkits.md").write_text(pkits.table())
