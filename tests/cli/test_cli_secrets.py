"""Passphrases: every way to give one, and that none of them shows it."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from dsig.cli.sign import command
from dsig.errors import KeySourceError
from dsig.secrets import Channels, PromptChannel, from_descriptor, from_environment, from_file

PASSPHRASE = "Pass-Word.1"  # of the corpus' encrypted keys
CANARY = "canary-Qx81-wrong"


@pytest.fixture
def encrypted(ct, pki, tmp_path) -> list[object]:
    return ["sign", ct, "-o", tmp_path / "out.dcm", "--key", pki / "rsa2048.key.enc.pem", "--cert", pki / "rsa2048.pem"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_from_a_file_without_its_line_end(run, encrypted, tmp_path, end):
    (tmp_path / "secret").write_bytes((PASSPHRASE + end).encode())
    assert run(*encrypted, "--passphrase-file", tmp_path / "secret").status == 0


def test_only_one_line_end_is_removed(tmp_path):
    (tmp_path / "secret").write_bytes(b" a b \n\n")
    assert from_file(tmp_path / "secret").get("passphrase", "x", 0) == " a b \n"


def test_from_the_environment(run, encrypted, monkeypatch):
    monkeypatch.setenv("MY_SECRET", PASSPHRASE)
    assert run(*encrypted, "--passphrase-env", "MY_SECRET").status == 0


def test_from_a_descriptor(spawn, encrypted):
    read, write = os.pipe()
    os.write(write, PASSPHRASE.encode() + b"\n")
    os.close(write)
    assert spawn(*encrypted, "--passphrase-fd", read, pass_fds=(read,)).status == 0
    os.close(read)


def with_terminal(arguments: list[object], answers: list[str], tmp_path: Path) -> tuple[int, str, str]:
    """Run `dsig` on a terminal of its own, type the answers, and give status, terminal text and standard error."""
    master, slave = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with open(tmp_path / "err", "wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "dsig.cli", *map(str, arguments)],
            stdin=slave,
            stdout=subprocess.DEVNULL,
            stderr=err,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(slave)
        shown = b""
        for answer in answers:
            while not shown.endswith(b": "):
                shown += os.read(master, 1000)
            os.write(master, answer.encode() + b"\n")
            shown += b"<typed>"
        try:
            while chunk := os.read(master, 1000):
                shown += chunk
        except OSError:
            pass  # the other side is closed
        status = process.wait(600)
    os.close(master)
    return status, shown.decode(), (tmp_path / "err").read_text()


def test_prompt_asks_again_and_never_echoes(encrypted, tmp_path):
    status, shown, err = with_terminal(encrypted, [CANARY, PASSPHRASE], tmp_path)
    assert status == 0, err
    assert shown.count("Passphrase for") == 2
    assert "Wrong, try again" in shown
    for text in (shown, err):
        assert CANARY not in text
        assert PASSPHRASE not in text


def test_prompt_gives_up_after_three_answers(encrypted, tmp_path):
    status, shown, err = with_terminal(encrypted, [CANARY] * 3, tmp_path)
    assert status == 6
    assert shown.count("Passphrase for") == 3
    assert err.count("\n") == 1
    assert CANARY not in err


def test_no_terminal_no_question(spawn, encrypted):
    ran = spawn(*encrypted, start_new_session=True)
    assert ran.status == 6
    assert "no passphrase was given" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("debug", ["", "1"])
def test_wrong_passphrase_is_never_told(spawn, encrypted, tmp_path, debug):
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + CANARY.encode())
    read, write = os.pipe()
    os.write(write, CANARY.encode())
    os.close(write)
    environment = {"WRONG": CANARY, "DSIG_DEBUG": debug}
    for way in (
        ["--passphrase-file", tmp_path / "secret"],
        ["--passphrase-file", tmp_path / "binary"],
        ["--passphrase-env", "WRONG"],
        ["--passphrase-fd", read],
    ):
        ran = spawn(*encrypted, *way, env=environment, pass_fds=(read,))
        assert ran.status == 6
        assert ran.err.count("\n") == 1
        assert "does not open the key" in ran.err
        assert CANARY not in ran.out + ran.err
    os.close(read)


def test_no_option_takes_a_secret_as_its_value():
    options = {option for parameter in command.params for option in parameter.opts}
    about_secrets = {option for option in options if option.startswith(("--pass", "--pin", "--secret"))}
    assert about_secrets == {f"--{kind}-{way}" for kind in ("passphrase", "pin") for way in ("file", "fd", "env")}


@pytest.mark.parametrize(
    "way", [["--passphrase-file", "/nowhere"], ["--passphrase-fd", "99999"], ["--passphrase-env", "NOT_SET_AT_ALL"]]
)
def test_unusable_channel_is_told(run, encrypted, way):
    ran = run(*encrypted, *way)
    assert ran.status == 6
    assert way[1] in ran.err


def test_channel_is_not_touched_without_need(run, ct, key, tmp_path):
    assert run("sign", ct, "-o", tmp_path / "o.dcm", *key, "--passphrase-file", "/nowhere").status == 0


def test_answer_is_given_once_for_each_thing(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("a\n")
    monkeypatch.setenv("SECRET", "b")
    read, write = os.pipe()
    os.write(write, b"c")
    os.close(write)
    for channel, value in (
        (from_file(tmp_path / "secret"), "a"),
        (from_environment("SECRET"), "b"),
        (from_descriptor(read), "c"),
    ):
        secrets = Channels(passphrase=channel)
        assert [secrets.get("passphrase", w) for w in ("x", "x", "y", "y")] == [value, None, value, None]
    os.close(read)


def test_pins_are_asked_for_once(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr("dsig.secrets.has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "1234")
    secrets = Channels()
    assert [secrets.get("pin", "token\x1b[1m"), secrets.get("pin", "token\x1b[1m")] == ["1234", None]
    assert asked == ["PIN for token\\x1b[1m: "]
    assert secrets.get("password", "a kind nobody knows") is None


def test_end_of_input_at_the_prompt_is_no_answer(monkeypatch):
    def leave(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("dsig.secrets.has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", leave)
    assert PromptChannel().get("passphrase", "key", 0) is None


def test_secret_of_a_disk_image_is_refused(tmp_path):
    (tmp_path / "image").write_bytes(b"x" * 100_000)
    with pytest.raises(KeySourceError, match="longer than"):
        from_file(tmp_path / "image").get("passphrase", "x", 0)


def test_representations_show_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", CANARY)
    channel = from_environment("SECRET")
    secrets = Channels(passphrase=channel)
    assert secrets.get("passphrase", "x") == CANARY
    assert CANARY not in repr(channel) + repr(secrets) + str(secrets)
