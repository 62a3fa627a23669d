"""Tells observers what was signed and verified, each in a process of its own; decision 0096."""

from __future__ import annotations

from dsig.observing.audience import SECONDS, Audience

__all__ = ["SECONDS", "Audience"]
