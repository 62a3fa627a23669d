"""Our report on a signature in the tool's words: one result text, and the facts that --verbose shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from dsig.model import Finding, SignatureReport, SignerFacts, Status
from dsig.signature.items import parse_datetime

__all__ = ["ABSENT", "UNKNOWN", "Result", "Verdict", "facts", "place", "result"]


class Verdict(StrEnum):
    """What the exit code needs to know."""

    OK = "ok"
    UNTRUSTED = "untrusted"
    """Value and data match; the certificate does not verify."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Result:
    """One signature judged by the tool's rules."""

    verdict: Verdict
    text: str
    """What stands behind `Signature Verification`."""
    timestamp: str = ""
    """What stands behind `Timestamp Verification`; empty if there is nothing to say."""
    overlooked: tuple[Finding, ...] = ()
    """Errors to `dsig verify` that the tool does not mind."""


_OVERLOOKED = frozenset(("list-duplicates", "list-names-absent", "list-not-ascending", "tags-not-ascending"))
"""Errors of structure that leave what is signed as it is, so that the tool's verdict is followed."""
_TIMESTAMP = ("(0400,0305)", "(0400,0310)")
_VR_MATTERS = ("(0400,0020)", "(0400,0120)")
_UNREADABLE = frozenset(
    ("timestamp-unreadable", "timestamp-type", "timestamp-type-alone", "timestamp-response", "timestamp-not-der")
)
"""Timestamps the tool does not see, so that they are no worse than none."""
UNKNOWN = "(unknown)"
"""For a UID that is not there."""
ABSENT = "absent, but required by timestamp policy"
_UNTRUSTED = "signature is OK but certificate verification failed: "
_NOBODY = "no trusted certificate was given (+cf or +cd), so nothing is known about who signed"
_FAILED = "signature verification failed: "
_NO_MAC = f"{_FAILED}MAC parameters not be found or incomplete"
_NO_CERTIFICATE = f"{_FAILED}certificate is missing or unreadable"
_NO_SYNTAX = f"{_FAILED}unable to use the selected transfer syntax for MAC computation"
_NO_LIST = f"{_FAILED}DataElementsSigned missing or incorrect"
_INCOMPLETE = f"{_FAILED}signature item incomplete"
_TEXTS = {
    "mac-id-dangling": _NO_MAC,
    "certificate-unreadable": _NO_CERTIFICATE,
    "certificate-type": _NO_CERTIFICATE,
    "mac-transfer-syntax-changed": _NO_SYNTAX,
    "mac-transfer-syntax-unknown": _NO_SYNTAX,
    "pixel-encoding-changed": _NO_SYNTAX,
    "mac-algorithm-unknown": f"{_FAILED}MAC algorithm not supported",
    "elements-signed": _NO_LIST,
    "list-empty": _NO_LIST,
    "list-names-unsignable": f"{_FAILED}signature contains attribute that is not signable",
    "mac-mismatch": f"{_FAILED}signature is invalid (document corrupted)",
    "bad-datetime": "Illegal parameter",
}
"""The tool's texts for our findings, in the order in which it checks."""
_PLACES = {
    "(0400,0005)": _NO_MAC,
    "(0400,0010)": _NO_MAC,
    "(0400,0015)": _NO_MAC,
    "(0400,0110)": _NO_CERTIFICATE,
    "(0400,0115)": _NO_CERTIFICATE,
    "(0400,0020)": _NO_LIST,
    "(0400,0120)": _INCOMPLETE,
    "(0400,0105)": "Illegal parameter",
}
"""The tool's texts for what is missing, empty or of a wrong kind."""


def result(signature: SignatureReport, *, timestamped: bool) -> Result:
    """Judge a signature by the checks of the tool, in its order, on the answers we have.

    `timestamped`: it must have a timestamp.
    """
    structure = [f for f in signature.axes["structure"].findings if f.severity == "error"]
    overlooked = tuple(f for f in structure if _overlooked(f))
    wrong = [f for f in structure if f not in overlooked]
    integrity = signature.axes["integrity"]
    if integrity.status is not Status.PASSED:
        wrong += [f for f in integrity.findings if f.severity == "error"]
    if wrong or integrity.status is not Status.PASSED:
        return Result(Verdict.BAD, _why(wrong), overlooked=overlooked)
    outside = _outside_validity(signature)
    if outside:
        return Result(Verdict.BAD, f"{_FAILED}{outside}", overlooked=overlooked)
    trust = signature.axes["trust"]
    if trust.status is not Status.PASSED:
        nobody = any(f.code == "trust-no-anchors" for f in trust.findings)
        reasons = _NOBODY if nobody else "; ".join(f.message for f in trust.findings if f.severity == "error")
        text = f"{_UNTRUSTED}{reasons or trust.status}"
        return Result(Verdict.UNTRUSTED, text, overlooked=overlooked)
    return _with_timestamp(signature, timestamped, overlooked)


def _with_timestamp(signature: SignatureReport, required: bool, overlooked: tuple[Finding, ...]) -> Result:
    """What the timestamp does to a signature that is otherwise good."""
    time = signature.axes["time"]
    errors = tuple(f for f in time.findings if f.severity == "error")
    if signature.times.proven:
        signer, evaluated = signature.signer, datetime.fromisoformat(signature.times.evaluated)
        if signer is not None and signer.not_after is not None and evaluated > signer.not_after:
            healed = "OK, extends validity period of expired signature."
            return Result(Verdict.OK, f"{_UNTRUSTED}certificate has expired", healed, overlooked)
        return Result(Verdict.OK, "OK", "OK", overlooked)
    unreadable = bool(errors) and all(f.code in _UNREADABLE for f in errors)
    if any(f.code == "timestamp-missing" for f in errors) or (unreadable and required):
        return Result(Verdict.BAD, "OK", ABSENT, overlooked)
    if time.status in (Status.PASSED, Status.NOT_CHECKED) or unreadable:
        return Result(Verdict.OK, "OK", "", (*overlooked, *errors))
    reasons = "; ".join(f.message for f in errors) or str(time.status)
    return Result(Verdict.BAD, "OK", f"timestamp signature verification failed: {reasons}", overlooked)


