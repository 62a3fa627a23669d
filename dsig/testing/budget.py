"""The import budget: a plugin module is imported in every run, what it needs only when it is selected."""

from __future__ import annotations

import json
import subprocess
import sys

__all__ = ["HEAVY", "assert_light"]

HEAVY = ("OpenSSL", "asn1crypto", "cryptography", "jinja2", "numpy", "pkcs11", "pydicom", "requests", "rich", "urllib3")
"""Packages that no plugin module may import on its own import."""


def assert_light(module: str, *, heavy: tuple[str, ...] = HEAVY) -> None:
    """Assert that importing `module` imports nothing of `heavy`, and nothing over the network of its own.

    Looks in a fresh interpreter. Raises `AssertionError` with what was imported, or why the import failed.
    """
    script = f"import importlib, json, sys; importlib.import_module({module!r}); print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own interpreter
    assert ran.returncode == 0, f"{module} does not import: {ran.stderr.strip().splitlines()[-1:]}"
    imported = {name.partition(".")[0] for name in json.loads(ran.stdout.splitlines()[-1])}
    guilty = sorted(imported & set(heavy))
    assert not guilty, f"importing {module} imports {', '.join(guilty)}; import them where they are used"
