"""`--mac-backend pkcs11`: digests by the token are those that hashlib computes, and so are verdicts and signatures."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from pkcs11_tokens import CORPUS, CT, Ran, Token

import dsig
from dsig.plugins import default
from dsig.testing import MacAlgorithmContract
from dsig_pkcs11.digest import TokenMac, TokenMacs

pytestmark = pytest.mark.pkcs11

HASHLIB = {"MD5": "md5", "SHA1": "sha1", "SHA224": "sha224", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
BASE = sorted((CORPUS / "base").glob("*.dcm"))


def place(token: Token) -> str:
    """What follows --mac-backend. NSS digests with a token of its own, which has no keys and wants no PIN."""
    label = "NSS%20Generic%20Crypto%20Services" if token.name == "NSS" else token.label
    return f"pkcs11:token={label}?module-path={token.module}"


def begin(token: Token, name: str) -> TokenMac:
    return TokenMacs().new(default().mac_algorithms.spec(name), place(token))


class TestContract(MacAlgorithmContract):
    """What the core relies on, wherever a MAC is computed; the vector is FIPS 180-4's."""

    name = "SHA256"
    vectors: ClassVar = {b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}

    @pytest.fixture(autouse=True)
    def at_the_token(self, token: Token) -> None:
        self.backend = place(token)


@pytest.mark.parametrize("name", HASHLIB)
def test_digests_of_the_corpus_are_those_of_hashlib(token: Token, name: str) -> None:
    assert len(BASE) > 40
    backend, spec = TokenMacs(), default().mac_algorithms.spec(name)
    for path in BASE:
        data = path.read_bytes()
        mac = backend.new(spec, place(token))
        mac.update(data)
        assert mac.digest() == hashlib.new(HASHLIB[name], data).digest(), path


@pytest.mark.parametrize("sizes", [[], [0], [1], [0, 3, 0], [64] * 40, [(1 << 20) + 1], [3 << 20, 5]])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_data_come_in_pieces_of_any_size_and_kind(
    token: Token, sizes: list[int], kind: Callable[[bytes], bytes]
) -> None:
    mac, expected = begin(token, "SHA256"), hashlib.sha256()
    for number, size in enumerate(sizes):
        piece = bytes([number]) * size
        mac.update(kind(piece))
        expected.update(piece)
    assert mac.digest() == expected.digest()
    assert mac.digest() == expected.digest(), "the answer is kept"


def test_many_digests_at_once(token: Token) -> None:
    running = [(begin(token, "SHA256"), hashlib.sha256()) for _ in range(20)]
    for number in range(5):
        for mac, expected in running:
            mac.update(bytes([number]) * 1000)
            expected.update(bytes([number]) * 1000)
    assert all(mac.digest() == expected.digest() for mac, expected in running)


@pytest.mark.parametrize("mac", ["SHA256", "SHA512"])
def test_signed_with_digests_of_the_token_and_verified_with_ours_and_the_reverse(
    token: Token, tmp_path: Path, mac: str
) -> None:
    there = dsig.SignOptions(mac=mac, mac_backend=place(token))
    with dsig.open_key(token.uri("p256"), secrets=token.secrets) as key:
        first = dsig.sign(CT, tmp_path / "there.dcm", key=key, options=there)
        dsig.sign(CT, tmp_path / "here.dcm", key=key, options=dsig.SignOptions(mac=mac))
    assert first.mac.backend == "pkcs11"
    trust = token.trusting.trust
    for name in ("there.dcm", "here.dcm"):
        reports = {
            backend: dsig.verify(tmp_path / name, dsig.VerifyOptions(trust=trust, mac_backend=backend))
            for backend in ("host", place(token))
        }
        assert {report.verdict for report in reports.values()} == {dsig.FileVerdict.PASSED}
        assert len({report.signatures[0].mac.digest for report in reports.values()}) == 1
        assert reports["host"].signatures[0].mac.backend == "host"
        assert reports[place(token)].signatures[0].mac.backend == "pkcs11"


def test_tampering_fails_with_digests_of_the_token_too(token: Token, tmp_path: Path) -> None:
    with dsig.open_key(token.uri("p256"), secrets=token.secrets) as key:
        signed = dsig.sign(CT.read_bytes(), key=key).output
    tampered = bytearray(signed)
    tampered[signed.index(b"CompressedSamples")] ^= 1
    options = dsig.VerifyOptions(check_trust=False, mac_backend=place(token))
    assert dsig.verify(bytes(tampered), options).verdict is dsig.FileVerdict.FAILED


