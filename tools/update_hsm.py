"""Run the commands of docs/hsm.md and put what they print today beneath them; a test keeps the two in step.

Needs softhsm2, opensc and openssl. The commands run in one shell, in a directory of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "hsm.md"
BLOCK = re.compile(r"(<!-- run -->\n```console\n)(.*?)(```)", re.DOTALL)
MARK = "=== next command ==="


def commands(page: str) -> list[list[str]]:
    """The command lines of each block that is run."""
    return [re.findall(r"^\$ (.*)$", block, re.MULTILINE) for _, block, _ in BLOCK.findall(page)]


def transcripts(page: str) -> Iterator[str]:
    """Each block with what its commands print."""
    blocks = commands(page)
    lines = [line for block in blocks for line in block]
    script = "\n".join(f"{line}\nprintf '%s\\n' '{MARK}'" for line in lines)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        shutil.copy(ROOT / "tests" / "corpus" / "base" / "ct.dcm", directory)
        (directory / "softhsm").symlink_to(ROOT / "softhsm")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SOFTHSM2_", "DSIG_"))}
        environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": name, "TZ": "UTC"}
        environment |= {"XDG_CONFIG_HOME": name, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = done.stdout.replace(f"{directory}/", "").split(f"{MARK}\n")
    if done.returncode:
        raise SystemExit(f"{lines[len(said) - 1]} ended with {done.returncode}: {said[-1]}")
    answers = iter(said)
    for block in blocks:
        yield "".join(f"$ {line}\n{next(answers)}" for line in block)


def updated(page: str) -> str:
    """The page with all blocks run anew."""
    answers = transcripts(page)
    return BLOCK.sub(lambda m: f"{m[1]}{next(answers)}{m[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
