"""`dsig keys generate` and `dsig keys import`: private keys come onto a token, and do not leave it again."""

from __future__ import annotations

import contextlib
import secrets as randomness
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, PKCS11Error, Session

from dsig.errors import KeySourceError, UsageError, Where
from dsig_pkcs11 import objects
from dsig_pkcs11.commands import files
from dsig_pkcs11.commands.options import GivenSecrets, passphrase_options, pin_options, tell
from dsig_pkcs11.failures import failed
from dsig_pkcs11.publickeys import CURVES
from dsig_pkcs11.source import opened
from dsig_pkcs11.uri import TokenUri, quote

__all__ = ["generate", "import_"]

SIZES = ("rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521")
_EC_PARAMS = {curve.name: params for params, curve in CURVES.items()}
_CURVE_NAMES = {"p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1"}
_KEPT = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
}
"""A private key that signs and stays where it is."""
_PUBLIC = {Attribute.TOKEN: True, Attribute.PRIVATE: False, Attribute.VERIFY: True}


@click.command("generate")
@click.argument("uri")
@click.option("--type", "kind", type=click.Choice(SIZES), default="rsa3072", show_default=True, help="Kind of key.")
@click.option("--no-passphrase", "bare", is_flag=True, help="Leave the key in a file readable without passphrase.")
@passphrase_options
@pin_options
def generate(uri: str, kind: str, bare: bool, passphrase: GivenSecrets, secrets: GivenSecrets) -> int:
    """Make a key pair on a token, or in a new file if URI is a path.

    Of a token, URI names the new key, too, with object= and maybe id=. A file gets an encrypted key (PKCS#8, PEM).

    Example: dsig keys generate 'pkcs11:token=dsig-dev;object=scanner7' --type p256 --pin-file pin.txt
    """
    path = files.path_of(uri)
    if path is not None:
        if bare and passphrase.given:
            raise UsageError("--no-passphrase and a passphrase exclude each other")
        files.make(path, kind, passphrase, encrypted=not bare)
        tell("generated", path, indent=0)
        tell("next", "dsig keys csr; sign with --key and, for the certificate, --cert")
        return 0
    wanted = _named(uri, secrets)
    with opened(wanted, secrets) as connection:
        try:
            with connection.writing() as session:
                identity = _identity(session, wanted)
                public, private = _PUBLIC | identity, _KEPT | identity
                if kind.startswith("rsa"):
                    session.generate_keypair(
                        KeyType.RSA,
                        int(kind.removeprefix("rsa")),
                        store=True,
                        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                        public_template=public,
                        private_template=private,
                    )
                else:
                    curve = {Attribute.EC_PARAMS: _EC_PARAMS[_CURVE_NAMES[kind]]}
                    session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
                        mechanism=Mechanism.EC_KEY_PAIR_GEN,
                        store=True,
                        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                        public_template=public,
                        private_template=private,
                    )
        except PKCS11Error as error:
            raise failed(error, f"making a key on {connection.facts}") from None
        tell("generated", f"{connection.facts.uri};{_name(identity)}", indent=0)
    tell("next", "dsig keys csr, and with the certificate dsig keys install-cert")
    return 0


@click.command("import")
@click.argument("uri")
@click.argument("file")
@passphrase_options
@pin_options
def import_(uri: str, file: str, passphrase: GivenSecrets, secrets: GivenSecrets) -> int:
    """Put the private key of a PEM or DER file onto a token. URI names token and key as for generate.

    The file stays as it is: destroy it, or the key is no safer than before.

    Example: dsig keys import 'pkcs11:token=dsig-dev;object=scanner7' key.pem --pin-file pin.txt
    """
    wanted = _named(uri, secrets)
    private, public = _templates(files.load(file, passphrase), file)
    with opened(wanted, secrets) as connection:
        try:
            with connection.writing() as session:
                identity = _identity(session, wanted)
                made = session.create_object(private | _KEPT | identity | {Attribute.CLASS: ObjectClass.PRIVATE_KEY})
                try:
                    session.create_object(public | _PUBLIC | identity | {Attribute.CLASS: ObjectClass.PUBLIC_KEY})
                except PKCS11Error:
                    with contextlib.suppress(PKCS11Error):
                        made.destroy()  # no half of a pair is left
                    raise
        except PKCS11Error as error:
            raise failed(error, f"importing a key to {connection.facts}") from None
        tell("imported", f"{connection.facts.uri};{_name(identity)}", indent=0)
    tell("next", f"dsig keys install-cert, and destroy {file}")
    return 0


