"""Any data set, in any encoding: one MAC stream, and a signature that survives every change of encoding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import encode as e
from support import signed as s
from support.encode import element, item, part10, sequence
from support.pki import checked, key
from support.signed import Parts
from support.sources import Stingy
from support.streams import hashed, level_of
from support.trees import Tree, encoded, mac, signable, trees, whole_units

import dsig
from dsig.dicom import dataset
from dsig.dicom.encoding import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Encoding

ENCODINGS = pytest.mark.parametrize(
    "encoding", [EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE], ids=["explicit", "big", "implicit"]
)
FAST = settings(max_examples=60)


@ENCODINGS
@FAST
@given(tree=trees(unsignable=True))
def test_the_mac_stream_is_the_one_made_by_hand(encoding: Encoding, tree: Tree):
    data, _ = encoded(tree, encoding)
    level = level_of(data, encoding)
    assert [x.tag for x in level.elements if x.signable] == [node[0] for node in tree if signable(node)]
    assert hashed(level) == mac(tree)
    assert hashed(level_of(data, encoding, Stingy(data))) == mac(tree)


@pytest.mark.parametrize("most", [0, 7, 20])
@FAST
@given(tree=trees(unsignable=True))
def test_it_is_the_same_where_sequences_are_too_long_to_be_remembered(most: int, tree: Tree):
    data, _ = encoded(tree, EXPLICIT_LE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "MARKS", most)
        level = level_of(data)
    assert level.marked == sum(map(len, level.marks.values())) <= most
    assert hashed(level) == mac(tree)


SYNTAX = {EXPLICIT_LE: e.LITTLE, EXPLICIT_BE: e.BIG, IMPLICIT_LE: e.IMPLICIT}


@ENCODINGS
@FAST
@given(tree=trees())
def test_what_was_signed_in_one_encoding_verifies_in_another(encoding: Encoding, tree: Tree):
    """The data set part of the MAC is made by hand; only the stored form differs."""
    tree = [node for node in tree if node[0] < 0x4FFE0000]
    order: e.Order = ">" if encoding.big else "<"

    def write(number: int, vr: str, value: bytes, unit: int = 1) -> bytes:
        if not encoding.explicit:
            return e.implicit(number, value)
        return element(number, vr, e.swapped(value, unit) if encoding.big else value, order=order)

    def seq(number: int, content: bytes) -> bytes:
        if encoding.explicit:
            return sequence(number, item(content, order=order), order=order)
        return e.implicit_sequence(number, item(content))

    parts = Parts(data={}, listed=(*(number for number, _ in tree), 0x60220050))
    stream = mac(tree) + element(0x60220050, "SS", b"\1\2") + parts.stream()
    macs = (
        write(s.MAC_ID, "US", b"\0\0", 2)
        + write(s.MAC_TRANSFER_SYNTAX, "UI", e.text(e.LITTLE, b"\0"))
        + write(s.MAC_ALGORITHM, "CS", b"SHA256")
        + write(s.ELEMENTS_SIGNED, "AT", s.tags(*(parts.listed or ())), 2)
    )
    items = (
        write(s.MAC_ID, "US", b"\0\0", 2)
        + write(s.UID, "UI", b"1.2.3.4.5\0")
        + write(s.DATE_TIME, "DT", b"20260101120000.000000+0000")
        + write(s.CERTIFICATE_TYPE, "CS", b"X509_1993_SIG ")
        + write(s.CERTIFICATE, "OB", s.even(parts.signer.certificate))
        + write(s.SIGNATURE, "OB", s.even(parts.signer.sign(stream)))
    )
    data, _ = encoded(tree, encoding)
    data += seq(s.MAC_PARAMETERS, macs) + write(0x60220050, "SS", b"\1\2", 2) + seq(s.DIGITAL_SIGNATURES, items)
    report = checked(part10(data, SYNTAX[encoding]))
    assert report.verdict == "passed", [x.axes for x in report.signatures]
    assert report.signatures[0].mac.encoding == "stored"


@ENCODINGS
@FAST
@given(tree=trees(unsignable=True))
def test_whatever_can_be_signed_verifies_and_comes_back(encoding: Encoding, tree: Tree):
    tree = [node for node in tree if node[0] not in (s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES)]
    data, _ = encoded(tree, encoding)
    if not any(signable(node) for node in tree):
        return
    file = part10(data, SYNTAX[encoding])
    signed = dsig.sign(file, key=key("p256"), options=dsig.SignOptions(preserve_bytes=True))
    signature = next(x for x in checked(signed.output).signatures if x.uid == signed.uid)
    assert signature.axes["integrity"].status == "passed"
    assert list(signature.mac.elements) == [node[0] for node in tree if signable(node)]
    if not encoding.big or whole_units(tree):
        canonical = dsig.sign(file, key=key("p256")).output
        assert checked(canonical).signatures[-1].axes["integrity"].status == "passed"


@ENCODINGS
@FAST
@given(data=st.data(), tree=trees(), change=st.integers(1, 255))
def test_no_byte_of_what_is_signed_can_be_changed(encoding: Encoding, data: st.DataObject, tree: Tree, change: int):
    """Headers, lengths and values alike. One change is told and does not fail: padding that is other padding
    (PS3.5 6.2).
    """
    tree = [node for node in tree if signable(node) and node[0] not in (s.MAC_PARAMETERS, s.DIGITAL_SIGNATURES)]
    if not tree:
        return
    whole, _ = encoded(tree, encoding)
    file = part10(whole, SYNTAX[encoding])
    signed = dsig.sign(file, key=key("p256"), options=dsig.SignOptions(preserve_bytes=True)).output
    assert isinstance(signed, bytes)
    assert checked(signed).verdict == "passed"
    begins = file.index(whole)
    above = encoded([node for node in tree if node[0] < s.MAC_PARAMETERS], encoding)[0]  # the sequences come behind it
    if not above:
        return
    at = data.draw(st.integers(begins, begins + len(above) - 1))
    changed = signed[:at] + bytes([signed[at] ^ change]) + signed[at + 1 :]
    report = checked(changed)
    if report.verdict == "passed":
        assert {signed[at], changed[at]} <= {0x20, 0x00}
        assert [x.mac.encoding for x in report.signatures] != ["stored"]
