"""What callers give, looked at before anything depends on it: another type is a `UsageError` that names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache, wraps
from itertools import zip_longest
from typing import Any, ParamSpec, TypeVar

from dsig.errors import UsageError

__all__ = ["as_annotated", "checked", "path_of", "paths_of"]

P = ParamSpec("P")
T = TypeVar("T")

ELSEWHERE = frozenset(("Given", "OpenKey", "object"))
"""Annotations of what is not told by the name of its type."""

HINTS = {
    "TrustMaterial": "write dsig.load_trust(['ca.pem'])",
    "Policy": "write dsig.load_policy('policy.toml')",
    "Dictionary": "write dsig.load_dictionaries(['private.dic'])",
    "Revocation": "write dsig.Revocation.HARD",
    "TsaOptions": "write dsig.TsaOptions(urls=('http://...',))",
    "datetime": "write datetime.now(UTC)",
}
"""How to come by a value, by the name of its type."""
NOT_SEVERAL = (str, bytes, bytearray, Mapping)
"""Iterables whose letters or keys nobody means."""
SEQUENCES: dict[str, type[Any]] = {"tuple": tuple, "frozenset": frozenset}


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
    for name, kinds, annotated in _fields(kind):
        value = getattr(options, name)
        if type(value).__name__ in kinds:  # nearly all; options are made anew for each file
            continue
        taken = annotated.taken(value, f"{kind.__name__}.{name}")
        if taken is not value:
            object.__setattr__(options, name, taken)


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """A public function that looks at its arguments in the same way, but for those that are looked at elsewhere."""
    positional = function.__code__.co_varnames[: function.__code__.co_argcount]

    @wraps(function)
    def looking(*arguments: P.args, **named: P.kwargs) -> T:
        known = _parameters(function)
        looked = [
            known[name].taken(value, f"{function.__name__}, {name}") if name in known else value
            for name, value in zip_longest(positional[: len(arguments)], arguments)
        ]
        given = {
            name: known[name].taken(value, f"{function.__name__}, {name}") if name in known else value
            for name, value in named.items()
        }
        return function(*looked, **given)  # type: ignore[arg-type]

    return looking


@dataclass(frozen=True, slots=True)
class _Annotated:
    """A field or parameter, and what its annotation says."""

    name: str
    text: str
    kinds: frozenset[str]
    """Names of types, but for that of the sequence."""
    sequence: type[Any] | None = None
    items: frozenset[str] = frozenset()
    """Names of the types of what is in it."""

    def taken(self, value: object, called: str) -> object:
        """The value, as a tuple if it is another iterable. Raises `UsageError` if it is of another type."""
        if self.sequence is not None and isinstance(value, self.sequence):
            items: Any = value
        elif _is_one(value, self.kinds):
            return value
        elif self.sequence is None or isinstance(value, NOT_SEVERAL) or not isinstance(value, Iterable):
            raise self._wrong(value, called)
        else:
            items = self.sequence(value)
        for item in items:
            if not _is_one(item, self.items):
                raise self._wrong(item, called)
        return items

    def _wrong(self, value: object, called: str) -> UsageError:
        hint = next((HINTS[name] for name in sorted(self.kinds) if name in HINTS), None)
        return UsageError(f"{called} takes {self.text}, not {type(value).__name__}", hint=hint)


@cache
def _fields(kind: Any) -> tuple[tuple[str, frozenset[str], _Annotated], ...]:
    """The fields of a dataclass. Its annotations are text: not all that they name is imported when it is used."""
    found = (_annotated(field.name, str(field.type)) for field in fields(kind))
    return tuple((one.name, one.kinds, one) for one in found)


@cache
def _parameters(function: Any) -> dict[str, _Annotated]:
    """The parameters of a function by name, but for what is looked at elsewhere."""
    texts: dict[str, str] = function.__annotations__
    return {name: _annotated(name, text) for name, text in texts.items() if text not in ELSEWHERE and name != "return"}


def _annotated(name: str, text: str) -> _Annotated:
    kinds, sequence, items = set[str](), None, frozenset[str]()
    for part in _parts(text):
        outer, _, inner = part.partition("[")
        outer = outer.rpartition(".")[2]
        if outer in SEQUENCES:
            sequence, items = SEQUENCES[outer], frozenset(_parts(inner.removesuffix("]").removesuffix(", ...")))
        else:
            kinds |= {"None": {"NoneType"}, "float": {"float", "int"}}.get(outer, {outer})
    return _Annotated(name, text, frozenset(kinds), sequence, items)


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
    return any(base.__name__ in kinds for base in kind.__mro__) or (
        "PathLike" in kinds and hasattr(value, "__fspath__")
    )
