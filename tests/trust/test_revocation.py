"""Revocation: who may say it, of whom, and of which moment. Lists and responses made with `cryptography`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from support import pkits
from support.certificates import CA, Holder, issue, named, purposes, usage

from dsig.hookspecs import Revocation, TrustRequest
from dsig.model import Status
from dsig.plugins import default
from dsig.trust.chain import Chains
from dsig.trust.material import TrustMaterial

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
BOTH = pytest.mark.parametrize("backend", ["certvalidator", "openssl"])

ROOT = issue("root", extensions=[CA, usage("key_cert_sign", "crl_sign")])
INTER = issue("inter", ROOT, [CA, usage("key_cert_sign", "crl_sign")])
SIGNER = issue("signer", INTER, [usage("digital_signature")])
STRANGER = issue("inter", extensions=[CA])


def crl(
    issuer: Holder = INTER,
    revoked: dict[Holder, datetime] | None = None,
    *,
    since: datetime = NOW - DAY,
    until: datetime | None = NOW + 30 * DAY,
    key: object = None,
    extensions=(),
    reason: x509.ReasonFlags | None = None,
    lost: datetime | None = None,
) -> bytes:
    """A CRL, DER."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject).last_update(since)
    builder = builder.next_update(until)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for holder, when in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(holder.certificate.serial_number).revocation_date(when)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        if lost is not None:
            entry = entry.add_extension(x509.InvalidityDate(lost), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def response(
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    *,
    of: Holder = SIGNER,
    issuer: Holder = INTER,
    by: Holder | None = None,
    since: datetime = NOW - timedelta(hours=1),
    until: datetime | None = NOW + DAY,
    revoked: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
) -> bytes:
    """An OCSP response, DER; by its issuer itself unless somebody else is named."""
    responder = by or issuer
    builder = ocsp.OCSPResponseBuilder().add_response(
        of.certificate, issuer.certificate, hashes.SHA256(), status, since, until, revoked, reason
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, responder.certificate)
    if by is not None:
        builder = builder.certificates([by.certificate])
    return builder.sign(responder.key, hashes.SHA256()).public_bytes(Encoding.DER)


def judged(
    *crls: bytes,
    backend: str = "certvalidator",
    ocsps: tuple[bytes, ...] = (),
    revocation: Revocation = Revocation.HARD,
    at: datetime = NOW,
    signer: Holder = SIGNER,
    more: tuple[Holder, ...] = (),
):
    """Status and codes: of the signer under inter under root."""
    material = TrustMaterial((ROOT.der,), (INTER.der, *(one.der for one in more)), crls, ocsps)
    chains = Chains(plugins=default(), trust_backend=backend, crypto_backend="cryptography")
    evidence = chains.judge(signer.der, material, at, revocation=revocation)
    below = {
        "trust-crl-missing",
        "trust-revocation-unknown",
        "trust-ocsp-refused",
    }  # nothing is at hand about the intermediate
    told = [f.code for f in evidence.findings if not (f.severity == "warning" and f.code in below)]
    return evidence.status, list(dict.fromkeys(told))


PASSED = (Status.PASSED, [])


def unknown(code: str):
    return (Status.INDETERMINATE, [code])


# -------------------------------------------------------------------------------------------------------------- CRLs


@BOTH
def test_a_list_that_does_not_name_the_certificate_says_that_it_is_good(backend):
    assert judged(crl(), backend=backend) == PASSED
    other = issue("other", INTER)
    assert judged(crl(revoked={other: NOW - DAY}), backend=backend) == PASSED


@BOTH
@pytest.mark.parametrize("revocation", [Revocation.SOFT, Revocation.HARD, Revocation.HARD_CHAIN])
def test_a_revoked_signer_fails_however_much_was_asked(backend, revocation):
    status, codes = judged(crl(revoked={SIGNER: NOW - DAY}), crl(ROOT), backend=backend, revocation=revocation)
    assert (status, codes) == (Status.FAILED, ["trust-revoked"])


@BOTH
def test_a_revoked_authority_fails_too(backend):
    assert judged(crl(), crl(ROOT, {INTER: NOW - DAY}), backend=backend) == (Status.FAILED, ["trust-revoked"])


@BOTH
def test_a_revocation_counts_from_its_date(backend):
    """Revoked on 1 May: good on 30 April, not on 1 May, whatever day the list is of."""
    first = datetime(2026, 5, 1, tzinfo=UTC)
    listed = crl(revoked={SIGNER: first})
    assert judged(listed, backend=backend, at=first - timedelta(seconds=1)) == (Status.PASSED, ["trust-revoked-later"])
    for later in (first, first + DAY, NOW):
        assert judged(listed, backend=backend, at=later) == (Status.FAILED, ["trust-revoked"]), later


@BOTH
def test_the_day_the_key_was_lost_counts_if_it_is_earlier(backend):
    """RFC 5280 5.3.2: invalidityDate."""
    listed = crl(revoked={SIGNER: datetime(2026, 5, 1, tzinfo=UTC)}, lost=datetime(2026, 4, 1, tzinfo=UTC))
    assert judged(listed, backend=backend, at=datetime(2026, 4, 2, tzinfo=UTC)) == (Status.FAILED, ["trust-revoked"])
    before = judged(listed, backend=backend, at=datetime(2026, 3, 31, tzinfo=UTC))
    assert before == (Status.PASSED, ["trust-revoked-later"])


@BOTH
def test_without_any_list_of_the_issuer_nothing_is_known(backend):
    nobodys = crl(issue("somebody", extensions=[CA]))
    assert judged(nobodys, backend=backend) == unknown("trust-crl-missing")
    assert judged(crl(ROOT), backend=backend) == unknown("trust-crl-missing")
    assert judged(nobodys, backend=backend, revocation=Revocation.SOFT) == PASSED


def test_what_cannot_be_read_is_told_and_leaves_everything_open():
    cut = crl()[:-1]
    assert judged(cut, crl()) == unknown("trust-crl-unreadable")
    assert judged(cut, crl(), backend="openssl") == unknown("trust-crl-unreadable")
    assert judged(crl(), ocsps=(b"0\x03\x0a\x01\x63",)) == unknown("trust-ocsp-unreadable")


def test_without_anything_nothing_is_known():
    assert judged() == unknown("trust-revocation-unknown")
    assert judged(revocation=Revocation.NONE) == PASSED


@BOTH
def test_hard_is_about_the_signer_and_hard_chain_about_all(backend):
    assert judged(crl(), backend=backend, revocation=Revocation.HARD) == PASSED
    status, codes = judged(crl(), backend=backend, revocation=Revocation.HARD_CHAIN)
    assert (status, codes) == unknown("trust-crl-missing")
    assert judged(crl(), crl(ROOT), backend=backend, revocation=Revocation.HARD_CHAIN) == PASSED


@BOTH
def test_an_outdated_list_is_silent_about_what_it_does_not_name(backend):
    old = {"since": NOW - 60 * DAY, "until": NOW - DAY}
    assert judged(crl(**old), backend=backend) == unknown("trust-crl-expired")
    assert judged(crl(**old), crl(), backend=backend) == PASSED
    for revocation in (Revocation.SOFT, Revocation.HARD):
        told = judged(crl(revoked={SIGNER: NOW - 70 * DAY}, **old), backend=backend, revocation=revocation)
        assert told == (Status.FAILED, ["trust-revoked"]), "what it tells stays true"


def test_a_list_from_the_future_is_not_believed():
    assert judged(crl(since=NOW + 400 * DAY, until=NOW + 500 * DAY)) == unknown("trust-crl-not-yet-valid")


@BOTH
def test_a_list_signed_by_somebody_else_is_not_believed(backend):
    forged = crl(key=STRANGER.key)
    assert judged(forged, backend=backend) == unknown("trust-crl-signature")
    assert judged(forged, backend=backend, revocation=Revocation.SOFT) == (Status.PASSED, ["trust-crl-signature"])
    assert judged(forged, crl(), backend=backend) == PASSED
    for lists in ((forged, crl(revoked={SIGNER: NOW - DAY})), (crl(revoked={SIGNER: NOW - DAY}), forged)):
        for revocation in (Revocation.SOFT, Revocation.HARD):
            told = judged(*lists, backend=backend, more=(STRANGER,), revocation=revocation)
            assert told == (Status.FAILED, ["trust-revoked"])


@BOTH
def test_an_authority_that_may_not_sign_lists_is_not_believed(backend):
    """RFC 5280 4.2.1.3: cRLSign."""
    mute = issue("mute", ROOT, [CA, usage("key_cert_sign")])
    told = judged(crl(mute), backend=backend, signer=issue("signer", mute), more=(mute,))
    assert told == unknown("trust-crl-issuer")


@BOTH
def test_a_list_with_an_unknown_critical_extension_is_not_believed(backend):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert judged(crl(extensions=[(odd, False)]), backend=backend) == PASSED
    assert judged(crl(extensions=[(odd, True)]), backend=backend) == unknown("trust-crl-critical")


def point(**said) -> tuple[x509.IssuingDistributionPoint, bool]:
    fields = {
        "full_name": None, "relative_name": None, "only_contains_user_certs": False, "only_contains_ca_certs": False,
        "only_some_reasons": None, "indirect_crl": False, "only_contains_attribute_certs": False,
    }  # fmt: skip
    return x509.IssuingDistributionPoint(**fields | said), True


@BOTH
def test_a_list_for_other_certificates_does_not_answer(backend):
    """RFC 5280 6.3.3 b."""
    for said in ({"only_contains_ca_certs": True}, {"only_contains_attribute_certs": True}):
        assert judged(crl(extensions=[point(**said)]), backend=backend) == unknown("trust-crl-scope"), said
    some = judged(
        crl(extensions=[point(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise]))]), backend=backend
    )
    assert some == unknown({"certvalidator": "trust-crl-scope", "openssl": "trust-crl-missing"}[backend])
    assert judged(crl(extensions=[point(only_contains_user_certs=True)]), backend=backend) == PASSED


