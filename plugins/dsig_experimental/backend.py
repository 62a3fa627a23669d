"""The crypto backend `experimental`."""

from __future__ import annotations

from dataclasses import replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa

from dsig.hookspecs import CertificateFacts, MacAlgorithmSpec, SignatureCheck
from dsig_experimental.algorithms import UnknownError, kind_of, message, permitted, pss, public_key
from dsig_x509 import facts, read

__all__ = ["ExperimentalBackend"]


class ExperimentalBackend:
    """Verifies what the standard does not have, and nothing else; `dsig.hookspecs.CryptoBackend`. Keeps no state."""

    def verify_digest(
        self, certificate: bytes, digest: bytes, mac: MacAlgorithmSpec, signature: bytes
    ) -> SignatureCheck:
        """Check the value of (0400,0120) as stored; garbage is an answer."""
        try:
            _check(bytes(certificate), digest, mac, bytes(signature))
        except UnknownError as error:
            return SignatureCheck(False, str(error), unsupported=True)
        except ValueError as error:
            return SignatureCheck(False, str(error))
        return SignatureCheck(True)

    def certificate(self, der: bytes) -> CertificateFacts:
        """Read a certificate, with any key. Raises `ValueError` if it is not exactly one, one pad byte allowed."""
        certificate = read(bytes(der))
        said = facts(certificate)
        try:
            kind, key = kind_of(certificate.x509), public_key(certificate.x509)
        except ValueError:  # of another kind, or of no use: its name is all there is to say
            return said
        if isinstance(key, rsa.RSAPublicKey):
            bits = key.key_size
            return replace(said, key=f"{kind.name} {bits}", key_size=bits, signature_size=(bits + 7) // 8)
        return replace(said, signature_size=kind.size)


def _check(certificate: bytes, digest: bytes, mac: MacAlgorithmSpec, signature: bytes) -> None:
    """Raise `UnknownError` for what cannot be judged, `ValueError` for what is not valid."""
    if len(digest) != mac.digest_size:
        raise ValueError(f"{len(digest)} bytes are not a {mac.name} digest")
    parsed = read(certificate)
    kind, key = kind_of(parsed.x509), public_key(parsed.x509)
    value = _without_pad(signature, kind.size or (key.key_size + 7) // 8)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            padding, prehashed = pss(mac)
            if problem := permitted(parsed.der, mac):
                raise ValueError(problem)
            key.verify(value, digest, padding, prehashed)
        else:
            key.verify(value, message(digest, mac))
    except InvalidSignature:
        raise ValueError(f"the signature was not made by this {kind.name} key over this digest") from None


def _without_pad(signature: bytes, size: int) -> bytes:
    """The signature without the byte that makes an odd length even (PS3.5 6.2 OB). Raises `ValueError`."""
    if len(signature) == size + 1 and size % 2 and not signature[-1]:
        return signature[:-1]
    if len(signature) != size:
        raise ValueError(f"the signature has {len(signature)} bytes, the key makes {size}")
    return signature
