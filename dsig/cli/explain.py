"""`dsig explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TextIO

import click

from dsig.cli.configured import Configured
from dsig.cli.options import convert_un_option, dictionary_option, input_option, limit_option, verbosity_options
from dsig.cli.status import ExitStatus
from dsig.cli.terminal import row, standard_output
from dsig.dicom.dictionaries import Dictionary
from dsig.limits import Limits
from dsig.verbs.explain import Difference, Explanation, explain

__all__ = ["command"]

SCHEMA = "dsig.explanation/1"
SHOWN = 10
"""Differences of one signature in the text, unless everything is wanted."""

_OUTCOMES = {
    "same": "the MAC stream and the signature are the same in both files",
    "differs": "not the same in both files",
    "moved": "the same, but in another place of the second file",
    "re-signed": "only in one file; another signature stands in its place in the other",
    "only-in-a": "only in the first file",
    "only-in-b": "only in the second file",
}
_PARTS = {
    "data": "signed",
    "signature-item": "sig. item",
    "mac-parameters": "parameters",
    "signature": "not hashed",
    "unsigned": "unsigned",
    "meta": "unsigned",
}


@click.command("explain", cls=Configured)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@convert_un_option
@dictionary_option
@input_option
@limit_option
@verbosity_options
def command(
    a: str,
    b: str,
    form: str,
    convert_un: bool,
    dictionary: Dictionary | None,
    input_kind: str,
    limits: Limits,
    quiet: bool,
    verbose: bool,
) -> int:
    """Say which element or encoding change makes a signature of file A not hold in file B.

    Signatures belong together by their UIDs. Nothing is verified. Exit status: 0 nothing that is signed differs,
    1 something does, 4 neither file is signed.

    Example: dsig explain sent.dcm received.dcm
    """
    found = explain(a, b, input_kind=input_kind, convert_un=convert_un, dictionary=dictionary, limits=limits)
    with standard_output() as out:
        if form == "json":
            json.dump({"schema": SCHEMA, "same": found.same} | asdict(found), out, indent=2)
            out.write("\n")
        elif not quiet:
            _tell(out, found, verbose)
    if not found.signatures:
        return ExitStatus.UNSIGNED
    return ExitStatus.DONE if found.same else ExitStatus.FAILED


def _tell(out: TextIO, found: Explanation, verbose: bool) -> None:
    row(out, "A", f"{found.a} ({found.transfer_syntaxes[0]})", indent=0)
    row(out, "B", f"{found.b} ({found.transfer_syntaxes[1]})", indent=0)
    for signature in found.signatures:
        place = "the data set" if signature.location == "/" else signature.location
        row(out, "signature", f"{signature.uid} of {place}", indent=0)
        row(out, "", _OUTCOMES[signature.outcome])
        if signature.parts_at is not None:
            row(out, "MAC", f"the streams part at byte {signature.parts_at}")
        _differences(out, signature.differences, signature.more, verbose)
    if not found.signatures:
        row(out, "signature", "none in either file", indent=0)
    if found.unsigned:
        row(out, "unsigned", "differences that no signature covers", indent=0)
        _differences(out, found.unsigned, 0, verbose)
    for finding in found.findings:
        row(out, "note", f"B: {finding.message}", indent=0)


def _differences(out: TextIO, found: tuple[Difference, ...], more: int, verbose: bool) -> None:
    shown = found if verbose else found[:SHOWN]
    for one in shown:
        name = f"{one.location} {one.keyword}".strip()
        at = ", ".join(f"{which} byte {spot.byte}" for which, spot in (("A", one.a), ("B", one.b)) if spot is not None)
        row(out, _PARTS[one.part], f"{name}: {one.message}" + (f" ({at})" if at else ""))
    left = len(found) - len(shown) + more
    if left:
        row(out, "", f"and {left} more")
