"""What goes wrong, said once: each error knows what, where, what to do, and its exit status.

Findings about a signature are data (`dsig.model.Finding`); exceptions are for work that cannot go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = [
    "DsigError",
    "InputError",
    "KeySourceError",
    "LimitError",
    "MalformedError",
    "OutputError",
    "PluginError",
    "UsageError",
    "Where",
]


@dataclass(frozen=True, slots=True)
class Where:
    """The place an error is about; any part may be unknown."""

    file: str | None = None
    """Path as the caller gave it."""
    path: str | None = None
    """Attribute path, such as `BeamSequence[0].(300A,00C0)`."""
    offset: int | None = None
    """Byte offset in the file (in the inflated data set for deflated files)."""

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(self.file)
        if self.path is not None:
            parts.append(f"at {self.path}")
        if self.offset is not None:
            parts.append(f"byte {self.offset}")
        return ", ".join(parts)


class DsigError(Exception):
    """Base of everything this package raises on purpose.

    `code` is a stable slug for programs, `hint` the next step for people, `exit_status` what the command line
    returns.
    """

    exit_status = 1
    default_code = "error"
    default_hint: str | None = None

    def __init__(
        self, message: str, *, code: str | None = None, where: Where | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.where = where or Where()
        self.hint = hint or self.default_hint

    def located(self, file: str) -> DsigError:
        """The same error, naming `file` if no file was named yet."""
        if self.where.file is None:
            self.where = replace(self.where, file=file)
        return self

    def __str__(self) -> str:
        where = str(self.where)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(DsigError):
    """The request makes no sense or cannot be met for this input (exit status 2)."""

    exit_status = 2
    default_code = "usage"


class InputError(DsigError):
    """The input cannot be read (exit status 5)."""

    exit_status = 5
    default_code = "input-unreadable"


class MalformedError(InputError):
    """The input is not well-formed DICOM (exit status 5)."""

    default_code = "input-malformed"
    default_hint = "get another copy of the file, or tell whoever wrote it"


class LimitError(InputError):
    """The input exceeds a named limit of `dsig.limits` (exit status 5)."""

    default_code = "limit-exceeded"


class KeySourceError(DsigError):
    """Key, certificate, password or token trouble (exit status 6)."""

    exit_status = 6
    default_code = "key-source"


class PluginError(DsigError):
    """A plugin is missing, broken, or two of them claim one name (exit status 7)."""

    exit_status = 7
    default_code = "plugin"


class OutputError(DsigError):
    """The output could not be written; no partial file is left (exit status 8)."""

    exit_status = 8
    default_code = "output-not-written"
