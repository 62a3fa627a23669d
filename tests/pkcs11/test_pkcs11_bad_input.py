"""What can go wrong with a token, each with its own error, exit status 6 and a next step; with real modules.

What a soft token cannot do by itself (lock its PIN, be pulled out, run out of sessions) is injected by shim.c, a module
between us and SoftHSM; each such test says so by asking for `shim`.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from pkcs11_tokens import CT, PKI, Ran, Token, compiled

import dsig
from dsig.batch.signing import BESIDE

pytestmark = pytest.mark.pkcs11

CANARY = "canary-Zq73-pin"


@pytest.fixture
def sign(run: Callable[..., Ran], tmp_path: Path) -> Callable[..., str]:
    """Sign in a process of its own, which must end with status 6, one line, and no output; gives the line."""

    def sign(uri: str, *options: object, environment: dict[str, str] | None = None) -> str:
        outputs = tmp_path / "outputs"
        outputs.mkdir(exist_ok=True)
        ran = run("sign", CT, "-o", outputs / "out.dcm", "--key", uri, *options, environment=environment)
        assert ran.status == 6, ran
        assert ran.out == ""
        assert ran.err.count("\n") == 1
        assert ran.err.rstrip().endswith(")"), "no hint"
        assert list(outputs.iterdir()) == []
        return ran.err

    return sign


def pin(token: Token) -> tuple[str, Path]:
    return "--pin-file", token.pin_file


# ------------------------------------------------------------------------------------------------------------ modules


def test_no_module(sign, tmp_path):
    nothing = {"XDG_CONFIG_HOME": str(tmp_path), "DSIG_PKCS11_MODULE": ""}
    assert "no PKCS#11 module is named" in sign("pkcs11:object=x", environment=nothing)


def test_module_that_does_not_exist(sign):
    assert "does not exist" in sign("pkcs11:object=x?module-path=/nowhere/lib.so")


def test_module_by_a_name_nobody_has(sign):
    assert "no PKCS#11 module is called 'nobody'" in sign("pkcs11:object=x?module-name=nobody")


@pytest.mark.parametrize("content", [b"just text\n", b"", b"\x7fELF and then nothing"])
def test_file_that_is_no_library(sign, tmp_path, content):
    path = tmp_path / "text.so"
    path.write_bytes(content)
    assert "is no PKCS#11 module" in sign(f"pkcs11:object=x?module-path={path}")


def test_directory_as_module(sign, tmp_path):
    assert "is no PKCS#11 module" in sign(f"pkcs11:object=x?module-path={tmp_path}")


def test_library_that_is_no_pkcs11_module(sign, tmp_path):
    (tmp_path / "plain.c").write_text("int nothing(void) { return 0; }\n")
    library = compiled(tmp_path / "plain.so", tmp_path / "plain.c")
    assert "C_GetFunctionList" in sign(f"pkcs11:object=x?module-path={library}")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        (
            "crashed (SIGSEGV)",
            "#include <signal.h>\n__attribute__((constructor)) static void f(void) { raise(SIGSEGV); }",
        ),
        ("crashed (SIGABRT)", "#include <stdlib.h>\nunsigned long C_GetFunctionList(void **o) { abort(); }"),
        ("status 3", "#include <unistd.h>\n__attribute__((constructor)) static void f(void) { _exit(3); }"),
    ],
)
def test_library_that_takes_its_process_down(sign, tmp_path, what, body):
    (tmp_path / "crash.c").write_text(body + "\n")
    library = compiled(tmp_path / "crash.so", tmp_path / "crash.c")
    assert what in sign(f"pkcs11:object=x?module-path={library}")


def test_library_that_hangs(tmp_path, monkeypatch):
    from dsig_pkcs11 import library

    monkeypatch.setattr(library, "PROBE_SECONDS", 1)
    (tmp_path / "hang.c").write_text(
        "#include <unistd.h>\n__attribute__((constructor)) static void f(void) { sleep(60); }\n"
    )
    hanging = compiled(tmp_path / "hang.so", tmp_path / "hang.c")
    with (
        pytest.raises(dsig.KeySourceError, match="did not start within 1 seconds"),
        dsig.open_key(f"pkcs11:object=x?module-path={hanging}"),
    ):
        pass


def test_module_without_its_own_configuration(sign, softhsm, nss, tmp_path):
    said = sign(softhsm.uri("x"), environment={"SOFTHSM2_CONF": str(tmp_path / "none")})
    assert "does not start: C_Initialize gave CKR_GENERAL_ERROR" in said
    said = sign(nss.uri("x"), environment={"XDG_CONFIG_HOME": str(tmp_path)})
    assert "CKR_ARGUMENTS_BAD" in said
    assert "init-args" in said


def test_nothing_is_loaded_or_configured_from_the_current_directory(run, softhsm, tmp_path):
    library = Path(shutil.copy(softhsm.module, tmp_path / "softhsm.so"))
    for folder in (tmp_path, tmp_path / ".config", tmp_path / "dsig"):
        (folder / "dsig").mkdir(parents=True, exist_ok=True)
        (folder / "dsig" / "pkcs11.toml").write_text(f'[modules.here]\npath = "{library}"\n')
        (folder / "pkcs11.toml").write_text(f'[modules.here]\npath = "{library}"\n')
    for environment, query in (
        ({"XDG_CONFIG_HOME": ".", "HOME": "."}, ""),
        ({"XDG_CONFIG_HOME": "", "HOME": "", "DSIG_PKCS11_MODULE": "softhsm.so"}, ""),
        ({}, "?module-path=./softhsm.so"),
        ({}, "?module-path=softhsm.so"),
        ({}, "?module-name=softhsm.so"),
        ({}, "?module-name=./softhsm"),
    ):
        ran = run(
            *("sign", CT, "-o", "out.dcm", "--key", f"pkcs11:token=dsig-dev;object=rsa2048{query}", *pin(softhsm)),
            environment={"DSIG_PKCS11_MODULE": "", "XDG_CONFIG_HOME": str(tmp_path / "no")} | environment,
            cwd=tmp_path,
        )
        assert ran.status == 6, (environment, query, ran)
        assert not (tmp_path / "out.dcm").exists()


# ------------------------------------------------------------------------------------------------------ tokens and PINs


def test_no_such_token(sign, token):
    said = sign(f"pkcs11:token=nobody?module-path={token.module}")
    assert "no token matches" in said
    assert f"token={token.label}" in said


def test_token_that_is_not_initialised(sign, softhsm, tmp_path):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    environment = {"SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf")}
    assert "not initialised" in sign(softhsm.uri("rsa2048"), *pin(softhsm), environment=environment)


def test_token_that_looks_blank_for_a_moment(run, sign, softhsm, shim, tmp_path):
    """As SoftHSM's do while another process logs in."""
    given = ("--key", softhsm.uri("p256", module=str(shim)), *pin(softhsm))
    blank = {"P11SHIM_REAL": softhsm.module, "P11SHIM_BLANK": "2"}  # it has two slots: one look
    ran = run("sign", CT, "-o", tmp_path / "out.dcm", *given, environment=blank)
    assert ran.status == 0, ran.err
    assert "not initialised" in sign(*given[1:], environment=blank | {"P11SHIM_BLANK": "1000"})


