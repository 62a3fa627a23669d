"""The path of certificates in a report: there if and only if somebody trusted vouches for the signer."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

import dsig

CORPUS = Path(__file__).parents[1] / "corpus"
PKI = CORPUS / "pki"
SIGNED = CORPUS / "files" / "v-base-ct.dcm"


def fingerprint(name: str) -> str:
    return x509.load_pem_x509_certificate((PKI / name).read_bytes()).fingerprint(SHA256()).hex()


def test_path_leads_from_the_issuer_to_the_root():
    trust = dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"])
    (signature,) = dsig.verify(SIGNED, dsig.VerifyOptions(trust=trust)).signatures
    assert [certificate.sha256 for certificate in signature.path] == [fingerprint("inter.pem"), fingerprint("root.pem")]
    assert signature.path[0].subject == signature.signer.issuer


@pytest.mark.parametrize(
    "options",
    [
        dsig.VerifyOptions(),
        dsig.VerifyOptions(check_trust=False),
        dsig.VerifyOptions(trust=dsig.load_trust([PKI / "root.pem"])),
    ],
    ids=["no roots", "not asked", "no intermediate"],
)
def test_no_trust_no_path(options):
    (signature,) = dsig.verify(SIGNED, options).signatures
    assert signature.path == ()
