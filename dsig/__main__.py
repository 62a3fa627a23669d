"""`python -m dsig`: the command line of this interpreter's `dsig`, wherever its script is."""

from __future__ import annotations

from dsig.cli import console

if __name__ == "__main__":
    console()
