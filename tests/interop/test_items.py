"""Signatures of sequence items, at every depth of every base file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pydicom
import pytest
from interop_peers import (
    AT_ONCE,
    BASE,
    READABLE,
    TRUSTED,
    dsig_accepts,
    dsig_signs,
    objections,
    peer_accepts,
    peer_signs,
    peer_verifies,
)
from pydicom.dataset import Dataset

import dsig

pytestmark = pytest.mark.interop


def locations(data_set: Dataset, within: str = "") -> Iterator[str]:
    """First and last item of every sequence that has something to sign, nested ones first."""
    for element in data_set:
        if element.VR != "SQ" or element.tag.group < 8:
            continue
        for index in sorted({0, len(element.value) - 1}):
            if not 0 <= index < len(element.value):
                continue
            location = f"{within}({element.tag.group:04x},{element.tag.element:04x})[{index}]"
            yield from locations(element.value[index], f"{location}.")
            yield location


def of_file(name: str) -> list[str]:
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # some base files are odd on purpose
        patch.setattr(pydicom.config, "replace_un_with_known_vr", False)  # a sequence that says UN cannot be signed
        return list(locations(pydicom.dcmread(BASE / name, force=True)))


WITH_ITEMS = tuple(name for name in READABLE if of_file(name))


def test_there_are_items_to_sign():
    assert len(WITH_ITEMS) > 25
    assert sum(len(of_file(name)) for name in WITH_ITEMS) > 300


@pytest.mark.parametrize("name", WITH_ITEMS)
def test_peer_accepts_items_signed_by_dsig(name, keys, tmp_path):
    verdicts = {}
    refused = {}
    for number, location in enumerate(of_file(name)):
        path = tmp_path / f"{number}.dcm"
        dsig_signs(BASE / name, path, keys["p256"], item=location)
        verdicts[location] = AT_ONCE.submit(peer_verifies, path)
        refused[f"dsig {location}"] = objections(dsig.verify(path, TRUSTED))
    refused |= {f"peer {where}": e.result().said for where, e in verdicts.items() if not e.result().good}
    assert not {where: why for where, why in refused.items() if why}


@pytest.mark.parametrize("name", WITH_ITEMS)
def test_dsig_accepts_items_signed_by_the_peer(name, tmp_path):
    places = of_file(name)
    paths = [tmp_path / f"{number}.dcm" for number in range(len(places))]
    signing = [
        AT_ONCE.submit(peer_signs, BASE / name, path, item=location)
        for location, path in zip(places, paths, strict=True)
    ]
    refused = {}
    for location, path, done in zip(places, paths, signing, strict=True):
        done.result()
        refused[location] = objections(dsig.verify(path, TRUSTED))
    assert not {where: why for where, why in refused.items() if why}


@pytest.mark.parametrize(
    "location",
    ["BeamSequence[0]", "BeamSequence[0].ControlPointSequence[1]", "DoseReferenceSequence[1]", "(300a,00b0)[0]"],
)
@pytest.mark.parametrize("lengths", ["+e", "-e"])
def test_item_main_data_set_and_item_again(location, lengths, keys, tmp_path):
    """Items and main data set, signed in turn by both; the enclosing lengths are right each time."""
    plain, one, two, three, four = (tmp_path / f"{n}.dcm" for n in range(5))
    peer_signs(BASE / "rtplan.dcm", plain, lengths)
    dsig_signs(plain, one, keys["p256"], item=location)
    peer_accepts(one)
    dsig_accepts(one, 2)
    peer_signs(one, two, lengths, item="FractionGroupSequence[0]", key="dsa2048")
    dsig_accepts(two, 3)
    dsig_signs(two, three, keys["rsa3072"], item="FractionGroupSequence[0].ReferencedBeamSequence[0]")
    dsig_signs(three, four, keys["p384"])
    said = peer_accepts(four)
    assert "5 signatures verified in dataset, 0 corrupted" in said
    report = dsig_accepts(four, 5)
    assert [s.location for s in report.signatures].count("/") == 2


def test_changes_inside_and_outside_a_signed_item(keys, tmp_path):
    """A signature of an item covers the item and nothing else."""
    path = tmp_path / "signed.dcm"
    dsig_signs(BASE / "rtplan.dcm", path, keys["p256"], item="BeamSequence[0]")
    for tag, verdict in ((0x00100010, dsig.FileVerdict.PASSED), (0x300A00C2, dsig.FileVerdict.FAILED)):
        changed = pydicom.dcmread(path)
        holder = changed if tag == 0x00100010 else changed.BeamSequence[0]
        holder[tag].value = "Changed"
        other = tmp_path / "changed.dcm"
        changed.save_as(other)
        assert dsig.verify(other, TRUSTED).verdict is verdict
        assert peer_verifies(other).good is (verdict is dsig.FileVerdict.PASSED)