def test_two_tokens(sign, nss):
    """NSS has two, of which one needs no login."""
    said = sign(f"pkcs11:?module-path={nss.module}")
    assert "2 tokens match" in said
    assert "token=HoldOut" in said


def test_serial_manufacturer_and_model_select(sign, softhsm):
    for wrong in ("serial=0", "manufacturer=Acme", "model=none", "slot-id=99", "library-description=x"):
        assert "no token matches" in sign(f"pkcs11:token=dsig-dev;{wrong}?module-path={softhsm.module}")


def test_no_pin_where_nobody_can_be_asked(sign, token):
    assert f"a PIN is needed for token '{token.label}'" in sign(token.uri("rsa2048"))


@pytest.mark.parametrize("content", ["", "\n", "a\0b", "\ufeff1234", "x" * 100_000])
def test_what_cannot_be_a_pin_is_not_sent(sign, softhsm, shim, tmp_path, content):
    (tmp_path / "pin").write_text(content)
    log = tmp_path / "log"
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_LOG": str(log)}
    sign(softhsm.uri("rsa2048", module=str(shim)), "--pin-file", tmp_path / "pin", environment=environment)
    assert "login" not in log.read_text()


def test_wrong_pin_is_tried_once(sign, softhsm, shim, tmp_path):
    (tmp_path / "pin").write_text(CANARY)
    log = tmp_path / "log"
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_LOG": str(log)}
    said = sign(softhsm.uri("rsa2048", module=str(shim)), "--pin-file", tmp_path / "pin", environment=environment)
    assert "the PIN for token 'dsig-dev' is wrong; a wrong PIN was given" in said  # the flag is SoftHSM's own
    assert log.read_text().count("login") == 1


