"""The crypto backend `cryptography`: signatures and certificates, read without leeway.

Signatures come from the openssl program, from the library, or are computed here from private numbers; nothing is signed
by our own code.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

import dsig_macs
from dsig.hookspecs import MacAlgorithmSpec, SignatureCheck
from dsig.plugins import default
from dsig_cryptography.backend import CryptographyBackend
from dsig_x509 import certificates

MACS = {spec.name: spec for spec in dsig_macs.dsig_mac_algorithms()}
SHA256 = MACS["SHA256"]
DIGEST = hashlib.sha256(b"abc").digest()
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 9.2 note 1
BACKEND = CryptographyBackend()


@pytest.fixture(scope="module")
def backend():
    return BACKEND


@pytest.fixture(scope="module")
def key(pki):
    """Private keys of the corpus by name."""
    return lambda name: serialization.load_pem_private_key((pki / f"{name}.key.pem").read_bytes(), None)


def test_it_is_registered_under_its_name():
    assert isinstance(default().crypto_backends.get("cryptography"), CryptographyBackend)


def test_registering_loads_no_cryptography():
    code = (
        "import sys, dsig_cryptography as d; d.dsig_crypto_backends(), d.dsig_trust_backends();"
        "print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---------------------------------------------------------------------------------------------- what is accepted


@pytest.mark.interop
@pytest.mark.parametrize("term", MACS)
@pytest.mark.parametrize("name", ["rsa2048", "rsa3072", "rsa4096", "p256", "p384", "dsa2048"])
def test_signatures_of_openssl_are_valid_and_others_are_not(backend, pki, cert, openssl, tmp_path, name, term):
    data = random.Random(name + term).randbytes(1000)
    digest_name = f"-{term.lower().replace('_', '-')}"
    digest = openssl("dgst", digest_name, "-binary", stdin=data)
    signature = openssl("dgst", digest_name, "-sign", pki / f"{name}.key.pem", stdin=data)
    assert backend.verify_digest(cert(name), digest, MACS[term], signature) == SignatureCheck(True)

    other = bytes((digest[0] ^ 1,)) + digest[1:]
    assert not backend.verify_digest(cert(name), other, MACS[term], signature).valid
    assert not backend.verify_digest(cert("rsa2048b"), digest, MACS[term], signature).valid


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1(), ec.BrainpoolP512R1(), ec.SECP224R1()])
def test_every_curve_the_library_knows_is_accepted(backend, issue, curve):
    private = ec.generate_private_key(curve)
    certificate = issue("curve", private.public_key(), private).public_bytes(Encoding.DER)
    for term in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"):
        digest = hashlib.new(term.lower(), b"abc").digest()
        signature = private.sign(b"abc", ec.ECDSA(getattr(hashes, term)()))
        signature += b"\x00" * (len(signature) % 2)
        assert backend.verify_digest(certificate, digest, MACS[term], signature).valid


# ---------------------------------------------------------------------------------------------------------- RSA


def raw_rsa(private: rsa.RSAPrivateKey, block: bytes) -> bytes:
    """RSASP1 (RFC 8017 5.2.1) over any block, with the second representation of the key because it is faster."""
    numbers, message = private.private_numbers(), int.from_bytes(block, "big")
    first, second = pow(message, numbers.dmp1, numbers.p), pow(message, numbers.dmq1, numbers.q)
    signed = second + numbers.q * ((first - second) * numbers.iqmp % numbers.p)
    return signed.to_bytes((private.key_size + 7) // 8, "big")


def padded(info: bytes, size: int = 256, start: bytes = b"\x00\x01", fill: int = 0xFF) -> bytes:
    return start + bytes([fill]) * (size - 1 - len(start) - len(info)) + b"\x00" + info


@pytest.fixture(scope="module")
def rsa_key(key):
    return key("rsa2048")


def verdict(backend, certificate, signature, digest=DIGEST, mac=SHA256) -> bool:
    check = backend.verify_digest(certificate, digest, mac, signature)
    assert check.valid == (not check.reason)
    assert check.reason.isprintable()
    return check.valid


def test_the_block_of_the_standard_is_valid(backend, cert, rsa_key):
    assert verdict(backend, cert("rsa2048"), raw_rsa(rsa_key, padded(SHA256_INFO + DIGEST)))


def test_every_mutation_of_a_byte_of_an_rsa_signature_is_refused(backend, cert, rsa_key):
    certificate, signature = cert("rsa2048"), raw_rsa(rsa_key, padded(SHA256_INFO + DIGEST))
    rng = random.Random(3)
    for position in range(len(signature)):
        for change in (0x01, 0x80, rng.randrange(1, 256)):
            mutated = bytearray(signature)
            mutated[position] ^= change
            assert not verdict(backend, certificate, bytes(mutated))


def test_every_mutation_of_a_byte_of_the_signed_block_is_refused(backend, cert, rsa_key):
    certificate, block = cert("rsa2048"), padded(SHA256_INFO + DIGEST)
    for position in range(1, len(block)):
        mutated = bytearray(block)
        mutated[position] ^= 0x01
        assert not verdict(backend, certificate, raw_rsa(rsa_key, bytes(mutated))), position


SPELLINGS = {
    "no NULL": "302f300b0609608648016503040201 0420",
    "empty parameters sequence": "3031300d06096086480165030402013000 0420",
    "long-form length outside": "308131300d060960864801650304020105000420",
    "long-form length of the algorithm": "303230810d060960864801650304020105000420",
    "long-form length of the digest": "3032300d06096086480165030402010500048120",
    "NULL in long form": "3032300e06096086480165030402010581000420",
    "indefinite length": "3080300d060960864801650304020105000420",
    "OID with a leading 80": "3032300e060a8060864801650304020105000420",
    "another OID, SHA3-256": "3031300d060960864801650304020805000420",
    "another OID, SHA512/256": "3031300d060960864801650304020605000420",
    "no DigestInfo": "",
}


@pytest.mark.parametrize("prefix", SPELLINGS.values(), ids=SPELLINGS)
def test_no_other_spelling_of_the_digest_info_is_valid(backend, cert, rsa_key, prefix):
    info = bytes.fromhex(prefix) + DIGEST
    assert not verdict(backend, cert("rsa2048"), raw_rsa(rsa_key, padded(info)))


def test_nothing_may_stand_behind_the_digest_info(backend, cert, rsa_key):
    info = SHA256_INFO + DIGEST
    inside = bytes([0x30, 0x33]) + info[2:] + b"\x05\x00"
    for tail in (info + b"\x00", info + bytes(100), inside):
        assert not verdict(backend, cert("rsa2048"), raw_rsa(rsa_key, padded(tail)))


def test_short_padding_with_garbage_behind_is_refused(backend, cert, rsa_key):
    """The forgery for exponent 3 by Bleichenbacher, 2006."""
    short = b"\x00\x01" + b"\xff" * 8 + b"\x00" + SHA256_INFO + DIGEST
    assert not verdict(backend, cert("rsa2048"), raw_rsa(rsa_key, short + bytes(256 - len(short))))
    stretched = b"\x00" + short[1:]
    assert not verdict(backend, cert("rsa2048"), raw_rsa(rsa_key, stretched.ljust(256, b"\xaa")))


def small_exponent(cert, exponent: int) -> tuple[bytes, int]:
    """A certificate of a key with this public exponent, and its modulus; the certificate's own signature is void."""
    public = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    old = x509.load_der_x509_certificate(cert("rsa2048")).public_key()
    spki = old.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = tlv(0x30, tlv(2, number(public.n)) + tlv(2, number(exponent)))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return with_key(cert("rsa2048"), spki, tlv(0x30, algorithm + tlv(3, b"\0" + key))), public.n


