"""PNG files, read by a library that did not write them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from dsig.thumbnails.png import png


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (192, 100)])
def test_samples_come_back_as_they_were(mode, channels, width, height):
    samples = bytes((17 * n + n // 5) & 0xFF for n in range(width * height * channels))
    image = Image.open(io.BytesIO(png(width, height, samples)))
    image.verify()
    image = Image.open(io.BytesIO(png(width, height, samples)))
    assert (image.format, image.mode, image.size, image.tobytes()) == ("PNG", mode, (width, height), samples)
    assert not image.info, "no text, no times, no profile"


@pytest.mark.parametrize(("width", "height", "count"), [(0, 4, 0), (4, 0, 0), (2, 2, 5), (2, 2, 8), (-2, -2, 4)])
def test_other_numbers_of_samples_are_no_picture(width, height, count):
    with pytest.raises(ValueError, match="no picture"):
        png(width, height, bytes(count))
