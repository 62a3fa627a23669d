"""Which certificate signed a token is what its attributes say: ESSCertID and ESSCertIDv2 (RFC 2634 5.4, RFC 5035).

Tokens by openssl, their attributes exchanged and signed again with the TSA's key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from asn1crypto import cms, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support import tsa
from timestamps.conftest import DIGEST, codes, der, with_token
from timestamps.test_tokens import NOW

import dsig

pytestmark = pytest.mark.interop


def resigned(authority: tsa.Authority, *named: cms.CMSAttribute) -> bytes:
    """A token of `tsa` that also carries the certificate of `expired`, with these in place of its ESSCertIDs."""
    options = ("-cades", "-certfile", authority.issued["expired"])
    token = cms.ContentInfo.load(tsa.signed_by(authority, tsa.tst_info(DIGEST), options=options))
    signer = token["content"]["signer_infos"][0]
    others = [one for one in signer["signed_attrs"] if not one["type"].native.startswith("signing_certificate")]
    assert len(others) == len(signer["signed_attrs"]) - 1
    attributes = cms.CMSAttributes(sorted([*others, *named], key=lambda one: one.dump(force=True)))
    key = load_pem_private_key(authority.key("tsa").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signer["signature"] = key.sign(b"\x31" + attributes.dump(force=True)[1:], ec.ECDSA(hashes.SHA256()))
    signer["signed_attrs"] = attributes
    return bytes(token.dump(force=True))


def version_1(certificate: bytes) -> cms.CMSAttribute:
    named = {"certs": [{"cert_hash": hashlib.sha1(certificate).digest()}]}
    return cms.CMSAttribute({"type": "signing_certificate", "values": [tsp.SigningCertificate(named)]})


def version_2(certificate: bytes, serial: int | None = None) -> cms.CMSAttribute:
    one: dict[str, object] = {"cert_hash": hashlib.sha256(certificate).digest()}
    if serial is not None:
        issuer = x509.GeneralName("directory_name", x509.Certificate.load(certificate).issuer)
        one["issuer_serial"] = {"issuer": [issuer], "serial_number": serial}
    return cms.CMSAttribute({"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [one]})]})


Made = Callable[[bytes, bytes], list[cms.CMSAttribute]]
"""Attributes, from the certificate of the TSA and that of another."""

CASES: dict[str, tuple[Made, list[str]]] = {
    "version 2": (lambda own, other: [version_2(own)], []),
    "version 1": (lambda own, other: [version_1(own)], []),
    "both": (lambda own, other: [version_1(own), version_2(own)], []),
    "its serial number": (lambda own, other: [version_2(own, x509.Certificate.load(own).serial_number)], []),
    "none": (lambda own, other: [], ["timestamp-no-certificate"]),
    "another serial number": (lambda own, other: [version_2(own, 12345)], ["timestamp-signer"]),
    "another certificate": (lambda own, other: [version_2(other)], ["timestamp-signer"]),
    "another certificate, version 1": (lambda own, other: [version_1(other)], ["timestamp-signer"]),
    "a certificate nobody has": (lambda own, other: [version_2(own + other)], ["timestamp-no-certificate"]),
    "another in version 1": (lambda own, other: [version_1(other), version_2(own)], ["timestamp-no-certificate"]),
    "another in version 2": (lambda own, other: [version_1(own), version_2(other)], ["timestamp-no-certificate"]),
    "one twice": (lambda own, other: [version_2(own), version_2(own)], ["timestamp-form"]),
}


@pytest.mark.parametrize("what", CASES)
def test_a_token_must_name_the_certificate_that_signed_it(judge, stamps: tsa.Authority, what: str):
    made, expected = CASES[what]
    token = resigned(stamps, *made(der(stamps, "tsa"), der(stamps, "expired")))
    signature: dsig.SignatureReport = judge(with_token(token), at=NOW)
    assert codes(signature)[:1] == expected
    assert signature.axes["time"].status == ("failed" if expected else "passed")
