"""Keys and certificates in files: the key source `file`."""

from __future__ import annotations

from dsig.hookspecs import KeySourceSpec, hookimpl

__all__ = ["dsig_key_sources"]


@hookimpl
def dsig_key_sources() -> list[KeySourceSpec]:
    """One source, serving `file:PATH`, `file:///PATH` and, by the core's choice, a bare path."""
    return [
        KeySourceSpec(
            name="file",
            summary="PEM, DER and PKCS#12 files, encrypted or not",
            factory="dsig_files.source:FileKeySource",
            requires="pip install cryptography",
            schemes=("file",),
        )
    ]
