"""Put odd keys on a SoftHSM token: run in a process of its own, with python-pkcs11 as it is and nothing of dsig.

python provision.py MODULE TOKEN PIN CERTIFICATE-DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pkcs11 import Attribute as A  # noqa: N817
from pkcs11 import MechanismFlag
from pkcs11.util.ec import decode_ec_private_key, decode_ec_public_key
from pkcs11.util.rsa import decode_rsa_private_key
from pkcs11.util.x509 import decode_x509_certificate

module, token, pin, directory = sys.argv[1:]


def traditional(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def put(session: pkcs11.Session, label: str, identifier: bytes | None, template: dict, **more: bool) -> None:
    common = {A.TOKEN: True, A.LABEL: label, A.PRIVATE: True, A.SENSITIVE: True, A.EXTRACTABLE: False}
    common |= {A.ID: identifier} if identifier is not None else {}
    session.create_object(template | common | {A.SIGN: True} | {A[name]: value for name, value in more.items()})


def certify(session: pkcs11.Session, label: str, identifier: bytes, name: str) -> None:
    certificate = x509.load_pem_x509_certificate(Path(directory, f"{name}.pem").read_bytes())
    template = decode_x509_certificate(certificate.public_bytes(Encoding.DER))
    session.create_object(template | {A.TOKEN: True, A.LABEL: label, A.ID: identifier})


loaded = pkcs11.lib(module)
with loaded.get_token(token_label=token).open(user_pin=pin, rw=True) as session:
    rsa_key, ec_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    rsa_template = decode_rsa_private_key(traditional(rsa_key), capabilities=MechanismFlag.SIGN)
    ec_template = decode_ec_private_key(traditional(ec_key))
    put(session, "twin", b"\x10", rsa_template)
    put(session, "twin", b"\x11", ec_template)
    put(session, "lonely", b"\x12", rsa_template)
    put(session, "nosign", b"\x13", rsa_template, SIGN=False, DECRYPT=True)
    put(session, "mixed-rsa", b"\x14", rsa_template)
    certify(session, "mixed-rsa", b"\x14", "rsa2048")
    put(session, "mixed-ec", b"\x15", ec_template)
    certify(session, "mixed-ec", b"\x15", "p256")
    put(session, "mixed-kind", b"\x16", ec_template)
    certify(session, "mixed-kind", b"\x16", "rsa2048")
    own = decode_rsa_private_key(
        traditional(rsa_key := rsa.generate_private_key(65537, 2048)), capabilities=MechanismFlag.SIGN
    )
    put(session, "careful", b"\x17", own, ALWAYS_AUTHENTICATE=True)
    Path(directory, "careful.key.pem").write_bytes(
        rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    put(session, "several", b"\x18", ec_template)
    certify(session, "several", b"\x18", "p256")
    certify(session, "several", b"\x18", "p384")
    put(session, "unnumbered", None, own)  # the key of careful.pem, without CKA_ID, and another of the same label
    put(session, "unnumbered", b"\x19", ec_template)
    sorted_key = ec.generate_private_key(ec.SECP256R1())
    sorted_public = decode_ec_public_key(
        sorted_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    for label, identifier in (("sorted", b"\x1a"), ("strayed", b"\x1b")):
        put(session, label, identifier, decode_ec_private_key(traditional(sorted_key)))
        session.create_object(sorted_public | {A.TOKEN: True, A.LABEL: label, A.ID: identifier, A.PRIVATE: False})
    certify(session, "sorted", b"\x1a", "p256")  # its own comes later, by another tool
    Path(directory, "sorted.key.pem").write_bytes(
        sorted_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
