"""One file in the hands of both tools: second signatures, removal, purposes."""

from __future__ import annotations

import pydicom
import pytest
from interop_peers import (
    BASE,
    READABLE,
    TRUSTED,
    data_set,
    dsig_accepts,
    dsig_signs,
    key_files,
    objections,
    peer_accepts,
    peer_signs,
    peer_verifies,
    run,
    succeed,
)

import dsig

pytestmark = pytest.mark.interop

DEFLATED = "sc_dfl.dcm"


def uids(path) -> list[str]:
    return [s.uid for s in dsig.verify(path, TRUSTED).signatures]


def plain_by_peer(name, path) -> bytes:
    """The base file as the peer writes it, without signatures."""
    succeed("dcmsign", "+ra", BASE / name, path)
    return path.read_bytes()


def same_data(one: bytes, other: bytes, name: str) -> bool:
    """Equal but for the meta information; PS3.5 A.5 pads a deflated data set to even length, not every writer does."""
    one, other = data_set(one), data_set(other)
    if name == DEFLATED:
        one, other = (content + b"\0" * (len(content) % 2) for content in (one, other))
    return one == other


@pytest.mark.parametrize("name", READABLE)
def test_second_signatures_and_their_removal(name, keys, tmp_path):
    own, both, back, peers, other = (tmp_path / f"{n}.dcm" for n in "abcde")
    plain = plain_by_peer(name, tmp_path / "plain.dcm")

    # dsig first, then the peer; each removes the signature of the other, then dsig removes all
    first = dsig_signs(BASE / name, own, keys["rsa2048"]).uid
    peer_signs(own, both, key="p256")
    peer_accepts(both)
    dsig_accepts(both, 2)
    (second,) = set(uids(both)) - {first}
    left = dsig.remove(both.read_bytes(), uid=second)
    assert left.signatures == ((second, "/"),)
    back.write_bytes(left.output)
    assert uids(back) == [first]
    peer_accepts(back)
    dsig_accepts(back)
    succeed("dcmsign", "+r", first, both, back)
    assert uids(back) == [second]
    peer_accepts(back)
    dsig_accepts(back)
    assert same_data(dsig.remove(both.read_bytes(), everything=True).output, plain, name)
    succeed("dcmsign", "+ra", both, back)
    assert same_data(back.read_bytes(), plain, name)

    # the peer first, then dsig
    peer_signs(BASE / name, peers, key="dsa2048")
    (second,) = uids(peers)
    first = dsig_signs(peers, other, keys["p384"]).uid
    peer_accepts(other)
    dsig_accepts(other, 2)
    succeed("dcmsign", "+r", second, other, back)
    assert uids(back) == [first]
    dsig_accepts(back)
    peer_accepts(back)
    left = dsig.remove(other.read_bytes(), uid=first)
    assert same_data(left.output, peers.read_bytes(), name), "taking it out again gives the file it was put in"


def test_removal_by_uid_inside_items(keys, tmp_path):
    one, two, three = (tmp_path / f"{n}.dcm" for n in "abc")
    inside = dsig_signs(BASE / "rtplan.dcm", one, keys["p256"], item="BeamSequence[0].ControlPointSequence[0]").uid
    peer_signs(one, two, item="BeamSequence[0]")
    (outside,) = set(uids(two)) - {inside}
    left = dsig.remove(two.read_bytes(), uid=outside)
    three.write_bytes(left.output)
    assert uids(three) == [inside]
    peer_accepts(three)
    succeed("dcmsign", "+r", inside, two, three)
    assert uids(three) == [outside]
    dsig_accepts(three)
    left = dsig.remove(two.read_bytes(), everything=True)
    assert {uid for uid, _ in left.signatures} == {inside, outside}
    assert same_data(left.output, plain_by_peer("rtplan.dcm", three), "rtplan.dcm")


def test_unknown_uids_are_not_removed(keys, tmp_path):
    path = tmp_path / "signed.dcm"
    dsig_signs(BASE / "mr.dcm", path, keys["p256"])
    with pytest.raises(dsig.UsageError, match=r"1\.2\.3"):
        dsig.remove(path, tmp_path / "out.dcm", uid="1.2.3")
    assert not (tmp_path / "out.dcm").exists()
    assert run("dcmsign", "+r", "1.2.3", path, tmp_path / "out.dcm").status == 84


