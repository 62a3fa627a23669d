"""Values of other types are refused at once, by name, where the caller wrote them."""

from __future__ import annotations

import dataclasses
import itertools
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import signed as s
from support.encode import part10
from support.pki import PKI, key
from support.signed import DATA

import dsig

PLAIN = part10(s.joined(DATA))
OPTIONS = (
    *(dsig.SignOptions, dsig.VerifyOptions, dsig.Limits, dsig.TrustMaterial, dsig.Policy),
    *(dsig.TsaOptions, dsig.QueryOptions),
)
FIELDS = [(kind, field.name) for kind in OPTIONS for field in dataclasses.fields(kind)]


def made(kind: type, **given: object) -> object:
    """Options, with what has no default."""
    return kind(**({"urls": ("http://tsa.example",)} if kind is dsig.TsaOptions else {}) | given)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind.__name__}.{name}" for kind, name in FIELDS])
def test_no_field_takes_anything(kind: type, name: str):
    for wrong in (object(), {"a": 1}, [object()], 1j):
        with pytest.raises(dsig.UsageError) as refused:
            made(kind, **{name: wrong})
        assert refused.value.message.startswith(f"{kind.__name__}.{name} takes ")


@pytest.mark.parametrize("kind", OPTIONS)
def test_defaults_are_what_they_should_be(kind: type):
    options = made(kind)
    assert dataclasses.replace(options) == options
    assert pickle.loads(pickle.dumps(options)) == options


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: dsig.SignOptions(tags="PatientName"), "SignOptions.tags takes"),
        (lambda: dsig.SignOptions(purpose=True), "SignOptions.purpose takes int | None, not bool"),
        (lambda: dsig.SignOptions(waived="profile-purpose"), "SignOptions.waived takes"),
        (lambda: dsig.VerifyOptions(require_profiles="creator"), "VerifyOptions.require_profiles takes"),
        (lambda: dsig.VerifyOptions(require_profiles=["creator", None]), "not NoneType"),
        (lambda: dsig.VerifyOptions(revocation="HARD"), "dsig.Revocation.HARD"),
        (lambda: dsig.VerifyOptions(check_trust="no"), "VerifyOptions.check_trust takes bool, not str"),
        (lambda: dsig.VerifyOptions(check_trust=0), "VerifyOptions.check_trust takes bool, not int"),
        (lambda: dsig.VerifyOptions(trust=["ca.pem"]), "load_trust"),
        (lambda: dsig.VerifyOptions(policy="policy.toml"), "load_policy"),
        (lambda: dsig.VerifyOptions(at="2026-01-01"), "datetime"),
        (lambda: dsig.TrustMaterial(anchors=b"0\0"), "TrustMaterial.anchors takes"),
        (lambda: dsig.Limits(depth="200"), "Limits.depth takes int, not str"),
    ],
)
def test_what_would_be_misunderstood_is_refused(make: Callable[[], object], said: str):
    """A text is no list of its letters, `revocation="HARD"` not less than was meant, and "no" not true."""
    with pytest.raises(dsig.UsageError) as refused:
        make()
    assert said in str(refused.value)


def test_any_iterable_becomes_a_tuple_that_serves_more_than_once():
    options = dsig.SignOptions(tags=(tag for tag in ("PatientName", 0x00100020)))
    assert options.tags == ("PatientName", 0x00100020)
    assert [dsig.sign(PLAIN, key=key(), options=options).coverage.signed for _ in range(2)] == [2, 2]
    given = ["creator"]
    options = dsig.VerifyOptions(require_profiles=given)
    given.append("other")
    assert options.require_profiles == ("creator",)
    assert hash(dsig.TrustMaterial(anchors=[b"0"])) == hash(dsig.TrustMaterial(anchors=(b"0",)))


def test_what_is_meant_is_taken():
    assert dsig.Limits(seconds=5).seconds == 5
    assert dsig.VerifyOptions(require_coverage="all").require_coverage == "all"
    assert dsig.VerifyOptions(require_coverage=["PatientName"]).require_coverage == ("PatientName",)
    assert dsig.VerifyOptions(at=datetime.now(UTC), revocation=dsig.Revocation.HARD).check_trust
    assert dsig.SignOptions(waived={"profile-purpose"}).waived == {"profile-purpose"}
    assert dsig.SignOptions(dump=Path("dump")).dump == Path("dump")


