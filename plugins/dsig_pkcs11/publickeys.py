"""Public keys as a token tells them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from pkcs11 import Attribute, Session

from dsig.errors import KeySourceError
from dsig_pkcs11.certificates import PublicKey, points_of
from dsig_pkcs11.objects import KeyFacts, attribute, key_again, public_key_of

__all__ = ["CURVES", "public_key_on", "size_of"]

CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
    bytes.fromhex("06052b81040023"): ec.SECP521R1(),
    bytes.fromhex("06092b2403030208010107"): ec.BrainpoolP256R1(),
    bytes.fromhex("06092b240303020801010b"): ec.BrainpoolP384R1(),
    bytes.fromhex("06092b240303020801010d"): ec.BrainpoolP512R1(),
}
"""CKA_EC_PARAMS, the DER of a named curve."""


def public_key_on(session: Session, key: KeyFacts) -> PublicKey:
    """The public half of a token key. Raises `KeySourceError` if the token does not tell it, `PKCS11Error`."""
    private, public = key_again(session, key), public_key_of(session, key)
    found: PublicKey | None = None
    try:
        match key.key_type:
            case "RSA":
                found = _rsa(private) or _rsa(public)
            case "EC":
                found = _ec(public)
            case "DSA":
                found = _dsa(public)
    except ValueError:
        found = None
    if found is None:
        raise KeySourceError(
            f"the token does not tell the public key of {key.uri}",
            code="key-unsupported",
            hint="it needs a public key object with the same CKA_ID as the private key",
        )
    return found


def size_of(public: PublicKey) -> str:
    """Type and size, for people."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"EC {public.curve.name}"
    return f"{'RSA' if isinstance(public, rsa.RSAPublicKey) else 'DSA'} {public.key_size}"


def _number(thing: object, name: Attribute) -> int:
    return int.from_bytes(attribute(thing, name, b"") or b"", "big") if thing is not None else 0


def _rsa(thing: object) -> rsa.RSAPublicKey | None:
    modulus, exponent = _number(thing, Attribute.MODULUS), _number(thing, Attribute.PUBLIC_EXPONENT)
    return rsa.RSAPublicNumbers(exponent, modulus).public_key() if modulus and exponent else None


def _ec(thing: object) -> ec.EllipticCurvePublicKey | None:
    if thing is None:
        return None
    curve, point = CURVES.get(attribute(thing, Attribute.EC_PARAMS, b"")), attribute(thing, Attribute.EC_POINT)
    if curve is None or not point:
        return None
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, points_of(point)[-1])


def _dsa(thing: object) -> dsa.DSAPublicKey | None:
    y = _number(thing, Attribute.VALUE)
    names = (Attribute.PRIME, Attribute.SUBPRIME, Attribute.BASE)
    p, q, g = (_number(thing, name) for name in names)
    return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key() if y and p and q and g else None
