"""Copy a corpus of signed DICOM files into tests/corpus and write its manifest anew.

    python tools/vendor_corpus.py SOURCE [DESTINATION]

The source manifest also records what the program that made the files printed and where it is weak. A test needs none
of that: the manifest written here keeps how a file was made and what a careful verifier should say, and names no
program. Files that are no longer in the source are deleted; README.md and .gitattributes here are ours and stay.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

FOLDERS = ("base", "files", "pki", "support")
DESTINATION = Path(__file__).resolve().parent.parent / "tests" / "corpus"

CASE_KEYS = (
    "id",
    "group",
    "kind",
    "file",
    "size",
    "sha256",
    "base",
    "signatures",
    "derived_from",
    "operation",
    "input",
    "spec",
)
"""Kept as they are."""
TEXT_KEYS = ("notes", "changed", "opinion", "what")
"""Kept without the clauses that speak of a program."""
STEP_KEYS = ("args", "options", "exit", "mac_stream", "clock", "TZ")
EXPECTED_KEYS = (
    "accept",
    "prefer",
    "sigs",
    "strict",
    "ok",
    "exit",
    "signatures",
    "result_file",
    "equals_base",
    "signatures_left",
)
TOOLS = {"dcmsign": "peer", "dcmconv": "peer-convert"}

NAMED = re.compile(r"dcm(sign|tk|conv|dump)|offis|\bits own\b|crash|segv", re.IGNORECASE)
"""What marks a clause as being about a program and not about the file."""


def neutral(text: str) -> str:
    """Drop the parentheses and clauses of `text` that are about a program; may leave nothing."""
    text = re.sub(r"\s*\([^()]*\)", lambda m: "" if NAMED.search(m[0]) else m[0], text)
    clauses = re.split(r"(?<=[;:,]) ", text)
    return " ".join(clause for clause in clauses if not NAMED.search(clause)).rstrip(";:, ")


def expected(source: dict[str, Any]) -> dict[str, Any]:
    """The expectation of a case without the reason's remarks on programs."""
    kept = {key: source[key] for key in EXPECTED_KEYS if key in source}
    why = neutral(source.get("why", ""))
    return kept | ({"why": why} if why else {})


def case(source: dict[str, Any]) -> dict[str, Any]:
    """One case, in the form that is published."""
    kept = {key: source[key] for key in CASE_KEYS if key in source}
    kept |= {key: text for key in TEXT_KEYS if (text := neutral(source.get(key, "")))}
    if "steps" in source:
        kept["steps"] = [
            {"tool": TOOLS.get(step["tool"], step["tool"])} | {key: step[key] for key in STEP_KEYS if key in step}
            for step in source["steps"]
        ]
    if "verify" in source:
        kept["verify"] = {policy: expected(answer["expected"]) for policy, answer in source["verify"].items()}
    if "expected" in source:
        kept["expected"] = expected(source["expected"])
    return kept


def manifest(source: dict[str, Any]) -> dict[str, Any]:
    """The whole manifest, in the form that is published."""
    return {
        "format": source["format"],
        "policies": {name: policy["neutral"] for name, policy in source["policies"].items()},
        "counts": source["counts"],
        "cases": [case(one) for one in source["cases"]],
    }


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    source = Path(arguments[0])
    destination = Path(arguments[1]) if len(arguments) > 1 else DESTINATION
    for folder in FOLDERS:
        shutil.rmtree(destination / folder, ignore_errors=True)
        # copyfile: the source may be read-only, the copies must not be.
        for path in sorted((source / folder).rglob("*")):
            if path.is_file():
                copy = destination / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    result = manifest(json.loads((source / "manifest.json").read_text("utf-8")))
    text = json.dumps(result, indent=1, sort_keys=True, ensure_ascii=False)
    if NAMED.search(text):
        print(f"the manifest would name a program: {sorted({m[0] for m in NAMED.finditer(text)})}", file=sys.stderr)
        return 1
    for one in result["cases"]:
        if "sha256" in one and hashlib.sha256((destination / one["file"]).read_bytes()).hexdigest() != one["sha256"]:
            print(f"{one['file']}: not the file the manifest describes", file=sys.stderr)
            return 1
    (destination / "manifest.json").write_text(text + "\n", "utf-8")
    print(f"{len(result['cases'])} cases in {destination}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