def test_wrong_pin_on_both_modules(sign, token, tmp_path):
    (tmp_path / "pin").write_text(CANARY)
    assert "is wrong" in sign(token.uri("rsa2048"), "--pin-file", tmp_path / "pin")


@pytest.mark.parametrize(
    ("flags", "text"), [("0x20000", "one more wrong PIN locks it"), ("0x10000", "a few more lock it")]
)
def test_remaining_tries_are_told(sign, softhsm, shim, tmp_path, flags, text):
    (tmp_path / "pin").write_text(CANARY)
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_TOKENFLAGS": flags}
    said = sign(softhsm.uri("rsa2048", module=str(shim)), "--pin-file", tmp_path / "pin", environment=environment)
    assert text in said


@pytest.mark.parametrize("how", [{"P11SHIM_LOGIN": "0xa4"}, {"P11SHIM_TOKENFLAGS": "0x40000"}])
def test_locked_pin(sign, softhsm, shim, how):
    environment = {"P11SHIM_REAL": softhsm.module} | how
    said = sign(softhsm.uri("rsa2048", module=str(shim)), *pin(softhsm), environment=environment)
    assert "the PIN of token 'dsig-dev' is locked" in said
    assert "PUK" in said


@pytest.mark.parametrize(("code", "text"), [("0xa3", "has expired"), ("0x102", "no user PIN yet"), ("0x50", "entered")])
def test_other_answers_to_a_login(sign, softhsm, shim, code, text):
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_LOGIN": code}
    assert text in sign(softhsm.uri("rsa2048", module=str(shim)), *pin(softhsm), environment=environment)


def test_pin_in_the_uri(sign, softhsm):
    for uri in (
        softhsm.uri("rsa2048", f"pin-value={CANARY}"),
        f"pkcs11:object=rsa2048;pin-value={CANARY}?module-path={softhsm.module}",
    ):
        said = sign(uri)
        assert "--pin-file" in said
        assert CANARY not in said


# ------------------------------------------------------------------------------------------------- keys, certificates


def test_no_such_key(sign, token):
    said = sign(token.uri("nobody"), *pin(token))
    assert "no private key" in said
    assert "object=p256" in said


def test_two_keys(sign, softhsm):
    said = sign(softhsm.uri("twin"), *pin(softhsm))
    assert "2 private keys" in said
    assert "object=twin;id=%10 (RSA)" in said
    assert "object=twin;id=%11 (EC)" in said


def test_no_key_named_among_many(sign, token):
    said = sign(f"pkcs11:token={token.label}?module-path={token.module}", *pin(token))
    assert "private keys" in said
    assert "object=" in said


