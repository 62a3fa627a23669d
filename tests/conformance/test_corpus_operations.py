"""The corpus: signing and removing succeed or refuse as its manifest expects, with the same elements signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest
from support.corpus import CORPUS, OPERATIONS, PROFILES, SYNTAXES, Case, Scope, place, trust_of

import dsig
from dsig.cli.tags import read_tag_file
from dsig.dicom.location import parse_tag

DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0002-corpus-scope.md"
OUTPUTS = {"+te": "explicit", "+ti": "implicit"}


def misnamed(case: Case, spec: dict[str, Any]) -> bool:
    """The form the operation names for key and certificate is not the one they have."""
    named = spec.get("key_format", "pem")
    return any(Path(spec.get(part, "")).suffix != f".{named}" for part in ("key", "cert"))


LENIENT = (
    Scope("key-format", "the form of a key file is recognised, so it cannot be named wrongly", misnamed),
    Scope("encrypted-der", "encrypted PKCS#8 is read in DER too", lambda _, s: s.get("key", "").endswith(".enc.der")),
)
"""What the manifest expects to be refused and dsig does well."""

WANTED_PURPOSE = {"sr": 1, "srv": 5}
"""A purpose that the SR profiles of PS3.15 C.4 are content with."""

STRICT = (
    Scope(
        "sr-purpose-operations",
        "the SR profiles want the purpose of a signature said, the manifest's set one or none",
        lambda case, spec: (
            case["expected"]["ok"] is True and (spec.get("profile"), spec.get("purpose")) in (("sr", None), ("srv", 2))
        ),
    ),
)
"""What the manifest expects to succeed and dsig refuses."""

EARLY = "certificate not yet valid"
LATE = "expired certificate"


@dataclass
class Password:
    """Gives one password once: asking again means that it was wrong."""

    value: str | None

    def get(self, kind: str, what: str) -> str | None:
        assert kind == "passphrase"
        assert what
        given, self.value = self.value, None
        return given


def name(case: Case) -> str:
    return str(case["id"])


def of(operation: str, *scopes: Scope, outside: tuple[Scope, ...] = ()) -> list[Case]:
    """Operations that all of `scopes` apply to and none of `outside`."""
    return [
        case
        for case in OPERATIONS
        if case["operation"] == operation
        and (not scopes or any(scope.applies(case, case["spec"]) for scope in scopes))
        and not any(scope.applies(case, case["spec"]) for scope in outside)
    ]


def sign(case: Case, output: Path) -> dsig.Signed:
    """Do what the case says."""
    spec = case["spec"]
    tags: tuple[int, ...] | None = tuple(parse_tag(tag) for tag in spec["tags"]) if "tags" in spec else None
    if "tag_file" in spec:
        tags = (*(tags or ()), *read_tag_file(str(CORPUS / spec["tag_file"])))
    options = dsig.SignOptions(
        mac=spec["mac"],
        allow_weak=True,
        profile=PROFILES[spec.get("profile", "none")],
        tags=tags,
        item=spec.get("item", "/"),
        purpose=spec.get("purpose"),
        transfer_syntax=OUTPUTS[spec["output"]] if "output" in spec else None,
    )
    password = Password(spec.get("password"))
    key = f"file:{CORPUS / spec['key']}"
    with dsig.open_key(key, certificate=str(CORPUS / spec["cert"]), secrets=password) as opened:
        return dsig.sign(CORPUS / case["input"], output, key=opened, options=options)


def outcomes(case: Case) -> list[bool]:
    """Whether the operation may succeed, may fail, or both."""
    ok = case["expected"]["ok"]
    return ok if isinstance(ok, list) else [ok]


# -------------------------------------------------------------------------------------------------------- bookkeeping


@pytest.mark.parametrize("scope", [*LENIENT, *STRICT], ids=lambda s: s.name)
def test_what_is_done_otherwise_is_written_down(scope: Scope):
    assert f"`{scope.name}`" in DECISION.read_text()
    assert any(scope.applies(case, case["spec"]) for case in OPERATIONS if case["operation"] != "remove")


def test_every_operation_is_looked_at():
    looked_at = [*SIGN, *of("sign", *LENIENT, *STRICT), *of("remove"), *of("insert-timestamp")]
    assert sorted(map(name, looked_at)) == sorted(map(name, OPERATIONS))


SIGN = of("sign", outside=(*LENIENT, *STRICT))


# ------------------------------------------------------------------------------------------------------------- signing


@pytest.mark.parametrize("case", SIGN, ids=name)
def test_signing_succeeds_or_refuses_as_expected(case: Case, tmp_path: Path):
    output = tmp_path / "out.dcm"
    try:
        signed = sign(case, output)
    except dsig.DsigError as error:
        assert False in outcomes(case), error
        assert str(error)
        assert list(tmp_path.iterdir()) == []
        return
    assert True in outcomes(case), case["what"]
    assert_good(case, signed, output)


def assert_good(case: Case, signed: dsig.Signed, output: Path) -> None:
    """The output verifies and says what the manifest says."""
    report = dsig.verify(output, dsig.VerifyOptions(trust=trust_of("ca")))
    for ours in report.signatures:
        assert [ours.axes[axis].status for axis in ("structure", "integrity")] == ["passed", "passed"]
        trusted = case["what"] not in (EARLY, LATE)
        assert (ours.axes["trust"].status == "passed") is trusted, ours.axes["trust"].findings
    said = {s.uid: s for s in report.signatures}[signed.uid]
    assert "signatures" not in case["expected"] or [
        {
            "elements": list(s.mac.elements),
            "location": place(s),
            "mac": s.mac.algorithm,
            "mac_xfer": s.mac.transfer_syntax,
            "purpose": f"{s.purpose.meaning} ({s.purpose.code}, {s.purpose.scheme})"
            if s.purpose
            else "(not specified)",
        }
        for s in report.signatures
    ] == [
        {
            "elements": [int(tag, 16) for tag in one["elements"]],
            "location": one["location"],
            "mac": one["mac"],
            "mac_xfer": SYNTAXES[one["mac_xfer"]],
            "purpose": one["purpose"],
        }
        for one in case["expected"]["signatures"]
    ]
    assert said.mac.digest == signed.mac.digest
    warned = {f.code for f in signed.findings}
    assert ("certificate-not-yet-valid" in warned) is (case["what"] == EARLY)
    assert ("certificate-expired" in warned) is (case["what"] == LATE)


@pytest.mark.parametrize("case", of("sign", *LENIENT), ids=name)
def test_what_dsig_does_more_leniently_it_does_well(case: Case, tmp_path: Path):
    assert outcomes(case) == [False]
    output = tmp_path / "out.dcm"
    sign(case, output)
    assert dsig.verify(output, dsig.VerifyOptions(trust=trust_of("ca"))).verdict == "passed"


@pytest.mark.parametrize("case", of("sign", *STRICT), ids=name)
def test_what_dsig_does_more_strictly_it_does_when_asked_properly(case: Case, tmp_path: Path):
    with pytest.raises(dsig.UsageError) as caught:
        sign(case, tmp_path / "out.dcm")
    assert caught.value.code == "profile-purpose"
    assert list(tmp_path.iterdir()) == []
    asked = case["spec"] | {"purpose": WANTED_PURPOSE[case["spec"]["profile"]]}
    signed = sign(case | {"spec": asked}, tmp_path / "out.dcm")
    [one] = case["expected"]["signatures"]
    assert list(signed.mac.elements) == [int(tag, 16) for tag in one["elements"]]


# ---------------------------------------------------------------------------------------------------------- timestamps


@pytest.mark.parametrize("case", of("insert-timestamp"), ids=name)
def test_inserting_a_timestamp_succeeds_or_refuses_as_expected(case: Case, tmp_path: Path):
    spec, output = case["spec"], tmp_path / "out.dcm"
    given = CORPUS / case["input"]
    trust = trust_of("ca")

    def attach() -> dsig.Timestamped:
        return dsig.attach_timestamp(
            given,
            output,
            query=CORPUS / spec["query"],
            response=CORPUS / spec["response"],
            uid=dsig.read_uid_file(CORPUS / spec["uid_file"]),
        )

    if not case["expected"]["ok"]:
        with pytest.raises((dsig.InputError, dsig.UsageError)):
            attach()
        assert list(tmp_path.iterdir()) == []
        return
    done = attach()
    options = dsig.VerifyOptions(trust=trust, tsa_trust=trust, timestamps=dsig.TimestampPolicy.REQUIRE)
    [signature] = dsig.verify(output, options).signatures
    assert (signature.verdict, signature.uid) == ("passed", done.uid)
    assert signature.times.proven == done.facts.time.isoformat()
    [with_it], [without] = (pydicom.dcmread(p).DigitalSignaturesSequence for p in (output, given))
    assert with_it.CertifiedTimestampType == "CMS_TSP"
    del with_it.CertifiedTimestampType, with_it.CertifiedTimestamp
    assert with_it == without


# ------------------------------------------------------------------------------------------------------------ removing


def content(data_set: pydicom.Dataset) -> Iterator[tuple[int, str, object]]:
    """Tag, VR and value of every element, sequences as what is in them; group lengths say nothing."""
    for element in data_set:
        if element.tag.element == 0:
            continue
        value = [list(content(one)) for one in element.value] if element.VR == "SQ" else element.value
        yield int(element.tag), element.VR, value


@pytest.mark.parametrize("case", of("remove"), ids=name)
def test_removing_succeeds_or_refuses_as_expected(case: Case, tmp_path: Path):
    spec, expected, output = case["spec"], case["expected"], tmp_path / "out.dcm"
    given = CORPUS / case["input"]
    before = {s.uid for s in dsig.inspect(given).signatures}
    if not expected["ok"]:
        with pytest.raises(dsig.UsageError) as caught:
            dsig.remove(given, output, uid=spec["uid"])
        assert caught.value.code == "no-such-signature"
        assert list(tmp_path.iterdir()) == []
        return
    removed = dsig.remove(given, output, uid=spec["uid"], everything=spec["all"])
    report = dsig.verify(output, dsig.VerifyOptions(trust=trust_of("ca")))
    assert [s.uid for s in report.signatures] == expected["signatures_left"]
    assert {uid for uid, _ in removed.signatures} == before - set(expected["signatures_left"])
    assert report.verdict == ("passed" if expected["signatures_left"] else "unsigned")
    result = pydicom.dcmread(output)
    assert list(content(result)) == list(content(pydicom.dcmread(CORPUS / expected["result_file"])))
    if "equals_base" in expected:
        assert list(content(result)) == list(content(pydicom.dcmread(CORPUS / expected["equals_base"])))
