"""docs/conformance-statement.md and docs/comparison.md say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pydicom
import pytest

import dsig
from dsig.dicom import encoding
from dsig.plugins import default
from dsig.signature.purpose import PURPOSES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conformance-statement.md").read_text()
CORPUS = ROOT / "tests" / "corpus"


def table(name: str) -> list[list[str]]:
    """The rows of a table of the statement."""
    [block] = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines() if line[:1] == "|"]
    return rows[2:]


def test_the_statement_has_the_parts_of_ps3_2() -> None:
    assert re.findall(r"^## (.*)", PAGE, re.MULTILINE) == [
        "Overview",
        "Introduction",
        "Networking",
        "Media interchange",
        "Support of character sets",
        "Security",
        "Annexes",
    ]


def test_mac_algorithms_are_those_there_are() -> None:
    stated = {row[0].strip("`"): row[1] for row in table("macs")}
    specs = {p.spec.name: p.spec for p in default().mac_algorithms if p.origin.distribution == "dsig"}
    assert set(stated) == set(specs)
    assert {name for name, spec in specs.items() if spec.weak} == {n for n, said in stated.items() if "weak" in said}
    assert [name for name, said in stated.items() if "default" in said] == [dsig.SignOptions().mac]


def test_profiles_are_those_there_are() -> None:
    stated = {name for row in table("profiles") for name in re.findall(r"`([\w-]+)`", row[1])}
    assert stated == {p.spec.name for p in default().profiles if p.origin.distribution == "dsig"}


def test_transfer_syntaxes_are_those_there_are() -> None:
    stated = {uid for row in table("transfer syntaxes") for uid in re.findall(r"[\d.]{10,}", row[1])}
    assert stated == set(encoding._NATIVE)
    for uid in ("1.2.840.10008.1.2.4.90", "1.2.3.4"):
        assert encoding.transfer_syntax(uid).encapsulated


def test_purposes_are_those_of_the_table() -> None:
    stated = {int(row[i]): row[i + 1] for row in table("purposes") for i in (0, 2)}
    assert stated == dict(PURPOSES)


@pytest.mark.parametrize("purpose", [None, 3])
def test_no_other_attributes_are_written(purpose: int | None) -> None:
    with dsig.open_key(str(CORPUS / "pki/rsa2048.key.pem"), certificate=str(CORPUS / "pki/rsa2048.pem")) as key:
        options = dsig.SignOptions(purpose=purpose)
        signed = dsig.sign(pydicom.dcmread(CORPUS / "base/ct.dcm"), key=key, options=options).output
    stated: dict[str, dict[str, str]] = {}
    for row in table("attributes"):
        tag = row[2].strip("()").replace(",", "")
        keyword = pydicom.datadict.keyword_for_tag(tag)
        sequence = re.sub(r" \(.*\)", "", row[0])
        if sequence:
            current = stated.setdefault(sequence.replace(" ", "").replace("DigitalSignaturesSequence", "Signature"), {})
        current[keyword] = row[3]
        assert pydicom.datadict.dictionary_description(tag) == row[1]
    signature = stated["Signature"]
    if purpose is None:
        del signature["DigitalSignaturePurposeCodeSequence"]
    else:
        code = signed.DigitalSignaturesSequence[0].DigitalSignaturePurposeCodeSequence[0]
        assert {e.keyword: e.VR for e in code} == stated["DigitalSignaturePurposeCodeSequence"]
    without_timestamp = {k: v for k, v in signature.items() if "Timestamp" not in k}
    assert {e.keyword: e.VR for e in signed.DigitalSignaturesSequence[0]} == without_timestamp
    assert {e.keyword: e.VR for e in signed.MACParametersSequence[0]} == stated["MACParametersSequence"]
    assert signed.DigitalSignaturesSequence[0].CertificateType == "X509_1993_SIG"


def test_the_figures_of_the_comparison_are_those_of_tests_and_benchmarks() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "update_comparison.py", "--check"], check=False)
    assert done.returncode == 0, "run tools/update_comparison.py"


def test_the_lowest_versions_are_those_that_are_declared() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "update_versions.py", "--check"], check=False)
    assert done.returncode == 0, "run tools/update_versions.py dependencies"


def test_supported_pythons_are_classified_and_no_older_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "supported-versions.md").read_text()
    classified = {c.rpartition(" ")[2] for c in project["classifiers"] if "Python :: 3." in c}
    measured = set(re.findall(r"^\| (3\.\d+) \| yes", page, re.MULTILINE))
    assert classified <= measured
    assert project["requires-python"] == ">=" + min(classified, key=lambda v: int(v.partition(".")[2]))


def test_templates_name_commands_and_files_that_there_are() -> None:
    templates = [*(ROOT / ".github").rglob("*.yml"), *(ROOT / ".github").rglob("*.md"), ROOT / "CONTRIBUTING.md"]
    assert len(templates) >= 6
    for template in templates:
        text = template.read_text()
        for name in re.findall(r"(?:docs|tools|tests|dsig|plugins)/[\w./-]*\w\.(?:md|py)", text):
            assert (ROOT / name).exists(), (template.name, name)
        for target in re.findall(r"`make (\w+)`", text):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
