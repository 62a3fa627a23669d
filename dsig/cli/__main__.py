"""`python -m dsig.cli`."""

from __future__ import annotations

from dsig.cli import console

console()
