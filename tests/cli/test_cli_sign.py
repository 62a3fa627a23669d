"""`dsig sign` and `dsig remove`: files, directories, selections, and what is left behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

SHA256_OF_SHORT_TAG_FILE = """
# what the department wants
(0010,0010)(0010,0020)
PatientBirthDate 0010,0040  # and the sex
"""


def tree(directory: Path) -> dict[str, bytes | None]:
    """Everything below a directory: files with content, directories with None."""
    return {
        str(p.relative_to(directory)): p.read_bytes() if p.is_file() else None for p in sorted(directory.rglob("*"))
    }


def listed(run, path: Path) -> list[str]:
    """Tags the signature of a file lists."""
    return json.loads(run("inspect", path, "--json").out)["signatures"][0]["mac"]["elements"]


@pytest.fixture
def study(tmp_path, corpus) -> Path:
    """A directory with three DICOM files, one of them without preamble, and two others."""
    study = tmp_path / "study"
    (study / "series" / "deep").mkdir(parents=True)
    (study / "empty").mkdir()
    for name, to in (("ct.dcm", "a"), ("mr.dcm", "series/b.dcm"), ("nometa_le.dcm", "series/deep/c")):
        shutil.copy(corpus / "base" / name, study / to)
    (study / "notes.txt").write_text("This is a note about the study, in many words and not in DICOM.\n")
    (study / "series" / "empty.dcm").write_bytes(b"")
    return study


def test_signed_file_verifies_and_the_result_says_what_is_covered(run, ct, key, trust, tmp_path):
    ran = run("sign", ct, "-o", tmp_path / "out.dcm", *key)
    assert (ran.status, ran.err) == (0, "")
    assert "257 elements signed, none unsigned" in ran.out
    assert "CN=Signer rsa2048" in ran.out
    assert run("verify", tmp_path / "out.dcm", *trust).status == 0


def test_quiet_success_says_nothing(run, ct, key, tmp_path):
    ran = run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--quiet")
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_existing_directory_takes_the_name_of_the_file(run, ct, key, tmp_path):
    assert run("sign", ct, "-o", tmp_path, *key).status == 0
    assert [p.name for p in tmp_path.iterdir()] == ["ct.dcm"]


def test_directory_is_mirrored_and_nothing_else_is_left(run, study, key, trust, tmp_path):
    before = tree(study)
    ran = run("sign", study, "-o", tmp_path / "out", *key)
    assert ran.status == 0
    assert "skipped 2 in " in ran.err
    assert "notes.txt" in ran.err
    assert set(tree(tmp_path / "out")) == {"a", "series", "series/b.dcm", "series/deep", "series/deep/c"}
    assert tree(study) == before
    assert run("verify", tmp_path / "out", *trust).status == 0


def test_output_below_the_input_is_not_taken_for_input(run, study, key):
    for _ in range(2):
        assert run("sign", study, "-o", study / "signed", *key).status == 0
    assert not (study / "signed" / "signed").exists()


def test_file_that_cannot_be_signed_does_not_stop_the_others(run, study, key, tmp_path):
    (study / "broken").mkdir()
    (study / "broken" / "cut.dcm").write_bytes((study / "a").read_bytes()[:2000])
    ran = run("sign", study, "-o", tmp_path / "out", *key)
    assert ran.status == 5
    assert "broken/cut.dcm" in ran.err
    assert "3 of 4 files done" in ran.err
    assert set(tree(tmp_path / "out")) == {"a", "series", "series/b.dcm", "series/deep", "series/deep/c"}


def test_same_complaint_about_many_files_is_told_three_times(run, ct, key, tmp_path):
    names = [tmp_path / f"{n}.dcm" for n in range(9)]
    for name in names:
        shutil.copy(ct, name)
    ran = run("sign", *names, "-o", tmp_path / "out", *key, "--item", "BeamSequence[0]")
    assert ran.status == 2
    assert ran.err.count("dsig: error:") == 3
    assert "the same for 6 more" in ran.err
    assert not (tmp_path / "out").exists()


def test_two_inputs_for_one_output_are_refused_before_any_work(run, study, key, tmp_path):
    shutil.copy(study / "a", study / "series" / "a")
    ran = run("sign", study / "a", study / "series" / "a", "-o", tmp_path / "out", *key)
    assert ran.status == 2
    assert not (tmp_path / "out").exists()


def test_several_files_do_not_go_into_one_file(run, ct, corpus, key, tmp_path):
    (tmp_path / "out").write_bytes(b"mine")
    assert run("sign", ct, corpus / "base" / "mr.dcm", "-o", tmp_path / "out", *key).status == 2
    assert (tmp_path / "out").read_bytes() == b"mine"


def test_directory_without_dicom_is_an_input_error(run, key, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.txt").write_text("nothing")
    assert run("sign", tmp_path / "in", "-o", tmp_path / "out", *key).status == 5
    assert run("verify", tmp_path / "in").status == 5


def test_pipes_and_loops_in_a_directory_do_no_harm(run, study, trust, key, tmp_path):
    os.mkfifo(study / "pipe")
    (study / "loop").symlink_to(study)
    ran = run("sign", study, "-o", tmp_path / "out", *key)
    assert ran.status == 0
    plain = "2 are no DICOM (notes.txt, series/empty.dcm)"
    others = "1 is a pipe, socket or device (pipe), 1 is a link to a directory (loop/)"
    assert f"skipped 4 in {study}: {plain}, {others}\n" in ran.err
    (study / "dangling.dcm").symlink_to(study / "nothing")
    ran = run("verify", study)
    assert "dangling.dcm" in ran.out
    assert ran.status == 5


def test_dicomdir_in_a_directory_is_skipped_as_what_it_is(run, key, ct, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    shutil.copy(get_testdata_file("DICOMDIR-nooffset", download=False), study / "DICOMDIR")
    for name in "abcde":
        (study / f"{name}.txt").write_text("nothing")
    shutil.copy(ct, study / "IMAGE")
    ran = run("sign", study, "-o", tmp_path / "out", *key)
    assert f"skipped 6 in {study}: 5 are no DICOM (a.txt, b.txt, c.txt, …), 1 is a DICOMDIR (DICOMDIR)\n" in ran.err
    assert sorted(tree(tmp_path / "out")) == ["IMAGE"]


def test_directory_that_cannot_be_read_is_not_skipped(run, study, monkeypatch):
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("series"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # permissions do not stop root
    ran = run("verify", study)
    assert ran.status == 5
    assert f"error         {study / 'series'}\n" in ran.out
    assert "cannot read the directory: Permission denied" in ran.out
    assert "2 files: " in ran.out, "what can be read is judged all the same"


def test_in_place_replaces_the_file(run, study, key, trust):
    before = (study / "a").read_bytes()
    assert run("sign", study, "--in-place", *key).status == 0
    assert run("verify", study, *trust).status == 0
    assert run("remove", study, "--in-place", "--all").status == 0
    assert (study / "a").read_bytes() == before


def test_tags_from_options_and_file(run, ct, key, tmp_path):
    (tmp_path / "tags").write_text(SHA256_OF_SHORT_TAG_FILE)
    out = tmp_path / "out.dcm"
    assert run("sign", ct, "-o", out, *key, "--tag-file", tmp_path / "tags", "--tag", "Modality").status == 0
    assert listed(run, out) == ["00080060", "00100010", "00100020", "00100030", "00100040"]


def test_a_tag_file_may_come_from_another_system(run, ct, key, tmp_path):
    (tmp_path / "tags").write_bytes(b"\xef\xbb\xbfPatientID\r\n0x0010,0x0010\r\n(0x10,0x40)\r\n")
    out = tmp_path / "out.dcm"
    assert run("sign", ct, "-o", out, *key, "--tag-file", tmp_path / "tags").status == 0
    assert listed(run, out) == ["00100010", "00100020", "00100040"]


@pytest.mark.parametrize("bad", ["PatientNmae", "(0010,001)0", "0010", "(0010 0010)", "\x1b[1m", "PatientName,"])
def test_error_in_a_tag_file_names_file_and_line(run, ct, key, tmp_path, bad):
    tags = tmp_path / "tags.txt"
    tags.write_text(f"PatientName\n# {bad}\n{bad}\n")
    ran = run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--tag-file", tags)
    assert ran.status == 2
    assert "line 3" in ran.err
    assert str(tags) in ran.err
    assert ran.err.count("\n") == 1


def test_tag_file_that_is_none_is_refused(run, ct, key, tmp_path):
    for path in (tmp_path / "missing", tmp_path, ct):
        assert run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--tag-file", path).status == 2


def test_dump_is_what_was_hashed(run, ct, key, tmp_path):
    out, dump = tmp_path / "out.dcm", tmp_path / "dump"
    assert run("sign", ct, "-o", out, *key, "--dump", dump).status == 0
    report = json.loads(run("verify", out, "--format", "json").out)
    assert report["files"][0]["signatures"][0]["mac"]["digest"] == hashlib.sha256(dump.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["in.dcm", "out.dcm", "./in.dcm"])
def test_dump_takes_the_place_of_no_other_file(name, run, ct, key, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.dcm").write_bytes(ct.read_bytes())
    refused = run("sign", "in.dcm", "-o", "out.dcm", *key, "--dump", name)
    assert refused.status == 8
    assert name in refused.err
    assert not Path("out.dcm").exists()
    assert Path("in.dcm").read_bytes() == ct.read_bytes()


def test_dump_of_several_files_is_refused(run, study, key, tmp_path):
    assert run("sign", study, "-o", tmp_path / "out", *key, "--dump", tmp_path / "dump").status == 2
    assert not (tmp_path / "dump").exists()


def test_weak_mac_needs_insistence(run, ct, key, trust, tmp_path):
    refused = run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--mac", "SHA1")
    assert refused.status == 2
    assert "--allow-weak" in refused.err
    assert run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--mac", "SHA1", "--allow-weak").status == 0
    assert "no longer resists forgery" in run("verify", tmp_path / "out.dcm", *trust).out


def test_purposes_can_be_listed(run):
    """PS3.16 CID 7007."""
    shown = run("sign", "--list-purposes")
    assert (shown.status, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert [int(line[:2]) for line in lines] == list(range(1, 19))
    assert lines[4] == " 5 Verification Signature"


def test_an_empty_location_is_none(run, ct, key, tmp_path):
    """As a script gives it whose variable is not set: it meant an item, and not all there is."""
    for empty in ("", " "):
        refused = run("sign", ct, "-o", tmp_path / "out.dcm", *key, "--item", empty)
        assert refused.status == 2
        assert "location" in refused.err
    assert not (tmp_path / "out.dcm").exists()


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        (["sr"], "every signature of the profile says its purpose, this one has none"),
        (["sr-verification", "--purpose", "1"], "a verification has purpose 5 (Verification Signature), not 1"),
    ],
)
def test_profile_that_wants_a_purpose_says_how_to_give_it(run, corpus, key, tmp_path, asked, wrong):
    """PS3.15 C.4; the values are those of PS3.16 CID 7007."""
    ran = run("sign", corpus / "base" / "sr_comp.dcm", "-o", tmp_path / "out", *key, "--profile", *asked)
    assert (ran.status, ran.out) == (2, "")
    assert f"profile {asked[0]} does not allow this: {wrong}" in ran.err
    assert "--purpose N" in ran.err
    assert "1 is Author's Signature, 5 Verification Signature, dsig sign --list-purposes shows all" in ran.err


def test_purpose_and_item_are_reported(run, corpus, key, tmp_path):
    out = tmp_path / "out.dcm"
    ran = run("sign", corpus / "base" / "rtplan.dcm", "-o", out, *key, "--item", "BeamSequence[0]", "--purpose", "5")
    assert ran.status == 0
    assert "of BeamSequence[0]" in ran.out
    inspected = run("inspect", out).out
    assert "of BeamSequence[0]" in inspected
    assert "Verification Signature (5)" in inspected


@pytest.mark.parametrize(
    ("more", "uid"),
    [
        (["--transfer-syntax", "big"], "1.2.840.10008.1.2.2"),
        (["--transfer-syntax", "1.2.840.10008.1.2", "--lengths", "undefined"], "1.2.840.10008.1.2"),
    ],
)
def test_signed_in_another_transfer_syntax(run, ct, key, trust, tmp_path, more, uid):
    out = tmp_path / "out.dcm"
    assert run("sign", ct, "-o", out, *key, *more).status == 0
    report = json.loads(run("verify", out, *trust, "--format", "json").out)
    assert (report["files"][0]["verdict"], report["files"][0]["transfer_syntax"]) == ("passed", uid)


def test_removed_signature_leaves_the_file_as_it_was(run, ct, key, tmp_path):
    run("sign", ct, "-o", tmp_path / "signed.dcm", *key)
    uid = json.loads(run("inspect", tmp_path / "signed.dcm", "--json").out)["signatures"][0]["uid"]
    ran = run("remove", tmp_path / "signed.dcm", "--uid", uid, "-o", tmp_path / "plain.dcm")
    assert ran.status == 0
    assert uid in ran.out
    assert (tmp_path / "plain.dcm").read_bytes() == ct.read_bytes()
    unknown = run("remove", tmp_path / "signed.dcm", "--uid", "1.2.3", "-o", tmp_path / "other.dcm")
    assert unknown.status == 2
    assert not (tmp_path / "other.dcm").exists()


def test_inspect_gives_no_verdict(run, tampered):
    ran = run("inspect", tampered)
    assert ran.status == 0
    assert "not verified" in ran.out
    assert "passed" not in ran.out
    assert json.loads(run("inspect", tampered, "--json").out)["schema"] == "dsig.inspection/1"


def test_inspect_writes_times_as_people_do(run, signed_ct):
    ran = run("inspect", signed_ct)
    assert "claimed     2026-11-22 09:21:10.968197 +0000 by the signer's clock" in ran.out


def test_removing_from_an_unsigned_file_says_that_there_was_nothing(run, ct, tmp_path):
    ran = run("remove", ct, "--all", "-o", tmp_path / "same.dcm")
    assert ran.status == 0
    assert "as it was: there is no signature" in ran.out
    assert (tmp_path / "same.dcm").read_bytes() == ct.read_bytes()