def test_a_cube_root_is_no_signature(backend, cert):
    """With exponent 3 anybody can make a number whose cube begins as the right block does (Bleichenbacher, 2006)."""
    certificate, n = small_exponent(cert, 3)
    assert backend.certificate(certificate).key == "RSA 2048"
    begin = b"\x00\x01" + b"\xff" * 8 + b"\x00" + SHA256_INFO + DIGEST
    wanted = int.from_bytes(begin.ljust(256, b"\0"), "big")
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < wanted else (low, middle)
    assert (low**3).to_bytes(256, "big").startswith(begin)
    assert low**3 < n
    assert not verdict(backend, certificate, low.to_bytes(256, "big"))


@pytest.mark.parametrize("exponent", [1, 2, 4])
def test_an_rsa_key_with_which_anything_verifies_is_no_key(backend, cert, exponent):
    """To the power of 1, every block is its own signature (FIPS 186-5 5.1 wants odd exponents above 2^16)."""
    certificate, _ = small_exponent(cert, exponent)
    check = backend.verify_digest(certificate, DIGEST, SHA256, padded(SHA256_INFO + DIGEST))
    assert not check.valid


@pytest.mark.parametrize(
    ("start", "fill"), [(b"\x00\x02", 0xFF), (b"\x00\x00", 0xFF), (b"\x00\x01", 0x00), (b"\x00\x01", 0xFE)]
)
def test_other_block_types_and_fillings_are_refused(backend, cert, rsa_key, start, fill):
    assert not verdict(backend, cert("rsa2048"), raw_rsa(rsa_key, padded(SHA256_INFO + DIGEST, 256, start, fill)))


