"""A level: what is kept of it while it is walked."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from support.encode import element, encapsulated, item, sequence

from dsig.dicom import dataset
from dsig.dicom.dataset import DataSet, read_data_set
from dsig.dicom.encoding import EXPLICIT_LE
from dsig.dicom.source import BytesSource

ROWS = element(0x00280010, "US", b"\1\0")


def level(data: bytes) -> DataSet:
    return read_data_set(BytesSource(data), 0, len(data), EXPLICIT_LE)


@pytest.mark.parametrize("most", [0, 4, 5, 1 << 16])
def test_fragments_are_the_same_whether_their_places_are_kept_or_not(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "MARKS", most)
    read = level(ROWS + encapsulated(b"", b"abcd", b"ef"))
    [pixels] = read.encapsulated
    # the rows take 10 bytes, the header of the pixel data 12; items begin with 8 each
    assert list(read.fragments(pixels)) == [(22, 30, 30), (30, 38, 42), (42, 50, 52)]
    assert read.marked == (5 if most >= 5 else 0), "header, three items, delimiter: no more is kept than that"


def test_pixel_data_without_any_item_have_no_fragments() -> None:
    read = level(ROWS + encapsulated())
    assert [list(read.fragments(pixels)) for pixels in read.encapsulated] == [[]]


def test_each_of_two_pixel_data_has_its_own_fragments() -> None:
    read = level(encapsulated(b"", b"abcd") + encapsulated(b"", b"ef"))
    assert [list(read.fragments(pixels)) for pixels in read.encapsulated] == [
        [(12, 20, 20), (20, 28, 32)],
        [(52, 60, 60), (60, 68, 70)],
    ]


EMPTY = sequence(0x00400100)


@pytest.mark.parametrize(
    "content",
    [
        lambda count: item(EMPTY * count),
        lambda count: item() * count,
        lambda count: item(undefined=True) * count,
        lambda count: item(element(0x00080000, "UL", bytes(4)) * count),
        lambda count: item(sequence(0x00400100, item() * (count // 2)) + EMPTY * (count // 2)),
        lambda count: item(element(0x00410010, "UN") + EMPTY * count),
    ],
    ids=["sequences", "items", "delimited-items", "group-lengths", "both", "not-plain"],
)
def test_no_more_is_kept_than_allowed_whatever_there_is_so_much_of(
    content: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "MARKS", 100)
    peaks = []
    for count in (1_000, 1_000, 20_000):  # what is made once is made the first time
        data = sequence(0x00400275, content(count))
        tracemalloc.start()
        try:
            read = level(data)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert (read.marked, read.marks) == (0, {})
    assert peaks[2] - peaks[1] < 100_000, "a place for each would take 160,000 bytes"
