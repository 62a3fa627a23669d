"""MAC algorithms give the published digests, whatever the OpenSSL below can do."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys

import pytest

import dsig_macs
from dsig.errors import PluginError
from dsig.plugins import default
from dsig_macs import hashes
from dsig_macs.ripemd160 import Ripemd160

SPECS = {spec.name: spec for spec in dsig_macs.dsig_mac_algorithms()}

# ISO/IEC 10118-3:2018 annex B and the authors' page https://homes.esat.kuleuven.be/~bosselae/ripemd160.html
RIPEMD160_VECTORS = {
    b"": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    b"a": "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe",
    b"abc": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    b"message digest": "5d0689ef49d2fae572b881b123a85ffa21595f36",
    b"abcdefghijklmnopqrstuvwxyz": "f71c27109c692c1b56bbdceb5b9d2865b3708dbc",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "b0e20b6e3116640286ed3a87a5713079b21f5189",
    b"1234567890" * 8: "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
}

# RFC 1321 A.5, FIPS 180-4 and FIPS 202 example files (NIST CSRC), message "abc".
ABC = {
    "RIPEMD160": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    "MD5": "900150983cd24fb0d6963f7d28e17f72",
    "SHA1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "SHA224": "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    "SHA256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "SHA384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "SHA512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "SHA512_224": "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    "SHA512_256": "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    "SHA3_224": "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    "SHA3_256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    "SHA3_384": "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    "SHA3_512": "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
    "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
}

# RFC 8017 B.1, the NIST Computer Security Objects Register, and TeleTrusT for RIPEMD-160.
OIDS = {
    "RIPEMD160": "1.3.36.3.2.1",
    "MD5": "1.2.840.113549.2.5",
    "SHA1": "1.3.14.3.2.26",
    "SHA224": "2.16.840.1.101.3.4.2.4",
    "SHA256": "2.16.840.1.101.3.4.2.1",
    "SHA384": "2.16.840.1.101.3.4.2.2",
    "SHA512": "2.16.840.1.101.3.4.2.3",
    "SHA512_224": "2.16.840.1.101.3.4.2.5",
    "SHA512_256": "2.16.840.1.101.3.4.2.6",
    "SHA3_224": "2.16.840.1.101.3.4.2.7",
    "SHA3_256": "2.16.840.1.101.3.4.2.8",
    "SHA3_384": "2.16.840.1.101.3.4.2.9",
    "SHA3_512": "2.16.840.1.101.3.4.2.10",
}


def digest(mac, *parts: bytes) -> str:
    for part in parts:
        mac.update(part)
    return mac.digest().hex()


def openssl_digest(name: str, data: bytes) -> str:
    def run(*extra: str):
        return subprocess.run(
            ["openssl", "dgst", f"-{name}", "-r", *extra], input=data, capture_output=True, check=False
        )

    done = run()
    if done.returncode:  # builds that keep the hash in the legacy provider
        done = run("-provider", "legacy", "-provider", "default")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0].decode()


@pytest.fixture
def without(monkeypatch):
    """Makes `hashlib` refuse hashes as an OpenSSL that lacks them does."""

    def refuse(*names: str):
        real = hashlib.new

        def new(name, *args, **kwargs):
            if name in names:
                raise ValueError(f"unsupported hash type {name}")
            return real(name, *args, **kwargs)

        monkeypatch.setattr(hashlib, "new", new)

    return refuse


def test_the_terms_are_those_of_the_standard():
    assert {name: spec.oid for name, spec in SPECS.items()} == OIDS


def test_only_ripemd160_md5_and_sha1_are_weak():
    assert {name for name, spec in SPECS.items() if spec.weak} == {"RIPEMD160", "MD5", "SHA1"}


@pytest.mark.parametrize("term", ABC)
def test_digest_of_abc_is_the_published_one(term):
    new = default().mac_algorithms.get(term)
    assert digest(new(), b"abc") == ABC[term]
    assert SPECS[term].digest_size == len(ABC[term]) // 2


def test_each_call_starts_a_new_computation():
    new = default().mac_algorithms.get("SHA256")
    digest(new(), b"something else")
    assert digest(new(), b"abc") == ABC["SHA256"]


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("term", ["SHA256", "RIPEMD160"])
def test_any_byte_buffer_is_taken(term, buffer):
    assert digest(default().mac_algorithms.get(term)(), buffer(b"abc")) == ABC[term]


@pytest.mark.parametrize(("message", "expected"), RIPEMD160_VECTORS.items())
def test_own_ripemd160_gives_the_published_vectors(message, expected):
    assert digest(Ripemd160(), message) == expected


def test_own_ripemd160_gives_the_published_digest_of_a_million_a():
    assert digest(Ripemd160(), b"a" * 1_000_000) == "52783243c1697bdbe16d37f97f68f08325dc1528"


def test_own_ripemd160_does_not_care_how_the_bytes_arrive():
    message = b"1234567890" * 8
    for cut in range(len(message) + 1):
        assert digest(Ripemd160(), message[:cut], memoryview(message)[cut:]) == RIPEMD160_VECTORS[message]
    assert digest(Ripemd160(), *(message[i : i + 1] for i in range(len(message)))) == RIPEMD160_VECTORS[message]


def test_own_ripemd160_goes_on_after_an_intermediate_digest():
    mac = Ripemd160()
    assert digest(mac, b"a") == RIPEMD160_VECTORS[b"a"]
    assert digest(mac, b"bc") == RIPEMD160_VECTORS[b"abc"]


def test_ripemd160_works_where_openssl_lacks_it(without):
    without("ripemd160")
    mac = hashes.ripemd160()
    assert isinstance(mac, Ripemd160)
    assert digest(mac, b"abc") == ABC["RIPEMD160"]


@pytest.mark.parametrize("term", ["SHA512_224", "SHA512_256"])
def test_a_hash_this_build_lacks_is_a_clear_error(term, without):
    without(term.lower())
    with pytest.raises(PluginError, match=term) as caught:
        default().mac_algorithms.get(term)()
    assert caught.value.code == "mac-unavailable"
    assert caught.value.hint


@pytest.mark.interop
@pytest.mark.parametrize(
    "length", [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, *random.Random(1).sample(range(5000), 20)]
)
def test_own_ripemd160_agrees_with_openssl(length):
    data = random.Random(length).randbytes(length)
    assert digest(Ripemd160(), data) == openssl_digest("ripemd160", data)


@pytest.mark.interop
@pytest.mark.parametrize("term", OIDS)
def test_every_term_means_what_openssl_calls_so(term):
    name = term.lower().replace("_", "-")
    data = random.Random(term).randbytes(1000)
    assert digest(default().mac_algorithms.get(term)(), data) == openssl_digest(name, data)


def test_registering_computes_nothing_and_loads_no_hash():
    code = "import sys, dsig_macs; dsig_macs.dsig_mac_algorithms(); print('dsig_macs.hashes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
