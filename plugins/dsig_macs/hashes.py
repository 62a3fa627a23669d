"""The hashes behind the terms of (0400,0015): those of `hashlib`, and RIPEMD-160 wherever OpenSSL does without it."""

from __future__ import annotations

import hashlib
from functools import partial

from dsig.errors import PluginError
from dsig.hookspecs import Mac

__all__ = [
    "md5",
    "ripemd160",
    "sha1",
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512_224",
    "sha512_256",
]


def _new(name: str) -> Mac:
    """Start a computation. Raises `PluginError` if this build of Python and OpenSSL has no such hash."""
    try:
        # Whether a hash is good enough is decided by the core (`weak`) and by policy. Old signatures must stay
        # verifiable on FIPS builds, which hand out MD5 only when told that nothing new depends on it.
        return hashlib.new(name, usedforsecurity=False)
    except ValueError as error:
        raise PluginError(
            f"this Python and its OpenSSL cannot compute {name.upper()}",
            code="mac-unavailable",
            hint="choose another MAC algorithm, or use a Python whose OpenSSL provides this one",
        ) from error


def ripemd160() -> Mac:
    """RIPEMD-160 of OpenSSL where it is offered, else our own: a validator must know it (PS3.15 C.1)."""
    try:
        return hashlib.new("ripemd160", usedforsecurity=False)
    except ValueError:
        from dsig_macs.ripemd160 import Ripemd160  # rarely needed

        return Ripemd160()


md5 = partial(_new, "md5")
sha1 = partial(_new, "sha1")
sha224 = partial(_new, "sha224")
sha256 = partial(_new, "sha256")
sha384 = partial(_new, "sha384")
sha512 = partial(_new, "sha512")
sha512_224 = partial(_new, "sha512_224")
sha512_256 = partial(_new, "sha512_256")
sha3_224 = partial(_new, "sha3_224")
sha3_256 = partial(_new, "sha3_256")
sha3_384 = partial(_new, "sha3_384")
sha3_512 = partial(_new, "sha3_512")