@BOTH
@pytest.mark.parametrize(
    "said",
    [
        {"only_contains_ca_certs": True},
        {"only_contains_attribute_certs": True},
        {"full_name": [x509.UniformResourceIdentifier("http://127.0.0.1/other.crl")]},
    ],
    ids=["authorities", "attribute certificates", "another distribution point"],
)
def test_what_the_issuer_tells_of_a_certificate_counts_in_whatever_list(backend, said):
    """By its silence such a list says nothing. But the serial number is the issuer's own, and so is the signature."""
    for revocation in (Revocation.SOFT, Revocation.HARD):
        listed = crl(revoked={SIGNER: NOW - DAY}, extensions=[point(**said)])
        assert judged(listed, backend=backend, revocation=revocation) == (Status.FAILED, ["trust-revoked"])
        assert judged(crl(), listed, backend=backend, revocation=revocation) == (Status.FAILED, ["trust-revoked"])
    later = crl(revoked={SIGNER: NOW - DAY}, extensions=[point(**said)])
    assert judged(later, backend=backend, at=NOW - 2 * DAY)[1] == ["trust-revoked-later"]
    forged = crl(revoked={SIGNER: NOW - DAY}, extensions=[point(**said)], key=STRANGER.key)
    assert judged(forged, backend=backend, revocation=Revocation.SOFT)[0] is Status.PASSED
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    unusable = crl(revoked={SIGNER: NOW - DAY}, extensions=[point(**said), (odd, True)])
    assert judged(unusable, revocation=Revocation.SOFT)[0] is Status.PASSED, "RFC 5280 5.2: it must not be used"