def test_a_key_and_its_certificate_may_be_paths(tmp_path: Path):
    with dsig.open_key(PKI / "p256.key.pem", certificate=PKI / "p256.pem") as opened:
        dump = tmp_path / "dump"
        signed = dsig.sign(PLAIN, key=opened, options=dsig.SignOptions(dump=dump))
    assert dsig.inspect(signed.output).signatures
    assert dump.stat().st_size > 0


def test_trust_may_come_from_any_iterable_of_paths():
    paths = itertools.chain([PKI / "root.pem"])
    assert dsig.load_trust(paths, {str(PKI / "inter.pem")}) == dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"])


WHERE = dsig.TsaOptions(urls=("http://tsa.example",))
WRONG = {
    "sign, options": lambda wrong: dsig.sign(PLAIN, key=key(), options=wrong),
    "sign, plugins": lambda wrong: dsig.sign(PLAIN, key=key(), plugins=wrong),
    "verify, options": lambda wrong: dsig.verify(PLAIN, wrong),
    "verify, plugins": lambda wrong: dsig.verify(PLAIN, plugins=wrong),
    "verify, limits": lambda wrong: dsig.verify(PLAIN, dsig.VerifyOptions(limits=wrong)),
    "remove, limits": lambda wrong: dsig.remove(PLAIN, everything=True, limits=wrong),
    "remove, everything": lambda wrong: dsig.remove(PLAIN, everything=wrong),
    "remove, transfer_syntax": lambda wrong: dsig.remove(PLAIN, everything=True, transfer_syntax=wrong),
    "inspect, crypto_backend": lambda wrong: dsig.inspect(PLAIN, crypto_backend=wrong),
    "explain, dictionary": lambda wrong: dsig.explain(PLAIN, PLAIN, dictionary=wrong),
    "timestamp_query, options": lambda wrong: dsig.timestamp_query(PLAIN, options=wrong),
    "timestamp, tsa": lambda wrong: dsig.timestamp(PLAIN, tsa=wrong),
    "attach_timestamp, limits": lambda wrong: dsig.attach_timestamp(PLAIN, query=b"", response=b"", limits=wrong),
    "collect_evidence, options": lambda wrong: dsig.collect_evidence(PLAIN, tsa=WHERE, options=wrong),
    "renew_evidence": lambda wrong: dsig.renew_evidence(wrong, tsa=WHERE, options=dsig.VerifyOptions()),
    "verify_evidence": lambda wrong: dsig.verify_evidence(wrong, options=dsig.VerifyOptions()),
    "open_key": lambda wrong: dsig.open_key(wrong).__enter__(),
    "open_key, certificate": lambda wrong: dsig.open_key(PKI / "p256.key.pem", certificate=wrong).__enter__(),
    "load_trust": lambda wrong: dsig.load_trust(wrong),
    "load_trust, a list": lambda wrong: dsig.load_trust([wrong]),
    "load_trust, responses": lambda wrong: dsig.load_trust(ocsps=wrong),
    "load_policy": lambda wrong: dsig.load_policy(wrong),
    "load_dictionaries": lambda wrong: dsig.load_dictionaries(wrong),
    "read_evidence": lambda wrong: dsig.read_evidence(wrong),
}


def test_help_shows_the_arguments_as_they_are():
    import inspect

    assert list(inspect.signature(dsig.verify).parameters) == ["given", "options", "plugins"]
    assert inspect.signature(dsig.sign).parameters["key"].kind is inspect.Parameter.KEYWORD_ONLY
    with pytest.raises(TypeError, match="unexpected keyword argument 'cert'"):
        dsig.inspect(PLAIN, cert="x.pem")
    with pytest.raises(TypeError, match="positional argument"):
        dsig.verify(PLAIN, dsig.VerifyOptions(), None, None)


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("wrong", [7, 0, object(), b"", [7]], ids=["7", "0", "object", "bytes", "list"])
def test_arguments_of_other_types_are_usage_errors(call: Callable[[object], object], wrong: object):
    with pytest.raises(dsig.UsageError, match=r"takes|one path"):
        call(wrong)
