"""The two sequences as they are read: MAC Parameters (4FFE,0001) and Digital Signatures (FFFA,FFFA) (PS3.3 C.12.1.1.3).

Reading never raises for what an item says, only collects findings: a signature that cannot be understood is reported as
such, next to the others.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from dsig.dicom.dataset import DataSet, Element, ItemRef, read_data_set, says_nothing
from dsig.dicom.location import format_path, format_tag
from dsig.dicom.vr import effective
from dsig.dicom.walk import ELEMENT, ITEM, ITEM_END, SEQUENCE, SEQUENCE_END, walk
from dsig.errors import Where
from dsig.limits import Limits, beyond
from dsig.model import Finding, Purpose

__all__ = [
    "CERTIFICATE",
    "CERTIFICATE_TYPE",
    "CERTIFIED_TIMESTAMP",
    "CERTIFIED_TIMESTAMP_TYPE",
    "DATE_TIME",
    "DIGITAL_SIGNATURES",
    "ELEMENTS_SIGNED",
    "MAC_ALGORITHM",
    "MAC_ID",
    "MAC_PARAMETERS",
    "MAC_TRANSFER_SYNTAX",
    "NOT_IN_MAC",
    "PURPOSE",
    "SIGNATURE",
    "UID",
    "X509",
    "MacItem",
    "SignatureItem",
    "parse_datetime",
    "read_mac_items",
    "read_signature_items",
    "sequence_items",
]

MAC_PARAMETERS = 0x4FFE0001
DIGITAL_SIGNATURES = 0xFFFAFFFA
TRAILING_PADDING = 0xFFFCFFFC
MAC_ID = 0x04000005
MAC_TRANSFER_SYNTAX = 0x04000010
MAC_ALGORITHM = 0x04000015
ELEMENTS_SIGNED = 0x04000020
UID = 0x04000100
DATE_TIME = 0x04000105
CERTIFICATE_TYPE = 0x04000110
CERTIFICATE = 0x04000115
SIGNATURE = 0x04000120
CERTIFIED_TIMESTAMP_TYPE = 0x04000305
CERTIFIED_TIMESTAMP = 0x04000310
PURPOSE = 0x04000401

NOT_IN_MAC = frozenset({CERTIFICATE, SIGNATURE, CERTIFIED_TIMESTAMP_TYPE, CERTIFIED_TIMESTAMP})
"""Attributes of the signature item that its MAC leaves out (PS3.3 C.12.1.1.3.1.1)."""

_TIMESTAMP = (CERTIFIED_TIMESTAMP_TYPE, CERTIFIED_TIMESTAMP)
X509 = "X509_1993_SIG"
CLAUSE = "PS3.3 C.12.1.1.3"


class _Rule(NamedTuple):
    name: str
    vr: str
    required: bool


_SIGNATURE_RULES = {
    MAC_ID: _Rule("MAC ID Number", "US", True),
    UID: _Rule("Digital Signature UID", "UI", True),
    DATE_TIME: _Rule("Digital Signature DateTime", "DT", True),
    CERTIFICATE_TYPE: _Rule("Certificate Type", "CS", True),
    CERTIFICATE: _Rule("Certificate of Signer", "OB", True),
    SIGNATURE: _Rule("Signature", "OB", True),
    CERTIFIED_TIMESTAMP_TYPE: _Rule("Certified Timestamp Type", "CS", False),
    CERTIFIED_TIMESTAMP: _Rule("Certified Timestamp", "OB", False),
    PURPOSE: _Rule("Digital Signature Purpose Code Sequence", "SQ", False),
}
_MAC_RULES = {
    MAC_ID: _Rule("MAC ID Number", "US", True),
    MAC_TRANSFER_SYNTAX: _Rule("MAC Calculation Transfer Syntax UID", "UI", True),
    MAC_ALGORITHM: _Rule("MAC Algorithm", "CS", True),
    ELEMENTS_SIGNED: _Rule("Data Elements Signed", "AT", True),
}
_DATE_TIME = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?)?)?)?(?:([+-])(\d\d)(\d\d))?\Z"
)


@dataclass(frozen=True, slots=True)
class MacItem:
    """One MAC Parameters item."""

    data: DataSet
    mac_id: int | None
    transfer_syntax: str
    algorithm: str
    """As stored, padding removed; case is significant."""
    elements: tuple[int, ...]
    """In stored order."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SignatureItem:
    """One Digital Signatures item."""

    data: DataSet
    mac_id: int | None
    uid: str
    date_time: str
    certificate: bytes
    """Value as stored, pad byte included."""
    signature: bytes
    """Value as stored, pad byte included."""
    timestamp: bytes
    """Value as stored; empty if absent."""
    purpose: Purpose | None
    findings: tuple[Finding, ...]

    @property
    def hashed(self) -> list[Element]:
        """The elements of the item that belong to its own MAC."""
        return [e for e in self.data.by_tag.values() if e.tag not in NOT_IN_MAC and e.signable]


