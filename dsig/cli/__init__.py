"""The command line: arguments in, verbs called, reports out. Each command is imported when it is asked for."""

from __future__ import annotations

from dsig.cli.run import console, main

__all__ = ["console", "main"]
