"""What the tool says while it works: lines with a level, on standard error or where --log-config sends them."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from dsig.cli.dcmsign.loglines import APPLICATION, LEVELS, harmless

if TYPE_CHECKING:
    from dsig.cli.dcmsign.request import Logging

__all__ = ["Log"]

_LETTERS = {number: name[0].upper() for name, number in LEVELS.items()}


class Log:
    """The lines of one run."""

    def __init__(self, wanted: Logging) -> None:
        """Set up what --quiet, --log-level or --log-config ask for. Raises `CommandLineError` for a bad file."""
        self._logger = logging.Logger(APPLICATION, LEVELS[wanted.level])
        if wanted.config is None:
            handler: logging.Handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(Lines())
            self._handlers = [handler]
        else:
            from dsig.cli.dcmsign.logconfig import configured

            level, self._handlers = configured(wanted.config)
            self._logger.setLevel(level)
        for handler in self._handlers:
            self._logger.addHandler(handler)

    @property
    def verbose(self) -> bool:
        """Whether anybody sees what is done."""
        return self._logger.isEnabledFor(logging.INFO)

    def close(self) -> None:
        """Finish log files."""
        for handler in self._handlers:
            handler.close()

    def fatal(self, text: str) -> None:
        """Why the work ended."""
        self._logger.critical("%s", text)

    def error(self, text: str) -> None:
        """What went wrong."""
        self._logger.error("%s", text)

    def warn(self, text: str) -> None:
        """Results, and what should be known."""
        self._logger.warning("%s", text)

    def info(self, text: str) -> None:
        """What is done."""
        self._logger.info("%s", text)

    def always(self, text: str) -> None:
        """What was asked for by name, whatever the level."""
        for handler in self._handlers:
            handler.handle(self._logger.makeRecord(APPLICATION, logging.INFO, "", 0, text, (), None))

    def debug(self, text: str) -> None:
        """What may help to find a fault."""
        self._logger.debug("%s", text)


class Lines(logging.Formatter):
    """`W: text`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the text has in it."""
        return f"{_LETTERS.get(record.levelno, 'W')}: {harmless(record.getMessage())}"
