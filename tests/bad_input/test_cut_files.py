"""Files cut anywhere: never a signature that passes, and never one made over a part without saying so."""

from __future__ import annotations

import io
import warnings

import pydicom
import pytest
from bad_files import BASE, CORPUS, PKI
from pydicom.filereader import _read_file_meta_info, data_element_generator, read_preamble

import dsig

STEP = 37
TRUSTED = dsig.VerifyOptions(trust=dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"]))

UNSIGNED = [
    f"{name}.dcm"
    for name in ["mr", "mr_imp", "mr_be", "mr_rle", "sc_dfl", "sr_basic", "sr_3d_groups", "rtplan", "un_seq", "wsi"]
]
SIGNED = [f"v-base-{name}.dcm" for name in ["mr", "mr-imp", "mr-be", "mr-rle", "sc-dfl", "sr-basic", "rtplan"]]


def borders(content: bytes) -> set[int]:
    """Where top-level elements end, as pydicom reads them: a file cut there is a shorter file, not a broken one."""
    file = io.BytesIO(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_preamble(file, force=False)
        meta = _read_file_meta_info(file)
        syntax = pydicom.uid.UID(meta.TransferSyntaxUID)
        if syntax.is_deflated:
            return set()
        found = set()
        for _ in data_element_generator(file, syntax.is_implicit_VR, syntax.is_little_endian):
            found.add(file.tell())
    return found


@pytest.mark.parametrize("name", UNSIGNED)
def test_only_what_is_whole_is_signed(name, key):
    content = (BASE / name).read_bytes()
    whole = borders(content)
    assert len(content) in whole or not whole
    for end in sorted({*range(0, len(content), STEP), *(e for e in whole if e < len(content))}):
        cut = content[:end]
        if end in whole:
            report = dsig.verify(cut)
            assert report.verdict is dsig.FileVerdict.UNSIGNED, end
            continue
        with pytest.raises(dsig.InputError) as caught:
            dsig.sign(cut, key=key)
        assert str(caught.value).isprintable()
        with pytest.raises(dsig.InputError):
            dsig.remove(cut, everything=True)
        with pytest.raises(dsig.InputError):
            dsig.inspect(cut)
        assert dsig.verify(cut).verdict is dsig.FileVerdict.ERROR, end


@pytest.mark.parametrize("name", SIGNED)
def test_no_signature_of_a_cut_file_passes(name):
    content = (CORPUS / "files" / name).read_bytes()
    assert dsig.verify(content, TRUSTED).verdict is dsig.FileVerdict.PASSED
    for end in {*range(0, len(content), STEP), len(content) - 1, len(content) - 2}:
        assert dsig.verify(content[:end], TRUSTED).verdict in (dsig.FileVerdict.ERROR, dsig.FileVerdict.UNSIGNED), end


@pytest.mark.parametrize("name", ["mr.dcm", "sr_basic.dcm", "rtplan.dcm"])
def test_no_signature_of_ours_passes_when_the_file_is_cut(name, key):
    content = dsig.sign((BASE / name).read_bytes(), key=key).output
    assert dsig.verify(content, TRUSTED).verdict is dsig.FileVerdict.PASSED
    for end in {*range(0, len(content), STEP), len(content) - 1, len(content) - 2}:
        assert dsig.verify(content[:end], TRUSTED).verdict in (dsig.FileVerdict.ERROR, dsig.FileVerdict.UNSIGNED), end


def test_the_command_says_where_the_file_ends(cli, good_key, tmp_path):
    path, out = tmp_path / "cut.dcm", tmp_path / "out.dcm"
    content = (BASE / "mr.dcm").read_bytes()
    path.write_bytes(content[: len(content) // 2])
    cli("sign", path, "-o", out, *good_key).one_line(5, str(path), "(7FE0,0010)", "byte ")
    assert not out.exists()
