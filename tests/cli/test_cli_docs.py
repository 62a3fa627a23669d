"""The pages under docs/ name every code there is, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsig.cli.status import ExitStatus
from dsig.judgement.strictness import LOOSE_BORDERS, MEANING, STRENGTH
from dsig.trust.material import load_trust
from dsig.verbs.verify import VerifyOptions, verify

ROOT = Path(__file__).parents[2]
SOURCES = [
    p
    for folder in ("dsig", "plugins")
    for p in (ROOT / folder).rglob("*.py")
    if not p.name.startswith("_k")
    # the kit reports on invented findings, and a vendor documents its own
    and not {ROOT / "dsig/testing", ROOT / "plugins/vendor-example"} & set(p.parents)
]
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")

FINDING_MAKERS = {"Finding", "finding", "_finding", "warn", "notes.add", "MetaProblem"}
COMPUTED_FINDINGS = {
    "dsig/dicom/walk.py": {"duplicate-tag", "tags-not-ascending"},
    "dsig/signature/reading.py": {"canonical-padding", "trailing-nul-padding"},
    "dsig/signature/coverage.py": {
        "unsigned-duplicate",
        "unsigned-not-listed",
        "unsigned-unsignable-nested-un",
        "unsigned-unsignable-tag",
        "unsigned-unsignable-un",
    },
    "plugins/dsig_certvalidator/wording.py": {
        *(f"trust-crl-{what}" for what in ("critical", "delta", "expired", "issuer", "scope", "signature")),
        *(f"trust-ocsp-{what}" for what in ("expired", "mismatch", "responder", "signature")),
    },
    "plugins/dsig_certvalidator/trust.py": {"trust-crl-unreadable", "trust-ocsp-unreadable", "trust-anchor-unreadable"},
    "plugins/dsig_openssl/trust.py": {"trust-crl-unreadable", "trust-anchor-unreadable"},
    "dsig/signature/signatures.py": {"meta-sop-class-uid", "meta-sop-instance-uid"},
}
"""Findings whose code is put together or handed on, by the module that decides."""
COMPUTED_ERRORS = {
    "dsig/dicom/file.py": {"meta-encoding", "meta-group-length"},
    "plugins/dsig_files/passphrase.py": {"passphrase-needed", "wrong-passphrase"},
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the source with the name called: `name`, or `object.name`."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func).removeprefix("self."), node


def text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def finding_codes() -> set[str]:
    found = {text(call.args[0]) for name, call in calls() if name in FINDING_MAKERS and call.args}
    return {code for code in found if code and SLUG.match(code)} | set().union(*COMPUTED_FINDINGS.values())


def error_codes() -> set[str]:
    found = {text(k.value) for _, call in calls() for k in call.keywords if k.arg == "code"}
    found |= {text(call.args[0]) for name, call in calls() if name == "_error" and call.args}
    found |= set(re.findall(r'default_code = "([a-z-]+)"', (ROOT / "dsig/errors.py").read_text()))
    return {code for code in found if code} | set().union(*COMPUTED_ERRORS.values())


def documented(page: str) -> list[str]:
    """Codes in the first column of the tables of a page."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / page).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("page", "codes"), [("findings.md", finding_codes()), ("exit-status.md", error_codes())])
def test_page_names_every_code_of_the_source_once_and_no_other(page, codes):
    names = documented(page)
    assert codes - set(names) == set(), f"not in docs/{page}"
    assert set(names) - codes == set(), f"in docs/{page}, but nowhere in the source"
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("module", "codes"), [*COMPUTED_FINDINGS.items(), *COMPUTED_ERRORS.items()])
def test_computed_codes_still_come_from_where_we_think(module, codes):
    source = (ROOT / module).read_text()
    for code in codes:
        part = code.removeprefix("unsigned-") if code.startswith("unsigned-") else code
        assert part in source or code.startswith("meta-sop-")


def test_findings_on_the_corpus_are_documented(corpus, pki):
    options = VerifyOptions(trust=load_trust([pki / "root.pem"], [pki / "inter.pem"]), require_coverage="all")
    seen: set[str] = set()
    for path in sorted((corpus / "files").iterdir()):
        report = verify(path, options)
        seen |= {f.code for f in report.findings}
        seen |= {f.code for s in report.signatures for axis in s.axes.values() for f in axis.findings}
    assert seen <= set(documented("findings.md"))
    assert len(seen) > 15


def untested(codes: list[str]) -> list[str]:
    """Codes that no test outside this file says as a string of its own, or as the last word of one."""
    said: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        if path != Path(__file__):
            nodes = ast.walk(ast.parse(path.read_text()))
            texts = (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
            said |= {text.rpartition(" ")[2] for text in texts}
    return [code for code in codes if code not in said]


def test_every_finding_is_tested():
    codes = documented("findings.md")
    assert len(codes) > 120
    assert untested(codes) == []


def test_a_finding_that_nothing_tests_would_be_noticed():
    """Nor is one tested that is only part of a longer code, or of a comment: mac-mismatch-of-another-kind."""
    invented = ["mac-mismatch-of-another-kind", "mac-mism", "no-such-finding"]
    assert untested([*invented, "mac-mismatch"]) == invented


def test_the_threat_model_names_findings_that_exist_and_none_of_its_attacks_is_without():
    page = (ROOT / "docs" / "threat-model.md").read_text()
    refused = page[page.index("## What is refused") : page.index("### Files made to hurt")]
    rows = [line.strip("| ").split(" | ") for line in refused.splitlines() if line.startswith("| ")]
    attacks = [row for row in rows if row[0] != "attack" and set(row[0]) != {"-"}]
    assert len(attacks) > 40
    known = set(documented("findings.md")) | set(documented("exit-status.md")) | {"unsigned"}
    for attack, answer in attacks:
        codes = set(re.findall(r"`([a-z0-9-]+)`", answer))
        assert codes <= known, attack
        assert codes or "the same" in answer or "never used" in answer, attack


def test_what_the_threat_model_calls_strict_is():
    page = (ROOT / "docs" / "threat-model.md").read_text()
    called = set(re.findall(r"`([a-z0-9-]+)` \(strict\)", page))
    assert called >= MEANING | LOOSE_BORDERS
    assert called & STRENGTH == set()


def test_every_exit_status_is_documented():
    table = (ROOT / "docs" / "exit-status.md").read_text()
    assert {int(n) for n in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == {int(s) for s in ExitStatus}
