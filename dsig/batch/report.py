"""A report in the making: looks like `dsig.model.Report`, and gives its files as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dsig.errors import DsigError
from dsig.model import FileReport, FileVerdict, PluginUse
from dsig.plugins import recorded

__all__ = ["LiveReport"]


class LiveReport:
    """A report whose files are still being looked at; `dsig.model.ReportView`.

    An error that ends the work ends the files, so that the report is whole as far as it goes; it is in `failed`.
    """

    def __init__(self, files: Iterable[FileReport], uses: Callable[[FileReport], Iterable[PluginUse]]) -> None:
        self._given = files
        self._uses = uses
        self._used: set[PluginUse] = set()
        self._counts = dict.fromkeys(FileVerdict, 0)
        self.failed: DsigError | None = None

    def uses(self, plugins: Iterable[PluginUse]) -> None:
        """Plugins that take part whatever the files are."""
        self._used.update(plugins)

    @property
    def files(self) -> Iterator[FileReport]:
        """One after the other, once."""
        try:
            for file in self._given:
                self._counts[file.verdict] += 1
                self._used.update(self._uses(file))
                yield file
        except DsigError as error:
            self.failed = error

    @property
    def plugins(self) -> tuple[PluginUse, ...]:
        """The plugins that took part until now, with where they come from."""
        return tuple(sorted(map(recorded, self._used), key=lambda use: (use.distribution, use.name)))

    @property
    def summary(self) -> dict[str, int]:
        """Counts until now."""
        return {"files": sum(self._counts.values())} | {v.value: n for v, n in self._counts.items()}
