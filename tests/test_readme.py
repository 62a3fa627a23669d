"""What the README shows is what happens: the transcript, the Python example and the plugin are run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support import tools
from support.transcripts import constant

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def _constant(text: str) -> str:
    """Wherever lines end: that depends on how long the name of the directory was."""
    return re.sub(r"\s+", " ", constant(text)).strip()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what `dsig demo` leaves behind."""
    directory = tmp_path_factory.mktemp("demo") / "demo"
    command = [Path(sys.executable).parent / "dsig", "demo", "--directory", directory]
    subprocess.run(command, check=True, capture_output=True)
    return directory


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/update_readme.py."""
    return tools.tool("update_readme")


def test_the_transcript_is_what_the_demo_prints_today(tool: ModuleType) -> None:
    shown = next(block for block in _blocks("console") if "dsig sign demo/ct.dcm" in block)
    assert _constant(shown) == _constant(tool.transcript())


def test_the_python_example_runs(demo: Path) -> None:
    example = next(block for block in _blocks("python") if "dsig.open_key" in block)
    finished = subprocess.run([sys.executable, "-c", example], cwd=demo, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("CN=dsig demo signer 257 ()")


def test_the_plugin_example_registers_a_mac_that_signs_and_verifies(demo: Path, tmp_path: Path) -> None:
    example = next(block for block in _blocks("python") if "dsig_mac_algorithms" in block)
    (tmp_path / "acme_macs.py").write_text(example)
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dsig]\nacme = acme_macs\n")

    def dsig(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "dsig"), *arguments]
        return subprocess.run(command, cwd=demo, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)

    signing = dsig(
        "sign",
        "ct.dcm",
        "-o",
        str(tmp_path / "out.dcm"),
        "--mac",
        "ACME_BLAKE2S",
        "--key",
        "key.pem",
        "--cert",
        "signer.pem",
    )
    assert signing.returncode == 0, signing.stderr
    verifying = dsig("verify", str(tmp_path / "out.dcm"), "--trust-root", "ca.pem")
    assert verifying.returncode == 0, verifying.stdout
    assert "ACME_BLAKE2S" in verifying.stdout