def test_mac_ids_of_both_tools_are_distinct(keys, tmp_path):
    """PS3.3 C.12.1.1.3.1.1: the MAC ID Number identifies the MAC parameters within the instance."""
    path, other = tmp_path / "a.dcm", tmp_path / "b.dcm"
    peer_signs(BASE / "ct.dcm", path)
    for key in ("p256", "dsa2048"):
        dsig_signs(path, other, keys[key])
        peer_signs(other, path, key=key)
    read = pydicom.dcmread(path)
    numbers = [item[0x0400, 0x0005].value for item in read[0x4FFE, 0x0001].value]
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    assert [item[0x0400, 0x0005].value for item in read[0xFFFA, 0xFFFA].value] == numbers
    assert "5 signatures verified in dataset, 0 corrupted" in peer_accepts(path)
    dsig_accepts(path, 5)


@pytest.mark.parametrize("number", range(1, 19))
def test_purposes_mean_the_same_to_both(number, keys, tmp_path):
    own, peers = tmp_path / "own.dcm", tmp_path / "peers.dcm"
    dsig_signs(BASE / "rtplan.dcm", own, keys["p256"], purpose=number)
    peer_signs(BASE / "rtplan.dcm", peers, "+sp", number)
    (line,) = (x for x in peer_accepts(own).splitlines() if "Signature purpose" in x)
    (expected,) = (x for x in peer_accepts(peers).splitlines() if "Signature purpose" in x)
    assert line == expected
    assert f"({number}, ASTM-sigpurpose)" in line
    (of_own,) = dsig_accepts(own).signatures
    (of_peers,) = dsig_accepts(peers).signatures
    assert of_own.purpose == of_peers.purpose
    assert of_own.purpose is not None
    assert (of_own.purpose.code, of_own.purpose.scheme) == (str(number), "ASTM-sigpurpose")
    assert f": {of_own.purpose.meaning} (" in line


def test_no_purpose_is_no_purpose(keys, tmp_path):
    dsig_signs(BASE / "rtplan.dcm", tmp_path / "own.dcm", keys["p256"])
    assert "(not specified)" in peer_accepts(tmp_path / "own.dcm")
    with pytest.raises(dsig.UsageError):
        dsig_signs(BASE / "rtplan.dcm", tmp_path / "own.dcm", keys["p256"], purpose=19)
    assert not run("dcmsign", "+s", "k", "c", "+sp", "19", "in", "out").good


@pytest.mark.parametrize("tags", [(0x00100010,), (0x00080018, 0x00100010), (0x7FE00010, 0x00280010, 0x00280011)])
def test_selected_elements_only(tags, keys, tmp_path):
    own, peers = tmp_path / "own.dcm", tmp_path / "peers.dcm"
    dsig_signs(BASE / "ct.dcm", own, keys["p256"], tags=tags)
    options = [word for tag in tags for word in ("-t", f"{tag >> 16:04x},{tag & 0xFFFF:04x}")]
    peer_signs(BASE / "ct.dcm", peers, *options)
    for path in (own, peers):
        peer_accepts(path)
        (signature,) = dsig_accepts(path).signatures
        assert signature.mac.elements == tuple(sorted(tags))
        assert signature.coverage.signed == len(tags)


def test_both_refuse_to_sign_what_is_not_there(keys, tmp_path):
    out = tmp_path / "out.dcm"
    with pytest.raises(dsig.UsageError, match=r"\(0019,0099\)"):
        dsig_signs(BASE / "mr.dcm", out, keys["p256"], tags=(0x00190099,))
    ended = run("dcmsign", "+s", *key_files("p256"), "-t", "0019,0099", BASE / "mr.dcm", out)
    assert ended.status == 85
    assert not out.exists()


@pytest.mark.parametrize("changed", ["PatientName", "StudyDate", "Rows"])
def test_both_find_the_same_change(changed, keys, tmp_path):
    path, other = tmp_path / "a.dcm", tmp_path / "b.dcm"
    dsig_signs(BASE / "mr.dcm", path, keys["p256"])
    read = pydicom.dcmread(path)
    setattr(read, changed, {"PatientName": "Other^Name", "StudyDate": "20010101", "Rows": 63}[changed])
    read.save_as(other)
    assert peer_verifies(other).status == 101
    (signature,) = dsig.verify(other, TRUSTED).signatures
    assert signature.axes["integrity"].status is dsig.Status.FAILED
    assert any("integrity" in line for line in objections(dsig.verify(other, TRUSTED)))
