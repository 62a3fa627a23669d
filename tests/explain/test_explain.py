"""`dsig.explain`: where two MAC streams part, to the byte; what hops change and what not."""

from __future__ import annotations

import io
import tracemalloc
from itertools import zip_longest
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from support.corpus import CORPUS
from support.encode import element, encapsulated, item, part10, sequence
from support.signed import DATA, Parts, together

import dsig


def only(explanation: dsig.Explanation) -> dsig.ExplainedSignature:
    (signature,) = explanation.signatures
    return signature


def brief(signature: dsig.ExplainedSignature) -> list[tuple[str, str, str]]:
    return [(d.location, d.cause, d.part) for d in signature.differences]


def first_difference(one: bytes, other: bytes) -> int:
    return next(i for i, (p, q) in enumerate(zip_longest(one, other)) if p != q)


CHANGES = {
    "value": (0x00100010, element(0x00100010, "PN", b"Doe^John")),
    "length": (0x00100010, element(0x00100010, "PN", b"Doe^Jane^X")),
    "vr": (0x00100020, element(0x00100020, "SH", b"12345 ")),
    "padding": (0x00100020, element(0x00100020, "LO", b"12345 \0\0")),
    "number": (0x00280010, element(0x00280010, "US", b"\2\0")),
    "byte order": (0x7FE00010, element(0x7FE00010, "OW", b"\2\1\4\3")),
    "nested": (0x00400275, sequence(0x00400275, item(element(0x00400007, "LO", b"changed ")))),
}
CAUSES = {"vr": "vr", "padding": "padding", "byte order": "byte-order"}
NESTED = {0x00400275: sequence(0x00400275, item(element(0x00400007, "LO", b"original")))}
NESTED_HASHED = {0x00400275: bytes.fromhex("4000 7502 5351 0000 feff00e0 4000 0700 4c4f 0800")}


@pytest.mark.parametrize("name", CHANGES)
def test_the_byte_where_the_streams_part_is_named(name):
    """The streams are made by hand (tests/support/signed.py)."""
    tag, changed = CHANGES[name]
    data = DATA | NESTED

    def stream(value: bytes) -> dict[int, bytes]:
        return {0x00400275: NESTED_HASHED[0x00400275] + value + bytes.fromhex("feffdde0")}

    before = Parts(data=data, hashed=stream(b"original"))
    after = before.but(data=data | {tag: changed}, hashed=stream(b"changed " if name == "nested" else b"original"))
    found = only(dsig.explain(before.file(), after.file()))
    assert found.outcome == "differs"
    assert found.parts_at == first_difference(before.stream(), after.stream())
    first = found.differences[0]
    assert first.tag == ("00400007" if name == "nested" else f"{tag:08X}")
    assert first.location == ("RequestAttributesSequence[0].(0040,0007)" if name == "nested" else first.location)
    assert first.cause == CAUSES.get(name, "value")
    assert first.part == "data"
    assert first.a is not None
    assert first.b is not None
    files = before.file(), after.file()
    for file, spot in zip(files, (first.a, first.b), strict=True):
        assert file[spot.offset : spot.offset + 4] == bytes.fromhex(
            "4000 0700" if name == "nested" else changed[:4].hex()
        )
    if name in ("value", "number", "nested", "byte order"):
        byte = first_difference(*files)
        assert (first.a.byte, first.b.byte) == (byte, byte)


def test_the_same_file_is_the_same():
    file = Parts().file()
    explanation = dsig.explain(file, file)
    assert explanation.same
    assert only(explanation).outcome == "same"
    assert (only(explanation).parts_at, explanation.unsigned, explanation.findings) == (None, (), ())


def test_a_file_signed_anew_is_compared_over_the_list_of_the_other():
    changed = DATA | {0x00100010: element(0x00100010, "PN", b"Doe^John")}
    explanation = dsig.explain(Parts(uid="1.2.1").file(), Parts(uid="1.2.2", data=changed).file())
    first, second = explanation.signatures
    assert (first.outcome, second.outcome) == ("re-signed", "re-signed")
    assert (first.uid, second.uid) == ("1.2.1", "1.2.2")
    item = "DigitalSignaturesSequence[0]"
    assert brief(first) == [("(0010,0010)", "value", "data"), (item, "removed", "signature")]
    assert brief(second) == [("(0010,0010)", "value", "data"), (item, "added", "signature")]


def test_a_second_signature_does_not_change_the_first():
    one, two = Parts(uid="1.2.1"), Parts(uid="1.2.2", mac_id=1)
    first, second = dsig.explain(one.file(), together(one, two)).signatures
    assert (first.outcome, second.outcome) == ("same", "only-in-b")


