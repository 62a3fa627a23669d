"""`dsig keys csr` and `dsig keys install-cert`: from a key on a token to its certificate beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, CertificateType, ObjectClass, PKCS11Error

from dsig.errors import KeySourceError, OutputError, UsageError, Where
from dsig.hookspecs import MacAlgorithmSpec, Outputs
from dsig_pkcs11 import certificates, objects, tokens
from dsig_pkcs11.commands import files
from dsig_pkcs11.commands.options import GivenSecrets, passphrase_options, pin_options, tell
from dsig_pkcs11.connection import Connection
from dsig_pkcs11.failures import failed
from dsig_pkcs11.publickeys import public_key_on
from dsig_pkcs11.signer import TokenSigner
from dsig_pkcs11.source import opened
from dsig_pkcs11.uri import TokenUri

__all__ = ["csr", "install_cert"]

SHA256 = MacAlgorithmSpec(
    name="SHA256",
    summary="FIPS 180-4 SHA-256",
    factory="hashlib:sha256",
    oid="2.16.840.1.101.3.4.2.1",
    digest_size=32,
)
_ALGORITHMS = {
    "RSA": bytes.fromhex("300d06092a864886f70d01010b0500"),
    "EC": bytes.fromhex("300a06082a8648ce3d040302"),
    "DSA": bytes.fromhex("300b0609608648016503040302"),
}
"""AlgorithmIdentifier of the key's signatures with SHA-256 (RFC 4055 5, RFC 5758 3.1 and 3.2)."""


@click.command("csr", short_help="Write a request for a certificate.")
@click.argument("uri")
@click.option("--subject", required=True, metavar="NAME", help="As in CN=Scanner 7,O=Hospital (RFC 4514).")
@click.option("-o", "--output", metavar="FILE", help="PEM file to write. Default: standard output.")
@passphrase_options
@pin_options
@click.pass_obj
def csr(
    outputs: Outputs, uri: str, subject: str, output: str | None, passphrase: GivenSecrets, secrets: GivenSecrets
) -> int:
    """Ask for a certificate: a request (PKCS#10), signed by the key on the token, or in a file if URI is a path.

    Example: dsig keys csr 'pkcs11:token=dsig-dev;object=scanner7' --subject CN=scanner7 -o request.pem --pin-file pin
    """
    try:
        name = x509.Name.from_rfc4514_string(subject)
        if not list(name):
            raise ValueError
    except ValueError:
        raise UsageError(f"{subject!r} is no subject name", hint="as in CN=Scanner 7,O=Hospital") from None
    path = files.path_of(uri)

    def pem() -> bytes:
        request = _from_token(uri, name, secrets) if path is None else files.request(path, name, passphrase)
        return request.public_bytes(Encoding.PEM)

    if output is None:
        click.echo(pem().decode(), nl=False)
        return 0
    _refuse_loss(output)
    with outputs.replacing(output, "the request") as file:
        file.write(pem())
    tell("written", output, indent=0)
    return 0


@click.command("install-cert", short_help="Store a certificate beside its key.")
@click.argument("uri")
@click.argument("file")
@pin_options
def install_cert(uri: str, file: str, secrets: GivenSecrets) -> int:
    """Store a certificate beside its key on the token, once it is proved to be of that key.

    Further certificates in FILE are the issuers and are stored too, unless they are there.

    Example: dsig keys install-cert 'pkcs11:token=dsig-dev;object=scanner7' certificate.pem --pin-file pin.txt
    """
    wanted = secrets.parsed(uri)
    certificate, *issuers = certificates.from_file(file)
    with opened(wanted, secrets) as connection:
        try:
            key = _proved(connection, wanted, certificate)
            with connection.writing() as session:
                present = [(i, c) for i, _, c in certificates.stored(session)]
                for identifier, label, one in _wanted(key, certificate, issuers):
                    # an issuer may be there by another id; the signer's must have the one of the key
                    if any(c == one and (one != certificate or i == identifier) for i, c in present):
                        tell("is there", one.subject.rfc4514_string(), indent=0)
                        continue
                    session.create_object(
                        {
                            Attribute.CLASS: ObjectClass.CERTIFICATE,
                            Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                            Attribute.TOKEN: True,
                            Attribute.PRIVATE: False,
                            Attribute.LABEL: label,
                            Attribute.ID: identifier,
                            Attribute.SUBJECT: one.subject.public_bytes(),
                            Attribute.ISSUER: one.issuer.public_bytes(),
                            Attribute.SERIAL_NUMBER: _integer(one.serial_number),
                            Attribute.VALUE: one.public_bytes(Encoding.DER),
                        }
                    )
                    tell("installed", one.subject.rfc4514_string(), indent=0)
        except PKCS11Error as error:
            raise failed(error, f"storing a certificate on {connection.facts}") from None
    return 0


