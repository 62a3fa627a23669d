"""What a MAC algorithm must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dsig.plugins import HOST
from dsig.testing.installed import installed

__all__ = ["MacAlgorithmContract"]

MESSAGE = bytes(range(256)) * 300
"""Longer than any block, not a multiple of usual ones when cut."""


class MacAlgorithmContract:
    """Subclass it with the name of the algorithm and values that somebody else computed."""

    name: ClassVar[str]
    vectors: ClassVar[Mapping[bytes, str]]
    """Message to digest, hexadecimal; from a standard, or from another implementation."""
    backend: str = HOST
    """For the authors of MAC backends: where the algorithm is computed, as for `--mac-backend`."""

    def test_is_registered_under_a_defined_term(self) -> None:
        """(0400,0015) is CS: upper case, digits, space and underscore, 16 characters at most (PS3.5 6.2)."""
        spec = installed().mac_algorithms.spec(self.name)
        assert len(spec.name) <= 16
        assert spec.name == spec.name.upper()
        assert all(c.isascii() and (c.isalnum() or c in " _") for c in spec.name)

    def test_gives_what_others_computed(self) -> None:
        """An algorithm that agrees only with itself protects nothing."""
        assert self.vectors, "give at least one vector that was not computed by this plugin"
        for message, expected in self.vectors.items():
            mac = installed().new_mac(self.name, self.backend)
            mac.update(message)
            assert mac.digest().hex() == expected.lower()

    def test_does_not_care_how_the_stream_is_cut(self) -> None:
        """The core hands over ranges of files, of any length."""
        whole = self.digest(MESSAGE)
        for size in (1, 7, 64, 4096, 65_537):
            pieces = [MESSAGE[i : i + size] for i in range(0, len(MESSAGE), size)]
            assert self.digest(*pieces) == whole, f"in pieces of {size} bytes"
        assert self.digest(b"", MESSAGE, b"") == whole

    def test_takes_every_kind_of_bytes(self) -> None:
        """Buffers are reused: what was handed over must have been read when `update` returns."""
        buffer = bytearray(MESSAGE)
        mac = installed().new_mac(self.name, self.backend)
        mac.update(memoryview(buffer))
        buffer[:] = bytes(len(buffer))
        assert mac.digest() == self.digest(MESSAGE)
        assert self.digest(bytearray(MESSAGE)) == self.digest(MESSAGE)

    def test_computations_know_nothing_of_each_other(self) -> None:
        """Several signatures of a file are checked in one pass."""
        first, second = installed().new_mac(self.name, self.backend), installed().new_mac(self.name, self.backend)
        first.update(MESSAGE)
        second.update(b"x")
        assert first.digest() == self.digest(MESSAGE)
        assert second.digest() == self.digest(b"x")

    def test_the_digest_can_be_asked_for_twice(self) -> None:
        """Reports ask again."""
        mac = installed().new_mac(self.name, self.backend)
        mac.update(MESSAGE)
        assert mac.digest() == mac.digest()

    def test_one_bit_matters(self) -> None:
        """At the beginning, in the middle, and at the end."""
        for at in (0, len(MESSAGE) // 2, len(MESSAGE) - 1):
            changed = bytearray(MESSAGE)
            changed[at] ^= 1
            assert self.digest(changed) != self.digest(MESSAGE)
        assert self.digest(MESSAGE[:-1]) != self.digest(MESSAGE)

    def test_its_digest_info_names_it(self) -> None:
        """What RSA signs (RFC 8017 A.2.4): the identifier, then the digest as the last thing."""
        spec = installed().mac_algorithms.spec(self.name)
        digest = self.digest(MESSAGE)
        info = spec.digest_info(digest)
        assert info[0] == 0x30
        assert info.endswith(b"\x04" + bytes([spec.digest_size]) + digest)

    def digest(self, *pieces: bytes | bytearray) -> bytes:
        """Digest of the pieces."""
        mac = installed().new_mac(self.name, self.backend)
        for piece in pieces:
            mac.update(piece)
        return mac.digest()
