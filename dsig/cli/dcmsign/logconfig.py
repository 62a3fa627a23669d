"""--log-config: the parts of log4cplus property files that the standard library's logging can do.

Understood: the levels and appenders of the root logger and of the loggers above and of this application, additivity;
console, file and rolling file appenders with threshold; simple, TTCC and pattern layouts; `${variables}`. Appenders
that are not known are an error: a log that silently goes nowhere would not be noticed.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dsig.cli.dcmsign.loglines import APPLICATION, LEVELS, harmless
from dsig.cli.dcmsign.words import CommandLineError

__all__ = ["configured"]

LONGEST = 1 << 20
_ROOT = "log4cplus.rootLogger"
_ALL, _OFF = 1, logging.CRITICAL + 1
_NAMES = {number: name.upper() for name, number in LEVELS.items()}
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_CONVERSION = re.compile(r"%(-?[0-9]*)(?:\.[0-9]+)?([a-zA-Z%])(?:\{([^}]*)\})?")
_UNITS = {"": 1, "KB": 1 << 10, "MB": 1 << 20}
_INSERTED = 20
"""Depth of variables in variables."""


def configured(path: str) -> tuple[int, list[logging.Handler]]:
    """Level and handlers of the application's logger. Raises `CommandLineError` naming the file."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(LONGEST).decode("utf-8", "replace")
        properties = _properties(text)
        _refuse_useless(properties)
        level, names = _logger(properties)
        return level, [_appender(properties, name) for name in names]
    except OSError as error:
        raise CommandLineError(f"log configuration '{path}': {error.strerror}: {error.filename or path}") from None
    except ValueError as error:
        raise CommandLineError(f"log configuration '{path}': {error}") from None


def _properties(text: str) -> dict[str, str]:
    """Keys and values with variables filled in."""
    raw: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            raw[key.strip()] = value.strip()
    known = {
        "appname": "dcmsign",
        "date": time.strftime("%Y%m%d"),
        "time": time.strftime("%H%M%S"),
        "pid": str(os.getpid()),
        "hostname": socket.gethostname(),
    }

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return raw.get(name, known.get(name, os.environ.get(name, "")))

    filled = {}
    for key, value in raw.items():
        for _ in range(_INSERTED):
            if not _VARIABLE.search(value):
                break
            value = _VARIABLE.sub(fill, value)
        filled[key] = value
    return filled


def _refuse_useless(properties: dict[str, str]) -> None:
    """Raise `CommandLineError` for what configures nothing."""
    wrong = ""
    if not properties:
        wrong = "does not contain any settings"
    elif not any(key.startswith("log4cplus.") for key in properties):
        wrong = "does not contain any valid settings"
    elif _ROOT not in properties:
        wrong = f"does not set up {_ROOT}"
    if wrong:
        raise CommandLineError(f"Specified --log-config file {wrong}")


def _logger(properties: dict[str, str]) -> tuple[int, list[str]]:
    """Level and appenders that lines of this application get, from its own logger up to the root."""
    parts = APPLICATION.split(".")
    keys = [f"log4cplus.logger.{'.'.join(parts[:n])}" for n in range(len(parts), 0, -1)]
    level: int | None = None
    appenders: list[str] = []
    for key in (*keys, _ROOT):
        if key not in properties:
            continue
        first, *names = (part.strip() for part in properties[key].split(","))
        if level is None and first.upper() != "INHERIT":
            level = _level(first)
        appenders += [name for name in names if name and name not in appenders]
        if properties.get(key.replace(".logger.", ".additivity."), "true").lower() == "false":
            break
    return (logging.DEBUG if level is None else level), appenders


def _level(name: str) -> int:
    number = {"ALL": _ALL, "OFF": _OFF, "": logging.DEBUG}.get(name.upper(), LEVELS.get(name.lower()))
    if number is None:
        raise ValueError(f"unknown log level {name!r}")
    return number


