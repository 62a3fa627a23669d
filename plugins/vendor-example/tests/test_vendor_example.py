"""The plugin against the service: the contracts, and what may go wrong on the wire."""

from __future__ import annotations

import base64
import json
import socket
import threading
from dataclasses import replace

import pytest

import dsig
import vendor_example.keys
from dsig.secrets import Channels, from_file
from dsig.testing import KeySourceContract, ProfileContract, assert_light, unsigned_file
from dsig.testing.pki import shared


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(vendor_example.keys, "PAUSE", 0.01)


class TestKeys(KeySourceContract):
    @pytest.fixture(params=["ct1", "mr1"])
    def uri(self, request, service):
        return service.uri(request.param)

    @pytest.fixture
    def wrong_uri(self, service):
        return service.uri("nobody")


class TestLockedClient(KeySourceContract):
    """The client's own key has a passphrase."""

    @pytest.fixture
    def uri(self, service):
        return service.uri("ct1", client="locked")

    @pytest.fixture
    def wrong_uri(self, service):
        return service.uri("nobody", client="locked")

    @pytest.fixture
    def new_secrets(self, tmp_path):
        (tmp_path / "passphrase").write_text("modality-passphrase")
        return lambda: Channels(passphrase=from_file(str(tmp_path / "passphrase")))


class TestProfile(ProfileContract):
    name = "vendor-acquisition"


def test_start_up():
    assert_light("vendor_example", heavy=("httpx", "cryptography", "pydicom", "ssl"))


def sign(service, **options) -> bytes:
    with dsig.open_key(service.uri()) as key:
        return dsig.sign(unsigned_file(), key=key, options=dsig.SignOptions(**options)).output


def trusted(file: bytes, **options) -> dsig.FileVerdict:
    trust = dsig.TrustMaterial(anchors=(shared().root.certificate,), intermediates=(shared().issuing.certificate,))
    return dsig.verify(file, dsig.VerifyOptions(trust=trust, **options)).verdict


def test_a_modality_signs_under_the_house_profile(service):
    signed = sign(service, profile="vendor-acquisition")
    assert trusted(signed, require_profiles=("vendor-acquisition",)) is dsig.FileVerdict.PASSED
    assert [line["client"] for line in service.service.audit] == ["modality"]


def test_what_the_profile_forbids_is_refused_before_the_service_is_asked(service):
    with pytest.raises(dsig.UsageError, match="SHA-256"):
        sign(service, profile="vendor-acquisition", mac="RIPEMD160", allow_weak=True)
    assert service.service.audit == []


def test_partial_signatures_do_not_meet_the_profile(service):
    signed = sign(service, tags=(0x00100010,))
    assert trusted(signed) is dsig.FileVerdict.PASSED
    assert trusted(signed, require_profiles=("vendor-acquisition",)) is dsig.FileVerdict.FAILED


# --------------------------------------------------------------------------------------------------------- the wire


def only_posts(then):
    """Do `then` to the first answers to orders."""

    def before(handler) -> bool:
        return handler.command != "POST" or then(handler)

    return before


def times(count, action):
    left = [count]

    def then(handler) -> bool:
        if not left[0]:
            return True
        left[0] -= 1
        action(handler)
        return False

    return then


def hang_up(handler) -> None:
    """The work is done, the answer is lost."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def busy(handler) -> None:
    handler.send_response(503)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def answer(content: bytes, status: int = 200):
    def action(handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return action


@pytest.mark.parametrize("trouble", [hang_up, busy], ids=lambda f: f.__name__)
def test_a_lost_answer_is_asked_for_again_and_nothing_is_signed_twice(service, trouble):
    service.service.before_answering = only_posts(times(2, trouble))
    assert trusted(sign(service)) is dsig.FileVerdict.PASSED
    assert len(service.service.audit) == 1


@pytest.mark.parametrize("trouble", [hang_up, busy], ids=lambda f: f.__name__)
def test_a_service_that_stays_away_is_told(service, trouble, tmp_path):
    service.service.before_answering = only_posts(times(99, trouble))
    out = tmp_path / "signed.dcm"
    (tmp_path / "image.dcm").write_bytes(unsigned_file())
    with dsig.open_key(service.uri()) as key, pytest.raises(dsig.KeySourceError, match="asked 4 times"):
        dsig.sign(tmp_path / "image.dcm", out, key=key)
    assert [p.name for p in tmp_path.iterdir()] == ["image.dcm"]


def test_a_service_that_is_too_slow_is_told(service, monkeypatch):
    monkeypatch.setattr(vendor_example.keys, "TIMEOUT", 0.2)
    enough = threading.Event()
    service.service.before_answering = only_posts(lambda _handler: enough.wait(300))
    with pytest.raises(dsig.KeySourceError, match="Timeout"):  # of reading, or on a slow machine of something before
        sign(service)
    enough.set()


REFUSALS = {
    "access": (answer(b"", 403), "does not let this client"),
    "order": (answer(b"", 400), "HTTP 400"),
    "elsewhere": (answer(b"", 302), "HTTP 302"),
    "no JSON": (answer(b"<html>"), "cannot be read"),
    "a list": (answer(b"[]"), "cannot be read"),
    "no signature": (answer(b"{}"), "cannot be read"),
    "no base64": (answer(b'{"signature": "%%"}'), "cannot be read"),
    "flood": (answer(b'"' + b"x" * (1 << 21) + b'"'), "cannot be read"),
    "a lie": (answer(json.dumps({"signature": base64.b64encode(bytes(256)).decode()}).encode()), "does not verify"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_other_answers_are_refused_at_once(service, name):
    action, words = REFUSALS[name]
    service.service.before_answering = only_posts(times(99, action))
    with pytest.raises(dsig.KeySourceError, match=words):
        sign(service)
    assert len(service.service.audit) == 1


def test_the_certificate_of_another_key_is_refused(service):
    keys = dict(service.service.keys)
    wrong = replace(keys["ct1"], certificate=shared().signers["rsa2040"].certificate)
    service.service.keys = keys | {"ct1": wrong}
    try:
        with pytest.raises(dsig.KeySourceError, match="does not verify"):
            sign(service)
    finally:
        service.service.keys = keys


def test_strangers_get_no_signature(service):
    with pytest.raises(dsig.KeySourceError), dsig.open_key(service.uri(client="stranger")) as key:
        dsig.sign(unsigned_file(), key=key)
    assert service.service.audit == []


def test_a_service_of_another_ca_gets_no_digest(service):
    with (
        pytest.raises(dsig.KeySourceError, match="the CA given did not issue"),
        dsig.open_key(service.uri(ca="other")) as key,
    ):
        dsig.sign(unsigned_file(), key=key)
    assert service.service.audit == []


@pytest.mark.parametrize(
    "uri",
    ["vendor:", "vendor://host", "vendor://host/key", "vendor://host/a/b?ca=x&client-cert=y", "vendor://u:p@host/k"],
)
def test_uris_that_cannot_be_used(uri):
    with pytest.raises(dsig.UsageError) as caught, dsig.open_key(uri):
        pass
    assert caught.value.hint
    assert ":p@" not in str(caught.value)
