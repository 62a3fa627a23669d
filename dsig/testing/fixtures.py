"""Fixtures of the kit: `pytest_plugins = ["dsig.testing.fixtures"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dsig.keys import open_key
from dsig.testing.pki import Pki, shared
from dsig.testing.samples import faults, unsigned_file
from dsig.verbs.sign import sign

__all__ = ["dsig_faults", "dsig_pki", "dsig_signed_file", "dsig_unsigned_file"]


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
