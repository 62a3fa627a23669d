"""The report as JUnit XML, for build servers: a test suite with one test case for each file.

`passed` is the only verdict that is a passed test. `failed` and `unsigned` are failures: the file is not what it should
be. `indeterminate` and `error` are errors: there was no answer. Nothing is ever skipped, because a build server shows
that as green. Decision 0080 says why.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from dsig.model import FileReport, FileVerdict, PluginUse, ReportView, SignatureReport
from dsig.printable import printable
from dsig_reports.reasons import NOT_STANDARD, is_standard, reasons
from dsig_reports.wording import ITEMS_ONLY, is_of_items

__all__ = ["JunitReporter"]

SUITE = "dsig verify"
OUTCOMES = {
    FileVerdict.FAILED: "failure",
    FileVerdict.UNSIGNED: "failure",
    FileVerdict.INDETERMINATE: "error",
    FileVerdict.ERROR: "error",
}
"""Verdict to the element that says so; a verdict not in here is a passed test."""
LONGEST = 1000
"""Characters of one text."""
KEPT = 8 << 20
"""Bytes of cases kept in memory."""
CHUNK = 1 << 20
"""Characters copied at once."""


class JunitReporter:
    """Writes one XML document in ASCII; `dsig.hookspecs.Reporter`.

    Counts come first in such a document, so that the cases wait in a temporary file: the files of the report may be a
    million, and are gone through once.
    """

    def render(self, report: ReportView, stream: IO[Any], *, verbose: int = 0) -> None:
        """Write the document. Quiet: without the answers to the six questions of files that passed."""
        outcomes: Counter[str | None] = Counter()
        with SpooledTemporaryFile(KEPT, "w+", encoding="ascii", newline="\n", prefix="dsig-junit-") as cases:
            for file in report.files:
                outcomes[OUTCOMES.get(file.verdict)] += 1
                _write(cases, _case(file, verbose))
            counts = f'tests="{outcomes.total()}" failures="{outcomes["failure"]}" errors="{outcomes["error"]}"'
            stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={quoteattr(SUITE)} {counts}>\n')
            stream.write(f'<testsuite name={quoteattr(SUITE)} {counts} skipped="0">\n')
            _write(stream, _properties(report.plugins))
            cases.seek(0)
            while text := cases.read(CHUNK):
                stream.write(text)
        stream.write("</testsuite>\n</testsuites>\n")


def _properties(plugins: tuple[PluginUse, ...]) -> ET.Element:
    properties = ET.Element("properties")
    for use in plugins:
        name, value = _text(f"plugin {use.name}"), _text(f"{use.distribution} {use.version}")
        ET.SubElement(properties, "property", name=name, value=value)
    return properties


def _write(stream: IO[Any], element: ET.Element) -> None:
    stream.write(ET.tostring(element, encoding="us-ascii", xml_declaration=False).decode("ascii") + "\n")


def _case(file: FileReport, verbose: int) -> ET.Element:
    directory, name = posixpath.split(file.path)
    case = ET.Element("testcase", classname=_text(directory or "."), name=_text(name or file.path))
    outcome = OUTCOMES.get(file.verdict)
    if outcome is not None:
        told = [_text(str(reason)) for reason in reasons(file)]
        problem = ET.SubElement(
            case, outcome, type=file.verdict.value, message=": ".join([file.verdict.value, *told[:1]])
        )
        problem.text = "\n".join([_text(file.path), *told])
    if file.signatures and (outcome is not None or verbose >= 0 or not _plain(file)):
        ET.SubElement(case, "system-out").text = "\n".join(_answers(file))
    return case


def _plain(file: FileReport) -> bool:
    """Whether `passed` means what everybody takes it for: signatures of the standard, of the data set."""
    return all(map(is_standard, file.signatures)) and not is_of_items(file)


def _answers(file: FileReport) -> Iterator[str]:
    if is_of_items(file):
        yield ITEMS_ONLY
    for signature in file.signatures:
        yield f"signature {_text(signature.uid or 'without UID')} of {_place(signature)}: {signature.verdict.value}"
        if not is_standard(signature):
            yield f"  {NOT_STANDARD}"
        signer = signature.signer
        yield f"  signer: {_text(signer.subject if signer else 'unknown')}"
        yield f"  sha256: {_text(signer.sha256 if signer else 'unknown')}"
        coverage = signature.coverage
        yield f"  covered: {coverage.signed} signed, {len(coverage.unsigned) + coverage.unsigned_more} unsigned"
        yield from (f"  {name}: {axis.status.value}" for name, axis in signature.axes.items())


def _place(signature: SignatureReport) -> str:
    return "the data set" if signature.location == "/" else _text(signature.location)


def _text(value: str) -> str:
    """What XML 1.0 can hold: characters it forbids are written out like any other that cannot be seen."""
    shown = printable(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}… ({len(shown)} characters)"
