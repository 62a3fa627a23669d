"""docs/time.md and docs/evidence.md: their commands work, with a TSA on this machine in place of theirs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import tsa
from support.pki import BASE, PKI

pytestmark = pytest.mark.interop

DOCS = Path(__file__).parents[2] / "docs"


def test_the_commands_of_the_pages_work(stamps: tsa.Authority, tmp_path: Path):
    """Those of the second go on from where the first ends."""
    texts = [(DOCS / f"{page}.md").read_text() for page in ("time", "evidence")]
    commands = [line[4:] for text in texts for line in text.splitlines() if line.startswith("    ")]
    shutil.copy(BASE / "ct.dcm", tmp_path / "ct.dcm")
    shutil.copy(PKI / "p256.key.pem", tmp_path / "key.pem")
    shutil.copy(PKI / "p256.pem", tmp_path / "signer.pem")
    shutil.copy(PKI / "root.pem", tmp_path / "ca.pem")
    shutil.copy(PKI / "inter.pem", tmp_path / "inter.pem")
    shutil.copy(stamps.directory / "root.pem", tmp_path / "tsa-ca.pem")
    shutil.copy(stamps.directory / "tsa.pem", tmp_path / "tsa.pem")
    shutil.copy(stamps.key("tsa"), tmp_path / "tsa.key.pem")
    configuration = tsa.TS_CONFIG.format(serial=tmp_path / "serial", digest="sha256", ess="sha256", name="yes")
    (tmp_path / "serial").write_text("0100\n")
    (tmp_path / "tsa.cnf").write_text(configuration)
    said = []
    with tsa.serving(stamps) as server:
        for line in commands:
            program, *arguments = shlex.split(line.replace("https://tsa.example/", server.url))
            command = [sys.executable, "-m", "dsig.cli", *arguments] if program == "dsig" else [program, *arguments]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}: {done.stderr}"
            said.append(done.stdout)
        assert len(server.asked) == 4
    assert len(commands) == 10
    assert "proven" in said[-1]
    assert said[-1].startswith("passed")
