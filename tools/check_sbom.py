"""Whether a bill of materials names what is installed in an environment, no more and no less: `make sbom` asks."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path


def named(name: str) -> str:
    """A name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main(bill: Path, environment: Path) -> int:
    [site] = environment.glob("lib/python3*/site-packages")
    installed: dict[str, Distribution] = {named(d.name): d for d in distributions(path=[str(site)])}
    told = json.loads(bill.read_text())
    root = told["metadata"]["component"]
    listed = {named(c["name"]): c["version"] for c in (root, *told["components"])}
    wrong = {name: d.version for name, d in installed.items() if listed.get(name) != d.version}
    wrong |= {name: version for name, version in listed.items() if name not in installed}
    unnamed = [c["name"] for c in told["components"] if named(c["name"]) != "dsig" and not c.get("licenses")]
    if wrong or unnamed or named(root["name"]) != "dsig" or len(installed) < 10:
        print(f"not as installed: {wrong}; without a licence: {unnamed}; about {root['name']}", file=sys.stderr)
        return 1
    print(f"{bill}: {len(listed)} components, each with its licence")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
