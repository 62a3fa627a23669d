"""Three hundred megabytes that lie, and signing four gigabytes until somebody has had enough of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_files import (
    BASE,
    END_OF_SEQUENCE,
    NAME,
    PKI,
    RLE,
    UNDEFINED,
    element,
    item,
    nothing_changes,
    part10,
)

SIZE = 300 << 20
MEGABYTES = 120
"""Bound of issue 2 for files of any size; a run over a file of a few kilobytes takes about a third of it."""

HEADS: dict[str, Callable[[], bytes]] = {
    "pixels past the end": lambda: part10(NAME + element(0x7FE00010, "OW", b"", 0xFFFFFFF0)),
    "pixels one byte too long": lambda: part10(NAME + element(0x7FE00010, "OW", b"", SIZE)),
    "unknown past the end": lambda: part10(NAME + element(0x00091010, "UN", b"", SIZE * 2)),
    "text of 300 MB": lambda: part10(NAME + element(0x0040A160, "UT", b"", SIZE - 400)),
    "text past the end": lambda: part10(NAME + element(0x0040A160, "UT", b"", SIZE * 3)),
    "sequence past the end": lambda: part10(NAME + element(0x00400275, "SQ", b"", SIZE * 2)),
    "item past the end": lambda: part10(NAME + element(0x00400275, "SQ", item(b"", SIZE * 2), UNDEFINED)),
    "fragment past the end": lambda: part10(
        NAME + element(0x7FE00010, "OB", item(b"") + item(b"", SIZE * 2), UNDEFINED), RLE
    ),
    "endless empty elements": lambda: part10(NAME),
    "signature of 300 MB": lambda: part10(
        NAME + element(0xFFFAFFFA, "SQ", item(element(0x04000120, "OB", b"", SIZE - 600), SIZE - 588), SIZE - 580)
    ),
}


def sparse(path: Path, head: bytes, size: int = SIZE) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


@pytest.mark.parametrize("name", HEADS)
def test_lying_lengths_cost_no_memory(name, cli, good_key, tmp_path):
    path = tmp_path / "in.dcm"
    sparse(path, HEADS[name]())
    for command in (
        ["sign", path, "-o", tmp_path / "o.dcm", *good_key],
        ["remove", path, "--all", "-o", tmp_path / "o.dcm"],
        ["inspect", path],
        ["verify", path],
    ):
        ran = cli(*command, memory=True)
        assert ran.megabytes <= MEGABYTES, command[0]
        ran.no_traceback()
        assert ran.status in ((5,) if command[0] == "sign" else (0, 1, 4, 5)), ran
        written = command[0] == "remove" and ran.status == 0
        assert sorted(p.name for p in tmp_path.iterdir()) == (["in.dcm", "o.dcm"] if written else ["in.dcm"])
        (tmp_path / "o.dcm").unlink(missing_ok=True)
    assert path.stat().st_size == SIZE


def test_a_large_file_that_does_not_lie(cli, good_key, tmp_path):
    path, out = tmp_path / "in.dcm", tmp_path / "o.dcm"
    head = part10(NAME + element(0x7FE00010, "OW", b"", SIZE))
    sparse(path, head, len(head) + SIZE)
    ran = cli("sign", path, "-o", out, *good_key, memory=True)
    assert ran.status == 0, ran
    assert ran.megabytes <= MEGABYTES
    ran = cli("verify", out, "--trust-root", PKI / "root.pem", "--intermediate", PKI / "inter.pem", memory=True)
    assert ran.status == 0, ran
    assert ran.megabytes <= MEGABYTES


FRAGMENTS = {
    "four hundred thousand fragments": lambda: item(b"") + item(b"\0\1") * 400_000,
    "an offset table of 32 MB": lambda: item(bytes(32 << 20)) + item(b"\0\1"),
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_fragments_cost_no_memory_either(name, cli, good_key, tmp_path):
    path, out = tmp_path / "in.dcm", tmp_path / "o.dcm"
    path.write_bytes(part10(NAME + element(0x7FE00010, "OB", FRAGMENTS[name]() + END_OF_SEQUENCE, UNDEFINED), RLE))
    ran = cli("sign", path, "-o", out, *good_key, memory=True)
    assert ran.status == 0, ran
    assert ran.megabytes <= MEGABYTES
    ran = cli("verify", "--no-trust", out, memory=True)
    assert ran.status == 0, ran
    assert ran.megabytes <= MEGABYTES


# ------------------------------------------------------------------------------------------------------- interruption


ENDLESS = 0xFFFFFFF0
"""As long as an element can be: whoever interrupts is there before the end, however long the machine lets it wait."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "in.dcm"
    head = part10(NAME + element(0x7FE00010, "OW", b"", ENDLESS))
    sparse(path, head, len(head) + ENDLESS)
    return path


