"""One frame of an instance, drawn as a viewer would draw it at first: rescaled, windowed, in its colours.

This is for recognition: no overlays, no presentation states, no functional groups' windows. Imported only where it may
do no harm.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from dsig.hookspecs import Picture

__all__ = ["InstanceThumbnailer"]

SAMPLES = 1 << 26
"""Of one frame; more are not decoded."""
FINEST = 1024
"""Rows and columns that are looked at; those of larger frames are thinned out first."""
DARKEST, BRIGHTEST = 1, 99
"""Percentiles that become black and white where the instance has no window."""
LONGEST_PIXEL = 4.0
"""Height of a pixel in its widths, or the reverse; what claims more is drawn with square pixels."""
HEAD = [
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "HighBit",
    "ImagerPixelSpacing",
    "ModalityLUTSequence",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "PixelAspectRatio",
    "PixelRepresentation",
    "PixelSpacing",
    "PlanarConfiguration",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "RescaleIntercept",
    "RescaleSlope",
    "Rows",
    "SamplesPerPixel",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "VOILUTFunction",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
]
Array = Any
"""An array of numpy."""


class UndrawableError(ValueError):
    """There is nothing to draw, or no way; the text is for people. Those of libraries quote what the file says."""


class InstanceThumbnailer:
    """Draws the middle frame; `dsig.hookspecs.Thumbnailer`."""

    def draw(self, file: BinaryIO, edge: int) -> Picture:
        """Raises `ValueError` for what has no pixels, too many, or none that can be decoded here."""
        try:
            return self._drawn(file, edge)
        except UndrawableError:
            raise
        except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError):
            raise UndrawableError("its pixels and what it says of them do not fit together") from None

    def _drawn(self, file: BinaryIO, edge: int) -> Picture:
        # 1. What there is, without its pixels.
        try:
            head = dcmread(file, stop_before_pixels=True, specific_tags=[*HEAD])
        except InvalidDicomError:
            raise UndrawableError("it is no DICOM file with File Meta Information") from None
        rows, columns = _number(head, "Rows"), _number(head, "Columns")
        if rows < 1 or columns < 1:
            raise UndrawableError("it has no pixels")
        if rows * columns * max(_number(head, "SamplesPerPixel"), 1) > SAMPLES:
            raise UndrawableError(f"a frame of {columns} by {rows} pixels is too large to be drawn")
        syntax = head.file_meta.TransferSyntaxUID
        try:
            available = get_decoder(syntax).is_available
        except NotImplementedError:
            available = False
        if not available:
            raise UndrawableError(f"no decoder for {syntax.name} is installed")

        # 2. The middle frame: the first and the last of a volume often show nothing.
        frames = max(_number(head, "NumberOfFrames"), 1)
        frame = (frames + 1) // 2
        file.seek(0)
        try:
            # inflated data sets are in no file, so that one is read whole
            pixels = pixel_array(dcmread(file) if syntax.is_deflated else file, index=frame - 1)
        except AttributeError:
            raise UndrawableError("it has no pixels") from None
        except RuntimeError:
            raise UndrawableError(f"no decoder that is installed can decode these pixels ({syntax.name})") from None
        step = -(-max(rows, columns) // FINEST)
        pixels = pixels[::step, ::step]

        # 3. Eight bits a sample, as the instance itself wants to be seen.
        image = Image.fromarray(_shown(pixels, head))
        width, height = _fitted(columns, rows * _pixel_height(head), edge)
        small = image.resize((width, height), Image.Resampling.BOX)
        return Picture(width, height, small.tobytes(), frame, frames)


def _shown(pixels: Array, head: Any) -> Array:
    """Grey or RGB, eight bits."""
    meaning = str(head.get("PhotometricInterpretation", ""))
    if meaning == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, head)
        return _bytes(pixels, 0, np.iinfo(pixels.dtype).max)[..., :3]
    if pixels.ndim == 3:
        return _bytes(pixels, 0, (1 << max(_number(head, "BitsStored"), 1)) - 1)[..., :3]
    values = np.asarray(apply_modality_lut(pixels, head), np.float64)
    values = np.nan_to_num(values, posinf=0, neginf=0)
    if "WindowWidth" in head or "VOILUTSequence" in head:
        # the window's own black and white: what the darkest and the brightest possible values become
        ends = np.array([np.float64(-1e9), np.float64(1e9)])
        if "VOILUTSequence" in head:
            values, ends = values.astype(np.int64), ends.astype(np.int64)
        flat = apply_voi_lut(np.concatenate([values.ravel(), ends]), head)
        values, low, high = flat[:-2].reshape(values.shape), flat.min(), flat.max()
    else:
        low, high = np.percentile(values, (DARKEST, BRIGHTEST))
        if low == high:
            low, high = values.min(), values.max()
    grey = _bytes(values, low, high)
    return 255 - grey if meaning == "MONOCHROME1" else grey


def _bytes(values: Array, low: float, high: float) -> Array:
    scaled = (np.asarray(values, np.float64) - low) * (255 / max(high - low, 1e-9))
    return np.ascontiguousarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _pixel_height(head: Any) -> float:
    """Height of a pixel in its widths (PS3.3 10.7.1.1 and C.7.6.3.1.7: row, then column)."""
    for name in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        value = head.get(name)
        if value is not None and len(value) == 2 and value[0] > 0 and value[1] > 0:
            ratio = float(value[0]) / float(value[1])
            return ratio if 1 / LONGEST_PIXEL <= ratio <= LONGEST_PIXEL else 1.0
    return 1.0


def _fitted(width: float, height: float, edge: int) -> tuple[int, int]:
    scale = min(edge / max(width, height), 1)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _number(head: Any, name: str) -> int:
    """A number, 0 without."""
    value = head.get(name)
    return int(value) if value not in (None, "") else 0
