"""A third module: p11-kit's proxy, which puts all modules of a machine into one; and OpenSC's pkcs11-tool as a peer.

The proxy runs in processes of its own here: it brings SoftHSM with it, which this process has loaded already.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from pkcs11_tokens import CT, Ran, Token, succeed

import dsig
from dsig.plugins import default

pytestmark = pytest.mark.pkcs11

PROXY = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"
SHA256 = default().mac_algorithms.spec("SHA256")


@pytest.mark.parametrize("key", ["rsa2048", "p256", "p384", "dsa2048"])
def test_signing_through_the_proxy(softhsm: Token, run: Callable[..., Ran], tmp_path: Path, key: str) -> None:
    out = tmp_path / "out.dcm"
    uri = softhsm.uri(key, module=PROXY)
    ran = run("sign", CT, "-o", out, "--key", uri, "--pin-file", softhsm.pin_file, "--mac-backend", "pkcs11")
    assert ran.status == 0, ran.err
    assert "digest by   pkcs11" in ran.out
    assert dsig.verify(out, softhsm.trusting).verdict is dsig.FileVerdict.PASSED


def test_everything_a_signature_needs_works_through_the_proxy(softhsm: Token, run: Callable[..., Ran]) -> None:
    uri = f"pkcs11:token=dsig-dev;object=p256?module-path={PROXY}"
    ran = run("keys", "doctor", uri, "--pin-file", softhsm.pin_file)
    assert ran.status == 0, ran.out + ran.err
    assert "made on the token, verifies with the certificate" in ran.out


def test_wrong_pin_and_wrong_token_through_the_proxy(softhsm: Token, run: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("canary-Zq73-pin")
    ran = run(
        "sign", CT, "-o", tmp_path / "o", "--key", softhsm.uri("p256", module=PROXY), "--pin-file", tmp_path / "pin"
    )
    assert ran.status == 6
    assert "the PIN for token 'dsig-dev' is wrong" in ran.err
    ran = run("sign", CT, "-o", tmp_path / "o", "--key", f"pkcs11:token=nobody?module-path={PROXY}")
    assert ran.status == 6
    assert "token=dsig-dev" in ran.err
    assert not (tmp_path / "o").exists()


def test_threads_and_a_new_beginning_through_the_proxy(softhsm: Token) -> None:
    """Many threads with one key, a module that is ended and begun again below them, and digests beside them."""
    code = """
        import hashlib, sys
        from concurrent.futures import ThreadPoolExecutor
        import dsig
        from dsig.plugins import default
        from dsig.secrets import Channels, from_file
        from dsig_pkcs11.digest import TokenMacs

        uri, pin, place = sys.argv[1:]
        spec = default().mac_algorithms.spec("SHA256")
        backend = TokenMacs()

        def work(number):
            mac = backend.new(spec, place)
            mac.update(b"x" * number)
            digest = mac.digest()
            assert digest == hashlib.sha256(b"x" * number).digest()
            return len(key.signer.sign_digest(digest, spec))

        with dsig.open_key(uri, secrets=Channels(pin=from_file(pin))) as key, ThreadPoolExecutor(6) as pool:
            assert set(pool.map(work, range(60))) == {256}
            with key.signer._connection.module.gate.alone():
                key.signer._connection.module.restart()
            assert set(pool.map(work, range(60))) == {256}
        print("done")
    """
    arguments = [
        softhsm.uri("rsa2048", module=PROXY),
        str(softhsm.pin_file),
        f"pkcs11:token=dsig-dev?module-path={PROXY}",
    ]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.stdout == "done\n", done.stderr


# --------------------------------------------------------------------------------------------------------- pkcs11-tool


def tool(token: Token, *arguments: object, **environment: str) -> str:
    """OpenSC's, logged in."""
    login = ("--module", token.module, "--token-label", token.label, "--login", "--pin", token.pin)
    return succeed("pkcs11-tool", *login, *arguments, **environment)


def test_pkcs11_tool_verifies_what_we_sign(softhsm: Token, tmp_path: Path) -> None:
    """The tool hashes for itself, and verifies with the public key on the token."""
    data = CT.read_bytes()
    (tmp_path / "data").write_bytes(data)
    with dsig.open_key(softhsm.uri("rsa2048"), secrets=softhsm.secrets) as key:
        signature = key.signer.sign_digest(hashlib.sha256(data).digest(), SHA256)
    (tmp_path / "signature").write_bytes(signature)
    files = ("--input-file", tmp_path / "data", "--signature-file", tmp_path / "signature")
    said = tool(softhsm, "--verify", "--mechanism", "SHA256-RSA-PKCS", "--id", "01", *files)
    assert "Signature is valid" in said


def test_key_made_by_pkcs11_tool_signs_here(softhsm: Token, run: Callable[..., Ran], tmp_path: Path) -> None:
    """Made, certified and stored by other programs, on a copy of the token; only request and signature are ours."""
    shutil.copytree(softhsm.directory / "tokens", tmp_path / "tokens")
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    copy = {"SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf")}
    made = ("--keypairgen", "--key-type", "EC:prime256v1", "--label", "theirs", "--id", "7e", "--usage-sign")
    tool(softhsm, *made, **copy)
    uri, pin = softhsm.uri("theirs"), ("--pin-file", softhsm.pin_file)
    request, certificate = tmp_path / "request.pem", tmp_path / "theirs.der"
    ran = run("keys", "csr", uri, "--subject", "CN=theirs", "-o", request, *pin, environment=copy)
    assert ran.status == 0, ran.err
    ca = ("-CA", softhsm.directory / "ca.pem", "-CAkey", softhsm.directory / "ca.key.pem", "-days", "30")
    more = ("-extfile", softhsm.directory / "signer.ext", "-outform", "DER", "-out", certificate)
    succeed("openssl", "x509", "-req", "-in", request, *ca, *more)
    tool(softhsm, "--write-object", certificate, "--type", "cert", "--label", "theirs", "--id", "7e", **copy)
    out = tmp_path / "out.dcm"
    ran = run("sign", CT, "-o", out, "--key", uri, *pin, environment=copy)
    assert ran.status == 0, ran.err
    assert dsig.verify(out, softhsm.trusting).verdict is dsig.FileVerdict.PASSED