def sequence_items(level: DataSet, element: Element, limits: Limits) -> Iterator[ItemRef]:
    """The items of a top-level sequence, in order."""
    un = element.vr == "UN"
    encoding = level.encoding.implicit() if un else level.encoding
    end = element.end - 8 if element.undefined else element.end
    depth = 0
    index = -1
    began = 0
    at = (*level.path, (element.tag, -1))
    for kind, _tag, _vr, start, value, _stop in walk(
        level.source, element.value, end, level.encoding, items="UN" if un else "SQ", limits=limits, at=at
    ):
        if kind == ITEM:
            depth += 1
            if depth == 1:
                index += 1
                began = value
        elif kind == ITEM_END:
            depth -= 1
            if depth == 0:
                yield ItemRef((*level.path, (element.tag, index)), began, start, encoding)
        elif kind == SEQUENCE_END and depth == 0:
            return


def read_mac_items(level: DataSet, limits: Limits) -> list[MacItem]:
    """The MAC Parameters items of a level. Raises `LimitError` for too many or too large ones."""
    return [_mac_item(item, limits) for item in _items(level, MAC_PARAMETERS, "mac_parameters", limits)]


def read_signature_items(level: DataSet, limits: Limits) -> list[SignatureItem]:
    """The Digital Signatures items of a level. Raises `LimitError` for too many or too large ones."""
    return [_signature_item(item, limits) for item in _items(level, DIGITAL_SIGNATURES, "signatures", limits)]


def _items(level: DataSet, tag: int, most: str, limits: Limits) -> Iterator[DataSet]:
    element = level.by_tag.get(tag)
    if element is None or element.kind != SEQUENCE:
        return
    for count, item in enumerate(sequence_items(level, element, limits)):
        too_many = count >= getattr(limits, most)
        if too_many or item.end - item.start > limits.signature_item:
            where = Where(level.source.name, format_path(item.path), item.start)
            raise beyond(most if too_many else "signature_item", limits, where)
        yield read_data_set(level.source, item.start, item.end, item.encoding, path=item.path, limits=limits)