def test_an_indirect_list_answers_only_for_certificates_that_name_it():
    other = issue("crl issuer", ROOT, [CA, usage("crl_sign")])
    indirect = crl(other, extensions=[point(indirect_crl=True)])
    assert judged(indirect, more=(other,)) == unknown("trust-crl-scope")
    names = x509.DistributionPoint(None, None, None, [x509.DirectoryName(named("crl issuer"))])
    naming = issue("signer", INTER, [(x509.CRLDistributionPoints([names]), False)])
    assert judged(indirect, signer=naming, more=(other,))[0] is Status.PASSED
    plain = crl(other)
    assert judged(plain, signer=naming, more=(other,))[0] is Status.INDETERMINATE, "it does not say that it is one"


def test_the_list_of_a_sibling_authority_says_nothing_about_others():
    """Whoever has a certificate of the issuer is not the issuer."""
    sibling = issue("sibling", INTER, [CA, usage("key_cert_sign", "crl_sign")])
    assert judged(crl(sibling), more=(sibling,)) == unknown("trust-crl-missing")


def test_a_list_that_points_to_changes_needs_them():
    """RFC 5280 5.2.6: freshestCRL."""
    where = x509.DistributionPoint([x509.UniformResourceIdentifier("http://127.0.0.1/delta")], None, None, None)
    base = crl(extensions=[(x509.CRLNumber(1), False), (x509.FreshestCRL([where]), False)])
    assert judged(base) == unknown("trust-crl-delta")
    changes = crl(
        revoked={SIGNER: NOW - DAY}, extensions=[(x509.CRLNumber(2), False), (x509.DeltaCRLIndicator(1), True)]
    )
    assert judged(base, changes) == (Status.FAILED, ["trust-revoked"])


