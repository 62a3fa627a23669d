"""The claimed time of a signature, (0400,0105): what it means, and whether it can be true. It is never proof."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from dsig.model import Finding, SignerFacts
from dsig.signature.items import parse_datetime

__all__ = ["TOLERANCE", "claimed_findings", "claimed_interval"]

_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
"""The zones there are: what is said without zone may be that much earlier or later (PS3.5 6.2 DT)."""
TOLERANCE = timedelta(minutes=5)
"""How far two clocks may differ before it is worth a finding."""
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)\Z", re.ASCII)
_DIGITS = re.compile(r"(\d*)(\.\d+)?", re.ASCII)
_STEPS = {
    8: timedelta(days=1),
    10: timedelta(hours=1),
    12: timedelta(minutes=1),
    14: timedelta(seconds=1),
}


def claimed_interval(stored: str, offset: str = "") -> tuple[datetime, datetime] | None:
    """First and last moment, UTC, that a DT value can mean; None if it is none.

    Parts that are left out make it as long as they are, a missing offset longer still, unless `offset` has it: Timezone
    Offset From UTC (0008,0201) holds for every DT of the data set without one of its own (PS3.3 C.12.1.1.1).
    """
    first = parse_datetime(stored)
    if first is None:
        return None
    naive = first.replace(tzinfo=None)
    try:
        last = _end(stored, naive)
        zone = first.tzinfo or _zone(offset)
        if zone is not None:
            return naive.replace(tzinfo=zone).astimezone(UTC), last.replace(tzinfo=zone).astimezone(UTC)
        return (naive - _EAST).replace(tzinfo=UTC), (last + _WEST).replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None  # at the ends of the calendar


def _end(stored: str, first: datetime) -> datetime:
    """The last moment with the parts that are given."""
    found = _DIGITS.match(stored)
    digits = len(found.group(1)) if found else 0
    if found and found.group(2):
        return first
    if digits == 4:
        after = first.replace(year=first.year + 1)
    elif digits == 6:
        after = (first + timedelta(days=32)).replace(day=1)
    else:
        after = first + _STEPS[digits]
    return after - timedelta(microseconds=1)


def _zone(offset: str) -> timezone | None:
    found = _OFFSET.match(offset)
    if not found or int(found.group(3)) > 59:
        return None
    distance = timedelta(hours=int(found.group(2)), minutes=int(found.group(3)))
    return timezone(-distance if found.group(1) == "-" else distance) if distance <= _EAST else None


def claimed_findings(stored: str, offset: str, signer: SignerFacts | None, at: datetime) -> tuple[Finding, ...]:
    """What there is to say about the claimed time beside the signer's certificate and the time of evaluation."""
    meant = claimed_interval(stored, offset)
    if meant is None or signer is None:
        return ()
    first, last = meant
    found: list[Finding] = []
    said = parse_datetime(stored)
    if said is not None and said.tzinfo is None and _zone(offset) is not None:
        found.append(
            Finding(
                "claimed-time-zone",
                f"the claimed time has no offset of its own; that of the data set, {offset}, holds for it",
                clause="PS3.3 C.12.1.1.1",
                severity="info",
            )
        )
    too_early = signer.not_before is not None and last < signer.not_before
    # not added to the end: certificates that never expire end with the calendar (RFC 5280 4.1.2.5)
    too_late = signer.not_after is not None and first - signer.not_after > timedelta(seconds=1)
    if too_early or too_late:
        limit = f"began at {_text(signer.not_before)}" if too_early else f"had ended at {_text(signer.not_after)}"
        found.append(
            Finding(
                "claimed-outside-validity",
                f"the signer claims to have signed at {_text(first)}; the validity of the certificate {limit}",
                clause="RFC 5280 4.1.2.5",
                severity="warning",
            )
        )
    elif said is not None and said.utcoffset() and not _valid(said.replace(tzinfo=UTC), signer):
        found.append(
            Finding(
                "claimed-offset",
                f"signed at {_text(said)}, while the certificate was valid; readers that leave the offset out of"
                f" {stored} take it for a time when it was not",
                clause="PS3.5 6.2",
                severity="info",
            )
        )
    if first - at > TOLERANCE:
        found.append(
            Finding(
                "claimed-future",
                f"the signer claims to have signed at {_text(first)}, after the time of evaluation",
                clause="PS3.3 C.12.1.1.3",
                severity="warning",
            )
        )
    return tuple(found)


def _valid(time: datetime, signer: SignerFacts) -> bool:
    return (signer.not_before is None or time > signer.not_before) and (
        signer.not_after is None or time < signer.not_after
    )


def _text(time: datetime | None) -> str:
    return "" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
