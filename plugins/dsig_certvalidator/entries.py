"""What one CRL or OCSP response says of one certificate, and of which moment (RFC 5280 5, RFC 6960 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_crl
from pyhanko_certvalidator.errors import RevokedError
from pyhanko_certvalidator.path import ValidationPath

from dsig_certvalidator.wording import crl_name, words

__all__ = [
    "Revoked",
    "crl_issuers",
    "entries_for",
    "first_lost",
    "is_about",
    "issued_at",
    "next_update",
    "remembers",
    "revocation_found",
    "revocations",
    "signed_by_issuer",
    "silent_by_then",
    "this_update",
    "unknown_critical",
]

_OCSP_EXTENSIONS = frozenset(("nonce", "archive_cutoff", "invalidity_date", "crl_reason"))


@dataclass(frozen=True, slots=True, order=True)
class Revoked:
    """A revocation somebody authentic tells of."""

    when: datetime
    why: str
    who: str
    source: bytes
    """DER of the CRL or OCSP response."""
    told: datetime
    """thisUpdate of it."""


def is_about(response: Any, certificate: Any) -> bool:
    """Whether an OCSP response is about this serial number; of which issuer is checked with its signature."""
    single = response.extract_single_response()
    return single is not None and bool(single["cert_id"]["serial_number"].native == certificate.serial_number)


def issued_at(response: Any) -> datetime:
    """ThisUpdate of an OCSP response."""
    when: datetime = response.extract_single_response()["this_update"].native
    return when


def this_update(crl: Any) -> datetime:
    """When it was issued."""
    when: datetime = crl["tbs_cert_list"]["this_update"].native
    return when


def next_update(crl: Any) -> datetime:
    """When the next one is due; one that does not say so is due when it was issued, as OCSP responses are."""
    when: datetime = crl["tbs_cert_list"]["next_update"].native or this_update(crl)
    return when


def crl_issuers(certificate: Any) -> list[Any]:
    """Names in cRLIssuer of the certificate's distribution points (RFC 5280 4.2.1.13)."""
    return [
        name.chosen
        for point in certificate.crl_distribution_points_value or ()
        for name in point["crl_issuer"] or ()
        if name.name == "directory_name"
    ]


def entries_for(crl: Any, certificate: Any) -> Iterator[Any]:
    """Entries of the CRL for the certificate; the issuer of an entry holds for those after it (RFC 5280 5.3.3)."""
    issuer = crl.issuer
    for entry in crl["tbs_cert_list"]["revoked_certificates"] or ():
        issuer = entry.issuer_name or issuer
        if entry["user_certificate"].native == certificate.serial_number and issuer == certificate.issuer:
            yield entry


def revocations(crl: Any, certificate: Any, since: datetime | None = None) -> Iterator[Revoked]:
    """What a list tells of the certificate; that from `since` on is what the library passes over as of then."""
    for entry in entries_for(crl, certificate):
        when = entry["revocation_date"].native
        reason = entry.crl_reason_value.native if entry.crl_reason_value is not None else "unspecified"
        if reason != "remove_from_crl" and (since is None or when >= since):
            first = _first_date(entry, when)
            yield Revoked(first, words(reason), crl_name(crl), crl.dump(), this_update(crl))


def signed_by_issuer(crl: Any, certificate: Any, path: ValidationPath) -> bool:
    """Whether the key that issued the certificate, allowed to sign lists, signed this one."""
    issuer = next((one for one in path if one.subject == certificate.issuer and one is not certificate), None)
    if issuer is None or (issuer.key_usage_value is not None and "crl_sign" not in issuer.key_usage_value.native):
        return False
    try:
        key = load_der_public_key(issuer.public_key.dump())
        return load_der_x509_crl(crl.dump()).is_signature_valid(key)  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _first_date(entry: Any, revoked: datetime) -> datetime:
    """The date of revocation, or that on which the key was lost if it is earlier (RFC 5280 5.3.2)."""
    lost = entry.invalidity_date_value
    return revoked if lost is None else min(revoked, lost.native)


def silent_by_then(crl: Any, certificate: Any) -> bool:
    """Whether the CRL may leave out certificates that had expired by then (RFC 5280 3.3; X.509 expiredCertsOnCRL)."""
    for extension in crl["tbs_cert_list"]["crl_extensions"] or ():
        if extension["extn_id"].dotted == "2.5.29.60":
            return False
    return bool(this_update(crl) > certificate.not_valid_after)


def remembers(single: Any, certificate: Any) -> bool:
    """Whether the responder says that it remembers certificates that long (archive cutoff, RFC 6960 4.4.4)."""
    for extension in single["single_extensions"] or ():
        if extension["extn_id"].native == "archive_cutoff":
            return bool(extension["extn_value"].parsed.native <= certificate.not_valid_after)
    return False


def revocation_found(error: RevokedError, crls: Sequence[Any], certificate: Any) -> Revoked:
    """What the library found, with the CRL that tells of it."""
    why = words(str(error.reason.native))
    for crl in crls:
        for entry in entries_for(crl, certificate):
            first = _first_date(entry, error.revocation_dt)
            return Revoked(first, why, crl_name(crl), crl.dump(), this_update(crl))
    return Revoked(error.revocation_dt, why, crl_name(crls[0]), crls[0].dump(), this_update(crls[0]))


def first_lost(single: Any, revoked: datetime) -> datetime:
    """As `_first_date`, of an OCSP response, which may have the extensions of an entry (RFC 6960 4.4.5)."""
    for extension in single["single_extensions"] or ():
        if extension["extn_id"].native == "invalidity_date":
            lost: datetime = extension["extn_value"].parsed.native
            return min(revoked, lost)
    return revoked


def unknown_critical(*lists: Any) -> str:
    """A critical extension of an OCSP response that is not processed here, dotted; or an empty string."""
    for extension in (one for extensions in lists for one in extensions or ()):
        if extension["critical"].native and extension["extn_id"].native not in _OCSP_EXTENSIONS:
            return str(extension["extn_id"].dotted)
    return ""