def _mac_item(data: DataSet, limits: Limits) -> MacItem:
    # nothing of this item is hashed: what is foreign here means nothing, but somebody put it there
    findings = list(_closed_set(data, _MAC_RULES, foreign="warning"))
    order = data.encoding.order
    raw = _bytes(data, ELEMENTS_SIGNED, limits)
    if len(raw) % 4:
        findings.append(_finding("elements-signed", data, ELEMENTS_SIGNED, "its length is no multiple of 4"))
    words = struct.unpack(f"{order}{len(raw) // 4 * 2}H", raw[: len(raw) // 4 * 4])
    return MacItem(
        data,
        _mac_id(data, findings),
        _text(data, MAC_TRANSFER_SYNTAX),
        _text(data, MAC_ALGORITHM),
        tuple([group << 16 | element for group, element in zip(words[::2], words[1::2], strict=True)]),
        tuple(findings),
    )


def _signature_item(data: DataSet, limits: Limits) -> SignatureItem:
    findings = list(_closed_set(data, _SIGNATURE_RULES))
    findings += [
        Finding(
            "foreign-attribute",
            f"{format_tag(drop.tag)}: no MAC covers it, so anybody may have put it into the signature item",
            format_path(drop.path, drop.tag),
            CLAUSE,
        )
        for drop in data.drops
    ]
    findings += [
        _finding("wrong-vr", data, e.tag, "it holds elements of VR UN, so the MAC leaves it out")
        for e in data.elements
        if e.tag in _SIGNATURE_RULES and e.tag not in NOT_IN_MAC and not e.signable
    ]
    certificate_type = _text(data, CERTIFICATE_TYPE)
    if CERTIFICATE_TYPE in data.by_tag and certificate_type != X509:
        findings.append(_finding("certificate-type", data, CERTIFICATE_TYPE, f"it is not {X509}"))
    date_time = _text(data, DATE_TIME)
    if DATE_TIME in data.by_tag:
        parsed = parse_datetime(date_time)
        if parsed is None:
            findings.append(_finding("bad-datetime", data, DATE_TIME, "it is no date and time (PS3.5 6.2 DT)"))
        elif parsed.tzinfo is None:
            findings.append(
                _finding("datetime-without-offset", data, DATE_TIME, "it has no offset from UTC", severity="warning")
            )
    if CERTIFIED_TIMESTAMP in data.by_tag and CERTIFIED_TIMESTAMP_TYPE not in data.by_tag:
        findings.append(
            _finding("missing-attribute", data, CERTIFIED_TIMESTAMP_TYPE, "it is required with a timestamp", "warning")
        )
    certificate = data.by_tag.get(CERTIFICATE)
    if certificate is not None and certificate.end - certificate.value > limits.certificate:
        raise beyond("certificate", limits, Where(data.source.name, format_path(data.path, CERTIFICATE)))
    return SignatureItem(
        data,
        _mac_id(data, findings),
        _text(data, UID),
        date_time,
        _bytes(data, CERTIFICATE, limits),
        _bytes(data, SIGNATURE, limits),
        _bytes(data, CERTIFIED_TIMESTAMP, limits),
        _purpose(data, findings, limits),
        tuple(findings),
    )


@lru_cache(64)
def parse_datetime(text: str) -> datetime | None:
    """A single DT value (PS3.5 6.2), aware if it has an offset; missing parts count as earliest. None if it is none."""
    found = _DATE_TIME.match(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    zone = None
    if sign:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        if (sign == "-" and not offset) or offset > timedelta(hours=14) or int(zone_minutes) > 59:
            return None  # -0000 is forbidden
        zone = timezone(-offset if sign == "-" else offset) if offset else UTC
    leap = second == "60"
    try:
        return datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            59 if leap else int(second or 0),
            int((fraction or "0").ljust(6, "0")),
            zone,
        ) + timedelta(seconds=leap)
    except (ValueError, OverflowError):
        return None


# ----------------------------------------------------------------------------------------------------------- helpers


def _closed_set(data: DataSet, rules: dict[int, _Rule], foreign: str = "error") -> Iterator[Finding]:
    """Whatever the item has that its module does not define, and the reverse.

    A foreign attribute in a signature item is hashed right behind the data set: this is where content could be moved.
    """
    for element in data.elements:
        rule = rules.get(element.tag)
        if rule is None:
            # group lengths and padding say nothing and are never hashed; content in their guise is told
            guise = not element.tag & 0xFFFF or element.tag == TRAILING_PADDING
            length = element.end - element.value if element.kind == ELEMENT else -1
            if not (guise and says_nothing(element.tag, element.vr, length)):
                yield _finding("foreign-attribute", data, element.tag, "it does not belong here", foreign)
            continue
        # a timestamp in disorder is the time axis' business: it says nothing about the signature
        severity = "warning" if element.tag in _TIMESTAMP else "error"
        if effective(element.vr) != rule.vr:
            yield _finding(
                "wrong-vr", data, element.tag, f"{rule.name} has VR {element.vr} instead of {rule.vr}", severity
            )
        elif rule.vr != "SQ" and element.value == element.end:
            yield _finding("empty-attribute", data, element.tag, f"{rule.name} is empty", severity)
        elif rule.vr in ("UI", "CS", "DT") and b"\\" in data.read(element, limit=1 << 20):
            yield _finding("wrong-value", data, element.tag, f"{rule.name} has more than one value", severity)
    for tag, rule in rules.items():
        if rule.required and tag not in data.by_tag:
            yield _finding("missing-attribute", data, tag, f"{rule.name} is missing")


def _mac_id(data: DataSet, findings: list[Finding]) -> int | None:
    raw = data.value(MAC_ID)
    if raw is None or len(raw) != 2:
        if raw:
            findings.append(_finding("wrong-value", data, MAC_ID, "MAC ID Number is not one 16-bit number"))
        return None
    (number,) = struct.unpack(f"{data.encoding.order}H", raw)
    return int(number)


def _purpose(data: DataSet, findings: list[Finding], limits: Limits) -> Purpose | None:
    element = data.by_tag.get(PURPOSE)
    if element is None or element.kind != SEQUENCE:
        return None
    items = list(sequence_items(data, element, limits))
    if len(items) != 1:
        findings.append(_finding("wrong-value", data, PURPOSE, f"it has {len(items)} items instead of one"))
    if not items:
        return None
    first = items[0]
    code = read_data_set(data.source, first.start, first.end, first.encoding, path=first.path, limits=limits)
    value = code.text(0x00080100) or code.text(0x00080119) or code.text(0x00080120)
    return Purpose(value, code.text(0x00080102), code.text(0x00080104))


def _text(data: DataSet, tag: int) -> str:
    return data.text(tag)


def _bytes(data: DataSet, tag: int, limits: Limits) -> bytes:
    element = data.by_tag.get(tag)
    if element is None or element.kind != ELEMENT:
        return b""
    return data.read(element, limit=limits.signature_item)


def _finding(code: str, data: DataSet, tag: int, message: str, severity: str = "error") -> Finding:
    return Finding(code, f"{format_tag(tag)}: {message}", format_path(data.path, tag), CLAUSE, severity)
