"""The report as one HTML file that needs nothing else: no network, no script but its own, no trust in what it quotes.

Everything is in the markup; the script filters, and unfolds the details of large reports. A content security policy in
the document names style and script by their hashes and forbids the rest: were there a hole, markup out of a file still
could not act.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dsig.model import AXES, FileReport, FileVerdict, Report, SignatureReport, Status
from dsig.printable import date_time, printable
from dsig_reports import wording
from dsig_reports.element_map import cells, element_name, signed_names
from dsig_reports.reasons import Reason, reasons

__all__ = ["HtmlReporter", "document"]

TEMPLATES = Path(__file__).with_name("templates")
LONGEST = 1000
"""Characters of one text."""
LISTED = 200
"""Signatures, elements or findings of each that are listed one by one; the JSON form has all."""
OPENED = 3
"""Reports of so many files begin with all details in sight."""
NAMED = 100
"""Reports of more files leave out the names of signed elements, to stay of a size a browser opens at once."""
EAGER = 200
"""In reports of more files details are folded until somebody opens them: a million elements load slowly."""
FOLDED = 50
"""Files whose details are folded together; the script knows this number from the document."""
CHUNK = 64
"""Template events written together."""


class HtmlReporter:
    """Writes one HTML document in ASCII, file by file; `dsig.hookspecs.Reporter`."""

    def render(self, report: Report, stream: IO[Any], *, verbose: int = 0) -> None:  # noqa: ARG002 - always everything
        """Write the document: characters beyond ASCII are references, so that no other encoding can spoil it."""
        for chunk in document(report):
            stream.write(chunk)


def document(report: Report, *, printed: bool = False) -> Iterator[str]:
    """The document in pieces. `printed`: for paper, with everything in sight and without a script."""
    style, script = _text("report.css"), _text("report.js")
    stream = (
        _environment()
        .get_template("report.html.j2")
        .stream(
            report=report,
            headline=wording.headline(report),
            worst=_worst(report),
            bar=_bar(report),
            judged=next(
                (_moment(s.times.evaluated) for f in report.files for s in f.signatures if s.times.evaluated), ""
            ),
            files=(_file(file) for file in report.files),
            opened=printed or len(report.files) <= OPENED,
            named=printed or len(report.files) <= NAMED,
            folded=_Folded() if not printed and len(report.files) > EAGER else None,
            FOLDED=FOLDED,
            printed=printed,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )
    stream.enable_buffering(CHUNK)
    for chunk in stream:
        yield chunk.encode("ascii", "xmlcharrefreplace").decode("ascii")


class _Folded:
    """Escaped markup on its way into a script element of text, deflated and in base64: nothing in it can act."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._packed: list[str] = []

    def add(self, markup: str) -> str:
        """Take the details of one file; nothing is shown in their place."""
        self._parts.append(markup.encode("ascii", "xmlcharrefreplace").decode("ascii"))
        if len(self._parts) == FOLDED:
            self._pack()
        return ""

    def all(self) -> Markup:
        """Everything, separated by spaces; in one piece at the end, as script elements hold up the parser."""
        if self._parts:
            self._pack()
        return Markup(" ".join(self._packed))  # noqa: S704 - letters, digits and spaces

    def _pack(self) -> None:
        """NUL separates files: `printable` never lets it through."""
        packed = zlib.compress("\0".join(self._parts).encode("ascii"), 6)
        self._packed.append(base64.b64encode(packed).decode("ascii"))
        self._parts.clear()


@dataclass(frozen=True, slots=True)
class _FileView:
    """A file as the template shows it."""

    file: FileReport
    name: str
    directory: str
    signers: str
    claimed: str
    covered: str
    said: str
    reasons: tuple[Reason, ...]
    axes: tuple[tuple[str, Status], ...]
    """The worst answer of all signatures to each question."""
    signatures: tuple[_SignatureView, ...]
    picture: Markup
    """URL of the thumbnail, which is its data; empty without."""
    pixels: str
    """What it is worth."""


@dataclass(frozen=True, slots=True)
class _SignatureView:
    """A signature as the template shows it."""

    signature: SignatureReport
    place: str
    doubt: str
    """Why the certificate's word is not proof of who signed; empty if it is."""
    revocation: str
    claimed: str
    proven: str
    judged: str
    not_before: str
    not_after: str


