"""Every tampering of the corpus is explained by the element that was changed, as the manifest names it."""

from __future__ import annotations

from functools import cache

import pydicom
import pytest
from support.corpus import CORPUS, VERIFY, Case

import dsig

TAMPERED = [c for c in VERIFY if c["group"] == "tampered" and c.get("derived_from", "").startswith(("files/", "base/"))]

ITEM, MAC = "DigitalSignaturesSequence[0]", "MACParametersSequence[0]"
NAME, PATIENT_ID, PIXELS = "(0010,0010)", "(0010,0020)", "(7FE0,0010)"
LIST = f"{MAC}.(0400,0020)"
SIGNATURE, CERTIFICATE = f"{ITEM}.(0400,0120)", f"{ITEM}.(0400,0115)"
MAC_ALGORITHM, MAC_SYNTAX = f"{MAC}.(0400,0015)", f"{MAC}.(0400,0010)"

SIGNED = {
    "pixel-removed": [(PIXELS, "removed")],
    "pixel-vr": [(PIXELS, "vr")],
    "name-samelen": [(NAME, "value")],
    "name-longer": [(NAME, "value")],
    "name-emptied": [(NAME, "value")],
    "name-trailing-space": [(NAME, "padding")],
    "id-removed": [(PATIENT_ID, "removed")],
    "vr-to-un": [(PATIENT_ID, "vr")],
    "swap-values": [(NAME, "value"), (PATIENT_ID, "value")],
    "shift-boundary": [(NAME, "value"), (PATIENT_ID, "value")],
    "absorb-next": [(NAME, "value"), (PATIENT_ID, "removed")],
    "swap-tags": [("(0020,000D)", "value"), ("(0020,000E)", "value")],
    "sop-uid": [("(0008,0018)", "value")],
    "charset-changed": [("(0008,0005)", "value")],
    "mac-alg-sha512": [(MAC_ALGORITHM, "value")],
    "mac-alg-md5": [(MAC_ALGORITHM, "value")],
    "mac-alg-lower": [(MAC_ALGORITHM, "value")],
    "mac-alg-unknown": [(MAC_ALGORITHM, "value")],
    "mac-xfer-be": [(MAC_SYNTAX, "value")],
    "mac-xfer-imp": [(MAC_SYNTAX, "value")],
    "mac-xfer-unknown": [(MAC_SYNTAX, "value")],
    "mac-xfer-deflated": [(MAC_SYNTAX, "value")],
    "mac-id-sig": [(f"{ITEM}.(0400,0005)", "value"), (MAC, "removed")],
    "mac-id-mac": [(MAC, "removed")],
    "mac-id-both": [(f"{ITEM}.(0400,0005)", "value"), (f"{MAC}.(0400,0005)", "value")],
    "mac-params-stripped": [(MAC, "removed")],
    "mac-extra-attr": [(f"{MAC}.(0400,0404)", "added")],
    "list-absent-added": [(LIST, "list")],
    "list-present-added": [("(0010,4000)", "added"), (LIST, "list")],
    "list-reordered": [(LIST, "list")],
    "list-duplicate": [(LIST, "list")],
    "list-emptied": [(LIST, "list")],
    "list-unsignable-added": [(LIST, "list")],
    "list-tag-and-element-removed": [(PATIENT_ID, "removed"), (LIST, "list")],
    "sig-bitflip": [(SIGNATURE, "value")],
    "sig-truncated": [(SIGNATURE, "value")],
    "sig-half": [(SIGNATURE, "value")],
    "sig-zeros": [(SIGNATURE, "value")],
    "sig-longer": [(SIGNATURE, "value")],
    "sig-leading-zeros": [(SIGNATURE, "value")],
    "sig-uid": [(f"{ITEM}.(0400,0100)", "value")],
    "sig-datetime": [(f"{ITEM}.(0400,0105)", "value")],
    "sig-datetime-zone": [(f"{ITEM}.(0400,0105)", "value")],
    "sig-certtype": [(f"{ITEM}.(0400,0110)", "value")],
    "sig-purpose-added": [(f"{ITEM}.(0400,0401)", "added")],
    "sig-extra-attr": [(f"{ITEM}.(0400,0404)", "added")],
    "signature-stripped": [(ITEM, "removed")],
    "dup-element-fake-first": [(PATIENT_ID, "value")],
    "cert-other-signer": [(CERTIFICATE, "value")],
    "cert-other-type": [(CERTIFICATE, "value")],
    "cert-alias": [(CERTIFICATE, "value")],
    "cert-root": [(CERTIFICATE, "value")],
    "two-first": [(NAME, "value")],
    "two-second": [("(0020,000D)", "value")],
    "two-sigs-exchanged": [(SIGNATURE, "value"), ("DigitalSignaturesSequence[1].(0400,0120)", "value")],
    "two-first-stripped": [(ITEM, "removed")],
    "two-first-doubled": [("DigitalSignaturesSequence[2]", "added")],
    "into-original-attributes": [(ITEM, "removed")],
    "item-inside": [("ContentSequence[0].(0040,A010)", "value")],
    "replay": [(PATIENT_ID, "value"), (ITEM, "added")],
    "frag-merged": [("PixelData[1]", "value"), ("PixelData[2]", "removed")],
    "frag-order": [("PixelData[1]", "value"), ("PixelData[2]", "value")],
    "frag-bot": [("PixelData[0]", "value")],
    "frag-merge-collision": [("PixelData[1]", "value"), ("PixelData[2]", "removed")],
}
"""What signed thing differs, in order, and how."""

