"""What a time-stamp token says: CMS SignedData with one signer around TSTInfo, read once into plain facts.

Reading decides nothing but whether it is a token at all; `dsig_timestamp.checks` judges what was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import cms, core, tsp, x509
from asn1crypto.algos import SignedDigestAlgorithm as SignatureAlgorithm

from dsig.hookspecs import Imprint
from dsig_timestamp.der import parts, require_der

__all__ = ["CertificateId", "SignatureAlgorithm", "Token", "imprint", "read_token"]

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
TST_INFO = "1.2.840.113549.1.9.16.1.4"

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_SET = b"\x31"
_GEN_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class CertificateId:
    """ESSCertID or ESSCertIDv2 (RFC 2634 5.4.1, RFC 5035 4)."""

    algorithm: str
    """Name of the hash as hashlib has it."""
    digest: bytes
    issuer: bytes
    """Name, DER; empty if not said."""
    serial: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token as read; DER throughout."""

    cms_version: int
    """Of SignedData."""
    digest_algorithms: tuple[str, ...]
    """What SignedData announces."""
    signer_version: int
    content_type: str
    content: bytes
    """TSTInfo."""
    version: int
    policy: str
    imprint: Imprint
    serial: int
    time: datetime
    """genTime, UTC."""
    accuracy: timedelta
    """Zero if not said."""
    nonce: int | None
    tsa: x509.GeneralName | None
    critical_extensions: tuple[str, ...]
    certificates: tuple[bytes, ...]
    signers: int
    """Number of SignerInfos; the rest is about the first."""
    issuer: bytes
    """Of the signer identifier; empty if it is by key identifier."""
    issuer_serial: int | None
    key_identifier: bytes
    digest_algorithm: str
    """Dotted, as the next one."""
    signature_algorithm: SignatureAlgorithm
    signed_attributes: bytes
    """As hashed: DER of the SET OF Attribute (RFC 5652 5.4); empty without."""
    attributes: dict[str, tuple[Any, ...]]
    """Type to its values; a type that occurs twice has the values of both."""
    attribute_counts: dict[str, int]
    certificate_ids: tuple[CertificateId, ...]
    """The first of each signing certificate attribute."""
    signature: bytes


def read_token(der: bytes) -> Token:
    """Read a token. Raises `ValueError` (`NotDerError` for BER) if it is none."""
    require_der(der)
    try:
        return _token(der)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(f"it is no time-stamp token of RFC 3161 ({type(error).__name__})") from error


def _token(der: bytes) -> Token:
    outer = cms.ContentInfo.load(der, strict=True)
    if outer["content_type"].dotted != _SIGNED_DATA:
        raise ValueError("no SignedData")
    _require_fields(der)
    signed = outer["content"]
    encapsulated = signed["encap_content_info"]
    content = bytes(encapsulated["content"])
    require_der(content)
    info = tsp.TSTInfo.load(content, strict=True)
    signer = signed["signer_infos"][0]
    sid = signer["sid"]
    by_name = sid.name == "issuer_and_serial_number"
    attributes: dict[str, tuple[Any, ...]] = {}
    counts: dict[str, int] = {}
    hashed = b""
    if isinstance(signer["signed_attrs"], core.SetOf):
        hashed = _SET + signer["signed_attrs"].dump()[1:]
        for attribute in signer["signed_attrs"]:
            kind = attribute["type"].dotted
            attributes[kind] = (*attributes.get(kind, ()), *attribute["values"])
            counts[kind] = counts.get(kind, 0) + 1
    accuracy = info["accuracy"]
    return Token(
        cms_version=int(signed["version"]),
        digest_algorithms=tuple(a["algorithm"].dotted for a in signed["digest_algorithms"]),
        signer_version=int(signer["version"]),
        content_type=encapsulated["content_type"].dotted,
        content=content,
        version=int(info["version"]),
        policy=info["policy"].dotted,
        imprint=imprint(info["message_imprint"]),
        serial=info["serial_number"].native,
        time=_time(info["gen_time"]),
        accuracy=_accuracy(accuracy) if isinstance(accuracy, tsp.Accuracy) else timedelta(),
        nonce=info["nonce"].native,
        tsa=_tsa(info),
        critical_extensions=tuple(e["extn_id"].dotted for e in _present(info["extensions"]) if e["critical"].native),
        certificates=tuple(
            choice.chosen.dump() for choice in _present(signed["certificates"]) if choice.name == "certificate"
        ),
        signers=len(signed["signer_infos"]),
        issuer=sid.chosen["issuer"].dump() if by_name else b"",
        issuer_serial=sid.chosen["serial_number"].native if by_name else None,
        key_identifier=b"" if by_name else sid.chosen.native,
        digest_algorithm=signer["digest_algorithm"]["algorithm"].dotted,
        signature_algorithm=signer["signature_algorithm"],
        signed_attributes=hashed,
        attributes=attributes,
        attribute_counts=counts,
        certificate_ids=tuple(_certificate_ids(attributes)),
        signature=signer["signature"].native,
    )


