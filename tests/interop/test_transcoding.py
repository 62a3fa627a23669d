"""Signatures survive other encodings of the same data, before signing and after it; `dcmconv` converts."""

from __future__ import annotations

import pydicom
import pytest
from interop_peers import (
    AT_ONCE,
    BASE,
    READABLE,
    TRUSTED,
    dsig_signs,
    objections,
    peer_signs,
    peer_verifies,
    run,
    succeed,
)

import dsig

pytestmark = pytest.mark.interop

EXPLICIT, BIG, IMPLICIT, DEFLATED = "+te", "+tb", "+ti", "+td"

LENGTHS = [("+e",), ("-e",), ("+g",), ("-g",), ("-e", "+g"), ("+p", "64", "0")]
"""Of sequences and items, groups, and padding at the end of the file."""


def converted(source, target, *options) -> bool:
    """Whether `dcmconv` can convert so; it cannot compress or decompress."""
    ended = run("dcmconv", *options, source, target)
    assert ended.good or "no conversion to transfer syntax" in ended.said, ended.said
    return ended.good


def native(name: str) -> bool:
    return not run("dcmdump", "-q", "+P", "7fe0,0010", BASE / name).said.count("PixelSequence")


def verdicts(path) -> tuple[bool, list[str], str]:
    """Whether the peer accepts, what dsig objects to, and what the peer said."""
    peer = AT_ONCE.submit(peer_verifies, path)
    own = objections(dsig.verify(path, TRUSTED))
    return peer.result().good, own, peer.result().said


NATIVE = tuple(name for name in READABLE if native(name))
"""Base files that have no compressed pixel data."""


def refusals(source, directory, variations) -> dict[tuple[str, ...], str]:
    """What either tool has against these conversions of a signed file."""

    def converted_and_verified(options):
        target = directory / f"converted{'_'.join(options)}.dcm"
        assert converted(source, target, *options)
        return target, peer_verifies(target)

    waiting = {options: AT_ONCE.submit(converted_and_verified, options) for options in variations}
    found = {}
    for options, done in waiting.items():
        target, peer = done.result()
        if not peer.good:
            found["peer", *options] = peer.said
        own = objections(dsig.verify(target, TRUSTED))
        if own:
            found["dsig", *options] = str(own)
    return found


@pytest.mark.parametrize("name", READABLE)
def test_dsig_signatures_survive_other_lengths(name, keys, tmp_path):
    source = tmp_path / "signed.dcm"
    dsig_signs(BASE / name, source, keys["p256"])
    assert not refusals(source, tmp_path, LENGTHS)


@pytest.mark.parametrize("name", NATIVE)
def test_dsig_signatures_survive_explicit_encodings(name, keys, tmp_path):
    source = tmp_path / "signed.dcm"
    dsig_signs(BASE / name, source, keys["rsa2048"])
    variations = [(EXPLICIT,), (BIG,), (DEFLATED,), (EXPLICIT, "-e", "+g"), (BIG, "-e", "+g"), (DEFLATED, "-e")]
    assert not refusals(source, tmp_path, variations)


REREAD = {
    "chrarab.dcm",
    "chrfrenmulti.dcm",
    "chrgerm.dcm",
    "chrgreek.dcm",
    "chrh31.dcm",
    "chrh32.dcm",
    "chrhbrw.dcm",
    "chri2.dcm",
    "chrruss.dcm",
    "chrx1.dcm",
    "chrx2.dcm",
    "dx.dcm",
    "ecg.dcm",
    "sc_dfl.dcm",
    "un_seq.dcm",
    "us_be.dcm",
    "wsi.dcm",
}
"""What changes when implicit VR takes the VRs away (reference section 8): OB pixel data and SS read again as US are
hashed as something else, private elements unknown to the dictionary cannot be signed."""
UNKNOWN_VRS = "ecg.dcm"
"""A dozen private elements no dictionary has: more readings than anybody could try."""


@pytest.mark.parametrize("name", NATIVE)
def test_dsig_signatures_survive_implicit_vr(name, keys, tmp_path):
    """The peer rejects what has lost VRs, see reference section 8; we find them again (docs/decisions/0050)."""
    source, target = tmp_path / "signed.dcm", tmp_path / "converted.dcm"
    dsig_signs(BASE / name, source, keys["p256"])
    assert converted(source, target, IMPLICIT)
    accepted, own, said = verdicts(target)
    assert accepted is (name not in REREAD), said
    (signature,) = dsig.verify(target, TRUSTED).signatures
    if name == UNKNOWN_VRS:
        assert signature.verdict is dsig.Status.INDETERMINATE
        assert [f.code for f in signature.axes["integrity"].findings] == ["vr-unknown"]
    else:
        assert not own
        assert (signature.mac.encoding == "recovered-vr") is (name in REREAD)


def test_the_causes_are_the_documented_ones():
    """Each object that does not survive has OB pixel data, or private elements, or values read as SS."""
    for name in REREAD:
        read = pydicom.dcmread(BASE / name, force=True)
        pixels = "PixelData" in read and read["PixelData"].VR == "OB"
        private = any(element.tag.is_private for element in read)
        signed = any(element.VR == "SS" for element in read.iterall())
        assert pixels or private or signed, name


