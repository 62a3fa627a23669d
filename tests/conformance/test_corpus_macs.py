"""The corpus: the MAC stream of every signature is, byte for byte, the one the signer recorded when it signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain

import pytest
from support.corpus import HASHED_DIFFERENTLY, INPUTS, POLICIES, VERIFY, VRS_LOST, Case, path_of

from dsig.dicom.file import open_dicom
from dsig.dicom.location import parse_location
from dsig.dicom.source import open_source
from dsig.limits import DEFAULT
from dsig.signature.mac import MacCursor, mac_pieces, pump
from dsig.signature.reading import OLD_FORMAT, STORED
from dsig.signature.signatures import find_signatures, mac_encoding

RECORDED = [case for case in VERIFY if any("mac_stream" in step for step in case.get("steps", ()))]
OTHERWISE = (HASHED_DIFFERENTLY, VRS_LOST)
Recorded = tuple[str, int]
"""SHA-256 and length of a MAC stream."""


def recorded(case: Case) -> dict[tuple[tuple[tuple[int, int], ...], int], Recorded]:
    """What was recorded, by the item that was signed and the number of the signature in it."""
    found: dict[tuple[tuple[tuple[int, int], ...], int], Recorded] = {}
    for step in case["steps"]:
        if "mac_stream" not in step:
            continue
        where = parse_location(step["args"][3] if step["args"][0] == "+si" else "/")
        number = sum(path == where for path, _ in found)
        assert step["mac_stream"]["openssl_dgst_verify"], "nobody has checked the signature over these bytes"
        found[where, number] = (step["mac_stream"]["sha256"], step["mac_stream"]["length"])
    return found


def ours(case: Case) -> Iterator[tuple[tuple[tuple[tuple[int, int], ...], int], Recorded]]:
    """The same, computed from the file."""
    kind = INPUTS[POLICIES[next(iter(case["verify"]))]["input"]]
    reading = OLD_FORMAT if any("-fo" in step["args"] for step in case["steps"]) else STORED
    with open_source(path_of(case)) as source, open_dicom(source, kind=kind) as file:
        seen: dict[tuple[tuple[int, int], ...], int] = {}
        for found in find_signatures(file, file.main(), DEFAULT):
            encoding, _ = mac_encoding(found, file)
            assert encoding is not None
            stream = bytearray()
            pieces = chain(
                mac_pieces(found.level, found.selected, mac=encoding, reading=reading),
                mac_pieces(found.item.data, found.item.hashed, mac=encoding, reading=reading),
            )
            pump(file.data, [MacCursor(pieces, stream.extend)])
            path = found.level.path
            number = seen[path] = seen.get(path, -1) + 1
            yield (path, number), (hashlib.sha256(stream).hexdigest(), len(stream))


@pytest.mark.parametrize("case", [c for c in RECORDED if c["id"] not in OTHERWISE], ids=lambda c: c["id"])
def test_the_mac_stream_is_the_recorded_one(case: Case):
    assert dict(ours(case)) == recorded(case)


@pytest.mark.parametrize("case", [c for c in RECORDED if c["id"] in OTHERWISE], ids=lambda c: c["id"])
def test_two_recorded_streams_are_not_what_their_files_say(case: Case):
    assert dict(ours(case)) != recorded(case)


def test_the_recorded_streams_are_many():
    assert sum(len(recorded(case)) for case in RECORDED) >= 279
    assert {c["id"] for c in RECORDED} >= set(OTHERWISE)
