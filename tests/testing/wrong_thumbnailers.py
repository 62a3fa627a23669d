"""Thumbnailers that are wrong in one way each, and one that is right; imported by the process that draws."""

from __future__ import annotations

import itertools
import os
import tempfile

from dsig.hookspecs import Picture


class Right:
    """Draws what has a preamble."""

    def draw(self, file, edge):
        data = file.read()
        if data[128:132] != b"DICM":
            raise ValueError("it is no DICOM file")
        if len(data) < 1000:
            raise ValueError("it is cut")
        return Picture(edge, 2, bytes(2 * edge))


class TooLarge(Right):
    """Its own idea of an edge."""

    def draw(self, file, edge):
        return Picture(65, 1, bytes(65))


class Empty(Right):
    def draw(self, file, edge):
        return Picture(0, 0, b"")


class OtherSamples(Right):
    """One sample short."""

    def draw(self, file, edge):
        return Picture(8, 8, bytes(63))


class FramesFromZero(Right):
    def draw(self, file, edge):
        return Picture(8, 8, bytes(64), 0, 3)


class GivesPng(Right):
    """A file, where samples are wanted."""

    def draw(self, file, edge):
        return b"\x89PNG\r\n\x1a\n"


class Closes(Right):
    def draw(self, file, edge):
        with file:
            return super().draw(file, edge)


class Changes(Right):
    """Never the same twice."""

    numbers = itertools.count()

    def draw(self, file, edge):
        return Picture(1, 1, bytes([next(self.numbers) % 256]))


class WritesFiles(Right):
    """Works where it was written."""

    def draw(self, file, edge):
        with tempfile.TemporaryFile() as copy:
            copy.write(file.read())
            copy.flush()
        file.seek(0)
        return super().draw(file, edge)


class RaisesOtherThings(Right):
    def draw(self, file, edge):
        try:
            return super().draw(file, edge)
        except ValueError:
            raise AttributeError("PixelData") from None


class DrawsAnything(Right):
    def draw(self, file, edge):
        return Picture(1, 1, b"x")


class SaysNothing(Right):
    def draw(self, file, edge):
        try:
            return super().draw(file, edge)
        except ValueError:
            raise ValueError from None


class Crashes(Right):
    """As a decoder does that is told a wrong length; not in the process of the tests."""

    def draw(self, file, edge):
        try:
            return super().draw(file, edge)
        except ValueError:
            os.abort()


class Hangs(Right):
    def draw(self, file, edge):
        try:
            return super().draw(file, edge)
        except ValueError:
            while True:
                pass


class DoesNotLoad:
    def __init__(self):
        raise RuntimeError("no display")
