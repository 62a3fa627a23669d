"""The verbs take paths, bytes, file objects and pydicom data sets, and give back the kind that came in."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import mmap
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset
from support import signed as s
from support.encode import part10
from support.pki import BASE, checked, key
from support.signed import DATA

import dsig

CT = BASE / "ct.dcm"
PLAIN = part10(s.joined(DATA))


def good(given: object, signatures: int = 1) -> None:
    """It verifies, whatever kind it is."""
    report = checked(given)
    assert report.verdict == "passed", [s_.axes for s_ in report.signatures]
    assert len(report.signatures) == signatures


# ------------------------------------------------------------------------------------------------------------- in, out


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_give_bytes(kind: type):
    signed = dsig.sign(kind(PLAIN), key=key())
    assert type(signed.output) is bytes
    assert signed.path == "<bytes>"
    good(signed.output)
    assert dsig.remove(kind(signed.output), everything=True).output == PLAIN


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_gives_the_output_path_as_it_was_given(kind: type, tmp_path: Path):
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(PLAIN)
    signed = dsig.sign(kind(source), kind(target), key=key())
    assert (signed.path, signed.output) == (str(source), kind(target))
    good(kind(target))
    assert source.read_bytes() == PLAIN
    removed = dsig.remove(target, kind(tmp_path / "back.dcm"), everything=True)
    assert removed.output == kind(tmp_path / "back.dcm")
    assert (tmp_path / "back.dcm").read_bytes() == PLAIN


def test_a_file_object_gives_a_file_object():
    signed = dsig.sign(io.BytesIO(PLAIN), key=key())
    assert isinstance(signed.output, io.BytesIO)
    assert signed.output.tell() == 0
    good(signed.output)
    removed = dsig.remove(signed.output, everything=True)
    assert isinstance(removed.output, io.BytesIO)
    assert removed.output.getvalue() == PLAIN


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_an_open_file_gives_a_file_object_and_keeps_its_position(buffering: int, tmp_path: Path):
    path = tmp_path / "in.dcm"
    path.write_bytes(b"prefix" + PLAIN)
    with path.open("rb", buffering=buffering) as file:
        file.seek(6)
        signed = dsig.sign(file, key=key())
        assert (signed.path, file.tell(), file.closed) == (str(path), 6, False)
        assert dsig.verify(file).verdict == "unsigned"
        assert file.tell() == 6
    good(signed.output)


def test_any_kind_can_be_written_to_a_path(tmp_path: Path):
    for number, given in enumerate([PLAIN, io.BytesIO(PLAIN), pydicom.dcmread(CT)]):
        target = tmp_path / f"{number}.dcm"
        assert dsig.sign(given, target, key=key()).output == target
        good(target)


def test_any_kind_can_be_written_to_a_file_object(tmp_path: Path):
    (tmp_path / "in.dcm").write_bytes(PLAIN)
    for given in (PLAIN, io.BytesIO(PLAIN), tmp_path / "in.dcm"):
        out = io.BytesIO(b"")
        assert dsig.sign(given, out, key=key()).output is out
        good(out.getvalue())


def test_a_file_object_is_written_to_only_when_all_is_well():
    out = io.BytesIO(b"as it was")
    with pytest.raises(dsig.UsageError):
        dsig.sign(PLAIN, out, key=key(), options=dsig.SignOptions(tags=(0x00104000,)))
    assert out.getvalue() == b"as it was"


def test_a_data_set_from_a_file_gives_one_and_stays_as_it_is():
    given = pydicom.dcmread(CT)
    before = given.to_json()
    signed = dsig.sign(given, key=key())
    assert type(signed.output) is FileDataset
    assert (0xFFFA, 0xFFFA) in signed.output
    assert given.to_json() == before
    assert (0xFFFA, 0xFFFA) not in given
    good(signed.output)
    removed = dsig.remove(signed.output, everything=True).output
    assert isinstance(removed, FileDataset)
    assert removed.to_json() == before


def made() -> Dataset:
    """A data set made by hand in pydicom."""
    data_set = Dataset()
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data_set.SOPInstanceUID = "1.2.3.4"
    data_set.PatientName = "Doe^Jane"
    item = Dataset()
    item.RequestedProcedureID = "R1"
    data_set.RequestAttributesSequence = [item]
    return data_set


def test_a_plain_data_set_gives_a_plain_one():
    given = made()
    signed = dsig.sign(given, key=key())
    assert type(signed.output) is Dataset
    assert signed.path == "<data set>"
    assert signed.output.PatientName == "Doe^Jane"
    good(signed.output)
    removed = dsig.remove(signed.output, everything=True).output
    assert isinstance(removed, Dataset)
    assert removed == given


def test_vrs_that_depend_on_other_elements_stay_open_in_what_was_given():
    """PS3.6 has `OB or OW` and `US or SS`; pydicom settles them in place when it writes, at all depths."""
    given = made()
    given.BitsAllocated, given.PixelRepresentation = 16, 0
    given.PixelData = bytes(8)
    given.SmallestImagePixelValue = 7
    lut = Dataset()
    lut.LUTDescriptor = [4, 0, 16]
    given.ModalityLUTSequence = [lut]
    before = copy.deepcopy(given)
    vrs = [given["PixelData"].VR, given["SmallestImagePixelValue"].VR, lut["LUTDescriptor"].VR]
    assert vrs == ["OB or OW", "US or SS", "US or SS"]
    signed = dsig.sign(given, key=key()).output
    good(signed)
    checked(given)
    dsig.inspect(given)
    assert vrs == [given["PixelData"].VR, given["SmallestImagePixelValue"].VR, lut["LUTDescriptor"].VR]
    assert given == before
    assert [signed["PixelData"].VR, signed["SmallestImagePixelValue"].VR] == ["OW", "US"]
    assert signed.ModalityLUTSequence[0]["LUTDescriptor"].VR == "US"


def test_threads_may_sign_one_data_set_together():
    given = pydicom.dcmread(CT)
    given.PixelData = bytes(given.PixelData)
    opened = key()
    with ThreadPoolExecutor(4) as threads:
        signed = list(threads.map(lambda _: dsig.sign(given, key=opened).output, range(12)))
    for one in signed:
        good(one)


def test_a_data_set_that_pydicom_writes_broken_is_refused_by_its_name():
    """It adds a byte behind encapsulated pixel data of odd length, which then do not end where they should."""
    given = made()
    given.file_meta = pydicom.dataset.FileMetaDataset()
    given.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    given.add_new(0x7FE00010, "OB", bytes.fromhex("feff00e0 00000000 feff00e0 03000000 010203"))
    given["PixelData"].is_undefined_length = True
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(given, key=key())
    assert caught.value.where.file == "<data set>"
    assert "give that file" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["mr_rle.dcm", "sc_dfl.dcm", "mr_be.dcm", "mr_imp.dcm", "rtplan.dcm", "sr_comp.dcm"])
def test_data_sets_of_every_encoding_are_signed_as_pydicom_would_save_them(name: str):
    good(dsig.sign(pydicom.dcmread(BASE / name), key=key()).output)


@pytest.mark.parametrize(
    "given",
    [str, Path, Path.read_bytes, lambda path: io.BytesIO(path.read_bytes()), pydicom.dcmread],
    ids=["str", "path", "bytes", "file object", "data set"],
)  # fmt: skip
def test_all_kinds_get_the_same_verdict(given: Callable[[Path], object], tmp_path: Path):
    path = tmp_path / "signed.dcm"
    dsig.sign(CT, path, key=key())
    [signature] = checked(given(path)).signatures
    [same] = checked(path).signatures
    assert (signature.uid, signature.verdict, signature.mac) == (same.uid, "passed", same.mac)
    [inspected] = dsig.inspect(given(path)).signatures
    assert inspected.uid == same.uid


class Reads:
    """A file object that can do nothing but give some bytes."""

    def __init__(self, gives: object = None) -> None:
        self._file = io.BytesIO(PLAIN)
        self._gives = gives

    def read(self, count: int) -> object:
        return self._file.read(min(count, 1000)) if self._gives is None else self._gives


class NeverBack(io.BytesIO):
    """It says that it can be positioned, and cannot."""

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation("seek")


def test_a_file_object_that_can_only_be_read_is_enough():
    for given in (Reads, lambda: NeverBack(PLAIN)):
        signed = dsig.sign(given(), key=key())
        assert isinstance(signed.output, io.BytesIO)
        good(signed.output)


def test_a_mapped_file_is_a_file_object(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"before" + PLAIN)
    with (tmp_path / "file").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        mapped.seek(6)
        good(dsig.sign(mapped, key=key()).output)
        assert mapped.tell() == 6


@pytest.mark.parametrize("other", ["gzip", "zip"])
def test_members_of_archives_are_file_objects(other: str, tmp_path: Path):
    path = tmp_path / "archive"
    with gzip.open(path, "wb") if other == "gzip" else zipfile.ZipFile(path, "w") as archive:
        archive.write(PLAIN) if other == "gzip" else archive.writestr("member", PLAIN)
    with contextlib.ExitStack() as opened:
        if other == "gzip":
            file = opened.enter_context(gzip.open(path))
        else:
            file = opened.enter_context(opened.enter_context(zipfile.ZipFile(path)).open("member"))
        good(dsig.sign(file, key=key()).output)


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(("gives", "said"), [("text", "it gives str"), (7, "it gives int")])
def test_a_file_object_that_gives_no_bytes_is_refused(gives: object, said: str):
    with pytest.raises(dsig.InputError, match=said):
        dsig.sign(Reads(gives), key=key())
    assert checked(Reads(gives)).error.code == "input-unreadable"


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_a_pipe_that_does_not_wait_is_not_taken_for_an_empty_one(buffering: int):
    taken, given = os.pipe()
    os.set_blocking(taken, False)
    with open(taken, "rb", buffering=buffering) as file, pytest.raises(dsig.InputError, match="gives nothing"):
        dsig.sign(file, key=key())
    os.close(given)


@pytest.mark.parametrize("mode", ["wb", "ab", "xb"])
def test_a_file_object_that_is_only_written_to_is_refused(mode: str, tmp_path: Path):
    with (tmp_path / "file").open(mode) as file, pytest.raises(dsig.UsageError, match="not open for reading"):
        dsig.sign(file, key=key())


def test_a_memoryview_that_was_released_is_refused():
    view = memoryview(PLAIN)
    view.release()
    with pytest.raises(dsig.InputError, match="released"):
        dsig.sign(view, key=key())


def test_a_path_of_bytes_is_named_as_text_and_one_of_something_else_refused(tmp_path: Path):
    class Named:
        def __init__(self, path: object) -> None:
            self.path = path

        def __fspath__(self) -> object:
            return self.path

    (tmp_path / "file").write_bytes(PLAIN)
    assert checked(Named(os.fsencode(tmp_path / "file"))).path == str(tmp_path / "file")
    with pytest.raises(dsig.UsageError, match="cannot take Named"):
        dsig.verify(Named(7))


@pytest.mark.parametrize("given", [None, 7, object(), ["ct.dcm"]])
def test_anything_else_is_a_usage_error(given: object):
    with pytest.raises(dsig.UsageError, match="cannot take"):
        dsig.verify(given)
    with pytest.raises(dsig.UsageError):
        dsig.sign(given, key=key())


def test_a_path_needs_an_output():
    with pytest.raises(dsig.UsageError, match="no output"):
        dsig.sign(CT, key=key())


def test_an_output_that_takes_nothing_is_a_usage_error():
    with pytest.raises(dsig.UsageError, match="cannot write to int"):
        dsig.sign(PLAIN, 7, key=key())


@pytest.mark.parametrize("how", ["same", "symbolic link", "hard link", "other spelling"])
def test_the_output_may_not_be_the_input_unasked(how: str, tmp_path: Path):
    source = tmp_path / "in.dcm"
    source.write_bytes(PLAIN)
    target = {"same": source, "other spelling": tmp_path / "x" / ".." / "in.dcm"}.get(how, tmp_path / "link.dcm")
    if how == "symbolic link":
        target.symlink_to(source)
    elif how == "hard link":
        target.hardlink_to(source)
    elif how == "other spelling":
        (tmp_path / "x").mkdir()
    for attempt in (lambda: dsig.sign(source, target, key=key()), lambda: dsig.remove(source, target, everything=True)):
        with pytest.raises(dsig.OutputError) as caught:
            attempt()
        assert caught.value.code == "output-is-input"
    assert source.read_bytes() == PLAIN


def test_in_place_replaces_the_file_and_keeps_its_permissions(tmp_path: Path):
    path = tmp_path / "in.dcm"
    path.write_bytes(PLAIN)
    path.chmod(0o640)
    signed = dsig.sign(path, key=key(), options=dsig.SignOptions(in_place=True))
    assert signed.output == path
    good(path)
    dsig.remove(path, everything=True, in_place=True)
    assert path.read_bytes() == PLAIN
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["in.dcm"]


def test_in_place_is_for_paths_without_output(tmp_path: Path):
    with pytest.raises(dsig.UsageError, match="in place"):
        dsig.sign(PLAIN, key=key(), options=dsig.SignOptions(in_place=True))
    with pytest.raises(dsig.UsageError, match="in place"):
        dsig.sign(CT, tmp_path / "out.dcm", key=key(), options=dsig.SignOptions(in_place=True))


def test_what_cannot_be_read_is_a_report_when_verifying_and_an_error_otherwise(tmp_path: Path):
    missing = tmp_path / "missing.dcm"
    report = dsig.verify(missing)
    assert (report.verdict, report.path) == ("error", str(missing))
    assert report.error is not None
    assert (report.error.code, report.error.where) == ("input-unreadable", str(missing))
    for attempt in (
        lambda: dsig.inspect(missing),
        lambda: dsig.sign(missing, tmp_path / "out.dcm", key=key()),
        lambda: dsig.remove(missing, tmp_path / "out.dcm", everything=True),
    ):
        with pytest.raises(dsig.InputError):
            attempt()
    assert os.listdir(tmp_path) == []


def test_errors_name_the_file_as_it_was_given(tmp_path: Path):
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(PLAIN[:-3])
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.inspect(broken)
    assert caught.value.where.file == str(broken)
    with pytest.raises(dsig.UsageError) as usage:
        dsig.sign(PLAIN, key=key(), options=dsig.SignOptions(tags=(0x00104000,)))
    assert usage.value.where.file == "<bytes>"


def test_a_data_set_that_pydicom_cannot_write_is_a_usage_error():
    data_set = made()
    data_set.add_new(0x00091001, "ZZ", "no such VR")
    with pytest.raises(dsig.UsageError) as caught:
        dsig.sign(data_set, key=key())
    assert caught.value.code == "data-set-not-writable"
