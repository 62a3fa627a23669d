"""JUnit XML as build servers read it; `junitparser` is the reader that did not write it."""

from __future__ import annotations

import io
import weakref
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import junitparser
import pytest

from dsig.cli import main
from dsig.model import ErrorReport, FileReport, FileVerdict, PluginUse, Report
from dsig.testing.reporters import sample_report, sample_signature
from dsig_reports.junit import JunitReporter

CORPUS = Path(__file__).parents[1] / "corpus"
TRUST = ["--trust-root", str(CORPUS / "pki" / "root.pem"), "--intermediate", str(CORPUS / "pki" / "inter.pem")]
FORBIDDEN = "".join(map(chr, (*range(0x20), 0x7F, 0x85, 0xD800, 0xFFFE, 0xFFFF, 0x202E))) + "]]><!--&amp;\"'"
"""Characters XML 1.0 forbids or gives a meaning to."""


def rendered(whole: Report, verbose: int = 0) -> str:
    stream = io.StringIO()
    JunitReporter().render(whole, stream, verbose=verbose)
    return stream.getvalue()


def read(text: str) -> dict[str, junitparser.TestCase]:
    suites = junitparser.JUnitXml.fromstring(text.encode())
    return {case.name: case for suite in suites for case in suite}


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        (FileVerdict.PASSED, None),
        (FileVerdict.FAILED, junitparser.Failure),
        (FileVerdict.UNSIGNED, junitparser.Failure),
        (FileVerdict.INDETERMINATE, junitparser.Error),
        (FileVerdict.ERROR, junitparser.Error),
    ],
)
def test_only_what_passed_is_green(verdict, result):
    case = read(rendered(Report((FileReport("a/b.dcm", verdict),))))["b.dcm"]
    assert case.classname == "a"
    assert case.is_passed is (result is None)
    assert [type(r) for r in case.result] == ([] if result is None else [result])
    assert all(r.type == verdict.value for r in case.result)


def test_every_verdict_has_its_place():
    files = tuple(FileReport(verdict.value, verdict) for verdict in FileVerdict)
    suites = junitparser.JUnitXml.fromstring(rendered(Report(files)).encode())
    assert (suites.tests, suites.failures, suites.errors) == (5, 2, 2)
    counted = junitparser.JUnitXml.fromstring(rendered(Report(files)).encode())
    counted.update_statistics()
    assert (counted.tests, counted.failures, counted.errors, counted.skipped) == (5, 2, 2, 0)


def test_characters_no_xml_may_hold_are_written_out():
    problem = ErrorReport("code", FORBIDDEN, FORBIDDEN, FORBIDDEN)
    text = rendered(Report((FileReport(FORBIDDEN, FileVerdict.ERROR, error=problem),), (PluginUse(*[FORBIDDEN] * 3),)))
    assert text.isascii()
    root = ET.fromstring(text)
    assert [element.tag for element in root.iter()] == [
        "testsuites",
        "testsuite",
        "properties",
        "property",
        "testcase",
        "error",
    ]
    for shown in (
        root.find(".//testcase").get("name"),
        root.find(".//error").get("message"),
        root.find(".//error").text,
    ):
        assert r"\x00" in shown
        assert r"\x1b" in shown
        assert r"\ud800" in shown
        assert "]]><!--&amp;\"'" in shown


SUITE_MAY = "name tests failures errors group time skipped timestamp hostname id package file log url"
ALLOWED = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}, set()),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        set(SUITE_MAY.split()),
        {"name", "tests", "failures", "errors"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, {"name", "value"}),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name", "time", "classname", "group"},
        {"name"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}
"""Children and attributes that elements may have, and attributes they must have, by the schema of Jenkins' xUnit plugin
(junit-10.xsd), which is the one other build servers go by."""


def test_document_has_what_the_schema_of_build_servers_allows():
    def valid(element: ET.Element) -> None:
        children, may, must = ALLOWED[element.tag]
        assert {child.tag for child in element} <= children
        assert must <= set(element.keys()) <= may
        if element.tag in ("testsuites", "testsuite", "properties", "testcase"):
            assert not (element.text or "").strip()
        for child in element:
            assert not (child.tail or "").strip()
            valid(child)

    for verbose in (-1, 0, 1):
        root = ET.fromstring(rendered(sample_report(), verbose))
        assert root.tag == "testsuites"
        valid(root)


def test_files_are_gone_through_once_and_not_kept():
    """As many as there are: each is let go before the next is asked for, and the counts are there all the same."""
    before: list[weakref.ref[FileReport]] = []

    class Live:
        plugins = (PluginUse("macs", "dsig", "1"),)
        summary: ClassVar[dict[str, int]] = {}

        @property
        def files(self) -> Iterator[FileReport]:
            for number in range(300):
                assert not any(file() for file in before[:-1]), "a file is kept"
                file = Told(f"{number}.dcm", FileVerdict.FAILED if number % 3 else FileVerdict.PASSED)
                before.append(weakref.ref(file))
                yield file
                del file

    stream = io.StringIO()
    JunitReporter().render(Live(), stream)
    cases = read(stream.getvalue())
    assert sum(case.is_passed for case in cases.values()) == 100
    assert '<testsuite name="dsig verify" tests="300" failures="200" errors="0" skipped="0">' in stream.getvalue()


@pytest.mark.parametrize("verbose", [-1, 0])
def test_a_test_that_passes_for_items_alone_says_so(verbose):
    item = FileReport("x.dcm", FileVerdict.PASSED, (sample_signature(location="ContentSequence[0]"),))
    case = read(rendered(Report((item,)), verbose))["x.dcm"]
    assert case.is_passed
    assert case.system_out.splitlines()[0] == "the data set itself is not signed"
    whole = FileReport("x.dcm", FileVerdict.PASSED, (*item.signatures, sample_signature(location="/")))
    assert "the data set itself" not in rendered(Report((whole,)), verbose)


class Told(FileReport):
    """One that can be watched."""


def test_command_tells_a_build_server_what_is_wrong(tmp_path, capfd):
    signed = (CORPUS / "files" / "v-base-ct.dcm").read_bytes()
    (tmp_path / "good.dcm").write_bytes(signed)
    (tmp_path / "name.dcm").write_bytes(signed.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    (tmp_path / "plain.dcm").write_bytes((CORPUS / "base" / "ct.dcm").read_bytes())
    (tmp_path / "cut.dcm").write_bytes(signed[:3000])
    out = tmp_path / "report.xml"
    assert main(["verify", str(tmp_path), "--format", "junit", "--report", str(out), *TRUST]) == 1
    capfd.readouterr()
    cases = read(out.read_text())
    assert {name: case.is_passed for name, case in cases.items()} == {
        "cut.dcm": False,
        "good.dcm": True,
        "name.dcm": False,
        "plain.dcm": False,
    }
    assert cases["name.dcm"].result[0].message.startswith("failed: integrity: the signature does not match the data")
    assert str(tmp_path / "name.dcm") in cases["name.dcm"].result[0].text
    assert cases["plain.dcm"].result[0].message == "unsigned: nothing in this file is protected by a signature"
    assert "trust: passed" in cases["good.dcm"].system_out


def test_a_signer_nobody_vouches_for_is_an_error_that_says_so(tmp_path, capfd):
    path = CORPUS / "files" / "v-base-ct.dcm"
    assert main(["verify", str(path), "--format", "junit"]) == 3
    message = read(capfd.readouterr().out)["v-base-ct.dcm"].result[0].message
    assert message.startswith("indeterminate: trust: no trusted root was given")
