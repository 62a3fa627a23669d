"""How commands of plugins write files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["Replacing"]


class Replacing:
    """`dsig.hookspecs.Outputs`: as the commands of dsig itself write reports."""

    @contextmanager
    def replacing(self, path: str, what: str) -> Iterator[IO[bytes]]:
        """Write beside, then rename. Raises `OutputError`."""
        from dsig.dicom.output import replacing
        from dsig.io import refuse_loss

        refuse_loss(path, what, ())
        with replacing(path) as file:
            yield file