@pytest.mark.parametrize("item", ["BeamSequence[0]", "BeamSequence[0].ControlPointSequence[1]"])
@pytest.mark.parametrize(
    "options", [[EXPLICIT, "-e", "+g"], [BIG], [BIG, "-e"], [IMPLICIT], [DEFLATED], ["+p", "8", "0"]]
)
def test_signatures_of_items_survive(item, options, keys, tmp_path):
    source, target = tmp_path / "signed.dcm", tmp_path / "converted.dcm"
    dsig_signs(BASE / "rtplan.dcm", source, keys["dsa2048"], item=item)
    assert converted(source, target, *options)
    accepted, own, said = verdicts(target)
    assert not own
    assert accepted, said


UNTYPED = "un_seq.dcm"
"""One private sequence of VR UN and undefined length, and no private creator: implicit VR leaves nothing to type it."""


@pytest.mark.parametrize(
    "options", [[EXPLICIT, "-e"], [BIG], [BIG, "-e", "+g"], [IMPLICIT], [IMPLICIT, "-e"], [DEFLATED]]
)
@pytest.mark.parametrize("name", NATIVE)
def test_both_sign_every_encoding(name, options, keys, tmp_path):
    """The base files written in another native transfer syntax, signed by one and verified by the other."""
    if name == UNTYPED and IMPLICIT in options:
        return  # below
    source, own, peers = (tmp_path / f"{n}.dcm" for n in ("source", "own", "peers"))
    assert converted(BASE / name, source, *options)
    signing = AT_ONCE.submit(peer_signs, source, peers, key="p256")
    dsig_signs(source, own, keys["p256"])
    accepted, objected, said = verdicts(own)
    assert not objected
    assert accepted, said
    signing.result()
    assert not objections(dsig.verify(peers, TRUSTED))


def test_untyped_sequence_of_defined_length_cannot_be_signed(keys, tmp_path):
    """In implicit VR it is UN; the peer signs an empty list and rejects it, see reference sections 1.7 and 8."""
    source, peers = tmp_path / "source.dcm", tmp_path / "peers.dcm"
    assert converted(BASE / UNTYPED, source, IMPLICIT)
    with pytest.raises(dsig.UsageError, match="nothing here can be signed"):
        dsig_signs(source, tmp_path / "own.dcm", keys["p256"])
    peer_signs(source, peers)
    accepted, own, _ = verdicts(peers)
    assert own
    assert not accepted


def test_untyped_sequence_of_undefined_length(keys, tmp_path):
    """Undefined length makes it a sequence; written with a defined one it is UN again, see reference section 8."""
    source, own, peers = (tmp_path / f"{n}.dcm" for n in ("source", "own", "peers"))
    assert converted(BASE / UNTYPED, source, IMPLICIT, "-e")
    dsig_signs(source, own, keys["p256"])
    accepted, objected, said = verdicts(own)
    assert not objected
    assert accepted, said
    peer_signs(source, peers, "+e")
    accepted, objected, _ = verdicts(peers)
    assert not objected
    assert not accepted
    peer_signs(source, peers, "-e")
    accepted, objected, said = verdicts(peers)
    assert not objected
    assert accepted, said


@pytest.mark.parametrize("name", ["rtplan.dcm", "mr.dcm", "mr_rle.dcm", "sr_comp.dcm", "priv_sq.dcm"])
def test_padding_inside_items_changes_nothing(name, keys, tmp_path):
    """Data Set Trailing Padding in every item, those of the signature too: it has no meaning (PS3.10 7.2)."""
    source, target = tmp_path / "signed.dcm", tmp_path / "converted.dcm"
    dsig_signs(BASE / name, source, keys["p256"])
    succeed("dcmconv", "+p", "64", "32", source, target)
    accepted, own, said = verdicts(target)
    assert accepted, said
    assert not own


def test_signatures_of_files_with_big_endian_pixel_data(keys, tmp_path):
    """A transfer syntax private to GE: implicit VR little endian, but for the pixel data."""
    ge, ours, theirs = (tmp_path / f"{name}.dcm" for name in ("ge", "ours", "theirs"))
    slice_ = pydicom.dcmread(BASE / "mr_imp.dcm")
    words = slice_.PixelData
    slice_.PixelData = b"".join(words[at : at + 2][::-1] for at in range(0, len(words), 2))
    slice_.file_meta.TransferSyntaxUID = "1.2.840.113619.5.2"
    slice_.save_as(ge, implicit_vr=True, little_endian=True)

    dsig_signs(ge, ours, keys["rsa2048"])
    peer_signs(ge, theirs)
    assert not refusals(ours, tmp_path, [(EXPLICIT,), (BIG,), (IMPLICIT,)])
    for signed in (ours, theirs):
        accepted, own, said = verdicts(signed)
        assert accepted, said
        assert not own
    for options in ((EXPLICIT,), (BIG,), (IMPLICIT,)):
        plain = tmp_path / "plain.dcm"
        assert converted(theirs, plain, *options)
        assert not objections(dsig.verify(plain, TRUSTED))
    assert converted(ours, plain, EXPLICIT)
    assert pydicom.dcmread(plain).PixelData == words
