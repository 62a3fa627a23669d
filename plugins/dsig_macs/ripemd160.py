"""RIPEMD-160 in Python, for builds whose OpenSSL does without it: about a megabyte a second, and always there.

The names of the tables and variables are those of Dobbertin, Bosselaers, Preneel, "RIPEMD-160: a strengthened version
of RIPEMD", appendix A; the same hash is dedicated hash function 1 of ISO/IEC 10118-3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

__all__ = ["Ripemd160"]

BLOCK = 64
"""Bytes taken by one call of the compression function."""

_MASK = 0xFFFFFFFF
_INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)

_K = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_K_RIGHT = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)

# Order in which the 16 words of a block are used, one row a round.
_R = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8),
    (3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12),
    (1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2),
    (4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13),
)
_R_RIGHT = (
    (5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12),
    (6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2),
    (15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13),
    (8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14),
    (12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11),
)

# Bits each step rotates to the left.
_S = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12),
    (11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5),
    (11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12),
    (9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6),
)
_S_RIGHT = (
    (8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6),
    (9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11),
    (9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5),
    (15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8),
    (8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11),
)

# The five boolean functions, one a round; the right line uses them backwards. Complements are taken modulo 2**32.
_F: tuple[Callable[[int, int, int], int], ...] = (
    lambda x, y, z: x ^ y ^ z,
    lambda x, y, z: (x & y) | (~x & z),
    lambda x, y, z: (x | (y ^ _MASK)) ^ z,
    lambda x, y, z: (x & z) | (y & ~z),
    lambda x, y, z: x ^ (y | (z ^ _MASK)),
)

_LEFT = tuple(zip(_F, _K, (tuple(zip(r, s, strict=True)) for r, s in zip(_R, _S, strict=True)), strict=True))
_RIGHT = tuple(
    zip(
        reversed(_F),
        _K_RIGHT,
        (tuple(zip(r, s, strict=True)) for r, s in zip(_R_RIGHT, _S_RIGHT, strict=True)),
        strict=True,
    )
)

Rounds = tuple[tuple[Callable[[int, int, int], int], int, tuple[tuple[int, int], ...]], ...]
State = tuple[int, int, int, int, int]


def _line(rounds: Rounds, words: tuple[int, ...], state: State) -> State:
    """One of the two parallel lines: five rounds of sixteen steps."""
    a, b, c, d, e = state
    for f, k, steps in rounds:
        for word, shift in steps:
            t = (a + f(b, c, d) + words[word] + k) & _MASK
            t = ((t << shift | t >> (32 - shift)) + e) & _MASK
            a, e, d, c, b = e, d, (c << 10 | c >> 22) & _MASK, b, t
    return a, b, c, d, e


def _compress(state: State, block: bytes | memoryview) -> State:
    """Take in one block."""
    words = struct.unpack("<16I", block)
    left = _line(_LEFT, words, state)
    right = _line(_RIGHT, words, state)
    h0, h1, h2, h3, h4 = state
    return (
        (h1 + left[2] + right[3]) & _MASK,
        (h2 + left[3] + right[4]) & _MASK,
        (h3 + left[4] + right[0]) & _MASK,
        (h4 + left[0] + right[1]) & _MASK,
        (h0 + left[1] + right[2]) & _MASK,
    )


class Ripemd160:
    """A running computation; `dsig.hookspecs.Mac`."""

    __slots__ = ("_length", "_rest", "_state")

    def __init__(self) -> None:
        self._state: State = _INITIAL
        self._rest = b""
        self._length = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes."""
        view = memoryview(data).cast("B")
        self._length += len(view)
        if self._rest:
            wanted = BLOCK - len(self._rest)
            self._rest += bytes(view[:wanted])
            view = view[wanted:]
            if len(self._rest) < BLOCK:
                return
            self._state = _compress(self._state, self._rest)
        whole = len(view) - len(view) % BLOCK
        for start in range(0, whole, BLOCK):
            self._state = _compress(self._state, view[start : start + BLOCK])
        self._rest = bytes(view[whole:])

    def digest(self) -> bytes:
        """The 20 bytes for everything taken so far; more may follow."""
        fill = b"\x80" + b"\x00" * (-(self._length + 9) % BLOCK)
        # The length counts bits, modulo 2**64, low word first.
        tail = self._rest + fill + struct.pack("<Q", self._length * 8 & 0xFFFFFFFFFFFFFFFF)
        state = self._state
        for start in range(0, len(tail), BLOCK):
            state = _compress(state, tail[start : start + BLOCK])
        return struct.pack("<5I", *state)
