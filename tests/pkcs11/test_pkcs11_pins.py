"""A PIN shows itself nowhere: not in output, errors, tracebacks, reports, `repr` or the list of processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from pkcs11_tokens import CT, Token

import dsig
from dsig.plugins import default
from dsig.secrets import Channels, from_file
from dsig_pkcs11.pin import Pin, from_source

CANARY = "canary-Zq73-pin"
SHA256 = default().mac_algorithms.spec("SHA256")


def shown(error: BaseException | None) -> str:
    """What a log with local variables would write of an error, but for the frames of the test, which knows the PIN."""
    texts = []
    while error is not None:
        trace = traceback.TracebackException.from_exception(error, capture_locals=True)
        texts += [repr(error), str(error), repr(error.__dict__)]
        texts += [f"{f.name} {f.locals}" for f in trace.stack if f.filename != __file__]
        error = error.__cause__ or error.__context__
    text = "\n".join(texts)
    assert "dsig_pkcs11" in text or "open_key" in text
    return text


def test_pin_does_not_show_itself():
    pin = Pin(CANARY)
    assert CANARY not in f"{pin!r} {pin} {pin:}"
    assert not hasattr(pin, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(pin)


@pytest.mark.parametrize("value", ["", "12\n34", "1234\r", "1234\n", "12\x0034", "\udcff1234"])
def test_what_nobody_can_type_is_not_sent(value: str) -> None:
    """A token would count it as one of the few wrong PINs it allows."""
    assert not Pin(value).usable()
    assert Pin("pän 1€").usable()


@pytest.mark.pkcs11
@pytest.mark.parametrize("content", [CANARY, CANARY + "\0", "\udcff" + CANARY])
def test_wrong_pin_is_in_no_traceback(softhsm: Token, tmp_path: Path, content: str) -> None:
    (tmp_path / "pin").write_bytes(os.fsencode(content))
    with (
        pytest.raises(dsig.KeySourceError) as caught,
        dsig.open_key(softhsm.uri("rsa2048"), secrets=Channels(pin=from_file(tmp_path / "pin"))),
    ):
        pass
    assert CANARY not in shown(caught.value)


@pytest.mark.pkcs11
def test_right_pin_is_in_no_traceback_of_a_later_error(token: Token) -> None:
    with dsig.open_key(token.uri("p256"), secrets=token.secrets) as opened:
        opened.signer._connection._token = None  # so that the next session cannot be opened
        opened.signer._connection._discard_idle()
        with pytest.raises(Exception) as caught:
            opened.signer.sign_digest(b"x" * 32, SHA256)
    text = shown(caught.value)
    assert "Pin(...)" in text or "TokenSigner" in text
    assert token.pin not in text


@pytest.mark.pkcs11
@pytest.mark.parametrize("debug", ["", "1"])
def test_no_way_to_give_a_pin_shows_it(softhsm: Token, run, tmp_path: Path, debug: str) -> None:
    (tmp_path / "pin").write_text(CANARY + "\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + CANARY.encode())
    for way in (
        ["--pin-file", tmp_path / "pin"],
        ["--pin-file", tmp_path / "binary"],
        ["--pin-env", "MY_PIN"],
    ):
        environment = {"DSIG_DEBUG": debug, "MY_PIN": CANARY}
        ran = run("sign", CT, "-o", tmp_path / "o", "-v", "--key", softhsm.uri("p256"), *way, environment=environment)
        assert ran.status == 6
        assert CANARY not in ran.out + ran.err
    ran = run("sign", CT, "-o", tmp_path / "o", "--key", softhsm.uri("p256", f"pin-source=file:{tmp_path}/pin"))
    assert ran.status == 6
    assert "wrong" in ran.err
    assert CANARY not in ran.out + ran.err


@pytest.mark.pkcs11
def test_pin_in_the_uri_for_who_insists(token: Token, run, tmp_path: Path) -> None:
    out = tmp_path / "out.dcm"
    uri = token.uri("p256", f"pin-value={token.pin}")
    ran = run("sign", CT, "-o", out, "-v", "--key", uri)
    assert ran.status == 6
    assert "--insecure-pin" in ran.err
    assert token.pin not in ran.out + ran.err
    assert not out.exists()
    ran = run("sign", CT, "-o", out, "-v", "--key", uri, "--insecure-pin")
    assert ran.status == 0, ran.err
    assert "warning: --insecure-pin: everybody on this machine can read" in ran.err
    assert token.pin not in ran.out + ran.err
    assert dsig.verify(out, token.trusting).verdict is dsig.FileVerdict.PASSED


@pytest.mark.pkcs11
def test_wrong_pin_in_the_uri_is_not_echoed(softhsm: Token, run, tmp_path: Path) -> None:
    uri = softhsm.uri("p256", f"pin-value={CANARY}")
    for command in (
        ("sign", CT, "-o", tmp_path / "out.dcm", "--key", uri),
        ("keys", "list", uri),
        ("keys", "doctor", uri),
    ):
        ran = run(*command, "--insecure-pin")
        assert ran.status == 6
        assert "is wrong" in ran.err
        assert CANARY not in ran.out + ran.err


@pytest.mark.pkcs11
def test_right_pin_is_neither_printed_nor_in_the_list_of_processes(softhsm: Token, shim: Path, tmp_path: Path) -> None:
    """While it signs, /proc shows its arguments and those of the probe."""
    watcher = (
        "import glob, os, pathlib, subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n"
        "seen = set()\n"
        "while child.poll() is None:\n"
        "    for name in glob.glob('/proc/[0-9]*/cmdline'):\n"
        "        try: seen.add(pathlib.Path(name).read_bytes())\n"
        "        except OSError: pass\n"
        "    if any(b'cryptoki.py' in one and os.fsencode(sys.argv[1]) in one for one in seen):\n"
        "        open(os.environ['P11SHIM_START'], 'w').close()\n"
        "sys.stdout.buffer.write(child.stdout.read() + b'\\n'.join(seen))\n"
        "sys.exit(child.returncode)\n"
    )
    signing = ["-m", "dsig.cli", "sign", CT, "-v", "-o", tmp_path / "out.dcm"]
    signing += ["--key", softhsm.uri("rsa2048", module=str(shim)), "--pin-file", softhsm.pin_file]
    done = subprocess.run(
        [sys.executable, "-c", watcher, shim, sys.executable, *map(str, signing)],
        env=os.environ | {"P11SHIM_REAL": softhsm.module, "P11SHIM_START": str(tmp_path / "seen")},  # waits until it is
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"cryptoki.py" in done.stdout, "the probe was not seen, so that nothing was proved"
    assert softhsm.pin.encode() not in done.stdout
    assert softhsm.pin.encode() not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_pin_source_without_its_line_end(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a pin"
    path.write_bytes(f" 1 2{end}".encode())
    for source in (str(path), f"file:{path}", f"file://{path}".replace(" ", "%20"), f"file://localhost{path}"):
        assert from_source(source).reveal() == " 1 2"


@pytest.mark.parametrize("source", ["|cat /etc/passwd", "pin.txt", "file://host/x", "http://host/pin", ""])
def test_pin_source_that_is_not_taken(source: str) -> None:
    with pytest.raises(dsig.KeySourceError):
        from_source(source)
