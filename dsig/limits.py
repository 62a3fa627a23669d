"""Bounds on what one input may cost. Beyond a limit the input is refused with the limit's name.

Every limit is a plain number in `Limits`; pass a changed copy (`dataclasses.replace(DEFAULT, depth=20)`) to any verb,
or give `--limit depth=20`. docs/limits.md explains each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from math import inf, isfinite
from time import monotonic

from dsig.arguments import as_annotated
from dsig.errors import LimitError, UsageError, Where

__all__ = ["DEFAULT", "NAMES", "Limits", "beyond", "parse_limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Named bounds; all sizes in bytes, times in seconds."""

    depth: int = 64
    """Nested sequences below the data set. Real objects rarely pass 10; other readers stop here too."""
    top_level_elements: int = 65_536
    """Elements held for one data set or signed item; nested elements are streamed."""
    elements: int = 1 << 24
    """Elements of one data set, nested ones included."""
    signatures: int = 1_024
    """Digital Signatures items in one file, at all levels."""
    signature_work: int = 1 << 19
    """Elements of the levels that signatures sign and of the lists that name them, counted for each signature."""
    mac_parameters: int = 1_024
    """MAC Parameters items at one level."""
    signature_item: int = 1 << 20
    """Size of one Digital Signatures or MAC Parameters item (certificate and timestamp included)."""
    certificate: int = 1 << 16
    """Size of one Certificate of Signer. Real ones take a few kilobytes."""
    text_value: int = 16 << 20
    """A text value that has to be held to normalise its padding."""
    unseekable_size: int = 4 << 30
    """Input that can be read only once (pipes, devices) and has to be kept in a temporary file."""
    inflated_size: int = 16 << 30
    """Size of a deflated data set once inflated."""
    inflated_ratio: int = 200
    """Inflated size over deflated size, looked at once 64 MiB are inflated."""
    vr_readings: int = 256
    """Readings with other VRs tried for one signature that does not match (decision 0050)."""
    vr_work: int = 64 << 20
    """Bytes hashed for that in one file, an element counted as 4 KiB more; two readings are tried in any case."""
    findings: int = 200
    """Findings of one kind kept for one file; the rest is counted."""
    seconds: float = 600
    """Time one file may take to be verified or inspected; looked at between elements and chunks."""
    deadline: float = field(default=inf, repr=False)
    """No limit of its own: when `seconds` are over, by the monotonic clock. Set by `started`."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)

    def started(self) -> Limits:
        """The limits for work that begins now."""
        return replace(self, deadline=monotonic() + self.seconds)

    def check_time(self, file: str | None) -> None:
        """Raise `LimitError` once the time is over."""
        if monotonic() > self.deadline:
            raise beyond("seconds", self, Where(file))


DEFAULT = Limits()


NAMES = tuple(f.name for f in fields(Limits) if f.name != "deadline")
"""Limits that can be set."""

_SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def beyond(name: str, limits: Limits, where: Where) -> LimitError:
    """The error for an input beyond the limit `name`."""
    return LimitError(
        f"the input exceeds the limit {name} = {getattr(limits, name)}",
        where=where,
        hint=f"raise it with --limit {name}=N, but only for files from a source you trust",
    )


def parse_limits(given: Iterable[str]) -> Limits:
    """The default limits changed by texts like `depth=20` or `inflated_size=4G`. Raises `UsageError`."""
    changes: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in NAMES:
            from difflib import get_close_matches

            close = get_close_matches(name, NAMES, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(NAMES)}"
            raise UsageError(f"there is no limit called {name!r}", hint=hint)
        changes[name] = _number(name, value.strip())
    return replace(DEFAULT, **changes)  # type: ignore[arg-type]


def _number(name: str, text: str) -> float:
    unit = _SIZES.get(text[-1:].upper(), 1)
    digits = text[:-1] if unit > 1 else text
    try:
        number = float(digits) if name == "seconds" and unit == 1 else int(digits) * unit
    except ValueError:
        number = -1
    if number < 0 or not isfinite(number):
        raise UsageError(f"the limit {name} cannot be {text!r}", hint="write a number, as depth=20 or inflated_size=4G")
    return number
