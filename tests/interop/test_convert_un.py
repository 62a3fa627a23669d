"""Elements of VR UN with the VR of the dictionary: both tools convert alike, and each accepts what the other made."""

from __future__ import annotations

import pydicom
import pytest
from interop_peers import (
    INTERMEDIATE,
    ROOT,
    TRUSTED,
    dsig_signs,
    key_files,
    objections,
    peer_accepts,
    peer_signs,
    run,
    succeed,
)
from support.encode import BIG, LITTLE, Order, element, implicit, item, part10, sequence, text
from test_mac_stream import parts

import dsig

pytestmark = pytest.mark.interop

CREATOR = b"1.2.840.113681"
"""A private creator both tools know: (0019,xx10) is ST (the peer's private dictionary, ours as well)."""


def data_set(order: Order) -> bytes:
    """UN where the dictionary knows better: text, numbers, ambiguous VRs, a sequence, private ones, in items too."""
    inside = implicit(0x00090010, b"nobody") + implicit(0x00400007, b"hallo ") + implicit(0x0040A30A, b"12")
    parts = [
        element(0x00080016, "UI", text("1.2.840.10008.5.1.4.1.1.7", b"\0"), order=order),
        element(0x00080018, "UI", text("1.2.3.4", b"\0"), order=order),
        element(0x00100010, "UN", b"Doe^Jane", order=order),
        element(0x00190010, "UN", CREATOR, order=order),
        element(0x00191010, "UN", b"private ", order=order),
        element(0x00280010, "UN", b"\1\2", order=order),
        element(0x00280103, "US", b"\1\0" if order == "<" else b"\0\1", order=order),
        element(0x00280106, "UN", b"\xff\xfe", order=order),
        element(0x00400275, "UN", item(inside) + item(undefined=True), order=order),
        sequence(0x00400555, item(element(0x0040A30A, "UN", b"34", order=order), order=order), order=order),
        element(0x54001010, "UN", b"\1\2\3\4", order=order),
    ]
    return b"".join(parts)


FILES = {"little": part10(data_set("<"), LITTLE), "big": part10(data_set(">"), BIG)}


@pytest.mark.parametrize("name", FILES)
def test_both_tools_hash_and_write_the_same(name, keys, tmp_path):
    source, ours, theirs = tmp_path / "un.dcm", tmp_path / "ours.dcm", tmp_path / "theirs.dcm"
    own, peers = tmp_path / "own.bin", tmp_path / "peers.bin"
    source.write_bytes(FILES[name])
    dsig_signs(source, ours, keys["p256"], convert_un=True, dump=str(own))
    peer_signs(source, theirs, "+uc", "+d", peers)
    assert parts(own.read_bytes())[0] == parts(peers.read_bytes())[0]
    machinery = {0x4FFE0001, 0xFFFAFFFA}
    written = [{e.tag: e for e in pydicom.dcmread(path) if e.tag not in machinery} for path in (ours, theirs)]
    assert written[0] == written[1]
    assert (written[0][0x00191010].VR, written[0][0x00280106].VR, written[0][0x00400275].VR) == ("ST", "US", "SQ")
    assert not any(e.VR == "UN" for e in written[0].values())
    for path in (ours, theirs):  # what was written needs no conversion
        assert not objections(dsig.verify(path, TRUSTED))
        peer_accepts(path)


@pytest.mark.parametrize("name", FILES)
def test_a_signature_over_converted_elements_verifies_in_a_file_that_has_un_again(name, keys, tmp_path):
    """Some program knows fewer VRs and writes UN: both tools accept the file only when told to convert."""
    source, signed, again = (tmp_path / n for n in ("un.dcm", "signed.dcm", "again.dcm"))
    source.write_bytes(FILES[name])
    dsig_signs(source, signed, keys["p256"], convert_un=True)
    order: Order = "<" if name == "little" else ">"
    known = element(0x00280010, "US", b"\1\2"[:: 1 if order == "<" else -1], order=order)
    unknown = element(0x00280010, "UN", b"\1\2", order=order)
    assert signed.read_bytes().count(known) == 1
    again.write_bytes(signed.read_bytes().replace(known, unknown))
    converting = dsig.VerifyOptions(trust=TRUSTED.trust, convert_un=True)
    assert not objections(dsig.verify(again, converting))
    (plain,) = dsig.verify(again, TRUSTED).signatures
    assert [f.code for f in plain.axes["structure"].findings if f.severity == "error"] == ["list-names-unsignable"]
    peer = ("dcmsign", "--verify", "+rg", "+cf", ROOT, "+uf", INTERMEDIATE)
    succeed(*peer, "+uc", again)
    assert run(*peer, again).status == 101


def test_the_command_line_converts_on_demand(keys, tmp_path):
    source, signed = tmp_path / "un.dcm", tmp_path / "signed.dcm"
    source.write_bytes(FILES["little"])
    private, certificate = key_files("p256")
    key = ("--key", private, "--cert", certificate)
    succeed("dsig", "sign", source, "-o", signed, *key, "--convert-un", "--quiet")
    assert pydicom.dcmread(signed)[0x00191010].VR == "ST"
    succeed("dsig", "verify", signed, "--convert-un", "--no-trust", "--require-coverage", "all")


def test_a_file_without_such_elements_keeps_every_byte(keys, tmp_path):
    source, plain, converted = tmp_path / "ct.dcm", tmp_path / "plain.dcm", tmp_path / "converted.dcm"
    source.write_bytes(part10(element(0x00080005, "CS", b"ISO_IR 100") + element(0x00091001, "UN", b"ab")))
    for path, wanted in ((plain, False), (converted, True)):
        dsig_signs(source, path, keys["rsa2048"], convert_un=wanted)
    start = source.read_bytes()
    assert plain.read_bytes().startswith(start[:-10])
    assert converted.read_bytes().startswith(start[:-10])
