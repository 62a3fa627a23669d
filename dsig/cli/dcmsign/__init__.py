"""The command `dsig-dcmsign`: the options, output and exit codes of OFFIS dcmsign in front of our verbs.

A script written for that tool runs with this one. What it asks for is translated (`request`), a verb of `dsig.verbs`
does the work, and the outcome is put into the tool's words (`outcome`). There is no second pipeline.
"""

from __future__ import annotations

from dsig.cli.dcmsign.run import console, main

__all__ = ["console", "main"]
