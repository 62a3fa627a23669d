"""What the tests of the command line share: corpus, a way to run it inside the process and outside, fake plugins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import dsig.plugins
from dsig.cli import main

CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True)
class Ran:
    """What one run gave."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def corpus() -> Path:
    return CORPUS


@pytest.fixture(scope="session")
def pki() -> Path:
    return CORPUS / "pki"


@pytest.fixture(scope="session")
def ct() -> Path:
    """An unsigned CT slice."""
    return CORPUS / "base" / "ct.dcm"


@pytest.fixture(scope="session")
def signed_ct() -> Path:
    """The same, signed by OFFIS dcmsign."""
    return CORPUS / "files" / "v-base-ct.dcm"


@pytest.fixture(scope="session")
def tampered(tmp_path_factory: pytest.TempPathFactory, signed_ct: Path) -> Path:
    """The signed one with another patient."""
    data = signed_ct.read_bytes()
    assert data.count(b"CompressedSamples^CT1") == 1
    path = tmp_path_factory.mktemp("tampered") / "tampered.dcm"
    path.write_bytes(data.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    return path


@pytest.fixture(scope="session")
def trust(pki: Path) -> list[str]:
    """Options that make the corpus' signers trusted."""
    return ["--trust-root", str(pki / "root.pem"), "--intermediate", str(pki / "inter.pem")]


@pytest.fixture(scope="session")
def key(pki: Path) -> list[str]:
    """Options that name a key and its certificate."""
    return ["--key", str(pki / "rsa2048.key.pem"), "--cert", str(pki / "rsa2048.pem")]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `dsig` in this process."""

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        status = main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return Ran(int(status), out, err)

    return run


@pytest.fixture(scope="session")
def spawn() -> Callable[..., Ran]:
    """Run `dsig` in a process of its own."""

    def spawn(
        *arguments: object, env: dict[str, str] | None = None, python: tuple[str, ...] = (), **more: object
    ) -> Ran:
        command = [sys.executable, *python, "-m", "dsig.cli", *map(str, arguments)]
        given = {"stdin": subprocess.DEVNULL, "timeout": 600} | more
        done = subprocess.run(
            command, capture_output=True, env=os.environ | (env or {}), text=True, check=False, **given
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return spawn


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install a distribution with one plugin, for this process and (by PYTHONPATH) for others."""
    made: list[str] = []

    def install(distribution: str, plugin: str, source: str) -> Path:
        site = tmp_path / f"site-{distribution}"
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        module = f"plugin_{distribution.replace('-', '_')}"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[dsig]\n{plugin} = {module}\n")
        (site / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv(
            "PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        )
        made.append(module)
        dsig.plugins.default.cache_clear()
        return site

    yield install
    dsig.plugins.default.cache_clear()
    for module in made:
        sys.modules.pop(module, None)
