"""Ten years on: evidence proves what certificates no longer can, and nothing else does (docs/evidence.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import tsa
from support.pki import BASE
from timestamps.conftest import der

import dsig
from dsig import TrustMaterial, TsaOptions, VerifyOptions
from dsig.cli import main

pytestmark = pytest.mark.interop

LATER = datetime(2036, 11, 22, tzinfo=UTC)
RENEWED_AT = datetime(2028, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """An authority that ends in 2030; its signer ends in 2028."""
    made = tsa.Authority(tmp_path_factory.mktemp("signers"), "Hospital")
    made.certificate("root", "root", issuer=None, end="20300101000000Z")
    made.certificate("signer", "signer", end="20280601000000Z")
    return made


@pytest.fixture(scope="module")
def forgers(signers: tsa.Authority, tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """Another authority of the same name."""
    made = tsa.Authority(tmp_path_factory.mktemp("forgers"), "Hospital")
    made.certificate("signer", "signer", end="20280601000000Z")
    return made


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """TSAs that end in 2028."""
    made = tsa.Authority(tmp_path_factory.mktemp("first"), "First Stamps")
    made.certificate("root", "root", issuer=None, end="20300101000000Z")
    made.certificate("tsa", end="20280601000000Z")
    return made


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """TSAs that last until 2049."""
    made = tsa.Authority(tmp_path_factory.mktemp("second"), "Second Stamps")
    made.certificate("tsa")
    return made


@pytest.fixture(scope="module")
def options(signers: tsa.Authority, first: tsa.Authority, second: tsa.Authority) -> VerifyOptions:
    return VerifyOptions(
        trust=TrustMaterial(anchors=(der(signers),)), tsa_trust=TrustMaterial(anchors=(der(first), der(second)))
    )


def stamped_by(authority: tsa.Authority, work: Callable[[TsaOptions], object], at: str | None = None) -> object:
    """Do something with a TSA at hand, whose clock may be another."""
    with tsa.serving(authority) as server:
        server.answers = [] if at is None else [lambda query: authority.stamp(query, at=at)]
        return work(TsaOptions(urls=(server.url,)))


def signed_by(authority: tsa.Authority, stamps: tsa.Authority | None) -> bytes:
    key = f"file:{authority.key('signer')}"
    with dsig.open_key(key, certificate=str(authority.issued["signer"])) as opened:

        def sign(at: TsaOptions | None) -> bytes:
            done = dsig.sign((BASE / "ct.dcm").read_bytes(), key=opened, options=dsig.SignOptions(timestamp=at))
            assert isinstance(done.output, bytes)
            return done.output

        return sign(None) if stamps is None else stamped_by(stamps, sign)


@pytest.fixture(scope="module", params=["stamped", "not stamped"])
def given(request: pytest.FixtureRequest, signers: tsa.Authority, first: tsa.Authority) -> bytes:
    return signed_by(signers, first if request.param == "stamped" else None)


@pytest.fixture(scope="module")
def collected(given: bytes, first: tsa.Authority, options: VerifyOptions) -> dsig.Evidence:
    return stamped_by(first, lambda at: dsig.collect_evidence(given, tsa=at, options=options))


@pytest.fixture(scope="module")
def renewed(collected: dsig.Evidence, second: tsa.Authority, options: VerifyOptions) -> dsig.Evidence:
    then = replace(options, at=RENEWED_AT)
    work = lambda at: dsig.renew_evidence(collected, tsa=at, options=then)  # noqa: E731
    return stamped_by(second, work, at=f"{RENEWED_AT:%Y-%m-%d %H:%M:%S}")


def judge(given: bytes, options: VerifyOptions, at: datetime, *evidence: dsig.Evidence) -> dsig.SignatureReport:
    [signature] = dsig.verify(given, replace(options, at=at, evidence=evidence)).signatures
    return signature


def codes(signature: dsig.SignatureReport, axis: str = "time") -> list[str]:
    return [f.code for f in signature.axes[axis].findings if f.severity == "error"]


def test_ten_years_on_a_signature_passes_with_evidence_and_not_without(given, options, renewed):
    assert judge(given, options, LATER).verdict == "failed"
    signature = judge(given, options, LATER, renewed)
    assert (signature.verdict, signature.axes["trust"].status, signature.axes["time"].status) == ("passed",) * 3
    proven = datetime.fromisoformat(signature.times.proven)
    assert abs((datetime.now(UTC) - proven).total_seconds()) < 600
    assert "evidence-says" in [f.code for f in signature.axes["time"].findings]


@pytest.mark.parametrize(
    ("at", "reason", "verdict", "code"),
    [
        ("2027-03-01 00:00:00", ("reason", "superseded"), "passed", "trust-revoked-later"),
        ("2027-03-01 00:00:00", ("reason", "keyCompromise"), "passed", "trust-revoked-later"),
        ("2027-03-01 00:00:00", ("compromise", "20261230000000Z"), "passed", "trust-revoked-later"),
        ("2027-03-01 00:00:00", ("compromise", "20260101000000Z"), "failed", "trust-revoked"),
        ("2026-01-01 00:00:00", ("reason", "superseded"), "failed", "trust-revoked"),
    ],
)
def test_a_signer_revoked_after_the_proven_time_passes_ten_years_on_and_no_other(
    given, options, renewed, signers, at, reason, verdict, code
):
    """All certificates have expired by then, the list and its issuer too. The key's loss counts from its own date."""
    told = signers.crl("signer", at=at, reason=reason)
    knowing = replace(options, trust=replace(options.trust, crls=(told,)))
    for revocation in (None, dsig.Revocation.SOFT, dsig.Revocation.NONE):
        asked = replace(knowing, revocation=revocation)
        assert judge(given, asked, LATER).verdict == "failed", "without evidence"
        signature = judge(given, asked, LATER, renewed)
        if revocation is dsig.Revocation.NONE:
            assert signature.verdict == "passed", "nobody asks"
            continue
        assert (signature.verdict, signature.axes["trust"].status) == (verdict, verdict)
        assert code in [f.code for f in signature.axes["trust"].findings]


