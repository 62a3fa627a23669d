"""Signature values whose length is odd: ECDSA on P-521 and RSA with an odd number of modulus bytes.

(0400,0120) is OB, so such a value is stored with a zero byte behind it (PS3.5 6.2). docs/decisions/0003 says what dsig
does about it; reference section 8 what the peer does.
"""

from __future__ import annotations

import pydicom
import pytest
from interop_peers import BASE, MACS, objections, peer_verifies, succeed

import dsig

pytestmark = pytest.mark.interop

REPEATS = 20
"""P-521 signatures are odd in three of eight cases."""


def stored_value(path) -> bytes:
    """(0400,0120) of the only signature, as stored."""
    (item,) = pydicom.dcmread(path)[0xFFFA, 0xFFFA].value
    return item[0x0400, 0x0120].value


def der_length(value: bytes) -> int:
    """Length of a DER SEQUENCE with its header (X.690 8.1.3)."""
    assert value[0] == 0x30
    if value[1] < 0x80:
        return 2 + value[1]
    count = value[1] & 0x7F
    return 2 + count + int.from_bytes(value[2 : 2 + count], "big")


def reason_given(report: dsig.FileReport) -> bool:
    """Whether it is said why other readers may not verify the signature."""
    (signature,) = report.signatures
    return "signature-padded" in {f.code for f in signature.axes["integrity"].findings}


def signed_by_dsig(identity, path, mac="SHA256") -> None:
    with dsig.open_key(f"file:{identity.private}", certificate=str(identity.certificate)) as key:
        options = dsig.SignOptions(mac=mac, allow_weak=True)
        path.write_bytes(dsig.sign((BASE / "mr.dcm").read_bytes(), key=key, options=options).output)


def signed_by_peer(identity, path, mac="SHA256") -> None:
    succeed("dcmsign", "+s", identity.private, identity.certificate, MACS[mac], BASE / "mr.dcm", path)


def peer_says(identity, path):
    return peer_verifies(path, identity.certificate, identity.certificate)


@pytest.mark.parametrize("mac", MACS)
def test_peer_accepts_p521_signatures_of_dsig(mac, p521, tmp_path):
    """Decision 0003: signed again until the length is even, so every one of them is readable."""
    path = tmp_path / "signed.dcm"
    for _ in range(REPEATS):
        signed_by_dsig(p521, path, mac)
        value = stored_value(path)
        assert der_length(value) == len(value), "no pad byte is needed"
        assert value[:2] == b"\x30\x81", "this is about the long form"
        assert not objections(dsig.verify(path, p521.trusting))
        assert peer_says(p521, path).good


def test_dsig_accepts_all_p521_signatures_of_the_peer(p521, tmp_path):
    """With and without pad byte; the peer accepts its own where there is none, see reference section 8."""
    path = tmp_path / "signed.dcm"
    seen = set()
    tried = 0
    while tried < REPEATS or len(seen) < 2:
        tried += 1
        signed_by_peer(p521, path)
        value = stored_value(path)
        padded = der_length(value) < len(value)
        seen.add(padded)
        report = dsig.verify(path, p521.trusting)
        assert not objections(report)
        assert reason_given(report) is padded
        assert peer_says(p521, path).good is not padded


@pytest.mark.parametrize("mac", MACS)
@pytest.mark.parametrize("signer", [signed_by_dsig, signed_by_peer])
def test_dsig_accepts_rsa_with_an_odd_number_of_bytes(signer, mac, rsa2040, tmp_path):
    """The peer rejects them whoever signed, see reference section 8."""
    path = tmp_path / "signed.dcm"
    signer(rsa2040, path, mac)
    value = stored_value(path)
    assert len(value) == 256
    assert value[-1] == 0, "255 bytes and one of padding"
    report = dsig.verify(path, rsa2040.trusting)
    assert not objections(report)
    assert reason_given(report)
    assert peer_says(rsa2040, path).status == 101


def test_only_one_pad_byte_is_stripped(rsa2040, p521, tmp_path):
    """A value that is odd and not padded, or padded with something else, is not what was signed."""
    path = tmp_path / "signed.dcm"
    signed_by_dsig(rsa2040, path)
    content = path.read_bytes()
    value = stored_value(path)
    assert content.count(value) == 1
    changed = content.replace(value, value[:-1] + b"\1")
    (signature,) = dsig.verify(changed, rsa2040.trusting).signatures
    assert signature.axes["integrity"].status is dsig.Status.FAILED

    while True:
        signed_by_peer(p521, path)
        value = stored_value(path)
        if der_length(value) < len(value):
            break
    content = path.read_bytes()
    assert content.count(value) == 1
    (signature,) = dsig.verify(content.replace(value, value[:-1] + b"\1"), p521.trusting).signatures
    assert signature.axes["integrity"].status is dsig.Status.FAILED
