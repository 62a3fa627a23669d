"""Logins, sessions, threads, forks and lost tokens, on real modules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from pkcs11_tokens import CT, Token

import dsig
from dsig.plugins import default

pytestmark = pytest.mark.pkcs11

SHA256 = default().mac_algorithms.spec("SHA256")


def good(certificate: bytes, digest: bytes, signature: bytes) -> None:
    """Verify with pyca/cryptography, not with dsig."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    hashed = utils.Prehashed(hashes.SHA256())
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, digest, padding.PKCS1v15(), hashed)
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(signature, digest, ec.ECDSA(hashed))


def script(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own that uses dsig."""
    prelude = """
        import os, sys, threading, time
        import dsig
        from dsig.plugins import default
        from dsig.secrets import Channels, from_file
        SHA256 = default().mac_algorithms.spec("SHA256")
        uri, pin = sys.argv[1:3]
        secrets = Channels(pin=from_file(pin))
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=600,
        check=False,
    )


def test_many_threads_sign_at_once(token: Token) -> None:
    """Field notes 0.1: as python-pkcs11 initialises modules, SoftHSM crashes the process here."""
    digests = [bytes([number % 251]) * 32 for number in range(400)]
    with dsig.open_key(token.uri("p256"), secrets=token.secrets) as opened, ThreadPoolExecutor(16) as pool:
        signatures = list(pool.map(lambda digest: opened.signer.sign_digest(digest, SHA256), digests))
        for digest, signature in zip(digests, signatures, strict=True):
            good(opened.certificate, digest, signature)


def test_sessions_are_bounded_and_shared(softhsm: Token, shim: Path, tmp_path: Path) -> None:
    config = tmp_path / "dsig"
    config.mkdir()
    (config / "pkcs11.toml").write_text(f'[modules.shim]\npath = "{shim}"\nsessions = 3\n')
    done = script(
        """
        with dsig.open_key(uri, secrets=secrets) as key:
            def work():
                for _ in range(20): key.signer.sign_digest(b"x" * 32, SHA256)
            threads = [threading.Thread(target=work) for _ in range(12)]
            for t in threads: t.start()
            for t in threads: t.join()
        """,
        *(softhsm.uri("p256", module=str(shim)), softhsm.pin_file),
        XDG_CONFIG_HOME=str(tmp_path),
        P11SHIM_REAL=softhsm.module,
        P11SHIM_LOG=str(tmp_path / "log"),
    )
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "log").read_text()
    assert 2 <= log.count("open") <= 1 + 3  # one of them only holds the login
    assert log.count("login") == 1


