"""What a crypto backend must do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest

from dsig.hookspecs import CryptoBackend
from dsig.testing.installed import installed
from dsig.testing.pki import KEYS, Certified, Pki, foreign_key, shared

__all__ = ["CryptoBackendContract"]

MESSAGE = b"what was signed"
KINDS: Mapping[str, tuple[str, int, int]] = {
    "rsa2048": ("RSA", 2048, 256),
    "rsa2040": ("RSA", 2040, 255),
    "p256": ("EC", 256, 0),
    "p521": ("EC", 521, 0),
    "dsa2048": ("DSA", 2048, 0),
}
"""Key to `CertificateFacts.key_type`, `key_size` and `signature_size`."""
DER = ("EC", "DSA")


class CryptoBackendContract:
    """Subclass it with the name of the backend.

    A backend that does not know all kinds of keys leaves some out of `kinds`; one that knows others names them there
    and overrides `certified` and `sign`.
    """

    name: ClassVar[str]
    kinds: ClassVar[Mapping[str, tuple[str, int, int]]] = KINDS
    macs: ClassVar[Sequence[str]] = ("SHA1", "SHA256", "SHA384", "SHA512")

    @pytest.fixture
    def pki(self) -> Pki:
        """Signers of each kind."""
        return shared()

    @property
    def backend(self) -> CryptoBackend:
        """The provider."""
        return installed().crypto_backends.get(self.name)

    def certified(self, pki: Pki, key: str) -> Certified:
        """The key called so, certified by the issuing CA under that name."""
        return pki.signers[key]

    def sign(self, pki: Pki, key: str, message: bytes = MESSAGE, mac: str = "SHA256") -> bytes:
        """A right signature, made by somebody else than the backend."""
        return self.certified(pki, key).sign(message, mac)

    def valid(self, pki: Pki, key: str, value: bytes, *, mac: str = "SHA256", message: bytes = MESSAGE) -> bool:
        """Ask the backend about a signature value."""
        spec = installed().mac_algorithms.spec(mac)
        digest = hashlib.new(mac, message).digest()
        check = self.backend.verify_digest(self.certified(pki, key).certificate, digest, spec, value)
        assert check.valid is True or check.reason, "say why a signature is not valid"
        return check.valid

    def test_right_signatures_are_valid(self, pki: Pki) -> None:
        """Each kind of key with each MAC, with the pad byte an odd length gets (PS3.5 6.2 OB)."""
        for key in self.kinds:
            for mac in self.macs:
                value = self.sign(pki, key, mac=mac)
                assert self.valid(pki, key, value, mac=mac), (key, mac)
                if len(value) % 2:
                    assert self.valid(pki, key, value + b"\0", mac=mac), (key, mac)

    def test_more_padding_is_not(self, pki: Pki) -> None:
        """One zero byte, and only behind an odd length."""
        for key in self.kinds:
            value = self.sign(pki, key)
            for pad in (b"\1", b" ", b"\0\0", b"\0\0\0") + (() if len(value) % 2 else (b"\0",)):
                assert not self.valid(pki, key, value + pad), (key, pad)
            assert not self.valid(pki, key, b"\0" + value), key

    def test_one_bit_matters(self, pki: Pki) -> None:
        """Wherever it is."""
        for key in self.kinds:
            value = self.sign(pki, key)
            for at in range(0, len(value), max(1, len(value) // 24)):
                changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
                assert not self.valid(pki, key, changed), (key, at)
            for cut in (b"", value[:-1], value[1:], bytes(len(value)), b"\xff" * len(value)):
                assert not self.valid(pki, key, cut), (key, cut)

    def test_another_message_key_or_mac_is_refused(self, pki: Pki) -> None:
        """The digest, the certificate and the algorithm all count."""
        for key in self.kinds:
            value = self.sign(pki, key)
            assert not self.valid(pki, key, value, message=MESSAGE + b"!"), key
            assert not self.valid(pki, key, value, mac="SHA384"), key
            for other in self.kinds:
                if other != key:
                    assert not self.valid(pki, other, value), (key, other)

    def test_encodings_that_are_not_der_are_refused(self, pki: Pki) -> None:
        """ECDSA and DSA: BER lengths, leading zeros and what follows give one signature several forms."""
        for key in self.kinds:
            value = self.sign(pki, key)
            if self.kinds[key][0] not in DER:
                continue
            body = value[3:] if value[1] & 0x80 else value[2:]
            r, s = _integers(body)
            for wrong in (
                b"\x30\x84" + len(body).to_bytes(4) + body,
                _sequence(_integer(b"\0" + r) + _integer(s)),
                _sequence(_integer(b"\0") + _integer(s)),
                _sequence(_integer(r) + _integer(b"\0")),
                _sequence(_integer(r)),
                _sequence(_integer(r) + _integer(s) + _integer(s)),
            ):
                assert not self.valid(pki, key, wrong), (key, wrong.hex())

    def test_garbage_is_an_answer(self, pki: Pki) -> None:
        """Never an exception."""
        spec = installed().mac_algorithms.spec("SHA256")
        key = next(iter(self.kinds))
        value, good = self.sign(pki, key), self.certified(pki, key).certificate
        for certificate in (b"", b"\0", good[:-1], good + b"\0\0", b"\x30\x82\xff\xff", b"text"):
            assert not self.backend.verify_digest(certificate, bytes(32), spec, value).valid
        assert not self.backend.verify_digest(good, b"short", spec, value).valid

    def test_what_it_does_not_know_is_not_called_wrong(self, pki: Pki) -> None:
        """Nothing can be said about the signature of a key of another kind; the certificate is read all the same."""
        known = {kind for kind, _, _ in self.kinds.values()}
        others = {"ed25519": ("Ed25519", pki.certify("ed25519", issuer=pki.issuing, key=foreign_key()))}
        others |= {key: (KINDS[key][0], pki.signers[key]) for key in KEYS}
        spec = installed().mac_algorithms.spec("SHA256")
        for key, (kind, certified) in others.items():
            if kind not in known:
                check = self.backend.verify_digest(certified.certificate, bytes(32), spec, bytes(256))
                assert (check.valid, check.unsupported) == (False, True), key
                assert check.reason
                assert self.backend.certificate(certified.certificate).key_type == kind

    def test_a_certificate_is_read_exactly(self, pki: Pki) -> None:
        """One DER certificate, one pad byte at most; anything else is a `ValueError`."""
        for key in self.kinds:
            der = self.certified(pki, key).certificate
            facts = self.backend.certificate(der + b"\0" * (len(der) % 2))
            assert (facts.key_type, facts.key_size, facts.signature_size) == self.kinds[key]
            assert facts.sha256 == hashlib.sha256(der).hexdigest()
            assert (facts.subject, facts.issuer) == (f"CN={key}", "CN=issuing")
            assert facts.not_before == pki.now - pki.day
            assert "digitalSignature" in facts.key_usage
            for wrong in (b"", der[:-1], der[1:], der + b"\0\0\0", der + b"\1", der + der, b"text"):
                with pytest.raises(ValueError, match=r".") as caught:
                    self.backend.certificate(wrong)
                assert "\n" not in str(caught.value)


def _integers(body: bytes) -> tuple[bytes, bytes]:
    """Contents of r and s."""
    length = body[1]
    return body[2 : 2 + length], body[4 + length :]


def _integer(content: bytes) -> bytes:
    return b"\x02" + bytes([len(content)]) + content


def _sequence(body: bytes) -> bytes:
    return b"\x30" + (b"\x81" if len(body) > 127 else b"") + bytes([len(body)]) + body
