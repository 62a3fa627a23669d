"""What the tests of tokens share."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import dsig
from dsig.secrets import Channels, from_file

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS = HERE.parent / "corpus"
PKI = CORPUS / "pki"
CT = CORPUS / "base" / "ct.dcm"

KEYS = ("rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521", "dsa2048")
MACS = ("RIPEMD160", "MD5", "SHA1", "SHA256", "SHA384", "SHA512")
NSS = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so"


@dataclass(frozen=True)
class Token:
    """A token ready to use."""

    directory: Path
    """CA and certificates."""
    module: str
    """Absolute path."""
    name: str
    label: str
    pin: str
    pin_file: Path
    environment: dict[str, str] = field(default_factory=dict)

    def uri(self, key: str, *query: str, module: str | None = None) -> str:
        path = f"pkcs11:token={self.label};object={key}"
        return path + "?" + "&".join([f"module-path={module or self.module}", *query])

    @property
    def secrets(self) -> Channels:
        return Channels(pin=from_file(self.pin_file))

    @property
    def trusting(self) -> dsig.VerifyOptions:
        roots = [self.directory / "ca.pem", PKI / "root.pem"]
        return dsig.VerifyOptions(trust=dsig.load_trust(roots, [PKI / "inter.pem"]))


def succeed(*command: object, **environment: str) -> str:
    """Run a program that must not fail."""
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, env=os.environ | environment, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def certify(directory: Path, key: Path, name: str) -> Path:
    """A certificate by the CA that `softhsm/setup` made; with openssl."""
    request, extensions, certificate = (directory / f"{name}.{end}" for end in ("req", "ext", "pem"))
    succeed("openssl", "req", "-new", "-key", key, "-subj", f"/O=dsig tests/CN={name}", "-out", request)
    extensions.write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n")
    signing = ("-CA", directory / "ca.pem", "-CAkey", directory / "ca.key.pem", "-days", "30", "-sha256")
    succeed("openssl", "x509", "-req", "-in", request, *signing, "-extfile", extensions, "-out", certificate)
    return certificate


def compiled(library: Path, source: Path) -> Path:
    """A shared library from C."""
    succeed("gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl")
    return library


@dataclass(frozen=True)
class Ran:
    """What one run gave."""

    status: int
    out: str
    err: str