NUMBER_1, NUMBER_2 = (x509.CRLNumber(1), False), (x509.CRLNumber(2), False)
CHANGES = (x509.DeltaCRLIndicator(1), True)


@BOTH
@pytest.mark.parametrize("base", [None, NUMBER_1, NUMBER_2], ids=["alone", "with a list", "with a list too old"])
def test_changes_count_even_if_nothing_points_to_them(backend, base):
    """RFC 5280 5.2.4 is about completing a list; a revocation that was told is one."""
    lists = [] if base is None else [crl(extensions=[base])]
    base_number = (x509.DeltaCRLIndicator(2 if base is NUMBER_2 else 1), True)
    for revocation in (Revocation.SOFT, Revocation.HARD):
        listed = crl(revoked={SIGNER: NOW - DAY}, extensions=[NUMBER_2, base_number])
        told = judged(*lists, listed, backend=backend, revocation=revocation)
        assert told == (Status.FAILED, ["trust-revoked"])
    forged = crl(revoked={SIGNER: NOW - DAY}, extensions=[NUMBER_2, CHANGES], key=STRANGER.key)
    assert judged(crl(extensions=[NUMBER_1]), forged, backend=backend, revocation=Revocation.SOFT)[0] is Status.PASSED


def test_a_hold_ends_when_a_later_list_does_not_name_the_certificate():
    """RFC 5280 5.3.1: certificateHold and removeFromCRL."""
    hold, taken_back = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.remove_from_crl
    lost = x509.ReasonFlags.key_compromise
    then = {SIGNER: NOW - 60 * DAY}
    for until in (NOW - 20 * DAY, NOW + 30 * DAY):
        held = crl(revoked=then, since=NOW - 50 * DAY, until=until, reason=hold)
        assert judged(held) == (Status.FAILED, ["trust-revoked"])
        assert judged(held, crl()) == PASSED
        assert judged(held, crl(), at=NOW - 30 * DAY)[0] is Status.FAILED, "it was on hold"
        assert judged(held, crl(key=STRANGER.key))[0] is Status.FAILED, "nobody released it"
        assert judged(crl(revoked=then, since=NOW - 50 * DAY, until=until, reason=lost), crl())[0] is Status.FAILED
    where = x509.DistributionPoint([x509.UniformResourceIdentifier("http://127.0.0.1/delta")], None, None, None)
    held = crl(
        revoked=then, since=NOW - 5 * DAY, reason=hold, extensions=[NUMBER_1, (x509.FreshestCRL([where]), False)]
    )
    assert judged(held, crl(revoked=then, reason=taken_back, extensions=[NUMBER_2, CHANGES])) == PASSED


