"""The kit for plugin authors: contracts to subclass, samples, and a small PKI. Needs pytest (`pip install pytest`).

A test module of a plugin::

    import pytest
    from dsig.testing import KeySourceContract, MacAlgorithmContract, assert_light

    pytest_plugins = ["dsig.testing.fixtures"]     # in conftest.py: signed files, a PKI, a TSA, a token as fixtures

    class TestMac(MacAlgorithmContract):
        name = "ACME_BLAKE2B"
        vectors = {b"abc": "ba80a53f981c4d0d…"}

    class TestKeys(KeySourceContract):
        @pytest.fixture
        def uri(self):
            return "acme:signer"

        @pytest.fixture
        def wrong_uri(self):
            return "acme:nobody"

    def test_start_up():
        assert_light("acme_plugin")

Providers are taken from what is installed, as `dsig` itself takes them. Everything a contract asks is what the core
relies on; a provider that passes may still be wrong in ways only its own tests can know.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dsig.testing.budget import assert_light
    from dsig.testing.crypto import CryptoBackendContract
    from dsig.testing.executors import ExecutorContract
    from dsig.testing.keys import KeySourceContract
    from dsig.testing.macs import MacAlgorithmContract
    from dsig.testing.observers import ObserverContract
    from dsig.testing.pki import Pki
    from dsig.testing.profiles import ProfileContract
    from dsig.testing.reporters import ReporterContract
    from dsig.testing.samples import faults, unsigned_file
    from dsig.testing.thumbnailers import ThumbnailerContract
    from dsig.testing.timestamps import TimestampSourceContract
    from dsig.testing.tokens import Token
    from dsig.testing.trust import TrustBackendContract
    from dsig.testing.tsa import Tsa

_HOMES = {
    "assert_light": "budget",
    "CryptoBackendContract": "crypto",
    "ExecutorContract": "executors",
    "KeySourceContract": "keys",
    "MacAlgorithmContract": "macs",
    "ObserverContract": "observers",
    "Pki": "pki",
    "ProfileContract": "profiles",
    "ReporterContract": "reporters",
    "ThumbnailerContract": "thumbnailers",
    "TimestampSourceContract": "timestamps",
    "Token": "tokens",
    "TrustBackendContract": "trust",
    "Tsa": "tsa",
    "faults": "samples",
    "unsigned_file": "samples",
}


__all__ = [
    "CryptoBackendContract",
    "ExecutorContract",
    "KeySourceContract",
    "MacAlgorithmContract",
    "ObserverContract",
    "Pki",
    "ProfileContract",
    "ReporterContract",
    "ThumbnailerContract",
    "TimestampSourceContract",
    "Token",
    "TrustBackendContract",
    "Tsa",
    "assert_light",
    "faults",
    "unsigned_file",
]

# failures of a contract shall show values, in the modules of those who subclass it too
pytest.register_assert_rewrite(
    *(f"dsig.testing.{home}" for home in sorted({*_HOMES.values()} - {"pki", "samples", "tokens", "tsa"}))
)


def __getattr__(name: str) -> object:
    """Load a part of the kit from its module (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"dsig.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'dsig.testing' has no attribute {name!r}")
