"""`dsig plugins doctor`: each plugin examined in a process of its own, told good or bad with the reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from third_party.packages import tiny

PATIENCE = 60
"""Seconds after which a plugin hangs: the others are examined beside it, and must be done by then on any machine."""
HEAD = "from dsig.hookspecs import *\nfrom dsig.hookspecs import hookimpl\nfrom dsig.model import Finding, Status\n"


def hook(name: str, spec: str) -> str:
    return f"{HEAD}@hookimpl\ndef {name}():\n    return [{spec}]\n"


def mac(factory: str, *, name: str = "ACME", size: int = 32) -> str:
    spec = f"MacAlgorithmSpec(name={name!r}, summary='s', factory={factory!r}, oid='1.2.3', digest_size={size})"
    return hook("dsig_mac_algorithms", spec)


def provider(kind: str, spec: str, module: str, body: str) -> str:
    made = f"{spec}(name='acme-{module}', summary='s', factory='bad_{module}:P'"
    return hook(kind, made + (", schemes=('acme',))" if spec == "KeySourceSpec" else ")")) + body


MAC = "import hashlib\nclass M:\n    def __init__(self): self.h = hashlib.sha256()\n"

BAD = {
    "raises": ("raise RuntimeError('no way')", "does not import: RuntimeError: no way"),
    "exits": ("import sys; sys.exit('bye')", "does not import: SystemExit"),
    "ends": ("import os; os._exit(0)", "ended the process with status 0 when it was imported"),
    "crashes": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV) when it was imported"),
    "hangs": ("import time; time.sleep(600)", f"did not come back within {PATIENCE} seconds when it was imported"),
    "stays": (
        mac("hashlib:sha256") + "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n",
        f"did not come back within {PATIENCE} seconds when it was to end",
    ),
    "talks": ("print('hello there')", "writes to standard output, where reports go: 'hello there\\n'"),
    "floods": ("import sys\nwhile True: sys.stdout.write('x' * 65536)", "wrote more than 1048576 bytes"),
    "shouts": ("import sys\nwhile True: sys.stderr.write('x' * 65536)", "wrote more than 1048576 bytes"),
    "rubbish": (HEAD + "@hookimpl\ndef dsig_profiles(): return ['rubbish']", "gave str instead of ProfileSpec"),
    "absent": (mac("no_such_module:X"), "does not load: ModuleNotFoundError"),
    "wrong_vector": (mac("hashlib:sha256", name="SHA3_256"), "it is not SHA3_256"),
    "wrong_size": (mac("hashlib:sha256", size=20), "gave 32 bytes instead of 20"),
    "random": (
        mac("bad_random:M", name="RANDOM") + MAC + "    def update(self, data): self.h.update(id(self).to_bytes(8))\n"
        "    def digest(self): import os; return os.urandom(32)\n",
        "another digest when asked twice",
    ),
    "pieces": (
        mac("bad_pieces:M", name="PIECES") + MAC + "    def update(self, data): self.h.update(bytes(data) + b'.')\n"
        "    def digest(self): return self.h.digest()\n",
        "depends on how the bytes are cut",
    ),
    "constant": (
        mac("bad_constant:M", name="CONSTANT") + MAC + "    def update(self, data): pass\n"
        "    def digest(self): return bytes(32)\n",
        "the same digest of other bytes",
    ),
    "believes": (
        provider(
            "dsig_crypto_backends",
            "CryptoBackendSpec",
            "believes",
            "class P:\n    def certificate(self, der): raise ValueError\n"
            "    def verify_digest(self, *a): return SignatureCheck(True)\n",
        ),
        "calls a wrong signature valid",
    ),
    "doubts": (
        provider(
            "dsig_crypto_backends",
            "CryptoBackendSpec",
            "doubts",
            "class P:\n    def certificate(self, der): raise ValueError\n"
            "    def verify_digest(self, *a): return SignatureCheck(False, 'no')\n",
        ),
        "calls no right signature valid",
    ),
    "trusts": (
        provider(
            "dsig_trust_backends",
            "TrustBackendSpec",
            "trusts",
            "class P:\n    def evaluate(self, request): return TrustEvidence(Status.PASSED, (request.certificate,))\n",
        ),
        "trusts a certificate without any anchor",
    ),
    "same": (
        provider(
            "dsig_reporters",
            "ReporterSpec",
            "same",
            "class P:\n    def render(self, report, stream, *, verbose=0): stream.write('all is well')\n",
        ),
        "looks the same whatever the verdict is",
    ),
    "text": (
        provider(
            "dsig_profiles",
            "ProfileSpec",
            "text",
            "class P:\n    def required(self, view): return ['PatientID']\n"
            "    def check(self, view, signature): return []\n",
        ),
        "requires something else than tags",
    ),
    "keyless": (
        provider(
            "dsig_key_sources",
            "KeySourceSpec",
            "keyless",
            "class P:\n    def open(self, request, secrets): raise KeyError('PIN?')\n",
        ),
        "raises what the contract does not allow: KeyError",
    ),
}
"""Module, and what the doctor says of it."""

GOOD = {
    "sound": mac("hashlib:blake2s", name="BLAKE2S"),
    "lacking": hook(
        "dsig_reporters",
        "ReporterSpec(name='acme-pdf', summary='s', factory='no_such_library:Pdf', requires='pip install acme[pdf]')",
    ),
}


def doctor(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dsig.cli", "plugins", "doctor", *arguments],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A place with all of them."""
    place = tmp_path_factory.mktemp("site")
    for name, (source, _) in BAD.items():
        tiny(place, f"bad-{name}", source)
    for name, source in GOOD.items():
        tiny(place, name, source)
    return place


