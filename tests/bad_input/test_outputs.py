"""Outputs that cannot or must not be written: status 8, nothing left behind, and what was there before still is."""

from __future__ import annotations

import errno
import io
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bad_files import BASE, PKI, nothing_changes

import dsig

IS_ROOT = os.geteuid() == 0


@pytest.mark.parametrize("kind", ["same", "dotted", "symbolic link", "hard link", "link to the directory"])
@pytest.mark.parametrize("verb", ["sign", "remove"])
def test_output_that_is_the_input(kind, verb, key, cli, good_key, place):
    given, output = place / "in.dcm", str(place / "other.dcm")
    if kind == "same":
        output = str(given)
    elif kind == "dotted":
        output = f"{place}/./../{place.name}/in.dcm"
    elif kind == "symbolic link":
        Path(output).symlink_to(given)
    elif kind == "hard link":
        os.link(given, output)
    else:
        (place / "sub").symlink_to(place)
        output = str(place / "sub" / "in.dcm")
    with nothing_changes(place):
        with pytest.raises(dsig.OutputError) as caught:
            if verb == "sign":
                dsig.sign(given, output, key=key)
            else:
                dsig.remove(given, output, everything=True)
        assert caught.value.exit_status == 8
        assert caught.value.code == "output-is-input"
        options = good_key if verb == "sign" else ["--all"]
        cli(verb, given, "-o", output, *options).one_line(8, output, "--in-place")
    # the other way round: the input is the link
    with nothing_changes(place):
        cli(verb, output, "-o", given, *options).one_line(8, str(given))


def test_in_place_through_a_link_keeps_the_link(key, place):
    (place / "link.dcm").symlink_to(place / "in.dcm")
    dsig.sign(place / "link.dcm", key=key, options=dsig.SignOptions(in_place=True))
    assert (place / "link.dcm").is_symlink()
    assert len(dsig.verify(place / "in.dcm").signatures) == 1
    assert sorted(p.name for p in place.iterdir()) == ["in.dcm", "link.dcm"]


