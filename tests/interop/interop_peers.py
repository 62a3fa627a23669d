"""What the interop tests share: the corpus, the peer programs, and what both sides must say of a good file.

"The peer" is OFFIS `dcmsign`; "reference" is its behaviour as written down in docs and issues (sections 1 to 12).
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dsig

CORPUS = Path(__file__).parents[1] / "corpus"
BASE = CORPUS / "base"
PKI = CORPUS / "pki"

KEYS = ("rsa2048", "rsa3072", "rsa4096", "dsa2048", "p256", "p384")
MACS = {"RIPEMD160": "+mr", "MD5": "+mm", "SHA1": "+ms", "SHA256": "+m2", "SHA384": "+m3", "SHA512": "+m5"}
"""Terms of (0400,0015) both tools know, and the peer's options for them."""

UNREADABLE = ("mr_truncated.dcm", "nometa_broken.dcm", "rtplan_truncated.dcm")
"""Base files that are cut or no data set; a test proves that the peer cannot read them either."""
NOTHING_SIGNABLE = "dicomdir"
"""Everything in it is of group 0004 (reference section 1.7)."""
HASHED_DIFFERENTLY = "seg_labelmap.dcm"
"""The peer's MAC of this file is not that of the standard, docs/decisions/0005."""

READABLE = tuple(
    path.name
    for path in sorted(BASE.iterdir())
    if path.suffix != ".json" and path.name not in (*UNREADABLE, NOTHING_SIGNABLE, HASHED_DIFFERENTLY)
)
NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")

ROOT = PKI / "root.pem"
INTERMEDIATE = PKI / "inter.pem"
TRUSTED = dsig.VerifyOptions(trust=dsig.load_trust([ROOT], [INTERMEDIATE]))

OURS = str(Path(sys.executable).parent)
"""Where `dsig` is installed, whether the environment is activated or not."""
ENVIRONMENT = {
    **os.environ,
    "TZ": "UTC",
    "LC_ALL": "C",
    "PATH": f"{OURS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
}
AT_ONCE = ThreadPoolExecutor(os.cpu_count() or 2)
"""Peer programs run beside our own work."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    said: str

    @property
    def good(self) -> bool:
        return self.status == 0


def run(*arguments: object) -> Ended:
    """Run a program; both its outputs in one."""
    done = subprocess.run(
        [os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        check=False,
        timeout=600,
    )
    return Ended(done.returncode, done.stdout.decode("utf-8", "replace"))


def succeed(*arguments: object) -> str:
    """Run a program that must not fail."""
    ended = run(*arguments)
    assert ended.good, f"{arguments[0]} exit {ended.status}: {ended.said}"
    return ended.said


def key_files(key: str) -> tuple[Path, Path]:
    """Private key and certificate of a corpus signer."""
    return PKI / f"{key}.key.pem", PKI / f"{key}.pem"


def peer_verifies(path: Path, root: Path = ROOT, intermediate: Path = INTERMEDIATE) -> Ended:
    """The peer's verdict on a file that must have a signature."""
    return run("dcmsign", "--verify", "+rg", "-v", "+cf", root, "+uf", intermediate, path)


def peer_signs(
    source: Path, target: Path, *options: object, key: str = "rsa2048", mac: str = "SHA256", item: str | None = None
) -> None:
    """Have the peer sign a file."""
    operation = "+s" if item is None else "+si"
    location = [] if item is None else [item]
    succeed("dcmsign", operation, *key_files(key), *location, MACS[mac], *options, source, target)


def dsig_signs(source: Path, target: Path, key: dsig.OpenKey, **options: object) -> dsig.Signed:
    """Have dsig sign a file; bytes in and out, so that thousands of signatures need no thousands of disk syncs."""
    signed = dsig.sign(source.read_bytes(), key=key, options=dsig.SignOptions(allow_weak=True, **options))
    assert isinstance(signed.output, bytes)
    target.write_bytes(signed.output)
    return signed


def objections(report: dsig.FileReport, signatures: int = 1) -> list[str]:
    """All that keeps a file from being well signed: structure, integrity and trust of so many signatures."""
    found = [f"error: {report.error}"] if report.error else []
    if len(report.signatures) != signatures:
        found.append(f"{len(report.signatures)} signatures instead of {signatures}")
    for signature in report.signatures:
        for name in ("structure", "integrity", "trust"):
            axis = signature.axes[name]
            if axis.status is not dsig.Status.PASSED:
                found.append(f"{signature.location} {name} {axis.status}: {[f.message for f in axis.findings]}")
    if not found and report.verdict is not dsig.FileVerdict.PASSED:
        found.append(f"verdict {report.verdict}")
    return found


def dsig_accepts(given: Path | bytes, signatures: int = 1) -> dsig.FileReport:
    """Assert that dsig accepts a file."""
    report = dsig.verify(given, TRUSTED)
    assert not objections(report, signatures)
    return report


def peer_accepts(path: Path) -> str:
    """Assert that the peer accepts a file."""
    ended = peer_verifies(path)
    assert ended.good, ended.said
    return ended.said


def data_set(content: bytes) -> bytes:
    """A file without preamble and meta information, which hold random UIDs and names of programs."""
    if content[128:132] != b"DICM":
        return content
    assert content[132:140] == b"\2\0\0\0UL\4\0"
    return content[144 + int.from_bytes(content[140:144], "little") :]
