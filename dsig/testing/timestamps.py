"""What a way to timestamp authorities must do."""

from __future__ import annotations

import hashlib
from threading import Thread
from typing import ClassVar

import pytest

from dsig.errors import DsigError, InputError
from dsig.hookspecs import Imprint, TimestampQuery, TimestampRequest, TimestampSource, TimestampVerifier
from dsig.keys import open_key
from dsig.model import Status
from dsig.testing.installed import installed
from dsig.testing.pki import shared
from dsig.testing.samples import unsigned_file
from dsig.testing.secrecy import CANARY, all_texts
from dsig.timestamps.stamping import TsaOptions
from dsig.verbs.sign import SignOptions, sign

__all__ = ["TimestampSourceContract"]

SHA256 = "2.16.840.1.101.3.4.2.1"
GRANTED = (0, 1)


class TimestampSourceContract:
    """Subclass it with the name of the source and fixtures that say whom to ask. The fixture `dsig_tsa` is a TSA."""

    name: ClassVar[str]
    patience: ClassVar[float] = 60.0
    """Seconds until a source that was given one second counts as one that never ends."""

    @pytest.fixture
    def url(self) -> str:
        """Give the URL of a TSA that answers."""
        raise NotImplementedError("override the fixture url")

    @pytest.fixture
    def nobody_url(self) -> str:
        """Give a URL of the same scheme where nobody is."""
        raise NotImplementedError("override the fixture nobody_url")

    @pytest.fixture
    def silent_url(self) -> str:
        """Give a URL of the same scheme where somebody listens and says nothing."""
        raise NotImplementedError("override the fixture silent_url")

    @property
    def source(self) -> TimestampSource:
        """The provider."""
        return installed().timestamp_sources.get(self.name)

    @property
    def verifier(self) -> TimestampVerifier:
        """An implementation of RFC 3161 that is not the source's own."""
        return installed().timestamp_verifiers.get("rfc3161")

    def request(self, url: str, *, text: bytes = b"text", nonce: int = 1, password: str = "") -> TimestampRequest:
        """A question about `text`; one attempt."""
        imprint = Imprint(SHA256, hashlib.sha256(text).digest())
        query = self.verifier.encode_query(TimestampQuery(imprint=imprint, nonce=nonce))
        user = "kit" if password else ""
        return TimestampRequest(url=url, query=query, attempts=1, pause=0, user=user, password=password)

    def test_its_schemes_are_its_own(self, url: str) -> None:
        """The scheme of the URL leads to this source and to no other."""
        scheme = url.partition(":")[0].lower()
        assert [p.spec.name for p in installed().timestamp_sources if scheme in p.spec.schemes] == [self.name]

    def test_the_answer_is_that_of_the_tsa(self, url: str) -> None:
        """Bytes as received, whole: the response is read, its token verified and compared by others."""
        for nonce, text in ((1, b"this"), (2, b"that"), (2, b"something else")):
            answer = self.source.stamp(self.request(url, text=text, nonce=nonce))
            assert type(answer) is bytes
            response = self.verifier.read_response(answer)
            assert response.status in GRANTED, response.reason
            evidence = self.verifier.verify(response.token, ())
            assert evidence.status is Status.PASSED, evidence.findings
            assert evidence.facts is not None
            assert evidence.facts.imprint == Imprint(SHA256, hashlib.sha256(text).digest()), "an answer to another one"
            assert evidence.facts.nonce == nonce, "an answer to another question"

    def test_a_tsa_that_refuses_has_answered(self, url: str) -> None:
        """What it says is for the core to tell: a response without token, or `InputError` if there was none at all."""
        request = TimestampRequest(url=url, query=b"no query", attempts=1, pause=0)
        try:
            answer = self.source.stamp(request)
        except InputError:
            return
        assert self.verifier.read_response(answer).status not in GRANTED

    def test_nobody_there_is_told(self, nobody_url: str) -> None:
        """By `InputError`, in one line."""
        with pytest.raises(InputError) as caught:
            self.source.stamp(self.request(nobody_url))
        assert caught.value.message.isprintable()

    def test_it_waits_no_longer_than_it_may(self, silent_url: str) -> None:
        """`timeout` is for one attempt, and one attempt was allowed."""
        seen: list[BaseException | bytes] = []
        imprint = Imprint(SHA256, hashlib.sha256(b"text").digest())
        query = self.verifier.encode_query(TimestampQuery(imprint=imprint))
        request = TimestampRequest(url=silent_url, query=query, timeout=1.0, attempts=1, pause=0)

        def ask() -> None:
            try:
                seen.append(self.source.stamp(request))
            except BaseException as error:  # noqa: BLE001 - looked at below
                seen.append(error)

        thread = Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self.patience)
        assert seen, f"it had one second, and is at it after {self.patience:g}"
        assert isinstance(seen[0], InputError), seen[0]

    def test_the_password_stays_secret(
        self, nobody_url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """In the error, its causes, logs and on the terminal."""
        caplog.set_level(0)
        told = ""
        try:
            self.source.stamp(self.request(nobody_url, password=CANARY))
        except DsigError as error:
            told = all_texts(error)
        assert CANARY not in told
        assert CANARY not in caplog.text
        assert CANARY not in "".join(capfd.readouterr())

    def test_nothing_is_written_to_the_terminal(self, url: str, capfd: pytest.CaptureFixture[str]) -> None:
        """Standard output belongs to reports."""
        capfd.readouterr()
        self.source.stamp(self.request(url))
        assert capfd.readouterr().out == ""

    def test_a_signature_is_stamped(self, url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
        """From end to end."""
        directory = tmp_path_factory.mktemp("stamped")
        key, certificate = shared().signers["p256"].write(directory, "signer")
        options = SignOptions(timestamp=TsaOptions(urls=(url,), attempts=1))
        with open_key(str(key), certificate=str(certificate)) as opened:
            signed = sign(unsigned_file(), key=opened, options=options, plugins=installed())
        assert signed.timestamp is not None
        assert signed.timestamp.source == url
