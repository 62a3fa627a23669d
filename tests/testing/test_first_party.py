"""Our own plugins against the contracts that everybody else's have to keep."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from support.clusters import cluster

import dsig
from dsig.hookspecs import ExecutorSettings
from dsig.secrets import Channels, from_file
from dsig.testing import (
    CryptoBackendContract,
    ExecutorContract,
    KeySourceContract,
    MacAlgorithmContract,
    ProfileContract,
    ReporterContract,
    ThumbnailerContract,
    TimestampSourceContract,
    TrustBackendContract,
    assert_light,
    faults,
    unsigned_file,
)
from dsig.testing.pki import shared

CORPUS = Path(__file__).parents[1] / "corpus"
PKI = CORPUS / "pki"
PLUGINS = sorted(e.module for e in metadata.entry_points(group="dsig") if e.dist is not None and e.dist.name == "dsig")

# "abc" from FIPS 180-4's examples, RFC 1321 A.5 and the RIPEMD-160 paper
ABC = {
    "MD5": "900150983cd24fb0d6963f7d28e17f72",
    "SHA1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "RIPEMD160": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    "SHA256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "SHA384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "SHA512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}


@pytest.mark.parametrize("module", PLUGINS)
def test_plugin_modules_are_light(module):
    assert_light(module)


@pytest.mark.parametrize("name", ABC)
class TestMacs(MacAlgorithmContract):
    @pytest.fixture(autouse=True)
    def algorithm(self, name, monkeypatch):
        monkeypatch.setattr(TestMacs, "name", name, raising=False)
        monkeypatch.setattr(TestMacs, "vectors", {b"abc": ABC[name]}, raising=False)


class TestKeyFiles(KeySourceContract):
    @pytest.fixture(params=["rsa2048.key", "p256.key.enc", "p384.key", "dsa2048.key"])
    def key(self, request):
        return request.param

    @pytest.fixture
    def uri(self, key):
        return f"file:{PKI / key}.pem"

    @pytest.fixture
    def certificate(self, key):
        return str(PKI / f"{key.partition('.')[0]}.pem")

    @pytest.fixture
    def wrong_uri(self):
        return f"file:{PKI / 'nobody'}.pem"

    @pytest.fixture
    def new_secrets(self, tmp_path):
        (tmp_path / "passphrase").write_text("Pass-Word.1")
        return lambda: Channels(passphrase=from_file(str(tmp_path / "passphrase")))


class TestCryptography(CryptoBackendContract):
    name = "cryptography"


@pytest.mark.parametrize("name", sorted(p.spec.name for p in dsig.plugins.default().trust_backends))
class TestTrustBackends(TrustBackendContract):
    @pytest.fixture(autouse=True)
    def backend_name(self, name, monkeypatch):
        monkeypatch.setattr(TestTrustBackends, "name", name, raising=False)


@pytest.mark.parametrize("name", ["none", "base", "creator"])
class TestProfiles(ProfileContract):
    @pytest.fixture(autouse=True)
    def profile_name(self, name, monkeypatch):
        monkeypatch.setattr(TestProfiles, "name", name, raising=False)


@pytest.mark.parametrize("name", sorted(p.spec.name for p in dsig.plugins.default().reporters))
class TestReporters(ReporterContract):
    @pytest.fixture(autouse=True)
    def format_name(self, name, monkeypatch):
        monkeypatch.setattr(TestReporters, "name", name, raising=False)


@pytest.mark.interop
class TestHttp(TimestampSourceContract):
    name = "http"

    @pytest.fixture
    def url(self, dsig_tsa):
        return dsig_tsa.url

    @pytest.fixture
    def nobody_url(self):
        return "http://127.0.0.1:9/tsa"

    @pytest.fixture
    def silent_url(self, dsig_silent_url):
        return dsig_silent_url


@pytest.mark.parametrize("name", ["serial", "process"])
class TestExecutors(ExecutorContract):
    @pytest.fixture(autouse=True)
    def executor_name(self, name, monkeypatch):
        monkeypatch.setattr(TestExecutors, "name", name, raising=False)


@pytest.fixture(scope="module")
def dask_address(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("dask")) as (address, _):
        yield address


@pytest.mark.slow
class TestDask(ExecutorContract):
    name = "dask"

    @pytest.fixture
    def settings(self, dask_address):
        return ExecutorSettings(scheduler=dask_address)


class TestThumbnailer(ThumbnailerContract):
    name = "pydicom"


def test_every_executor_and_source_of_ours_is_here():
    plugins = dsig.plugins.default()
    assert {p.spec.name for p in plugins.thumbnailers} == {"pydicom"}
    assert {p.spec.name for p in plugins.executors} == {"serial", "process", "dask"}
    assert {p.spec.name for p in plugins.timestamp_sources} == {"http"}
    assert {p.spec.name for p in plugins.crypto_backends} == {
        "cryptography",
        "experimental",
        "pycryptodome",
    }


def test_no_fault_of_the_kit_passes(tmp_path):
    pki = shared()
    key, certificate = pki.signers["p256"].write(tmp_path, "signer")
    with dsig.open_key(str(key), certificate=str(certificate)) as opened:
        signed = dsig.sign(unsigned_file(), key=opened).output
    trust = dsig.TrustMaterial(anchors=(pki.root.certificate,), intermediates=(pki.issuing.certificate,))
    options = dsig.VerifyOptions(trust=trust)
    assert dsig.verify(signed, options).verdict is dsig.FileVerdict.PASSED
    for name, wrong in faults(signed).items():
        verdict = dsig.verify(wrong, options).verdict
        assert verdict in (dsig.FileVerdict.FAILED, dsig.FileVerdict.ERROR), name