def _overlooked(finding: Finding) -> bool:
    if finding.code == "wrong-vr":
        return not finding.location.endswith(_VR_MATTERS)
    return finding.code in _OVERLOOKED or finding.location.endswith(_TIMESTAMP)


def _why(wrong: list[Finding]) -> str:
    """The tool's text for the first of the checks that fails, and ours for what it does not check."""
    codes = {f.code: f for f in wrong}
    for code, text in _TEXTS.items():
        if code in codes:
            return text if code != "certificate-unreadable" else f"{text} ({codes[code].message})"
    for finding in wrong:
        text = _PLACES.get(finding.location[-11:], "")
        if text and finding.code in ("missing-attribute", "empty-attribute", "wrong-value", "wrong-vr"):
            return text
    return _FAILED + (wrong[0].message if wrong else "it could not be checked")


def _outside_validity(signature: SignatureReport) -> str:
    """Signed before or after the certificate was valid; the time zone of the signature counts."""
    made, signer = parse_datetime(signature.times.claimed), signature.signer
    if made is None or signer is None:
        return ""
    made = made.replace(tzinfo=made.tzinfo or UTC)
    if signer.not_after is not None and made >= signer.not_after:
        return "certificate was expired at signature creation date"
    if signer.not_before is not None and made <= signer.not_before:
        return "certificate was not yet valid at signature creation date"
    return ""


# ---------------------------------------------------------------------------------------------------------- --verbose


def place(location: str) -> str:
    """A location in the tool's words."""
    return "Main Dataset" if location == "/" else location


_SYNTAXES = {
    "1.2.840.10008.1.2": "Little Endian Implicit",
    "1.2.840.10008.1.2.1": "Little Endian Explicit",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Big Endian Explicit",
    "1.2.840.10008.1.2.5": "RLE Lossless",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended, Process 2+4",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless, Non-hierarchical, 1st Order Prediction",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Lossy (Near-lossless)",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 (Lossless only)",
    "1.2.840.10008.1.2.4.91": "JPEG 2000 (Lossless or Lossy)",
}
"""The tool's names of transfer syntaxes; others are shown by UID."""
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_CURVES = {"secp256r1": "prime256v1", "secp192r1": "prime192v1"}


def facts(signature: SignatureReport) -> Iterator[str]:
    """The lines between the number of a signature and its result, labels in a column."""
    from dsig.dicom.dictionary import keyword_of

    def line(label: str, text: str) -> str:
        return f"  {label:<28}: {text}"

    mac, purpose = signature.mac, signature.purpose
    yield line("Location", place(signature.location))
    yield line("MAC ID", "unknown" if mac.id is None else str(mac.id))
    yield line("MAC algorithm", mac.algorithm)
    name = _SYNTAXES.get(mac.transfer_syntax)
    yield line("MAC calculation xfer syntax", f"={name}" if name else mac.transfer_syntax)
    yield line("Data elements signed", "").rstrip()  # the tool has no space here, and one below
    for tag in mac.elements:
        yield f"      ({tag >> 16:04x},{tag & 0xFFFF:04x}) {keyword_of(tag) or 'Unknown Tag & Data'}"
    yield line("Signature date/time", signature.times.claimed)
    shown = f"{purpose.meaning} ({purpose.code}, {purpose.scheme})" if purpose else "(not specified)"
    yield line("Signature purpose", shown)
    if signature.signer is None:
        yield line("Certificate of signer", "missing or unreadable")
        return
    yield line("Certificate of signer", "")
    yield from certificate(signature.signer)


def certificate(signer: SignerFacts) -> Iterator[str]:
    """A certificate."""

    def line(label: str, text: str) -> str:
        return f"      {label:<24}: {text}"

    yield "      X.509v3"
    yield line("Subject", _name(signer.subject))
    yield line("Issued by", _name(signer.issuer))
    yield line("Serial no.", str(int(signer.serial, 16)) if signer.serial else "")
    for label, moment_ in (("not before", signer.not_before), ("not after", signer.not_after)):
        if moment_ is not None:
            yield line("Validity", f"{label} {_time(moment_)}")
    yield line("Public key", _key(signer.key))


def _name(rfc4514: str) -> str:
    """A distinguished name as `/C=DE/O=Lab/CN=Signer`."""
    parts: list[str] = []
    part = ""
    escaped = False
    for character in rfc4514:
        if character == "," and not escaped:
            parts.append(part)
            part = ""
        elif character == "\\" and not escaped:
            escaped = True
            continue
        else:
            part += character
        escaped = False
    return "".join(f"/{p}" for p in reversed([*parts, part] if part else parts))


def _time(when: datetime) -> str:
    return f"{_MONTHS[when.month - 1]} {when.day:>2} {when:%H:%M:%S %Y} GMT"


def _key(key: str) -> str:
    kind, _, detail = key.partition(" ")
    if kind != "EC":
        return f"{kind}, {detail} bits"
    bits = "".join(c if c.isdigit() else " " for c in detail).split()
    return f"EC, curve {_CURVES.get(detail, detail)}, {bits[0] if bits else '?'} bits"
