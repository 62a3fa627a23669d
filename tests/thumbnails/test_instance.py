"""What is drawn of an instance: pixels chosen by hand, and what PS3.3 says becomes of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dsig.hookspecs import Picture
from dsig_thumbnails.instance import InstanceThumbnailer

BASE = Path(__file__).parents[1] / "corpus" / "base"


def instance(pixels: np.ndarray, **attributes: object) -> io.BytesIO:
    """A DICOM file of frames, rows, columns (and samples)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset = FileDataset(None, Dataset(), file_meta=meta, preamble=bytes(128))
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape[:3]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 4 else 1
    if pixels.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 4 else "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    file.seek(0)
    return file


def drawn(pixels: np.ndarray, edge: int = 192, **attributes: object) -> Picture:
    return InstanceThumbnailer().draw(instance(pixels, **attributes), edge)


def test_the_window_makes_black_and_white():
    """Centre 100, width 51: black up to 74, white from 125 (PS3.3 C.11.2.1.2.1)."""
    pixels = np.array([[[0, 74], [125, 255]]], np.uint8)
    assert drawn(pixels, WindowCenter=100, WindowWidth=51).samples == bytes([0, 0, 255, 255])


def test_the_window_is_about_rescaled_values():
    """Stored 0, 1024, 2048 are -1024, 0, 1024; the window is 0 to 1000, from -0.5 to 999.5 as the formula has it."""
    pixels = np.array([[[0, 1024, 2048]]], np.uint16)
    picture = drawn(pixels, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=500, WindowWidth=1000)
    assert picture.samples == bytes([0, 0, 255])


def test_monochrome1_is_dark_where_values_are_large():
    pixels = np.array([[[0, 255]]], np.uint8)
    window = {"WindowCenter": 128, "WindowWidth": 256}
    assert drawn(pixels, **window).samples == bytes([0, 255])
    assert drawn(pixels, PhotometricInterpretation="MONOCHROME1", **window).samples == bytes([255, 0])


def test_without_a_window_the_values_there_are_fill_the_range():
    picture = drawn(np.array([[[-700, 300]]], np.int16))
    assert picture.samples == bytes([0, 255])


def test_colours_stay():
    pixels = np.array([[[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]]], np.uint8)
    picture = drawn(pixels)
    assert (picture.width, picture.height, picture.samples) == (2, 2, pixels.tobytes())


@pytest.mark.parametrize(("frames", "shown"), [(1, 1), (2, 1), (3, 2), (30, 15)])
def test_the_middle_frame_is_shown(frames, shown):
    pixels = np.zeros((frames, 1, 2), np.uint8)
    pixels[shown - 1] = [[0, 200]]
    picture = drawn(pixels)
    assert (picture.frame, picture.frames) == (shown, frames)
    assert picture.samples == bytes([0, 255])


@pytest.mark.parametrize(
    ("rows", "columns", "spacing", "size"),
    [
        (100, 400, None, (64, 16)),
        (400, 100, None, (16, 64)),
        (100, 100, [2, 1], (32, 64)),
        (100, 100, [1, 2], (64, 32)),
        (100, 100, [1, 1000], (64, 64)),
        (20, 30, None, (30, 20)),
    ],
)
def test_pictures_have_the_shape_of_the_instance(rows, columns, spacing, size):
    more = {} if spacing is None else {"PixelSpacing": spacing}
    picture = drawn(np.zeros((1, rows, columns), np.uint8), 64, **more)
    assert (picture.width, picture.height, len(picture.samples)) == (*size, size[0] * size[1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sr_basic.dcm", "it has no pixels"),
        ("pdf.dcm", "it has no pixels"),
        ("nometa_ct.dcm", "no DICOM file with File Meta Information"),
        ("mr_truncated.dcm", "its pixels and what it says of them do not fit together"),
        ("sc_jpll.dcm", "no decoder for JPEG Lossless"),
    ],
)
def test_what_is_not_drawn_says_why(name, said):
    with (BASE / name).open("rb") as file, pytest.raises(ValueError, match=said):
        InstanceThumbnailer().draw(file, 192)


def test_a_frame_that_says_it_is_huge_is_not_decoded():
    file = instance(np.zeros((1, 2, 2), np.uint8), Rows=65535, Columns=65535)
    with pytest.raises(ValueError, match="65535 by 65535 pixels is too large"):
        InstanceThumbnailer().draw(file, 192)


@pytest.mark.parametrize(
    "name", ["ct", "mr_be", "mr_imp", "mr_rle", "mr_j2k", "sc_jpeg", "sc_dfl", "us_mf_jpeg", "wsi"]
)
def test_real_instances_are_drawn(name):
    with (BASE / f"{name}.dcm").open("rb") as file:
        picture = InstanceThumbnailer().draw(file, 192)
    assert len(set(picture.samples)) > 1 or name == "wsi"
    assert max(picture.width, picture.height) <= 192
