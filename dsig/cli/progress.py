"""How far a run is: a bar on a terminal, now and then a line elsewhere. Never on standard output."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from dsig.cli.terminal import note

if TYPE_CHECKING:
    from dsig.batch.outcome import Outcome

__all__ = ["Beside", "Progress"]

EVERY = 15.0
"""Seconds between two lines where there is no terminal."""
OFTEN = 0.2
"""Seconds between two looks of the bar."""


class Progress:
    """Counts outcomes by verdict and shows them."""

    def __init__(self, doing: str, count: Callable[[], int] | None) -> None:
        """`count` says how many files there are; it may take its time, and is asked beside the work."""
        self._doing = doing
        self._counts: Counter[str] = Counter()
        self._began = self._told = time.monotonic()
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                desc=doing,
                unit=" files",
                file=sys.stderr,
                **_size(),
                mininterval=OFTEN,
                miniters=1,
                leave=False,
            )
            if count is not None:
                threading.Thread(target=self._counted, args=(count,), name="dsig-count", daemon=True).start()

    def over(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """The same outcomes, shown on the way."""
        try:
            for outcome in outcomes:
                self._seen(outcome)
                yield outcome
        finally:
            self.close()

    def aside(self) -> None:
        """Make room for a line of something else."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        """Show how it ended, and take the bar away."""
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()

    def _seen(self, outcome: Outcome) -> None:
        verdict = getattr(outcome.result, "verdict", None)
        kind = "error" if outcome.error or outcome.unforeseen else "done" if verdict is None else str(verdict.value)
        self._counts["before" if outcome.earlier and verdict is None else kind] += 1
        if self._bar is not None:
            self._bar.set_postfix_str(self._text(), refresh=False)
            self._bar.update()
        elif (now := time.monotonic()) - self._told >= EVERY:
            self._told = now
            files = self._counts.total()
            note(f"{self._doing}: {files} files, {files / (now - self._began):.0f} a second, {self._text()}")

    def _text(self) -> str:
        return ", ".join(f"{count} {kind}" for kind, count in sorted(self._counts.items()))

    def _counted(self, count: Callable[[], int]) -> None:
        self._bar.total = count()


def _size() -> dict[str, Any]:
    """Follow the terminal's size. Serial lines and some containers say 0 where they do not know, and get a usual one.

    On a terminal of no lines the bar would not be shown.
    """
    try:
        known = all(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError):
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}


class Beside:
    """A stream whose lines do not run into the bar."""

    def __init__(self, stream: IO[str], progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def write(self, text: str) -> int:
        """Write, with the bar out of the way."""
        self._progress.aside()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
