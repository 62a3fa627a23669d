"""A token is refused for every rule of RFC 3161 it breaks, and for no other reason (docs/time.md)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from support import signed as s
from support import tsa
from support.encode import element
from support.pki import PKI, signer, trusting
from timestamps.conftest import DIGEST, GOOD, VALUE, codes, der, with_token

import dsig
from dsig import TimestampPolicy

pytestmark = pytest.mark.interop

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Judge = Callable[..., dsig.SignatureReport]


@pytest.fixture(scope="session")
def token(stamps: tsa.Authority) -> bytes:
    """A good one, as openssl makes it of our query."""
    query, _ = dsig.timestamp_query(GOOD.file())
    return tsa.token_of(stamps.stamp(query, at="2026-01-02 00:00:00"))


# ------------------------------------------------------------------------------------------------------------ the good


def test_a_good_timestamp_proves_when_the_signature_existed(judge: Judge, token: bytes):
    signature = judge(with_token(token), at=NOW)
    assert (signature.verdict, signature.axes["time"].status) == ("passed", "passed")
    assert signature.times.claimed == "20260101120000.000000+0000"
    assert signature.times.proven == "2026-01-02T00:00:00+00:00"
    assert signature.times.evaluated == "2026-06-01T00:00:00+00:00"
    [says] = signature.axes["time"].findings
    assert (says.code, says.severity) == ("timestamp-says", "info")
    assert "CN=tsa,O=Stamps" in says.message
    assert "±1.5001 s" in says.message


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("ess", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("name", ["tsa", "rsa"])
def test_every_kind_openssl_makes_is_good(judge: Judge, stamps: tsa.Authority, digest: str, ess: str, name: str):
    query, _ = dsig.timestamp_query(GOOD.file(), options=dsig.QueryOptions(mac="SHA512"))
    made = stamps.stamp(query, name, digest=digest, ess=ess, named=False)
    signature = judge(with_token(tsa.token_of(made)))
    assert (signature.axes["time"].status, codes(signature), codes(signature, "warning")) == ("passed", [], [])


def test_a_token_made_by_cms_alone_is_good_too(judge: Judge, stamps: tsa.Authority):
    """What the tokens below are variations of."""
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST))
    assert judge(with_token(made), at=NOW).axes["time"].status == "passed"


@pytest.mark.parametrize("options", [("-cades", "-keyid"), ("-cades", "-md", "sha512")])
def test_signer_identifiers_and_hashes_of_other_kinds_are_good(judge: Judge, stamps: tsa.Authority, options):
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST), options=options)
    assert judge(with_token(made), at=NOW).axes["time"].status == "passed"


def test_rsassa_pss_is_good(judge: Judge, stamps: tsa.Authority):
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST), "rsa", options=("-cades", "-keyopt", "rsa_padding_mode:pss"))
    assert judge(with_token(made), at=NOW).axes["time"].status == "passed"


@pytest.mark.parametrize("key", ["p256", "p384", "dsa2048"])
def test_the_imprint_is_over_the_value_without_its_pad_byte(judge: Judge, stamps: tsa.Authority, key: str):
    """DSA and ECDSA values are odd every other time."""
    who = signer(key)
    stream = GOOD.but(signer=who).stream()
    value = next(value for value in (who.sign(stream) for _ in range(100)) if len(value) & 1)
    parts = GOOD.but(signer=who, item={s.SIGNATURE: element(s.SIGNATURE, "OB", value + b"\0")})
    made = tsa.signed_by(stamps, tsa.tst_info(hashlib.sha256(value).digest()))
    changed = parts.but(
        item=parts.item
        | {
            s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "CS", b"CMS_TSP "),
            s.TIMESTAMP: element(s.TIMESTAMP, "OB", s.even(made)),
        }
    )
    assert judge(changed.file(), at=NOW).axes["time"].status == "passed"
    query, _ = dsig.timestamp_query(parts.file())
    assert hashlib.sha256(value).digest() in query


def test_a_whole_response_is_read_with_a_warning(judge: Judge, stamps: tsa.Authority):
    query, _ = dsig.timestamp_query(GOOD.file())
    signature = judge(with_token(stamps.stamp(query)))
    assert (signature.axes["time"].status, codes(signature, "warning")) == ("passed", ["timestamp-response"])


# ------------------------------------------------------------------------------------------------------------- the bad

SHA256_OID = bytes.fromhex("0609 608648016503040201")
CRITICAL = "extensions = IMPLICIT:1,SEQUENCE:extensions\n"
EXTENSION = (
    "[extensions]\none = SEQUENCE:one\n[one]\nid = OID:1.2.3.4\ncritical = BOOLEAN:true\nvalue = OCTETSTRING:x\n"
)
TSA_NAME = "tsa = EXPLICIT:0,EXPLICIT:4,SEQUENCE:name\n"
NAME = "[name]\nrdn = SET:set\n[set]\nav = SEQUENCE:av\n[av]\ntype = OID:2.5.4.3\nvalue = UTF8:somebody else\n"


def flipped(token: bytes) -> bytes:
    """With the last bit, one of the signature, changed."""
    return token[:-1] + bytes([token[-1] ^ 1])


def timed(authority: tsa.Authority, time: str) -> bytes:
    """A token with a genTime that openssl does not write."""
    written = tsa.tst_info(DIGEST)
    before, after = b"\x18\x0f20260102000000Z", bytes((0x18, len(time))) + time.encode()
    assert written[1] < 0x80 and before in written
    content = written.replace(before, after)
    return tsa.signed_by(authority, content[:1] + bytes([len(content) - 2]) + content[2:])


def inexact(authority: tsa.Authority, accuracy: str, **more: str) -> bytes:
    fields = {"more": "accuracy = SEQUENCE:accuracy", "sections": f"[accuracy]\n{accuracy}\n"}
    return tsa.signed_by(authority, tsa.tst_info(DIGEST, **fields, **more))


BAD: dict[str, tuple[str, Callable[[tsa.Authority], bytes]]] = {
    "another imprint": ("timestamp-imprint", lambda a: tsa.signed_by(a, tsa.tst_info(bytes(32)))),
    "an imprint of the padded value": (
        "timestamp-imprint",
        lambda a: tsa.signed_by(a, tsa.tst_info(hashlib.sha256(VALUE + b"\0").digest())),
    ),
    "an imprint of unknown kind": (
        "timestamp-imprint-algorithm",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, algorithm="1.2.3.4")),
    ),
    "an imprint that names another hash": (
        "timestamp-imprint",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, algorithm="2.16.840.1.101.3.4.2.8")),
    ),
    "TSTInfo of version 2": ("timestamp-form", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, version=2))),
    "an unknown critical extension": (
        "timestamp-form",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, more=CRITICAL, sections=EXTENSION)),
    ),
    "another TSA's name": (
        "timestamp-signer",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, more=TSA_NAME, sections=NAME)),
    ),
    "a time with zeros at its end": (
        "timestamp-unreadable",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, time="20260102000000.500Z")),
    ),
    "a time with an offset": (
        "timestamp-unreadable",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, time="20260102000000+0100")),
    ),
    "content changed after signing": (
        "timestamp-digest",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST)).replace(b"\2\1\7\x18", b"\2\1\x08\x18"),
    ),
    "a signature with a bit flipped": (
        "timestamp-signature",
        lambda a: flipped(tsa.signed_by(a, tsa.tst_info(DIGEST))),
    ),
    "two signatures": ("timestamp-form", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "tsa", "rsa")),
    "no signed attributes": (
        "timestamp-form",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), options=("-noattr",)),
    ),
    "no ESSCertID": (
        "timestamp-no-certificate",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), options=()),
    ),
    "no certificate": (
        "timestamp-no-certificate",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), options=("-cades", "-nocerts")),
    ),
    "other content": (
        "timestamp-form",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), kind="1.2.840.113549.1.7.1"),
    ),
    "content that is no TSTInfo": ("timestamp-unreadable", lambda a: tsa.signed_by(a, b"0\3\2\1\1")),
    "MD5": (
        "timestamp-weak",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "rsa", options=("-cades", "-md", "md5")),
    ),
    "a small RSA key": ("timestamp-weak", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "rsa1024")),
    "a small curve": ("timestamp-weak", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "p192")),
    "an extended key usage that is not critical": (
        "timestamp-usage",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "not-critical"),
    ),
    "an extended key usage that is not alone": (
        "timestamp-usage",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "not-alone"),
    ),
    "another extended key usage": ("timestamp-usage", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "other-usage")),
    "no extended key usage": ("timestamp-usage", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "no-usage")),
    "a TSA that had expired when it stamped": (
        "timestamp-tsa-validity",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "early"),
    ),
    "a TSA that was not there yet": (
        "timestamp-tsa-validity",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), "late"),
    ),
    "BER": ("timestamp-not-der", lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST), options=("-cades", "-stream"))),
    "content that was changed after it was signed": (
        "timestamp-digest",
        lambda a: tsa.signed_by(a, tsa.tst_info(bytes(32))).replace(bytes(32), DIGEST),
    ),
    "a signature with a changed byte": (
        "timestamp-signature",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST))[:-1] + b"\x55",
    ),
    "a hash nobody knows": (
        "timestamp-algorithm",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST)).replace(SHA256_OID, SHA256_OID[:-1] + b"\x63"),
    ),
    "a time before the signer's certificate": (
        "timestamp-outside-validity",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, time="20190101000000Z"), "ancient"),
    ),
    "a time without seconds": ("timestamp-unreadable", lambda a: timed(a, "202601020000Z")),
    "a time with a comma": ("timestamp-unreadable", lambda a: timed(a, "20260102000000,5Z")),
    "a time of no day": ("timestamp-unreadable", lambda a: timed(a, "20260230000000Z")),
    "a time at 24 o'clock": ("timestamp-unreadable", lambda a: timed(a, "20260102240000Z")),
    "a negative accuracy": ("timestamp-unreadable", lambda a: inexact(a, "seconds = INTEGER:-5")),
    "milliseconds that are seconds": (
        "timestamp-unreadable",
        lambda a: inexact(a, "millis = IMPLICIT:0,INTEGER:1000"),
    ),
    "a time after that of evaluation, be it ever so inexact": (
        "timestamp-future",
        lambda a: inexact(a, "seconds = INTEGER:999999999", time="20300102000000Z"),
    ),
    "the last second of the calendar, in an inexact token": (
        "timestamp-future",
        lambda a: inexact(a, "seconds = INTEGER:86399999999999", time="99991231235959Z"),
    ),
    "a time after that of evaluation": (
        "timestamp-future",
        lambda a: tsa.signed_by(a, tsa.tst_info(DIGEST, time="20260601001000Z")),
    ),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("policy", [TimestampPolicy.VERIFY, TimestampPolicy.REQUIRE])
def test_a_timestamp_is_refused_for(judge: Judge, stamps: tsa.Authority, what: str, policy: TimestampPolicy):
    code, make = BAD[what]
    if "ancient" not in stamps.issued:
        stamps.certificate("ancient", start="20150101000000Z")
    given = with_token(make(stamps))
    signature = judge(given, at=NOW, timestamps=policy)
    assert code in codes(signature)
    assert (signature.axes["time"].status, signature.verdict, signature.times.proven) == ("failed", "failed", "")
    assert signature.axes["structure"].status == signature.axes["integrity"].status == "passed"


@pytest.mark.parametrize("what", BAD)
def test_a_bad_timestamp_that_is_ignored_harms_nothing(judge: Judge, stamps: tsa.Authority, what: str):
    if "ancient" not in stamps.issued:
        stamps.certificate("ancient", start="20150101000000Z")
    given = with_token(BAD[what][1](stamps))
    signature = judge(given, at=NOW, timestamps=TimestampPolicy.IGNORE)
    assert (signature.verdict, signature.times.proven) == ("passed", "")
    assert codes(signature, "info") == ["timestamp-ignored"]


def test_leap_seconds_and_fractions_are_times(judge: Judge, stamps: tsa.Authority):
    """X.680 47.3: the second of an insertion is 60."""
    for time, proven in (
        ("20260102000000.123456789Z", "2026-01-02T00:00:00+00:00"),
        ("20260101235960Z", "2026-01-02T00:00:00+00:00"),
    ):
        signature = judge(with_token(timed(stamps, time)), at=NOW)
        assert (signature.axes["time"].status, signature.times.proven) == ("passed", proven)


def test_a_clock_that_may_be_far_off_is_told(judge: Judge, stamps: tsa.Authority):
    for seconds, told in ((300, []), (301, ["timestamp-accuracy"]), (86399999999999, ["timestamp-accuracy"])):
        signature = judge(with_token(inexact(stamps, f"seconds = INTEGER:{seconds}")), at=NOW)
        assert (signature.axes["time"].status, codes(signature, "warning")) == ("passed", told)


def test_a_weak_imprint_is_told(judge: Judge, stamps: tsa.Authority):
    made = tsa.signed_by(stamps, tsa.tst_info(hashlib.sha1(VALUE).digest(), algorithm="1.3.14.3.2.26"))
    signature = judge(with_token(made), at=NOW)
    assert (signature.axes["time"].status, codes(signature, "warning")) == ("passed", ["timestamp-weak-imprint"])


def test_a_type_without_a_timestamp_is_told(judge: Judge):
    kind = element(s.TIMESTAMP_TYPE, "CS", b"CMS_TSP ")
    signature = judge(GOOD.but(item=GOOD.item | {s.TIMESTAMP_TYPE: kind}).file(), at=NOW)
    assert (signature.verdict, codes(signature, "warning")) == ("passed", ["timestamp-type-alone"])


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 20, 100, 0.5, 0.9, -4])
def test_a_cut_token_is_refused_wherever_it_is_cut(judge: Judge, token: bytes, cut: float):
    at = int(len(token) * cut) if isinstance(cut, float) else cut
    signature = judge(with_token(token[:at] if at else b""), at=NOW)
    assert codes(signature) == ["timestamp-unreadable"]
    assert signature.verdict == "failed"


@pytest.mark.parametrize("tail", [b"\0\0", b"\1", b"\0\0\0", bytes(8), b"ab"])
def test_nothing_but_one_pad_byte_may_follow(judge: Judge, token: bytes, tail: bytes):
    whole = len(token) + len(tail)
    signature = judge(with_token(token, pad=tail + bytes(whole & 1)), at=NOW)
    assert codes(signature) == ["timestamp-unreadable"]


def test_one_pad_byte_behind_a_token_of_even_length_is_one_too_many(stamps: tsa.Authority, judge: Judge):
    even = next(t for t in _tokens(stamps) if len(t) % 2 == 0)
    assert judge(with_token(even), at=NOW).axes["time"].status == "passed"
    assert codes(judge(with_token(even, pad=b"\0\0"), at=NOW)) == ["timestamp-unreadable"]
    odd = next(t for t in _tokens(stamps) if len(t) % 2)
    assert judge(with_token(odd, pad=b"\0"), at=NOW).axes["time"].status == "passed"
    assert codes(judge(with_token(odd, pad=b"\1"), at=NOW)) == ["timestamp-unreadable"]


def _tokens(stamps: tsa.Authority):
    for length in range(40):
        policy = f"extra = INTEGER:0x01{'00' * length}\n"  # a nonce of any length
        yield tsa.signed_by(stamps, tsa.tst_info(DIGEST, more=policy))


TWICE = {
    "SignedData": (0, 1),
    "the content": (0, 1, 0, 2, 1),
    "what the content holds": (0, 1, 0, 2, 1, 0),
    "the list of signatures": (0, 1, 0, -1),
    "the serial number of the signer": (0, 1, 0, -1, 0, 1, 1),
    "the algorithm of the digest": (0, 1, 0, -1, 0, 2, 0),
    "the algorithm of the signature": (0, 1, 0, -1, 0, 4, 0),
    "the signature": (0, 1, 0, -1, 0, 5),
}


@pytest.mark.parametrize("what", TWICE)
def test_nothing_in_it_may_stand_twice(judge: Judge, token: bytes, what: str):
    """Readers may take either, and no signature covers any of it (RFC 5652 5.1, 5.3)."""
    signature = judge(with_token(doubled(token, TWICE[what])), at=NOW)
    assert (signature.verdict, codes(signature)) == ("failed", ["timestamp-unreadable"])


def doubled(der: bytes, path: tuple[int, ...]) -> bytes:
    """With the value at this place twice."""
    values, at = [], 0
    while at < len(der):
        long = der[at + 1] & 0x7F if der[at + 1] & 0x80 else 0
        start = at + 2 + long
        size = int.from_bytes(der[at + 2 : start], "big") if long else der[at + 1]
        values.append((der[at : at + 1], der[start : start + size]))
        at = start + size
    number = range(len(values))[path[0]]
    if len(path) > 1:
        kind, content = values[number]
        values[number] = kind, doubled(content, path[1:])
    else:
        values.insert(number, values[number])
    sizes = ((kind, content, len(content).to_bytes(2, "big").lstrip(b"\0") or b"\0") for kind, content in values)
    return b"".join(
        kind + (bytes((0x80 | len(size),)) if len(content) > 0x7F else b"") + size + content
        for kind, content, size in sizes
    )


def test_every_changed_byte_is_noticed(judge: Judge, token: bytes):
    """Outside the certificates, which others sign, no byte of a token can be changed."""
    passed = []
    for offset in range(0, len(token), 7):
        changed = bytearray(token)
        changed[offset] ^= 1
        signature = judge(with_token(bytes(changed)), at=NOW)
        if signature.axes["time"].status == "passed":
            passed.append(offset)
    assert passed == []


def test_what_cannot_be_checked_is_indeterminate(judge: Judge, stamps: tsa.Authority):
    """SHA-512/256 is a hash nobody signs tokens with."""
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST), "rsa", options=("-cades", "-md", "sha512-256"))
    signature = judge(with_token(made), at=NOW)
    assert codes(signature) == ["timestamp-algorithm"]
    assert (signature.axes["time"].status, signature.verdict) == ("indeterminate", "indeterminate")


def test_weak_hashes_are_told(judge: Judge, stamps: tsa.Authority):
    query, _ = dsig.timestamp_query(GOOD.file(), options=dsig.QueryOptions(mac="SHA1"))
    weak_imprint = judge(with_token(tsa.token_of(stamps.stamp(query))))
    assert (weak_imprint.verdict, codes(weak_imprint, "warning")) == ("passed", ["timestamp-weak-imprint"])
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST), "rsa", options=("-cades", "-md", "sha1"))
    weak_token = judge(with_token(made), at=NOW)
    assert (weak_token.verdict, codes(weak_token, "warning")) == ("passed", ["timestamp-weak"])


def test_a_type_without_a_token_is_no_timestamp(judge: Judge):
    given = GOOD.but(item={s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "CS", b"CMS_TSP ")}).file()
    signature = judge(given)
    assert (signature.verdict, signature.axes["time"].status) == ("passed", "not-checked")
    assert codes(signature, "warning") == ["timestamp-type-alone"]
    assert codes(judge(given, timestamps=TimestampPolicy.REQUIRE)) == ["timestamp-missing"]


def test_a_type_nobody_knows_is_refused(judge: Judge, token: bytes):
    for kind in (b"CMS_TSP2", b"cms_tsp ", b"RFC3161 ", b"CMS_TS", b""):
        signature = judge(with_token(token, kind), at=NOW)
        assert codes(signature) == ["timestamp-type"]
        assert signature.verdict == "failed"


def test_a_response_that_grants_less_is_refused(judge: Judge, stamps: tsa.Authority):
    """PKIStatus 1, grantedWithMods (RFC 3161 2.4.2), and 2, rejection."""
    query, _ = dsig.timestamp_query(GOOD.file())
    response = stamps.stamp(query)
    at = response.index(bytes.fromhex("3003020100")) + 4
    for status in (1, 2, 5):
        changed = response[:at] + bytes([status]) + response[at + 1 :]
        assert codes(judge(with_token(changed))) == ["timestamp-status"]


# -------------------------------------------------------------------------------------------------- whom one may trust


def test_a_stranger_with_the_same_name_is_not_trusted(judge: Judge, strangers: tsa.Authority):
    signature = judge(with_token(tsa.signed_by(strangers, tsa.tst_info(DIGEST))), at=NOW)
    assert signature.axes["time"].status == "failed"
    assert codes(signature) == ["trust-path"]
    assert signature.axes["time"].findings[0].message.startswith("TSA: ")


def test_the_roots_of_signers_are_not_those_of_timestamps(judge: Judge, token: bytes, stamps: tsa.Authority):
    both = dsig.TrustMaterial(anchors=(*trusting().anchors, der(stamps)), intermediates=trusting().intermediates)
    signature = judge(with_token(token), at=NOW, trust=both, tsa_trust=trusting())
    assert (signature.axes["time"].status, signature.verdict) == ("failed", "failed")


def test_without_roots_a_timestamp_proves_nothing_and_costs_nothing(judge: Judge, token: bytes):
    signature = judge(with_token(token), at=NOW, tsa_trust=dsig.TrustMaterial())
    assert (signature.axes["time"].status, signature.verdict, signature.times.proven) == ("indeterminate", "passed", "")
    assert codes(signature, "warning") == ["timestamp-no-anchors"]
    required = judge(with_token(token), at=NOW, tsa_trust=dsig.TrustMaterial(), timestamps=TimestampPolicy.REQUIRE)
    assert required.verdict == "indeterminate"


def test_a_certificate_the_token_leaves_out_may_be_offered(judge: Judge, stamps: tsa.Authority):
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST), options=("-cades", "-nocerts"))
    offered = dsig.TrustMaterial(anchors=(der(stamps),), intermediates=(der(stamps, "rsa"), der(stamps, "tsa")))
    assert judge(with_token(made), at=NOW, tsa_trust=offered).axes["time"].status == "passed"


def test_a_tsa_that_has_expired_since_proves_nothing_any_more(judge: Judge, stamps: tsa.Authority):
    given = with_token(tsa.signed_by(stamps, tsa.tst_info(DIGEST), "expired"))
    assert judge(given, at=NOW).verdict == "passed"
    later = judge(given, at=datetime(2026, 9, 1, tzinfo=UTC))
    assert codes(later) == ["timestamp-tsa-no-longer", "trust-expired"]
    assert later.verdict == "failed"


@pytest.mark.parametrize("reason", ["keyCompromise", "superseded"])
def test_a_tsa_that_was_revoked_since_proves_nothing_any_more(judge: Judge, stamps: tsa.Authority, reason: str):
    query, _ = dsig.timestamp_query(GOOD.file())
    given = with_token(tsa.token_of(stamps.stamp(query)))
    known_good = dsig.TrustMaterial(anchors=(der(stamps),), crls=(stamps.crl("rsa"),))
    assert judge(given, tsa_trust=known_good).verdict == "passed"
    revoked = dsig.TrustMaterial(anchors=(der(stamps),), crls=(stamps.crl("tsa", reason=("reason", reason)),))
    signature = judge(given, tsa_trust=revoked)
    assert (signature.verdict, signature.times.proven) == ("failed", "")
    assert "trust-revoked" in codes(signature)


def test_what_must_be_known_of_signers_is_told_of_tsas(judge: Judge, token: bytes, stamps: tsa.Authority):
    """--require-revocation is about the signer, --require-revocation-chain about all."""
    known = dataclasses.replace(trusting(), crls=dsig.load_trust([PKI / "root.pem"], crls=[PKI / "cadir"]).crls)

    def asked(revocation: dsig.Revocation, *lists: bytes) -> dsig.SignatureReport:
        theirs = dsig.TrustMaterial(anchors=(der(stamps),), crls=(*known.crls, *lists))
        return judge(with_token(token), trust=known, tsa_trust=theirs, revocation=revocation)

    hard = asked(dsig.Revocation.HARD)
    assert (hard.verdict, codes(hard, "warning")) == ("passed", ["trust-crl-missing"])
    assert asked(dsig.Revocation.HARD, stamps.crl("tsa")).verdict == "failed"
    assert asked(dsig.Revocation.HARD_CHAIN).axes["time"].status == "indeterminate"
    assert asked(dsig.Revocation.HARD_CHAIN, stamps.crl("rsa")).verdict == "passed"


def test_a_missing_timestamp_fails_only_who_requires_one(judge: Judge):
    assert judge(GOOD.file()).axes["time"] == dsig.Axis()
    required = judge(GOOD.file(), timestamps=TimestampPolicy.REQUIRE)
    assert (codes(required), required.verdict) == (["timestamp-missing"], "failed")


# ---------------------------------------------------------------------------------------------- the time and the others


@pytest.mark.parametrize(("late", "warned"), [(timedelta(minutes=1), False), (timedelta(hours=1), True)])
def test_a_signature_that_claims_to_be_younger_than_its_timestamp_is_told(judge, stamps, late, warned):
    stamped = datetime(2026, 1, 1, 12, tzinfo=UTC) - late  # the signature claims 12:00
    made = tsa.signed_by(stamps, tsa.tst_info(DIGEST, time=stamped.strftime("%Y%m%d%H%M%SZ")))
    signature = judge(with_token(made), at=NOW)
    assert signature.verdict == "passed"
    assert codes(signature, "warning") == (["timestamp-before-claimed"] if warned else [])


def test_a_signer_who_expired_after_the_proven_time_is_good(judge: Judge, stamps: tsa.Authority):
    """`expired` of the corpus: valid from 2010 to 2015-06-01, below issuers that are valid from 2015."""
    if "ancient" not in stamps.issued:
        stamps.certificate("ancient", start="20150101000000Z")
    who = signer("expired")
    parts = GOOD.but(signer=who)
    value = who.sign(parts.stream())

    def stamped(time: str) -> dsig.SignatureReport:
        info = tsa.tst_info(hashlib.sha256(value).digest(), time=time)
        return judge(with_token(tsa.signed_by(stamps, info, "ancient"), parts=parts), at=NOW, tsa_trust=renewed)

    renewed = dsig.TrustMaterial(anchors=(der(stamps),))
    assert judge(parts.file(), at=NOW).verdict == "failed"
    good = stamped("20150301000000Z")
    assert (good.verdict, good.axes["trust"].status, codes(good)) == ("passed", "passed", [])
    assert "trust-issuer-renewed" in codes(good, "warning")
    late = stamped("20150602000000Z")
    assert codes(late) == ["timestamp-outside-validity"]
    assert [late.axes[name].status for name in ("trust", "time")] == ["failed", "failed"]