def _appender(properties: dict[str, str], name: str) -> logging.Handler:
    prefix = f"log4cplus.appender.{name}"
    kind = properties.get(prefix, "").rpartition("::")[2]
    make = _APPENDERS.get(kind)
    if make is None:
        raise ValueError(f"appender {name!r} has the unsupported type {properties.get(prefix, '')!r}")
    options = {k.removeprefix(f"{prefix}.").lower(): v for k, v in properties.items() if k.startswith(f"{prefix}.")}
    handler = make(options)
    if "threshold" in options:
        handler.setLevel(_level(options["threshold"]))
    handler.setFormatter(_layout(options))
    return handler


def _console(options: dict[str, str]) -> logging.Handler:
    to_error = options.get("logtostderr", "false").lower() == "true"
    return logging.StreamHandler(sys.stderr if to_error else sys.stdout)


def _file(options: dict[str, str]) -> logging.Handler:
    mode = "a" if options.get("append", "false").lower() == "true" else "w"
    return logging.FileHandler(_path(options), mode, encoding="utf-8", errors="backslashreplace")


def _rolling(options: dict[str, str]) -> logging.Handler:
    from logging.handlers import RotatingFileHandler

    size = re.fullmatch(r"([0-9]+)\s*(KB|MB|)", options.get("maxfilesize", "10MB").upper())
    if size is None:
        raise ValueError(f"MaxFileSize {options['maxfilesize']!r} is no size")
    backups = options.get("maxbackupindex", "1")
    if not backups.isdigit():
        raise ValueError(f"MaxBackupIndex {backups!r} is no number")
    return RotatingFileHandler(
        _path(options),
        maxBytes=int(size[1]) * _UNITS[size[2]],
        backupCount=int(backups),
        encoding="utf-8",
        errors="backslashreplace",
    )


def _path(options: dict[str, str]) -> str:
    path = options.get("file", "")
    if not path:
        raise ValueError("a file appender names no file")
    return path


_APPENDERS: dict[str, Callable[[dict[str, str]], logging.Handler]] = {
    "ConsoleAppender": _console,
    "FileAppender": _file,
    "RollingFileAppender": _rolling,
    "NullAppender": lambda _: logging.NullHandler(),
}


def _layout(options: dict[str, str]) -> logging.Formatter:
    kind = options.get("layout", "log4cplus::SimpleLayout").rpartition("::")[2]
    patterns = {
        "SimpleLayout": "%p - %m%n",
        "TTCCLayout": "%D{%m-%d-%Y %H:%M:%S,%q} [%t] %p %c - %m%n",
        "PatternLayout": options.get("layout.conversionpattern", "%P: %m%n"),
    }
    if kind not in patterns:
        raise ValueError(f"unsupported layout {kind!r}")
    return PatternLines(patterns[kind])


class PatternLines(logging.Formatter):
    """A log4cplus conversion pattern."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self.pattern = pattern

    def format(self, record: logging.LogRecord) -> str:
        """One line; the line end that handlers add is taken off."""
        return _CONVERSION.sub(lambda found: _converted(found, record), self.pattern).removesuffix("\n")


def _converted(found: re.Match[str], record: logging.LogRecord) -> str:
    width, letter, detail = found[1], found[2], found[3]
    level = _NAMES.get(record.levelno, "WARN")
    values: dict[str, Callable[[], str]] = {
        "m": lambda: harmless(record.getMessage()),
        "n": lambda: "\n",
        "p": lambda: level,
        "P": lambda: level[0],
        "c": lambda: APPLICATION,
        "t": lambda: record.threadName or "",
        "i": lambda: str(os.getpid()),
        "h": lambda: socket.gethostname().partition(".")[0],
        "H": socket.getfqdn,
        "r": lambda: f"{record.relativeCreated:.0f}",
        "D": lambda: _time(detail, record, time.localtime),
        "d": lambda: _time(detail, record, time.gmtime),
        "%": lambda: "%",
    }
    text = values.get(letter, str)()
    if not width or width == "-":
        return text
    return text.ljust(int(width[1:])) if width[0] == "-" else text.rjust(int(width))


def _time(pattern: str | None, record: logging.LogRecord, parts: Callable[[float], time.struct_time]) -> str:
    filled = (pattern or "%Y-%m-%d %H:%M:%S").replace("%q", f"{int(record.msecs):03d}")
    filled = filled.replace("%Q", f"{record.msecs:07.3f}")
    return time.strftime(filled, parts(record.created))
