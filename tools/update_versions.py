"""Measure which versions dsig runs with, and put the tables into docs/supported-versions.md.

update_versions.py wheels            for which Pythons and systems every dependency has a wheel; asks the package index
update_versions.py pythons [3.14 …]  the tests on the Pythons of Debian unstable; needs root and debootstrap
update_versions.py dependencies      lowest and newest versions; newest as `wheels` finds them
update_versions.py --check           fail if the lowest versions on the page are not those of pyproject.toml
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "supported-versions.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEEDS: list[str] = PROJECT["project"]["dependencies"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
GLIBC = [f"manylinux_2_{n}" for n in (34, 28, 17, 5)] + ["manylinux2014", "manylinux1"]
PLATFORMS = {
    "Linux x86-64": [f"{tag}_x86_64" for tag in GLIBC],
    "Linux arm64": [f"{tag}_aarch64" for tag in GLIBC],
    "Alpine x86-64": ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64"],
    "macOS arm64": [f"macosx_{n}_0_{machine}" for n in (14, 13, 12, 11) for machine in ("arm64", "universal2")],
    "Windows x86-64": ["win_amd64"],
}
NO_PEERS = "not interop and not browser and not slow and not pkcs11"
TESTS = [f"tests/{name}" for name in ("api", "dicom", "plugins", "signature", "testing")]
TEST_PROGRAMS = ("dcmtk", "openssl", "libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "ca-certificates")


def resolved(python: str, platform: str) -> dict[str, str] | None:
    """What pip would install there from wheels alone, name to version; None if something has no wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--dry-run"]
        command += ["--ignore-installed", "--only-binary", ":all:", "--target", scratch, "--report", str(report)]
        command += ["--python-version", python, *(word for tag in PLATFORMS[platform] for word in ("--platform", tag))]
        done = subprocess.run([*command, *NEEDS], capture_output=True, text=True, check=False)
        if done.returncode:
            missing = re.findall(r"No matching distribution found for (\S+)", done.stderr)
            print(f"Python {python}, {platform}: no wheel of {', '.join(missing)}", file=sys.stderr)
            return None
        installed = json.loads(report.read_text())["install"]
    return {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in installed}


def wheels() -> str:
    """Pythons by platforms."""
    rows = [
        f"| {python} | " + " | ".join("yes" if resolved(python, p) else "no" for p in PLATFORMS) + " |"
        for python in PYTHONS
    ]
    return table(["Python", *PLATFORMS], rows) + f"\nAsked on {today()}.\n"


def dependencies() -> str:
    """The bounds and what they allow today."""
    newest = resolved("3.11", "Linux x86-64") or {}
    rows = []
    for requirement in NEEDS:
        name, _, lowest = requirement.partition(">=")
        rows.append(f"| {name} | {lowest} | {newest.get(name.lower(), '')} |")
    return table(["dependency", "lowest", f"newest on {today()}"], rows)


def pythons(versions: Sequence[str]) -> str:
    """The tests that need no peers, on each Python, in a root of its own that has no compiler."""
    root = Path(tempfile.mkdtemp(prefix="dsig-pythons-"))
    try:
        include = ",".join([*(f"python{v}-venv" for v in versions), *TEST_PROGRAMS])
        run("debootstrap", "--variant=minbase", f"--include={include}", "sid", root)
        for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
            shutil.copy(Path("/") / name, root / name)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        (root / "src").mkdir()
        subprocess.run(["tar", "-x", "-C", root / "src"], input=archive, check=True)
        (root / "dev" / "fd").exists() or (root / "dev" / "fd").symlink_to("/proc/self/fd")
        run("mount", "-t", "proc", "proc", root / "proc")
        try:
            rows = [tested(root, version) for version in versions]
        finally:
            run("umount", root / "proc")
    finally:
        shutil.rmtree(root)
    return table(["Python", "installed without compiler", "`dsig demo`", "tests"], rows) + f"\nRun on {today()}.\n"


def tested(root: Path, version: str) -> str:
    """A row: what came of one Python."""
    python = f"/venv{version}/bin/python"
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    environment |= {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "https_proxy", "no_proxy"))}

    def inside(*command: object) -> subprocess.CompletedProcess[str]:
        words = ["chroot", root, "sh", "-c", 'cd /src && exec "$@"', "sh", *map(str, command)]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    inside(f"python{version}", "-m", "venv", f"/venv{version}")
    inside(*pip, "pip>=25.1")
    installed = inside(*pip, "--only-binary", ":all:", "--no-binary", "dsig", "-e", ".")
    if installed.returncode:
        print(installed.stderr, file=sys.stderr)
        return f"| {version} | no | | |"
    demo = inside(f"/venv{version}/bin/dsig", "demo", "--directory", f"/demo{version}")
    for requirement in PROJECT["dependency-groups"]["test"]:  # what has no wheel for this Python is left out
        inside(*pip, "--only-binary", ":all:", requirement)
    ran = inside(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", NO_PEERS, *TESTS)
    print(ran.stdout[-20_000:], file=sys.stderr)
    told = re.sub(r", [0-9]+ deselected| in .*", "", ran.stdout.strip().splitlines()[-1].strip("= "))
    return f"| {version} | yes | {'no' if demo.returncode else 'yes'} | {told} |"


def run(*command: object) -> None:
    """Run a program that must not fail."""
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """A table in Markdown."""
    return "\n".join([f"| {' | '.join(head)} |", "| --- " * len(head) + "|", *rows, ""])


def today() -> str:
    """The date."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def put(name: str, made: str) -> None:
    """Replace a block of the page."""
    block = re.compile(rf"(<!-- {name}: made by tools/update_versions.py -->\n).*?(<!-- end -->)", re.DOTALL)
    PAGE.write_text(block.sub(lambda m: f"{m[1]}\n{made}\n{m[2]}", PAGE.read_text()))


def current() -> bool:
    """Whether the page has the lowest versions of pyproject.toml."""
    told = re.findall(r"^\| ([\w.-]+) \| (\d[\w.]*) \|", PAGE.read_text(), re.MULTILINE)
    return [f"{name}>={lowest}" for name, lowest in told] == NEEDS


if __name__ == "__main__":
    what, *versions = sys.argv[1:]
    if what == "--check":
        sys.exit(not current())
    makers: dict[str, Callable[[], str]] = {
        "wheels": wheels,
        "dependencies": dependencies,
        "pythons": lambda: pythons(versions or PYTHONS[2:]),
    }
    put(what, makers[what]())
