"""A private dictionary in a file: both tools read the same VRs from it, and find the same names."""

from __future__ import annotations

from pathlib import Path

import interop_peers
import pytest
from interop_peers import INTERMEDIATE, ROOT, TRUSTED, dsig_signs, key_files, objections, peer_signs, run, succeed
from support.encode import IMPLICIT, LITTLE, element, implicit, part10, text
from test_mac_stream import parts

import dsig

pytestmark = pytest.mark.interop

STANDARD = Path("/usr/share/libdcmtk17/dicom.dic")
ENTRIES = """(0009,"DSIG TEST",01)\tSH\tSiteShort\t1\tPrivateTag
(0009,"DSIG TEST",02)\tUL\tSiteNumber\t1\tPrivateTag
(0009-o-000f,"DSIG TEST",1003)\tUS\tSiteFixed\t1\tPrivateTag
(0010,0021)\tST\tSiteIssuer\t1\tSite
"""
DATA = {
    0x00080016: text("1.2.840.10008.5.1.4.1.1.7", b"\0"),
    0x00080018: b"1.2.3.4\0",
    0x00090010: b"DSIG TEST ",
    0x00091001: b"abcd",
    0x00091002: b"\1\2\3\4",
    0x00091003: b"\5\6",
    0x00100010: b"Doe^Jane",
    0x00100021: b"ward",
}
KNOWN = {0x00080016: "UI", 0x00080018: "UI", 0x00090010: "LO", 0x00100010: "PN"}


@pytest.fixture(autouse=True)
def path_of_dictionaries(tmp_path, monkeypatch):
    """As sites set it: the standard dictionary first, their own behind."""
    site = tmp_path / "site.dic"
    site.write_text(ENTRIES)
    monkeypatch.setitem(interop_peers.ENVIRONMENT, "DCMDICTPATH", f"{STANDARD}:{site}")
    return site


@pytest.fixture
def dictionary(path_of_dictionaries) -> dsig.Dictionary:
    return dsig.load_dictionaries([STANDARD, path_of_dictionaries])


def file(kind: str) -> bytes:
    if kind == "implicit":
        return part10(b"".join(implicit(tag, value) for tag, value in DATA.items()), IMPLICIT)
    return part10(b"".join(element(t, KNOWN.get(t, "UN"), v) for t, v in DATA.items()), LITTLE)


@pytest.mark.parametrize(("kind", "un"), [("implicit", False), ("explicit", True)])
def test_both_tools_hash_the_same_bytes(kind, un, dictionary, keys, tmp_path):
    source, ours, theirs = tmp_path / "in.dcm", tmp_path / "ours.dcm", tmp_path / "theirs.dcm"
    own, peers = tmp_path / "own.bin", tmp_path / "peers.bin"
    source.write_bytes(file(kind))
    signed = dsig_signs(
        source, ours, keys["p256"], dictionary=dictionary, rely_on_dictionaries=True, convert_un=un, dump=str(own)
    )
    assert signed.mac.elements == tuple(DATA)
    peer_signs(source, theirs, *(["+uc"] if un else []), "+d", peers)
    assert parts(own.read_bytes())[0] == parts(peers.read_bytes())[0]
    knowing = dsig.VerifyOptions(trust=TRUSTED.trust, dictionary=dictionary)
    for path in (ours, theirs):
        assert not objections(dsig.verify(path, knowing))
        succeed("dcmsign", "--verify", "+rg", "+cf", ROOT, "+uf", INTERMEDIATE, path)


@pytest.mark.parametrize("name", ["SiteFixed", "SiteIssuer", "PatientName"])
def test_both_tools_find_the_same_names(name, path_of_dictionaries, tmp_path):
    source, ours, theirs = tmp_path / "in.dcm", tmp_path / "ours.dcm", tmp_path / "theirs.dcm"
    source.write_bytes(file("explicit"))
    private, certificate = key_files("rsa2048")
    peer_signs(source, theirs, "+uc", "-t", name)
    key = ("--key", private, "--cert", certificate)
    succeed("dsig", "sign", source, "-o", ours, *key, "--convert-un", "--tag", name, "-q")  # reads DCMDICTPATH
    elements = [dsig.inspect(path).signatures[0].mac.elements for path in (ours, theirs)]
    assert elements[0] == elements[1]
    assert len(elements[0]) == 1


def test_the_option_stands_in_for_the_environment(path_of_dictionaries, tmp_path):
    source, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(file("explicit"))
    private, certificate = key_files("rsa2048")
    command = ("dsig", "sign", source, "-o", out, "--key", private, "--cert", certificate, "-q", "--tag", "SiteShort")
    succeed(*command, "--dictionary", path_of_dictionaries, "--convert-un")
    assert dsig.inspect(out).signatures[0].mac.elements == (0x00091001,)


def test_coverage_is_asked_by_names_of_the_dictionary(tmp_path):
    source, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(file("explicit"))
    private, certificate = key_files("rsa2048")
    succeed("dsig", "sign", source, "-o", out, "--key", private, "--cert", certificate, "-q", "--tag", "SiteIssuer",
            "--convert-un")  # fmt: skip
    assert run("dsig", "verify", out, "--no-trust", "--require-coverage", "SiteIssuer").status == 0
    assert run("dsig", "verify", out, "--no-trust", "--require-coverage", "PatientName").status == 1


def test_a_dictionary_that_cannot_be_read_is_an_error_and_not_a_word_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setitem(interop_peers.ENVIRONMENT, "DCMDICTPATH", str(tmp_path / "missing.dic"))
    source, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(file("explicit"))
    private, certificate = key_files("rsa2048")
    ended = run("dsig", "sign", source, "-o", out, "--key", private, "--cert", certificate)
    assert (ended.status, out.exists()) == (2, False)
    assert "missing.dic" in ended.said
    assert "Traceback" not in ended.said
    assert run("dsig", "verify", source).status == 2