def _require_fields(der: bytes) -> None:
    """Raise `ValueError` for values that RFC 5652 5 has no place for.

    The library passes over them, and another reader might take the second of two contents or lists of signatures.
    """
    [token] = _fields(der, rb"\x30")
    _, explicit = _fields(token, rb"\x06\xa0")
    [signed] = _fields(explicit, rb"\x30")
    _, digests, content, *_, signers = _fields(signed, rb"\x02\x31\x30\xa0?\xa1?\x31")
    _, octets = _fields(content, rb"\x06\xa0")
    _fields(octets, rb"\x04")
    algorithms = _fields(digests, rb"\x30*")
    for signer in _fields(signers, rb"\x30*"):
        named = _fields(signer, rb"\x02[\x30\x80]\x30\xa0?\x30\x04\xa1?")
        if parts(signer)[1][0] == 0x30:
            _fields(named[1], rb"\x30\x02")
        algorithms += (named[2], named[-2 if parts(signer)[-1][0] == 0x04 else -3])
    for algorithm in algorithms:
        _fields(algorithm, rb"\x06[\x05\x30]?")


def _fields(content: bytes, form: bytes) -> list[bytes]:
    """The contents of values in a row whose tags are as `form`, a regular expression, has them."""
    found = parts(content)
    if not re.fullmatch(form, bytes(tag for tag, _ in found)):
        raise ValueError("values where there is no place for them, or none where there must be one")
    return [inner for _, inner in found]


def imprint(value: tsp.MessageImprint) -> Imprint:
    """Of a token or a query."""
    return Imprint(value["hash_algorithm"]["algorithm"].dotted, value["hashed_message"].native)


def _present(value: Any) -> Any:
    return () if isinstance(value, core.Void) else value


def _time(value: core.GeneralizedTime) -> datetime:
    """genTime: GeneralizedTime in UTC, with seconds, without trailing zeros (RFC 3161 2.4.2)."""
    found = _GEN_TIME.fullmatch(value.contents.decode("ascii"))
    if not found:
        raise ValueError("genTime is not as RFC 3161 2.4.2 has it")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    leap = second == 60
    fraction = int((found.group(7) or "").ljust(6, "0")[:6])
    return datetime(year, month, day, hour, minute, second - leap, fraction, UTC) + timedelta(seconds=leap)


def _accuracy(value: tsp.Accuracy) -> timedelta:
    """RFC 3161 2.4.2: parts of a second are below 1000, and nothing is negative."""
    seconds, millis, micros = (value[part].native or 0 for part in ("seconds", "millis", "micros"))
    if seconds < 0 or not (0 <= millis < 1000 and 0 <= micros < 1000):
        raise ValueError("accuracy is none")
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)


def _tsa(info: tsp.TSTInfo) -> x509.GeneralName | None:
    tsa = info["tsa"]
    if isinstance(tsa, core.Void):
        return None
    tsa.chosen.dump()  # parsed now, so that garbage is found now
    return tsa


def _certificate_ids(attributes: dict[str, tuple[Any, ...]]) -> Iterator[CertificateId]:
    for kind in (SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2):
        for value in attributes.get(kind, ()):
            first = value["certs"][0]
            algorithm = "sha1"
            if kind == SIGNING_CERTIFICATE_V2:
                algorithm = first["hash_algorithm"]["algorithm"].native
            named = first["issuer_serial"]
            issuer, serial = b"", None
            if not isinstance(named, core.Void):
                [name] = named["issuer"]  # only a directory name can be the issuer's (RFC 5035 4)
                issuer = name.chosen.untag().dump() if name.name == "directory_name" else b"-"
                serial = named["serial_number"].native
            yield CertificateId(algorithm, first["cert_hash"].native, issuer, serial)
