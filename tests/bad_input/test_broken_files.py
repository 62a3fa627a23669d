"""What is no DICOM, cut, lying, too deep or out of order: one line, exit status 5, nothing written."""

from __future__ import annotations

import json

import pytest
from bad_files import DISORDER, LYING, NAME, NESTED, NOT_DICOM, nested, nothing_changes, part10

import dsig

BROKEN = NOT_DICOM | LYING | NESTED
MEGABYTES = 150
"""Bound for a run of the command over any of these, most of which is the interpreter and its libraries."""


def clear(error: dsig.DsigError, file: str) -> None:
    """Assert that an error says what and where, in one printable line."""
    assert error.exit_status == 5
    assert error.message
    assert str(error).isprintable()
    assert error.where.file == file
    assert error.code


@pytest.mark.parametrize("name", BROKEN)
def test_no_verb_takes_a_broken_file(name, key, tmp_path):
    path, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    path.write_bytes(BROKEN[name]())
    with nothing_changes(tmp_path):
        with pytest.raises(dsig.InputError) as caught:
            dsig.sign(path, out, key=key)
        clear(caught.value, str(path))
        with pytest.raises(dsig.InputError) as caught:
            dsig.sign(path, key=key, options=dsig.SignOptions(in_place=True))
        clear(caught.value, str(path))
        with pytest.raises(dsig.InputError) as caught:
            dsig.remove(path, out, everything=True)
        clear(caught.value, str(path))
        with pytest.raises(dsig.InputError) as caught:
            dsig.inspect(path)
        clear(caught.value, str(path))
        report = dsig.verify(path)
        assert report.verdict is dsig.FileVerdict.ERROR
        assert report.error is not None
        assert report.error.message.isprintable()
        assert report.signatures == ()


@pytest.mark.parametrize("name", BROKEN)
def test_the_command_says_what_is_broken(name, cli, good_key, tmp_path):
    path, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    path.write_bytes(BROKEN[name]())
    with nothing_changes(tmp_path):
        ran = cli("sign", path, "-o", out, *good_key, memory=True)
        ran.one_line(5, str(path))
        assert ran.megabytes <= MEGABYTES


def test_one_broken_file_does_not_stop_the_next(cli, tmp_path):
    """All of them in one run, with a good one at either end."""
    paths = []
    for number, make in enumerate([lambda: part10(NAME), *BROKEN.values(), lambda: part10(NAME)]):
        paths.append(tmp_path / f"{number}.dcm")
        paths[-1].write_bytes(make())
    with nothing_changes(tmp_path):
        ran = cli("verify", *paths, "--format", "json", memory=True)
    assert ran.status == 5, "the gravest of them (docs/exit-status.md)"
    ran.no_traceback()
    assert ran.megabytes <= MEGABYTES
    files = json.loads(ran.out)["files"]
    assert [f["path"] for f in files] == [str(p) for p in paths]
    assert [f["verdict"] for f in files] == ["unsigned", *["error"] * len(BROKEN), "unsigned"]
    assert all(f["error"]["message"] for f in files[1:-1])


@pytest.mark.parametrize("name", ["text", "item past its sequence", "100,000 sequences deep", "deflate bomb"])
def test_the_other_commands_say_it_too(name, cli, tmp_path):
    path, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    path.write_bytes(BROKEN[name]())
    with nothing_changes(tmp_path):
        cli("inspect", path).one_line(5, str(path))
        cli("remove", path, "--all", "-o", out).one_line(5, str(path))
        cli("remove", path, "--all", "--in-place").one_line(5, str(path))
        ran = cli("verify", path)
        assert ran.status == 5
        ran.no_traceback()
        assert "error" in ran.out
        assert str(path) in ran.out


@pytest.mark.parametrize("name", DISORDER)
def test_disorder_is_not_signed(name, key, cli, good_key, tmp_path):
    """PS3.5 7.1: ascending, each once. Readers would disagree about what was signed."""
    path, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    path.write_bytes(DISORDER[name]())
    with nothing_changes(tmp_path):
        with pytest.raises(dsig.InputError) as caught:
            dsig.sign(path, out, key=key)
        clear(caught.value, str(path))
        assert caught.value.hint
        cli("sign", path, "-o", out, *good_key).one_line(5, str(path))
        assert dsig.verify(path).verdict is dsig.FileVerdict.UNSIGNED


def test_the_limit_of_nesting_is_where_it_says(key):
    """64 sequences below the data set are read, 65 are not (`dsig.Limits.depth`)."""
    assert dsig.sign(part10(nested(64)), key=key).coverage.signed == 1
    with pytest.raises(dsig.LimitError, match="64"):
        dsig.sign(part10(nested(65)), key=key)
    assert dsig.sign(part10(nested(65)), key=key, options=dsig.SignOptions(limits=dsig.Limits(depth=65)))


WRONG_GROUP_LENGTHS = (0, 4, 60, 1 << 30)


@pytest.mark.parametrize("length", WRONG_GROUP_LENGTHS)
def test_a_wrong_length_of_the_meta_information_is_told(length):
    """It moves the border of the data set for readers that go by it (PS3.10 7.1)."""
    content = part10(NAME, group_length=length)
    for findings in (dsig.verify(content).findings, dsig.inspect(content).findings):
        assert [f.code for f in findings] == ["meta-group-length"]


@pytest.mark.parametrize("length", WRONG_GROUP_LENGTHS)
def test_a_file_with_a_wrong_length_of_the_meta_information_is_not_signed(length, key):
    with pytest.raises(dsig.MalformedError) as caught:
        dsig.sign(part10(NAME, group_length=length), key=key)
    assert caught.value.code == "meta-group-length"


@pytest.mark.parametrize("given", [b"", b"text", bytearray(b"\0" * 4096), memoryview(part10(nested(300)))])
def test_bytes_are_as_bad_as_files(given, key):
    with pytest.raises(dsig.InputError, match="<bytes>"):
        dsig.sign(given, key=key)
    assert dsig.verify(given).verdict is dsig.FileVerdict.ERROR


@pytest.mark.parametrize("given", [None, 5, ["a.dcm"], object()])
def test_what_is_no_input_at_all(given, key):
    for verb in (
        lambda: dsig.sign(given, key=key),
        lambda: dsig.verify(given),
        lambda: dsig.inspect(given),
        lambda: dsig.remove(given, everything=True),
    ):
        with pytest.raises(dsig.UsageError, match="cannot take"):
            verb()
