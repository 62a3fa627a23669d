"""Checking one signature value against one public key, with no leeway in the encoding.

Everything here either returns or raises `ValueError` with the reason why the signature is not valid.
"""

from __future__ import annotations

from hmac import compare_digest

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils

from dsig.hookspecs import MacAlgorithmSpec
from dsig_x509 import Key, require_pair, without_pad

__all__ = ["check"]

_BY_SIZE: dict[int, hashes.HashAlgorithm] = {
    16: hashes.MD5(),  # noqa: S303 - a name for the size, nothing is hashed
    20: hashes.SHA1(),  # noqa: S303 - as above
    28: hashes.SHA224(),
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}
"""DSA and ECDSA look at the leftmost bits of the digest, whichever hash made it; the library only asks for its size."""


def check(key: Key, digest: bytes, mac: MacAlgorithmSpec, signature: bytes) -> None:
    """Verify `signature` as stored, with its pad byte if it has one (PS3.15 C.1). Raises `ValueError`."""
    if len(digest) != mac.digest_size:
        raise ValueError(f"{len(digest)} bytes are not a {mac.name} digest")
    if isinstance(key, rsa.RSAPublicKey):
        _check_rsa(key, mac.digest_info(digest), signature)
    else:
        _check_dsa(key, digest, signature)


def _check_rsa(key: rsa.RSAPublicKey, expected: bytes, signature: bytes) -> None:
    """RSASSA-PKCS1-v1_5: recover the DigestInfo and compare all of it (RFC 8017 8.2.2 and its note on parsing)."""
    size = (key.key_size + 7) // 8
    if len(signature) == size + 1 and size % 2 == 1 and signature[-1] == 0:
        signature = signature[:-1]
    if len(signature) != size:
        raise ValueError(f"the signature has {len(signature)} bytes, the RSA key makes {size}")
    try:
        recovered = key.recover_data_from_signature(signature, padding.PKCS1v15(), utils.NoDigestInfo())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise ValueError("the signature was not made by this RSA key") from None
    if not compare_digest(recovered, expected):
        raise ValueError("the RSA signature is of another digest")


def _check_dsa(key: dsa.DSAPublicKey | ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> None:
    """DSA or ECDSA over the digest itself; the value is DER `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279 2.2.2)."""
    if len(digest) not in _BY_SIZE:
        raise ValueError(f"no DSA or ECDSA signature over a digest of {len(digest)} bytes")
    try:
        der = without_pad(signature)
        require_pair(der)
    except ValueError as error:
        raise ValueError(f"the signature is not DER SEQUENCE {{r, s}}: {error}") from None
    size = utils.Prehashed(_BY_SIZE[len(digest)])
    try:
        if isinstance(key, dsa.DSAPublicKey):
            key.verify(der, digest, size)
        else:
            key.verify(der, digest, ec.ECDSA(size))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise ValueError("the signature is not of this digest by this key") from None