def unfinished(directory: Path, process: subprocess.Popen[str]) -> int:
    """Bytes the process has written to whatever is not finished yet, which may have no name."""
    size = sum(p.stat().st_size for p in directory.iterdir() if p.name.endswith(".part"))
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            if os.readlink(descriptor).startswith(f"{directory}/#"):
                size += descriptor.stat().st_size
        except OSError:  # closed in the meantime
            continue
    return size


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
@pytest.mark.parametrize("way", ["new output", "older output", "in place", "remove"])
def test_interrupted_in_the_middle(number, status, word, way, large, good_key, tmp_path):
    given, output = large, tmp_path / "o.dcm"
    where = ["-o", output]
    if way == "older output":
        output.write_bytes(b"precious")
    elif way == "in place":
        given, where = tmp_path / "in.dcm", ["--in-place"]
        os.link(large, given)
    what = ["remove", given, "--all"] if way == "remove" else ["sign", given, *good_key]
    with nothing_changes(tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-m", "dsig.cli", *map(str, what), *map(str, where)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while unfinished(tmp_path, process) < SIZE // 10:
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        process.send_signal(number)
        out, err = process.communicate(timeout=600)
        assert process.returncode == status, err
        assert err == f"dsig: note: {word}\n"
        assert out == ""


def test_interrupted_while_asking_for_a_passphrase(place):
    """On a terminal of its own, and Ctrl-C typed there."""
    import pty

    leader, follower = pty.openpty()
    script = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        "from dsig.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    key = ["--key", str(PKI / "p256.key.enc.pem"), "--cert", str(PKI / "p256.pem")]
    with nothing_changes(place):
        process = subprocess.Popen(
            [sys.executable, "-c", script, "sign", place / "in.dcm", "-o", place / "o.dcm", *key],
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        seen = b""
        while b"Passphrase for" not in seen:
            seen += os.read(leader, 1024)
        os.write(leader, b"\x03")
        assert process.wait(600) == 130
        while b"interrupted" not in seen:
            seen += os.read(leader, 1024)
        os.close(leader)
    assert b"Traceback" not in seen


# ------------------------------------------------------------------------------------------------------------- streams


def shell(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A real pipeline; `$D` is the command, its arguments are `$1` and so on."""
    environment = os.environ | {"D": f"{sys.executable} -m dsig.cli"}
    return subprocess.run(
        ["bash", "-c", command, "bash", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        start_new_session=True,
    )


SIGNING = f"--key {PKI / 'p256.key.pem'} --cert {PKI / 'p256.pem'}"
ENCRYPTED = f"--key {PKI / 'p256.key.enc.pem'} --cert {PKI / 'p256.pem'}"


def test_stdin_closed(place):
    done = shell(f'$D sign "$1" -o "$2" {SIGNING} <&-', place / "in.dcm", place / "o.dcm")
    assert done.returncode == 0, done.stderr
    assert shell('$D verify --no-trust "$1" <&-', place / "o.dcm").returncode == 0
    (place / "o.dcm").unlink()
    with nothing_changes(place):
        done = shell(f'$D sign "$1" -o "$2" {ENCRYPTED} <&-', place / "in.dcm", place / "o.dcm")
    assert done.returncode == 6
    assert done.stderr.count("\n") == 1
    assert "passphrase" in done.stderr


@pytest.mark.parametrize("verb", ["sign", "remove", "verify"])
def test_a_current_directory_that_was_removed(verb, place):
    """Each of these would meet it at another step."""
    more = {"sign": f"-o o.dcm {SIGNING}", "remove": "--all -o o.dcm", "verify": "--no-trust --report r.json"}[verb]
    (place / "gone").mkdir()
    with nothing_changes(place):
        done = shell(f'mkdir "$1/gone/x"; cd "$1/gone/x"; rmdir "$1/gone/x"; $D {verb} "$1/in.dcm" {more}', place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("dsig: error: the current directory is not there any more (change to one that is)\n")


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_output_streams_closed(closing, place):
    """What is to be done is done all the same; inputs are never taken for a stream that is missing."""
    done = shell(f'$D sign "$1" -o "$2" {SIGNING} {closing}', place / "in.dcm", place / "o.dcm")
    assert done.returncode in (0, 8), done
    assert "Traceback" not in done.stderr
    assert (place / "in.dcm").read_bytes() == (BASE / "mr.dcm").read_bytes()
    if done.returncode == 0:
        assert shell('$D verify --no-trust "$1"', place / "o.dcm").returncode == 0


@pytest.mark.parametrize(
    "command",
    ["verify", "verify --format json", "inspect", "inspect --json", "plugins list", "--help", "verify --help"],
)
def test_broken_pipe(command, place):
    """Nobody reads: no traceback, and a status that says how it went as far as there was a verdict."""
    given = "" if "plugins" in command or "help" in command else '"$1"'
    done = shell(f"$D {command} {given} | true; exit ${{PIPESTATUS[0]}}", BASE / "mr.dcm")
    assert done.returncode in (0, 4, 141), done
    assert done.stderr == ""


def test_broken_pipe_of_a_long_report(place):
    """Longer than a pipe holds."""
    done = shell(
        '$D verify "$@" --format json | head -c 10 >/dev/null; exit ${PIPESTATUS[0]}', *[BASE / "mr.dcm"] * 300
    )
    assert done.returncode in (4, 141), done
    assert done.stderr == ""


def test_a_failure_with_a_broken_pipe_still_fails(place):
    done = shell('$D verify "$1" | true; exit ${PIPESTATUS[0]}', BASE / "mr_truncated.dcm")
    assert done.returncode in (5, 141), done
    assert done.stderr == ""
