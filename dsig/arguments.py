"""What callers give, looked at before anything depends on it: another type is a `UsageError` that names it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

from dsig.errors import UsageError

__all__ = ["as_annotated", "expected", "path_of", "paths_of"]

T = TypeVar("T")

HINTS = {
    "TrustMaterial": "write dsig.load_trust(['ca.pem'])",
    "Policy": "write dsig.load_policy('policy.toml')",
    "Dictionary": "write dsig.load_dictionaries(['private.dic'])",
    "Revocation": "write dsig.Revocation.HARD",
    "TsaOptions": "write dsig.TsaOptions(urls=('http://...',))",
    "datetime": "write datetime.now(UTC)",
}
"""How to come by a value, by the name of its type."""
SEQUENCES: dict[str, type[Any]] = {"tuple": tuple, "frozenset": frozenset}


def expected(value: object, kind: type[T], what: str) -> T:
    """The value. Raises `UsageError` if it is of another type."""
    if isinstance(value, kind):
        return value
    raise UsageError(f"{what} takes {kind.__name__}, not {type(value).__name__}")


def path_of(value: object, what: str) -> str:
    """A path as text. Raises `UsageError` for what is none."""
    if isinstance(value, (str, os.PathLike)):
        try:
            return os.fsdecode(value)
        except TypeError:
            pass  # a path-like object that gives no path
    raise UsageError(f"{what} takes a path, not {type(value).__name__}", hint="give a str or a pathlib.Path")


def paths_of(values: object, what: str) -> tuple[str, ...]:
    """Paths from any iterable. Raises `UsageError` for what is none, and for a single path."""
    if isinstance(values, (str, bytes, os.PathLike)) or not isinstance(values, Iterable):
        raise UsageError(f"{what} takes a list of paths, not {type(values).__name__}")
    return tuple(path_of(one, what) for one in values)


def as_annotated(options: Any) -> None:
    """For `__post_init__` of frozen options: fields are what their annotations say, and any iterable becomes the tuple.

    Raises `UsageError`, at the line that makes the options and not in the middle of the work.
    """
    kind: Any = type(options)
    for field in _annotated(kind):
        value = getattr(options, field.name)
        if _is_one(value, field.kinds):
            continue
        several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, Mapping))
        if field.sequence is None or not several:
            raise _wrong(options, field, value)
        items = value if isinstance(value, field.sequence) else field.sequence(value)
        for item in items:
            if not _is_one(item, field.items):
                raise _wrong(options, field, item)
        if items is not value:
            object.__setattr__(options, field.name, items)


@dataclass(frozen=True, slots=True)
class _Annotated:
    """A field of options, and what its annotation says."""

    name: str
    text: str
    kinds: frozenset[str]
    """Names of types, but for that of the sequence."""
    sequence: type[Any] | None = None
    items: frozenset[str] = frozenset()
    """Names of the types of what is in it."""


@cache
def _annotated(kind: Any) -> tuple[_Annotated, ...]:
    """The fields of a dataclass. Its annotations are text: not all that they name is imported when it is used."""
    found = []
    for field in fields(kind):
        text = str(field.type)
        kinds, sequence, items = set[str](), None, frozenset[str]()
        for part in _parts(text):
            name, _, inner = part.partition("[")
            name = name.rpartition(".")[2]
            if name in SEQUENCES:
                sequence, items = SEQUENCES[name], frozenset(_parts(inner.removesuffix("]").removesuffix(", ...")))
            else:
                kinds.add("NoneType" if name == "None" else name)
        found.append(_Annotated(field.name, text, frozenset(kinds), sequence, items))
    return tuple(found)


def _parts(text: str) -> list[str]:
    """The members of a union; those in brackets stay together."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and not depth:
            parts.append("")
        elif letter != " " or depth:
            parts[-1] += letter
    return parts


def _is_one(value: object, kinds: frozenset[str]) -> bool:
    kind = type(value)
    if kind.__name__ in kinds:
        return True
    if kind is bool:
        return False  # which is an int to Python, and hardly to whoever wrote True
    if "float" in kinds and kind is int:
        return True
    return any(base.__name__ in kinds for base in kind.__mro__) or (
        "PathLike" in kinds and hasattr(value, "__fspath__")
    )


def _wrong(options: object, field: _Annotated, value: object) -> UsageError:
    hint = next((HINTS[name] for name in sorted(field.kinds) if name in HINTS), None)
    message = f"{type(options).__name__}.{field.name} takes {field.text}, not {type(value).__name__}"
    return UsageError(message, hint=hint)