def _file(file: FileReport) -> _FileView:
    directory, name = posixpath.split(file.path)
    signatures = file.signatures
    signers = dict.fromkeys(wording.common_name(s.signer.subject) if s.signer else "unknown" for s in signatures)
    order = list(Status)
    return _FileView(
        file,
        name or file.path,
        f"{directory}/" if name and directory else "",
        ", ".join(list(signers)[:LISTED]),
        _brief(signatures[0].times.claimed) if len(signatures) == 1 else "",
        _covered(signatures),
        wording.said(file),
        tuple(reasons(file))[:LISTED],
        tuple((name, max((s.axes[name].status for s in signatures), key=order.index)) for name in AXES)
        if signatures
        else (),
        tuple(_signature(s) for s in signatures[:LISTED]),
        _picture(file),
        wording.pixels(file),
    )


def _picture(file: FileReport) -> Markup:
    png = file.thumbnail.png if file.thumbnail else b""
    return Markup(f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}" if png else "")  # noqa: S704


def _signature(signature: SignatureReport) -> _SignatureView:
    times, signer = signature.times, signature.signer
    return _SignatureView(
        signature,
        "the data set" if signature.location == "/" else signature.location,
        wording.doubt(signature),
        wording.revocation(signature),
        date_time(times.claimed),
        _moment(times.proven),
        _moment(times.evaluated),
        f"{signer.not_before:%Y-%m-%d}" if signer and signer.not_before else "",
        f"{signer.not_after:%Y-%m-%d}" if signer and signer.not_after else "",
    )


def _covered(signatures: tuple[SignatureReport, ...]) -> str:
    if not signatures:
        return ""
    if len(signatures) > 1:
        return f"{len(signatures)} signatures"
    coverage = signatures[0].coverage
    what = f"{coverage.signed} signed, {len(coverage.unsigned) + coverage.unsigned_more} unsigned"
    return what if signatures[0].location == "/" else f"{what}, in an item"


def _brief(claimed: str) -> str:
    """Day and minute of a DICOM DT."""
    shown = date_time(claimed)
    return f"claimed {shown[:16]}" if shown != claimed else ""


def _moment(value: str) -> str:
    """ISO 8601 in UTC as people write it; anything else as it is."""
    try:
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S} UTC" if value.endswith("+00:00") else value
    except ValueError:
        return value


def _worst(report: Report) -> str:
    return next((v.value for v in reversed(FileVerdict) if report.summary[v.value]), "unsigned")


def _bar(report: Report) -> list[tuple[str, int, float, float]]:
    """Verdict, count, start and width in percent of the whole, gravest first."""
    total, start, parts = len(report.files), 0.0, []
    for verdict in reversed(FileVerdict):
        count = report.summary[verdict.value]
        if count:
            width = 100 * count / total
            parts.append((verdict.value, count, round(start, 3), round(width, 3)))
            start += width
    return parts


def _shown(value: object) -> object:
    """What any expression of a template becomes before it is escaped."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = printable(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\N{HORIZONTAL ELLIPSIS} ({len(text)} characters)"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        auto_reload=False,
    )
    made.globals |= {
        "questions": wording.QUESTIONS,
        "answer": wording.answer,
        "readings": wording.READINGS,
        "unsigned_reasons": wording.UNSIGNED_REASONS,
        "common_name": wording.common_name,
        "cells": cells,
        "signed_names": signed_names,
        "element_name": element_name,
        "syntax_name": _syntax_name,
        "EAGER": EAGER,
        "LISTED": LISTED,
    }
    made.filters["marks"] = Markup  # path data made of digits, of our own making
    return made


def _syntax_name(uid: str) -> str:
    from pydicom.uid import UID

    return UID(uid).name if uid in _known_uids() else ""


@cache
def _known_uids() -> frozenset[str]:
    from pydicom.uid import AllTransferSyntaxes

    return frozenset(map(str, AllTransferSyntaxes))


@cache
def _text(name: str) -> str:
    return TEMPLATES.joinpath(name).read_text(encoding="ascii")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
