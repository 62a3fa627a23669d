"""The algorithms: what is signed, with which parameters, how long signatures are.

Ed25519 and ML-DSA sign messages, not digests: the message is the DigestInfo of the MAC (RFC 8017 A.2.4), which names
the hash, so that no digest of one algorithm can be taken for one of another. RSASSA-PSS signs the digest itself; MGF1
uses the hash of the MAC, the salt has the length of the digest (RFC 8017 8.1), and keys are those certified for nothing
else (id-RSASSA-PSS, RFC 4055 1.2): of an ordinary RSA key nobody could tell which of two signatures it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.x509.oid import PublicKeyAlgorithmOID as Oid

from dsig.hookspecs import MacAlgorithmSpec

__all__ = ["KINDS", "Kind", "UnknownError", "kind_of", "message", "permitted", "pss", "public_key"]

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
"""By identifier, what RSASSA-PSS is used with here."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of key."""

    name: str
    size: int
    """Bytes of a signature; 0 for RSASSA-PSS, whose modulus says it."""


KINDS: Mapping[x509.ObjectIdentifier, Kind] = {
    Oid.RSASSA_PSS: Kind("RSASSA-PSS", 0),
    Oid.ED25519: Kind("Ed25519", 64),
    Oid.ML_DSA_44: Kind("ML-DSA-44", 2420),
    Oid.ML_DSA_65: Kind("ML-DSA-65", 3309),
    Oid.ML_DSA_87: Kind("ML-DSA-87", 4627),
}
"""By the algorithm of the key in the certificate; sizes of ML-DSA from FIPS 204 table 2."""


class UnknownError(ValueError):
    """A kind of key, or a combination, that is not known here, with the reason."""


def kind_of(certificate: x509.Certificate) -> Kind:
    """The kind of its key. Raises `UnknownError`."""
    oid = certificate.public_key_algorithm_oid
    if oid not in KINDS:
        raise UnknownError(f"a key of {oid.dotted_string} is none of {', '.join(k.name for k in KINDS.values())}")
    return KINDS[oid]


def public_key(certificate: x509.Certificate) -> Any:
    """The key, RSA, Ed25519 or ML-DSA. Raises `UnknownError` if the library cannot, `ValueError` if it is unsound."""
    kind = kind_of(certificate)
    try:
        key: Any = certificate.public_key()
    except UnsupportedAlgorithm:
        raise UnknownError(f"the OpenSSL of this installation has no {kind.name}") from None
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e  # RFC 8017 3.1
        if exponent < 3 or not exponent % 2:
            raise ValueError("the exponent of the RSA key proves nothing")
    return key


def message(digest: bytes, mac: MacAlgorithmSpec) -> bytes:
    """What Ed25519 and ML-DSA sign."""
    return mac.digest_info(digest)


def pss(mac: MacAlgorithmSpec) -> tuple[padding.PSS, utils.Prehashed]:
    """The parameters of RSASSA-PSS. Raises `UnknownError` for other hashes than SHA-256, SHA-384 and SHA-512."""
    found = _HASHES.get(mac.oid)
    if found is None:
        raise UnknownError(f"RSASSA-PSS is used with SHA256, SHA384 and SHA512 here, not with {mac.name}")
    return padding.PSS(mgf=padding.MGF1(found), salt_length=found.digest_size), utils.Prehashed(found)


def permitted(der: bytes, mac: MacAlgorithmSpec) -> str:
    """Why the parameters in an id-RSASSA-PSS key forbid this MAC, or an empty string (RFC 4055 3.1)."""
    parameters = asn1.Certificate.load(der).public_key["algorithm"]["parameters"].native
    if not parameters:
        return ""
    wanted = _HASHES[mac.oid]
    digest, mask = parameters["hash_algorithm"], parameters["mask_gen_algorithm"]
    named = {digest["algorithm"], mask["parameters"]["algorithm"] if mask["algorithm"] == "mgf1" else "no MGF1"}
    if named != {wanted.name} or parameters["salt_length"] > wanted.digest_size:
        return f"the certificate permits its RSASSA-PSS key other parameters than those of {mac.name}"
    return ""
