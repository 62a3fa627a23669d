"""Every base file, signed by dsig with every key and MAC both tools know, is accepted by the peer."""

from __future__ import annotations

import pytest
from interop_peers import (
    AT_ONCE,
    BASE,
    HASHED_DIFFERENTLY,
    KEYS,
    MACS,
    NOTHING_SIGNABLE,
    READABLE,
    TRUSTED,
    UNREADABLE,
    dsig_signs,
    objections,
    peer_signs,
    peer_verifies,
    run,
)

import dsig

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", READABLE)
def test_peer_accepts_what_dsig_signed_with_every_mac(name, key, keys, tmp_path):
    verdicts = {}
    refused = {}
    for mac in MACS:
        path = tmp_path / f"{mac}.dcm"
        signed = dsig_signs(BASE / name, path, keys[key], mac=mac)
        verdicts[mac] = AT_ONCE.submit(peer_verifies, path)
        refused[f"dsig {mac}"] = objections(dsig.verify(signed.output, TRUSTED))
    refused |= {f"peer {mac}": ended.result().said for mac, ended in verdicts.items() if not ended.result().good}
    assert not {who: why for who, why in refused.items() if why}


@pytest.mark.parametrize("key", KEYS)
def test_peer_rejects_the_object_it_hashes_differently(key, keys, tmp_path):
    """Decision 0005: the peer's own MAC of this object lacks elements that ours has."""
    for mac in MACS:
        path = tmp_path / f"{mac}.dcm"
        dsig_signs(BASE / HASHED_DIFFERENTLY, path, keys[key], mac=mac)
        assert not objections(dsig.verify(path, TRUSTED))
        ended = peer_verifies(path)
        assert ended.status == 101
        assert "document corrupted" in ended.said


@pytest.mark.parametrize("name", UNREADABLE)
def test_neither_tool_reads_broken_files(name, keys, tmp_path):
    with pytest.raises(dsig.InputError):
        dsig_signs(BASE / name, tmp_path / "out.dcm", keys["p256"])
    assert run("dcmsign", "--verify", BASE / name).status == 20


def test_every_other_base_file_is_read_by_the_peer():
    """The list of what is tested comes from the peer: nothing readable is left out."""
    names = [*READABLE, NOTHING_SIGNABLE, HASHED_DIFFERENTLY]
    ended = AT_ONCE.map(lambda name: run("dcmsign", "--verify", BASE / name), names)
    assert {n: e.said for n, e in zip(names, ended, strict=True) if not e.good} == {}
    assert len(READABLE) >= 60


def test_a_directory_has_nothing_to_sign(keys, tmp_path):
    """All of a DICOMDIR is in group 0004; the peer signs an empty list that nobody can verify (reference 1.7, 8)."""
    with pytest.raises(dsig.UsageError, match="nothing here can be signed"):
        dsig_signs(BASE / NOTHING_SIGNABLE, tmp_path / "own.dcm", keys["p256"])
    peers = tmp_path / "peers.dcm"
    peer_signs(BASE / NOTHING_SIGNABLE, peers)
    assert peer_verifies(peers).status == 101
    assert dsig.verify(peers, TRUSTED).verdict in (dsig.FileVerdict.FAILED, dsig.FileVerdict.INDETERMINATE)