def test_pss_is_refused(backend, cert, rsa_key):
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert not verdict(backend, cert("rsa2048"), rsa_key.sign(b"abc", pss, hashes.SHA256()))


def test_a_signature_of_another_mac_algorithm_is_refused(backend, cert, rsa_key):
    signature = raw_rsa(rsa_key, padded(SHA256_INFO + DIGEST))
    for term in ("SHA3_256", "SHA512_256"):
        assert not verdict(backend, cert("rsa2048"), signature, DIGEST, MACS[term])


def test_numbers_beyond_the_modulus_are_refused(backend, cert, rsa_key):
    n = rsa_key.public_key().public_numbers().n
    certificate, signature = cert("rsa2048"), raw_rsa(rsa_key, padded(SHA256_INFO + DIGEST))
    for number in (int.from_bytes(signature, "big") + n, n, n - 1, n + 1, 0, 1, 2**2048 - 1):
        if number < 2**2048:
            assert not verdict(backend, certificate, number.to_bytes(256, "big"))


def test_an_even_modulus_length_leaves_no_room_for_a_pad_byte(backend, cert, rsa_key):
    signature = raw_rsa(rsa_key, padded(SHA256_INFO + DIGEST))
    for stored in (signature + b"\x00", signature + b"\x00\x00", b"\x00" + signature, signature[:-1], b""):
        assert not verdict(backend, cert("rsa2048"), stored)


def test_a_leading_zero_must_not_be_left_out(backend, cert, rsa_key):
    for counter in range(5000):
        digest = hashlib.sha256(b"%d" % counter).digest()
        signature = rsa_key.sign(b"%d" % counter, padding.PKCS1v15(), hashes.SHA256())
        if signature[0] == 0:
            break
    assert signature[0] == 0
    assert verdict(backend, cert("rsa2048"), signature, digest)
    assert not verdict(backend, cert("rsa2048"), signature[1:], digest)
    assert not verdict(backend, cert("rsa2048"), signature[1:] + b"\x00", digest)


def test_an_odd_modulus_length_may_have_one_zero_pad_byte(backend, issue):
    private = rsa.generate_private_key(65537, 2040)
    certificate = issue("odd", private.public_key(), private).public_bytes(Encoding.DER)
    signature = private.sign(b"abc", padding.PKCS1v15(), hashes.SHA256())
    assert len(signature) == 255
    assert verdict(backend, certificate, signature)
    assert verdict(backend, certificate, signature + b"\x00")
    for stored in (signature + b"\x01", signature + b" ", signature + b"\x00\x00", b"\x00" + signature):
        assert not verdict(backend, certificate, stored)


# ------------------------------------------------------------------------------------------------ DSA and ECDSA


def number(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    octets = len(content).to_bytes(2, "big").lstrip(b"\x00")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*integers: bytes) -> bytes:
    return tlv(0x30, b"".join(tlv(0x02, integer) for integer in integers))


