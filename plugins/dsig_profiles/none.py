"""The profile `none`."""

from __future__ import annotations

from collections.abc import Iterable

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding

__all__ = ["NoProfile"]


class NoProfile:
    """Wants nothing and finds nothing; `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:  # noqa: ARG002
        """No tags."""
        return ()

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:  # noqa: ARG002
        """No findings."""
        return ()
