"""Signing and removing: what comes back is, byte for byte, what went in."""

from __future__ import annotations

import zlib

import pytest
from support import encode as e
from support import signed as s
from support.encode import element, implicit, implicit_sequence, item, part10, sequence
from support.pki import BASE, checked, key
from support.signed import DATA

import dsig

UNREADABLE = {"mr_truncated.dcm", "rtplan_truncated.dcm", "nometa_broken.dcm"}
"""Cut off or no data set at all; the peer cannot read them either (see tests/interop)."""
FILES = sorted(p.name for p in BASE.iterdir() if p.suffix != ".json" and p.name not in {*UNREADABLE, "dicomdir"})
PLAIN = part10(s.joined(DATA))


def signed(data: bytes, **options: object) -> bytes:
    output = dsig.sign(data, key=key(), options=dsig.SignOptions(**options)).output
    assert isinstance(output, bytes)
    return output


def stripped(data: bytes, **options: object) -> bytes:
    output = dsig.remove(data, **options).output
    assert isinstance(output, bytes)
    return output


def inflated(data: bytes) -> bytes:
    """A file with its data set inflated: another compressor gives other bytes for the same data."""
    end = 144 + int.from_bytes(data[140:144], "little")
    if data[128:132] != b"DICM" or e.DEFLATED.encode() not in data[:end]:
        return data
    return data[:end] + zlib.decompress(data[end:], -zlib.MAX_WBITS)


UNNAMED = "meta_nots.dcm"
"""Its File Meta Information names no transfer syntax until it is signed."""


def comparable(name: str, data: bytes) -> bytes:
    """The file inflated; where signing names the transfer syntax, what follows that."""
    end = 144 + int.from_bytes(data[140:144], "little")
    return data[end:] if name == UNNAMED else inflated(data)


def passed(data: bytes) -> list[str]:
    """Places of the signatures, all of which pass."""
    report = checked(data)
    assert report.verdict == "passed", [x.axes for x in report.signatures]
    return [x.location for x in report.signatures]


# ----------------------------------------------------------------------------------------------------- every base file


@pytest.mark.parametrize("name", FILES)
def test_removing_gives_back_the_input_where_every_byte_was_to_be_kept(name: str):
    data = (BASE / name).read_bytes()
    output = signed(data, preserve_bytes=True)
    assert passed(output) == ["/"]
    assert comparable(name, stripped(output, everything=True)) == comparable(name, data)


@pytest.mark.parametrize("name", FILES)
def test_removing_gives_back_the_input_but_for_padding_made_canonical(name: str):
    data = (BASE / name).read_bytes()
    result = dsig.sign(data, key=key())
    assert isinstance(result.output, bytes)
    changed = any(f.code == "padding-canonicalised" for f in result.findings)
    back = stripped(result.output, everything=True)
    assert (comparable(name, back) == comparable(name, data)) is not changed
    if changed:
        again = dsig.sign(back, key=key())
        assert not any(f.code == "padding-canonicalised" for f in again.findings)
        assert isinstance(again.output, bytes)
        assert stripped(again.output, everything=True) == back


def test_most_base_files_need_no_padding_made_canonical():
    changed = [
        name
        for name in FILES
        if any(f.code == "padding-canonicalised" for f in dsig.sign((BASE / name).read_bytes(), key=key()).findings)
    ]
    assert len(changed) < len(FILES) / 2


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_what_cannot_be_read_is_not_signed(name: str):
    with pytest.raises(dsig.InputError):
        signed((BASE / name).read_bytes())


# ------------------------------------------------------------------------------------------------------- several times


def test_signing_twice_gives_two_signatures():
    once = signed(PLAIN)
    twice = signed(once)
    assert passed(twice) == ["/", "/"]
    assert stripped(twice, everything=True) == PLAIN


def test_signatures_are_removed_one_by_one_in_any_order():
    file = signed(signed(signed(PLAIN), mac="SHA512"), tags=(0x00100010,))
    uids = [x.uid for x in checked(file).signatures]
    for first, second, third in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        left = stripped(file, uid=uids[first])
        assert [x.uid for x in checked(left).signatures] == [uids[n] for n in sorted((second, third))]
        assert passed(left) == ["/", "/"]
        left = stripped(left, uid=uids[second])
        assert passed(left) == ["/"]
        assert stripped(left, uid=uids[third]) == PLAIN


def test_mac_parameters_that_another_signature_refers_to_stay():
    shared = s.Parts()
    both = s.together(shared, shared.but(uid="1.2.3.6"))
    items = [item(s.joined(p.item_elements())) for p in (shared, shared.but(uid="1.2.3.6"))]
    file = part10(s.with_sequences(DATA, [item(s.joined(shared.mac_elements()))], items))
    left = stripped(file, uid="1.2.3.4.5")
    assert passed(left) == ["/"]
    assert checked(both).verdict == "failed"