@pytest.fixture(scope="module", params=["p256", "dsa2048", "p521"])
def signed(request, key, cert, issue):
    """Certificate, an odd and an even signature of `DIGEST`, with their numbers."""
    if request.param == "p521":
        private = ec.generate_private_key(ec.SECP521R1())
        certificate = issue("p521", private.public_key(), private).public_bytes(Encoding.DER)
    else:
        private, certificate = key(request.param), cert(request.param)
    found: dict[int, bytes] = {}
    while len(found) < 2:
        if isinstance(private, dsa.DSAPrivateKey):
            signature = private.sign(b"abc", hashes.SHA256())
        else:
            signature = private.sign(b"abc", ec.ECDSA(hashes.SHA256()))
        found[len(signature) % 2] = signature
    return certificate, found[1], found[0]


def test_one_zero_pad_byte_behind_odd_der_only(backend, signed):
    certificate, odd, even = signed
    for stored in (odd, odd + b"\x00", even):
        assert verdict(backend, certificate, stored)
    for stored in (
        odd + b"\x01",
        odd + b"\x00\x00",
        odd + b"\x00" * 3,
        even + b"\x00",
        even + b"\x00\x00",
        even + b"\x30",
    ):
        assert not verdict(backend, certificate, stored)


def test_every_cut_is_refused(backend, signed):
    certificate, odd, even = signed
    for whole in (odd, even):
        for end in range(len(whole)):
            assert not verdict(backend, certificate, whole[:end])


def test_every_mutation_of_a_byte_is_refused(backend, signed):
    certificate, odd, _ = signed
    for position in range(len(odd)):
        for change in (0x01, 0x80, 0xFF):
            mutated = bytearray(odd)
            mutated[position] ^= change
            assert not verdict(backend, certificate, bytes(mutated))
            assert not verdict(backend, certificate, bytes(mutated) + b"\x00")


def test_only_der_of_two_positive_integers_is_a_signature(backend, signed):
    certificate, odd, _ = signed
    r, s = utils.decode_dss_signature(odd)
    one, two = number(r), number(s)
    assert sequence(one, two) == odd
    inner = odd[3:] if odd[1] == 0x81 else odd[2:]
    size = len(inner)
    spellings = {
        "length longer than necessary": b"\x30\x81" + bytes([size]) + inner
        if size < 128
        else b"\x30\x82\x00" + odd[2:],
        "length of four bytes": b"\x30\x84" + size.to_bytes(4, "big") + inner,
        "length of five bytes": b"\x30\x85" + size.to_bytes(5, "big") + inner,
        "indefinite length": b"\x30\x80" + inner + b"\x00\x00",
        "zero in front of r": sequence(b"\x00" + one, two),
        "zero in front of s": sequence(one, b"\x00" + two),
        "length of r longer than necessary": tlv(0x30, b"\x02\x81" + bytes([len(one)]) + one + tlv(2, two)),
        "three integers": sequence(one, two, b"\x01"),
        "zero behind s, inside": tlv(0x30, inner + b"\x00"),
        "one integer": sequence(one),
        "no integer": sequence(),
        "r = 0": sequence(b"\x00", two),
        "s = 0": sequence(one, b"\x00"),
        "empty r": sequence(b"", two),
        "empty s": sequence(one, b""),
        "-r": sequence((-r).to_bytes(len(one), "big", signed=True), two),
        "-s": sequence(one, (-s).to_bytes(len(two), "big", signed=True)),
        "r and s exchanged": sequence(two, one),
        "r + 1": sequence(number(r + 1), two),
        "a SET": b"\x31" + odd[1:],
        "OCTET STRINGs": tlv(0x30, tlv(4, one) + tlv(4, two)),
        "wrapped once more": tlv(0x30, odd),
        "bare r and s": one + two,
    }
    for what, stored in spellings.items():
        assert not verdict(backend, certificate, stored), what
        assert not verdict(backend, certificate, stored + b"\x00"), what


