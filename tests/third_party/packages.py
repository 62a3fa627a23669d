"""Distributions made by the tests: wheels of complete packages, and tiny ones that consist of a single module.

Building needs no build backend and no network: a wheel is a zip of modules and three text files (PEP 427), and what
they say comes from the package's own pyproject.toml.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dsig.plugins

__all__ = ["ACME", "discovered", "install", "make_wheel", "tiny"]

ACME = Path(__file__).parent / "dsig_acme"


def metadata(name: str, version: str, requires: tuple[str, ...] = ()) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {r}" for r in requires), ""])


def entry_points(groups: Mapping[str, Mapping[str, str]]) -> str:
    return "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in groups.items()
    )


def make_wheel(package: Path, directory: Path) -> Path:
    """Build a pure wheel from a package's pyproject.toml."""
    with (package / "pyproject.toml").open("rb") as file:
        pyproject = tomllib.load(file)
    project = pyproject["project"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    content = {
        f"{stem}.dist-info/METADATA": metadata(
            project["name"], project["version"], tuple(project["dependencies"])
        ).encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": entry_points(project["entry-points"]).encode(),
    }
    for source in pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        root = package / source
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content[str(path.relative_to(root.parent))] = path.read_bytes()
    record = f"{stem}.dist-info/RECORD"
    lines = []
    for name, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    content[record] = "".join([*lines, f"{record},,\n"]).encode()
    wheel = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return wheel


def install(wheel: Path, target: Path) -> None:
    """Install a wheel into a directory of its own, by pip and without network."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps"]
    done = subprocess.run(
        [*command, "--target", target, wheel], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr


def tiny(directory: Path, name: str, source: str, *, entry: str | None = None, version: str = "1.2") -> None:
    """Put a distribution of one module into a directory, as an installer would; its plugin is called like it."""
    module = name.replace("-", "_")
    (directory / f"{module}.py").write_text(source)
    info = directory / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(metadata(name, version))
    (info / "entry_points.txt").write_text(entry_points({"dsig": {name: entry or module}}))


@contextmanager
def discovered(directory: Path) -> Iterator[dsig.plugins.Plugins]:
    """All plugins, those of the distributions in `directory` included; afterwards as if they had never been."""
    before = set(sys.modules)
    sys.path.insert(0, str(directory))
    try:
        yield dsig.plugins.load()
    finally:
        sys.path.remove(str(directory))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(directory)):
                del sys.modules[name]
