"""Judging a certificate: what the core asks of the certificate itself, of anchors, and of a backend's answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from support.certificates import CA, SINCE, UNTIL, issue, named, p256, purposes, usage

import dsig
from dsig.hookspecs import Revocation, Usage
from dsig.model import Status
from dsig.plugins import default
from dsig.trust.chain import Chains
from dsig.trust.material import TrustMaterial

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CHAINS = Chains(plugins=default(), trust_backend="cryptography", crypto_backend="cryptography")
ROOT = issue("root", extensions=[CA, usage("key_cert_sign", "crl_sign")])
TRUSTED = TrustMaterial(anchors=(ROOT.der,))

ANY = "2.5.29.37.0"
SERVER, CLIENT, CODE, MAIL, TIME, OCSP, DOCUMENT = (f"1.3.6.1.5.5.7.3.{n}" for n in (1, 2, 3, 4, 8, 9, 36))


def judged(signer, material=TRUSTED, at=NOW, **more):
    evidence = CHAINS.judge(signer.der, material, at, **more)
    return evidence.status, [finding.code for finding in evidence.findings]


PASSED = (Status.PASSED, [])


# ---------------------------------------------------------------------------------------------- what it is meant for


@pytest.mark.parametrize("bits", [(), ("digital_signature",), ("content_commitment",),
                                  ("digital_signature", "key_encipherment")])  # fmt: skip
def test_key_usage_of_a_signer_allows_signatures_or_says_nothing(bits):
    assert judged(issue("signer", ROOT, [usage(*bits)] if bits else [])) == PASSED


@pytest.mark.parametrize("bits", [("key_encipherment",), ("key_cert_sign", "crl_sign"), ("key_agreement",)])
def test_a_key_for_other_purposes_makes_no_signatures(bits):
    """RFC 5280 4.2.1.3."""
    assert judged(issue("signer", ROOT, [usage(*bits)])) == (Status.FAILED, ["trust-key-usage"])


def test_an_authority_signs_with_its_own_certificate_and_that_is_told():
    """It could name anybody as the signer; only cA and keyCertSign together make one (RFC 5280 4.2.1.9)."""
    told = (Status.PASSED, ["trust-authority-signs"])
    assert judged(issue("authority", ROOT, [CA, usage("key_cert_sign", "crl_sign")])) == told
    assert judged(ROOT) == told
    assert judged(issue("authority", ROOT, [CA, usage("crl_sign")])) == (Status.FAILED, ["trust-key-usage"])
    tsa = issue("authority", ROOT, [CA, usage("key_cert_sign"), purposes(TIME, critical=True)])
    assert judged(tsa, usage=Usage.TIMESTAMPING) == (Status.FAILED, ["trust-key-usage"])


@pytest.mark.parametrize("allowed", [(ANY,), (MAIL,), (DOCUMENT,), (CLIENT, MAIL), (TIME, ANY)])
@pytest.mark.parametrize("critical", [False, True])
def test_extended_key_usage_of_a_signer_covers_signatures_over_data(allowed, critical):
    assert judged(issue("signer", ROOT, [purposes(*allowed, critical=critical)])) == PASSED


@pytest.mark.parametrize("allowed", [(SERVER,), (TIME,), (OCSP,), (CODE,), (SERVER, CLIENT), ("1.2.3.4",)])
@pytest.mark.parametrize("critical", [False, True])
def test_a_certificate_for_other_purposes_makes_no_signatures(allowed, critical):
    """RFC 5280 4.2.1.12: it must only be used for one of the purposes indicated, critical or not."""
    signer = issue("signer", ROOT, [purposes(*allowed, critical=critical)])
    assert judged(signer) == (Status.FAILED, ["trust-extended-key-usage"])


def test_time_stamps_need_a_certificate_for_time_stamps_alone_and_critically_so():
    """RFC 3161 2.3."""

    def stamping(*extensions):
        return judged(issue("tsa", ROOT, extensions), usage=Usage.TIMESTAMPING)

    refused = (Status.FAILED, ["trust-extended-key-usage"])
    assert stamping(purposes(TIME, critical=True)) == PASSED
    assert stamping(purposes(TIME, critical=True), usage("digital_signature")) == PASSED
    assert stamping(purposes(TIME, critical=False)) == refused
    assert stamping(purposes(TIME, MAIL, critical=True)) == refused
    assert stamping(purposes(ANY, critical=True)) == refused
    assert stamping() == refused
    assert stamping(purposes(TIME, critical=True), usage("key_agreement")) == (Status.FAILED, ["trust-key-usage"])


def test_what_a_certificate_is_meant_for_can_be_told_without_deciding():
    def anything(*extensions, **more):
        return judged(issue("signer", ROOT, extensions), usage=Usage.ANY, **more)

    assert anything(usage("digital_signature")) == PASSED
    assert anything(usage("key_cert_sign")) == (Status.PASSED, ["trust-key-usage"])
    assert anything(usage("key_agreement"), purposes(SERVER, critical=True)) == (
        Status.PASSED,
        ["trust-key-usage", "trust-extended-key-usage"],
    )
    [told] = CHAINS.judge(issue("signer", ROOT, [purposes(TIME)]).der, TRUSTED, NOW, usage=Usage.ANY).findings
    assert told.severity == "warning"
    expired = anything(usage("key_agreement"), at=UNTIL + timedelta(days=1))
    assert expired == (Status.FAILED, ["trust-expired", "trust-key-usage"])
    stranger = issue("stranger", extensions=[usage("key_agreement")])
    assert judged(stranger, usage=Usage.ANY)[0] is Status.FAILED


# ------------------------------------------------------------------------------------- what anchors say of themselves

CERTIFIES = usage("key_cert_sign", "crl_sign")
NAMES = x509.NameConstraints(permitted_subtrees=[x509.DirectoryName(named("allowed"))], excluded_subtrees=None)


def constraints(*, ca: bool = True, length: int | None = None):
    return x509.BasicConstraints(ca=ca, path_length=length), True


@pytest.mark.parametrize("backend", ["certvalidator", "cryptography", "openssl"])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param([constraints(ca=False)], id="it is no authority"),
        pytest.param([constraints(ca=False), usage("digital_signature")], id="it signs data"),
        pytest.param([constraints(), usage("digital_signature")], id="it certifies nobody"),
        pytest.param([usage("digital_signature")], id="nothing but that it signs data"),
        pytest.param([], id="nothing"),
        pytest.param([constraints(), CERTIFIES, (NAMES, True)], id="it certifies others only"),
    ],
)
def test_who_trusts_a_certificate_trusts_it_as_it_is(backend: str, said: list[object]):
    """RFC 5280 4.2.1.9, 4.2.1.3, 4.2.1.10: whoever holds such a key signs, and certifies nobody, or not this one."""
    chains = replace(CHAINS, trust_backend=backend)
    anchor = issue("anchor", extensions=said)
    trusted = TrustMaterial(anchors=(anchor.der,))
    below = issue("below", anchor, [usage("digital_signature")])
    assert chains.judge(below.der, trusted, NOW).status is Status.FAILED
    itself = chains.judge(anchor.der, trusted, NOW, usage=Usage.ANY)
    assert itself.status is Status.PASSED


@pytest.mark.parametrize("backend", ["certvalidator", "cryptography", "openssl"])
def test_an_anchor_says_how_long_paths_may_be(backend: str):
    """RFC 5280 4.2.1.9 pathLenConstraint."""
    chains = replace(CHAINS, trust_backend=backend)
    for length, expected in ((0, Status.FAILED), (1, Status.PASSED), (None, Status.PASSED)):
        anchor = issue("anchor", extensions=[constraints(length=length), CERTIFIES])
        between = issue("between", anchor, [constraints(), CERTIFIES])
        material = TrustMaterial(anchors=(anchor.der,), intermediates=(between.der,))
        assert chains.judge(issue("below", between).der, material, NOW).status is expected
        assert chains.judge(issue("direct", anchor).der, material, NOW).status is Status.PASSED


def test_an_anchor_says_whom_it_certifies():
    """RFC 5280 4.2.1.10; `cryptography` refuses all such constraints, as it cannot look at names of people."""
    for backend in ("certvalidator", "openssl"):
        anchor = issue("anchor", extensions=[constraints(), CERTIFIES, (NAMES, True)])
        allowed = replace(CHAINS, trust_backend=backend).judge(
            issue("allowed", anchor).der, TrustMaterial(anchors=(anchor.der,)), NOW
        )
        assert allowed.status is Status.PASSED


@pytest.mark.parametrize("backend", ["certvalidator", "cryptography", "openssl"])
@pytest.mark.parametrize("kind", ["permitted_subtrees", "excluded_subtrees"])
def test_names_of_a_kind_that_an_anchor_does_not_speak_of_are_free(backend: str, kind: str):
    """RFC 5280 4.2.1.10: restrictions apply only when the specified name form is present; subjects have no host."""
    own = {"permitted_subtrees": None, "excluded_subtrees": None} | {kind: [x509.DNSName("hospital.example")]}
    anchor = issue("anchor", extensions=[constraints(), CERTIFIES, (x509.NameConstraints(**own), True)])
    material, chains = TrustMaterial(anchors=(anchor.der,)), replace(CHAINS, trust_backend=backend)
    inside, outside = (reached(f"ct1.{name}.example") for name in ("hospital", "elsewhere"))
    allowed, refused = (inside, outside) if kind == "permitted_subtrees" else (outside, inside)
    assert chains.judge(issue("no hosts", anchor).der, material, NOW).status is Status.PASSED
    assert chains.judge(issue("signer", anchor, [allowed]).der, material, NOW).status is Status.PASSED
    evidence = chains.judge(issue("signer", anchor, [refused]).der, material, NOW)
    assert (evidence.status, [f.code for f in evidence.findings]) == (Status.FAILED, ["trust-path"])


# ------------------------------------------------------------------------------------------------------------- when


def test_a_certificate_is_valid_from_its_first_second_to_its_last():
    signer = issue("signer", ROOT, since=datetime(2025, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 1, tzinfo=UTC))
    second = timedelta(seconds=1)
    assert judged(signer, at=datetime(2025, 1, 1, tzinfo=UTC)) == PASSED
    assert judged(signer, at=datetime(2026, 1, 1, 0, 0, 0, 999_999, UTC)) == PASSED
    assert judged(signer, at=datetime(2025, 1, 1, tzinfo=UTC) - second) == (Status.FAILED, ["trust-not-yet-valid"])
    assert judged(signer, at=datetime(2026, 1, 1, tzinfo=UTC) + second) == (Status.FAILED, ["trust-expired"])


def test_a_time_without_zone_is_no_time():
    with pytest.raises(dsig.UsageError, match="time zone"):
        judged(issue("signer", ROOT), at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("at", [SINCE - timedelta(days=1), UNTIL + timedelta(days=1)])
def test_an_anchor_ends_no_path_outside_its_own_validity(at):
    """RFC 5280 leaves it open; an expired root vouches for nobody who may have come by its key since."""
    young = issue("signer", ROOT, since=datetime(2000, 1, 1, tzinfo=UTC), until=datetime(2060, 1, 1, tzinfo=UTC))
    assert judged(young, at=at) == (Status.FAILED, ["trust-path", "trust-anchor-not-valid"])


# ---------------------------------------------------------------------------------------------------------- anchors


def test_without_anchors_nobody_knows():
    assert judged(issue("signer", ROOT), TrustMaterial()) == (Status.INDETERMINATE, ["trust-no-anchors"])


def test_an_anchor_that_is_not_self_signed_is_an_intermediate_unless_partial_chains_are_allowed():
    inter = issue("inter", ROOT, [CA])
    signer = issue("signer", inter)
    nowhere = (Status.FAILED, ["trust-path", "trust-anchor-not-root"])
    assert judged(signer, TrustMaterial(anchors=(inter.der,))) == nowhere
    assert judged(signer, TrustMaterial(anchors=(signer.der,))) == nowhere
    assert judged(signer, TrustMaterial(anchors=(inter.der, ROOT.der))) == PASSED
    assert judged(signer, TrustMaterial(anchors=(inter.der,), partial_chain=True)) == PASSED
    assert judged(signer, TrustMaterial(anchors=(signer.der,), partial_chain=True)) == PASSED


def test_a_self_signed_signer_is_trusted_by_being_an_anchor_and_only_so():
    alone = issue("alone")
    assert judged(alone, TrustMaterial(anchors=(alone.der,))) == PASSED
    assert judged(alone, TrustMaterial(anchors=(ROOT.der,), intermediates=(alone.der,))) == (
        Status.FAILED,
        ["trust-path"],
    )
    same_name = issue("alone")
    assert judged(same_name, TrustMaterial(anchors=(alone.der,))) == (Status.FAILED, ["trust-path"])


def test_a_self_signed_anchor_must_be_meant_for_signatures_like_any_signer():
    alone = issue("alone", extensions=[usage("key_encipherment")])
    assert judged(alone, TrustMaterial(anchors=(alone.der,))) == (Status.FAILED, ["trust-key-usage"])


def test_a_certificate_that_cannot_be_read_fails():
    evidence = CHAINS.judge(b"0\x00", TRUSTED, NOW)
    assert (evidence.status, [f.code for f in evidence.findings]) == (Status.FAILED, ["trust-certificate-unreadable"])


# ------------------------------------------------------------------------------------------------------- revocation


@pytest.mark.parametrize("revocation", [Revocation.SOFT, Revocation.HARD, Revocation.HARD_CHAIN])
def test_revocation_that_a_backend_cannot_check_is_left_open(revocation):
    assert judged(issue("signer", ROOT), revocation=revocation) == (
        Status.INDETERMINATE,
        ["trust-revocation-unsupported"],
    )


# ------------------------------------------------------------------------------------------- more than anybody needs


def constrained(name, issuer, hosts, **more):
    """An authority for anything but these hosts."""
    excluded = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName(host) for host in hosts])
    return issue(name, issuer, [constraints(), CERTIFIES, (excluded, True)], **more)


def many(count, what="host"):
    return [f"{what}{number}.example" for number in range(count)]


def reached(*names):
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False


@pytest.mark.parametrize("backend", ["certvalidator", "cryptography", "openssl"])
@pytest.mark.parametrize("place", ["in an anchor", "in an intermediate"])
def test_more_names_and_constraints_than_anybody_compares_end_a_path(backend, place):
    """4.5 million comparisons: OpenSSL has a bound of its own, at 2**20, for the same count."""
    between = constrained("between", None if place == "in an anchor" else ROOT, many(3_000))
    anchor, others = (between, ()) if place == "in an anchor" else (ROOT, (between.der,))
    chains = replace(CHAINS, trust_backend=backend)
    material = TrustMaterial(anchors=(anchor.der,), intermediates=others)
    evidence = chains.judge(issue("signer", between, [reached(*many(1_500, "other"))]).der, material, NOW)
    assert (evidence.status, [f.code for f in evidence.findings]) == (Status.FAILED, ["trust-path"])
    if backend == "certvalidator":
        assert "more names and name constraints than are compared" in evidence.findings[0].message
    few = chains.judge(issue("signer", between, [reached("other.example")]).der, material, NOW)
    assert few.status is Status.PASSED
    excluded = chains.judge(issue("signer", between, [reached("a.host2999.example")]).der, material, NOW)
    assert (excluded.status, [f.code for f in excluded.findings]) == (Status.FAILED, ["trust-path"])


def test_a_path_with_too_many_names_does_not_hide_one_with_few():
    """An authority certified twice: whoever offers the other certificate cannot take the good path away."""
    key = p256()
    good = issue("between", ROOT, [constraints(), CERTIFIES], key=key)
    bad = constrained("between", ROOT, many(3_000), key=key)
    signer = issue("signer", good, [reached(*many(1_500, "other"))])
    for offered in ((good.der, bad.der), (bad.der, good.der)):
        evidence = replace(CHAINS, trust_backend="certvalidator").judge(
            signer.der, TrustMaterial(anchors=(ROOT.der,), intermediates=offered), NOW
        )
        assert evidence.status is Status.PASSED


def test_long_names_count_as_several():
    """One name of 60,000 bytes is compared with each constraint, too."""
    between = constrained("between", ROOT, many(3_000))
    signer = issue("signer", between, [reached("a." * 30_000 + "example")])
    evidence = replace(CHAINS, trust_backend="certvalidator").judge(
        signer.der, TrustMaterial(anchors=(ROOT.der,), intermediates=(between.der,)), NOW
    )
    assert (evidence.status, [f.code for f in evidence.findings]) == (Status.FAILED, ["trust-path"])


@pytest.mark.parametrize("backend", ["certvalidator", "cryptography", "openssl"])
def test_authorities_that_all_certify_each_other_end_nothing(backend):
    """A dozen of them make hundreds of millions of paths, and none of these leads to the root."""
    crowd = [issue(f"crowd {number}", extensions=[CA]) for number in range(12)]
    crossed = [
        issue(f"crowd {number}", other, [CA], key=one.key).der
        for number, one in enumerate(crowd)
        for other in crowd
        if other is not one
    ]
    chains = Chains(plugins=default(), trust_backend=backend, crypto_backend="cryptography")
    material = TrustMaterial(anchors=(ROOT.der,), intermediates=tuple(crossed))
    assert chains.judge(issue("lost", crowd[0]).der, material, NOW).status is Status.FAILED
    found = chains.judge(issue("found", ROOT).der, material, NOW)
    assert found.status is Status.PASSED
