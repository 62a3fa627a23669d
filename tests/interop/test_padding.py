"""Padding of text that is not canonical: made canonical when signing, or kept on request (reference section 1.6)."""

from __future__ import annotations

import pytest
from interop_peers import TRUSTED, dsig_signs, objections, peer_accepts, peer_verifies

import dsig

pytestmark = pytest.mark.interop


def element(tag: int, vr: str, value: bytes) -> bytes:
    head = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + vr.encode()
    return head + len(value).to_bytes(2, "little") + value


def file_with(*text: tuple[int, str, bytes]) -> bytes:
    """A small explicit VR little endian file."""
    meta = b"".join(
        element(tag, "UI", value)
        for tag, value in (
            (0x00020002, b"1.2.840.10008.5.1.4.1.1.7\0"),
            (0x00020003, b"1.2.3.4\0"),
            (0x00020010, b"1.2.840.10008.1.2.1\0"),
        )
    )
    return (
        bytes(128)
        + b"DICM"
        + element(0x00020000, "UL", len(meta).to_bytes(4, "little"))
        + meta
        + b"".join(element(*one) for one in sorted([(0x00080018, "UI", b"1.2.3.4\0"), *text]))
    )


SPACES = [(0x00080008, "CS", b"A\\B   "), (0x00100010, "PN", b"A^B^    "), (0x00102000, "LO", b"      ")]
NULS = [(0x00080020, "DA", b"20200101\0\0"), (0x00100020, "LO", b"abc\0")]
ODD = [(0x00100020, "LO", b"abc")]


@pytest.mark.parametrize("text", [SPACES, NULS, ODD, [SPACES[0], SPACES[1], NULS[1]]])
def test_canonical_padding_suits_both(text, keys, tmp_path):
    path = tmp_path / "signed.dcm"
    source = tmp_path / "source.dcm"
    source.write_bytes(file_with(*text))
    signed = dsig_signs(source, path, keys["p256"])
    assert [f.code for f in signed.findings] == ["padding-canonicalised"]
    peer_accepts(path)
    assert not objections(dsig.verify(path, TRUSTED))


def test_kept_spaces_are_another_mac_for_the_peer(keys, tmp_path):
    """The peer trims trailing spaces before it hashes, see reference section 1.6: that is what the warning is about."""
    path = tmp_path / "signed.dcm"
    source = tmp_path / "source.dcm"
    source.write_bytes(file_with(*SPACES))
    signed = dsig_signs(source, path, keys["p256"], preserve_bytes=True)
    assert [f.code for f in signed.findings] == ["padding-kept"]
    assert dsig.remove(path.read_bytes(), everything=True).output == source.read_bytes()
    assert not objections(dsig.verify(path, TRUSTED))
    assert peer_verifies(path).status == 101


def test_kept_nuls_are_the_same_mac_for_the_peer(keys, tmp_path):
    """Version 3.6.7 trims the pad byte of the VR only, see reference section 1.6."""
    path = tmp_path / "signed.dcm"
    source = tmp_path / "source.dcm"
    source.write_bytes(file_with(*NULS))
    dsig_signs(source, path, keys["p256"], preserve_bytes=True)
    assert dsig.remove(path.read_bytes(), everything=True).output == source.read_bytes()
    assert not objections(dsig.verify(path, TRUSTED))
    peer_accepts(path)
