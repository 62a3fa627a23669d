"""What a ledger is for: everything that decides results, so that no other command goes on with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

__all__ = ["Purpose", "settings"]

SHOWN = 80
"""Characters of a setting that are kept as they are; of longer ones a digest is kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Purpose:
    """A verb with its settings."""

    verb: str
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """By the name users know them by, in types JSON has."""
    in_place: bool = False


def settings(options: Any, *without: str, **more: object) -> dict[str, object]:
    """The fields of an options dataclass but those that decide nothing, and `more`; large ones as SHA-256."""
    names = [f.name for f in dataclasses.fields(options) if f.name not in without]
    found = {name: getattr(options, name) for name in names} | more
    return {name.replace("_", "-"): _short(_plain(value)) for name, value in found.items()}


def _short(value: object) -> object:
    text = json.dumps(value, sort_keys=True)
    return value if len(text) <= SHOWN else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _plain(value: Any) -> Any:
    """A value in types JSON has, the same in every process."""
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return [_plain(getattr(value, f.name)) for f in dataclasses.fields(value)]
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(v) for v in value), key=json.dumps)
    if isinstance(value, Mapping):
        return sorted([_plain(k), _plain(v)] for k, v in value.items())
    return [type(value).__name__, _plain(vars(value))]