def test_id_decides_between_keys_of_one_label(sign, softhsm):
    said = sign(f"pkcs11:token=dsig-dev;object=twin;id=%10?module-path={softhsm.module}", *pin(softhsm))
    assert "no certificate with the CKA_ID" in said


def test_key_without_an_id_among_others_of_its_label(sign, run, softhsm, tmp_path):
    assert "2 private keys" in sign(softhsm.uri("unnumbered"), *pin(softhsm))
    arguments = ("sign", CT, "-o", tmp_path / "out.dcm", "--cert", softhsm.directory / "careful.pem", *pin(softhsm))
    ran = run(*arguments, "--key", softhsm.uri("unnumbered;id="))
    assert ran.status == 0, ran.err
    assert dsig.verify(tmp_path / "out.dcm", softhsm.trusting).verdict == "passed"


def test_key_that_is_not_for_signatures(sign, softhsm):
    assert "CKA_SIGN is false" in sign(softhsm.uri("nosign"), *pin(softhsm))


def test_public_object_as_key(sign, softhsm):
    uri = f"pkcs11:token=dsig-dev;object=rsa2048;type=cert?module-path={softhsm.module}"
    assert "not a private key" in sign(uri, *pin(softhsm))


def test_no_certificate(sign, softhsm):
    said = sign(softhsm.uri("lonely"), *pin(softhsm))
    assert "no certificate with the CKA_ID of the key" in said
    assert "--cert" in said


def test_several_certificates(sign, softhsm):
    said = sign(softhsm.uri("several"), *pin(softhsm))
    assert "2 certificates" in said
    assert "CN=p256" in said


def test_of_two_certificates_with_the_id_of_a_key_the_one_that_is_not_its_own_is_left_out(softhsm):
    with dsig.open_key(softhsm.uri("sorted"), secrets=softhsm.secrets) as key:
        own = x509.load_der_x509_certificate(key.certificate)
    assert own.subject.rfc4514_string() == "CN=sorted,O=dsig tests"


def test_certificate_with_another_id_is_pointed_out(sign, softhsm):
    assert "'sorted' is of this key but has another CKA_ID" in sign(softhsm.uri("strayed"), *pin(softhsm))


@pytest.mark.parametrize("key", ["mixed-rsa", "mixed-ec", "mixed-kind"])
def test_certificate_of_another_key(sign, softhsm, key):
    assert "do not belong together" in sign(softhsm.uri(key), *pin(softhsm))


@pytest.mark.parametrize("key", ["rsa2048", "p256"])
def test_certificate_file_of_another_key(sign, token, key):
    other = PKI / f"{key}.pem"
    assert "do not belong together" in sign(token.uri(key), *pin(token), "--cert", other)


def test_certificate_file_that_is_none(sign, softhsm, tmp_path):
    (tmp_path / "not.pem").write_text("nothing")
    for file, text in ((tmp_path / "not.pem", "cannot be read"), (tmp_path / "none", "does not exist")):
        assert text in sign(softhsm.uri("rsa2048"), *pin(softhsm), "--cert", file)


def test_mechanism_missing(sign, softhsm, shim):
    hidden = {"P11SHIM_REAL": softhsm.module, "P11SHIM_HIDE": "0x1,0x3,0x1041"}
    said = sign(softhsm.uri("rsa2048", module=str(shim)), *pin(softhsm), environment=hidden)
    assert "lacks CKM_RSA_PKCS or CKM_RSA_X_509; its CKM_SHA256_RSA_PKCS hashes all the data itself" in said
    said = sign(softhsm.uri("p256", module=str(shim)), *pin(softhsm), environment=hidden)
    assert "lacks CKM_ECDSA" in said


