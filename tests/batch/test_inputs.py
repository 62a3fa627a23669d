"""What is given, turned into files: directories, lists, globs, DICOMDIRs, and what cannot be had."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from dsig.batch.file_set import referenced_files
from dsig.batch.inputs import DirectoryEnd, Input, Problem, Wanted, find

CORPUS = Path(__file__).parents[1] / "corpus"


def files(*given: object, **wanted: object) -> list[Input]:
    return [e for e in find([str(g) for g in given], Wanted(**wanted)) if isinstance(e, Input)]


def problems(*given: object) -> list[Problem]:
    return [e for e in find([str(g) for g in given]) if isinstance(e, Problem)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b", "a", "old/x", "new/y.dcm", "new/deep/z.dcm", "new/deep/notes.txt"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "tree"


def test_the_order_is_that_of_names_and_files_come_before_directories(tree):
    found = [f.relative for f in files(tree)]
    assert found == ["a", "b", "new/y.dcm", "new/deep/notes.txt", "new/deep/z.dcm", "old/x"]


def test_the_path_is_what_was_typed_and_the_way_from_there(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    assert [f.path for f in files("./tree/old", "tree/a")] == ["./tree/old/x", "tree/a"]


def test_include_and_exclude_are_about_names_or_about_the_whole_way(tree):
    def ways(**wanted: tuple[str, ...]) -> list[str]:
        return [f.relative for f in files(tree, **wanted)]

    assert ways(include=("*.dcm",)) == ["new/y.dcm", "new/deep/z.dcm"]
    assert ways(include=("new/*.dcm",), exclude=("y*",)) == ["new/deep/z.dcm"]
    assert ways(exclude=("deep", "old/")) == ["a", "b", "new/y.dcm"]
    assert ways(include=("*.DCM",)) == [], "case matters, as it does for file names"


def test_globs_are_not_about_what_was_named(tree):
    assert len(files(tree / "a", include=("*.dcm",))) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_names_files_and_directories(tree, tmp_path, end):
    given = tmp_path / "list"
    given.write_text(end.join([str(tree / "b"), "", str(tree / "new"), str(tree / "a"), ""]), newline="")
    found = files(f"@{given}")
    assert [f.path for f in found] == [
        str(tree / n) for n in ("b", "new/y.dcm", "new/deep/notes.txt", "new/deep/z.dcm", "a")
    ]
    assert found[0].relative == str(tree / "b").lstrip("/"), "what a list names is mirrored as it is named"


def test_names_in_a_list_are_bytes(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9 \xff\nx")
    odd.write_bytes(b"")
    (tmp_path / "list").write_bytes(os.fsencode(odd) + b"\0")
    assert [os.fsencode(f.path) for f in files(f"@{tmp_path / 'list'}")] == [os.fsencode(odd)]


def test_a_list_cannot_climb_out_of_the_output_directory(tmp_path):
    (tmp_path / "list").write_text("../../etc/a\n/b/../c\n./d\n")
    assert [f.relative for f in files(f"@{tmp_path / 'list'}")] == ["etc/a", "c", "d"]


def test_a_list_that_is_not_there_is_a_problem_and_the_rest_is_found(tree):
    entries = list(find(["@/nowhere/list", str(tree / "a")]))
    assert isinstance(entries[0], Problem)
    assert entries[0].error.exit_status == 5
    assert "./@/nowhere/list" in (entries[0].error.hint or "")
    assert isinstance(entries[1], Input)


def test_a_list_that_names_nothing_is_a_problem(tree, tmp_path):
    """A verdict about nothing would look like a good one to the script that made the list."""
    given = tmp_path / "list"
    for text in ("", "\n\n", "\r\n"):
        given.write_text(text, newline="")
        assert [p.error.code for p in problems(f"@{given}")] == ["nothing-found"]
    given.write_text(f"{tree / 'a'}\n")
    entries = list(find([f"@{given}"], Wanted(include=("*.dcm",))))
    assert [type(e) for e in entries] == [Problem]
    assert "--include" in entries[0].error.message


def test_a_list_by_an_editor_that_marks_utf_8(tree, tmp_path):
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbf" + os.fsencode(tree / "a") + b"\r\n")
    assert [f.path for f in files(f"@{tmp_path / 'list'}")] == [str(tree / "a")]


def test_a_dicom_file_is_no_list_and_told_as_such(monkeypatch):
    """Somebody pipes a file where `-` is a list of files, or writes @ before its name."""
    ct = CORPUS / "base" / "ct.dcm"
    (problem,) = problems(f"@{ct}")
    assert "a DICOM file" in problem.error.message
    assert f"./@{ct}" in (problem.error.hint or "")
    with ct.open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        (problem,) = problems("-")
    assert "a DICOM file" in problem.error.message
    assert "./-" not in (problem.error.hint or "")


def test_a_binary_file_is_no_list(tmp_path):
    (tmp_path / "list").write_bytes(b"x" * 200_000)
    (problem,) = problems(f"@{tmp_path / 'list'}")
    assert "65536" in problem.error.message


def test_a_device_that_never_ends_is_no_list():
    (problem,) = problems("@/dev/zero")
    assert "nothing but ends of lines" in problem.error.message


def test_links_to_directories_are_counted_and_not_followed(tree):
    (tree / "loop").symlink_to(tree)
    end = [e for e in find([str(tree)]) if isinstance(e, DirectoryEnd)]
    assert end == [DirectoryEnd(str(tree), 1, ("loop/",))]


def test_a_hundred_thousand_files_are_not_held(tmp_path, monkeypatch):
    """Names of one directory at a time: 1000 directories of 100 names cost what one does."""
    names = [f"{n:03}" for n in range(100)]
    folders = [f"{n:04}" for n in range(1000)]

    def walk(top: str, onerror: Callable[[OSError], None]) -> object:
        yield top, list(folders), []
        for folder in folders:
            yield f"{top}/{folder}", [], list(names)

    monkeypatch.setattr(os, "walk", walk)
    tracemalloc.start()
    count = sum(isinstance(e, Input) for e in find([str(tmp_path)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 1 << 20


# ----------------------------------------------------------------------------------------------------------- DICOMDIR


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A file-set with the index of pydicom's test data, and two of the files it refers to."""
    top = tmp_path / "medium"
    index = CORPUS / "base" / "dicomdir"
    top.mkdir()
    shutil.copy(index, top / "DICOMDIR")
    for name in referenced_files(str(top / "DICOMDIR"))[:2]:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CORPUS / "base" / "sc_odd.dcm", top / name)
    return top


