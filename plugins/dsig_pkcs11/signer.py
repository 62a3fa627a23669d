"""A key on a token that signs digests, from any number of threads."""

from __future__ import annotations

import time
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils
from pkcs11 import Mechanism, PKCS11Error, Session

from dsig.errors import KeySourceError
from dsig.hookspecs import MacAlgorithmSpec
from dsig_pkcs11 import objects
from dsig_pkcs11.certificates import PublicKey
from dsig_pkcs11.connection import Connection
from dsig_pkcs11.failures import ABOUT_PIN, failed, lost
from dsig_pkcs11.mechanisms import Form, NoMechanism, Plan, choose

__all__ = ["TokenSigner"]

_PKCS1_OVERHEAD = 11
"""Bytes EMSA-PKCS1-v1_5 needs besides the DigestInfo (RFC 8017 9.2)."""
_EVEN_ATTEMPTS = 64
"""Signatures made in the hope of an even length; half of them have it."""
_CHEAP = 0.05
"""Seconds a signature may take to be made again; docs/decisions/0010-even-length-on-tokens.md."""


class TokenSigner:
    """A private key on a token with its certificate; `dsig.hookspecs.Signer`."""

    def __init__(
        self,
        connection: Connection,
        key: objects.KeyFacts,
        public: PublicKey,
        mechanisms: frozenset[str],
        certificate: bytes,
        chain: tuple[bytes, ...],
    ) -> None:
        self._connection: Connection | None = connection
        self._key = key
        self._public = public
        self._certificate = certificate
        self._chain = chain
        self._what = f"signing with {key.uri} of {connection.facts}"
        self._plan = cache(lambda mac: choose(key.key_type, mac, mechanisms))

    @property
    def certificate(self) -> bytes:
        """X.509 certificate of the key, DER."""
        return self._certificate

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Its issuers, as far as they were found, DER."""
        return self._chain

    def close(self) -> None:
        """Let go of the token; signing is over."""
        self._connection = None

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """RSASSA-PKCS1-v1_5, or DER `SEQUENCE{r,s}` for DSA and ECDSA (PS3.15 C.1). Raises `KeySourceError`."""
        if len(digest) != mac.digest_size:
            raise KeySourceError(f"{len(digest)} bytes are not a {mac.name} digest", code="digest-size")
        try:
            plan: Plan = self._plan(mac.name)
        except NoMechanism as missing:
            raise KeySourceError(
                f"{self._what}: {missing}",
                code="mechanism-missing",
                hint="dsig keys list shows what each token can sign with",
            ) from None
        if isinstance(self._public, rsa.RSAPublicKey):
            return self._sign(self._rsa_input(self._public, plan, digest, mac), plan)
        return self._of_even_length(bytes(digest), plan)

    def prove(self) -> bool:
        """Whether a signature by the token verifies with the certificate; signs the digest of nothing known.

        Raises `KeySourceError`.
        """
        digest = bytes(range(32))
        try:
            plan = self._plan("SHA256")
        except NoMechanism:
            return True  # nothing can be proved, and the first signature will be refused
        public = self._public
        try:
            if isinstance(public, rsa.RSAPublicKey):
                data = _SHA256_INFO + digest
                value = self._sign(_padded(data, public) if plan.form is Form.PADDED else data, plan)
                public.verify(value, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
                return True
            value = self._pair(self._sign(self._cut(digest), plan))
            if isinstance(public, dsa.DSAPublicKey):
                public.verify(value, digest, utils.Prehashed(hashes.SHA256()))
            else:
                public.verify(value, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        except (InvalidSignature, ValueError):
            return False
        return True

    def _rsa_input(self, public: rsa.RSAPublicKey, plan: Plan, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        try:
            info = mac.digest_info(digest)
        except ValueError:
            raise KeySourceError(
                f"{mac.name} is registered with {mac.oid!r}, no object identifier", code="mac-oid"
            ) from None
        if (public.key_size + 7) // 8 < len(info) + _PKCS1_OVERHEAD:
            raise KeySourceError(
                f"an RSA key of {public.key_size} bits is too small for {mac.name}", code="key-too-small"
            )
        return _padded(info, public) if plan.form is Form.PADDED else info

    def _of_even_length(self, digest: bytes, plan: Plan) -> bytes:
        """DER of r and s, made again while it has a long-form length and an odd size, where that costs little."""
        data = self._cut(digest)
        began = time.monotonic()
        signature = self._pair(self._sign(data, plan))
        if self._key.always_authenticate or time.monotonic() - began > _CHEAP:
            return signature
        for _ in range(_EVEN_ATTEMPTS):
            if signature[1] != 0x81 or len(signature) % 2 == 0:
                break
            signature = self._pair(self._sign(data, plan))
        return signature

    def _cut(self, digest: bytes) -> bytes:
        """The digest as every module takes it: as FIPS 186-4 4.6 and 6.4 cut it, which some leave to the caller."""
        if isinstance(self._public, ec.EllipticCurvePublicKey):
            return digest[: (self._public.curve.key_size + 7) // 8]
        assert isinstance(self._public, dsa.DSAPublicKey)  # noqa: S101 - RSA has been dealt with
        size = (self._public.parameters().parameter_numbers().q.bit_length() + 7) // 8
        # NSS refuses 16 bytes; zeros in front do not change the number. (Not for curves: P-521 has an odd bit.)
        return digest[:size].rjust(size, b"\0")

    def _pair(self, raw: bytes) -> bytes:
        half, odd = divmod(len(raw), 2)
        if odd or not half:
            raise KeySourceError(
                f"{self._what}: the token gave {len(raw)} bytes, which are not r and s", code="token-error"
            )
        return utils.encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    def _sign(self, data: bytes, plan: Plan) -> bytes:
        connection = self._connection
        if connection is None:
            raise KeySourceError("the key was closed before it was asked to sign", code="key-closed")
        generation = connection.generation
        try:
            return self._once(connection, data, plan)
        except PKCS11Error as error:
            if not lost(error):
                raise self._failure(connection, error) from None
        connection.recover(generation, self._is_there)
        try:
            return self._once(connection, data, plan)
        except PKCS11Error as error:
            raise self._failure(connection, error) from None

    def _failure(self, connection: Connection, error: PKCS11Error) -> KeySourceError:
        """Why there is no signature; a PIN that was refused for it is refused for all that follow."""
        if self._key.always_authenticate and isinstance(error, ABOUT_PIN):
            with connection.module.gate.call():
                return connection.refused(error)
        return failed(error, self._what)

    def _once(self, connection: Connection, data: bytes, plan: Plan) -> bytes:
        with connection.lease() as lease:
            key = lease.objects.get(self._key)
            if key is None:
                key = lease.objects[self._key] = objects.key_again(lease.session, self._key)
            mechanism = Mechanism[plan.mechanism]
            if self._key.always_authenticate and connection.pad:
                calls = connection.module.calls()
                session = lease.session.handle  # type: ignore[attr-defined]  # the stub does not show it
                signature = calls.sign_at_reader(session, key.handle, int(mechanism), data)
            elif self._key.always_authenticate and connection.pin is not None:
                signature = key.sign(data, mechanism=mechanism, pin=connection.pin.reveal())
            else:
                signature = key.sign(data, mechanism=mechanism)
            return bytes(signature)

    def _is_there(self, session: Session) -> bool:
        objects.key_again(session, self._key)
        return True


_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 up to the digest (RFC 8017 9.2 note 1)."""


def _padded(info: bytes, public: rsa.RSAPublicKey) -> bytes:
    """EMSA-PKCS1-v1_5 (RFC 8017 9.2)."""
    size = (public.key_size + 7) // 8
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
