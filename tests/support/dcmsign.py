"""`dsig-dcmsign` in tests: cases of the corpus as its command lines, runs in this process, its output as data."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsig.cli.dcmsign import main
from support.corpus import CORPUS, POLICIES, Case

OVERALL = {0: "pass", 20: "unreadable", 100: "nosig", 101: "fail", 102: "policy"}
"""Exit codes of a verification in the manifest's words."""
UNTRUSTED = "signature is OK but certificate verification failed:"

REQUIRE = {"none": [], "any": ["+rg"], "creator": ["+rc"], "auth": ["+ru"], "sr": ["+rs"]}
TIMESTAMPS = {"verify": [], "ignore": ["-tv"], "require": ["+tr"]}
INPUTS = {
    "auto": [],
    "file-only": ["+fo"],
    "dataset": ["-f"],
    "dataset-le": ["-f", "-te"],
    "dataset-be": ["-f", "-tb"],
    "dataset-implicit": ["-f", "-ti"],
}
MACS = {"RIPEMD160": "+mr", "MD5": "+mm", "SHA1": "+ms", "SHA256": "+m2", "SHA384": "+m3", "SHA512": "+m5"}
PROFILES = {"none": "-pf", "base": "+pb", "creator": "+pc", "auth": "+pa", "sr": "+pr", "srv": "+pv"}


@dataclass(frozen=True)
class Said:
    """One signature as the output tells of it."""

    uid: str
    location: str
    text: str
    """What stands behind `Signature Verification`."""
    timestamp: str = ""
    """What stands behind `Timestamp Verification`, or that it is absent."""

    @property
    def verdict(self) -> str:
        """In the manifest's words."""
        if self.text == "OK":
            return "ok"
        return "untrusted" if self.text.startswith(UNTRUSTED) else "bad"


@dataclass(frozen=True)
class Run:
    """How a run ended."""

    code: int
    log: str
    """Standard error."""
    out: str = ""

    @property
    def signatures(self) -> list[Said]:
        """The signatures it tells of, read as a script would."""
        found = []
        for part in re.split(r"^W: Signature #\d+ ", self.log, flags=re.MULTILINE)[1:]:
            uid = re.match(r"UID=(.*)", part)
            text = re.search(r"^W:   Signature Verification *: (.*)", part, re.MULTILINE)
            location = re.search(r"^[IW]:   Location *: (.*)", part, re.MULTILINE)
            assert uid
            if text is None:
                continue  # removed
            stamp = re.search(r"^W:   (?:Timestamp Verification|Certified timestamp) *: (.*)", part, re.MULTILINE)
            found.append(Said(uid[1], location[1] if location else "", text[1], stamp[1] if stamp else ""))
        return found

    def said(self, level: str) -> list[str]:
        """The lines of one level."""
        return [line[3:] for line in self.log.splitlines() if line.startswith(f"{level}: ")]


def dcmsign(*arguments: object) -> Run:
    """Run the front end in this process."""
    out, log = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(log):
        code = main([os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments])
    return Run(int(code), log.getvalue(), out.getvalue())


def policy_arguments(policy: str) -> list[str]:
    """The options that stand for a policy of the manifest."""
    given = POLICIES[policy]
    return list(_policy(given))


def _policy(given: dict[str, object]) -> Iterator[str]:
    if given["key_format"] == "der":
        yield "-der"
    for option, field in (("+cf", "trusted"), ("+uf", "untrusted"), ("+cr", "crls"), ("+cd", "cert_dirs")):
        paths = given[field]
        assert isinstance(paths, list)
        for path in paths:
            yield from (option, str(CORPUS / path))
    if given["crl_check"] and not given["crls"]:
        yield "+cl"
    yield from REQUIRE[str(given["require"])]
    yield from TIMESTAMPS[str(given["timestamps"])]
    yield from INPUTS[str(given["input"])]
    if given["old_format"]:
        yield "-fo"
    if given["convert_un"]:
        yield "+uc"


def operation_arguments(case: Case) -> list[str]:
    """The options that stand for an operation of the manifest; paths in its directory."""
    spec = case["spec"]
    if case["operation"] == "remove":
        return ["+ra"] if spec["all"] else ["+r", spec["uid"]]
    if case["operation"] == "insert-timestamp":
        return ["+t", *(str(CORPUS / spec[part]) for part in ("query", "response", "uid_file"))]
    key, certificate = str(CORPUS / spec["key"]), str(CORPUS / spec["cert"])
    command = ["+si", key, certificate, spec["item"]] if "item" in spec else ["+s", key, certificate]
    return [*command, MACS[spec["mac"]], *_signing(spec)]


def _signing(spec: dict[str, object]) -> Iterator[str]:
    if spec.get("key_format") == "der":
        yield "-der"
    password = spec.get("password")
    if password is not None:
        yield from ("+pw", str(password)) if password else ("-pw",)
    if "profile" in spec:
        yield PROFILES[str(spec["profile"])]
    if "purpose" in spec:
        yield from ("+sp", str(spec["purpose"]))
    tags = spec.get("tags", [])
    assert isinstance(tags, Sequence)
    for tag in tags:
        yield from ("-t", tag)
    if "tag_file" in spec:
        yield from ("-tf", str(CORPUS / str(spec["tag_file"])))
    if "output" in spec:
        yield str(spec["output"])