def test_evidence_that_was_not_renewed_in_time_proves_nothing(given, options, collected):
    assert judge(given, options, datetime(2028, 1, 1, tzinfo=UTC), collected).verdict == "passed"
    late = judge(given, options, LATER, collected)
    assert (late.verdict, late.times.proven) == ("failed", "")
    assert "timestamp-tsa-no-longer" in codes(late)


def test_evidence_needs_the_roots_of_its_tsas(given, options, renewed, first):
    only_old = replace(options, tsa_trust=TrustMaterial(anchors=(der(first),)))
    assert judge(given, only_old, LATER, renewed).verdict == "failed"
    assert judge(given, replace(options, tsa_trust=TrustMaterial()), LATER, renewed).verdict != "passed"


def test_evidence_of_another_signature_proves_nothing(given, options, renewed, signers, first):
    other = signed_by(signers, first)
    assert judge(other, options, LATER, renewed).verdict == "failed"


def test_a_forged_signer_under_an_expired_root_never_passes(options, forgers, first, second, renewed):
    """With the name of the expired root, a genuine timestamp, and evidence of its own."""
    for stamps in (None, first):
        forged = signed_by(forgers, stamps)
        with pytest.raises(dsig.UsageError) as caught:
            stamped_by(first, lambda at, forged=forged: dsig.collect_evidence(forged, tsa=at, options=options))
        assert caught.value.code == "evidence-not-passed"
        theirs = replace(options, trust=TrustMaterial(anchors=(der(forgers),)))
        own = stamped_by(first, lambda at, forged=forged, theirs=theirs: dsig.collect_evidence(
            forged, tsa=at, options=theirs))  # fmt: skip
        for at in (datetime(2027, 1, 1, tzinfo=UTC), LATER):
            for evidence in ((), (own,), (renewed,), (renewed, own)):
                assert judge(forged, options, at, *evidence).axes["trust"].status == "failed"


def test_old_evidence_cannot_be_made_anew(given, options, collected, second):
    """Stamped only when its parts had expired: the TSA of the first stamp may be anybody by then."""
    late = stamped_by(second, lambda at: _renewed_blindly(collected, at), at="2035-01-01 00:00:00")
    assert judge(given, options, LATER, late).verdict == "failed"
    with pytest.raises(dsig.UsageError, match="no longer good"):
        stamped_by(second, lambda at: dsig.renew_evidence(
            collected, tsa=at, options=replace(options, at=datetime(2035, 1, 1, tzinfo=UTC))))  # fmt: skip


def test_archive_timestamps_must_ascend(given, options, collected, first):
    earlier = stamped_by(first, lambda at: _renewed_blindly(collected, at), at="2026-01-01 00:00:00")
    signature = judge(given, options, datetime(2027, 1, 1, tzinfo=UTC), earlier)
    assert (codes(signature), signature.verdict) == (["evidence-order"], "failed")
    before = judge(given, options, datetime(2026, 1, 1, tzinfo=UTC), collected)
    assert "evidence-order" in codes(before)


def test_evidence_without_archive_timestamp_proves_nothing(given, options, collected):
    signature = judge(given, options, datetime(2027, 1, 1, tzinfo=UTC), replace(collected, archive=()))
    assert (codes(signature), signature.verdict) == (["evidence-unstamped"], "failed")


def _renewed_blindly(evidence: dsig.Evidence, at: TsaOptions) -> dsig.Evidence:
    from dsig.plugins import default
    from dsig.timestamps.evidence import Archived
    from dsig.verbs.evidence import _stamped

    return _stamped(evidence, Archived(), at, default())


# ------------------------------------------------------------------------------------------------------------- the file


