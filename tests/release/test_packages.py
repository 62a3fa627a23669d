"""The packages users get: the same bytes wherever they are made, all that is needed in them, and nothing else."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EPOCH = 1_790_000_000
"""SOURCE_DATE_EPOCH of these builds: 21 September 2026."""


def tracked() -> list[str]:
    """Every file of the repository that a release could hold."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    return [
        name for name in listed.split("\0") if name and not name.startswith("tests/corpus/") and (ROOT / name).is_file()
    ]


@dataclass
class Built:
    """What one build made."""

    sdist: Path
    wheel: Path


def build(directory: Path, *, umask: int, touched: int, mode: int, environment: dict[str, str]) -> Built:
    """A copy of the checkout in a place of its own, built there: the sdist, and the wheel from the sdist."""
    source = directory / "source"
    for name in tracked():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
        target.chmod(mode)
        os.utime(target, (touched, touched))
    (source / "dsig" / "__pycache__").mkdir()
    (source / "dsig" / "__pycache__" / "left.cpython-311.pyc").write_bytes(b"\0" * 16)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory / "dist"), str(source)]
    done = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)} | environment,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [sdist], [wheel] = (directory / "dist").glob("*.tar.gz"), (directory / "dist").glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Built]:
    """Two builds that differ in all that should make no difference."""
    return (
        build(tmp_path_factory.mktemp("one"), umask=0o022, touched=1_700_000_000, mode=0o644,
              environment={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}),
        build(tmp_path_factory.mktemp("another, with a longer name"), umask=0o077, touched=1_600_000_001, mode=0o600,
              environment={"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "2"}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(builds: tuple[Built, Built]) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(builds[0].wheel) as archive:
        yield archive


def test_packages_are_the_same_whenever_and_wherever_they_are_made(builds: tuple[Built, Built]) -> None:
    one, another = builds
    assert one.wheel.read_bytes() == another.wheel.read_bytes()
    assert one.sdist.read_bytes() == another.sdist.read_bytes()


def test_the_time_in_them_is_the_one_that_was_given(builds: tuple[Built, Built], wheel: zipfile.ZipFile) -> None:
    assert {info.date_time for info in wheel.infolist()} == {(2026, 9, 21, 14, 13, 20)}
    with tarfile.open(builds[0].sdist) as archive:
        assert {member.mtime for member in archive} == {EPOCH}
        assert {(m.uid, m.gid, m.uname, m.gname) for m in archive} == {(0, 0, "", "")}
        assert {stat.S_IMODE(m.mode) for m in archive if m.isfile()} == {0o644}


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: zipfile.ZipFile) -> None:
    names = {info.filename for info in wheel.infolist() if not info.is_dir()}
    about = f"dsig-{PROJECT['project']['version']}.dist-info"
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    wanted = set()
    for package in packages:
        parent = package.rpartition("/")[0]
        wanted |= {n.removeprefix(f"{parent}/") if parent else n for n in tracked() if n.startswith(f"{package}/")}
    wanted |= {f"{about}/{n}" for n in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert names == wanted
    assert "dsig/py.typed" in names
    assert "dsig/schema/report-1.schema.json" in names
    assert {name.split("/")[0] for name in names} == {Path(package).name for package in packages} | {about}


def test_every_plugin_and_command_of_the_wheel_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = {info.filename for info in wheel.infolist()}
    points = PROJECT["project"]["entry-points"] | {"console_scripts": PROJECT["project"]["scripts"]}
    for target in (t for group in points.values() for t in group.values()):
        module = target.partition(":")[0].replace(".", "/")
        assert {f"{module}.py", f"{module}/__init__.py"} & names, target
    folders = {path.name for path in (ROOT / "plugins").glob("dsig_*")}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {Path(package).name for package in packages} == {"dsig", *folders}, "no plugin is left at home"


def test_the_sdist_has_what_the_wheel_is_made_of_and_nothing_private(builds: tuple[Built, Built]) -> None:
    with tarfile.open(builds[0].sdist) as archive:
        names = {m.name.partition("/")[2] for m in archive if m.isfile()}
        assert all(not m.issym() and not m.islnk() for m in archive)
    tops = {name.split("/")[0] for name in names}
    assert tops == {
        "dsig", "plugins", "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore",
    }  # fmt: skip
    assert not [name for name in names if name.endswith((".pyc", ".pem", ".key", ".p12", ".dcm"))]
    assert not [name for name in names if "vendor-example" in name or "tests" in name.split("/")]


def test_the_metadata_say_what_an_installer_and_a_lawyer_ask(wheel: zipfile.ZipFile) -> None:
    about = message_from_string(wheel.read(f"dsig-{PROJECT['project']['version']}.dist-info/METADATA").decode())
    assert about["Requires-Python"] == ">=3.11"
    assert about["License-Expression"] == "MIT"
    assert about.get_all("License-File") == ["LICENSE"]
    needs = about.get_all("Requires-Dist") or []
    assert {n for n in needs if ";" not in n} == {n.replace(" ", "") for n in PROJECT["project"]["dependencies"]}
    assert not [n for n in needs if "@" in n]
