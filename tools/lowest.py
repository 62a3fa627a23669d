"""Print the lowest versions pyproject.toml allows, as pip constraints: `make test-lowest` runs the tests on them."""

from __future__ import annotations

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"

if __name__ == "__main__":
    for requirement in tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]:
        name, found, version = requirement.partition(">=")
        if not found:
            raise SystemExit(f"no lower bound: {requirement}")
        print(f"{name}=={version}")