@pytest.fixture
def written(renewed: dsig.Evidence, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.json"
    path.write_bytes(renewed.document())
    return path


def test_what_is_written_is_read_again(written: Path, renewed: dsig.Evidence):
    assert dsig.read_evidence(written) == renewed


def test_an_archive_timestamp_is_about_the_canonical_json_before_it(written: Path, tmp_path: Path):
    """Made by hand, and checked by openssl alone."""
    whole = json.loads(written.read_bytes())
    for number, entry in enumerate(whole["archive"]):
        before = {
            "schema": whole["schema"],
            "content": whole["content"],
            "archive": whole["archive"][:number],
            "certificates": entry["certificates"],
            "crls": entry["crls"],
            "ocsps": entry["ocsps"],
        }
        data, token = tmp_path / "data", tmp_path / "token"
        data.write_text(json.dumps(before, sort_keys=True, separators=(",", ":")))
        token.write_bytes(base64.b64decode(entry["timestamp"]))
        said = tsa.openssl("ts", "-reply", "-token_in", "-in", token, "-text").decode()
        digest = tsa.openssl("dgst", "-sha256", "-r", data).decode().split()[0]
        hexadecimal = "".join(
            line[11:60].replace("-", "").replace(" ", "") for line in said.splitlines() if " - " in line
        )
        assert digest in hexadecimal


@pytest.mark.parametrize("part", ["uid", "location", "signature", "timestamp", "certificates", "archive"])
def test_nothing_in_it_can_be_changed(written: Path, given: bytes, options, part: str):
    whole = json.loads(written.read_bytes())
    [one] = whole["content"]["signatures"]
    if part in ("uid", "location"):
        one[part] += "1"
    elif part in ("signature", "timestamp"):
        whole["content"]["signatures"].append({**one, part: base64.b64encode(b"another").decode()})
    elif part == "certificates":
        whole["content"]["certificates"].pop()
    else:
        whole["archive"].pop(0)
    written.write_text(json.dumps(whole))
    signature = judge(given, options, LATER, dsig.read_evidence(written))
    assert codes(signature)[:2] == ["evidence-broken", "timestamp-imprint"]
    assert signature.verdict == "failed"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"dsig.evidence/1"', '"dsig.evidence/2"'),
        lambda text: text.replace('"crls"', '"crls2"', 1),
        lambda text: text.replace('"schema"', '"schema": 1, "schema"', 1),
        lambda text: "[]",
        lambda text: "[" * 100_000,
        lambda text: '{"schema": "dsig.evidence/1", "content": [], "archive": {}}',
        lambda text: text.replace('"timestamp": "MI', '"timestamp": "M!', 1),
        lambda text: "",
    ],
)
def test_what_is_no_evidence_is_refused(written: Path, change: Callable[[str], str]):
    written.write_text(change(written.read_text()))
    with pytest.raises(dsig.InputError) as caught:
        dsig.read_evidence(written)
    assert caught.value.code == "evidence-unreadable"


# ---------------------------------------------------------------------------------------------------- the command line


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def test_a_batch_has_one_file_of_evidence(tmp_path: Path, signers, first, second, capfd):
    for number in range(3):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{number}.dcm").write_bytes(signed_by(signers, first))
    trust = ("--trust-root", signers.directory / "root.pem")
    roots = ("--tsa-root", first.directory / "root.pem", "--tsa-root", second.directory / "root.pem")
    evidence, new = tmp_path / "e.json", tmp_path / "e2.json"
    revoked, lost = tmp_path / "revoked.crl", tmp_path / "lost.crl"
    revoked.write_bytes(signers.crl("signer", at="2027-03-01 00:00:00"))
    lost.write_bytes(signers.crl("signer", at="2027-03-01 00:00:00", reason=("compromise", "20260101000000Z")))
    with tsa.serving(first) as server:
        assert run("evidence", "collect", tmp_path / "in", "-o", evidence, *trust, *roots, "--tsa", server.url) == 0
    with tsa.serving(second) as server:
        server.answers = [lambda query: second.stamp(query, at="2028-01-01 00:00:00")]
        at = ("--at", "2028-01-01T00:00:00Z")
        assert run("evidence", "renew", evidence, "-o", new, *roots, *at, "--tsa", server.url) == 0
    later = ("--at", "2036-11-22T00:00:00Z")
    assert run("evidence", "verify", new, *roots, *later) == 0
    assert run("evidence", "verify", evidence, *roots, *later) == 1
    assert run("verify", tmp_path / "in", *trust, *roots, *later, "--evidence", new, "--require-timestamp") == 0
    assert run("verify", tmp_path / "in", *trust, *roots, *later, "--evidence", evidence) == 1
    assert run("verify", tmp_path / "in", *trust, *roots, *later) == 1
    assert run("verify", tmp_path / "in", *trust, *roots, *later, "--evidence", new, "--crl", revoked) == 0
    assert run("verify", tmp_path / "in", *trust, *roots, *later, "--crl", revoked) == 1
    assert run("verify", tmp_path / "in", *trust, *roots, *later, "--evidence", new, "--crl", lost) == 1
    assert run("verify", tmp_path / "in", *trust, "--evidence", tmp_path / "none.json") == 5
    assert "evidence proves that" in capfd.readouterr().out
