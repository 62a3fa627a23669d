"""Examines installed plugins, each in a process of its own, so that none can harm the examiner or another one.

It finds plugins that are broken. A plugin that wants to look well can: its code runs beside the code that examines it.
"""

from __future__ import annotations

from dsig.doctor.examine import Diagnosis, Examined, Health, examine

__all__ = ["Diagnosis", "Examined", "Health", "examine"]
