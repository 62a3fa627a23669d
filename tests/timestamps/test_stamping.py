"""Timestamps are had from TSAs over HTTP and by files; what does not answer the question is not written anywhere."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from support import tsa
from support.pki import BASE, PKI, key, trusting
from timestamps.conftest import DIGEST, GOOD, VALUE, der

import dsig
from dsig import QueryOptions, TimestampPolicy, TsaOptions
from dsig.cli import main

pytestmark = pytest.mark.interop


@pytest.fixture
def server(stamps: tsa.Authority) -> Iterator[tsa.Server]:
    with tsa.serving(stamps) as running:
        yield running


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    path = tmp_path / "signed.dcm"
    path.write_bytes(GOOD.file())
    return path


@pytest.fixture
def proven(roots: dsig.TrustMaterial) -> Callable[[object], dsig.FileReport]:
    """Verify with a timestamp required."""

    def proven(given: object) -> dsig.FileReport:
        return dsig.verify(
            given, dsig.VerifyOptions(trust=trusting(), tsa_trust=roots, timestamps=TimestampPolicy.REQUIRE)
        )

    return proven


def asking(*urls: str, **more: object) -> TsaOptions:
    return TsaOptions(**{"urls": urls, "pause": 0.01, "timeout": 120} | more)


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# ----------------------------------------------------------------------------------------------------------- over HTTP


def test_a_signature_is_stamped_later(server: tsa.Server, signed: Path, tmp_path: Path, proven):
    done = dsig.timestamp(signed, tmp_path / "out.dcm", tsa=asking(server.url))
    assert proven(tmp_path / "out.dcm").verdict == "passed"
    assert (done.uid, done.location, done.source, done.facts.tsa) == ("1.2.3.4.5", "/", server.url, "CN=tsa,O=Stamps")
    [headers], [query] = server.headers, server.asked
    assert headers["Content-Type"] == "application/timestamp-query"
    text = tsa.openssl("ts", "-query", "-in", "/dev/stdin", "-text", stdin=query).decode()
    assert "Hash Algorithm: sha256" in text
    assert "Certificate required: yes" in text
    assert "Nonce: 0x" in text
    assert DIGEST in query


def test_nothing_else_of_the_file_changes(server: tsa.Server, signed: Path, tmp_path: Path):
    dsig.timestamp(signed, tmp_path / "out.dcm", tsa=asking(server.url))
    before, after = signed.read_bytes(), (tmp_path / "out.dcm").read_bytes()
    assert before.endswith(VALUE), "what is put in comes last"
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b]
    assert len(changed) <= 4, "the lengths of the sequence and of the item"
    assert after[len(before) :].startswith(bytes.fromhex("00040503") + b"CS\x08\0CMS_TSP " + bytes.fromhex("00041003"))
    removed = pydicom.dcmread(tmp_path / "out.dcm")
    del removed.DigitalSignaturesSequence[0].CertifiedTimestamp
    del removed.DigitalSignaturesSequence[0].CertifiedTimestampType
    assert removed == pydicom.dcmread(signed)


@pytest.mark.parametrize("name", ["ct.dcm", "mr_be.dcm", "sc_dfl.dcm", "sr_basic.dcm", "mr_imp.dcm", "mr_rle.dcm"])
@pytest.mark.parametrize("who", ["rsa2048", "p256"])
def test_signing_may_have_it_stamped_in_any_encoding(server: tsa.Server, name: str, who: str, proven):
    source = BASE / name
    if not source.exists():
        pytest.fail(f"{name} is not in the corpus: {sorted(p.name for p in BASE.iterdir())}")
    options = dsig.SignOptions(timestamp=asking(server.url))
    done = dsig.sign(source.read_bytes(), key=key(who), options=options)
    report = proven(done.output)
    assert report.verdict == "passed"
    assert done.timestamp is not None
    assert report.signatures[0].times.proven == done.timestamp.facts.time.isoformat(timespec="seconds")


def test_an_item_is_stamped_where_it_is(server: tsa.Server, tmp_path: Path):
    rt = BASE / "rtplan.dcm"
    first = dsig.sign(rt.read_bytes(), key=key(), options=dsig.SignOptions(item="BeamSequence[0]")).output
    both = dsig.sign(first, key=key("p256")).output
    with pytest.raises(dsig.UsageError) as caught:
        dsig.timestamp(both, tsa=asking(server.url))
    assert caught.value.code == "several-signatures"
    done = dsig.timestamp(both, tsa=asking(server.url), location="BeamSequence[0]")
    assert done.location == "BeamSequence[0]"
    trust = dsig.TrustMaterial(anchors=(der(server.authority),))
    report = dsig.verify(done.output, dsig.VerifyOptions(trust=trusting(), tsa_trust=trust))
    assert [(s.location, bool(s.times.proven)) for s in report.signatures] == [("BeamSequence[0]", True), ("/", False)]
    assert report.verdict == "passed"


def test_a_new_timestamp_takes_the_place_of_the_old_one(server: tsa.Server, signed: Path, proven):
    once = dsig.timestamp(signed.read_bytes(), tsa=asking(server.url))
    twice = dsig.timestamp(once.output, tsa=asking(server.url))
    assert twice.facts.serial != once.facts.serial
    assert proven(twice.output).verdict == "passed"
    assert abs(len(twice.output) - len(once.output)) < 8


def test_a_busy_tsa_is_asked_again(server: tsa.Server, signed: Path):
    server.answers = [503, 429]
    dsig.timestamp(signed.read_bytes(), tsa=asking(server.url))
    assert len(server.asked) == 3
    assert len(set(server.asked)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_a_tsa_that_says_no_is_not_asked_again(server: tsa.Server, signed: Path, tmp_path: Path, status: int):
    server.answers = [status]
    with pytest.raises(dsig.OutputError) as caught:
        dsig.timestamp(signed, tmp_path / "out.dcm", tsa=asking(server.url))
    assert caught.value.code == "timestamp-unavailable"
    assert f"HTTP status {status}" in caught.value.message
    assert len(server.asked) == 1
    assert left_in(tmp_path) == ["signed.dcm"]


def test_the_next_tsa_is_asked_a_question_of_its_own(server: tsa.Server, stamps: tsa.Authority, signed: Path):
    with tsa.serving(stamps) as first:
        first.answers = [stamps.stamp(dsig.timestamp_query(signed)[0])]  # an answer to another query: a replay
        done = dsig.timestamp(signed.read_bytes(), tsa=asking("http://127.0.0.1:9/", first.url, server.url))
    assert done.source == server.url
    assert first.asked[0] != server.asked[0]


ANSWERS: dict[str, tuple[object, str]] = {
    "garbage": (b"<html>", "cannot be read"),
    "nothing": (b"", "cannot be read"),
    "a token without response": (lambda a, q: tsa.token_of(a.stamp(q)), "cannot be read"),
    "half a response": (lambda a, q: a.stamp(q)[:500], "cannot be read"),
    "a rejection": (bytes.fromhex("30093007 0201 02 3002 0c00".replace(" ", "")), "refused (status 2)"),
    "a real rejection": (lambda a, q: a.stamp(b"0\0"), "refused (status 2)"),
    "another nonce": (lambda a, q: a.stamp(q[:-4] + bytes([q[-4] ^ 1]) + q[-3:]), "nonce"),
    "another imprint": (lambda a, q: a.stamp(q.replace(imprint_of(q), bytes(32))), "imprint"),
    "modifications": (lambda a, q: modified(a.stamp(q)), "only with modifications"),
    "a wrong signature": (lambda a, q: a.stamp(q)[:-1] + b"\0", "cannot be used"),
}


def imprint_of(query: bytes) -> bytes:
    """The SHA-256 digest in a query."""
    at = query.index(b"\4\x20") + 2
    return query[at : at + 32]


def modified(response: bytes) -> bytes:
    """PKIStatus 1 in place of 0."""
    return response.replace(bytes.fromhex("3003020100"), bytes.fromhex("3003020101"), 1)


@pytest.mark.parametrize("what", ANSWERS)
def test_no_bad_answer_is_written(server: tsa.Server, stamps: tsa.Authority, tmp_path: Path, what: str):
    answer, told = ANSWERS[what]
    server.answers = [(lambda query: answer(stamps, query)) if callable(answer) else answer]
    options = dsig.SignOptions(timestamp=asking(server.url))
    with pytest.raises(dsig.OutputError) as caught:
        dsig.sign(BASE / "ct.dcm", tmp_path / "out.dcm", key=key(), options=options)
    assert caught.value.code == "timestamp-unavailable"
    assert told in caught.value.message
    assert left_in(tmp_path) == []


def test_modifications_are_taken_by_who_says_so(server: tsa.Server, signed: Path):
    server.answers = [lambda query: modified(server.authority.stamp(query))]
    done = dsig.timestamp(signed.read_bytes(), tsa=asking(server.url, allow_modifications=True))
    assert [f.code for f in done.findings] == ["timestamp-modified"]


def test_the_policy_asked_for_must_be_the_policy_granted(server: tsa.Server, signed: Path):
    good = dsig.timestamp(signed.read_bytes(), tsa=asking(server.url, query=QueryOptions(policy="1.2.3.4.5.6")))
    assert good.facts.policy == "1.2.3.4.5.6"
    unpolicied = dsig.timestamp_query(signed, options=QueryOptions(nonce=False))[0]
    server.answers = [server.authority.stamp(unpolicied)]
    with pytest.raises(dsig.OutputError, match="policy"):
        asked = QueryOptions(policy="1.2.3.4.5.6", nonce=False)
        dsig.timestamp(signed.read_bytes(), tsa=asking(server.url, query=asked))
    with pytest.raises(dsig.UsageError) as caught:
        dsig.timestamp(signed.read_bytes(), tsa=asking(server.url, query=QueryOptions(policy="abc")))
    assert caught.value.code == "timestamp-query"


def test_who_asks_says_who_he_is(server: tsa.Server, signed: Path):
    asked = asking(server.url, user="radiology", password="open sesame")
    assert "sesame" not in repr(asked)
    dsig.timestamp(signed.read_bytes(), tsa=asked)
    assert server.headers[0]["Authorization"] == "Basic cmFkaW9sb2d5Om9wZW4gc2VzYW1l"


@pytest.mark.parametrize(
    ("url", "more", "told"),
    [
        ("http://me:secret@127.0.0.1/", {}, "user or password"),
        ("http://tsa.example/", {"user": "me", "password": "secret"}, "https only"),
        ("http:///tsa", {}, "no http or https URL"),
        ("http://tsa.example/a b", {}, "characters"),
        ("https://tsa.example/", {"client_certificate": "/nowhere.pem"}, "certificate for TLS"),
        ("https://tsa.example/", {"client_certificate": str(PKI / "rsa2048.key.enc.pem")}, "certificate for TLS"),
        ("https://tsa.example/", {"server_roots": "/nowhere.pem"}, "certificate for TLS"),
        ("ftp://tsa.example/", {}, "'ftp'"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(signed: Path, url: str, more, told: str):
    with pytest.raises(dsig.UsageError) as caught:
        dsig.timestamp(signed.read_bytes(), tsa=asking(url, **more))
    assert caught.value.code in ("timestamp-source", "unknown-scheme")
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------ by files


def test_a_query_says_what_was_asked_for(signed: Path):
    asked = QueryOptions(mac="SHA512", policy="1.2.3.4.5.6", nonce=False, certificate=False)
    query, uid = dsig.timestamp_query(signed, options=asked)
    text = tsa.openssl("ts", "-query", "-in", "/dev/stdin", "-text", stdin=query).decode()
    assert uid == "1.2.3.4.5"
    assert "Hash Algorithm: sha512" in text
    assert "Policy OID: tsa_policy2" in text  # openssl.cnf calls 1.2.3.4.5.6 so
    assert "Nonce: unspecified" in text
    assert "Certificate required: no" in text
    assert hashlib.sha512(VALUE).digest() in query


@pytest.mark.parametrize(
    ("code", "query", "response"),
    [
        ("timestamp-nonce", lambda q: q, lambda a, q: a.stamp(q[:-4] + bytes([q[-4] ^ 1]) + q[-3:])),
        ("timestamp-imprint", lambda q: q.replace(DIGEST, bytes(32)), lambda a, q: a.stamp(q)),
        ("timestamp-imprint", lambda q: q, lambda a, q: a.stamp(q.replace(DIGEST, bytes(32)))),
        ("timestamp-rejected", lambda q: q, lambda a, q: a.stamp(b"0\0")),
        ("timestamp-rejected", lambda q: q, lambda a, q: modified(a.stamp(q))),
        ("timestamp-query-unreadable", lambda q: q + b"\0", lambda a, q: a.stamp(q[:-1])),
        ("timestamp-query-unreadable", lambda q: b"", lambda a, q: b"0\0"),
        ("timestamp-response-unreadable", lambda q: q, lambda a, q: q),
        ("timestamp-response-unreadable", lambda q: q, lambda a, q: tsa.token_of(a.stamp(q))),
        ("timestamp-digest", lambda q: q, lambda a, q: a.stamp(q).replace(DIGEST, DIGEST[:-1] + b"x")),
    ],
)
def test_what_does_not_belong_together_is_not_attached(signed, stamps, tmp_path, code, query, response):
    asked = query(dsig.timestamp_query(signed)[0])
    with pytest.raises((dsig.UsageError, dsig.InputError)) as caught:
        dsig.attach_timestamp(signed, tmp_path / "out.dcm", query=asked, response=response(stamps, asked))
    assert caught.value.code == code
    assert left_in(tmp_path) == ["signed.dcm"]


def test_a_policy_that_is_not_the_one_asked_for_is_not_attached(signed: Path, stamps: tsa.Authority):
    asked, _ = dsig.timestamp_query(signed, options=QueryOptions(policy="1.2.3.4.5.6", nonce=False))
    unasked, _ = dsig.timestamp_query(signed, options=QueryOptions(nonce=False))
    with pytest.raises(dsig.UsageError) as caught:
        dsig.attach_timestamp(signed.read_bytes(), query=asked, response=stamps.stamp(unasked))
    assert caught.value.code == "timestamp-policy"


def test_a_token_without_certificate_is_taken_with_a_warning(signed: Path, stamps: tsa.Authority, proven):
    query, _ = dsig.timestamp_query(signed, options=QueryOptions(certificate=False))
    done = dsig.attach_timestamp(signed.read_bytes(), query=query, response=stamps.stamp(query))
    assert [f.code for f in done.findings] == ["timestamp-no-certificate"]
    assert proven(done.output).verdict == "failed"
    known = dsig.TrustMaterial(anchors=(der(stamps),), intermediates=(der(stamps, "tsa"),))
    assert dsig.verify(done.output, dsig.VerifyOptions(trust=trusting(), tsa_trust=known)).verdict == "passed"


def test_a_uid_file_is_what_others_write(tmp_path: Path):
    path = tmp_path / "uid.dcm"
    path.write_bytes(dsig.uid_file("1.2.3.4.5"))
    read = pydicom.dcmread(path)
    assert (read.DigitalSignatureUID, len(read), read.file_meta.TransferSyntaxUID) == (
        "1.2.3.4.5",
        1,
        "1.2.840.10008.1.2",
    )
    assert dsig.read_uid_file(path) == "1.2.3.4.5"
    with pytest.raises(dsig.InputError) as caught:
        dsig.read_uid_file(BASE / "ct.dcm")
    assert caught.value.code == "uid-file"


# ------------------------------------------------------------------------------------------------- with the other tool

TRUST = ("+cf", PKI / "root.pem", "+uf", PKI / "inter.pem")


def dcmsign(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["dcmsign", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "TZ": "UTC"}
    )


@pytest.fixture(scope="session")
def corpus_tsa(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """The TSA of the corpus, below the root of its signers: the peer has one store for both."""
    made = tsa.Authority(tmp_path_factory.mktemp("corpus-tsa"), "Unused")
    for name in ("tsa.pem", "tsa.key.pem"):
        (made.directory / name).write_bytes((PKI / name).read_bytes())
    return made


@pytest.mark.parametrize("who", ["rsa2048", "p256", "dsa2048"])
@pytest.mark.parametrize("mac", ["SHA256", "SHA512"])
def test_the_peer_accepts_what_we_stamp(tmp_path: Path, corpus_tsa: tsa.Authority, who: str, mac: str):
    with tsa.serving(corpus_tsa) as server:
        options = dsig.SignOptions(timestamp=asking(server.url, query=QueryOptions(mac=mac)))
        dsig.sign(BASE / "ct.dcm", tmp_path / "out.dcm", key=key(who), options=options)
    ended = dcmsign("--verify", "+rg", "+tr", *TRUST, tmp_path / "out.dcm")
    assert ended.returncode == 0, ended.stderr
    assert "Timestamp Verification : OK" in ended.stderr


@pytest.mark.parametrize("more", [(), ("+tm5",), ("-tn",), ("-tc",), ("+tp", "1.2.3.4.5.6")])
def test_queries_answers_and_uid_files_go_both_ways(tmp_path: Path, corpus_tsa: tsa.Authority, more: tuple[str, ...]):
    signed, query, response, uid = (tmp_path / n for n in ("signed.dcm", "q.tsq", "r.tsr", "uid.dcm"))
    keys = (PKI / "p256.key.pem", PKI / "p256.pem")
    ended = dcmsign("+s", *keys, "+m2", "+ts", query, uid, *more, BASE / "ct.dcm", signed)
    assert ended.returncode == 0, ended.stderr
    response.write_bytes(corpus_tsa.stamp(query.read_bytes()))
    given = dsig.read_uid_file(uid)

    # the peer's query and UID file, our insertion, the peer's verification
    done = dsig.attach_timestamp(signed, tmp_path / "ours.dcm", query=query, response=response, uid=given)
    assert done.uid == given
    check = ("+uf", PKI / "tsa.pem") if "-tc" in more else ()
    assert dcmsign("--verify", "+tr", *TRUST, *check, tmp_path / "ours.dcm").returncode == 0

    # the peer's insertion gives the same signature item
    assert dcmsign("+t", query, response, uid, signed, tmp_path / "theirs.dcm").returncode == 0
    ours, theirs = (pydicom.dcmread(tmp_path / name) for name in ("ours.dcm", "theirs.dcm"))
    assert ours.DigitalSignaturesSequence == theirs.DigitalSignaturesSequence

    # our query and UID file, the peer's insertion, our verification
    asked, found = dsig.timestamp_query(signed)
    query.write_bytes(asked)
    uid.write_bytes(dsig.uid_file(found))
    response.write_bytes(corpus_tsa.stamp(asked))
    assert dcmsign("+t", query, response, uid, signed, tmp_path / "again.dcm").returncode == 0
    options = dsig.VerifyOptions(trust=trusting(), tsa_trust=trusting(), timestamps=TimestampPolicy.REQUIRE)
    assert dsig.verify(tmp_path / "again.dcm", options).verdict == "passed"


# -------------------------------------------------------------------------------------------------- the command line


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def test_the_command_line_stamps_while_signing(server: tsa.Server, stamps: tsa.Authority, tmp_path: Path, capfd):
    keys = ("--key", PKI / "rsa2048.key.pem", "--cert", PKI / "rsa2048.pem")
    out = tmp_path / "out.dcm"
    urls = ("--timestamp", "http://127.0.0.1:9/", "--timestamp", server.url, "--tsa-attempts", 1)
    assert run("sign", BASE / "ct.dcm", "-o", out, *keys, *urls) == 0
    trust = ("--trust-root", PKI / "root.pem", "--intermediate", PKI / "inter.pem")
    roots = ("--tsa-root", stamps.directory / "root.pem")
    assert run("verify", out, *trust, *roots, "--require-timestamp") == 0
    assert run("verify", out, *trust, "--require-timestamp") == 3
    assert run("verify", out, *trust) == 0
    assert run("verify", out, *trust, "--tsa-root", PKI / "root.pem") == 1
    assert run("verify", out, *trust, "--tsa-root", PKI / "root.pem", "--ignore-timestamp") == 0
    assert run("verify", out, *trust, *roots, "--require-timestamp", "--ignore-timestamp") == 2
    nowhere = ("--timestamp", "http://127.0.0.1:9/", "--tsa-attempts", 1)
    assert run("sign", BASE / "ct.dcm", "-o", tmp_path / "no.dcm", *keys, *nowhere) == 8
    assert left_in(tmp_path) == ["out.dcm"]
    assert "CN=tsa,O=Stamps" in capfd.readouterr().out


def test_a_password_is_read_from_a_file(server: tsa.Server, signed: Path, tmp_path: Path):
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    options = ("--tsa", server.url, "--tsa-user", "radiology", "--tsa-password-file", secret)
    assert run("timestamp", "fetch", signed, "--in-place", *options) == 0
    assert server.headers[0]["Authorization"] == "Basic cmFkaW9sb2d5Om9wZW4gc2VzYW1l"


def test_defaults_of_fetch_are_configured(server: tsa.Server, signed: Path, tmp_path: Path):
    config = tmp_path / "c.toml"
    config.write_text(f'[timestamp]\ntsa = ["{server.url}"]\nmac = "SHA512"\n')
    assert run("timestamp", "fetch", signed, "--in-place", "--config", config) == 0
    assert hashlib.sha512(VALUE).digest() in server.asked[0]
    config.write_text('[timestamp]\nmacs = "SHA512"\n')
    assert run("config", "check", config) == 2


def test_asking_imports_no_network_code_unless_asked(signed: Path):
    code = (
        "import sys; from dsig.cli import main\n"
        f"status = main(['timestamp', 'query', {str(signed)!r}, '-o', {str(signed) + '.tsq'!r}])\n"
        "sys.exit(status or 'urllib.request' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
