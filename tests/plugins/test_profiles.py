"""The profiles `none` and `base` (PS3.15 C.1)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import dsig_profiles
from dsig.hookspecs import SignatureView
from dsig.plugins import default
from dsig_profiles.base import BaseRsa
from dsig_profiles.none import NoProfile


@dataclass
class Level:
    location: str = "/"
    tags: tuple[int, ...] = (0x00080018,)

    def signable(self, tag: int) -> bool:
        return True

    def value(self, tag: int) -> bytes | None:
        return None


def view(mac: str = "SHA256", syntax: str = "1.2.840.10008.1.2.1", key: str = "RSA") -> SignatureView:
    return SignatureView(frozenset({0x00080018}), mac, syntax, key)


def codes(signature: SignatureView, level: Level | None = None) -> list[str]:
    return [finding.code for finding in BaseRsa().check(level or Level(), signature)]


@pytest.mark.parametrize("mac", ["RIPEMD160", "MD5", "SHA1", "SHA256", "SHA384", "SHA512"])
def test_base_takes_rsa_with_each_of_the_six_macs(mac):
    assert codes(view(mac)) == []


@pytest.mark.parametrize("mac", ["SHA224", "SHA512_256", "SHA3_256", "", "sha256"])
def test_base_refuses_other_macs(mac):
    assert codes(view(mac)) == ["profile-mac"]


@pytest.mark.parametrize("key", ["EC", "DSA", "RSASSA-PSS", ""])
def test_base_refuses_other_keys(key):
    assert codes(view(key=key)) == ["profile-key"]


@pytest.mark.parametrize(
    "syntax",
    ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"],
)
def test_base_takes_explicit_little_endian_compressed_or_not(syntax):
    assert codes(view(syntax=syntax)) == []


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.113619.5.2", "", "1.2.3"])
def test_base_refuses_other_transfer_syntaxes(syntax):
    assert codes(view(syntax=syntax)) == ["profile-transfer-syntax"]


def test_base_says_everything_at_once_and_where():
    findings = list(BaseRsa().check(Level("BeamSequence[0]"), view("SHA224", "1.2.3", "EC")))
    assert [f.code for f in findings] == ["profile-key", "profile-mac", "profile-transfer-syntax"]
    assert {f.location for f in findings} == {"BeamSequence[0]"}
    assert {f.clause for f in findings} == {"PS3.15 C.1"}
    assert {f.severity for f in findings} == {"error"}


def test_neither_profile_chooses_elements():
    assert list(BaseRsa().required(Level())) == list(NoProfile().required(Level())) == []


def test_none_takes_anything():
    assert list(NoProfile().check(Level(), view("X", "", ""))) == []


def test_both_are_found_by_name():
    assert [spec.name for spec in dsig_profiles.dsig_profiles()] == ["none", "base"]
    assert isinstance(default().profiles.get("base"), BaseRsa)
    assert isinstance(default().profiles.get("none"), NoProfile)
