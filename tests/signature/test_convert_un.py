"""VR UN with the dictionary's VR, byte by byte (PS3.5 6.2.2; reference section 1.5, UN elements)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.encode import BIG, LITTLE, element, implicit, item, part10, sequence, text

import dsig


@pytest.fixture(scope="module")
def key():
    pki = Path(__file__).parents[1] / "corpus" / "pki"
    with dsig.open_key(str(pki / "p256.key.pem"), certificate=str(pki / "p256.pem")) as opened:
        yield opened


def hashed(data: bytes, key: dsig.OpenKey, tmp_path: Path, **options: object) -> tuple[bytes, dsig.Signed]:
    """The data set's part of the MAC stream, and what was signed."""
    dump = tmp_path / "dump.bin"
    signed = dsig.sign(data, key=key, options=dsig.SignOptions(dump=str(dump), convert_un=True, **options))
    stream = dump.read_bytes()
    assert hashlib.sha256(stream).hexdigest() == signed.mac.digest
    return stream[: stream.rindex(bytes.fromhex("0004 0500 5553 0200"))], signed


@pytest.mark.parametrize("syntax", [LITTLE, BIG])
def test_values_stored_as_un_are_little_endian_in_every_file(syntax, key, tmp_path):
    order = "<" if syntax == LITTLE else ">"
    data = element(0x00100010, "UN", b"Doe^Jane", order=order) + element(0x00280010, "UN", b"\1\2", order=order)
    stream, signed = hashed(part10(data, syntax), key, tmp_path)
    assert stream == bytes.fromhex("1000 1000 504e 0800") + b"Doe^Jane" + bytes.fromhex("2800 1000 5553 0200 0102")
    written = element(0x00280010, "US", b"\1\2" if order == "<" else b"\2\1", order=order)
    assert written in signed.output


def test_a_sequence_stored_as_un_is_implicit_vr_little_endian_inside(key, tmp_path):
    value = item(implicit(0x00400007, b"hallo "), undefined=True)
    data = part10(element(0x00400275, "UN", value, order=">"), BIG)
    stream, signed = hashed(data, key, tmp_path)
    assert stream == bytes.fromhex("4000 7502 5351 0000 feff00e0 4000 0700 4c4f 0600") + b"hallo " + bytes.fromhex(
        "feffdde0"
    )
    inside = element(0x00400007, "LO", b"hallo ", order=">")
    assert sequence(0x00400275, item(inside, undefined=True, order=">"), order=">") in signed.output


def test_pixel_representation_is_not_asked(key, tmp_path):
    data = element(0x00280103, "US", b"\1\0") + element(0x00280106, "UN", b"\xff\xff")
    stream, _ = hashed(part10(data), key, tmp_path)
    assert stream.endswith(bytes.fromhex("2800 0601 5553 0200 ffff"))


@pytest.mark.parametrize(
    "stays",
    [
        pytest.param(element(0x00091001, "UN", b"ab"), id="no private creator"),
        pytest.param(element(0x00090010, "LO", b"SOMEBODY") + element(0x00091001, "UN", b"ab"), id="unknown creator"),
        pytest.param(element(0x00100009, "UN", b"ab"), id="unknown tag"),
        pytest.param(element(0x00400275, "UN", b"no items"), id="sequence without items"),
    ],
)
def test_what_the_dictionary_cannot_tell_stays_un_and_unsigned(stays, key, tmp_path):
    data = part10(element(0x00080018, "UI", text("1.2.3", b"\0")) + stays + element(0x00600010, "UN", b"x"))
    _, signed = hashed(data, key, tmp_path)
    assert "unsignable-un" in {u.reason for u in signed.coverage.unsigned}
    assert stays in signed.output


def test_a_value_too_long_for_its_vr_stays_un_when_signing(key, tmp_path):
    """Every later reader would find UN there (docs/decisions/0004)."""
    data = part10(element(0x00080018, "UI", b"1.2.3\0") + element(0x30060050, "UN", b"1.5\\" * 20_000))
    _, signed = hashed(data, key, tmp_path)
    assert [(u.tag, u.reason) for u in signed.coverage.unsigned] == [("30060050", "unsignable-un")]
