"""Installed distributions and their entry points as `importlib.metadata` finds them, in a fiftieth of the time.

The start of every command would wait for it.

Only directories of distributions (`*.dist-info`, `*.egg-info`) on `sys.path` are read here. Where anything else could
hold distributions, archives or finders of other libraries, `importlib.metadata` itself is asked.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Any

__all__ = ["Distribution", "EntryPoint", "entry_points", "metadata_file", "version_of"]

_FOLDERS = (".dist-info", ".egg-info")


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is installed together."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One line of a distribution's `entry_points.txt`; as much of `importlib.metadata.EntryPoint` as is needed."""

    name: str
    value: str
    """`module`, or `module:attribute.attribute`."""
    dist: Distribution

    def load(self) -> Any:
        """Import what it names. Raises whatever comes of that."""
        module, _, attributes = self.value.partition("[")[0].strip().partition(":")
        loaded = importlib.import_module(module.strip())
        return functools.reduce(getattr, filter(None, attributes.strip().split(".")), loaded)


def entry_points(group: str) -> list[Any]:
    """All entry points of a group: objects with `name`, `value`, `dist` and `load`."""
    if not _plain():
        from importlib import metadata

        return list(metadata.entry_points(group=group))
    return [entry for folder in _folders() for entry in _of(folder, group)]


def metadata_file(distribution: str, name: str) -> bytes:
    """A file beside the entry points of a distribution; empty if there is none."""
    if not _plain():
        from importlib import metadata

        try:
            found = metadata.distribution(distribution)
            beside = (f for f in found.files or () if f.name == name and f.parent.name.endswith(_FOLDERS))
            read = (_read(*os.path.split(str(f.locate()))) for f in beside)  # as text its line ends would be others
            return next(read, b"") or (found.read_text(name) or "").encode()
        except metadata.PackageNotFoundError:
            return b""
    wanted = _normalized(distribution)
    return next((_read(folder, name) for folder in _folders() if _normalized(_stem(folder)) == wanted), b"")


def version_of(distribution: str) -> str:
    """The version of a distribution; empty if it is not there."""
    return _distribution(metadata_file(distribution, "METADATA").decode(errors="replace")).version


def _plain() -> bool:
    """Whether directories are all that can hold distributions."""
    finders = (finder for finder in sys.meta_path if finder is not PathFinder)
    return not any(hasattr(finder, "find_distributions") for finder in finders) and not any(
        os.path.isfile(path) or path.endswith(".egg") for path in sys.path
    )


def _folders() -> Iterator[str]:
    """The metadata directory of each distribution; of those with one name the first, which shadows the others."""
    seen: set[str] = set()
    for path in sys.path:
        try:
            names = os.listdir(path or ".")
        except OSError:
            continue
        for name in names:
            if not name.endswith(_FOLDERS):
                continue
            normalized = _normalized(_stem(name))
            if normalized not in seen:
                seen.add(normalized)
                yield os.path.join(path, name)


def _stem(folder: str) -> str:
    """The name in `name-version.dist-info`."""
    return os.path.basename(folder).rpartition(".")[0].partition("-")[0]


def _normalized(name: str) -> str:
    """By which distributions are one (PEP 503)."""
    return name.lower().replace("-", "_").replace(".", "_")


def _of(folder: str, group: str) -> Iterator[EntryPoint]:
    """The entry points of one distribution (Entry points specification of the PyPA)."""
    text = _text(folder, "entry_points.txt")
    if group not in text:
        return
    distribution: Distribution | None = None
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == group and line and not line.startswith("#"):
            name, _, value = (part.strip() for part in line.partition("="))
            distribution = distribution or _distribution(_text(folder, "METADATA") or _text(folder, "PKG-INFO"))
            yield EntryPoint(name, value, distribution)


def _distribution(text: str) -> Distribution:
    """Name and version from the headers of METADATA; a distribution that is half uninstalled may have none."""
    headers: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            break  # the description begins
        headers.setdefault(name.lower(), value.strip())
    return Distribution(headers.get("name", ""), headers.get("version", ""))


def _text(folder: str, name: str) -> str:
    return _read(folder, name).decode(errors="replace")


def _read(folder: str, name: str) -> bytes:
    try:
        with open(os.path.join(folder, name), "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""
