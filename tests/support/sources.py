"""Sources that behave badly, for whoever reads from them."""

from __future__ import annotations

from dsig.errors import InputError, Where


class Stingy:
    """Gives exactly the bytes asked for, never more: whatever relies on a larger window shows."""

    in_memory = None

    def __init__(self, data: bytes, name: str = "<stingy>") -> None:
        self.data = data
        self.name = name
        self.size = len(data)

    def window(self, offset: int, length: int) -> tuple[bytes, int]:
        return self.data[offset : offset + length], offset

    def read_into(self, offset: int, buffer: memoryview) -> None:
        part = self.data[offset : offset + len(buffer)]
        if len(part) < len(buffer):
            raise InputError("short", code="input-short", where=Where(self.name, offset=offset))
        buffer[:] = part


class Failing(Stingy):
    """Fails as soon as a byte from `bad` on is wanted, and remembers which offsets were asked for."""

    def __init__(self, data: bytes, bad: int) -> None:
        super().__init__(data)
        self.bad = bad
        self.asked: list[int] = []

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self.asked.append(offset)
        if offset + len(buffer) > self.bad:
            raise InputError("the disk is broken", where=Where(self.name, offset=self.bad))
        super().read_into(offset, buffer)
