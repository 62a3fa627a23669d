"""Honest hops through another program leave nothing to explain, or exactly what they did."""

from __future__ import annotations

import pytest
from interop_peers import AT_ONCE, BASE, dsig_signs, run, succeed
from pydicom import dcmread
from support.corpus import VERIFY
from test_transcoding import NATIVE, REREAD

import dsig

pytestmark = pytest.mark.interop

HOPS = (("+te", "-e"), ("+tb",), ("+td",), ("+te", "+g", "+p", "64", "8"))


@pytest.mark.parametrize("name", NATIVE)
def test_other_encodings_change_nothing_that_is_signed(name, keys, tmp_path):
    source = tmp_path / "signed.dcm"
    dsig_signs(BASE / name, source, keys["p256"])
    targets = [tmp_path / f"{number}.dcm" for number in range(len(HOPS))]
    for done in [AT_ONCE.submit(run, "dcmconv", *hop, source, t) for hop, t in zip(HOPS, targets, strict=True)]:
        assert done.result().good
    for target in targets:
        explanation = dsig.explain(source, target)
        assert explanation.same, [d for s in explanation.signatures for d in s.differences]
        meaningless = ("(0002,", "preamble", "(FFFC,FFFC)", ",0000)")
        # odd values are padded on the way, in groups that cannot be signed too
        left = [d for d in explanation.unsigned if not any(part in d.location for part in meaningless)]
        assert {d.cause for d in left} <= {"padding"}


@pytest.mark.parametrize("name", sorted(REREAD))
def test_implicit_vr_loses_vrs_and_nothing_else(name, keys, tmp_path):
    source, target = tmp_path / "signed.dcm", tmp_path / "implicit.dcm"
    dsig_signs(BASE / name, source, keys["p256"])
    succeed("dcmconv", "+ti", source, target)
    (signature,) = dsig.explain(source, target).signatures
    assert signature.outcome == "differs"
    assert {d.cause for d in signature.differences} == {"vr"}
    read = dcmread(source, force=True)
    if "PixelData" in read and read["PixelData"].VR == "OB":
        assert "(7FE0,0010)" in {d.location for d in signature.differences}


HOPS_OF_THE_CORPUS = [case for case in VERIFY if case["group"] == "transcoded"]


@pytest.mark.parametrize("case", HOPS_OF_THE_CORPUS, ids=lambda case: case["id"])
def test_every_hop_of_the_corpus_is_explained(case, keys, tmp_path):
    """Its manifest says how each file was converted after it was signed; only implicit VR loses anything."""
    source, target = tmp_path / "signed.dcm", tmp_path / "converted.dcm"
    [options] = [step["args"][:-2] for step in case["steps"] if step["tool"] == "peer-convert"]
    dsig_signs(BASE / case["base"].removeprefix("base/"), source, keys["p256"])
    succeed("dcmconv", *options, source, target)
    (signature,) = dsig.explain(source, target).signatures
    implicit = "+ti" in options
    assert implicit or signature.outcome == "same"
    assert {d.cause for d in signature.differences} <= {"vr"}
    if case["id"] == "v-conv-wsi-ti":
        assert "(7FE0,0010)" in {d.location for d in signature.differences}
    assert dsig.verify(target, dsig.VerifyOptions(check_trust=False)).verdict is dsig.FileVerdict.PASSED


def test_the_corpus_has_hops():
    assert len(HOPS_OF_THE_CORPUS) >= 14


DECOMPRESS = {"mr_rle.dcm": "dcmdrle", "sc_jpeg.dcm": "dcmdjpeg", "wsi_jls.dcm": "dcmdjpls"}


@pytest.mark.parametrize("name", DECOMPRESS)
def test_decompression_is_told_as_such_and_nobody_is_accused(name, keys, tmp_path):
    source, target = tmp_path / "signed.dcm", tmp_path / "native.dcm"
    dsig_signs(BASE / name, source, keys["p256"])
    succeed(DECOMPRESS[name], source, target)
    (signature,) = dsig.explain(source, target).signatures
    assert ("(7FE0,0010)", "pixel-encoding") in {(d.location, d.cause) for d in signature.differences}
    (verified,) = dsig.verify(target, dsig.VerifyOptions(check_trust=False)).signatures
    assert verified.verdict is dsig.Status.INDETERMINATE
    assert [f.code for f in verified.axes["integrity"].findings] == ["pixel-encoding-changed"]


def test_compression_is_told_as_such_and_nobody_is_accused(keys, tmp_path):
    source, target = tmp_path / "signed.dcm", tmp_path / "rle.dcm"
    dsig_signs(BASE / "mr.dcm", source, keys["p256"])
    succeed("dcmcrle", source, target)
    (signature,) = dsig.explain(source, target).signatures
    assert ("(7FE0,0010)", "pixel-encoding") in {(d.location, d.cause) for d in signature.differences}
    (verified,) = dsig.verify(target, dsig.VerifyOptions(check_trust=False)).signatures
    assert verified.verdict is dsig.Status.INDETERMINATE


def test_a_signature_over_other_elements_survives_compression(keys, tmp_path):
    source, target = tmp_path / "signed.dcm", tmp_path / "rle.dcm"
    dsig_signs(BASE / "mr.dcm", source, keys["p256"], tags=(0x00080018, 0x00100010))
    succeed("dcmcrle", source, target)
    assert dsig.explain(source, target).same
    assert dsig.verify(target, dsig.VerifyOptions(check_trust=False)).verdict is dsig.FileVerdict.PASSED
