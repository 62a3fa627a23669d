"""The claimed time: what a DT means, and whether it can be true. Expected moments worked out by hand (PS3.5 6.2 DT)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.certificates import CA, issue, usage
from support.pki import Signer
from support.signed import Parts

import dsig
from dsig.model import SignerFacts
from dsig.timestamps.claimed import claimed_findings, claimed_interval

VALID = SignerFacts("", "", "", "", "", datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))

LATER = datetime(2026, 6, 1, tzinfo=UTC)


def moments(stored: str, offset: str = "") -> tuple[str, str] | None:
    found = claimed_interval(stored, offset)
    return None if found is None else (found[0].isoformat(), found[1].isoformat())


@pytest.mark.parametrize(
    ("stored", "offset", "first", "last"),
    [
        ("20200601120000.000000+0000", "", "2020-06-01T12:00:00+00:00", "2020-06-01T12:00:00+00:00"),
        ("20200601120000.5+0200", "", "2020-06-01T10:00:00.500000+00:00", "2020-06-01T10:00:00.500000+00:00"),
        ("20200601120000-0330", "", "2020-06-01T15:30:00+00:00", "2020-06-01T15:30:00.999999+00:00"),
        ("20200601120000+0200", "-0500", "2020-06-01T10:00:00+00:00", "2020-06-01T10:00:00.999999+00:00"),
        ("20200601120000", "-0500", "2020-06-01T17:00:00+00:00", "2020-06-01T17:00:00.999999+00:00"),
        ("20200601120000.0", "", "2020-05-31T22:00:00+00:00", "2020-06-02T00:00:00+00:00"),
        ("20200601", "+0000", "2020-06-01T00:00:00+00:00", "2020-06-01T23:59:59.999999+00:00"),
        ("202002", "+0000", "2020-02-01T00:00:00+00:00", "2020-02-29T23:59:59.999999+00:00"),
        ("2020", "+0000", "2020-01-01T00:00:00+00:00", "2020-12-31T23:59:59.999999+00:00"),
        ("2020060112+0000", "", "2020-06-01T12:00:00+00:00", "2020-06-01T12:59:59.999999+00:00"),
        ("2020-0100", "", "2020-01-01T01:00:00+00:00", "2021-01-01T00:59:59.999999+00:00"),
    ],
)
def test_a_date_time_means_all_moments_its_parts_leave_open(stored, offset, first, last):
    assert moments(stored, offset) == (first, last)


@pytest.mark.parametrize("stored", ["", "yesterday", "20201301", "20200601120000+1500"])
def test_what_is_no_date_time_means_nothing(stored):
    assert moments(stored) is None
    assert claimed_findings(stored, "", VALID, LATER) == ()


@pytest.mark.parametrize("offset", ["", "Z", "+5", "+1500", "+0160", "0500"])
def test_a_useless_offset_of_the_data_set_is_none(offset):
    assert moments("20200601120000.0", offset) == moments("20200601120000.0")


def codes(stored: str, offset: str = "") -> list[str]:
    return [finding.code for finding in claimed_findings(stored, offset, VALID, LATER)]


def test_a_claim_outside_the_validity_is_told_if_no_reading_of_it_is_inside():
    assert codes("20191231235959.0+0000") == ["claimed-outside-validity"]
    assert codes("20200101000000.0+0000") == []
    assert codes("20200101003000.0+0100") == ["claimed-outside-validity"], "23:30 the day before in UTC"
    assert codes("20191231233000.0-0100") == ["claimed-offset"], "to readers that leave the offset out it is outside"
    assert codes("20210101003000.0+0100") == ["claimed-offset"]
    assert codes("20200101013000.0+0100") == []
    assert codes("20191231235959.0") == [], "in some zone that was in 2020"
    assert codes("20191231235959.0", "+0000") == ["claimed-time-zone", "claimed-outside-validity"]
    assert codes("20191231") == []
    assert codes("2019", "+0000") == ["claimed-time-zone", "claimed-outside-validity"]
    assert codes("20210101000000.0+0000") == []
    assert codes("20210101000002.0+0000") == ["claimed-outside-validity"]
    assert codes("2021", "+0000") == ["claimed-time-zone"]


def test_a_claim_that_is_later_than_now_in_any_reading_is_told():
    at = datetime(2020, 6, 1, 12, tzinfo=UTC)

    def told(stored: str) -> list[tuple[str, str]]:
        return [(f.code, f.severity) for f in claimed_findings(stored, "", VALID, at)]

    assert told("20200601120600.0+0000") == [("claimed-future", "warning")]
    assert told("20200601120500.0+0000") == [], "clocks differ"
    assert told("20200601130600.0+0100") == [("claimed-future", "warning")]
    assert told("20200601130600.0+0200") == []
    assert told("20200601230000.0") == [], "it may be of a zone where that was already"
    assert told("20200602030000.0") == [("claimed-future", "warning")]
    assert told("202006") == []


def test_it_is_a_warning_and_never_proof():
    [finding] = claimed_findings("20191231235959.0+0000", "", VALID, LATER)
    assert finding.severity == "warning"
    assert claimed_findings("20191231235959.0+0000", "", None, LATER) == ()


def test_certificates_that_never_expire_end_with_the_calendar():
    """RFC 5280 4.1.2.5: 99991231235959Z is no well-defined end."""
    until = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    root = issue("root", extensions=[CA], until=until)
    device = issue("device", root, [usage("digital_signature")], until=until)
    given = Parts(signer=Signer(device.key, device.der)).file()
    trust = dsig.TrustMaterial(anchors=(root.der,))
    for at in (None, until):
        report = dsig.verify(given, dsig.VerifyOptions(trust=trust, at=at))
        assert (report.verdict, report.signatures[0].axes["time"].findings) == ("passed", ())
