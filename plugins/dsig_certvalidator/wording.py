"""How findings about revocation call things, and what the library's own words for them mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from asn1crypto import x509

from dsig.model import Finding
from dsig_certvalidator.reading import finding, one_line

__all__ = ["CRL", "OCSP", "crl_name", "crl_reason", "name_of", "ocsp_name", "ocsp_reason", "time_text", "words"]

CRL = "RFC 5280 6.3.3"
OCSP = "RFC 6960 3.2"

_CRL_REASONS = (
    ("not recent enough", "trust-crl-expired", "the CRL was out of date at the time of evaluation"),
    ("signature", "trust-crl-signature", "the signature of the CRL does not verify with its issuer's key"),
    ("not authorized to sign", "trust-crl-issuer", "the issuer may not sign CRLs (keyUsage cRLSign)"),
    ("chain of trust", "trust-crl-issuer", "the signer of the CRL does not lead to a trust anchor"),
    ("path could not be validated", "trust-crl-issuer", "the signer of the CRL does not lead to a trust anchor"),
    ("unrecognized critical", "trust-crl-critical", "the CRL has a critical extension that is not known"),
    ("Delta CRL", "trust-crl-delta", "the CRL points to a delta CRL, and there is no usable one"),
    ("only contains", "trust-crl-scope", "the CRL is not for this kind of certificate"),
    ("does not share any names", "trust-crl-scope", "the CRL is not that of the certificate's distribution point"),
    ("revocation reasons", "trust-crl-scope", "the CRLs do not cover all reasons of revocation"),
)
_OCSP_REASONS = (
    ("not recent enough", "trust-ocsp-expired", "the OCSP response was out of date at the time of evaluation"),
    ("unauthorized", "trust-ocsp-responder", "the OCSP response is signed by somebody who may not"),
    ("could not be validated", "trust-ocsp-responder", "the signer of the OCSP response is not valid"),
    ("could not be located", "trust-ocsp-responder", "the signer of the OCSP response is not known"),
    ("signature", "trust-ocsp-signature", "the signature of the OCSP response does not verify"),
    ("does not match", "trust-ocsp-mismatch", "the OCSP response is for a certificate of another issuer"),
)


def crl_reason(said: str, subject: str) -> Finding:
    """Why no CRL can answer, by what the library said."""
    for text, code, meaning in _CRL_REASONS:
        if text.casefold() in said.casefold():
            return finding(code, f"{subject}: {meaning}", clause=CRL)
    return finding("trust-crl-unusable", f"{subject}: no CRL can answer for it: {said}", clause=CRL)


def ocsp_reason(said: str, subject: str) -> Finding:
    """Why no OCSP response can answer, by what the library said."""
    for text, code, meaning in _OCSP_REASONS:
        if text.casefold() in said.casefold():
            return finding(code, f"{subject}: {meaning}", clause=OCSP)
    return finding("trust-ocsp-unusable", f"{subject}: no OCSP response can answer for it: {said}", clause=OCSP)


def crl_name(crl: Any) -> str:
    """How findings call a CRL."""
    return f"CRL of {name_of(crl.issuer)} of {time_text(crl['tbs_cert_list']['this_update'].native)}"


def ocsp_name(container: Any) -> str:
    """How findings call an OCSP response."""
    return f"OCSP response of {time_text(container.extract_single_response()['this_update'].native)}"


def time_text(when: datetime) -> str:
    """A time for people, in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def name_of(name: x509.Name) -> str:
    """How findings call a subject or issuer: by its common name if it has one."""
    common = name.native.get("common_name")
    return one_line(ValueError(common if isinstance(common, str) else name.human_friendly))


def words(reason: str) -> str:
    """The library's name of a reason, for people."""
    return reason.replace("_", " ")
