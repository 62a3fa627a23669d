"""Signing in all pairs of circumstances, by dcmsign and by `dsig-dcmsign`: same refusals, same MAC stream, same output.

Operation, profile, MAC, key, object, transfer syntaxes in and out, lengths, level, format and selection are chosen so
that any two values of any two of them meet at least once, in a few rounds that differ in the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from dcmsign_pairs import CA, base, data_sets_differ, mac_streams_differ, run_both
from interop_peers import MACS, PKI, succeed
from support.dcmsign import dcmsign

pytestmark = pytest.mark.interop

Choice = Mapping[str, str]

FACTORS: dict[str, Sequence[str]] = {
    "object": ("rtplan", "sr_comp", "mr", "mr_rle", "us_mf_jpeg"),
    "input": ("as it is", "+te", "+tb", "+ti", "+td"),
    "profile": ("-pf", "+pb", "+pc", "+pa", "+pr", "+pv"),
    "mac": tuple(MACS.values()),
    "key": ("rsa2048", "rsa3072", "dsa2048", "p256", "p384"),
    "output": ("+t=", "+te", "+tb", "+ti"),
    "lengths": ("+e", "-e"),
    "level": ("main", "item", "nested"),
    "format": ("-fn", "-fo"),
    "selection": ("all", "tags", "file"),
    "purpose": ("-sp", "1", "5"),
    "un": ("-uc", "+uc"),
}
LOCATIONS = {
    ("rtplan", "item"): "BeamSequence[0]",
    ("rtplan", "nested"): "BeamSequence[0].ControlPointSequence[0]",
    ("sr_comp", "item"): "ContentSequence[0]",
    ("sr_comp", "nested"): "ContentSequence[0].ConceptNameCodeSequence[0]",
}
"""Items of the objects; the others have none there, which is another case."""
COMPRESSED = ("mr_rle", "us_mf_jpeg")
NAMED = {
    "rtplan": "BeamNumber",
    "sr_comp": "ValueType",
}
"""An element of the items and, for reports, of the data set."""


def named(choice: Choice) -> str:
    return " ".join(choice.values())


def pairs(choice: Sequence[str]) -> set[tuple[int, str, int, str]]:
    """Every two values that meet in a choice."""
    numbered = list(enumerate(choice))
    return {(i, a, j, b) for (i, a), (j, b) in itertools.combinations(numbered, 2)}


def chosen(state: int) -> Iterator[Choice]:
    """A set of choices in which all pairs meet: greedily, the one with most new pairs of a fixed sequence of tries."""
    values = list(FACTORS.values())
    missing = {
        (i, a, j, b) for i, j in itertools.combinations(range(len(values)), 2) for a in values[i] for b in values[j]
    }
    while missing:
        i, a, j, b = min(missing)
        best: tuple[str, ...] = ()
        gain = 0
        for _ in range(60):
            tried = []
            for factor in values:
                state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
                tried.append(factor[(state >> 33) % len(factor)])
            tried[i], tried[j] = a, b
            new = len(pairs(tried) & missing)
            if new > gain:
                best, gain = tuple(tried), new
        missing -= pairs(best)
        yield dict(zip(FACTORS, best, strict=True))


ROUNDS = 4
CHOICES = list({named(choice): choice for state in range(ROUNDS) for choice in chosen(state)}.values())


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory):
    """The objects in the transfer syntaxes they can have."""
    directory = tmp_path_factory.mktemp("inputs")

    def made(choice: Choice) -> Path:
        original = base(f"{choice['object']}.dcm")
        if choice["input"] == "as it is" or choice["object"] in COMPRESSED:
            return original
        path = directory / f"{choice['object']}{choice['input']}.dcm"
        if not path.exists():
            succeed("dcmconv", choice["input"], original, path)
        return path

    return made


def words_for(choice: Choice) -> list[object]:
    """The options of a choice."""
    key, certificate = PKI / f"{choice['key']}.key.pem", PKI / f"{choice['key']}.pem"
    words: list[object] = ["+s", key, certificate]
    if choice["level"] != "main":
        words = ["+si", key, certificate, LOCATIONS.get((choice["object"], choice["level"]), "BeamSequence[0]")]
    words += [choice[name] for name in ("mac", "profile", "output", "lengths", "format", "un")]
    words += ["-sp"] if choice["purpose"] == "-sp" else ["+sp", choice["purpose"]]
    if choice["selection"] == "tags":
        words += ["-t", NAMED.get(choice["object"], "PatientName"), "-t", NAMED.get(choice["object"], "0010,0020")]
    elif choice["selection"] == "file":
        words += ["-tf", "tags"]
    return [*words, "+d", "dump"]


def verification_of_a_list(choice: Choice) -> bool:
    """A verified report, signed with purpose 5 as any report, and not whole."""
    wanted = {"object": "sr_comp", "profile": "+pr", "purpose": "5", "level": "main"}
    rsa = choice["key"] in ("rsa2048", "rsa3072")
    return rsa and choice["selection"] != "all" and wanted.items() <= choice.items()


def test_all_pairs_meet():
    met = set().union(*(pairs(list(choice.values())) for choice in CHOICES))
    wanted = sum(len(a) * len(b) for a, b in itertools.combinations(FACTORS.values(), 2))
    assert len(met) == wanted


@pytest.mark.parametrize("choice", CHOICES, ids=named)
def test_both_sign_alike(choice: Choice, inputs, tmp_path: Path):
    tags = NAMED.get(choice["object"], "(0008,0018)").encode()
    both = run_both(tmp_path, *words_for(choice), inputs(choice), "out.dcm", prepare=[("tags", tags)])
    if verification_of_a_list(choice):  # a difference of the table: sr-verification
        assert (both.peer.code, both.ours.code) == (0, 85)
        return
    assert both.ours.code == both.peer.code, f"{both.peer.log}\n---\n{both.ours.log}"
    outputs = both.files("out.dcm")
    assert [path.exists() for path in outputs] == [not both.peer.code] * 2
    if both.peer.code:
        return
    dumps = [path.read_bytes() for path in both.files("dump")]
    assert mac_streams_differ(*dumps) == ""
    found = data_sets_differ(*outputs)
    if choice["input"] == "+td":  # a difference of the table: deflated
        found = [text for text in found if "(0400,0010): '1.2.840.10008.1.2.1.99' and" not in text]
    assert found == []
    verified = [dcmsign(*CA, choice["format"], choice["un"], path) for path in outputs]
    assert [said.code for said in verified] == [0, 0], "\n".join(said.log for said in verified)
