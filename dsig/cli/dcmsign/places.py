"""Where inputs come from and outputs go: paths, or `-` for standard input and output."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import IO

from dsig.cli.dcmsign.request import Request

__all__ = ["Places", "places"]


@dataclass(frozen=True, slots=True)
class Places:
    """The arguments of a verb that are about files."""

    given: str | IO[bytes]
    output: str | IO[bytes] | None
    in_place: bool
    """The tool may be told to write over its input; a verb wants that said."""


def places(asked: Request) -> Places:
    """Input and output of a request."""
    from dsig.dicom.output import same_file

    given: str | IO[bytes] = sys.stdin.buffer if asked.source == "-" else asked.source
    if asked.target is None:
        return Places(given, None, in_place=False)
    if asked.target == "-":
        return Places(given, sys.stdout.buffer, in_place=False)
    if isinstance(given, str) and same_file(given, asked.target):
        return Places(given, None, in_place=True)
    return Places(given, asked.target, in_place=False)