def test_lists_up_to_the_time_of_evaluation_count():
    """That is not always the clock's: --at may ask what will be known in ten years."""
    listed = crl(revoked={SIGNER: NOW + 300 * DAY}, since=NOW + 400 * DAY, until=NOW + 500 * DAY)
    request = TrustRequest(SIGNER.der, NOW, (ROOT.der,), (INTER.der,), (listed,), (), Revocation.HARD)
    asked = replace(request, evaluated=NOW + 3000 * DAY)
    backend = default().trust_backends.get("certvalidator")
    assert backend.evaluate(request).status is Status.INDETERMINATE
    evidence = backend.evaluate(asked)
    assert evidence.status is Status.PASSED
    assert "trust-revoked-later" in [f.code for f in evidence.findings]


def test_after_expiry_silence_means_nothing():
    """RFC 5280 3.3: an entry may go once the certificate has expired. X.509 expiredCertsOnCRL says that it stays."""
    short = issue("short", INTER, until=NOW - 10 * DAY)
    then = NOW - 20 * DAY
    assert judged(crl(), signer=short, at=then) == unknown("trust-revocation-after-expiry")
    keeps = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), b"\x18\x0f20200101000000Z")
    assert judged(crl(extensions=[(keeps, False)]), signer=short, at=then) == PASSED
    assert judged(crl(since=NOW - 15 * DAY), signer=short, at=then) == PASSED
    assert judged(crl(revoked={short: then - DAY}), signer=short, at=then) == (Status.FAILED, ["trust-revoked"])


# -------------------------------------------------------------------------------------------------------------- OCSP

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


def asked(*responses: bytes, **more):
    return judged(ocsps=responses, **more)


def test_a_response_says_good_revoked_or_unknown():
    assert asked(response()) == PASSED
    assert asked(response(REVOKED, revoked=NOW - DAY)) == (Status.FAILED, ["trust-revoked"])
    assert asked(response(UNKNOWN)) == unknown("trust-ocsp-unknown")
    assert asked(response(UNKNOWN), revocation=Revocation.SOFT) == (Status.PASSED, ["trust-ocsp-unknown"])


def test_a_revocation_told_later_counts_from_its_date():
    told = response(REVOKED, revoked=NOW - DAY)
    assert asked(told, at=NOW - 2 * DAY) == (Status.PASSED, ["trust-revoked-later"])
    assert asked(told, at=NOW - DAY) == (Status.FAILED, ["trust-revoked"])


def test_revoked_wins_over_good():
    assert asked(response(), response(REVOKED, revoked=NOW - DAY)) == (Status.FAILED, ["trust-revoked"])
    assert judged(crl(revoked={SIGNER: NOW - DAY}), ocsps=(response(),)) == (Status.FAILED, ["trust-revoked"])


def test_a_response_out_of_its_time_is_not_believed():
    assert asked(response(since=NOW - 9 * DAY, until=NOW - 8 * DAY)) == unknown("trust-ocsp-expired")
    assert asked(response(since=NOW + 400 * DAY, until=NOW + 401 * DAY)) == unknown("trust-ocsp-not-yet-valid")


@pytest.mark.parametrize("until", [NOW - 8 * DAY, None], ids=["next update", "no next update"])
def test_what_an_outdated_response_tells_stays_true(until):
    old = {"since": NOW - 9 * DAY, "until": until}
    lost = response(REVOKED, revoked=NOW - 10 * DAY, reason=x509.ReasonFlags.key_compromise, **old)
    for told in (response(REVOKED, revoked=NOW - 10 * DAY, **old), lost):
        for revocation in (Revocation.SOFT, Revocation.HARD):
            assert asked(told, revocation=revocation) == (Status.FAILED, ["trust-revoked"])
            assert asked(told, response(), revocation=revocation) == (Status.FAILED, ["trust-revoked"])
        assert asked(told, at=NOW - 20 * DAY) == (Status.PASSED, ["trust-revoked-later"])
    elsewhere = response(REVOKED, revoked=NOW - 10 * DAY, by=issue("nobody", INTER), **old)
    assert asked(elsewhere) == unknown("trust-ocsp-responder")
    helper = issue("helper", INTER, [purposes(OCSP_SIGNING), (x509.OCSPNoCheck(), False)], until=NOW - DAY)
    expired_since = response(REVOKED, revoked=NOW - 10 * DAY, by=helper, **old)
    assert asked(expired_since) == (Status.FAILED, ["trust-revoked"]), "it had not expired when it answered"


