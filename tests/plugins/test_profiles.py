"""The profiles of PS3.15 annex C, against the lists of two editions.

`profile_facts.json` holds those lists as the reference of this project has them, copied and not generated: `union` is
the newer edition's modules resolved to tags, `older` the older edition's list, `only_newer` and `only_older` their
differences as the reference states them, repeating groups counted as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom._dicom_dict import DicomDictionary

import dsig_profiles
from dsig.hookspecs import SignatureView
from dsig.plugins import default
from dsig_profiles.base import BaseRsa
from dsig_profiles.none import NoProfile

FACTS = json.loads((Path(__file__).parent / "profile_facts.json").read_text())
CLAUSES = {"creator": "PS3.15 C.2", "authorization": "PS3.15 C.3", "sr": "PS3.15 C.4", "sr-verification": "PS3.15 C.4"}
REPORTS = ("sr", "sr-verification")
MARKS_OF_A_REPORT = (0x0040A040, 0x0040A043, 0x0040A730)
CREATOR_VERSION_UID = 0x00089123
FLAG = 0x0040A493


@dataclass
class Level:
    location: str = "/"
    tags: tuple[int, ...] = (0x00080018,)
    unsignable: frozenset[int] = frozenset()
    values: dict[int, bytes] = field(default_factory=dict)

    def signable(self, tag: int) -> bool:
        return tag not in self.unsignable

    def value(self, tag: int) -> bytes | None:
        return self.values.get(tag)


def view(
    mac: str = "SHA256",
    syntax: str = "1.2.840.10008.1.2.1",
    key: str = "RSA",
    elements: Iterable[int] = (0x00080018,),
    purpose: str = "",
) -> SignatureView:
    return SignatureView(frozenset(elements), mac, syntax, key, purpose)


def profile(name: str):
    return default().profiles.get(name)


def each(text: str) -> list[int]:
    """The tags a tag of the facts stands for: all groups of a repeating one; the older list names only the first."""
    if text[:4] in ("60xx", "50xx", "6000"):
        return [int(text[:2] + "00" + text[4:], 16) + (group << 16) for group in range(0, 0x20, 2)]
    return [int(text, 16)]


def all_of(*lists: Iterable[str]) -> set[int]:
    return {tag for texts in lists for text in texts for tag in each(text)}


def wanted(name: str) -> set[int]:
    return all_of(FACTS[name]["union"], FACTS[name]["older"])


def by_one_edition(name: str, which: str) -> set[int]:
    """Tags only one edition wants; repeating groups are a matter of the clause, not of the edition."""
    if name == "sr-verification":
        if which == "only_older":
            return {0x0040A030}  # only inside (0040,A073), so no list of the newer edition has it at the root
        name = "sr"  # both have the same modules
    return all_of(text for text in FACTS[name][which] if text[2:4] != "xx")


def report(name: str, *tags: int, verified: bool | None = None, **more: object) -> Level:
    """A level a profile's rules apply to, with the elements it cannot do without and `tags`."""
    needed = {int(text, 16) for text in FACTS[name]["required"]}
    if name in REPORTS:
        needed |= set(MARKS_OF_A_REPORT)
    verified = name == "sr-verification" if verified is None else verified
    values = {FLAG: b"VERIFIED"} if verified else {}
    return Level(tags=tuple(sorted(needed | set(tags) | set(values))), values=values, **more)


def signing(name: str, elements: Iterable[int], **more: str) -> SignatureView:
    """A signature over `elements` that is right in all other respects."""
    purpose = {"sr": "1", "sr-verification": "5"}.get(name, "")
    return view(elements=elements, **{"purpose": purpose} | more)


def told(name: str, level: Level, signature: SignatureView) -> list[tuple[str, str, str]]:
    return [(f.code, f.location, f.severity) for f in profile(name).check(level, signature)]


