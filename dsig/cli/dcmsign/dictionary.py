"""DCMDICTPATH: dictionary files that come before the built-in dictionary."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dsig.cli.dcmsign.logs import Log
from dsig.errors import UsageError

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["dictionary"]

VARIABLE = "DCMDICTPATH"


def dictionary(log: Log) -> Dictionary | None:
    """The dictionaries named by the environment, or None.

    One that cannot be used is left out with a warning, as the tool does: a wrong VR makes verification fail, not pass.
    """
    paths = [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    if not paths:
        return None
    from dsig.dicom.dictionaries import load_dictionaries

    usable = []
    for path in paths:
        try:
            load_dictionaries([path])
        except UsageError as error:
            log.warn(f"{path}: {error.message}")
        else:
            log.debug(f"dictionary file {path}")
            usable.append(path)
    return load_dictionaries(usable) if usable else None
