"""Test vectors A and B of reference section 11, which another implementation verified through real signatures."""

from __future__ import annotations

import hashlib

import pytest
from support import signed
from support.encode import RLE, element, item, sequence
from support.pki import checked
from support.streams import hashed, level_of

from dsig.dicom.dataset import read_data_set
from dsig.dicom.encoding import EXPLICIT_LE
from dsig.dicom.source import BytesSource
from dsig.plugins import default
from dsig.signature.build import NewSignature
from dsig.signature.items import NOT_IN_MAC
from dsig.signature.purpose import purpose
from dsig.signature.reading import CANONICAL, STORED, Reading

A = {
    "data set": bytes.fromhex(
        "08000000554c0400990000000800050043530a0049534f5f4952203130300800080043530600415c42202020090010004c4f040041434d45"
        "09000110554e00000400000001020304090002104c4f0200780010001000504e0400415e4220200065914154080010002000e07f10002800"
        "1000555300004000750253510000fffffffffeff00e0ffffffff40000000554c04000a000000400007004c4f02006162feff0de000000000"
        "feff00e000000000feffdde000000000e07f10004f5700000400000001020304fcfffcff4f420000020000000000"
    ),
    "listed": [
        0x00080005, 0x00080008, 0x00090010, 0x00091002, 0x00100010, 0x00209165, 0x00280010, 0x00400275, 0x7FE00010,
    ],
    "stream": bytes.fromhex(
        "0800050043530a0049534f5f4952203130300800080043530400415c4220090010004c4f040041434d45090002104c4f020078201000"
        "1000504e0400415e4220200065914154080010002000e07f100028001000555300004000750253510000feff00e0400007004c4f0200"
        "6162feff00e0feffdde0e07f10004f5700000400000001020304"
    ),
    "item": bytes.fromhex(
        "000405005553020000000004000155490a00312e322e332e342e35000004050144541a0032303236303130313132303030302e303030"
        "3030302b303030300004100143530e00583530395f313939335f534947200004010453510000feff00e0080000015348020031200800"
        "0201534810004153544d2d736967707572706f736520080004014c4f1200417574686f722773205369676e6174757265feffdde0"
    ),
    "SHA256": "59d0c211155fd6ed2be811fbdbe48f8e90b79033ae767074823476e0dd6dd05f",
    "RIPEMD160": "3a7f25873644e6ad8b3101ca137f3af562ec1fc9",
}  # fmt: skip
B = {
    "data set": bytes.fromhex(
        "0800050043530a0049534f5f495220313030e07f10004f420000fffffffffeff00e00400000000000000feff00e003000000010203"
        "feffdde000000000"
    ),
    "listed": [0x00080005, 0x7FE00010],
    "stream": bytes.fromhex(
        "0800050043530a0049534f5f495220313030e07f10004f420000feff00e000000000feff00e001020300feffdde0"
    ),
    "item": bytes.fromhex(
        "000405005553020000000004000155490a00312e322e332e342e35000004050144541a0032303236303130313132303030302e303030"
        "3030302b303030300004100143530e00583530395f313939335f53494720"
    ),
    "SHA256": "61ac8b4cc8d7ade23d2957ea3bd6ac9e2b2e56da0366289cca968b41f224fe96",
}
VECTORS = pytest.mark.parametrize("vector", [A, B], ids=["A", "B"])


@VECTORS
def test_the_lengths_are_those_the_reference_gives(vector: dict):
    assert (len(vector["stream"]), len(vector["item"])) == ((134, 160) if vector is A else (46, 84))


@VECTORS
def test_the_data_set_part_is_that_of_the_vector(vector: dict):
    level = level_of(vector["data set"])
    assert hashed(level, reading=CANONICAL) == vector["stream"]


@VECTORS
def test_the_elements_that_can_be_signed_are_those_of_the_vector(vector: dict):
    assert [e.tag for e in level_of(vector["data set"]).elements if e.signable] == vector["listed"]


@VECTORS
def test_the_item_part_is_that_of_the_vector(vector: dict):
    made = NewSignature(
        mac_id=0,
        transfer_syntax="1.2.840.10008.1.2.1",
        algorithm="SHA256",
        elements=vector["listed"],
        uid="1.2.3.4.5",
        date_time="20260101120000.000000+0000",
        certificate=b"certificate",
        purpose=purpose(1) if vector is A else None,
    )
    assert made.mac_bytes() == vector["item"]


@VECTORS
def test_the_item_part_of_a_written_item_is_that_of_the_vector(vector: dict):
    parts = signed.Parts(data={}, item={})
    if vector is A:
        parts = parts.but(item={signed.PURPOSE: sequence(signed.PURPOSE, item(signed.PURPOSE_CODE))})
    content = signed.joined(parts.item_elements())
    level = read_data_set(BytesSource(content), 0, len(content), EXPLICIT_LE)
    assert hashed(level, [e for e in level.elements if e.tag not in NOT_IN_MAC]) == vector["item"]


@VECTORS
@pytest.mark.parametrize("name", ["SHA256", "RIPEMD160"])
def test_the_digest_is_that_of_the_vector(vector: dict, name: str):
    if name not in vector:
        return
    digest = default().mac_algorithms.get(name)()
    digest.update(hashed(level_of(vector["data set"]), reading=CANONICAL))
    digest.update(vector["item"])
    assert digest.digest().hex() == vector[name]


def as_stored(stream: bytes) -> bytes:
    """The data set part with the three values whose padding is not canonical as they are in the data sets."""
    for canonical, stored in (
        ("43530400 415c4220", "43530600 415c42202020"),
        ("4c4f0200 7820", "4c4f0200 7800"),
        ("feff00e0 01020300", "feff00e0 010203"),
    ):
        stream = stream.replace(bytes.fromhex(canonical), bytes.fromhex(stored))
    return stream


@VECTORS
@pytest.mark.parametrize("reading", [STORED, CANONICAL], ids=lambda r: r.name)
def test_a_signature_over_the_vector_verifies(vector: dict, reading: Reading):
    """The data set of the vector, signed by hand over the stream of the vector or over the bytes as they are stored."""
    stream = vector["stream"] if reading is CANONICAL else as_stored(vector["stream"])
    parts = signed.Parts(
        data={},
        listed=tuple(vector["listed"]),
        item={signed.PURPOSE: sequence(signed.PURPOSE, item(signed.PURPOSE_CODE))} if vector is A else {},
        syntax=RLE if vector is B else "1.2.840.10008.1.2.1",
    )
    whole = stream + vector["item"]
    assert vector["item"].endswith(parts.but(hashed={signed.PURPOSE: signed.PURPOSE_HASHED}).stream())
    value = element(signed.SIGNATURE, "OB", parts.signer.sign(whole))
    macs = sequence(signed.MAC_PARAMETERS, item(signed.joined(parts.mac_elements())))
    items = sequence(signed.DIGITAL_SIGNATURES, item(signed.joined(parts.unsigned_item() | {signed.SIGNATURE: value})))
    data = vector["data set"]
    pixels = data.index(bytes.fromhex("e07f10004f"))
    padding = data.find(bytes.fromhex("fcfffcff"))
    end = len(data) if padding < 0 else padding
    file = signed.part10(data[:pixels] + macs + data[pixels:end] + items + data[end:], parts.syntax)
    [signature] = checked(file).signatures
    assert signature.axes["structure"].findings == ()
    assert signature.axes["integrity"].status == "passed"
    assert signature.mac.encoding == reading.name
    assert signature.mac.digest == hashlib.sha256(whole).hexdigest()