def test_a_removed_signature_leaves_the_others_byte_for_byte():
    once = signed(PLAIN)
    twice = signed(once)
    assert stripped(twice, uid=checked(twice).signatures[1].uid) == once


def test_removing_from_an_unsigned_file_copies_it():
    result = dsig.remove(PLAIN, everything=True)
    assert (result.output, result.signatures) == (PLAIN, ())


def test_removing_says_what_was_removed():
    file = signed(PLAIN)
    uid = checked(file).signatures[0].uid
    assert dsig.remove(file, uid=uid).signatures == ((uid, "/"),)


def test_a_signature_that_is_not_there_is_refused():
    with pytest.raises(dsig.UsageError) as caught:
        stripped(signed(PLAIN), uid="1.2.3")
    assert caught.value.code == "no-such-signature"


@pytest.mark.parametrize("options", [{}, {"uid": "1.2", "everything": True}])
def test_one_signature_or_all_of_them_have_to_be_named(options: dict[str, object]):
    with pytest.raises(dsig.UsageError, match="which signature"):
        stripped(PLAIN, **options)


# --------------------------------------------------------------------------------------------------------------- items

WHERE = "RequestAttributesSequence[1].ScheduledProtocolCodeSequence[0]"


def nested(kind: str) -> bytes:
    """A data set with something to sign at depth 2."""
    open_end = kind == "undefined"
    if kind == "implicit":
        inner = implicit_sequence(0x00400008, item(implicit(0x00080100, b"X1"), implicit(0x00080102, b"99LOCAL ")))
        whole = implicit(0x00100010, b"A^B ") + implicit_sequence(0x00400275, item(), item(inner))
        return part10(whole + implicit(0x00400A00, b""), e.IMPLICIT)
    order: e.Order = ">" if kind == "big" else "<"
    code = element(0x00080100, "SH", b"X1", order=order) + element(0x00080102, "SH", b"99LOCAL ", order=order)
    inner = sequence(0x00400008, item(code, undefined=open_end, order=order), undefined=open_end, order=order)
    outer = [item(order=order, undefined=open_end), item(inner, undefined=open_end, order=order)]
    whole = element(0x00100010, "PN", b"A^B ", order=order)
    whole += sequence(0x00400275, *outer, undefined=open_end, order=order)
    whole += element(0x00400A00, "CS", b"", order=order)
    return part10(whole, {"big": e.BIG, "deflated": e.DEFLATED}.get(kind, e.LITTLE))


KINDS = ["explicit", "undefined", "big", "implicit", "deflated"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_at_depth_2_is_signed_in_every_encoding(kind: str):
    data = nested(kind)
    output = signed(data, item=WHERE)
    assert passed(output) == [WHERE]
    [signature] = checked(output).signatures
    assert signature.mac.elements == (0x00080100, 0x00080102)
    assert stripped(output, everything=True) == data


@pytest.mark.parametrize("kind", KINDS)
def test_item_and_data_set_are_signed_in_any_order(kind: str):
    """A signature in an item is no part of the MAC of what holds the item (PS3.3 C.12.1.1.3.1.1)."""
    data = nested(kind)
    for order in ([WHERE, "/"], ["/", WHERE], ["RequestAttributesSequence[1]", WHERE, "/"]):
        file = data
        for where in order:
            file = signed(file, item=where)
        assert sorted(passed(file)) == sorted(order)
        assert stripped(file, everything=True) == data


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_in_an_item_is_removed_alone(kind: str):
    outer = signed(nested(kind))
    both = signed(outer, item=WHERE)
    inner_uid = next(x.uid for x in checked(both).signatures if x.location == WHERE)
    assert stripped(both, uid=inner_uid) == outer


def test_a_location_may_be_written_with_tags():
    assert passed(signed(nested("explicit"), item="(0040,0275)[1].(0040,0008)[0]")) == [WHERE]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("rtplan.dcm", "BeamSequence[0].ControlPointSequence[0].BeamLimitingDevicePositionSequence[1]"),
        ("sr_comp.dcm", "ContentSequence[0].ConceptNameCodeSequence[0]"),
        ("wsi.dcm", "OpticalPathSequence[0]"),
    ],
)
def test_items_of_real_files_are_signed_and_restored(name: str, where: str):
    data = (BASE / name).read_bytes()
    output = signed(data, item=where, preserve_bytes=True)
    assert passed(output) == [where]
    assert stripped(output, everything=True) == data
