"""Put the figures of docs/comparison.md, from the tests and pages that hold them. With --check: fail if not current."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "interop"), str(ROOT / "tests")]
from interop_peers import KEYS, MACS, READABLE  # noqa: E402, found only now

PAGE = ROOT / "docs" / "comparison.md"
BLOCK = re.compile(r"(<!-- (\w+): made by tools/update_comparison.py -->\n\n).*?(\n<!-- end -->)", re.DOTALL)


def interoperability() -> str:
    """What the two tests of all pairs prove: tests/interop/test_dsig_signs_peer_verifies.py and its reverse."""
    keys = ", ".join(KEYS)
    count = f"{len(READABLE)} | {len(KEYS)} ({keys}) | {len(MACS)} ({', '.join(MACS)}) | "
    count += f"{len(READABLE) * len(KEYS) * len(MACS):,} | all |\n"
    head = "| signed by | verified by | objects | keys | MACs | signatures | accepted |\n" + "| --- " * 7 + "|\n"
    return head + f"| dsig | dcmsign, dsig | {count}| dcmsign | dsig | {count}"


def speed() -> str:
    """The table of docs/benchmarks.md without its targets."""
    rows = re.findall(
        r"^\| ([^|]*dcmsign[^|]*|[^|]*peak[^|]*|[^|]*openssl[^|]*) \| [^|]* \| ([^|]+) \|",
        (ROOT / "docs" / "benchmarks.md").read_text(),
        re.MULTILINE,
    )
    return "| what | measured |\n| --- | --- |\n" + "".join(f"| {what} | {measured} |\n" for what, measured in rows)


def paths() -> str:
    """The last row of docs/pkits.md."""
    text = (ROOT / "docs" / "pkits.md").read_text()
    head = re.search(r"^\| section .*$", text, re.MULTILINE)
    row = re.search(r"^\| all .*$", text, re.MULTILINE)
    assert head
    assert row
    return f"{head[0].replace('section', 'trust backend')}\n{'| --- ' * (head[0].count('|') - 1)}|\n{row[0]}\n"


MAKERS = {"interoperability": interoperability, "speed": speed, "paths": paths}


def updated(page: str) -> str:
    """The page with its tables made anew."""
    return BLOCK.sub(lambda m: m[1] + MAKERS[m[2]]() + m[3], page)


if __name__ == "__main__":
    now = PAGE.read_text()
    if "--check" in sys.argv[1:]:
        sys.exit(updated(now) != now)
    PAGE.write_text(updated(now))
