"""Two crypto backends, with nothing in common below the certificates, give one verdict; reports say which was asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

import dsig
from dsig.cli import main
from dsig.testing import CryptoBackendContract
from dsig.testing.pki import shared

CORPUS = Path(__file__).parents[1] / "corpus"
SIGNED = sorted(path for path in (CORPUS / "files").rglob("*") if path.is_file())
ROOTS = [CORPUS / "pki" / "root.pem"], [CORPUS / "pki" / "inter.pem"]


class TestPycryptodome(CryptoBackendContract):
    name = "pycryptodome"


def asked(path: Path, backend: str, trust: dsig.TrustMaterial | None) -> dsig.FileReport:
    options = dsig.VerifyOptions(crypto_backend=backend, at=shared().now, check_trust=trust is not None)
    return dsig.verify(path, options if trust is None else replace(options, trust=trust))


def told_by_neither(report: dsig.FileReport) -> dsig.FileReport:
    """Without the name of the backend, and without why a value is not valid, which each says in its own words."""
    signatures = []
    for found in report.signatures:
        axes = {
            name: replace(axis, findings=tuple(replace(f, message="") for f in axis.findings))
            for name, axis in found.axes.items()
        }
        signatures.append(replace(found, crypto_backend="", axes=axes))
    return replace(report, signatures=tuple(signatures))


def test_the_whole_corpus_with_both():
    """Everything but the words: verdicts, axes, codes, digests, signers, coverage. Trust is asked of every tenth."""
    trust = dsig.load_trust(*ROOTS)
    kinds: dict[str, int] = {}
    for number, path in enumerate(SIGNED):
        given = None if number % 10 else trust
        one, other = asked(path, "cryptography", given), asked(path, "pycryptodome", given)
        assert {s.crypto_backend for s in one.signatures} <= {"cryptography"}
        assert {s.crypto_backend for s in other.signatures} <= {"pycryptodome"}
        assert told_by_neither(one) == told_by_neither(other), path.name
        for found in one.signatures:
            kinds[found.axes["integrity"].status.value] = kinds.get(found.axes["integrity"].status.value, 0) + 1
    assert kinds["passed"] > 100, "a corpus of which nothing passes proves nothing"
    assert kinds["failed"] > 20, "nor one of which nothing fails"


def test_a_curve_that_one_of_them_lacks_is_no_forgery():
    pki = shared()
    key = pki.certify("brainpool", issuer=pki.issuing, key=ec.generate_private_key(ec.BrainpoolP256R1()))
    plugins = dsig.plugins.default()
    spec = plugins.mac_algorithms.spec("SHA256")
    digest, value = hashlib.sha256(b"text").digest(), key.sign(b"text")
    assert plugins.crypto_backends.get("cryptography").verify_digest(key.certificate, digest, spec, value).valid
    check = plugins.crypto_backends.get("pycryptodome").verify_digest(key.certificate, digest, spec, value)
    assert (check.valid, check.unsupported) == (False, True)


def test_the_command_line_and_its_reports_name_the_backend(capsys):
    path = str(next(p for p in SIGNED if "rsa" in p.name or "base" in p.name))
    for backend in ("cryptography", "pycryptodome"):
        main(["verify", path, "--no-trust", "--crypto-backend", backend, "--format", "json"])
        document = json.loads(capsys.readouterr().out)
        assert {s["crypto_backend"] for s in document["files"][0]["signatures"]} == {backend}
        assert backend in {plugin["name"] for plugin in document["plugins"]}
        main(["verify", path, "--no-trust", "--crypto-backend", backend, "--verbose"])
        assert f"verified by {backend}" in " ".join(capsys.readouterr().out.split())
    assert main(["verify", path, "--crypto-backend", "nobodys"]) == 2
