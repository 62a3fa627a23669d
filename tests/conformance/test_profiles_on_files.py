"""Profiles on real files: what signing adds to one element, and which profiles such a signature has.

Expected by a calculation of its own: the lists of `profile_facts.json` (as the reference of this project has them) and
the elements that pydicom finds.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from support.corpus import CORPUS

import dsig

FACTS = json.loads((Path(__file__).parents[1] / "plugins" / "profile_facts.json").read_text())
PURPOSES = {"sr": 1}
"""sr-verification has one of its own."""
REPORT = {0x0040A040, 0x0040A043, 0x0040A730}
FLAG = 0x0040A493
CREATOR_VERSION = 0x00089123
NEVER_SIGNED = {0x00080001, 0x4FFE0001, 0xFFFCFFFC}


@dataclass(frozen=True)
class Content:
    """The main data set of a file."""

    tags: frozenset[int]
    verified: bool


def content_of(path: Path) -> Content:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(path, force=True)
        tags = {int(tag) for tag in data_set.keys()}  # noqa: SIM118 - the values are not of interest
        return Content(
            frozenset(t for t in tags if t & 0xFFFF and t >> 16 >= 8 and t >> 16 != 0xFFFA and t not in NEVER_SIGNED),
            verified=FLAG in tags and str(data_set[FLAG].value).strip() == "VERIFIED",
        )


def every(listed: list[str]) -> Iterator[int]:
    """Tags of a list, `xx` standing for the even groups up to 1E."""
    for text in listed:
        if "xx" not in text:
            yield int(text, 16)
        else:
            yield from (int(text.replace("xx", f"{n:02X}"), 16) for n in range(0, 0x20, 2))


def wanted(profile: str, content: Content, *, by_all: bool = False) -> set[int]:
    """Elements of a file that one edition wants signed, or both do."""
    newer, older = (set(every(FACTS[profile][name])) for name in ("union", "older"))
    found = content.tags & (newer & older if by_all else newer | older)
    if profile in ("creator", "authorization") and CREATOR_VERSION in content.tags:
        found |= {tag for tag in content.tags if tag >> 16 & 1}
    return found


def refused(profile: str, content: Content) -> bool:
    """Whether no signature of this file can have the profile."""
    no_report = profile.startswith("sr") and not content.tags >= REPORT
    return bool(
        set(every(FACTS[profile]["required"])) - content.tags
        or no_report
        or (profile == "sr-verification" and not content.verified)
    )


FILES = {path.name: path for path in sorted((CORPUS / "base").iterdir()) if path.suffix == ".dcm"}
UNSIGNABLE = {"rtdose_rle.dcm", "nometa_broken.dcm", "mr_truncated.dcm", "rtplan_truncated.dcm"}
"""An element of unknown VR comes first, or nobody can read them."""
LARGEST = 400_000


def names() -> list[str]:
    return [name for name, path in FILES.items() if name not in UNSIGNABLE and path.stat().st_size < LARGEST]


@pytest.mark.parametrize("name", names())
def test_signing_adds_what_either_edition_wants_and_verifying_wants_what_both_do(name: str):
    content, data = content_of(FILES[name]), FILES[name].read_bytes()
    first = min(content.tags)
    with dsig.open_key(f"{CORPUS}/pki/rsa2048.key.pem", certificate=f"{CORPUS}/pki/rsa2048.pem") as key:
        for profile in FACTS:
            options = dsig.SignOptions(profile=profile, tags=(first,), purpose=PURPOSES.get(profile))
            if refused(profile, content):
                with pytest.raises(dsig.UsageError, match=f"profile {profile} does not allow this"):
                    dsig.sign(data, key=key, options=options)
                continue
            signed = dsig.sign(data, key=key, options=options)
            assert set(signed.mac.elements) == wanted(profile, content) | {first}
            for other in FACTS:
                report = dsig.verify(signed.output, dsig.VerifyOptions(check_trust=False, require_profiles=(other,)))
                met = (
                    not refused(other, content)
                    and wanted(other, content, by_all=True) <= set(signed.mac.elements)
                    and (not other.startswith("sr") or profile.startswith("sr"))
                    and (other != "sr-verification" or profile == other)
                )
                assert report.verdict == ("passed" if met else "failed"), (profile, other)


def test_there_are_files_for_each_profile():
    contents = [content_of(FILES[name]) for name in names()]
    counts = {profile: sum(not refused(profile, content) for content in contents) for profile in FACTS}
    assert min(counts.values()) > 0
    assert counts["creator"] > 30