def _refuse_loss(output: str) -> None:
    """Raise `OutputError` if a file is there that is no request: it may be the only copy of a key."""
    there = Path(output)
    if not there.is_file():  # nor is a pipe opened
        return
    try:
        with there.open("rb") as file:
            content = file.read(1 << 20)
    except OSError:
        content = b"anything"
    if content and (b"CERTIFICATE REQUEST-----" not in content or b"PRIVATE KEY-----" in content):
        raise OutputError(
            "there is such a file, and only a request takes the place of another",
            where=Where(file=output),
            hint="choose another name",
        )


def _from_token(uri: str, name: x509.Name, secrets: GivenSecrets) -> x509.CertificateSigningRequest:
    wanted = secrets.parsed(uri)
    with opened(wanted, secrets) as connection:
        try:
            return _request(connection, wanted, name)
        except PKCS11Error as error:
            raise failed(error, f"reading {connection.facts}") from None


def _request(connection: Connection, wanted: TokenUri, name: x509.Name) -> x509.CertificateSigningRequest:
    """CertificationRequest (RFC 2986 4), with no attributes."""
    with connection.lease() as lease:
        key = objects.find_key(lease.session, wanted, connection.facts)
        public = public_key_on(lease.session, key)
        mechanisms = tokens.mechanisms_of(lease.session.token)
    if key.always_authenticate:
        connection.pin_for_signing()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = _der(0x30, b"\x02\x01\x00" + name.public_bytes() + spki + b"\xa0\x00")
    signer = TokenSigner(connection, key, public, mechanisms, b"", ())
    signature = signer.sign_digest(hashlib.sha256(info).digest(), SHA256)
    made = _der(0x30, info + _ALGORITHMS[key.key_type] + _der(0x03, b"\x00" + signature))
    request = x509.load_der_x509_csr(made)
    if not request.is_signature_valid:
        raise KeySourceError("the token made a wrong signature", code="signature-not-verified")
    return request


def _proved(connection: Connection, wanted: TokenUri, certificate: x509.Certificate) -> objects.KeyFacts:
    """The key, which the certificate is of. Raises `KeySourceError`."""
    with connection.lease() as lease:
        key = objects.find_key(lease.session, wanted, connection.facts)
        public = certificates.public_key(key, certificate)
        proved = certificates.matches(key, objects.public_key_of(lease.session, key), certificate)
        taken = [c for i, _, c in certificates.stored(lease.session) if i == key.id and c != certificate]
        mechanisms = tokens.mechanisms_of(lease.session.token)
    if proved is None:
        if key.always_authenticate:
            connection.pin_for_signing()
        proved = TokenSigner(connection, key, public, mechanisms, b"", ()).prove()
    if not proved:
        raise certificates.mismatch(key)
    if not key.id:
        raise KeySourceError(
            f"the key {key.uri} has no CKA_ID that a certificate could share",
            code="key-unsupported",
            hint="keep the certificate in a file and name it with --cert",
        )
    if taken:
        raise KeySourceError(
            f"the key {key.uri} has a certificate already: {taken[0].subject.rfc4514_string()}",
            code="several-certificates",
            hint="delete it with the vendor's tool, or keep the new one in a file and name it with --cert",
        )
    return key


def _wanted(
    key: objects.KeyFacts, certificate: x509.Certificate, issuers: list[x509.Certificate]
) -> list[tuple[bytes, str, x509.Certificate]]:
    found = [(key.id, key.label, certificate)]
    for issuer in issuers:
        identifier = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest
        found.append((identifier, issuer.subject.rfc4514_string(), issuer))
    return found


def _integer(number: int) -> bytes:
    """DER INTEGER, as CKA_SERIAL_NUMBER wants it."""
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content