IMPOSSIBLE: dict[str, Callable[[Path], str]] = {
    "directory missing": lambda d: str(d / "nowhere" / "out.dcm"),
    "directory is a file": lambda d: str(d / "in.dcm" / "out.dcm"),
    "name too long": lambda d: str(d / ("x" * 300)),
    "link that goes round": lambda d: (d / "loop").symlink_to(d / "loop") or str(d / "loop"),
    "link into nothing": lambda d: (d / "link").symlink_to(d / "nowhere" / "x") or str(d / "link"),
    "full device": lambda d: "/dev/full",
    "kernel file": lambda d: "/proc/sys/kernel/nowhere",
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_outputs_that_cannot_be(name, key, cli, good_key, place):
    output = IMPOSSIBLE[name](place)
    with nothing_changes(place):
        for verb in (
            lambda: dsig.sign(place / "in.dcm", output, key=key),
            lambda: dsig.remove(place / "in.dcm", output, everything=True),
        ):
            with pytest.raises(dsig.OutputError) as caught:
                verb()
            assert caught.value.exit_status == 8
            assert caught.value.hint
        cli("sign", place / "in.dcm", "-o", output, *good_key).one_line(8, output[:200])


def test_an_output_that_is_a_directory(key, place):
    (place / "directory").mkdir()
    with nothing_changes(place), pytest.raises(dsig.OutputError):
        dsig.sign(place / "in.dcm", place / "directory", key=key)


def test_an_empty_output_name(key, cli, good_key, place):
    with nothing_changes(place):
        ran = cli("sign", place / "in.dcm", "-o", "", *good_key, cwd=place)
        assert ran.status in (2, 8)
        ran.one_line(ran.status)


def test_both_or_neither_output(cli, good_key, place):
    with nothing_changes(place):
        cli("sign", place / "in.dcm", "-o", place / "o.dcm", "--in-place", *good_key).one_line(2, "--in-place")
        cli("sign", place / "in.dcm", *good_key).one_line(2, "--in-place")
        cli("sign", *good_key, "-o", place / "o.dcm").one_line(2)


FAILURES: dict[str, Callable[[Path], list[object]]] = {
    "input cut": lambda d: [(d / "cut.dcm").write_bytes((BASE / "ct.dcm").read_bytes()[:20_000]) and d / "cut.dcm"],
    "input missing": lambda d: [d / "nowhere.dcm"],
    "weak MAC": lambda d: [d / "in.dcm", "--mac", "MD5"],
    "absent element": lambda d: [d / "in.dcm", "--tag", "0019,0099"],
    "dump that cannot be": lambda d: [d / "in.dcm", "--dump", d / "nowhere" / "dump.bin"],
}


@pytest.mark.parametrize("name", FAILURES)
def test_an_output_that_exists_survives_a_failure(name, cli, good_key, place):
    output = place / "out.dcm"
    output.write_bytes(b"precious")
    output.chmod(0o640)
    arguments = FAILURES[name](place)
    with nothing_changes(place):
        assert cli("sign", *arguments, "-o", output, *good_key).status in (2, 5, 8)
    assert output.read_bytes() == b"precious"


def test_an_output_that_exists_is_replaced_with_its_permissions(key, place):
    output = place / "out.dcm"
    output.write_bytes(b"old")
    output.chmod(0o640)
    dsig.sign(place / "in.dcm", output, key=key)
    assert output.stat().st_mode & 0o777 == 0o640
    assert len(dsig.verify(output).signatures) == 1
    assert sorted(p.name for p in place.iterdir()) == ["in.dcm", "out.dcm"]


LOSSES: dict[str, Callable[[Path], list[object]]] = {
    "report on the file verified": lambda d: ["verify", d / "in.dcm", "--report", d / "in.dcm"],
    "report on a file of the directory": lambda d: ["verify", d, "--report", d / "in.dcm"],
    "report on a link to it": lambda d: (d / "link").symlink_to("in.dcm") or ["verify", d, "--report", d / "link"],
    "report on the root": lambda d: ["verify", d / "in.dcm", "--trust-root", d / "ca.pem", "--report", d / "ca.pem"],
    "report on the ledger": lambda d: ["verify", d / "in.dcm", "--ledger", d / "ledger", "--report", d / "ledger"],
    "export on the ledger": lambda d: ["ledger", "export", d / "ledger", "-o", d / "ledger"],
    "export on a DICOM file": lambda d: ["ledger", "export", d / "ledger", "-o", d / "in.dcm"],
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_no_dicom_takes_the_place_of_no_input(name, cli, place):
    shutil.copy(PKI / "root.pem", place / "ca.pem")
    if "ledger" in name or "export" in name:
        assert cli("verify", place / "in.dcm", "--ledger", place / "ledger", "--quiet").status == 4
    command = LOSSES[name](place)
    with nothing_changes(place):
        cli(*command).one_line(8, str(command[-1]), "name another file")


def test_a_report_is_replaced_by_the_next(cli, place):
    for status in (4, 4):
        assert cli("verify", place / "in.dcm", "--report", place / "report.txt").status == status
    assert "unsigned" in (place / "report.txt").read_text()


class Refusing(io.BytesIO):
    """A file object that fails when written to."""

    def write(self, data: object, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_object_that_fails(key, place):
    with nothing_changes(place):
        for verb in (
            lambda out: dsig.sign(place / "in.dcm", out, key=key),
            lambda out: dsig.remove(place / "in.dcm", out, everything=True),
        ):
            with pytest.raises(dsig.OutputError):
                verb(Refusing())


# ---------------------------------------------------------------------------------------------------------- full disks


@contextmanager
def small_disk(directory: Path, size: int) -> Iterator[dict[str, object]]:
    """A directory that takes no more than `size` bytes: a small file system, or else a limit for the process.

    Gives the options for the run that make it so.
    """
    directory.mkdir()
    mounted = IS_ROOT and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], stderr=subprocess.DEVNULL
    )
    if not mounted:
        yield {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}
        return
    try:
        yield {}
    finally:
        subprocess.run(["umount", directory], check=True)


def limited(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("verb", ["sign", "remove"])
def test_full_disk(verb, cli, good_key, tmp_path):
    """An input of 40 kB on a disk of 64 kB, with an older output in the way."""
    disk = tmp_path / "disk"
    with small_disk(disk, 65_536) as options:
        shutil.copy(BASE / "ct.dcm", disk / "in.dcm")
        (disk / "out.dcm").write_bytes(b"precious")
        arguments = good_key if verb == "sign" else ["--all"]
        with nothing_changes(disk):
            if options:
                options["preexec_fn"] = limited(20_000)
            cli(verb, disk / "in.dcm", "-o", disk / "out.dcm", *arguments, **options).one_line(8, "out.dcm")
            cli(verb, disk / "in.dcm", "-o", disk / "new.dcm", *arguments, **options).one_line(8, "new.dcm")
            cli(verb, disk / "in.dcm", "--in-place", *arguments, **options).one_line(8, "in.dcm")


@pytest.mark.parametrize("size", [0, 1000, 30_000, 39_205])
def test_file_size_limits(size, cli, good_key, place):
    """Failing at the first byte, in the middle, at the last."""
    shutil.copy(BASE / "ct.dcm", place / "ct.dcm")
    with nothing_changes(place):
        ran = cli("sign", place / "ct.dcm", "-o", place / "o.dcm", *good_key, preexec_fn=limited(size))
        ran.one_line(8, "o.dcm")


def test_full_disk_for_the_dump(cli, good_key, place):
    with nothing_changes(place):
        ran = cli("sign", place / "in.dcm", "-o", place / "o.dcm", "--dump", "/dev/full", *good_key)
        ran.one_line(8, "/dev/full")


def test_full_disk_for_the_report(cli, tmp_path):
    with open("/dev/full", "w") as full:
        ran = cli("verify", BASE / "mr.dcm", stdout=full)
    assert ran.status == 8
    assert ran.err.count("\n") == 1
    ran.no_traceback()


# ----------------------------------------------------------------------------------------------------- unreadable files

UNREADABLE: dict[str, Callable[[Path], Path]] = {
    "missing": lambda d: d / "nowhere.dcm",
    "dangling link": lambda d: (d / "link").symlink_to(d / "nowhere") or d / "link",
    "link that goes round": lambda d: (d / "loop").symlink_to(d / "loop") or d / "loop",
    "below a file": lambda d: d / "in.dcm" / "x.dcm",
    "name too long": lambda d: d / ("x" * 300),
    "memory of a process": lambda d: Path("/proc/self/mem"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_files(name, key, cli, good_key, place):
    path = UNREADABLE[name](place)
    with nothing_changes(place):
        with pytest.raises(dsig.InputError):
            dsig.sign(path, place / "o.dcm", key=key)
        assert dsig.verify(path).verdict is dsig.FileVerdict.ERROR
        ran = cli("sign", path, "-o", place / "o.dcm", *good_key, memory=True)
        ran.one_line(5, str(path)[:200])
        assert ran.megabytes < 150
        ran = cli("verify", path)
        assert ran.status == 5
        ran.no_traceback()


def test_a_device_without_end(cli, good_key, place):
    """What has no random access is copied to a temporary file, and that has a limit here."""
    with nothing_changes(place):
        ran = cli("sign", "/dev/zero", "-o", place / "o.dcm", *good_key, memory=True, preexec_fn=limited(1 << 20))
        ran.one_line(5, "/dev/zero")
        assert ran.megabytes < 150


def test_a_pipe_is_read_like_a_file(cli):
    ran = cli("verify", "/dev/stdin", input=(BASE / "mr.dcm").read_bytes())
    assert ran.status == 4, ran
    ran = cli("verify", "/dev/stdin", input=(BASE / "mr.dcm").read_bytes()[:5000])
    assert ran.status == 5, ran


def test_a_directory_is_no_file(key, place):
    with nothing_changes(place):
        with pytest.raises(dsig.InputError):
            dsig.sign(place, place / "o.dcm", key=key)
        with pytest.raises(dsig.InputError):
            dsig.inspect(place)
        assert dsig.verify(place).verdict is dsig.FileVerdict.ERROR


def test_a_file_without_permission(cli, tmp_path):
    """As somebody else if we are root, whom permissions don't stop."""
    path = tmp_path / "in.dcm"
    shutil.copy(BASE / "mr.dcm", path)
    path.chmod(0)
    if IS_ROOT:  # everything is imported before the rights are dropped: it may be out of reach afterwards
        script = (
            "import os, sys; sys.dont_write_bytecode = True; import dsig, dsig.cli, dsig.cli.verify;"
            "from dsig.cli import main; main(['verify', sys.argv[2]]);"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534); sys.exit(main(['verify', sys.argv[1]]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, path, BASE / "mr.dcm"],
            capture_output=True,
            text=True,
            check=False,
        )
        status, out, err = done.returncode, done.stdout, done.stderr
    else:
        ran = cli("verify", path)
        status, out, err = ran.status, ran.out, ran.err
    assert status == 5, err
    assert "Permission denied" in out
    assert "Traceback" not in err


def test_an_empty_directory(cli, tmp_path):
    cli("verify", tmp_path).one_line(5, str(tmp_path))
