"""Write docs/plugin-contract.md from the source of `dsig.hookspecs`. With --check: fail if it is not current."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "dsig" / "hookspecs.py"
TARGET = ROOT / "docs" / "plugin-contract.md"

HEAD = """# The plugin contract

Made by `tools/make_contract.py` from `dsig/hookspecs.py`, version {api}. [plugins.md](plugins.md) shows how to use it.
"""


def main() -> int:
    text = document(SOURCE.read_text("utf-8"))
    if "--check" in sys.argv[1:]:
        return int(not TARGET.exists() or TARGET.read_text("utf-8") != text)
    TARGET.write_text(text, "utf-8")
    return 0


def document(source: str) -> str:
    """The page. Raises `ValueError` naming what has no docstring."""
    module = ast.parse(source)
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    hooks = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith("dsig_")]
    api = next(ast.literal_eval(n.value) for n in module.body if isinstance(n, ast.Assign) and named(n) == "API")
    lines = [HEAD.format(api=api), "## Hooks", ""]
    for hook in hooks:
        lines += [f"### `{hook.name}() -> {ast.unparse(hook.returns)}`", "", docstring(hook), ""]
    for title, wanted in (("Facts", False), ("Roles", True)):
        lines += [f"## {title}", ""]
        for node in classes:
            if (bases(node)[:1] == ["Protocol"]) == wanted:
                lines += described(node)
    return "\n".join(lines).rstrip() + "\n"


def described(node: ast.ClassDef) -> Iterator[str]:
    above = [base for base in bases(node) if base != "Protocol"]
    yield f"### `{node.name}`" + (f", a `{above[0]}`" if above else "")
    yield ""
    yield docstring(node)
    yield ""
    members = list(node.body)
    for number, member in enumerate(members):
        if isinstance(member, ast.AnnAssign):
            default = f" = {ast.unparse(member.value)}" if member.value is not None else ""
            behind = members[number + 1] if number + 1 < len(members) else None
            said = string(behind)
            name = ast.unparse(member.target)
            if said is None:
                raise ValueError(f"{node.name}.{name} has no docstring")
            yield from entry(f"{name}: {ast.unparse(member.annotation)}{default}", said or "")
        elif isinstance(member, ast.FunctionDef):
            attribute = any(ast.unparse(d) == "property" for d in member.decorator_list)
            arguments = ast.unparse(member.args).removeprefix("self, ").removeprefix("self")
            said = ast.get_docstring(member) or ""
            if not said and not member.name.startswith("__"):
                raise ValueError(f"{node.name}.{member.name} has no docstring")
            call = "" if attribute else f"({arguments})"
            yield from entry(f"{member.name}{call}: {ast.unparse(member.returns)}", said)
    yield ""


def entry(signature: str, said: str) -> Iterator[str]:
    text = " ".join(said.split())
    yield f"- `{signature}`" + (f"<br>{text}" if text else "")


def docstring(node: ast.ClassDef | ast.FunctionDef) -> str:
    said = ast.get_docstring(node)
    if not said:
        raise ValueError(f"{node.name} has no docstring")
    return said


def string(node: ast.stmt | None) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base) for base in node.bases]


def named(node: ast.Assign) -> str:
    return ast.unparse(node.targets[0])


if __name__ == "__main__":
    sys.exit(main())
