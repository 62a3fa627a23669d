"""JUnit XML as build servers read it; `junitparser` is the reader that did not write it."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import junitparser
import pytest

from dsig.cli import main
from dsig.model import ErrorReport, FileReport, FileVerdict, PluginUse, Report
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
    assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (5, 2, 2, 0)
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
