"""What a key source must do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest

from dsig.errors import KeySourceError
from dsig.hookspecs import CryptoBackend, KeyRequest, KeySource, Secrets, Signer
from dsig.keys import NoSecrets, open_key
from dsig.model import FileVerdict
from dsig.testing.installed import installed
from dsig.testing.samples import unsigned_file
from dsig.testing.secrecy import CANARY, all_texts
from dsig.verbs.sign import SignOptions, sign
from dsig.verbs.verify import VerifyOptions, verify

__all__ = ["KeySourceContract"]


class KeySourceContract:
    """Subclass it with fixtures that say what to open."""

    macs = ("SHA256", "SHA384", "SHA512")
    """MAC algorithms the key must be able to sign with."""
    crypto_backend: ClassVar[str] = "cryptography"
    """What verifies such signatures."""

    @pytest.fixture
    def uri(self) -> str:
        """Give the URI of a key that can sign."""
        raise NotImplementedError("override the fixture uri")

    @pytest.fixture
    def wrong_uri(self) -> str:
        """Give a URI of the same scheme for a key that is not there."""
        raise NotImplementedError("override the fixture wrong_uri")

    @pytest.fixture
    def certificate(self) -> str | None:
        """Path of the certificate, if the source does not find it with the key."""
        return None

    @pytest.fixture
    def new_secrets(self) -> Callable[[], Secrets]:
        """Makes what answers when the source asks for a PIN or a passphrase, anew for each opening."""
        return NoSecrets

    @pytest.fixture
    def secrets(self, new_secrets: Callable[[], Secrets]) -> Secrets:
        """For one opening."""
        return new_secrets()

    @pytest.fixture
    def source(self, uri: str) -> KeySource:
        """The provider."""
        return installed().key_source_for(uri)[1]

    @pytest.fixture
    def signer(self, source: KeySource, uri: str, certificate: str | None, secrets: Secrets) -> Iterator[Signer]:
        """The open key."""
        with source.open(KeyRequest(uri, certificate), secrets) as signer:
            yield signer

    @pytest.fixture
    def backend(self) -> CryptoBackend:
        """An implementation of the mathematics that is not the source's own."""
        return installed().crypto_backends.get(self.crypto_backend)

    def test_the_certificate_is_one_der_certificate(self, signer: Signer, backend: CryptoBackend) -> None:
        """And names a key of a kind that can sign."""
        assert isinstance(signer.certificate, bytes)
        assert backend.certificate(signer.certificate).key_type

    def test_the_chain_is_der_certificates(self, signer: Signer, backend: CryptoBackend) -> None:
        """Which may be none; the signer's own is not repeated."""
        for der in signer.chain:
            assert backend.certificate(der).key_type
            assert der != signer.certificate

    def test_a_signature_is_of_the_digest_and_of_no_other(self, signer: Signer, backend: CryptoBackend) -> None:
        """By the key of the certificate, with each MAC."""
        for mac in self.macs:
            spec = installed().mac_algorithms.spec(mac)
            digest, other = (hashlib.new(mac, text).digest() for text in (b"this", b"that"))
            value = signer.sign_digest(digest, spec)
            assert isinstance(value, bytes)
            assert backend.verify_digest(signer.certificate, digest, spec, value).valid, mac
            assert not backend.verify_digest(signer.certificate, other, spec, value).valid, mac

    def test_a_signature_has_no_padding(self, signer: Signer, backend: CryptoBackend) -> None:
        """The pad byte of (0400,0120) is the core's: RSA has the length of the modulus, r and s are exact DER."""
        spec = installed().mac_algorithms.spec("SHA256")
        value = signer.sign_digest(bytes(32), spec)
        facts = backend.certificate(signer.certificate)
        if facts.key_type == "RSA":
            assert len(value) == (facts.key_size + 7) // 8
        elif facts.key_type in ("EC", "DSA"):
            long = value[1] & 0x80
            header, length = (3, value[2]) if long else (2, value[1])
            assert value[0] == 0x30
            assert len(value) == header + length

    def test_the_key_can_be_opened_again(
        self, source: KeySource, uri: str, certificate: str | None, new_secrets: Callable[[], Secrets]
    ) -> None:
        """After it was closed."""
        certificates = []
        for _ in range(2):
            with source.open(KeyRequest(uri, certificate), new_secrets()) as signer:
                certificates.append(signer.certificate)
        assert certificates[0] == certificates[1]

    def test_a_file_is_signed_and_verifies(self, uri: str, certificate: str | None, secrets: Secrets) -> None:
        """From end to end."""
        plugins, backend = installed(), self.crypto_backend
        with open_key(uri, certificate=certificate, secrets=secrets, plugins=plugins) as key:
            for mac in self.macs:
                options = SignOptions(mac=mac, crypto_backend=backend)
                signed = sign(unsigned_file(), key=key, options=options, plugins=plugins)
                assert isinstance(signed.output, bytes)
                asked = VerifyOptions(check_trust=False, crypto_backend=backend)
                report = verify(signed.output, asked, plugins=plugins)
                assert report.verdict is FileVerdict.PASSED, mac
                assert report.signatures[0].certificate == key.certificate

    def test_a_key_that_is_not_there_is_told(self, wrong_uri: str, certificate: str | None, secrets: Secrets) -> None:
        """By `KeySourceError`, with what to do next."""
        with (
            pytest.raises(KeySourceError) as caught,
            open_key(wrong_uri, certificate=certificate, secrets=secrets, plugins=installed()),
        ):
            pass
        assert caught.value.message
        assert caught.value.hint, "say what to do next"
        assert "\n" not in str(caught.value)

    def test_secrets_stay_secret(
        self, uri: str, certificate: str | None, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A wrong one is refused without being repeated in the error, in its causes, in logs or on the terminal."""
        secrets = _Wrong()
        caplog.set_level(0)
        told = ""
        try:
            with open_key(uri, certificate=certificate, secrets=secrets, plugins=installed()) as key:
                key.signer.sign_digest(bytes(32), installed().mac_algorithms.spec("SHA256"))
        except KeySourceError as error:
            told = all_texts(error)
        else:
            assert not secrets.asked, "a wrong secret was accepted"
        assert CANARY not in told
        assert CANARY not in caplog.text
        assert CANARY not in "".join(capfd.readouterr())
        for kind, count in secrets.asked.items():
            assert kind != "pin" or count == 1, "a PIN is asked for once: tokens lock themselves"

    def test_nothing_is_written_to_the_terminal(
        self, source: KeySource, uri: str, certificate: str | None, secrets: Secrets, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Standard output belongs to reports."""
        capfd.readouterr()
        with source.open(KeyRequest(uri, certificate), secrets) as signer:
            signer.sign_digest(bytes(32), installed().mac_algorithms.spec("SHA256"))
        assert capfd.readouterr().out == ""

    def test_threads_may_share_it_if_it_says_so(self, signer: Signer, uri: str, backend: CryptoBackend) -> None:
        """`workers="threads"`: every signature is of its own digest."""
        spec = installed().mac_algorithms.spec("SHA256")
        if installed().key_sources.spec(installed().key_source_for(uri)[0]).workers != "threads":
            return
        digests = [hashlib.sha256(bytes([n])).digest() for n in range(32)]
        with ThreadPoolExecutor(8) as pool:
            values = list(pool.map(lambda digest: signer.sign_digest(digest, spec), digests))
        for digest, value in zip(digests, values, strict=True):
            assert backend.verify_digest(signer.certificate, digest, spec, value).valid


class _Wrong:
    """Answers every question with the same wrong secret."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def get(self, kind: str, what: str) -> str | None:  # noqa: ARG002 - the contract's names
        """The canary, as often as the core would."""
        self.asked[kind] = self.asked.get(kind, 0) + 1
        return CANARY if self.asked[kind] <= 3 else None
