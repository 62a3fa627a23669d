"""Fixtures of the kit, a pytest plugin: `pytest_plugins = ["dsig.testing.fixtures"]` in the top conftest.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from dsig.keys import open_key
from dsig.testing.pki import Pki, shared
from dsig.testing.samples import faults, unsigned_file
from dsig.testing.tokens import Token, softhsm
from dsig.testing.tsa import Tsa, serving, silent
from dsig.verbs.sign import sign

__all__ = [
    "dsig_faults",
    "dsig_pki",
    "dsig_signed_file",
    "dsig_silent_url",
    "dsig_token",
    "dsig_tsa",
    "dsig_unsigned_file",
]


@pytest.fixture(scope="session")
def dsig_pki() -> Pki:
    """Root, issuing CA, and signers of each key type."""
    return shared()


@pytest.fixture(scope="session")
def dsig_unsigned_file() -> bytes:
    """A small image."""
    return unsigned_file()


@pytest.fixture(scope="session")
def dsig_signed_file(dsig_pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same, signed by the RSA-2048 signer of `dsig_pki`."""
    directory = tmp_path_factory.mktemp("dsig")
    key, certificate = dsig_pki.signers["rsa2048"].write(directory, "signer")
    with open_key(str(key), certificate=str(certificate)) as opened:
        signed = sign(unsigned_file(), key=opened).output
    assert isinstance(signed, bytes)
    return signed


@pytest.fixture(scope="session")
def dsig_faults(dsig_signed_file: bytes) -> Mapping[str, bytes]:
    """Copies of it, each wrong in one way."""
    return faults(dsig_signed_file)


@pytest.fixture(scope="session")
def dsig_tsa(dsig_pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    """A TSA over HTTP on this machine, certified by the root of `dsig_pki`; needs the openssl program."""
    with serving(dsig_pki, tmp_path_factory.mktemp("tsa")) as tsa:
        yield tsa


@pytest.fixture(scope="session")
def dsig_silent_url() -> Iterator[str]:
    """An HTTP URL where somebody listens and never says anything."""
    with silent() as url:
        yield url


@pytest.fixture(scope="session")
def dsig_token(dsig_pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """A SoftHSM token with the P-256 signer of `dsig_pki` on it; needs SoftHSM 2."""
    with softhsm(dsig_pki.signers["p256"], tmp_path_factory.mktemp("token")) as token:
        yield token
