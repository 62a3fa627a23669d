"""Reading what was given: certificates, CRLs and OCSP responses, each either whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from asn1crypto import crl, ocsp, x509

from dsig.model import Finding

__all__ = ["Readable", "certificate", "crl_", "finding", "ocsp_", "one_line", "read_all"]

T = TypeVar("T")


@dataclass(slots=True)
class Readable:
    """What of a request can be read, and what cannot."""

    anchors: list[Any] = field(default_factory=list)
    intermediates: list[Any] = field(default_factory=list)
    crls: list[Any] = field(default_factory=list)
    ocsps: list[Any] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)


def certificate(der: bytes) -> Any:
    """A certificate, its names, dates and extensions looked at. Raises `ValueError`."""
    read = _whole(x509.Certificate, der)
    read.critical_extensions  # noqa: B018 - the library parses on access
    _ = (
        read.subject.hashable,
        read.issuer.hashable,
        read.not_valid_before,
        read.not_valid_after,
        read.public_key.dump(),
    )
    return read


def crl_(der: bytes) -> Any:
    """A CRL, its issuer, dates and extensions looked at. Raises `ValueError`."""
    read = _whole(crl.CertificateList, der)
    read.critical_extensions  # noqa: B018
    if read["tbs_cert_list"]["this_update"].native is None:
        raise ValueError("it says no time")
    _ = (read.issuer.hashable, read["tbs_cert_list"]["next_update"].native)
    return read


def ocsp_(der: bytes) -> Any:
    """An OCSP response, successful or not. Raises `ValueError`."""
    read = _whole(ocsp.OCSPResponse, der)
    if read["response_status"].native == "successful":
        if read["response_bytes"]["response_type"].native != "basic_ocsp_response":
            raise ValueError("it is not a basic OCSP response")
        read.basic_ocsp_response["tbs_response_data"]["responses"].native  # noqa: B018
    return read


def read_all(ders: Iterable[bytes], read: Callable[[bytes], T], what: str, code: str, faults: list[Finding]) -> list[T]:
    """Everything that can be read; the rest goes to `faults`, numbered as given."""
    found = []
    for number, der in enumerate(ders, 1):
        try:
            found.append(read(der))
        except Exception as error:  # noqa: BLE001 - the library raises whatever its parsing runs into
            faults.append(finding(code, f"{what} {number} cannot be read: {one_line(error)}"))
    return found


def _whole(kind: Any, der: bytes) -> Any:
    read = kind.load(der, strict=True)
    if read.dump() != der:
        raise ValueError("it is not DER, or has parts that this backend does not handle, such as unique identifiers")
    return read


def finding(code: str, message: str, severity: str = "error", *, clause: str = "RFC 5280 6.1") -> Finding:
    """A finding of a trust backend."""
    return Finding(code, message, clause=clause, severity=severity)


def one_line(error: BaseException) -> str:
    """What a library says, fit for a message."""
    text = " ".join(str(error.args[0] if error.args else error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