def test_a_hold_ends_when_a_later_answer_is_good():
    """RFC 5280 5.3.1: certificateHold is the one that is taken back."""
    hold = x509.ReasonFlags.certificate_hold
    held = response(REVOKED, revoked=NOW - 10 * DAY, reason=hold, since=NOW - 9 * DAY, until=NOW - 8 * DAY)
    assert asked(held) == (Status.FAILED, ["trust-revoked"])
    assert asked(held, response()) == asked(response(), held) == PASSED
    assert judged(crl(), ocsps=(held,)) == PASSED
    assert judged(crl(since=NOW - 12 * DAY), ocsps=(held,))[0] is Status.FAILED, "that is what was said before"


def test_the_issuer_may_delegate_and_nobody_else():
    """RFC 6960 4.2.2.2: id-kp-OCSPSigning, issued by the authority itself."""
    nocheck = (x509.OCSPNoCheck(), False)
    delegate = issue("responder", INTER, [purposes(OCSP_SIGNING), nocheck])
    assert asked(response(by=delegate)) == PASSED
    refused = unknown("trust-ocsp-responder")
    assert asked(response(by=issue("responder", INTER))) == refused, "no extended key usage"
    assert asked(response(by=issue("responder", ROOT, [purposes(OCSP_SIGNING), nocheck]))) == refused, "another issuer"
    assert asked(response(by=issue("responder", extensions=[purposes(OCSP_SIGNING), nocheck]))) == refused, "nobody"
    expired = issue("responder", INTER, [purposes(OCSP_SIGNING), nocheck], until=NOW - DAY)
    assert asked(response(by=expired)) == refused, "expired"


def test_a_delegate_that_may_not_sign_is_not_believed():
    """RFC 5280 4.2.1.3: digitalSignature."""
    mute = issue("responder", INTER, [purposes(OCSP_SIGNING), (x509.OCSPNoCheck(), False), usage("key_agreement")])
    assert asked(response(by=mute)) == unknown("trust-ocsp-responder")


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP192R1())])
def test_signers_of_lists_and_responses_need_keys_that_hold(key):
    """NIST SP 800-57: 112 bits."""
    delegate = issue("responder", INTER, [purposes(OCSP_SIGNING), (x509.OCSPNoCheck(), False)], key=key)
    assert asked(response(by=delegate)) == unknown("trust-ocsp-responder")
    apart = issue("inter", ROOT, [CA, usage("crl_sign")], key=key)
    status, codes = judged(crl(apart), more=(apart,))
    assert (status, set(codes) <= {"trust-crl-issuer", "trust-crl-signature"}) == (Status.INDETERMINATE, True)


def test_an_authority_may_change_to_keys_of_another_kind():
    """Two certificates of one name, lists by both keys; each signature is held against both."""
    other = issue("inter", ROOT, [CA, usage("key_cert_sign", "crl_sign")], key=rsa.generate_private_key(65537, 2048))
    below = issue("signer", other, [usage("digital_signature")])
    for more in ((other,), (other, STRANGER)):
        assert judged(crl(other), crl(), more=more) == PASSED
        assert judged(crl(), crl(other), more=more, signer=below) == PASSED
        revoked = judged(crl(), crl(other, {below: NOW - DAY}), more=more, signer=below)
        assert revoked == (Status.FAILED, ["trust-revoked"])


def test_a_certificate_does_not_answer_for_itself():
    """Even if it may answer for others."""
    both = issue("both", INTER, [purposes(OCSP_SIGNING, "1.3.6.1.5.5.7.3.36"), (x509.OCSPNoCheck(), False)])
    assert asked(response(of=both, by=both), signer=both) == unknown("trust-ocsp-unusable")


def test_a_response_with_an_unknown_critical_extension_is_not_believed():
    """RFC 6960 4.4."""
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    for critical, told in ((False, PASSED), (True, unknown("trust-ocsp-unusable"))):
        builder = ocsp.OCSPResponseBuilder().add_response(
            SIGNER.certificate, INTER.certificate, hashes.SHA256(), GOOD, NOW - DAY, NOW + DAY, None, None
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, INTER.certificate).add_extension(odd, critical)
        assert asked(builder.sign(INTER.key, hashes.SHA256()).public_bytes(Encoding.DER)) == told