def test_referenced_files_are_those_pydicom_finds(medium):
    from pydicom import dcmread

    records = dcmread(CORPUS / "base" / "dicomdir").DirectoryRecordSequence
    expected = ["/".join(r.ReferencedFileID) for r in records if "ReferencedFileID" in r]
    assert len(expected) > 20
    assert referenced_files(str(medium / "DICOMDIR")) == list(dict.fromkeys(expected))


def test_a_dicomdir_stands_for_the_files_it_refers_to(medium):
    found = files(medium / "DICOMDIR")
    names = referenced_files(str(medium / "DICOMDIR"))
    assert [f.path for f in found] == [str(medium / n) for n in names]
    assert [f.relative for f in found] == names
    assert str(medium / "DICOMDIR") not in [f.path for f in found]


def test_what_a_dicomdir_in_a_directory_refers_to_must_be_there(medium):
    names = referenced_files(str(medium / "DICOMDIR"))
    missing = problems(medium)
    assert [p.path for p in missing] == [str(medium / n) for n in names[2:]]
    assert {p.error.code for p in missing} == {"file-set-incomplete"}


def test_an_index_by_another_name_is_a_file_like_any_other():
    assert referenced_files(str(CORPUS / "base" / "sc_odd.dcm")) is None
    assert [f.path for f in files(CORPUS / "base" / "dicomdir")] == [str(CORPUS / "base" / "dicomdir")]


def test_file_ids_do_not_lead_out_of_the_file_set(medium):
    data = (medium / "DICOMDIR").read_bytes()
    old = b"77654033\\CR1\\6154 "
    assert data.count(old) == 1
    (medium / "DICOMDIR").write_bytes(data.replace(old, b"..\\..\\etc\\passwd  "[:18]))
    for name in referenced_files(str(medium / "DICOMDIR")):
        assert ".." not in name.split("/")


def test_names_in_lower_case_are_found(medium):
    first = referenced_files(str(medium / "DICOMDIR"))[0]
    for folder in [medium / first.partition("/")[0]]:
        folder.rename(medium / "elsewhere")
    (medium / first.lower()).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(CORPUS / "base" / "sc_odd.dcm", medium / first.lower())
    assert referenced_files(str(medium / "DICOMDIR"))[0] == first.lower()