def test_command_line(softhsm: Token, run: Callable[..., Ran], tmp_path: Path) -> None:
    """Bare `pkcs11` is the token of the key, or else the only one."""
    out = tmp_path / "out.dcm"
    environment = {"DSIG_PKCS11_MODULE": softhsm.module, "XDG_CONFIG_HOME": str(tmp_path)}
    signing = ("sign", CT, "-o", out, "--key", softhsm.uri("rsa2048"), "--pin-file", softhsm.pin_file)
    ran = run(*signing, "--mac-backend", "pkcs11", environment=environment)
    assert ran.status == 0, ran.err
    assert "digest by   pkcs11" in ran.out
    ran = run("verify", out, "--no-trust", "--mac-backend", "pkcs11", "--format", "json", environment=environment)
    assert ran.status == 0, ran.err
    assert '"backend": "pkcs11"' in ran.out
    ran = run("verify", out, "--no-trust", "--mac-backend", "nobody")
    assert ran.status == 2
    assert "known: host, pkcs11" in ran.err


def test_workers_digest_with_the_token_of_the_key(softhsm: Token, run: Callable[..., Ran], tmp_path: Path) -> None:
    """Bare `pkcs11`, where nothing but the URI of the key names the module."""
    (tmp_path / "in").mkdir()
    for number in range(4):
        shutil.copy(CT, tmp_path / "in" / f"{number}.dcm")
    key = ("--key", softhsm.uri("p256"), "--pin-file", softhsm.pin_file)
    bare = {"DSIG_PKCS11_MODULE": "", "XDG_CONFIG_HOME": str(tmp_path)}
    many = ("--jobs", 2, "--mac-backend", "pkcs11", "--verbose")
    ran = run("sign", tmp_path / "in", "-o", tmp_path / "out", *key, *many, environment=bare)
    assert ran.status == 0, ran.err
    assert ran.out.count("digest by   pkcs11") == 4
    for path in (tmp_path / "out").iterdir():
        assert dsig.verify(path, softhsm.trusting).verdict is dsig.FileVerdict.PASSED


def test_mechanism_that_the_token_lacks(softhsm: Token, run: Callable[..., Ran], shim: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.dcm"
    signing = ("sign", CT, "-o", out, "--pin-file", softhsm.pin_file, "--mac-backend", "pkcs11")
    ran = run(*signing, "--mac", "SHA3_256", "--key", softhsm.uri("rsa2048"))
    assert ran.status == 6
    assert "token 'dsig-dev' cannot compute SHA3_256: it lacks CKM_SHA3_256 for digests" in ran.err
    hidden = {"P11SHIM_REAL": softhsm.module, "P11SHIM_HIDE": "0x250"}
    ran = run(*signing, "--key", softhsm.uri("rsa2048", module=str(shim)), environment=hidden)
    assert ran.status == 6
    assert "lacks CKM_SHA256 for digests" in ran.err
    assert not out.exists()


def test_no_such_token(run: Callable[..., Ran], softhsm: Token) -> None:
    signed = CORPUS / "files" / "v-base-chrgerm.dcm"
    ran = run("verify", signed, "--no-trust", "--mac-backend", f"pkcs11:token=nobody?module-path={softhsm.module}")
    assert ran.status == 6
    assert "no token matches" in ran.err


def test_token_restarted_in_the_middle_takes_the_digest_with_it(softhsm: Token) -> None:
    code = """
        import sys
        import dsig
        from dsig.plugins import default
        from dsig_pkcs11.digest import TokenMacs
        backend, spec = TokenMacs(), default().mac_algorithms.spec("SHA256")
        mac = backend.new(spec, sys.argv[1])
        mac.update(b"abc")
        mac._module.restart()
        try:
            mac.digest()
        except dsig.KeySourceError as error:
            print(error.message)
        again = backend.new(spec, sys.argv[1])
        again.update(b"abc")
        print(again.digest().hex())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), place(softhsm)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    message, digest = done.stdout.splitlines()
    assert "computing a digest with token 'dsig-dev'" in message
    assert digest == hashlib.sha256(b"abc").hexdigest()


def test_sessions_are_given_back(softhsm: Token, shim: Path) -> None:
    """The token (shim) has one session; those of finished digests and of digests given up are free again."""
    code = """
        import sys
        from dsig.plugins import default
        from dsig_pkcs11.digest import TokenMacs
        backend, spec = TokenMacs(), default().mac_algorithms.spec("SHA256")
        for number in range(10):
            mac = backend.new(spec, sys.argv[1])
            mac.update(b"abc")
            if number % 2:
                mac.digest()
            del mac
        print("enough")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), f"pkcs11:token=dsig-dev?module-path={shim}"],
        env=os.environ | {"P11SHIM_REAL": softhsm.module, "P11SHIM_OPEN": "0xb1@2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "enough\n", done.stderr