def test_numbers_beyond_the_group_order_are_refused(backend, key, cert):
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # FIPS 186-4 D.1.2.3
    r, s = utils.decode_dss_signature(key("p256").sign(b"abc", ec.ECDSA(hashes.SHA256())))
    assert verdict(backend, cert("p256"), sequence(number(r), number(s)))
    for one, two in ((r + order, s), (r, s + order), (order, s), (r, order), (r, 2**20000)):
        stored = utils.encode_dss_signature(one, two)
        assert not verdict(backend, cert("p256"), stored)


def with_key(certificate: bytes, old: bytes, new: bytes) -> bytes:
    """The certificate with another SubjectPublicKeyInfo; its signature is void."""
    assert certificate[:2] == certificate[4:6] == b"\x30\x82"
    end = 8 + int.from_bytes(certificate[6:8], "big")
    signed, rest = certificate[8:end], certificate[end:]
    assert signed.count(old) == 1
    return tlv(0x30, tlv(0x30, signed.replace(old, new)) + rest)


def test_a_key_with_which_anything_verifies_is_no_key(backend, cert, key):
    """With g = y = 1 the pair (1, 1) satisfies the DSA equation for every digest."""
    public = key("dsa2048").public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    group = public.public_numbers().parameter_numbers
    for g, y in ((1, 1), (group.g, 1), (1, public.public_numbers().y), (group.p - 1, 1), (group.g, group.p - 1)):
        parameters = sequence(number(group.p), number(group.q), number(g))
        algorithm = tlv(0x30, bytes.fromhex("06072a8648ce380401") + parameters)
        weak = tlv(0x30, algorithm + tlv(0x03, b"\x00" + tlv(0x02, number(y))))
        certificate = with_key(cert("dsa2048"), spki, weak)
        check = backend.verify_digest(certificate, DIGEST, SHA256, sequence(b"\x01", b"\x01"))
        assert "no usable" in check.reason


# ----------------------------------------------------------------------------------------------- garbage and keys


@pytest.mark.parametrize("name", ["rsa2048", "p256", "dsa2048"])
def test_a_digest_of_another_size_is_refused(backend, cert, name):
    for size in (0, 20, 31, 33, 64):
        assert not verdict(backend, cert(name), bytes(256), bytes(size))


def test_other_kinds_of_keys_are_an_answer(backend, issue, key):
    private = ed25519.Ed25519PrivateKey.generate()
    certificate = issue("ed", private.public_key(), private).public_bytes(Encoding.DER)
    check = backend.verify_digest(certificate, DIGEST, SHA256, private.sign(DIGEST))
    assert not check.valid
    assert "Ed25519" in check.reason
    facts = backend.certificate(certificate)
    assert (facts.key_type, facts.key_size, facts.key) == ("Ed25519", 0, "Ed25519")


@pytest.mark.interop
def test_an_rsa_key_for_pss_alone_is_an_answer(backend, openssl, tmp_path):
    certificate = openssl(
        *(
            "req",
            "-x509",
            "-newkey",
            "rsa-pss",
            "-nodes",
            "-subj",
            "/CN=pss",
            "-outform",
            "DER",
            "-keyout",
            tmp_path / "k",
        )
    )
    assert backend.certificate(certificate).key_type == "RSASSA-PSS"
    assert not verdict(backend, certificate, bytes(256))


def test_unknown_key_algorithms_are_named_by_oid(backend, cert):
    """rsaEncryption 1.2.840.113549.1.1.1 with its last number changed to 99 in the subject's key alone."""
    der = cert("rsa2048")
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    assert der.count(algorithm) == 1
    changed = der.replace(algorithm, algorithm[:-3] + b"\x63" + algorithm[-2:])
    facts = backend.certificate(changed)
    assert (facts.key_type, facts.key_size) == ("1.2.840.113549.1.1.99", 0)
    assert not verdict(backend, changed, bytes(256))


def test_a_mac_without_object_identifier_is_an_answer(backend, cert):
    for oid in ("", "x", "1", "3.1", "1.40", "1.-2.3", "1..2"):
        mac = MacAlgorithmSpec(name="BAD", summary="", factory="a:b", oid=oid, digest_size=32)
        assert not verdict(backend, cert("rsa2048"), bytes(256), DIGEST, mac)