def test_fewer_sessions_than_wanted_are_enough(softhsm: Token, shim: Path) -> None:
    """The token (shim) allows three; twelve threads take turns with two."""
    done = script(
        """
        from concurrent.futures import ThreadPoolExecutor
        with dsig.open_key(uri, secrets=secrets) as key, ThreadPoolExecutor(12) as pool:
            made = list(pool.map(lambda n: key.signer.sign_digest(b"x" * 32, SHA256), range(100)))
        print(len(made))
        """,
        *(softhsm.uri("p256", module=str(shim)), softhsm.pin_file),
        P11SHIM_REAL=softhsm.module,
        P11SHIM_OPEN="0xb1@4",
        P11SHIM_LATENCY_US="1000",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "100\n"


def test_two_keys_of_one_token_share_the_login(token: Token) -> None:
    """Field notes 0.2: closing one must not log the other out."""
    with dsig.open_key(token.uri("p256"), secrets=token.secrets) as first:
        with dsig.open_key(token.uri("rsa2048")) as second:  # no PIN: the process is logged in
            good(second.certificate, b"1" * 32, second.signer.sign_digest(b"1" * 32, SHA256))
        good(first.certificate, b"2" * 32, first.signer.sign_digest(b"2" * 32, SHA256))
    with pytest.raises(dsig.KeySourceError) as caught, dsig.open_key(token.uri("p256")):
        pass
    assert caught.value.code == "pin-needed", "the last one out logs out"


def test_two_modules_in_one_process(softhsm: Token, nss: Token) -> None:
    with (
        dsig.open_key(softhsm.uri("p256"), secrets=softhsm.secrets) as first,
        dsig.open_key(nss.uri("p256"), secrets=nss.secrets) as second,
    ):
        for opened in (first, second, first):
            good(opened.certificate, b"1" * 32, opened.signer.sign_digest(b"1" * 32, SHA256))


def test_module_by_another_path_is_the_same(softhsm: Token, tmp_path: Path) -> None:
    link = tmp_path / "link.so"
    link.symlink_to(softhsm.module)
    with (
        dsig.open_key(softhsm.uri("p256"), secrets=softhsm.secrets),
        dsig.open_key(softhsm.uri("p256", module=str(link))) as second,
    ):
        good(second.certificate, b"1" * 32, second.signer.sign_digest(b"1" * 32, SHA256))


def test_certificate_from_a_file(token: Token) -> None:
    file = token.directory / "p384.pem"
    with dsig.open_key(token.uri("p384"), certificate=str(file), secrets=token.secrets) as opened:
        good(opened.certificate, b"1" * 32, opened.signer.sign_digest(b"1" * 32, SHA256))


def test_chain_comes_from_the_token(softhsm: Token) -> None:
    root = x509.load_pem_x509_certificate((softhsm.directory / "ca.pem").read_bytes())
    with dsig.open_key(softhsm.uri("p256"), secrets=softhsm.secrets) as opened:
        assert [x509.load_der_x509_certificate(c) for c in opened.signer.chain] == [root]


def test_key_that_wants_its_pin_each_time(softhsm: Token) -> None:
    with dsig.open_key(softhsm.uri("careful"), secrets=softhsm.secrets) as opened:
        for _ in range(3):
            good(opened.certificate, b"1" * 32, opened.signer.sign_digest(b"1" * 32, SHA256))


def test_reader_with_a_pin_pad(softhsm: Token, shim: Path, run, tmp_path: Path) -> None:
    """The flag and the typing are the shim's; nobody is asked here and no PIN is given."""
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_TOKENFLAGS": "0x100", "P11SHIM_PADPIN": softhsm.pin}
    out = tmp_path / "out.dcm"
    ran = run("sign", CT, "-o", out, "--key", softhsm.uri("p256", module=str(shim)), environment=environment)
    assert ran.status == 0, ran.err
    assert dsig.verify(out, softhsm.trusting).verdict is dsig.FileVerdict.PASSED


def typed(softhsm: Token, log: Path) -> dict[str, str]:
    """A reader with a PIN pad, at which the right PIN is typed (shim)."""
    return {
        "P11SHIM_REAL": softhsm.module,
        "P11SHIM_TOKENFLAGS": "0x100",
        "P11SHIM_PADPIN": softhsm.pin,
        "P11SHIM_LOG": str(log),
    }


def test_pin_typed_at_the_reader_for_each_signature(softhsm: Token, shim: Path, run, tmp_path: Path) -> None:
    """CKA_ALWAYS_AUTHENTICATE and a PIN pad: C_Login without PIN between C_SignInit and C_Sign (PKCS#11 5.13)."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        shutil.copy(CT, tmp_path / "in" / f"{number}.dcm")
    uri = softhsm.uri("careful", module=str(shim))
    ran = run(
        *("sign", tmp_path / "in", "-o", tmp_path / "out", "--key", uri), environment=typed(softhsm, tmp_path / "log")
    )
    assert ran.status == 0, ran.err
    for number in range(3):
        report = dsig.verify(tmp_path / "out" / f"{number}.dcm", softhsm.trusting)
        assert report.verdict is dsig.FileVerdict.PASSED
    log = (tmp_path / "log").read_text()
    assert log.count("login again") == 3
    assert log.count("login") == 1 + 3


@pytest.mark.parametrize(
    ("code", "text"),
    [("0xa0", "is wrong"), ("0xa4", "is locked"), ("0x50", "was not entered"), ("0xa3", "has expired")],
)
def test_pin_that_is_refused_for_a_signature_is_not_asked_for_again(
    softhsm: Token, shim: Path, run, tmp_path: Path, code: str, text: str
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        shutil.copy(CT, tmp_path / "in" / f"{number}.dcm")
    uri = softhsm.uri("careful", module=str(shim))
    environment = typed(softhsm, tmp_path / "log") | {"P11SHIM_LOGIN_AGAIN": f"{code}@2"}
    ran = run("sign", tmp_path / "in", "-o", tmp_path / "out", "--key", uri, environment=environment)
    assert ran.status == 6
    assert text in ran.err
    assert (tmp_path / "log").read_text().count("login again") == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0.dcm"]


def test_pin_source_of_the_uri(token: Token) -> None:
    with dsig.open_key(token.uri("p256", f"pin-source=file:{token.pin_file}")) as opened:
        good(opened.certificate, b"1" * 32, opened.signer.sign_digest(b"1" * 32, SHA256))


def test_fork_is_refused_in_the_child_and_harmless_to_the_parent(token: Token) -> None:
    done = script(
        """
        with dsig.open_key(uri, secrets=secrets) as key:
            key.signer.sign_digest(b"x" * 32, SHA256)
            child = os.fork()
            if not child:
                codes = []
                for use in (lambda: key.signer.sign_digest(b"x" * 32, SHA256),
                            lambda: dsig.open_key(uri, secrets=secrets).__enter__()):
                    try:
                        use()
                    except dsig.KeySourceError as error:
                        codes.append(error.code)
                sys.stdout.write(f"child {codes}\\n")
                sys.exit(0)  # with all that runs at exit
            os.waitpid(child, 0)
            key.signer.sign_digest(b"x" * 32, SHA256)
            print("parent signs")
        """,
        *(token.uri("p256"), token.pin_file),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "child ['forked', 'forked']\nparent signs\n"


def test_spawned_workers_open_the_key_themselves(token: Token, tmp_path: Path) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        textwrap.dedent("""
        import multiprocessing, sys
        import dsig
        from dsig.plugins import default
        from dsig.secrets import Channels, from_file

        def begin(one_at_a_time):  # SoftHSM's processes disturb each other while they log in
            global key
            with one_at_a_time:
                opened = dsig.open_key(sys.argv[1], secrets=Channels(pin=from_file(sys.argv[2])))
                key = opened.__enter__()
            sys.opened = opened  # not closed before the process ends

        def work(number):
            return len(key.signer.sign_digest(b"x" * 32, default().mac_algorithms.spec("SHA256")))

        if __name__ == "__main__":
            spawn = multiprocessing.get_context("spawn")
            with spawn.Pool(2, begin, [spawn.Lock()]) as pool:
                print(pool.map(work, range(4)))
        """)
    )
    command = [sys.executable, str(worker), token.uri("rsa2048"), str(token.pin_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout == "[256, 256, 256, 256]\n", done.stderr


def test_token_that_went_away_and_came_back(softhsm: Token, tmp_path: Path) -> None:
    """The store of a copy of the token renamed while it is in use, and put back."""
    directory = tmp_path / "copy"
    shutil.copytree(softhsm.directory / "tokens", directory / "tokens")
    (directory / "softhsm2.conf").write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\n")
    done = script(
        """
        store = sys.argv[3]
        with dsig.open_key(uri, secrets=secrets) as key:
            sign = lambda: key.signer.sign_digest(b"x" * 32, SHA256)
            sign()
            os.rename(store, store + ".away")
            for _ in range(2):
                try:
                    sign()
                    print("signed")
                except dsig.KeySourceError as error:
                    print(error.code)
            os.rename(store + ".away", store)
            sign()
            print("signed again")
        """,
        *(softhsm.uri("rsa2048"), softhsm.pin_file, directory / "tokens"),
        SOFTHSM2_CONF=str(directory / "softhsm2.conf"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "token-lost\ntoken-lost\nsigned again\n"


def test_session_lost_among_threads_is_recovered_once(softhsm: Token, shim: Path, tmp_path: Path) -> None:
    done = script(
        """
        from concurrent.futures import ThreadPoolExecutor
        with dsig.open_key(uri, secrets=secrets) as key, ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda n: key.signer.sign_digest(b"x" * 32, SHA256), range(100)))
        print(len(made))
        """,
        *(softhsm.uri("p256", module=str(shim)), softhsm.pin_file),
        P11SHIM_REAL=softhsm.module,
        P11SHIM_SIGN_ONCE="0xb3@40",
        P11SHIM_LOG=str(tmp_path / "log"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "100\n"
    assert "signed" not in done.stderr
    assert (tmp_path / "log").read_text().count("login") == 2, "a login that still holds, and nothing more"


def test_module_that_cannot_lock_is_called_by_one_thread_at_a_time(softhsm: Token, shim: Path) -> None:
    """CKR_CANT_LOCK is the shim's; SoftHSM then runs without its mutexes and would crash under eight threads."""
    done = script(
        """
        from concurrent.futures import ThreadPoolExecutor
        with dsig.open_key(uri, secrets=secrets) as key, ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda n: key.signer.sign_digest(b"x" * 32, SHA256), range(500)))
        print(len(made))
        """,
        *(softhsm.uri("p256", module=str(shim)), softhsm.pin_file),
        P11SHIM_REAL=softhsm.module,
        P11SHIM_CANTLOCK="1",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "500\n"


def test_key_is_opened_again_after_the_token_came_back(softhsm: Token, tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(softhsm.directory / "tokens", directory / "tokens")
    (directory / "softhsm2.conf").write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\n")
    done = script(
        """
        store = sys.argv[3]
        for place in (store, store + ".away", store):
            try:
                with dsig.open_key(uri, secrets=Channels(pin=from_file(pin))) as key:
                    key.signer.sign_digest(b"x" * 32, SHA256)
                    if place == store and not os.path.exists(store + ".was"):
                        os.rename(store, store + ".was")
                        key.signer.sign_digest(b"x" * 32, SHA256)
                    print("signed")
            except dsig.KeySourceError as error:
                print(error.code)
            if place != store:
                os.rename(store + ".was", store)
                open(store + ".was", "w").close()
        """,
        *(softhsm.uri("rsa2048"), softhsm.pin_file, directory / "tokens"),
        SOFTHSM2_CONF=str(directory / "softhsm2.conf"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "token-lost\nmodule-refused\nsigned\n"
