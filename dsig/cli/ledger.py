"""`dsig ledger`: what a ledger says of a run."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from dsig.batch.ledger import COLUMNS, facts, rows
from dsig.cli.terminal import row, standard_output
from dsig.errors import PluginError, UsageError
from dsig.io import refuse_loss

__all__ = ["command"]

SHOWN = 20
"""Inputs in trouble that are shown."""
VERDICTS = (
    "passed",
    "failed",
    "indeterminate",
    "unsigned",
    "signed",
    "removed",
    "timestamped",
    "queried",
    "error",
    "begun",
)


@click.group("ledger")
def command() -> None:
    """Look into the ledger of a run (--ledger): which inputs are done, and what became of them."""


@command.command("show")
@click.argument("path", metavar="LEDGER")
@click.option("--verdict", "verdicts", multiple=True, type=click.Choice(VERDICTS), help="List these. Repeatable.")
def show(path: str, verdicts: tuple[str, ...]) -> int:
    """Count the inputs by verdict, and list those in trouble.

    Example: dsig ledger show run.ledger --verdict error
    """
    known = facts(path)
    counts = Counter(str(found["verdict"] or found["state"]) for found in rows(path))
    with standard_output() as out:
        row(
            out,
            "ledger",
            f"{path}: {known.get('verb', 'nothing yet')}, begun {known.get('created', 'never')}",
            indent=0,
        )
        row(out, "inputs", str(counts.total()))
        for verdict, count in sorted(counts.items()):
            row(out, verdict, str(count))
        wanted = verdicts or ("failed", "error", "begun")
        for number, found in enumerate(rows(path, wanted)):
            if number == SHOWN and not verdicts:
                row(out, "…", "and more, see --verdict and dsig ledger export")
                break
            said = f": {found['error']}" if found["error"] else ""
            row(out, str(found["verdict"] or found["state"]), f"{found['path']}{said}")
    return 0


@command.command("export")
@click.argument("path", metavar="LEDGER")
@click.option(
    "--format", "form", type=click.Choice(("csv", "json", "parquet")), default="csv", show_default=True, help="As what."
)
@click.option("-o", "--output", metavar="FILE", help="File to write. Default: standard output.")
def export(path: str, form: str, output: str | None) -> int:
    """Write one row for each input.

    Example: dsig ledger export run.ledger --format json -o run.json
    """
    facts(path)
    if output is not None:
        refuse_loss(output, "the export", (path,))
    if form == "parquet":
        if output is None:
            raise UsageError("Parquet is not for standard output", hint="give -o FILE")
        _parquet(path, output)
        return 0
    if output is None:  # a file is put in place at the end; here a damaged ledger must be found before anything is out
        for _ in rows(path):
            pass
    with _text(output) as out:
        if form == "csv":
            written = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            written.writeheader()
            for found in rows(path):
                written.writerow({name: _cell(value) for name, value in found.items()})
        else:
            out.write("[")
            between = "\n"
            for found in rows(path):
                out.write(between + json.dumps(found, ensure_ascii=True))
                between = ",\n"
            out.write("\n]\n")
    return 0


@contextmanager
def _text(output: str | None) -> Iterator[IO[str]]:
    if output is None:
        with standard_output() as out:
            yield out
        return
    import io

    from dsig.dicom.output import replacing

    with replacing(output) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()  # flushes, and leaves the file open


def _cell(value: object) -> object:
    """A value no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _parquet(path: str, output: str) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise PluginError(
            "Parquet needs pyarrow", code="plugin-unavailable", hint="install it with: pip install 'dsig[parquet]'"
        ) from None
    from dsig.dicom.output import replacing

    numbers = {"size", "mtime_ns", "output_size", "output_mtime_ns", "exit_status"}
    schema = pyarrow.schema([(name, pyarrow.int64() if name in numbers else pyarrow.string()) for name in COLUMNS])
    with replacing(output) as file, parquet.ParquetWriter(file, schema) as writer:
        heap: list[dict[str, Any]] = []
        for found in rows(path):
            heap.append(found)
            if len(heap) == 10_000:
                writer.write_table(pyarrow.Table.from_pylist(heap, schema))
                heap = []
        writer.write_table(pyarrow.Table.from_pylist(heap, schema))
