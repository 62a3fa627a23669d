"""Dictionary files in the text format of DCMTK, and what is done with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.encode import IMPLICIT, element, implicit, part10, text

import dsig
from dsig.dicom.location import parse_element, parse_location

SITE = """# names and VRs of this site

(0009,"DSIG TEST",01)\tSH\tSiteShort\t1\tPrivateTag
(0009-o-000f,"DSIG TEST",1003)\tUS\tSiteFixed
(0019-u-0021,"DSIG TEST",10-u-12)\tDS\tSiteRange\t1-n
(0010,0010)\tLO\tSiteName\t1\tDICOM
(0028,0106)\txs\tSmallestImagePixelValue\t1\tDICOM
(0010,9999)\tox\tSiteChoice\t1\tDICOM
(6000-60FF,0010)\tUL\tSiteRows\t1\tDICOM
(300A-o-300D,00B0)\tSQ\tSiteBeams\t1\tDICOM
(FFFE,E000)\tna\tItem\t1\tDICOM
"""


@pytest.fixture
def dictionary(tmp_path: Path) -> dsig.Dictionary:
    (tmp_path / "site.dic").write_text(SITE)
    return dsig.load_dictionaries([tmp_path / "site.dic"])


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100010, "LO"),
        (0x00100020, None),
        (0x00280106, None),  # "US or SS": the built-in dictionary knows how to choose
        (0x00109999, "OB"),
        (0x60000010, "UL"),
        (0x60FE0010, "UL"),
        (0x60010010, None),  # a range is of even groups unless it says otherwise
        (0x300B00B0, "SQ"),
        (0x300C00B0, None),
        (0xFFFEE000, None),
    ],
)
def test_vrs_of_standard_elements(dictionary, tag, vr):
    assert dictionary.vr_of(tag) == vr


@pytest.mark.parametrize(
    ("creator", "tag", "vr"),
    [
        ("DSIG TEST", 0x00091001, "SH"),
        ("DSIG TEST", 0x0009FF01, "SH"),  # whatever block the creator has
        ("DSIG TEST", 0x00091002, None),
        ("DSIG OTHER", 0x00091001, None),
        ("DSIG TEST", 0x00091003, "US"),
        ("DSIG TEST", 0x000D1003, "US"),
        ("DSIG TEST", 0x00091103, None),  # fixed: only in block 10
        ("DSIG TEST", 0x00191011, "DS"),
        ("DSIG TEST", 0x00201012, "DS"),
        ("DSIG TEST", 0x00191013, None),
    ],
)
def test_vrs_of_private_elements(dictionary, creator, tag, vr):
    assert dictionary.private_vr_of(creator, tag) == vr


def test_names(dictionary):
    assert parse_element("SiteName", dictionary) == 0x00100010
    assert parse_element("PatientID", dictionary) == 0x00100020
    assert parse_element("SiteFixed", dictionary) == 0x00091003
    assert parse_element("SiteShort", dictionary) == dsig.PrivateTag(9, "DSIG TEST", 1)
    assert parse_element('0009,"DSIG TEST",01') == dsig.PrivateTag(9, "DSIG TEST", 1)
    assert parse_location("SiteBeams[2]", dictionary) == ((0x300B00B0, 2),)


def test_private_elements_do_not_take_names_of_the_standard(tmp_path):
    """Dictionaries of vendors have some of them, whatever order the files are in."""
    (tmp_path / "private.dic").write_text(
        '(0013,"DSIG TEST",20)\tPN\tPatientName\n(0013,"DSIG TEST",21)\tPN\tSiteName\n'
    )
    (tmp_path / "site.dic").write_text(SITE)
    for order in (["private.dic"], ["site.dic", "private.dic"], ["private.dic", "site.dic"]):
        loaded = dsig.load_dictionaries([tmp_path / name for name in order])
        assert parse_element("PatientName", loaded) == 0x00100010
        named = parse_element("SiteName", loaded)
        assert named == (0x00100010 if "site.dic" in order else dsig.PrivateTag(0x13, "DSIG TEST", 0x21))


def test_entries_of_later_files_go_before_earlier_ones(tmp_path):
    (tmp_path / "a.dic").write_text('(0010,0010)\tLO\tA\n(0009,"X",01)\tLO\tB\n(6000-60FF,0010)\tLO\tC\n')
    (tmp_path / "b.dic").write_text('(0010,0010)\tSH\tA\n(0009,"X",01)\tSH\tB\n(6000-60FF,0010)\tSH\tC\n')
    both = dsig.load_dictionaries([tmp_path / "a.dic", tmp_path / "b.dic"])
    assert (both.vr_of(0x00100010), both.private_vr_of("X", 0x00091001), both.vr_of(0x60020010)) == ("SH",) * 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("(0010,0010)\tPN\n", "line 1: 2 fields"),
        ("# one\n(0010,0010) PN PatientName\n", "line 2: 1 fields"),
        ("(0010,0010)\tQQ\tPatientName\n", "'QQ' is no VR"),
        ("0010,0010\tPN\tPatientName\n", "is no tag"),
        ("(0010-0008,0010)\tPN\tPatientName\n", "ends before it begins"),
        ('(0009,"X",0101)\tPN\tName\n', "below 1000"),
        ("(0010,0010)\tPN\tA\tB\tC\tD\n", "6 fields"),
        ("\0\1\2", "line 1"),
    ],
)
def test_a_file_that_is_no_dictionary_is_an_error(tmp_path, content, problem):
    (tmp_path / "bad.dic").write_text(content)
    with pytest.raises(dsig.UsageError, match=problem) as caught:
        dsig.load_dictionaries([tmp_path / "bad.dic"])
    assert caught.value.code == "dictionary"
    assert str(tmp_path / "bad.dic") in str(caught.value)


@pytest.mark.parametrize("name", ["missing.dic", "."])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, name):
    with pytest.raises(dsig.UsageError) as caught:
        dsig.load_dictionaries([tmp_path / name])
    assert caught.value.code == "dictionary"


# ---------------------------------------------------------------------------------------------------- signing with one

CREATOR, PRIVATE = 0x00090010, 0x00091001
DATA = {0x00080018: b"1.2.3\0", CREATOR: b"DSIG TEST ", PRIVATE: b"abcd", 0x00100010: b"Doe^Jane"}


@pytest.fixture(scope="module")
def key():
    pki = Path(__file__).parents[1] / "corpus" / "pki"
    with dsig.open_key(str(pki / "rsa2048.key.pem"), certificate=str(pki / "rsa2048.pem")) as opened:
        yield opened


def implicit_file() -> bytes:
    return part10(b"".join(implicit(tag, value) for tag, value in DATA.items()), IMPLICIT)


def covered(signed: dsig.Signed) -> list[int]:
    return list(signed.mac.elements)


def test_private_elements_of_implicit_vr_stay_unsigned_even_so(dictionary, key):
    """docs/decisions/0004: later readers may not have the dictionary."""
    signed = dsig.sign(implicit_file(), key=key, options=dsig.SignOptions(dictionary=dictionary))
    assert covered(signed) == [0x00080018, CREATOR, 0x00100010]
    (signature,) = dsig.verify(signed.output, dsig.VerifyOptions(check_trust=False)).signatures
    assert signature.verdict is dsig.Status.PASSED  # standard elements are read without the dictionary


def test_they_are_signed_once_their_vrs_are_written(dictionary, key):
    options = dsig.SignOptions(dictionary=dictionary, transfer_syntax="explicit")
    signed = dsig.sign(implicit_file(), key=key, options=options)
    assert covered(signed) == list(DATA)
    assert element(PRIVATE, "SH", b"abcd") in signed.output
    assert dsig.verify(signed.output, dsig.VerifyOptions(check_trust=False)).verdict is dsig.FileVerdict.PASSED


def test_a_signer_who_relies_on_the_dictionary_binds_verifiers_to_it(dictionary, key):
    options = dsig.SignOptions(dictionary=dictionary, rely_on_dictionaries=True)
    signed = dsig.sign(implicit_file(), key=key, options=options)
    assert covered(signed) == list(DATA)
    knowing = dsig.VerifyOptions(check_trust=False, dictionary=dictionary)
    assert dsig.verify(signed.output, knowing).verdict is dsig.FileVerdict.PASSED


def test_an_element_that_a_profile_wants_and_other_programs_do_not_know_is_left_out_and_told(key):
    """(0018,1204) Date of Manufacture, which 2026b wants signed and 2019c did not have, docs/profiles.md."""
    named = dict.fromkeys((0x00080016, 0x00080018), b"1.2.3\0") | {0x00181204: b"20200101"}
    named |= dict.fromkeys((0x0020000D, 0x0020000E), b"1.2\0")
    data = part10(b"".join(implicit(tag, value) for tag, value in named.items()), IMPLICIT)
    for relying, left_out in ((True, [0x00181204]), (False, [])):
        options = dsig.SignOptions(profile="creator", rely_on_dictionaries=relying)
        signed = dsig.sign(data, key=key, options=options)
        assert covered(signed) == [tag for tag in named if tag not in left_out]
        told = [f.message for f in signed.findings if f.code == "newer-element"]
        assert [message[:11] for message in told] == ["(0018,1204)" for _ in left_out]


def test_an_element_is_found_in_the_block_its_creator_has(dictionary, key):
    data = part10(
        element(0x00090010, "LO", text("OTHER"))
        + element(0x00090033, "LO", b"DSIG TEST ")
        + element(0x00091001, "SH", b"no")
        + element(0x00093301, "SH", b"ok")
    )
    options = dsig.SignOptions(tags=(parse_element("SiteShort", dictionary),))
    assert covered(dsig.sign(data, key=key, options=options)) == [0x00093301]
    with pytest.raises(dsig.UsageError, match="no private creator") as caught:
        dsig.sign(data, key=key, options=dsig.SignOptions(tags=(dsig.PrivateTag(9, "NOBODY", 1),)))
    assert caught.value.code == "tag-absent"
