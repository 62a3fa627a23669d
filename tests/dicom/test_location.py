"""Item locations and tags as people write them (reference section 7)."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from dsig.dicom.location import format_path, parse_location, parse_tag
from dsig.errors import UsageError

BEAM = 0x300A00B0  # BeamSequence
CONTROL = 0x300A0111  # ControlPointSequence


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("/", ()),
        ("BeamSequence[0]", ((BEAM, 0),)),
        ("(300A,00B0)[0]", ((BEAM, 0),)),
        ("(300a,b0)[12]", ((BEAM, 12),)),
        ("BeamSequence[0].ControlPointSequence[1]", ((BEAM, 0), (CONTROL, 1))),
        ("(300a,00b0)[0].(300a,0111)[1]", ((BEAM, 0), (CONTROL, 1))),
        ("BeamSequence[0].(300a,0111)[1]", ((BEAM, 0), (CONTROL, 1))),
        ("(0009,1001)[2]", ((0x00091001, 2),)),
        ("  BeamSequence[0]. ControlPointSequence[1]  ", ((BEAM, 0), (CONTROL, 1))),
        (" (300a,00b0)[0]", ((BEAM, 0),)),
    ],
)
def test_a_location_is_sequences_with_indexes(text: str, path: tuple[tuple[int, int], ...]):
    assert parse_location(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "BeamSequence",
        "BeamSequence[0",
        "BeamSequence0]",
        "BeamSequence[0].",
        "BeamSequence[0].ControlPointSequence",
        "BeamSequence[-1]",
        "BeamSequence[1.5]",
        "BeamSequence[one]",
        "BeamSequence[]",
        "BeamSequence[ 0 ]",
        "BeamSequence[0] .ControlPointSequence[1]",
        "BeamSequence[0]/ControlPointSequence[1]",
        "BeamSequence[0]ControlPointSequence[1]",
        "BeamSequence[0]x",
        ".BeamSequence[0]",
        "[0]",
        "(300a)[0]",
        "(300a,00b0[0]",
        "30a,00b0[0]",
        "ds[0]",
        "ds.BeamSequence[-1]",
        "ds['BeamSequence'",
        "(300g,00b0)[0]",
        "(300a0,00b0)[0]",
        "NoSuchSequence[0]",
        "BeamSequence[99999999999999999999]",
    ],
)
def test_anything_else_is_a_usage_error(text: str):
    with pytest.raises(UsageError):
        parse_location(text)


@pytest.mark.parametrize(
    "text",
    [
        "BeamSequence[1].ControlPointSequence[2]",
        "(300a,00b0)[1].(300A,0111)[2]",
        "300a,00b0[1].300A,0111[2]",
        "300a00b0[1].300A0111[2]",
        "0x300a00b0[1].0x300A0111[2]",
        "ds.BeamSequence[1].ControlPointSequence[2]",
        "ds[0x300A, 0x00B0][1][0x300a,0x0111][2]",
        "ds[(0x300A, 0x00B0)].value[1][0x300a0111].value[2]",
        "dataset['BeamSequence'][1][\"ControlPointSequence\"][2]",
        "ds.BeamSequence[1][0x300A, 0x0111].value[2]",
    ],
)
def test_a_location_may_be_written_as_python_with_pydicom_writes_it(text: str):
    assert parse_location(text) == ((BEAM, 1), (0x300A0111, 2))


def test_what_is_python_names_the_same_item_in_pydicom():
    ds = Dataset()
    ds.BeamSequence = [Dataset(), Dataset()]
    ds.BeamSequence[1].ControlPointSequence = [Dataset(), Dataset(), Dataset()]
    ds.BeamSequence[1].ControlPointSequence[2].ControlPointIndex = "7"
    wanted = ds.BeamSequence[1].ControlPointSequence[2]
    assert ds[0x300A, 0x00B0][1][0x300A, 0x0111][2] is wanted
    assert ds[(0x300A, 0x00B0)].value[1][0x300A0111].value[2] is wanted
    assert ds["BeamSequence"][1]["ControlPointSequence"][2] is wanted


def test_the_error_says_where_reading_stopped():
    with pytest.raises(UsageError, match="character 17"):
        parse_location("BeamSequence[0].?")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0010,0010", 0x00100010),
        ("10,10", 0x00100010),
        ("(0010,0010)", 0x00100010),
        ("( 0010 , 0010 )", 0x00100010),
        ("00100010", 0x00100010),
        ("7fe0,0010", 0x7FE00010),
        ("7FE00010", 0x7FE00010),
        ("PatientName", 0x00100010),
        (" PixelData ", 0x7FE00010),
        ("0009,1001", 0x00091001),
        ("0x00100010", 0x00100010),
        ("(0x10, 0X0010)", 0x00100010),
    ],
)
def test_a_tag_is_two_numbers_eight_digits_or_a_keyword(text: str, number: int):
    assert parse_tag(text) == number


@pytest.mark.parametrize("text", ["", "Patient Name", "10", "0010-0010", "00100,0010", "0010,0010,0010", "0x10"])
def test_anything_else_is_no_tag(text: str):
    with pytest.raises(UsageError) as caught:
        parse_tag(text)
    assert caught.value.code == "unknown-tag"


def test_a_misspelt_keyword_gets_a_suggestion():
    with pytest.raises(UsageError) as caught:
        parse_tag("PatientsName")
    assert caught.value.hint == "did you mean PatientName?"


def test_paths_are_written_with_keywords_and_read_back():
    path = ((BEAM, 0), (0x00091001, 3))
    assert format_path(path) == "BeamSequence[0].(0009,1001)[3]"
    assert format_path(path, 0x00100010) == "BeamSequence[0].(0009,1001)[3].(0010,0010)"
    assert parse_location(format_path(path)) == path


def test_a_sequence_as_a_whole_is_written_without_index():
    assert format_path(((BEAM, -1),)) == "BeamSequence"
