"""A SoftHSM 2 token with a key and its certificate, for one run of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dsig.testing.pki import Certified

__all__ = ["Token", "softhsm"]

PLACES = (
    "/usr/lib/softhsm",
    "/usr/lib/x86_64-linux-gnu/softhsm",
    "/usr/lib/aarch64-linux-gnu/softhsm",
    "/usr/lib64/softhsm",
    "/usr/lib64/pkcs11",
    "/usr/local/lib/softhsm",
    "/opt/homebrew/lib/softhsm",
)
"""Where distributions put libsofthsm2.so."""
LABEL = "dsig-kit"


@dataclass(frozen=True)
class Token:
    """A token with one key on it."""

    uri: str
    """Of the key, RFC 7512, the module included."""
    module: str
    """Path of the PKCS#11 module."""
    label: str
    """Of the token."""
    pin: str = field(repr=False)
    pin_file: Path
    """For `--pin-file`."""
    certificate: bytes
    """Of the key, DER."""
    environment: dict[str, str]
    """What the module needs in the environment of other processes; this one has it already."""


@contextmanager
def softhsm(signer: Certified, directory: Path) -> Iterator[Token]:
    """A token in `directory` with the key and certificate of `signer`, until the block ends.

    Raises `RuntimeError` if SoftHSM is not here, or if it does not do what it is told.
    """
    program = shutil.which("softhsm2-util")
    module = next((f"{place}/libsofthsm2.so" for place in PLACES if os.path.exists(f"{place}/libsofthsm2.so")), None)  # noqa: PTH110 - text all the way
    if program is None or module is None:
        raise RuntimeError("the token of the kit is one of SoftHSM, which is not here: apt-get install softhsm2")
    configuration = directory / "softhsm2.conf"
    settings = (f"directories.tokendir = {directory}/tokens", "objectstore.backend = file", "log.level = ERROR", "")
    configuration.write_text("\n".join(settings))
    (directory / "tokens").mkdir()
    pin_file = directory / "pin.txt"
    pin = os.urandom(6).hex()
    pin_file.write_text(pin)
    key, certificate = signer.write(directory, "signer")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)  # the module reads it when it is loaded into this process
    try:
        _run(program, "--init-token", "--free", "--label", LABEL, "--so-pin", os.urandom(6).hex(), "--pin", pin)
        _run(program, "--import", str(key), "--token", LABEL, "--label", "signer", "--id", "01", "--pin", pin)
        uri = f"pkcs11:token={LABEL};object=signer?module-path={module}"
        dsig = (sys.executable, "-m", "dsig.cli", "keys", "install-cert")
        _run(*dsig, uri, str(certificate), "--pin-file", str(pin_file))
        key.unlink()
        yield Token(uri, module, LABEL, pin, pin_file, signer.certificate, {"SOFTHSM2_CONF": str(configuration)})
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - made here
    if ran.returncode:
        raise RuntimeError(f"{command[0]}: {ran.stderr or ran.stdout}")