def test_a_digest_size_dsa_does_not_know_is_an_answer(backend, cert):
    mac = MacAlgorithmSpec(name="BAD", summary="", factory="a:b", oid="1.2.3", digest_size=5)
    assert not verdict(backend, cert("p256"), sequence(b"\x01", b"\x01"), bytes(5), mac)


@given(st.binary(max_size=300), st.sampled_from(["rsa2048", "p256", "dsa2048"]))
def test_any_bytes_as_signature_are_an_answer(garbage, name):
    path = Path(__file__).parents[1] / "corpus" / "pki" / f"{name}.der"
    assert not verdict(BACKEND, path.read_bytes(), garbage)


@given(st.binary(max_size=300))
def test_any_bytes_as_certificate_are_an_answer(garbage):
    assert not verdict(BACKEND, garbage, bytes(256))
    with pytest.raises(ValueError, match=r"."):
        BACKEND.certificate(garbage)


def test_damaged_certificates_never_end_in_another_exception(cert):
    rng = random.Random(7)
    whole = [cert(name) for name in ("rsa2048", "p256", "dsa2048", "wrongeku")]
    backend = CryptographyBackend()
    for _ in range(3000):
        damaged = bytearray(rng.choice(whole))
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        verdict(backend, bytes(damaged), bytes(256))
        try:
            backend.certificate(bytes(damaged))
        except ValueError as error:
            assert str(error)


# --------------------------------------------------------------------------------------------------- certificates


@pytest.mark.interop
@pytest.mark.parametrize("name", ["rsa2048", "rsa4096", "p256", "p384", "dsa2048", "root", "tsa", "noku", "expired"])
def test_facts_agree_with_openssl(backend, pki, openssl, cert, name):
    def shown(*options: str) -> str:
        return openssl("x509", "-in", pki / f"{name}.pem", "-noout", *options).decode().strip().partition("=")[2]

    def moment(option: str) -> datetime:
        return datetime.strptime(shown(option), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)

    facts = backend.certificate(cert(name))
    assert facts.sha256 == shown("-fingerprint", "-sha256").replace(":", "").lower()
    assert int(facts.serial, 16) == int(shown("-serial"), 16)
    assert facts.serial == facts.serial.lower()
    assert facts.subject == shown("-subject", "-nameopt", "RFC2253")
    assert facts.issuer == shown("-issuer", "-nameopt", "RFC2253")
    assert (facts.not_before, facts.not_after) == (moment("-startdate"), moment("-enddate"))


@pytest.mark.parametrize(
    ("name", "key_type", "key_size", "text"),
    [
        ("rsa2048", "RSA", 2048, "RSA 2048"),
        ("rsa3072", "RSA", 3072, "RSA 3072"),
        ("p256", "EC", 256, "EC secp256r1"),
        ("p384", "EC", 384, "EC secp384r1"),
        ("dsa2048", "DSA", 2048, "DSA 2048"),
    ],
)
def test_keys_are_told_by_type_and_size(backend, cert, name, key_type, key_size, text):
    facts = backend.certificate(cert(name))
    assert (facts.key_type, facts.key_size, facts.key) == (key_type, key_size, text)


@pytest.mark.parametrize(
    ("name", "usage", "extended"),
    [
        ("rsa2048", {"digitalSignature", "contentCommitment"}, set()),
        ("noku", {"keyEncipherment"}, set()),
        ("root", {"keyCertSign", "cRLSign"}, set()),
        ("wrongeku", {"digitalSignature"}, {"1.3.6.1.5.5.7.3.1"}),
        ("tsa", {"digitalSignature"}, {"1.3.6.1.5.5.7.3.8"}),
    ],
)
def test_usages_are_told(backend, cert, name, usage, extended):
    facts = backend.certificate(cert(name))
    assert (facts.key_usage, facts.extended_key_usage) == (usage, extended)


