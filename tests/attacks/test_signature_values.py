"""Signature values and certificates: exactly one encoding, and a report that says whose certificate it was."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support import signed as s
from support.encode import element
from support.pki import Signer, certificate, checked, signer
from support.signed import Parts

import dsig

GOOD = Parts()


def with_value(parts: Parts, value: bytes) -> dsig.SignatureReport:
    """The signature with another value in (0400,0120)."""
    [signature] = checked(parts.but(item={s.SIGNATURE: element(s.SIGNATURE, "OB", value)}).file()).signatures
    return signature


def ecdsa(*, odd: bool, name: str = "p256") -> tuple[Parts, bytes]:
    """A signed data set and a signature over it whose DER has an odd or even length."""
    parts = Parts(signer=signer(name))
    value = next(v for v in iter(lambda: parts.signer.sign(parts.stream()), b"") if len(v) % 2 == odd)
    return parts, value


def refused(signature: dsig.SignatureReport) -> None:
    assert [f.code for f in signature.axes["integrity"].findings] == ["mac-mismatch"]
    assert signature.axes["integrity"].status == "failed"
    assert signature.verdict == "failed"


# --------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("name", ["p256", "p384", "dsa2048"])
def test_a_value_of_odd_length_has_one_zero_byte_behind_it(name: str):
    parts, value = ecdsa(odd=True, name=name)
    assert with_value(parts, value + b"\0").verdict == "passed"


@pytest.mark.parametrize("name", ["p256", "p384", "dsa2048"])
@pytest.mark.parametrize("rest", [b"\1", b"\0\0\0", b" ", b"\0\0", b"forged"])
@pytest.mark.parametrize("odd", [False, True])
def test_anything_else_behind_the_value_is_refused(name: str, odd: bool, rest: bytes):
    parts, value = ecdsa(odd=odd, name=name)
    refused(with_value(parts, value + rest))


def test_a_zero_byte_behind_a_value_of_even_length_is_refused():
    parts, value = ecdsa(odd=False)
    refused(with_value(parts, value + b"\0"))


def test_a_length_written_longer_than_necessary_is_refused():
    parts, value = ecdsa(odd=True)
    assert value[1] < 0x80
    refused(with_value(parts, value[:1] + b"\x81" + value[1:]))


def test_integers_with_needless_leading_zeros_are_refused():
    parts, value = ecdsa(odd=False)
    r, rest = value[2 : 4 + value[3]], value[4 + value[3] :]
    longer = b"\x02" + bytes([r[1] + 1]) + b"\0" + r[2:]
    refused(with_value(parts, s.even(b"\x30" + bytes([value[1] + 1]) + longer + rest)))


@pytest.mark.parametrize("pair", [(0, 0), (1, 1), (0, 5)])
def test_trivial_values_are_refused(pair: tuple[int, int]):
    parts, _ = ecdsa(odd=False)
    refused(with_value(parts, s.even(encode_dss_signature(*pair))))


def test_negative_integers_are_refused():
    """An integer whose first bit is set has a zero byte before it, or it is a negative one (X.690 8.3)."""
    parts, value = next(pair for pair in iter(lambda: ecdsa(odd=True), None) if pair[1][3] == 33)
    negative = b"\x30" + bytes([value[1] - 1]) + b"\x02\x20" + value[5:]
    refused(with_value(parts, s.even(negative)))


@pytest.mark.parametrize("rest", [b"\0", b"\0\0", b"\1\1", b"\0" * 256])
def test_bytes_behind_an_rsa_value_are_refused(rest: bytes):
    refused(with_value(GOOD, GOOD.signer.sign(GOOD.stream()) + rest))


@pytest.mark.parametrize("cut", [1, 2, 255])
def test_an_rsa_value_cut_short_is_refused(cut: int):
    refused(with_value(GOOD, GOOD.signer.sign(GOOD.stream())[cut:]))


def test_an_rsa_value_plus_the_modulus_is_refused():
    key = GOOD.signer.key
    assert isinstance(key, rsa.RSAPrivateKey)
    n = key.public_key().public_numbers().n
    value = int.from_bytes(GOOD.signer.sign(GOOD.stream()), "big") + n
    refused(with_value(GOOD, value.to_bytes(258, "big")))


def test_a_digest_signed_without_its_hash_named_is_refused():
    """RSA of the bare digest, PKCS#1 padding made by hand: no DigestInfo, so any hash could be claimed."""
    key = GOOD.signer.key
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    digest = hashlib.sha256(GOOD.stream()).digest()
    padded = b"\0\1" + b"\xff" * (256 - 3 - len(digest)) + b"\0" + digest
    value = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
    refused(with_value(GOOD, value))


