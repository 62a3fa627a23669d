"""Two real tokens: SoftHSM as `softhsm/setup` makes it, and NSS softokn; and a module that misbehaves on demand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pkcs11_tokens import HERE, KEYS, NSS, PKI, ROOT, Ran, Token, certify, compiled, succeed


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """SoftHSM 2 by `softhsm/setup`, with some odd keys besides."""
    directory = tmp_path_factory.mktemp("softhsm") / "token"
    said = succeed("bash", ROOT / "softhsm" / "setup", directory)
    exported = dict(line[7:].split("=", 1) for line in said.splitlines() if line.startswith("export "))
    module, configuration = exported["DSIG_PKCS11_MODULE"], exported["SOFTHSM2_CONF"]
    pin = (directory / "pin.txt").read_text().strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", configuration)  # the module reads it when it is loaded into this process
        patch.delenv("DSIG_PKCS11_MODULE", raising=False)
        succeed(sys.executable, HERE / "provision.py", module, "dsig-dev", pin, directory)
        dsa = directory / "dsa.pem"
        succeed("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", PKI / "dsa2048.key.pem", "-out", dsa)
        importing = ("--token", "dsig-dev", "--label", "dsa2048", "--id", "07", "--pin", pin)
        succeed("softhsm2-util", "--import", dsa, *importing)
        careful = certify(directory, directory / "careful.key.pem", "careful")
        sorted_ = certify(directory, directory / "sorted.key.pem", "sorted")
        for name, path, identifier in (
            ("dsa2048", PKI / "dsa2048.pem", "07"),
            ("careful", careful, "17"),
            ("sorted", sorted_, "1a"),
        ):
            der = directory / f"{name}.der"
            succeed("openssl", "x509", "-in", path, "-outform", "DER", "-out", der)
            storing = ("--write-object", der, "--type", "cert", "--label", name, "--id", identifier)
            succeed("pkcs11-tool", "--module", module, "--token-label", "dsig-dev", "--login", "--pin", pin, *storing)
        environment = {"SOFTHSM2_CONF": configuration}
        yield Token(directory, module, "SoftHSM", "dsig-dev", pin, directory / "pin.txt", environment)


@pytest.fixture(scope="session")
def nss(tmp_path_factory: pytest.TempPathFactory, softhsm: Token) -> Iterator[Token]:
    """NSS softokn, a module with its own cryptography, its own database, and other habits."""
    directory = tmp_path_factory.mktemp("nss")
    database = directory / "db"
    database.mkdir()
    pin = "nss-pin-12"
    (directory / "pin.txt").write_text(pin + "\n")
    cheap = {"NSS_MAX_MP_PBE_ITERATION_COUNT": "1"}  # else each signature hashes the PIN ten thousand times
    succeed("certutil", "-N", "-d", f"sql:{database}", "-f", directory / "pin.txt", **cheap)
    for file in ("ca.pem", "ca.key.pem"):
        (directory / file).write_bytes((softhsm.directory / file).read_bytes())
    for name in KEYS:
        key, store = directory / f"{name}.key.pem", directory / f"{name}.p12"
        if name.startswith("dsa"):
            key, certificate = PKI / "dsa2048.key.pem", PKI / "dsa2048.pem"
        else:
            kind = (
                ("RSA", "-pkeyopt", f"rsa_keygen_bits:{name[3:]}")
                if name.startswith("rsa")
                else ("EC", "-pkeyopt", f"ec_paramgen_curve:P-{name[1:]}")
            )
            succeed("openssl", "genpkey", "-algorithm", *kind, "-out", key)
            certificate = certify(directory, key, name)
        exporting = ("-inkey", key, "-in", certificate, "-name", name, "-passout", "pass:x", "-out", store)
        succeed("openssl", "pkcs12", "-export", *exporting)
        succeed("pk12util", "-i", store, "-d", f"sql:{database}", "-k", directory / "pin.txt", "-W", "x", **cheap)
    configuration = directory / "config" / "dsig" / "pkcs11.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(
        f'[modules.nss]\npath = "{NSS}"\n'
        f"init-args = \"configdir='sql:{database}' certPrefix='' keyPrefix='' secmod='' flags=optimizeSpace"
        " dbTokenDescription='HoldOut'\"\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(configuration.parents[1]))
        environment = {"XDG_CONFIG_HOME": str(configuration.parents[1])}
        yield Token(directory, NSS, "NSS", "HoldOut", pin, directory / "pin.txt", environment)


@pytest.fixture(params=["softhsm", "nss"])
def token(request: pytest.FixtureRequest) -> Token:
    """Each of the two, for the tests that are one contract."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module of shim.c."""
    return compiled(tmp_path_factory.mktemp("shim") / "shim.so", HERE / "shim.c")


@pytest.fixture(scope="session")
def run() -> Callable[..., Ran]:
    """`dsig` in a process of its own, without terminal."""

    def run(*arguments: object, environment: dict[str, str] | None = None, **more: object) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "dsig.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=os.environ | (environment or {}),
            check=False,
            timeout=600,
            start_new_session=True,
            **more,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
