"""The key source `pkcs11`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, PKCS11Error

from dsig.errors import KeySourceError
from dsig.hookspecs import KeyRequest, Secrets
from dsig_pkcs11 import certificates, objects, tokens, uri
from dsig_pkcs11.connection import Connection, connect
from dsig_pkcs11.failures import failed
from dsig_pkcs11.library import load
from dsig_pkcs11.modules import resolve
from dsig_pkcs11.pin import ask
from dsig_pkcs11.signer import TokenSigner

__all__ = ["TokenKeySource", "opened"]


class TokenKeySource:
    """Opens keys on tokens; `dsig.hookspecs.KeySource`."""

    @contextmanager
    def open(self, request: KeyRequest, secrets: Secrets) -> Iterator[TokenSigner]:
        """Log in, find key and certificate and prove that they belong together. Raises `KeySourceError`."""
        wanted = uri.parse(request.uri, insecure_pin=request.insecure_pin)
        with opened(wanted, secrets) as connection:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of certificates that are odd; the core judges them
                try:
                    signer = _signer(connection, wanted, request.certificate)
                except PKCS11Error as error:
                    raise failed(error, f"reading {connection.facts}") from None
            try:
                yield signer
            finally:
                signer.close()


@contextmanager
def opened(wanted: uri.TokenUri, secrets: Secrets) -> Iterator[Connection]:
    """Logged in to the token a URI means. Raises `KeySourceError`, `UsageError` for a bad configuration."""
    choice = resolve(wanted)
    module = load(choice)
    try:
        with module.gate.call():
            token, facts = tokens.find_token(module, wanted)
    except PKCS11Error as error:
        raise failed(error, f"looking for tokens with {module.path}") from None
    with connect(module, token, facts, partial(ask, secrets, wanted.pin_source, wanted.pin_value)) as connection:
        yield connection


def _signer(connection: Connection, wanted: uri.TokenUri, file: str | None) -> TokenSigner:
    """The steps, top to bottom. Raises `KeySourceError`, `PKCS11Error`."""
    with connection.lease() as lease:
        # 1. The key.
        key = objects.find_key(lease.session, wanted, connection.facts)

        # 2. The certificate, and all that may be above it.
        proof = partial(certificates.matches, key, objects.public_key_of(lease.session, key))
        offered: list[x509.Certificate] = []
        if file is None:
            present = certificates.stored(lease.session, {Attribute.ID: key.id}) if key.id else []
            present = present or certificates.stored(lease.session)
            certificate = certificates.from_token(key, present, connection.facts, proof)
        else:
            certificate, *offered = certificates.from_file(file)
        public = certificates.public_key(key, certificate)
        chain = certificates.chain_of(certificate, offered, partial(certificates.issuers, lease.session))

        # 3. They belong together, as far as the token's objects tell.
        proved = proof(certificate)
        if proved is False:
            raise certificates.mismatch(key)
        mechanisms = tokens.mechanisms_of(lease.session.token)

    # 4. What each signature needs.
    if key.always_authenticate:
        if connection.pad and not connection.module.shares_sessions:
            raise KeySourceError(
                f"the key {key.uri} wants a PIN typed at the reader each time, which this module cannot pass on",
                code="pin-state",
                hint="name the reader's own module, not p11-kit's",
            )
        connection.pin_for_signing()
    signer = TokenSigner(connection, key, public, mechanisms, certificate.public_bytes(Encoding.DER), chain)

    # 5. Where they did not tell, a signature does; not where it costs a PIN, because the first real one is proved too.
    if proved is None and not key.always_authenticate and not signer.prove():
        raise certificates.mismatch(key)
    return signer