def test_a_delegate_that_was_revoked_is_not_believed():
    delegate = issue("responder", INTER, [purposes(OCSP_SIGNING)])
    bad = issue("signer", INTER)
    told = judged(
        crl(revoked={delegate: NOW - DAY}, extensions=[point(only_contains_user_certs=True)]),
        ocsps=(response(of=bad, by=delegate),),
        signer=bad,
    )
    assert told == PASSED, "the list itself says that the signer is good"
    alone = judged(crl(ROOT), ocsps=(response(by=delegate),))
    assert alone == PASSED, "nothing is known against the delegate"


def test_a_response_with_a_wrong_signature_is_not_believed():
    made = response()
    assert asked(made[:-1] + bytes([made[-1] ^ 1])) == unknown("trust-ocsp-signature")


def test_a_response_for_a_namesake_issuer_is_not_believed():
    """The hash of the issuer's key is another one."""
    assert asked(response(issuer=STRANGER, by=INTER)) == unknown("trust-ocsp-mismatch")


@pytest.mark.parametrize("status", ["UNAUTHORIZED", "TRY_LATER", "INTERNAL_ERROR", "MALFORMED_REQUEST", "SIG_REQUIRED"])
def test_a_responder_that_gives_no_answer_is_named_as_that(status):
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus[status])
    assert asked(refusal.public_bytes(Encoding.DER)) == unknown("trust-ocsp-refused")


def test_a_response_that_cannot_be_used_for_another_reason_is_told(monkeypatch):
    from pyhanko_certvalidator.errors import OCSPValidationIndeterminateError

    from dsig_certvalidator import revocation

    async def odd(*_arguments):
        raise OCSPValidationIndeterminateError("odd", failures=[("the moon is full", None)])

    monkeypatch.setattr(revocation, "verify_ocsp_response", odd)
    assert asked(response(since=NOW - timedelta(hours=2))) == unknown("trust-ocsp-unusable")


# ---------------------------------------------------------------------------------------------------- what is not done


def test_openssl_says_that_it_cannot_read_responses_nor_fetch():
    assert asked(response(), backend="openssl") == (
        Status.INDETERMINATE,
        ["trust-crl-missing", "trust-ocsp-unsupported"],
    )
    request = TrustRequest(SIGNER.der, NOW, (ROOT.der,), (INTER.der,), (crl(),), (), Revocation.HARD, online=True)
    evidence = default().trust_backends.get("openssl").evaluate(request)
    assert evidence.status is Status.INDETERMINATE
    assert "trust-online-unsupported" in [f.code for f in evidence.findings]


@pytest.mark.interop
def test_what_openssl_has_other_words_for_is_told():
    [test] = [one for one in pkits.tests() if one.id == "4.13.19"]
    evidence = pkits.outcome("openssl", test)[1]
    assert "trust-crl-unusable" in [f.code for f in evidence.findings]


@BOTH
def test_weak_keys_and_hashes_hold_no_path_together(backend):
    small = issue("small", extensions=[CA], key=rsa.generate_private_key(65537, 1024))
    material = TrustMaterial((small.der,))
    chains = Chains(plugins=default(), trust_backend=backend, crypto_backend="cryptography")
    evidence = chains.judge(issue("signer", small).der, material, NOW)
    assert (evidence.status, [f.code for f in evidence.findings]) == (Status.FAILED, ["trust-weak-algorithm"])


def test_what_the_library_cannot_digest_is_undecided(monkeypatch):
    from dsig_certvalidator import trust

    def fails(*_arguments):
        raise AttributeError("a bug")

    monkeypatch.setattr(trust, "_best", fails)
    assert judged(at=NOW + timedelta(seconds=7)) == unknown("trust-undecided")