@pytest.fixture(scope="module")
def told(site) -> dict[str, dict]:
    """What is said of each distribution's plugin, all examined in one run."""
    ran = doctor(site, "--json", "--timeout", str(PATIENCE))
    assert ran.returncode == 7
    assert ran.stderr == ""
    document = json.loads(ran.stdout)
    assert document["schema"] == "dsig.plugins-doctor/1"
    return {p["plugin"]: p for p in document["plugins"]}


@pytest.mark.parametrize("name", BAD)
def test_bad_plugins_are_told_with_reason_and_what_to_do(name, told):
    found = told[f"bad-{name}"]
    assert found["health"] == "bad"
    (said, *_) = [e for e in found["examined"] if BAD[name][1] in e["reason"]] or pytest.fail(str(found))
    assert said["hint"]


def test_the_others_are_examined_all_the_same(told):
    assert told["sound"]["health"] == "good"
    assert [(e["kind"], e["name"]) for e in told["sound"]["examined"]] == [("MAC algorithm", "BLAKE2S")]
    assert {"macs", "files", "cryptography", "reports"} <= set(told)
    assert told["files"]["health"] == "good"


def test_a_taken_name_is_told_of_both(told):
    (ours,) = (e for e in told["macs"]["examined"] if e["name"] == "SHA3_256")
    assert ours["health"] == "bad"
    assert "bad-wrong_vector" in ours["reason"]


def test_a_missing_library_is_no_fault_unless_asked_for(site, told):
    assert told["lacking"]["health"] == "unavailable"
    ran = doctor(site, "lacking")
    assert ran.returncode == 7
    assert "pip install acme[pdf]" in ran.stdout


def test_one_plugin_by_name(site):
    ran = doctor(site, "sound")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "good         sound, sound 1.2: 1 tried\n"
    ran = doctor(site, "nobody")
    assert ran.returncode == 2
    assert "dsig plugins list" in ran.stderr


def test_what_is_not_allowed_is_not_imported(site):
    """Nor is the one that hangs by the command itself."""
    assert doctor(site, "bad-hangs", "--allow-plugin", "sound").returncode == 2
    assert doctor(site, "bad-hangs", "--no-plugins").returncode == 2


def test_our_own_are_good(tmp_path):
    ran = doctor(tmp_path, "--no-plugins", "--timeout", "300")
    assert ran.returncode == 0, ran.stdout
    assert all(line.startswith("good ") for line in ran.stdout.splitlines())
    assert "macs" in ran.stdout
