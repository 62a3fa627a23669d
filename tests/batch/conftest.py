"""What the tests of many files share: small files, a key, runs of the command in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from batch_files import SMALL, command


@dataclass(frozen=True)
class Ran:
    """How a run of the command ended."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def verdicts(self) -> dict[str, str]:
        """Path to verdict; every path must occur once."""
        files = self.report["files"]
        found = {file["path"]: file["verdict"] for file in files}
        assert len(found) == len(files)
        return found


@pytest.fixture(scope="session")
def dsig() -> Callable[..., Ran]:
    """Run the command and wait for its end."""

    def dsig(*arguments: object, **options: Any) -> Ran:
        given = {"timeout": 600} | options
        if "input" not in given:
            given.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(command(*arguments), capture_output=True, check=False, **given)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Ran(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))

    return dsig


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    """Make a directory tree of small unsigned files."""

    def study(count: int, folders: int = 3, name: str = "study") -> Path:
        top = tmp_path / name
        for number in range(count):
            path = top / f"series{number % folders}" / f"{number:05}"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SMALL, path)
        return top

    return study