def test_bare_rsa_operation_will_do(run, softhsm, shim, tmp_path):
    """CKM_RSA_PKCS hidden: the block is padded here, and verifies."""
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_HIDE": "0x1"}
    out = tmp_path / "out.dcm"
    ran = run(
        "sign", CT, "-o", out, "--key", softhsm.uri("rsa2048", module=str(shim)), *pin(softhsm), environment=environment
    )
    assert ran.status == 0, ran.err
    assert dsig.verify(out, softhsm.trusting).verdict is dsig.FileVerdict.PASSED


# ------------------------------------------------------------------------------------------------------------- batches


@pytest.fixture
def batch(run, softhsm, shim, tmp_path) -> Callable[..., tuple[Ran, list[Path]]]:
    """Sign five files with a module that misbehaves; gives how it ended and the outputs, all of which are good."""

    def batch(*options: object, files: int = 5, **how: str) -> tuple[Ran, list[Path]]:
        inputs, outputs = tmp_path / "in", tmp_path / "out"
        inputs.mkdir()
        for number in range(files):
            shutil.copy(CT, inputs / f"{number}.dcm")
        key = ("--key", softhsm.uri("rsa2048", module=str(shim)), *pin(softhsm))
        ran = run(
            *("sign", inputs, "-o", outputs, *key, *options),
            environment={"P11SHIM_REAL": softhsm.module, "P11SHIM_LOG": str(tmp_path / "log")} | how,
        )
        written = sorted(p for p in outputs.rglob("*") if p.is_file())
        for path in written:
            assert dsig.verify(path, softhsm.trusting).verdict is dsig.FileVerdict.PASSED, path
        return ran, written

    return batch


def told(ran: Ran) -> set[str]:
    """The files that were named as signed."""
    lines = (line.split(None, 1)[1] for line in ran.out.splitlines() if line.startswith("signed "))
    return {line.partition(" (")[0] for line in lines}


def left(*numbers_and_directory: object) -> str:
    *numbers, directory = numbers_and_directory
    return ", ".join(f"{directory}/in/{number}.dcm" for number in numbers)


@pytest.mark.parametrize("code", ["0x32", "0x30", "0x5", "0xe0"])
def test_token_removed_in_the_middle(batch, tmp_path, code):
    ran, written = batch(P11SHIM_SIGN=f"{code}@3")
    assert ran.status == 6
    assert [p.name for p in written] == ["0.dcm", "1.dcm"]
    assert told(ran) == {str(path) for path in written}
    assert f"2 of 5 files done; not done: {left(2, 3, 4, tmp_path)}\n" in ran.err
    assert "2.dcm] (" in ran.err, "the file at which it happened"
    assert "the token is gone" in ran.err
    assert "run the command again" in ran.err


def test_token_removed_while_workers_sign(batch, tmp_path):
    """Whatever was signed is told, whoever did it; the rest is counted, and named as far as it fits."""
    ran, written = batch("--jobs", 2, files=150, P11SHIM_SIGN="0x32@40")
    assert ran.status == 6
    assert 0 < len(written) < 40
    assert told(ran) == {str(path) for path in written}
    (line,) = [line for line in ran.err.splitlines() if "files done" in line]
    assert f"{len(written)} of 150 files done; not done: " in line
    named = line.count(str(tmp_path / "in"))
    assert 0 < named <= 10
    assert line.endswith(f" and {150 - len(written) - named} more")
    assert ran.err.count("the token is gone") == 1
    logins = (tmp_path / "log").read_text().count(" login")
    assert 2 <= logins <= 1 + 2 * BESIDE, (
        "one try to get it back for each signature that was under way, and none for the others"
    )
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name.endswith(".part")]


