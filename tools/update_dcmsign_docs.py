"""Fill the generated parts of docs/dcmsign-migration.md and docs/dcmsign-differences.md from the tables in use."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.dcmsign_differences import DIFFERENCES, REFUSED  # noqa: E402
from support.dcmsign_twins import TWINS  # noqa: E402

from dsig.cli.dcmsign.options import SECTIONS  # noqa: E402

PAGES = [ROOT / "docs" / name for name in ("dcmsign-migration.md", "dcmsign-differences.md")]


def options() -> Iterator[str]:
    """Each option and its twin, a table for each section of the help text."""
    for section in SECTIONS:
        if section.level == 0 and not section.options:
            continue
        title = section.title.partition(" (only")[0]
        yield from (f"### {title[0].upper()}{title[1:]}", "", "| dcmsign | values | dsig |", "| --- | --- | --- |")
        for o in section.options:
            names = ", ".join(f"`{name}`" for name in (o.short, o.long) if name)
            yield f"| {names} | {' '.join(o.values)} | {TWINS[o.long]} |"
        yield ""


def differences() -> Iterator[str]:
    """The table of functional differences."""
    yield from ("| about | dcmsign | dsig-dcmsign |", "| --- | --- | --- |")
    for row in DIFFERENCES:
        yield f"| {row.about} | {row.peer} | {row.ours} |"
    yield ""


def refused() -> Iterator[str]:
    """What we refuse."""
    for text in REFUSED:
        yield f"- {text}{'.' if text is REFUSED[-1] else ';'}"
    yield ""


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "options": options,
    "differences": differences,
    "refused": refused,
}


def filled(page: str) -> str:
    """A page with its generated parts made again."""

    def part(found: re.Match[str]) -> str:
        lines = "\n".join(PARTS[found[1]]())
        return f"<!-- {found[1]}: made by tools/update_dcmsign_docs.py -->\n\n{lines}\n<!-- end -->"

    return re.sub(r"<!-- (\w+): made by tools/update_dcmsign_docs.py -->.*?<!-- end -->", part, page, flags=re.DOTALL)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(filled(path.read_text()))