def _named(uri: str, secrets: GivenSecrets) -> TokenUri:
    wanted = secrets.parsed(uri)
    if not wanted.object:
        raise UsageError("the new key needs a label", hint="add object=LABEL to the URI")
    return wanted


def _identity(session: Session, wanted: TokenUri) -> dict[Attribute, Any]:
    """Label and CKA_ID, which nobody may have yet: two keys of one name are a trap. Raises `KeySourceError`."""
    for _, key in objects.keys_of(session):
        if key.label == wanted.object or (wanted.id is not None and key.id == wanted.id):
            raise KeySourceError(
                f"the token has a key with this label or id already: {key.uri}",
                code="several-keys",
                hint="choose another object= or id=",
            )
    return {Attribute.LABEL: wanted.object, Attribute.ID: wanted.id or randomness.token_bytes(8)}


def _name(identity: dict[Attribute, Any]) -> str:
    return quote(object=identity[Attribute.LABEL], id=identity[Attribute.ID]).removeprefix("pkcs11:")


def _templates(key: Any, file: str) -> tuple[dict[Attribute, Any], dict[Attribute, Any]]:
    """What makes a key (PKCS#11 curr. mech. 2.1, 2.2, 2.3), private and public part. Raises `KeySourceError`."""
    if isinstance(key, rsa.RSAPrivateKey):
        n = key.private_numbers()
        public = {
            Attribute.KEY_TYPE: KeyType.RSA,
            Attribute.MODULUS: _bytes(n.public_numbers.n),
            Attribute.PUBLIC_EXPONENT: _bytes(n.public_numbers.e),
        }
        secret = {
            Attribute.PRIVATE_EXPONENT: _bytes(n.d),
            Attribute.PRIME_1: _bytes(n.p),
            Attribute.PRIME_2: _bytes(n.q),
            Attribute.EXPONENT_1: _bytes(n.dmp1),
            Attribute.EXPONENT_2: _bytes(n.dmq1),
            Attribute.COEFFICIENT: _bytes(n.iqmp),
        }
        return public | secret, public
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _EC_PARAMS:
        e = key.private_numbers()
        size = (key.curve.key_size + 7) // 8
        x, y = (number.to_bytes(size, "big") for number in (e.public_numbers.x, e.public_numbers.y))
        curve = {Attribute.KEY_TYPE: KeyType.EC, Attribute.EC_PARAMS: _EC_PARAMS[key.curve.name]}
        point = b"\x04" + x + y
        header = bytes([0x04, len(point)]) if len(point) < 0x80 else bytes([0x04, 0x81, len(point)])
        value = {Attribute.VALUE: e.private_value.to_bytes(size, "big")}
        return curve | value, curve | {Attribute.EC_POINT: header + point}
    if isinstance(key, dsa.DSAPrivateKey):
        d = key.private_numbers()
        p = d.public_numbers.parameter_numbers
        group = {
            Attribute.KEY_TYPE: KeyType.DSA,
            Attribute.PRIME: _bytes(p.p),
            Attribute.SUBPRIME: _bytes(p.q),
            Attribute.BASE: _bytes(p.g),
        }
        return group | {Attribute.VALUE: _bytes(d.x)}, group | {Attribute.VALUE: _bytes(d.public_numbers.y)}
    raise KeySourceError(
        "keys of this type make no DICOM signatures",
        code="key-type",
        where=Where(file=file),
        hint="use an RSA, DSA, P-256, P-384 or P-521 key",
    )


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