def test_ledger_tells_machines_what_is_signed_and_the_rest_is_done_later(batch, run, softhsm, tmp_path):
    ledger = tmp_path / "ledger"
    ran, _written = batch("--ledger", ledger, P11SHIM_SIGN="0x32@3")
    assert ran.status == 6
    key = ("--key", softhsm.uri("rsa2048"), *pin(softhsm))
    again = run("sign", tmp_path / "in", "-o", tmp_path / "out", *key, "--ledger", ledger)
    assert again.status == 0, again.err
    assert len(told(again)) == 3
    assert sorted(told(ran) | told(again)) == sorted(str(p) for p in (tmp_path / "out").iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("end", [signal.SIGSEGV, signal.SIGABRT])
def test_a_module_that_crashes_while_it_signs_leaves_nothing_half_written(batch, run, softhsm, tmp_path, end, jobs):
    """It takes the process down, which can say nothing then; what docs/hsm.md says of the outputs holds."""
    many = ("--jobs", jobs, "--ledger", tmp_path / "ledger")
    ran, written = batch(*many, files=20, P11SHIM_CRASH=f"{int(end)}@8")
    assert ran.status == -end
    assert (tmp_path / "log").read_text().count("crash") >= 1
    assert len(written) == 7 if jobs == 1 else len(written) <= 7
    assert all((tmp_path / "in" / path.name).is_file() for path in written), "no leftovers beside them"
    assert {path.read_bytes() for path in (tmp_path / "in").iterdir()} == {CT.read_bytes()}
    key = ("--key", softhsm.uri("rsa2048"), *pin(softhsm))
    again = run("sign", tmp_path / "in", "-o", tmp_path / "out", *key, *many)
    assert again.status == 0, again.err
    assert len(list((tmp_path / "out").iterdir())) == 20


def test_a_module_that_crashes_while_it_signs_in_place_leaves_each_file_signed_or_as_it_was(
    run, softhsm, shim, tmp_path
):
    many, inputs = ("--in-place", "--ledger", tmp_path / "ledger"), tmp_path / "in"
    inputs.mkdir()
    for number in range(5):
        shutil.copy(CT, inputs / f"{number}.dcm")
    environment = {"P11SHIM_REAL": softhsm.module, "P11SHIM_CRASH": f"{int(signal.SIGSEGV)}@3"}
    given = (*pin(softhsm), *many)
    ran = run("sign", inputs, "--key", softhsm.uri("rsa2048", module=str(shim)), *given, environment=environment)
    assert ran.status == -signal.SIGSEGV
    assert [path.name for path in sorted(inputs.iterdir())] == [f"{number}.dcm" for number in range(5)]
    as_they_were = [path.name for path in sorted(inputs.iterdir()) if path.read_bytes() == CT.read_bytes()]
    assert as_they_were == ["2.dcm", "3.dcm", "4.dcm"]
    again = run("sign", inputs, "--key", softhsm.uri("rsa2048"), *given)
    assert again.status == 0, again.err
    for path in inputs.iterdir():
        report = dsig.verify(path, softhsm.trusting)
        assert report.verdict is dsig.FileVerdict.PASSED
        assert len(report.signatures) == 1


@pytest.mark.parametrize("code", ["0xb3", "0x82", "0x101", "0x32"])
def test_lost_session_is_opened_again_once(batch, tmp_path, code):
    ran, written = batch(P11SHIM_SIGN_ONCE=f"{code}@3")
    assert ran.status == 0, ran.err
    assert len(written) == 5


def test_one_login_for_all_files(batch, tmp_path):
    ran, written = batch()
    assert ran.status == 0, ran.err
    assert len(written) == 5
    lines = [line.split(" ", 1) for line in (tmp_path / "log").read_text().splitlines()]
    process = lines[-1][0]
    own = [what for pid, what in lines if pid == process]
    assert own.count("login") == 1
    assert own.count("open") == 2  # one holds the login, one signs
    assert own[-1] == "finalize"


def test_sessions_exhausted(batch):
    ran, written = batch(P11SHIM_OPEN="0xb1@2")
    assert ran.status == 6
    assert written == []
    assert "no session left" in ran.err
    assert ran.err.count("\n") == 1


def test_not_even_one_session(batch):
    ran, written = batch(P11SHIM_OPEN="0xb1@1")
    assert ran.status == 6
    assert written == []
    assert "no session left" in ran.err