def test_files_without_signatures_have_nothing_to_explain():
    plain = part10(b"".join(DATA.values()))
    explanation = dsig.explain(plain, plain)
    assert explanation.signatures == ()
    assert explanation.same


def saved(file: bytes, syntax: str) -> bytes:
    ds = pydicom.dcmread(io.BytesIO(file))
    ds.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    if not little:
        ds.PixelData = pydicom.dcmread(io.BytesIO(file)).PixelData  # pydicom leaves swapping OW to the caller
    ds.save_as(out, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.parametrize("name", ["v-base-mr", "v-base-rtplan", "v-base-sr-comp", "v-base-mr-rle"])
def test_saving_with_pydicom_changes_nothing_that_is_signed(name):
    original = (CORPUS / "files" / f"{name}.dcm").read_bytes()
    ds = pydicom.dcmread(io.BytesIO(original))
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    explanation = dsig.explain(original, out.getvalue())
    assert explanation.same
    assert [d.part for d in explanation.unsigned] in ([], ["meta"] * len(explanation.unsigned))


def test_implicit_vr_that_loses_a_vr_is_told_as_such():
    before = Parts(data=DATA | {0x7FE00010: element(0x7FE00010, "OB", b"\1\2\3\4")}).file()
    found = only(dsig.explain(before, saved(before, ImplicitVRLittleEndian)))
    (difference,) = found.differences
    assert (difference.location, difference.cause) == ("(7FE0,0010)", "vr")
    assert "OB in the first and OW in the second file, where it is not named" in difference.message


def test_explicit_vr_changes_nothing():
    before = Parts().file()
    assert dsig.explain(before, saved(before, ExplicitVRLittleEndian)).same
    assert dsig.explain(before, saved(before, ImplicitVRLittleEndian)).same


@pytest.mark.parametrize("compressed_first", [True, False])
def test_pixel_data_in_another_encoding_are_told_as_such(compressed_first):
    rle = "1.2.840.10008.1.2.5"
    pixels = encapsulated(b"", b"\1\2\3\4")
    hashed = bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0 01020304 feffdde0")
    compressed = Parts(data=DATA | {0x7FE00010: pixels}, hashed={0x7FE00010: hashed}, syntax=rle).file()
    native = Parts().file()
    files = (compressed, native) if compressed_first else (native, compressed)
    found = only(dsig.explain(*files))
    first = found.differences[0]
    assert (first.location, first.cause) == ("(7FE0,0010)", "pixel-encoding")
    assert ("decompressed" in first.message) is compressed_first


def test_another_compression_is_told_as_such():
    hashed = {0x7FE00010: bytes.fromhex("e07f1000 4f42 0000 feff00e0 feff00e0 01020304 feffdde0")}
    data = DATA | {0x7FE00010: encapsulated(b"", b"\1\2\3\4")}
    rle, jpeg = (Parts(data=data, hashed=hashed, syntax=f"1.2.840.10008.1.2.{rest}").file() for rest in ("5", "4.50"))
    assert brief(only(dsig.explain(rle, jpeg)))[0] == ("(7FE0,0010)", "pixel-encoding", "data")


@pytest.mark.parametrize("broken", [0, 1])
def test_a_file_that_cannot_be_read_is_named(broken, tmp_path):
    good, bad = tmp_path / "good.dcm", tmp_path / "bad.dcm"
    good.write_bytes(Parts().file())
    bad.write_bytes(Parts().file()[:-40])
    files = (bad, good) if broken == 0 else (good, bad)
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.explain(*files)
    assert str(bad) in str(caught.value.where)


def test_memory_is_bounded_whatever_the_size(tmp_path: Path):
    """48 MiB of pixel data that differ in the last byte."""
    size = 48 << 20
    paths = tmp_path / "a.dcm", tmp_path / "b.dcm"
    small = Parts()
    head, tail = small.file().split(DATA[0x7FE00010])
    for path, last in zip(paths, (b"\1", b"\2"), strict=True):
        with path.open("wb") as file:
            file.write(head + element(0x7FE00010, "OW", b"", length=size))
            file.seek(size - 1, io.SEEK_CUR)
            file.write(last + tail)
    tracemalloc.start()
    try:
        found = only(dsig.explain(*paths))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (difference,) = found.differences
    assert (difference.location, difference.cause) == ("(7FE0,0010)", "value")
    assert f"byte {size - 1}" in difference.message
    assert peak < 4 << 20
