"""The template, rendered as an author would: each kind is built, installed from its wheel, type-checked and tested."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from third_party.packages import install

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "plugins" / "template"
KINDS = ("key source", "MAC algorithm", "profile")


def ran(*command: object, **more: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, check=False, timeout=600, **more
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def rendered(kind: str, target: Path) -> Path:
    name = f"acme-{kind.split()[0].lower()}"
    said = ["--defaults", "--quiet", "--data", f"kind={kind}", "--data", f"distribution={name}"]
    ran("copier", "copy", *said, TEMPLATE, target / name)
    return target / name


@pytest.mark.slow
def test_each_kind_is_built_and_tested(tmp_path):
    packages = [rendered(kind, tmp_path) for kind in KINDS]
    wheels = tmp_path / "wheels"
    building = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", wheels)
    ran("pip", "wheel", "-q", *building, *packages)
    for package in packages:
        module = package.name.replace("-", "_")
        assert sorted(p.name for p in (package / "src" / module).iterdir())[:1] == ["__init__.py"]
        assert not list(package.rglob("__pycache__")), "nothing of ours but the text"
        assert "{" not in "".join(p.name for p in package.rglob("*")), "nothing is left of the template"
        [wheel] = wheels.glob(f"{module}-*.whl")
        site = tmp_path / f"site-{module}"
        install(wheel, site)
        environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        said = ran("pytest", "-q", cwd=package, env=environment)
        assert " passed" in said
        assert "skipped" not in said
        assert "good" in ran("dsig.cli", "plugins", "doctor", package.name, env=environment)


@pytest.mark.slow
def test_types_are_right_with_nothing_but_the_public_ones(tmp_path):
    """mypy --strict, on the vendor's package and on each kind of the template."""
    sources = [rendered(kind, tmp_path) / "src" for kind in KINDS]
    example = ROOT / "plugins" / "vendor-example"
    checked = [path for source in (*sources, example / "src", example / "service") for path in source.rglob("*.py")]
    assert len(checked) > 8
    assert "no issues" in ran("mypy", "--config-file", ROOT / "pyproject.toml", "--strict", *checked, cwd=ROOT)


def test_a_name_that_is_none_is_refused(tmp_path):
    command = ["copier", "copy", "--defaults", "--quiet", "--data", "distribution=Not A Name", TEMPLATE, tmp_path / "x"]
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode != 0
    assert not (tmp_path / "x" / "pyproject.toml").exists()