@pytest.mark.parametrize(
    "value", [b"\0\0", b"\x30\0", b"\x30\x80", b"\x30\x81", b"\xff" * 64, b"\x30\x84\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("name", ["rsa2048", "p256", "dsa2048"])
def test_garbage_is_refused(name: str, value: bytes):
    refused(with_value(Parts(signer=signer(name)), value))


def test_a_key_that_can_be_broken_is_named():
    key = rsa.generate_private_key(65537, 1024)
    parts = Parts(signer=Signer(key, self_signed(key)))
    report = dsig.verify(parts.file(), dsig.VerifyOptions(check_trust=False))
    assert [(f.code, f.severity) for f in report.signatures[0].axes["integrity"].findings] == [("weak-key", "warning")]
    assert report.verdict == "passed"
    policy = dsig.Policy(allow_weak=False)
    assert dsig.verify(parts.file(), dsig.VerifyOptions(check_trust=False, policy=policy)).verdict == "failed"


# ------------------------------------------------------------------------------------------------------- certificates


def self_signed(key: rsa.RSAPrivateKey, subject: str = "Dr Somebody Else", issuer: x509.Name | None = None) -> bytes:
    """A certificate anybody can make."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def exchanged(der: bytes) -> dsig.SignatureReport:
    """The good signature with another certificate; no MAC covers it."""
    [signature] = checked(GOOD.but(item={s.CERTIFICATE: element(s.CERTIFICATE, "OB", s.even(der))}).file()).signatures
    return signature


def test_another_trusted_certificate_of_the_same_key_is_a_different_signer_in_the_report():
    alias = certificate("rsa2048_alias")
    signature = exchanged(alias)
    assert signature.axes["integrity"].status == "passed"
    assert signature.signer is not None
    assert signature.signer.sha256 == hashlib.sha256(alias).hexdigest()
    assert signature.signer.sha256 != hashlib.sha256(certificate("rsa2048")).hexdigest()
    [good] = checked(GOOD.file()).signatures
    assert good.signer is not None
    assert signature.signer.subject != good.signer.subject


def test_a_certificate_anybody_made_for_the_same_key_is_not_trusted():
    key = GOOD.signer.key
    assert isinstance(key, rsa.RSAPrivateKey)
    der = self_signed(key, issuer=x509.load_der_x509_certificate(certificate("inter")).subject)
    signature = exchanged(der)
    assert signature.axes["integrity"].status == "passed"
    assert signature.axes["trust"].status == "failed"
    assert signature.verdict == "failed"


@pytest.mark.parametrize("at", [4, 30, 100, 300, -1])
def test_a_certificate_with_a_changed_byte_is_never_trusted(at: int):
    der = bytearray(certificate("rsa2048"))
    der[at] ^= 1
    assert exchanged(bytes(der)).verdict == "failed"


@pytest.mark.parametrize("rest", [b"\0\0\0", b"forged.."])
def test_bytes_behind_a_certificate_are_refused(rest: bytes):
    signature = exchanged(certificate("rsa2048") + rest)
    assert "certificate-unreadable" in [f.code for f in signature.axes["structure"].findings]
    assert signature.verdict == "failed"


def test_without_a_trusted_root_nothing_is_said_about_the_signer():
    [signature] = dsig.verify(GOOD.file()).signatures
    assert signature.axes["integrity"].status == "passed"
    assert [f.code for f in signature.axes["trust"].findings] == ["trust-no-anchors"]
    assert signature.verdict == "indeterminate"


def test_integrity_alone_has_to_be_asked_for():
    report = dsig.verify(GOOD.file(), dsig.VerifyOptions(check_trust=False))
    assert (report.verdict, report.signatures[0].axes["trust"].status) == ("passed", "not-checked")


def test_who_signs_with_such_a_key_is_warned(tmp_path):
    key = rsa.generate_private_key(65537, 1024)
    (tmp_path / "key.der").write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "signer.der").write_bytes(self_signed(key))
    with dsig.open_key(str(tmp_path / "key.der"), certificate=str(tmp_path / "signer.der")) as opened:
        done = dsig.sign(GOOD.file(), key=opened)
    assert [(f.code, f.severity) for f in done.findings] == [("weak-key", "warning")]
