"""Put what `dsig demo` prints today into README.md; a test keeps the two in step."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- demo: .*? -->\n).*?(<!-- /demo -->)", re.DOTALL)


def transcript() -> str:
    """The demo, with its temporary directory called `demo`."""
    with tempfile.TemporaryDirectory() as parent:
        directory = Path(parent) / "demo"
        command = [str(Path(sys.executable).parent / "dsig"), "demo", "--directory", str(directory)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return shown.replace(f"{directory}", "demo").strip()


def updated(readme: str, shown: str) -> str:
    """The README with the block replaced."""
    return BLOCK.sub(lambda m: f"{m[1]}\n```console\n{shown}\n```\n\n{m[2]}", readme)


if __name__ == "__main__":
    README.write_text(updated(README.read_text(), transcript()))
