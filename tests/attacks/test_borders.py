"""Borders that no MAC fixes, redrawn: between fragments, between pixel data and what follows, between items."""

from __future__ import annotations

import struct
from io import BytesIO

import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import BASE, checked, key
from support.signed import DATA, Parts

import dsig

ITEM, END = bytes.fromhex("feff00e0"), bytes.fromhex("feffdde0")
HEAD = bytes.fromhex("e07f1000 4f42 0000")


def hashed(*fragments: bytes) -> bytes:
    """Encapsulated pixel data as the MAC has them (reference section 1.3)."""
    return HEAD + b"".join(ITEM + fragment for fragment in fragments) + END


def signed(*fragments: bytes, stored: tuple[bytes, ...] | None = None, more: dict[int, bytes] | None = None) -> bytes:
    """A file whose pixel data were signed as these fragments and are stored as others with the same MAC."""
    whole = e.encapsulated(*(fragments if stored is None else stored))
    data = DATA | (more or {}) | {0x7FE00010: whole}
    return Parts(data=data, syntax=e.RLE, hashed={0x7FE00010: hashed(*fragments)}).file()


def findings(report: dsig.FileReport, axis: str = "structure") -> list[tuple[str, str]]:
    [signature] = report.signatures
    assert signature.axes["integrity"].status == "passed", "the MAC is the same"
    return [(f.code, f.severity) for f in signature.axes[axis].findings if f.severity != "info"]


RLE = b"\1\0\0\0" + b"\x40\0\0\0" + bytes(56)


def test_fragments_of_one_frame_joined_into_one_are_named():
    """One frame, one fragment, no offset table: nothing contradicts, and the decoder gets four bytes too many."""
    assert findings(checked(signed(b"", RLE, b"\1\2"), strict=True)) == []
    joined = signed(b"", RLE, b"\1\2", stored=(b"", RLE + ITEM + b"\1\2"))
    assert findings(checked(joined)) == [("fragment-holds-tag", "warning")]
    strict = checked(joined, strict=True)
    assert (strict.verdict, findings(strict)) == ("failed", [("fragment-holds-tag", "error")])


def test_a_tag_at_an_odd_place_is_no_border():
    """Fragments have even lengths, so nothing was joined there."""
    assert findings(checked(signed(b"", RLE + b"\1" + ITEM + b"\2"), strict=True)) == []


@pytest.mark.parametrize("size", [2040, 2044, 2048, 4096, (1 << 20) - 6, (1 << 20) - 2, (1 << 20) + 2, 3 << 20])
def test_a_tag_is_found_wherever_it_lies(size: int):
    """At the edges of what is read, joined and hashed at once too."""
    file = signed(b"", RLE + bytes(size), b"\1\2", stored=(b"", RLE + bytes(size) + ITEM + b"\1\2"))
    assert findings(checked(file)) == [("fragment-holds-tag", "warning")]


def test_a_tag_over_the_border_of_two_fragments_is_none():
    assert findings(checked(signed(b"", RLE + ITEM[:2], ITEM[2:] + b"\1\2"), strict=True)) == []


def test_pixel_data_that_swallow_what_follows_them_are_refused():
    """Signed private elements behind the pixel data vanish into the last fragment; the data set hashes the same."""
    creator, content = element(0x7FE30010, "LO", b"ACME"), element(0x7FE31002, "LO", b"do not use")
    tail = e.tag(0x7FE31001) + b"SQ\0\0" + ITEM + element(0x00400007, "LO", b"ab") + END
    inner = sequence(0x7FE31001, item(element(0x00400007, "LO", b"ab")))
    data = DATA | {0x7FE00010: e.encapsulated(b"", RLE), 0x7FE30010: creator, 0x7FE31001: inner, 0x7FE31002: content}
    good = Parts(data=data, syntax=e.RLE, hashed={0x7FE00010: hashed(b"", RLE), 0x7FE31001: tail})
    assert checked(good.file(), strict=True).verdict == "passed"

    swallowed = RLE + END + creator + tail[: -len(END)]
    left = {n: w for n, w in data.items() if n not in (0x7FE30010, 0x7FE31001)}
    forged = good.but(
        data=left | {0x7FE00010: e.encapsulated(b"", swallowed)},
        hashed={0x7FE00010: hashed(b"", RLE) + creator + tail},
    )
    assert forged.stream() == good.stream()
    report = checked(forged.file())
    assert ("fragment-ambiguity", "error") in findings(report)
    assert report.verdict == "failed"


def test_an_icon_that_swallows_what_follows_it_is_refused():
    """The same inside a sequence: elements between an icon and a later sequence vanish."""
    name = element(0x00880904, "LO", b"true")
    icon = e.encapsulated(b"", RLE)
    swallowed = e.encapsulated(b"", RLE + END + END + name + e.tag(0x00880906) + b"SQ\0\0" + ITEM)
    content = hashed(b"", RLE) + END + name + e.tag(0x00880906) + b"SQ\0\0" + ITEM + END
    stream = e.tag(0x00880200) + b"SQ\0\0" + ITEM + content + END
    forged = Parts(
        data=DATA | {0x00880200: sequence(0x00880200, item(swallowed))},
        hashed={0x00880200: stream},
    )
    report = checked(forged.file())
    assert ("fragment-ambiguity", "error") in findings(report)
    [at] = [f.location for f in report.signatures[0].axes["structure"].findings if f.code == "fragment-ambiguity"]
    assert at == "IconImageSequence[0].(7FE0,0010)"
    honest = Parts(
        data=DATA | {0x00880200: sequence(0x00880200, item(icon))},
        hashed={0x00880200: e.tag(0x00880200) + b"SQ\0\0" + ITEM + hashed(b"", RLE) + END},
    )
    assert findings(checked(honest.file(), strict=True)) == []