def codes(signature: SignatureView, level: Level | None = None) -> list[str]:
    return [finding.code for finding in BaseRsa().check(level or Level(), signature)]


def text(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


# ------------------------------------------------------------------------------------------------------- none, base


@pytest.mark.parametrize("mac", ["RIPEMD160", "MD5", "SHA1", "SHA256", "SHA384", "SHA512"])
def test_base_takes_rsa_with_each_of_the_six_macs(mac):
    assert codes(view(mac)) == []


@pytest.mark.parametrize("mac", ["SHA224", "SHA512_256", "SHA3_256", "", "sha256"])
def test_base_refuses_other_macs(mac):
    assert codes(view(mac)) == ["profile-mac"]


@pytest.mark.parametrize("key", ["EC", "DSA", "RSASSA-PSS", ""])
def test_base_refuses_other_keys(key):
    assert codes(view(key=key)) == ["profile-key"]


@pytest.mark.parametrize(
    "syntax",
    ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"],
)
def test_base_takes_explicit_little_endian_compressed_or_not(syntax):
    assert codes(view(syntax=syntax)) == []


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.113619.5.2", "", "1.2.3"])
def test_base_refuses_other_transfer_syntaxes(syntax):
    assert codes(view(syntax=syntax)) == ["profile-transfer-syntax"]


def test_base_says_everything_at_once_and_where():
    findings = list(BaseRsa().check(Level("BeamSequence[0]"), view("SHA224", "1.2.3", "EC")))
    assert [f.code for f in findings] == ["profile-key", "profile-mac", "profile-transfer-syntax"]
    assert {f.location for f in findings} == {"BeamSequence[0]"}
    assert {f.clause for f in findings} == {"PS3.15 C.1"}
    assert {f.severity for f in findings} == {"error"}


def test_neither_profile_chooses_elements():
    assert list(BaseRsa().required(Level())) == list(NoProfile().required(Level())) == []


def test_none_takes_anything():
    assert list(NoProfile().check(Level(), view("X", "", ""))) == []


def test_all_are_found_by_name():
    specs = dsig_profiles.dsig_profiles()
    assert [spec.name for spec in specs] == ["none", "base", *FACTS]
    for spec in specs:
        assert default().profiles.get(spec.name)
        assert bool(spec.edition) == (spec.name != "none")


# ------------------------------------------------------------------------------------------------------------ lists


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_what_their_modules_say(name):
    facts = FACTS[name]
    modules = {
        module: facts["root_level_of_sr_content"] if module == "SR Document Content Module" else tags
        for module, tags in facts["modules"].items()
    }
    assert set(facts["union"]) == set().union(facts["required"], facts["required_if_present"], *modules.values())


@pytest.mark.parametrize("name", FACTS)
def test_signing_adds_what_either_edition_wants(name):
    tags = wanted(name)
    assert set(profile(name).required(Level(tags=tuple(sorted(tags))))) >= tags
    alone = {tag for tag in tags if list(profile(name).required(Level(tags=(tag,)))) == [tag]}
    assert tags - alone == set()


@pytest.mark.parametrize("name", FACTS)
def test_signing_adds_nothing_else(name):
    others = {tag for tag in DicomDictionary if tag >> 16 >= 8} | {0x00090010, 0x00091001, 0x60200010, 0x50200010}
    others |= {0x60FE3000, 0x60010010, 0x61000010, 0x7FE00008, 0x7FE00009} - wanted(name)
    others -= wanted(name) | {CREATOR_VERSION_UID}
    assert list(profile(name).required(Level(tags=tuple(sorted(others))))) == []


@pytest.mark.parametrize("name", FACTS)
def test_required_elements_that_are_not_signed_are_found(name):
    mandatory = all_of(FACTS[name]["required"])
    excused = {"only_newer": by_one_edition(name, "only_newer"), "only_older": by_one_edition(name, "only_older")}
    wrong = {}
    for tag in sorted(wanted(name) - mandatory - set(MARKS_OF_A_REPORT)):
        level = report(name, tag)
        expected = [("profile-not-signed", text(tag), "error")]
        if tag in excused["only_newer"] | excused["only_older"]:
            expected = [("profile-edition", text(tag), "warning")]
        found = [
            f for f in told(name, level, signing(name, set(level.tags) - {tag})) if f[0] != "profile-approver-view"
        ]
        if found != expected:
            wrong[text(tag)] = found
    assert not wrong


@pytest.mark.parametrize("name", FACTS)
def test_edition_is_named(name):
    newer, older = by_one_edition(name, "only_newer"), by_one_edition(name, "only_older")
    level = report(name, *newer, *older)
    findings = profile(name).check(level, signing(name, set(level.tags) - newer - older))
    said = {f.location: f.message for f in findings if f.code == "profile-edition"}
    assert set(said) == {text(tag) for tag in newer | older}
    assert all(("since an edition after 2019c (2026b)" in said[text(tag)]) == (tag in newer) for tag in newer | older)
    assert all(("in 2019c, no longer in 2026b" in said[text(tag)]) == (tag in older) for tag in newer | older)


@pytest.mark.parametrize("name", FACTS)
def test_everything_signed_meets_the_profile(name):
    level = report(name, *wanted(name), 0x00100010)
    assert told(name, level, signing(name, level.tags)) == []


@pytest.mark.parametrize("name", FACTS)
def test_each_mandatory_element_must_be_there_and_signed(name):
    for tag in sorted(all_of(FACTS[name]["required"])):
        level = report(name)
        errors = [f for f in told(name, level, signing(name, set(level.tags) - {tag})) if f[2] == "error"]
        assert errors == [("profile-not-signed", text(tag), "error")]
        level.tags = tuple(t for t in level.tags if t != tag)
        if tag != FLAG:  # without it the document is not even verified
            assert told(name, level, signing(name, level.tags)) == [("profile-absent", text(tag), "error")]


@pytest.mark.parametrize("name", FACTS)
def test_required_elements_that_cannot_be_signed_are_in_the_way(name):
    tags = wanted(name) - by_one_edition(name, "only_newer") - by_one_edition(name, "only_older")
    for tag in sorted(tags):
        level = report(name, tag, unsignable=frozenset([tag]))
        found = told(name, level, signing(name, set(level.tags) - {tag}))
        assert found == [("profile-unsignable", text(tag), "error")]
        assert tag in profile(name).required(level), "it would be left out without a word"


@pytest.mark.parametrize("name", FACTS)
def test_findings_name_clause_and_keyword_errors_first(name):
    level = report(name, 0x00080070, 0x0018100B, 0x00181204)
    findings = list(profile(name).check(level, signing(name, [0x00080018])))
    assert {f.clause for f in findings} == {CLAUSES[name]}
    severities = [f.severity for f in findings]
    assert severities == sorted(severities)
    assert any(f.message.startswith("SOPClassUID ") and f.location == "(0008,0016)" for f in findings)


# -------------------------------------------------------------------------------------------- creator, authorization


@pytest.mark.parametrize("name", ["creator", "authorization"])
def test_private_elements_are_raw_data_where_a_creator_version_says_so(name):
    private = {0x00090010, 0x00091001, 0x7FE11010}
    nobodys = {0x00070010, 0x00090000, 0xFFFF0010}
    level = report(name, *private, *nobodys)
    assert not set(profile(name).required(level)) & (private | nobodys)
    level = report(name, *private, *nobodys, CREATOR_VERSION_UID)
    required = set(profile(name).required(level))
    assert required >= private
    assert not required & nobodys
    errors = [f for f in told(name, level, signing(name, set(level.tags) - private)) if f[2] == "error"]
    assert errors == [("profile-not-signed", text(tag), "error") for tag in sorted(private)]


@pytest.mark.parametrize("name", REPORTS)
def test_private_elements_of_a_report_are_no_raw_data(name):
    level = report(name, 0x00090010, CREATOR_VERSION_UID)
    assert 0x00090010 not in set(profile(name).required(level))


def test_authorization_reminds_of_what_no_list_can_say():
    level = report("authorization", 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00200011)
    level.unsignable = frozenset([0x00200011])
    findings = list(profile("authorization").check(level, signing("authorization", wanted("authorization"))))
    assert [(f.code, f.severity) for f in findings] == [("profile-approver-view", "warning")]
    assert "(0010,0010), (0010,0020), (0010,0030) and 1 more" in findings[0].message


@pytest.mark.parametrize("name", FACTS)
def test_items_have_no_such_profile(name):
    item = report(name, 0x00080070, location="BeamSequence[0]")
    assert list(profile(name).required(item)) == []
    findings = list(profile(name).check(item, signing(name, item.tags)))
    assert [(f.code, f.location) for f in findings] == [("profile-level", "BeamSequence[0]")]


@pytest.mark.parametrize("name", FACTS)
def test_all_build_on_base(name):
    level = report(name)
    found = told(name, level, signing(name, level.tags, mac="SHA224", syntax="1.2.840.10008.1.2", key="EC"))
    assert [code for code, _, _ in found] == ["profile-key", "profile-mac", "profile-transfer-syntax"]


# ---------------------------------------------------------------------------------------------------------- reports


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("mark", MARKS_OF_A_REPORT)
def test_only_reports_have_report_profiles(name, mark):
    level = report(name)
    level.tags = tuple(tag for tag in level.tags if tag != mark)
    assert told(name, level, signing(name, level.tags)) == [("profile-no-report", "", "error")]


@pytest.mark.parametrize("value", [None, b"", b"UNVERIFIED", b"VERIFIED?", b"verified"])
def test_verification_needs_a_verified_document(value):
    level = report("sr-verification", verified=False)
    level.values = {} if value is None else {FLAG: value}
    assert told("sr-verification", level, signing("sr-verification", level.tags)) == [
        ("profile-not-verified", "(0040,A493)", "error")
    ]


@pytest.mark.parametrize("value", [b"VERIFIED", b"VERIFIED ", b"VERIFIED\0"])
def test_padding_does_not_unverify(value):
    level = report("sr-verification")
    level.values = {FLAG: value}
    assert told("sr-verification", level, signing("sr-verification", level.tags)) == []


def test_every_signature_of_a_report_says_its_purpose():
    level = report("sr")
    assert told("sr", level, signing("sr", level.tags, purpose="")) == [("profile-purpose", "", "error")]
    for number in range(1, 19):
        assert told("sr", level, signing("sr", level.tags, purpose=str(number))) == []


@pytest.mark.parametrize("purpose", ["", "1", "6", "15", "5 of 99LOCAL"])
def test_verification_has_purpose_5(purpose):
    level = report("sr-verification")
    found = told("sr-verification", level, signing("sr-verification", level.tags, purpose=purpose))
    assert found == [("profile-purpose", "", "error")]


def test_author_of_a_verified_report_is_reminded_of_the_verification():
    level = report("sr", 0x00080018, 0x0040A073, verified=True)
    signed = set(level.tags) - {0x00080018, 0x0040A073, FLAG}
    assert told("sr", level, signing("sr", signed, purpose="1")) == [("profile-verification", "", "warning")]


def test_purpose_5_on_a_verified_report_is_a_verification():
    level = report("sr", 0x00080018, 0x0040A073, verified=True)
    assert told("sr", level, signing("sr", level.tags, purpose="5")) == []
    signed = set(level.tags) - {0x00080018, 0x0040A073, FLAG}
    assert told("sr", level, signing("sr", signed, purpose="5")) == [
        ("profile-not-signed", text(tag), "error") for tag in (0x00080018, 0x0040A073, FLAG)
    ]