FIRST = {
    "pixel-bitflip": (PIXELS, "value"),
    "pixel-lastbyte": (PIXELS, "value"),
    "pixel-shortened": (PIXELS, "value"),
    "pixel-grown": (PIXELS, "value"),
    "frag-resplit": ("PixelData[1]", "value"),
    "frag-bot-collision": ("PixelData[0]", "value"),
    "item-to-main": ("ContentSequence[0].(0040,A010)", "removed"),
}
"""Where the two part first; what follows depends on the file. Encapsulated pixel data are named by fragment."""

INSIDE = {
    "seq-items-swapped": ("[0].", "value"),
    "seq-item-removed": ("]", "removed"),
    "seq-item-doubled": ("]", "added"),
    "seq-empty-item-added": ("]", "added"),
    "seq-element-changed": ("[0].", "value"),
    "seq-element-added": ("[0].(0040,A160)", "added"),
    "nested-item-moved": ("[0]", "removed"),
    "nested-sequence-hoisted": ("[0].", "removed"),
    "element-into-next-item": ("[0].", "removed"),
}
"""The same inside a sequence, which one depends on the file."""

UNSIGNED = {
    "unsigned-added": [("(0010,4000)", "added")],
    "private-added": [("(0099,0010)", "added"), ("(0099,1001)", "added")],
    "seq-delim-junk": [("(0099,0010)", "added"), ("(0099,1010)", "added")],
    "meta-sop-uid": [("(0002,0003)", "value")],
    "preamble": [("preamble", "value")],
    "dup-element-fake-last": [(PATIENT_ID, "added")],
    "group-length-added": [("(0010,0000)", "added")],
    "unsigned-name": [(NAME, "value")],
    "unsigned-removed": [(PATIENT_ID, "removed")],
    "item-outside": [(NAME, "value")],
}
"""What no signature covers: all signatures are the same in both files."""

NOTHING = ("seq-lengths-undefined", "two-items-order", "two-macs-order", "out-of-order")
"""Nothing differs but lengths and order. Disorder is a finding about the second file."""

OWN = (
    "first-element-removed",
    "last-element-removed",
    "list-tag-removed",
    "seq-un-added",
    "seq-group-length-added",
    "trailing-padding",
    "vr-changed",
    "wrapped",
)
"""Each has a test of its own below."""


def kind(case: Case) -> str:
    """What was done, without the name of the parent."""
    name = case["id"].removeprefix("v-tamper-")
    if case["derived_from"].startswith("files/v-parent"):
        return str(name.partition("-")[2])
    return str(name)


@cache
def explained(file: str, parent: str) -> dsig.Explanation:
    return dsig.explain(CORPUS / parent, CORPUS / file)


def of(case: Case) -> dsig.Explanation:
    return explained(case["file"], case["derived_from"])


def signed(explanation: dsig.Explanation) -> list[tuple[str, str]]:
    return [(d.location, d.cause) for s in explanation.signatures for d in s.differences]


