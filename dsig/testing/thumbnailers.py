"""What a thumbnailer must do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar

import pytest

from dsig.hookspecs import Picture, Thumbnailer
from dsig.model import Thumbnail
from dsig.testing.installed import installed
from dsig.testing.samples import unsigned_file
from dsig.thumbnails.studio import FAULTS, Studio
from dsig.thumbnails.worker import EDGE, SECONDS

__all__ = ["ThumbnailerContract"]

UNDRAWABLE = {"nothing": b"", "what is no DICOM": b"\xff\x00" * 500}


class ThumbnailerContract:
    """Subclass it with the name of the thumbnailer; what its pictures show is for its own tests."""

    name: ClassVar[str]
    seconds: ClassVar[int] = SECONDS
    """Of processor time that it gets for one picture."""

    @pytest.fixture
    def instance(self) -> bytes:
        """Give a DICOM file it can draw. Default: the secondary capture of `dsig.testing.unsigned_file`."""
        return unsigned_file()

    @property
    def thumbnailer(self) -> Thumbnailer:
        """The provider, in the process of the tests."""
        return installed().thumbnailers.get(self.name)

    def drawn(self, instance: bytes, directory: Path, edge: int = EDGE) -> Picture:
        """A picture by the provider, of the right kind and size."""
        with _opened(instance, directory) as file:
            picture = self.thumbnailer.draw(file, edge)
            assert not file.closed, "the file is the core's, which looks whether it is still the same"
        assert isinstance(picture, Picture), f"{type(picture).__name__} is no dsig.hookspecs.Picture"
        assert isinstance(picture.samples, bytes)
        assert 1 <= picture.width <= edge, f"{picture.width} pixels wide, of {edge}"
        assert 1 <= picture.height <= edge, f"{picture.height} pixels high, of {edge}"
        pixels = picture.width * picture.height
        assert len(picture.samples) in (pixels, 3 * pixels), "a byte for each pixel, or three"
        assert 1 <= picture.frame <= picture.frames, "frames are counted from 1"
        return picture

    def shown(self, instances: dict[str, bytes], directory: Path) -> dict[str, Thumbnail]:
        """What reports show of files: drawn in a process of its own, within limits."""
        found = {}
        with Studio(installed().thumbnailers.provider(self.name), seconds=self.seconds) as studio:
            for name, data in instances.items():
                path = directory / "shown.dcm"
                path.write_bytes(data)
                facts = path.stat()
                found[name] = studio.thumbnail(str(path), (facts.st_size, facts.st_mtime_ns, facts.st_ino))
        return found

    def test_it_draws_what_it_can_draw(self, instance: bytes, tmp_path: Path) -> None:
        """Samples and their measures fit together, and no edge is longer than was asked for."""
        for edge in (EDGE, 64, 8):
            self.drawn(instance, tmp_path, edge)

    def test_the_same_file_looks_the_same(self, instance: bytes, tmp_path: Path) -> None:
        """Reports are compared."""
        assert self.drawn(instance, tmp_path) == self.drawn(instance, tmp_path)

    def test_reports_show_it(self, instance: bytes, tmp_path: Path) -> None:
        """As the core has it drawn: elsewhere, in little time and memory, without files to write."""
        shown = self.shown({"instance": instance}, tmp_path)["instance"]
        assert shown.png, shown.reason

    def test_what_cannot_be_drawn_is_told(self, instance: bytes, tmp_path: Path) -> None:
        """By `ValueError` with a reason for people; what is damaged may be drawn, what is no instance may not."""
        for name, data in _hostile(instance).items():
            try:
                self.drawn(data, tmp_path)
            except ValueError as error:
                assert str(error).strip(), f"{name}: a reason without words"
            else:
                assert name not in UNDRAWABLE, f"a picture of {name}"

    def test_hostile_files_end_nothing(self, instance: bytes, tmp_path: Path) -> None:
        """Each is a picture or a reason: no crash, no hang, no memory without end; the next file is drawn."""
        hostile = _hostile(instance)
        for name, shown in self.shown({**hostile, "the next": instance}, tmp_path).items():
            assert shown.png or not shown.reason.startswith(FAULTS), f"{name}: {shown.reason}"
            assert shown.png or name in hostile, f"the file after those: {shown.reason}"


def _hostile(instance: bytes) -> dict[str, bytes]:
    """What may lie where an instance is expected."""
    from io import BytesIO

    from pydicom import dcmread

    claims = dcmread(BytesIO(instance))
    claims.Rows = claims.Columns = 0xFFFF
    claims.NumberOfFrames = str((1 << 31) - 1)
    boastful = BytesIO()
    claims.save_as(boastful)
    return {
        **UNDRAWABLE,
        "a file cut in the middle": instance[: len(instance) // 2],
        "a file cut before its last byte": instance[:-1],
        "a file that claims to be large": boastful.getvalue(),
    }


@contextmanager
def _opened(data: bytes, directory: Path) -> Iterator[BinaryIO]:
    """As the core opens it."""
    path = directory / "instance.dcm"
    path.write_bytes(data)
    with path.open("rb") as file:
        yield file
