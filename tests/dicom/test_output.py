"""Outputs are whole or not there, whatever happens on the way."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from dsig.dicom.output import Deflater, renames_kept_together, replacing, same_file
from dsig.errors import MalformedError, OutputError


def write(path: str | os.PathLike[str], data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)


def names(directory: Path) -> list[str]:
    return sorted(p.name for p in directory.iterdir())


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_appears_when_all_is_written(kind: type, tmp_path: Path):
    path = tmp_path / "out.dcm"
    with replacing(kind(path)) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert names(tmp_path) == ["out.dcm"]


def test_an_existing_file_is_as_it_was_until_all_is_written(tmp_path: Path):
    path = tmp_path / "out.dcm"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, MalformedError, KeyboardInterrupt, OSError, FileNotFoundError])
@pytest.mark.parametrize("existed", [False, True])
def test_an_exception_leaves_everything_as_it_was(error: type[BaseException], existed: bool, tmp_path: Path):
    path = tmp_path / "out.dcm"
    if existed:
        path.write_bytes(b"old")
    with pytest.raises((error, OutputError)), replacing(path) as file:
        file.write(b"x" * 200_000)
        raise error("in the middle")
    assert names(tmp_path) == (["out.dcm"] if existed else [])
    assert not existed or path.read_bytes() == b"old"


KILLED_BEFORE_THE_RENAME = """
import os, pathlib, signal, sys
from dsig.dicom.output import replacing
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with replacing(sys.argv[1]) as file:
    file.write(b"never to be seen")