def usage(**bits: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


def test_all_usages_have_their_names_of_rfc5280(backend, issue, key):
    private = key("p256")

    def told(**bits: bool) -> frozenset[str]:
        certificate = issue("usages", private.public_key(), private, extensions=[(usage(**bits), True)])
        return backend.certificate(certificate.public_bytes(Encoding.DER)).key_usage

    assert told(data_encipherment=True) == {"dataEncipherment"}
    assert told(key_agreement=True, encipher_only=True) == {"keyAgreement", "encipherOnly"}
    assert told(key_agreement=True, decipher_only=True) == {"keyAgreement", "decipherOnly"}


def test_no_usage_extension_is_an_empty_set_but_an_empty_extension_is_an_error(backend, issue, key):
    private = key("p256")
    bare = issue("bare", private.public_key(), private)
    assert backend.certificate(bare.public_bytes(Encoding.DER)).key_usage == frozenset()
    # keyUsage critical { 03 02 07 80 } = digitalSignature becomes { 03 02 07 00 }: no bit at all
    signing = issue("empty", private.public_key(), private, extensions=[(usage(digital_signature=True), True)])
    der = signing.public_bytes(Encoding.DER)
    assert der.count(bytes.fromhex("0404 03020780")) == 1
    with pytest.raises(ValueError, match="keyUsage"):
        backend.certificate(der.replace(bytes.fromhex("040403020780"), bytes.fromhex("040403020700")))


def test_exactly_one_certificate_and_one_pad_byte_if_odd(backend, cert, issue, key):
    private = key("p256")
    found: dict[int, bytes] = {}
    while len(found) < 2:  # signatures differ in length
        der = issue("x", private.public_key(), private).public_bytes(Encoding.DER)
        found[len(der) % 2] = der
    odd, even = found[1], found[0]
    print_of = backend.certificate(odd).sha256
    assert print_of == hashlib.sha256(odd).hexdigest()
    assert backend.certificate(odd + b"\x00").sha256 == print_of
    assert backend.certificate(even).sha256 == hashlib.sha256(even).hexdigest()
    for stored in (odd + b"\x01", odd + b"\x00\x00", even + b"\x00", even + even, odd + odd, odd[:-1], even[:-1], b""):
        with pytest.raises(ValueError, match=r"."):
            backend.certificate(stored)
        assert not verdict(backend, stored, bytes(256))


def test_a_long_form_length_around_the_certificate_is_refused(backend, cert):
    der = cert("rsa2048")
    assert der[:2] == b"\x30\x82"
    with pytest.raises(ValueError, match="longer than necessary"):
        backend.certificate(b"\x30\x83\x00" + der[2:])


@pytest.mark.parametrize("version", [1, 3, 99])
def test_versions_that_do_not_exist_are_refused(backend, cert, version):
    der = cert("rsa2048")
    version_3 = bytes.fromhex("a003020102")
    assert der.count(version_3) == 1
    with pytest.raises(ValueError, match="not an X"):
        backend.certificate(der.replace(version_3, version_3[:-1] + bytes([version])))


def test_names_are_rfc4514(backend, issue, key):
    private = key("p256")
    certificate = issue('a, "b"+c\\', private.public_key(), private)
    assert backend.certificate(certificate.public_bytes(Encoding.DER)).subject == 'CN=a\\, \\"b\\"\\+c\\\\'


def test_a_serial_number_that_is_not_positive_is_told_without_a_warning(cert):
    der = cert("p256")
    serial = x509.load_der_x509_certificate(der).serial_number.to_bytes(20, "big")
    at = der.index(serial.lstrip(b"\x00"))
    negative = der[:at] + b"\xff" + der[at + 1 :]
    assert CryptographyBackend().certificate(negative).serial.startswith("-")


def test_a_certificate_is_parsed_once_for_a_whole_batch(monkeypatch, cert):
    calls = []
    real = certificates.read
    monkeypatch.setattr(certificates, "read", lambda der: calls.append(der) or real(der))
    backend = CryptographyBackend()
    for _ in range(5):
        backend.certificate(cert("rsa2048"))
        backend.verify_digest(cert("rsa2048"), DIGEST, SHA256, bytes(256))
    assert len(calls) == 1
