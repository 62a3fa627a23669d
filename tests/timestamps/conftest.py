"""What the tests of timestamps share: authorities made by openssl, and a file signed by hand that takes any token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from support import signed as s
from support import tsa
from support.encode import element
from support.pki import signer, trusting

import dsig

GOOD = s.Parts()
VALUE = signer().sign(GOOD.stream())
"""The signature of `GOOD`: RSA PKCS#1 v1.5 gives the same each time."""
DIGEST = hashlib.sha256(VALUE).digest()


@pytest.fixture(scope="session")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """An authority with a TSA of each kind."""
    made = tsa.Authority(tmp_path_factory.mktemp("stamps"), "Stamps")
    made.certificate("tsa")
    made.certificate("rsa", key=("rsa:2048",))
    for kind in ("not-critical", "not-alone", "other-usage", "no-usage"):
        made.certificate(kind, kind)
    made.certificate("rsa1024", key=("rsa:1024",))
    made.certificate("p192", key=("ec", "-pkeyopt", "ec_paramgen_curve:P-192"))
    made.certificate("early", end="20260101000000Z")
    made.certificate("late", start="20260103000000Z")
    made.certificate("expired", end="20260801000000Z")
    return made


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> tsa.Authority:
    """Another authority, with a TSA of the same name."""
    made = tsa.Authority(tmp_path_factory.mktemp("strangers"), "Stamps")
    made.certificate("tsa")
    return made


def der(authority: tsa.Authority, name: str = "root") -> bytes:
    return tsa.openssl("x509", "-in", authority.directory / f"{name}.pem", "-outform", "DER")


@pytest.fixture(scope="session")
def roots(stamps: tsa.Authority) -> dsig.TrustMaterial:
    return dsig.TrustMaterial(anchors=(der(stamps),))


def with_token(token: bytes, kind: bytes = b"CMS_TSP ", *, parts: s.Parts = GOOD, pad: bytes | None = None) -> bytes:
    """The file with these bytes for a timestamp."""
    value = s.even(token) if pad is None else token + pad
    return parts.but(
        item={
            s.TIMESTAMP_TYPE: element(s.TIMESTAMP_TYPE, "CS", kind) if kind else b"",
            s.TIMESTAMP: element(s.TIMESTAMP, "OB", value),
        }
    ).file()


@pytest.fixture(scope="session")
def judge(roots: dsig.TrustMaterial) -> Callable[..., dsig.SignatureReport]:
    """Our verdict on the one signature of a file, the authority's timestamps being trusted."""

    def judge(given: object, **options: object) -> dsig.SignatureReport:
        asked = dsig.VerifyOptions(**{"trust": trusting(), "tsa_trust": roots} | options)
        [signature] = dsig.verify(given, asked).signatures
        return signature

    return judge


def codes(signature: dsig.SignatureReport, severity: str = "error") -> list[str]:
    return [f.code for f in signature.axes["time"].findings if f.severity == severity]