def unsigned(explanation: dsig.Explanation) -> list[tuple[str, str]]:
    return [(d.location, d.cause) for d in explanation.unsigned]


def cases(*kinds: str):
    """Cases of these kinds."""
    return pytest.mark.parametrize("case", [c for c in TAMPERED if kind(c) in kinds], ids=lambda c: c["id"])


def test_there_is_an_expectation_for_every_tampering():
    known = {*SIGNED, *FIRST, *INSIDE, *UNSIGNED, *NOTHING, *OWN}
    assert known == {kind(c) for c in TAMPERED}
    assert len(TAMPERED) >= 300


@cases(*SIGNED)
def test_what_was_changed_is_named(case: Case):
    explanation = of(case)
    assert signed(explanation) == SIGNED[kind(case)]
    assert not explanation.same


@cases(*FIRST)
def test_the_first_difference_is_named(case: Case):
    where, cause = FIRST[kind(case)]
    encapsulated = where == PIXELS and "mr-" not in case["id"]
    location, found = signed(of(case))[0]
    assert location.startswith("PixelData[") if encapsulated else location == where
    assert found == cause


@cases(*INSIDE)
def test_what_was_changed_in_a_sequence_is_named(case: Case):
    ending, cause = INSIDE[kind(case)]
    location, found = signed(of(case))[0]
    assert found == cause
    assert location.endswith(ending) if ending.endswith("]") else ending in location


@cases(*UNSIGNED)
def test_what_is_not_signed_is_named_apart(case: Case):
    explanation = of(case)
    assert explanation.same
    assert signed(explanation) == []
    assert unsigned(explanation) == UNSIGNED[kind(case)]


@cases(*NOTHING)
def test_lengths_and_order_are_no_differences(case: Case):
    explanation = of(case)
    assert explanation.same
    assert (signed(explanation), unsigned(explanation)) == ([], [])
    assert [f.code for f in explanation.findings] == (["tags-not-ascending"] if kind(case) == "out-of-order" else [])


@cases("first-element-removed", "last-element-removed", "list-tag-removed")
def test_a_listed_element_is_named(case: Case):
    """The list is read by pydicom."""
    before = pydicom.dcmread(CORPUS / case["derived_from"])[0x4FFE, 0x0001].value[0][0x0400, 0x0020].value
    after = pydicom.dcmread(CORPUS / case["file"])[0x4FFE, 0x0001].value[0][0x0400, 0x0020].value
    if kind(case) == "list-tag-removed":
        (tag,) = set(before) - set(after)
        cause = "list"
    else:
        tag, cause = (before[0] if kind(case).startswith("first") else before[-1]), "removed"
    first = of(case).signatures[0].differences[0]
    assert (first.tag, first.cause, first.location) == (f"{tag:08X}", cause, f"({tag >> 16:04X},{tag & 0xFFFF:04X})")


@cases("seq-un-added")
def test_what_keeps_a_sequence_out_of_the_mac_is_named(case: Case):
    (sequence, cause), (element, added) = signed(of(case))
    assert cause == "vr"
    assert "(0099,1001)" in element
    assert added == "added"
    assert sequence


@cases("seq-group-length-added", "trailing-padding")
def test_what_means_nothing_is_named_apart(case: Case):
    explanation = of(case)
    assert explanation.same
    ((location, _cause),) = unsigned(explanation)
    assert location.endswith((",0000)", "(FFFC,FFFC)"))


@cases("vr-changed")
def test_a_changed_vr_is_named(case: Case):
    """pydicom says which it is."""
    before, after = (pydicom.dcmread(CORPUS / case[which]) for which in ("derived_from", "file"))
    (tag,) = (e.tag for e in before if after[e.tag].VR != e.VR)
    (found,) = of(case).signatures[0].differences
    assert (found.tag, found.cause) == (f"{tag:08X}", "vr")
    assert found.a is not None
    assert found.b is not None
    assert (found.a.vr, found.b.vr) == (before[tag].VR, after[tag].VR)


@cases("wrapped")
def test_a_signature_in_another_place_is_seen(case: Case):
    explanation = of(case)
    assert not explanation.same
    (signature,) = explanation.signatures
    assert (signature.outcome, signature.differences, signature.parts_at) == ("moved", (), None)