def test_who_says_that_nothing_was_revoked_is_evidence():
    request = TrustRequest(SIGNER.der, NOW, (ROOT.der,), (INTER.der,), (made := crl(),), (), Revocation.HARD)
    evidence = default().trust_backends.get("certvalidator").evaluate(request)
    assert [(check.certificate, check.source) for check in evidence.checked] == [(SIGNER.der, made)]
    assert [check.certificate for check in evidence.unchecked] == [INTER.der]
    assert evidence.path == (SIGNER.der, INTER.der, ROOT.der)


# ------------------------------------------------------------------------------------------- more than anybody needs


def narrow(name: str, issuer: Holder | None, *more) -> Holder:
    """An authority for anything but three thousand hosts."""
    hosts = [x509.DNSName(f"host{number}.example") for number in range(3_000)]
    excluded = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=hosts)
    return issue(name, issuer, [CA, usage("key_cert_sign", "crl_sign"), (excluded, True), *more])


def reached(count: int):
    names = [x509.DNSName(f"other{number}.example") for number in range(count)]
    return x509.SubjectAlternativeName(names), False


NARROW_ROOT = narrow("narrow root", None)
BELOW = issue("inter", NARROW_ROOT, [CA, usage("key_cert_sign", "crl_sign")])


def below(*crls: bytes, ocsps: tuple[bytes, ...] = (), more: tuple[Holder, ...] = (), issuer: Holder = BELOW):
    """Status and findings: of a signer under an authority under the root that excludes so much."""
    signer = issue("signer", issuer, [usage("digital_signature")], serial=4711)
    anchor = NARROW_ROOT if issuer is BELOW else ROOT
    material = TrustMaterial((anchor.der,), (*(one.der for one in more), issuer.der), crls, ocsps)
    chains = Chains(plugins=default(), trust_backend="certvalidator", crypto_backend="cryptography")
    evidence = chains.judge(signer.der, material, NOW, revocation=Revocation.HARD)
    return evidence.status, [(f.code, f.message) for f in evidence.findings if f.severity == "error"]


def test_a_signer_of_lists_with_more_names_than_anybody_compares_is_not_asked():
    """4.5 million comparisons; the list of the authority itself is looked at all the same."""
    crowded = issue("inter", NARROW_ROOT, [usage("crl_sign"), reached(1_500)])
    status, [(code, message)] = below(crl(crowded), more=(crowded,))
    assert (status, code) == (Status.INDETERMINATE, "trust-crl-issuer")
    assert message == (
        "signer: the CRLs of inter are not asked: there are more names and name constraints than are compared"
    )
    assert below(crl(crowded), crl(BELOW), more=(crowded,)) == PASSED


def test_a_responder_with_more_names_than_anybody_compares_is_not_asked():
    authority = narrow("inter", ROOT)
    signer = issue("signer", authority, serial=4711)
    crowded, plain = (
        issue("responder", authority, [purposes(OCSP_SIGNING), *more, (x509.OCSPNoCheck(), False)])
        for more in ([reached(1_500)], [])
    )
    status, [(code, message)] = below(ocsps=(response(of=signer, issuer=authority, by=crowded),), issuer=authority)
    assert (status, code) == (Status.INDETERMINATE, "trust-ocsp-responder")
    assert message.endswith(": there are more names and name constraints than are compared")
    assert below(ocsps=(response(of=signer, issuer=authority, by=plain),), issuer=authority) == PASSED


def test_signers_with_many_names_take_nothing_from_those_with_few():
    """Four with 45,000 comparisons each, before one with 6,000; who was issued by nobody here is not even counted."""
    namesake = issue("narrow root")
    strangers = tuple(issue("inter", namesake, [usage("crl_sign"), reached(15)]) for _ in range(4))
    apart = issue("inter", NARROW_ROOT, [usage("crl_sign")])
    assert below(crl(apart), more=(*strangers, apart)) == PASSED
    listed = issue("signer", BELOW, serial=4711)
    assert below(crl(apart, {listed: NOW - DAY}), more=(*strangers, apart))[0] is Status.FAILED
    issued = tuple(issue("inter", NARROW_ROOT, [usage("crl_sign"), reached(15)]) for _ in range(4))
    assert below(crl(apart), more=(*issued, apart))[0] is Status.PASSED
