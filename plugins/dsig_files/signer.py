"""A key in memory that signs digests."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils

from dsig.errors import KeySourceError, Where
from dsig.hookspecs import MacAlgorithmSpec

__all__ = ["FileSigner", "Key"]

Key = rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey

_PKCS1_OVERHEAD = 11
"""Bytes EMSA-PKCS1-v1_5 needs besides the DigestInfo (RFC 8017 9.2)."""

_EVEN_ATTEMPTS = 64
"""Signatures made in the hope of an even length; half of them have it, so that the last is as good as never used."""

_BY_SIZE: dict[int, hashes.HashAlgorithm] = {
    16: hashes.MD5(),  # noqa: S303 - a name for the size, nothing is hashed
    20: hashes.SHA1(),  # noqa: S303 - as above
    28: hashes.SHA224(),
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}
"""DSA and ECDSA sign the leftmost bits of the digest, whichever hash made it; the library only asks for its size."""


class FileSigner:
    """A private key with its certificate; `dsig.hookspecs.Signer`."""

    def __init__(self, key: Key, certificate: bytes, chain: tuple[bytes, ...], file: str) -> None:
        self._key: Key | None = key
        self._certificate = certificate
        self._chain = chain
        self._where = Where(file=file)

    @property
    def certificate(self) -> bytes:
        """X.509 certificate of the key, DER."""
        return self._certificate

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Further certificates found with it, DER."""
        return self._chain

    def close(self) -> None:
        """Let go of the key; signing is over."""
        self._key = None

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """RSASSA-PKCS1-v1_5, or DER `SEQUENCE{r,s}` for DSA and ECDSA (PS3.15 C.1). Raises `KeySourceError`."""
        if len(digest) != mac.digest_size:
            raise self._error("digest-size", f"{len(digest)} bytes are not a {mac.name} digest")
        if self._key is None:
            raise self._error("key-closed", "the key was closed before it was asked to sign")
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._sign_rsa(self._key, digest, mac)
        if len(digest) not in _BY_SIZE:
            raise self._error("digest-size", f"no DSA or ECDSA signature over the {len(digest)} bytes of {mac.name}")
        size = utils.Prehashed(_BY_SIZE[len(digest)])
        if isinstance(self._key, dsa.DSAPrivateKey):
            return self._key.sign(digest, size)
        key = self._key
        return _of_even_length(lambda: key.sign(digest, ec.ECDSA(size)))

    def _sign_rsa(self, key: rsa.RSAPrivateKey, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        # One way for all hashes: the library knows no RIPEMD-160, so that it is never asked to make the DigestInfo.
        try:
            info = mac.digest_info(digest)
        except ValueError:
            raise self._error("mac-oid", f"{mac.name} is registered with {mac.oid!r}, no object identifier") from None
        if (key.key_size + 7) // 8 < len(info) + _PKCS1_OVERHEAD:
            raise self._error("key-too-small", f"an RSA key of {key.key_size} bits is too small for {mac.name}")
        return key.sign(info, padding.PKCS1v15(), utils.NoDigestInfo())

    def _error(self, code: str, message: str) -> KeySourceError:
        return KeySourceError(message, code=code, where=self._where)


def _of_even_length(sign: Callable[[], bytes]) -> bytes:
    """Sign again while the DER has a long-form length and an odd size; see docs/decisions/0003-even-length-ecdsa.md."""
    signature = sign()
    for _ in range(_EVEN_ATTEMPTS):
        if signature[1] != 0x81 or len(signature) % 2 == 0:
            break
        signature = sign()
    return signature