"""


def test_what_a_killed_process_left_is_removed_by_the_next_try(tmp_path: Path):
    path = tmp_path / "out.dcm"
    path.write_bytes(b"old")
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", KILLED_BEFORE_THE_RENAME, path], check=False)
        assert killed.returncode < 0
        assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2, "the second try took the name of the first"
    write(path, b"new")
    assert names(tmp_path) == ["out.dcm"]
    assert path.read_bytes() == b"new"


def test_what_another_process_is_about_to_rename_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "out.dcm"
    path.write_bytes(b"old")
    seen: list[list[str]] = []
    replace = Path.replace

    def later(self: Path, target: Path) -> Path:
        if not seen:
            seen.append([])
            write(path, b"the other one")
            seen.append(names(tmp_path))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", later)
    write(path, b"the last one")
    assert len(seen[1]) == 2
    assert path.read_bytes() == b"the last one"
    assert names(tmp_path) == ["out.dcm"]


def test_what_was_written_can_be_read_again_before_it_is_there(tmp_path: Path):
    with replacing(tmp_path / "out.dcm") as file:
        file.write(b"abcdef")
        file.seek(2)
        assert file.read(2) == b"cd"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400, 0o755])
def test_permissions_of_an_existing_file_are_kept(mode: int, tmp_path: Path):
    path = tmp_path / "out.dcm"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_permissions_the_user_gives_to_new_files(umask: int, tmp_path: Path):
    before = os.umask(umask)
    try:
        write(tmp_path / "out.dcm", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.dcm").stat().st_mode) == 0o666 & ~umask


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "real.dcm", tmp_path / "link.dcm"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(tmp_path / "elsewhere") == ["real.dcm"]


def test_a_link_to_nothing_makes_its_target(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "reason"), [("missing/out.dcm", "directory does not exist"), (".", "is a directory"), ("x" * 300, "long")]
)
def test_a_place_that_cannot_be_written_is_an_output_error_naming_it(name: str, reason: str, tmp_path: Path):
    with pytest.raises(OutputError, match=reason) as caught, replacing(tmp_path / name):
        raise AssertionError
    assert caught.value.where.file == str(tmp_path / name)
    assert caught.value.hint
    assert names(tmp_path) == []


def test_a_path_through_a_file_is_an_output_error(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError), replacing(tmp_path / "file" / "out.dcm"):
        raise AssertionError


def test_a_device_is_written_to_directly():
    write(os.devnull, b"gone")


def test_a_device_that_is_full_is_an_output_error():
    with pytest.raises(OutputError, match="No space left"):
        write("/dev/full", b"x" * 200_000)


def test_a_name_of_full_length_can_be_written(tmp_path: Path):
    write(tmp_path / ("n" * 251 + ".dcm"), b"new")
    assert names(tmp_path) == ["n" * 251 + ".dcm"]


# ---------------------------------------------------------------------------------------------------------- disk full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; for a user who may not mount one, a limit on the size of files does as well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, before[1]))
    try:
        yield disk
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
@pytest.mark.parametrize("existed", [False, True])
def test_on_a_full_disk_nothing_is_left_behind_and_the_old_file_is_intact(existed: bool, small_disk: Path):
    path = small_disk / "out.dcm"
    if existed:
        path.write_bytes(b"old")
    with pytest.raises(OutputError) as caught, replacing(path) as file:
        for _ in range(40):
            file.write(bytes(4096))
    assert "free space" in (caught.value.hint or "")
    assert names(small_disk) == (["out.dcm"] if existed else [])
    assert not existed or path.read_bytes() == b"old"


def test_a_file_that_grows_beyond_the_limit_of_the_user_is_an_output_error(tmp_path: Path):
    program = (
        "import resource, sys\n"
        "from dsig.dicom.output import replacing\n"
        "from dsig.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    with replacing(sys.argv[1]) as file:\n"
        "        file.write(bytes(100_000))\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "out.dcm")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert names(tmp_path) == []


def test_a_program_that_is_killed_leaves_the_old_file_intact(tmp_path: Path):
    path = tmp_path / "out.dcm"
    path.write_bytes(b"old")
    program = (
        "import os, signal, sys\n"
        "from dsig.dicom.output import replacing\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(bytes(1 << 20)); file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=False)
    assert done.returncode == -9
    assert path.read_bytes() == b"old"


# -------------------------------------------------------------------------------------------------------- same file


def test_two_names_of_one_file_are_one_file(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")
    assert same_file(tmp_path / "a", tmp_path / "." / "a")
    assert same_file(tmp_path / "a", str(tmp_path / "link"))
    assert same_file(tmp_path / "hard", tmp_path / "a")
    assert not same_file(tmp_path / "a", tmp_path / "b")
    assert not same_file(tmp_path / "a", tmp_path / "missing")


# ---------------------------------------------------------------------------------------------------------- deflate


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 1 << 20])
def test_deflated_output_inflates_to_what_was_written_and_has_even_length(size: int):
    data = bytes(i * i % 256 for i in range(min(size, 5000))) * max(size // 5000, 1)
    out = BytesIO()
    deflater = Deflater(out)
    for at in range(0, len(data), 999):
        deflater.write(memoryview(data)[at : at + 999])
    deflater.close()
    packed = out.getvalue()
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    assert engine.decompress(packed) == data
    assert engine.eof
    assert engine.unused_data in (b"", b"\0")
    assert len(packed) % 2 == 0


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced to the disk, in order: names of directories, and `file`."""
    seen: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        seen.append("directory" if stat.S_ISDIR(status.st_mode) else "file")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_file_and_rename_are_on_the_disk_when_it_is_written(tmp_path: Path, synced: list[str]):
    write(tmp_path / "a", b"a")
    write(tmp_path / "b", b"b")
    assert synced == ["file", "directory"] * 2


def test_renames_kept_together_are_on_the_disk_when_the_block_ends(tmp_path: Path, synced: list[str]):
    (tmp_path / "below").mkdir()
    with renames_kept_together():
        with renames_kept_together():
            for name in ("a", "b", "below/c"):
                write(tmp_path / name, b"x")
        assert synced == ["file"] * 3
        assert names(tmp_path) == ["a", "b", "below"]
    assert synced == ["file"] * 3 + ["directory"] * 2
    write(tmp_path / "d", b"d")
    assert synced[5:] == ["file", "directory"]


def test_renames_are_on_the_disk_even_if_the_block_ends_badly(tmp_path: Path, synced: list[str]):
    with pytest.raises(ZeroDivisionError), renames_kept_together():
        write(tmp_path / "a", b"x")
        raise ZeroDivisionError
    assert synced == ["file", "directory"]


def test_a_name_with_a_slash_behind_it_is_no_file(tmp_path: Path):
    file = tmp_path / "file"
    file.write_bytes(b"before")
    for name in ("file/", "new/"):
        with pytest.raises(OutputError, match="directory"), replacing(f"{tmp_path}/{name}") as written:
            written.write(b"after")
    assert not same_file(file, f"{file}/")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]
