"""Every base file, signed by the peer with every key and MAC both tools know, is accepted by dsig."""

from __future__ import annotations

import pytest
from interop_peers import (
    AT_ONCE,
    BASE,
    HASHED_DIFFERENTLY,
    KEYS,
    MACS,
    READABLE,
    TRUSTED,
    objections,
    peer_accepts,
    peer_signs,
)

import dsig

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", READABLE)
def test_dsig_accepts_what_the_peer_signed_with_every_mac(name, key, tmp_path):
    signing = {mac: AT_ONCE.submit(peer_signs, BASE / name, tmp_path / f"{mac}.dcm", key=key, mac=mac) for mac in MACS}
    refused = {}
    for mac, done in signing.items():
        done.result()
        report = dsig.verify(tmp_path / f"{mac}.dcm", TRUSTED)
        refused[mac] = objections(report)
        assert [(s.mac.algorithm, s.location) for s in report.signatures] == [(mac, "/")]
    assert not {mac: why for mac, why in refused.items() if why}


@pytest.mark.parametrize("key", KEYS)
def test_dsig_rejects_the_object_the_peer_hashes_differently(key, tmp_path):
    """Decision 0005: what the peer left out of the MAC is not protected."""
    for mac in MACS:
        path = tmp_path / f"{mac}.dcm"
        peer_signs(BASE / HASHED_DIFFERENTLY, path, key=key, mac=mac)
        peer_accepts(path)
        (signature,) = dsig.verify(path, TRUSTED).signatures
        assert signature.axes["integrity"].status is dsig.Status.FAILED
        assert signature.axes["structure"].status is dsig.Status.PASSED
        assert signature.axes["trust"].status is dsig.Status.PASSED