def test_fragments_nobody_signed_are_not_looked_at():
    data = DATA | {0x7FE00010: e.encapsulated(b"", RLE + ITEM + b"\1\2")}
    parts = Parts(data=data, syntax=e.RLE, listed=tuple(n for n in DATA if n != 0x7FE00010))
    assert findings(checked(parts.file())) == []


@pytest.mark.parametrize(
    ("offsets", "table", "refused"),
    [
        ((0, 72), b"", False),
        ((0,), b"", True),
        ((0, 70), b"", True),
        ((72, 0), b"", True),
        ((0, 72), struct.pack("<2I", 0, 72), True),
    ],
)
def test_an_extended_offset_table_that_does_not_fit_tells(offsets: tuple[int, ...], table: bytes, refused: bool):
    """PS3.5 A.4: 64-bit offsets, one fragment per frame, and then no basic offset table."""
    more = {
        0x00280008: element(0x00280008, "IS", b"2 "),
        0x7FE00001: element(0x7FE00001, "OV", struct.pack(f"<{len(offsets)}Q", *offsets)),
    }
    report = checked(signed(table, RLE, RLE[:-4] + ITEM, more=more))
    assert (("fragment-ambiguity", "error") in findings(report)) is refused
    assert report.verdict == ("failed" if refused else "passed")


@pytest.mark.parametrize(
    "name", ["mr_rle.dcm", "mr_j2k.dcm", "mr_jls.dcm", "us_mf_jpeg.dcm", "wsi_jls.dcm", "sc_rle16mf.dcm"]
)
def test_real_images_hold_no_such_bytes(name: str):
    report = checked(dsig.sign((BASE / name).read_bytes(), key=key()).output)
    codes = {f.code for x in report.signatures for f in x.axes["structure"].findings}
    assert not codes & {"fragment-ambiguity", "fragment-holds-tag"}


def test_two_fragments_of_a_real_image_joined_are_named():
    """The multi-frame JPEG, its first two fragments made one; the offset table is rebuilt for what is left."""
    data = pydicom.dcmread(BASE / "us_mf_jpeg.dcm")
    frames = list(generate_frames(data.PixelData, number_of_frames=int(data.NumberOfFrames)))
    data.PixelData = encapsulate([frames[0][:200], frames[0][200:]], has_bot=False)
    data.NumberOfFrames = 1
    out = BytesIO()
    data.save_as(out)
    good = dsig.sign(out.getvalue(), key=key()).output
    assert isinstance(good, bytes)
    first = e.delimiter(e.ITEM, "<", 200) + frames[0][:200]
    rest = frames[0][200:] + b"\0" * (len(frames[0]) % 2)
    second = e.delimiter(e.ITEM, "<", len(rest)) + rest
    assert good.count(first + second) == 1
    joined = e.delimiter(e.ITEM, "<", 204 + len(rest)) + first[8:] + ITEM + rest
    report = checked(good.replace(first + second, joined))
    assert findings(report) == [("fragment-holds-tag", "warning")]
    assert checked(good, strict=True).verdict == "passed"


# ------------------------------------------------------------------------------------- borders that the MAC does fix


def test_items_joined_or_split_are_refused():
    """The item tag between two items is in the MAC, and so is its absence."""
    one, two = element(0x00400007, "LO", b"ab"), element(0x00400009, "SH", b"cd")
    stream = e.tag(0x00400275) + b"SQ\0\0" + ITEM + one + ITEM + two + END
    good = Parts(data=DATA | {0x00400275: sequence(0x00400275, item(one), item(two))}, hashed={0x00400275: stream})
    assert checked(good.file()).verdict == "passed"
    for items in ((item(one + two),), (item(one), item(), item(two)), (item(two), item(one)), (item(one, two), item())):
        forged = part10(s.joined(good.elements() | {0x00400275: sequence(0x00400275, *items)}))
        [signature] = checked(forged).signatures
        assert [f.code for f in signature.axes["integrity"].findings] == ["mac-mismatch"]


def test_elements_moved_between_levels_are_refused():
    one, two = element(0x00400007, "LO", b"ab"), element(0x00400280, "ST", b"cd")
    stream = e.tag(0x00400275) + b"SQ\0\0" + ITEM + one + END
    good = Parts(
        data=DATA | {0x00400275: sequence(0x00400275, item(one)), 0x00400280: two}, hashed={0x00400275: stream}
    )
    assert checked(good.file()).verdict == "passed"
    inside = good.elements() | {0x00400275: sequence(0x00400275, item(one, two))}
    del inside[0x00400280]
    outside = good.elements() | {0x00400275: sequence(0x00400275, item()), 0x00400007: one}
    for forged in (inside, outside):
        assert checked(part10(s.joined(forged))).verdict == "failed"
