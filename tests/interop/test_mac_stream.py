"""The bytes that are hashed: those of the peer, and those openssl verifies the signature value over."""

from __future__ import annotations

import hashlib

import pydicom
import pytest
from interop_peers import (
    BASE,
    HASHED_DIFFERENTLY,
    KEYS,
    MACS,
    READABLE,
    dsig_signs,
    key_files,
    peer_signs,
    succeed,
)

import dsig

pytestmark = pytest.mark.interop

ITEM_PART = bytes.fromhex("0004 0500 5553 0200")
"""(0400,0005) US of two bytes: the first hashed element of a Digital Signatures item (reference section 1.1)."""


def parts(stream: bytes) -> tuple[bytes, bytes]:
    """Data set part and signature item part of a MAC stream."""
    border = stream.rindex(ITEM_PART)
    return stream[:border], stream[border:]


def elements(stream: bytes) -> list[tuple[str, str, int]]:
    """Tag, VR and value length of explicit VR little endian elements of short VRs; the lengths of UIDs are even."""
    found = []
    while stream:
        group, element, length = (int.from_bytes(stream[i : i + 2], "little") for i in (0, 2, 6))
        vr = stream[4:6].decode()
        if vr == "SQ":  # the purpose, hashed without lengths
            found.append((f"{group:04X}{element:04X}", vr, len(stream)))
            break
        assert length % 2 == 0
        found.append((f"{group:04X}{element:04X}", vr, 0 if vr == "UI" else length))
        stream = stream[8 + length :]
    return found


@pytest.mark.parametrize("purpose", [None, 7])
@pytest.mark.parametrize("name", READABLE)
def test_both_tools_hash_the_same_bytes(name, purpose, keys, tmp_path):
    """The signature item's part differs in UID and date, not in form."""
    own, peers, out = tmp_path / "own.bin", tmp_path / "peers.bin", tmp_path / "out.dcm"
    signed = dsig_signs(BASE / name, out, keys["p256"], dump=str(own), purpose=purpose)
    assert hashlib.sha256(own.read_bytes()).hexdigest() == signed.mac.digest
    peer_signs(BASE / name, out, "+d", peers, *([] if purpose is None else ["+sp", purpose]))
    (signature,) = dsig.verify(out).signatures
    assert hashlib.sha256(peers.read_bytes()).hexdigest() == signature.mac.digest
    own_data, own_item = parts(own.read_bytes())
    peers_data, peers_item = parts(peers.read_bytes())
    assert own_data == peers_data
    assert elements(own_item) == elements(peers_item)
    assert [tag for tag, _, _ in elements(own_item)][:4] == ["04000005", "04000100", "04000105", "04000110"]
    if purpose is not None:
        border = own_item.index(bytes.fromhex("0004 0104 5351"))
        assert own_item[border:] == peers_item[peers_item.index(bytes.fromhex("0004 0104 5351")) :]


@pytest.mark.parametrize("item", ["BeamSequence[0]", "BeamSequence[0].ControlPointSequence[1]"])
def test_both_tools_hash_the_same_bytes_of_an_item(item, keys, tmp_path):
    own, peers, out = tmp_path / "own.bin", tmp_path / "peers.bin", tmp_path / "out.dcm"
    dsig_signs(BASE / "rtplan.dcm", out, keys["p256"], item=item, dump=str(own))
    peer_signs(BASE / "rtplan.dcm", out, "+d", peers, item=item)
    assert parts(own.read_bytes())[0] == parts(peers.read_bytes())[0]


@pytest.mark.parametrize("tags", [(0x00100010,), (0x00080018, 0x7FE00010)])
def test_both_tools_hash_the_same_bytes_of_a_selection(tags, keys, tmp_path):
    own, peers, out = tmp_path / "own.bin", tmp_path / "peers.bin", tmp_path / "out.dcm"
    dsig_signs(BASE / "mr.dcm", out, keys["p256"], tags=tags, dump=str(own))
    options = [word for tag in tags for word in ("-t", f"{tag >> 16:04x},{tag & 0xFFFF:04x}")]
    peer_signs(BASE / "mr.dcm", out, "+d", peers, *options)
    assert parts(own.read_bytes())[0] == parts(peers.read_bytes())[0]


@pytest.mark.parametrize("name", ["mr_rle.dcm", "sc_jpeg.dcm", "wsi_jls.dcm"])
def test_both_tools_hash_the_same_bytes_in_the_old_format(name, keys, tmp_path):
    """With the lengths of fragments (reference section 1.3)."""
    own, peers, out = tmp_path / "own.bin", tmp_path / "peers.bin", tmp_path / "out.dcm"
    dsig_signs(BASE / name, out, keys["p256"], old_format=True, dump=str(own))
    peer_signs(BASE / name, out, "-fo", "+d", peers)
    assert parts(own.read_bytes())[0] == parts(peers.read_bytes())[0]


def test_the_object_the_peer_hashes_differently(keys, tmp_path):
    """Decision 0005: what the peer hashes is shorter than the stream of the standard."""
    own, peers, out = tmp_path / "own.bin", tmp_path / "peers.bin", tmp_path / "out.dcm"
    dsig_signs(BASE / HASHED_DIFFERENTLY, out, keys["p256"], dump=str(own))
    peer_signs(BASE / HASHED_DIFFERENTLY, out, "+d", peers)
    assert len(parts(own.read_bytes())[0]) > len(parts(peers.read_bytes())[0])


def signature_value(path, key) -> bytes:
    """(0400,0120) without the byte that pads it (PS3.5 6.2 OB), read by pydicom."""
    (item,) = pydicom.dcmread(path, force=True)[0xFFFA, 0xFFFA].value
    value = item[0x0400, 0x0120].value
    if key.startswith("rsa"):
        return value
    length = 2 + value[1] if value[1] < 0x80 else 3 + value[2]
    assert len(value) - length in (0, 1)
    return value[:length]


@pytest.mark.parametrize("mac", MACS)
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("name", "item"), [("mr_rle.dcm", "/"), ("rtplan.dcm", "BeamSequence[0]"), ("us_be.dcm", "/")])
def test_openssl_verifies_the_value_over_the_dump(name, item, key, mac, keys, tmp_path):
    """No DICOM tool involved: digest and public key operation over the dumped bytes by openssl alone."""
    out, stream, value, public = (tmp_path / n for n in ("out.dcm", "stream.bin", "value.bin", "public.pem"))
    dsig_signs(BASE / name, out, keys[key], mac=mac, item=item, dump=str(stream))
    if item == "/":
        value.write_bytes(signature_value(out, key))
    else:
        (signed,) = pydicom.dcmread(out).BeamSequence
        (entry,) = signed[0xFFFA, 0xFFFA].value
        holder = entry[0x0400, 0x0120].value
        length = len(holder) if key.startswith("rsa") else (2 + holder[1] if holder[1] < 0x80 else 3 + holder[2])
        value.write_bytes(holder[:length])
    public.write_text(succeed("openssl", "x509", "-in", key_files(key)[1], "-noout", "-pubkey"))
    said = succeed("openssl", "dgst", f"-{mac.lower()}", "-verify", public, "-signature", value, stream)
    assert "Verified OK" in said
