"""Signatures the standard does not have: through the public contract, on demand only, marked in every report."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

import dsig
from dsig.cli import main
from dsig.plugins import load
from dsig.testing import CryptoBackendContract, KeySourceContract, unsigned_file
from dsig.testing.pki import Certified, shared

KINDS = {
    "ed25519": ("Ed25519", 0, 64),
    "ml-dsa-44": ("ML-DSA-44", 0, 2420),
    "ml-dsa-65": ("ML-DSA-65", 0, 3309),
    "ml-dsa-87": ("ML-DSA-87", 0, 4627),
}
NEW = {
    "ed25519": ed25519.Ed25519PrivateKey,
    "ml-dsa-44": mldsa.MLDSA44PrivateKey,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey,
}
OIDS = {"SHA1": "06052b0e03021a", "SHA256": "0609608648016503040201", "SHA384": "0609608648016503040202",
        "SHA512": "0609608648016503040203"}  # fmt: skip


def digest_info(mac: str, message: bytes) -> bytes:
    """DER by hand: SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING } (RFC 8017 A.2.4)."""
    oid, digest = bytes.fromhex(OIDS[mac]) + b"\x05\0", hashlib.new(mac, message).digest()
    body = b"\x30" + bytes([len(oid)]) + oid + b"\x04" + bytes([len(digest)]) + digest
    return b"\x30" + bytes([len(body)]) + body


@pytest.fixture(scope="module")
def keys() -> dict[str, Certified]:
    """Certified by the issuing CA of the kit, an EC key."""
    pki = shared()
    return {name: pki.certify(name, issuer=pki.issuing, key=new.generate()) for name, new in NEW.items()}


class TestBackend(CryptoBackendContract):
    name = "experimental"
    kinds = KINDS

    @pytest.fixture(autouse=True)
    def given(self, keys):
        self._keys = keys

    def certified(self, pki, key):
        return self._keys[key]

    def sign(self, pki, key, message=b"what was signed", mac="SHA256"):
        return self._keys[key].key.sign(digest_info(mac, message))


class TestKeys(KeySourceContract):
    crypto_backend = "experimental"

    @pytest.fixture(params=sorted(NEW))
    def files(self, request, keys, tmp_path):
        return keys[request.param].write(tmp_path, "signer")

    @pytest.fixture
    def uri(self, files):
        return f"experimental:{files[0]}"

    @pytest.fixture
    def certificate(self, files):
        return str(files[1])

    @pytest.fixture
    def wrong_uri(self, tmp_path):
        return f"experimental:{tmp_path}/nobody.pem"


# ------------------------------------------------------------------------------------------------------- RSASSA-PSS


@pytest.fixture(scope="module")
def pss(tmp_path_factory) -> Path:
    """Keys by openssl: `free` and one whose certificate permits SHA-384 only; self-signed, with `.pem` and `.key`."""
    directory = tmp_path_factory.mktemp("pss")
    some = {
        "free": [],
        "only384": ["rsa_pss_keygen_md:sha384", "rsa_pss_keygen_mgf1_md:sha384", "rsa_pss_keygen_saltlen:48"],
    }
    for name, options in some.items():
        more = [word for option in ["rsa_keygen_bits:2048", *options] for word in ("-pkeyopt", option)]
        key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
        subprocess.run(
            ["openssl", "genpkey", "-quiet", "-algorithm", "RSA-PSS", *more, "-out", key],
            check=True,
            capture_output=True,
        )
        made = ["openssl", "req", "-x509", "-new", "-sha384", "-key", key, "-subj", f"/CN={name}", "-out", certificate]
        subprocess.run([*made, "-addext", "keyUsage=critical,digitalSignature"], check=True, capture_output=True)
    return directory


def checked(directory: Path, name: str, mac: str, value: bytes):
    der = x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes()).public_bytes(Encoding.DER)
    plugins = load(experiments=True)
    digest = hashlib.new(mac, b"text").digest()
    return plugins.crypto_backends.get("experimental").verify_digest(
        der, digest, plugins.mac_algorithms.spec(mac), value
    )


@pytest.mark.interop
def test_pss_signatures_of_openssl_are_valid_with_the_salt_of_the_digest_and_no_other(pss):
    for mac, salt, valid in (("sha256", 32, True), ("sha512", 64, True), ("sha256", 20, False), ("sha256", 0, False)):
        value = subprocess.run(
            ["openssl", "dgst", f"-{mac}", "-sign", pss / "free.key", "-sigopt", "rsa_padding_mode:pss",
             "-sigopt", f"rsa_pss_saltlen:{salt}", "-sigopt", f"rsa_mgf1_md:{mac}"],
            input=b"text", capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert checked(pss, "free", mac.upper(), value).valid is valid, (mac, salt)
    check = checked(pss, "free", "SHA1", value)
    assert (check.valid, check.unsupported) == (False, True)


@pytest.mark.interop
def test_a_pss_key_is_used_with_what_its_certificate_permits(pss, tmp_path):
    key = load_pem_private_key((pss / "only384.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    for mac, hashed, valid in (("SHA384", hashes.SHA384(), True), ("SHA256", hashes.SHA256(), False)):
        value = key.sign(b"text", padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
        assert checked(pss, "only384", mac, value).valid is valid
    plugins = load(experiments=True)
    spec = plugins.mac_algorithms.spec
    with dsig.open_key(
        f"experimental:{pss / 'only384.key'}", certificate=str(pss / "only384.pem"), plugins=plugins
    ) as opened:
        assert opened.signer.sign_digest(bytes(48), spec("SHA384"))
        with pytest.raises(dsig.KeySourceError, match="permits"):
            opened.signer.sign_digest(bytes(32), spec("SHA256"))


@pytest.mark.interop
def test_a_pss_signature_by_a_key_for_everything_is_not_taken(pss):
    """Only of keys certified for nothing else (id-RSASSA-PSS) can it be told which signature was made."""
    signer = shared().signers["rsa2048"]
    value = signer.key.sign(b"text", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    plugins = load(experiments=True)
    for backend, unsupported in (("experimental", True), ("cryptography", False), ("pycryptodome", False)):
        check = plugins.crypto_backends.get(backend).verify_digest(
            signer.certificate, hashlib.sha256(b"text").digest(), plugins.mac_algorithms.spec("SHA256"), value
        )
        assert (check.valid, check.unsupported) == (False, unsupported), backend


# ------------------------------------------------------------------------------------------------- the command line


@pytest.fixture
def permitted(tmp_path, monkeypatch):
    """A configuration that permits what is experimental."""
    path = tmp_path / "home" / "dsig" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[plugins]\nexperimental = true\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parents[1]))
    return path


@pytest.fixture(params=[*sorted(NEW), pytest.param("pss", marks=pytest.mark.interop)])
def files(request, keys, tmp_path) -> tuple[str, str, str]:
    """Key, certificate, and the root to trust; an image lies beside them."""
    (tmp_path / "image.dcm").write_bytes(unsigned_file())
    if request.param == "pss":
        directory = request.getfixturevalue("pss")
        return str(directory / "free.key"), str(directory / "free.pem"), str(directory / "free.pem")
    pki = shared()
    key, certificate = keys[request.param].write(tmp_path, "signer")
    issuing = x509.load_der_x509_certificate(pki.issuing.certificate).public_bytes(Encoding.PEM)
    certificate.write_bytes(certificate.read_bytes() + issuing)
    (tmp_path / "issuing.pem").write_bytes(issuing)
    return str(key), str(certificate), str(tmp_path / "issuing.pem")


def test_signed_and_verified_with_trust_and_told_apart_by_the_others(request, permitted, files, tmp_path, capsys):
    key, certificate, root = files
    image, target = str(tmp_path / "image.dcm"), str(tmp_path / "signed.dcm")
    backend = ["--crypto-backend", "experimental"]
    assert main(["sign", image, "-o", target, "--key", f"experimental:{key}", "--cert", certificate, *backend]) == 0
    assert "not of the standard" in " ".join(capsys.readouterr().out.split())
    trust = ["--trust-root", root] + (["--partial-chain"] if "issuing" in root else [])
    assert main(["verify", target, *trust, *backend, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    [signature] = document["files"][0]["signatures"]
    assert signature["crypto_backend"] == "experimental"
    assert "experimental" in {plugin["name"] for plugin in document["plugins"]}
    codes = {f["code"]: f["severity"] for f in signature["axes"]["integrity"]["findings"]}
    # FIPS 204, table 2: signatures of ML-DSA-65 and -87 have odd lengths, so that DICOM puts a pad byte behind them
    odd = {"signature-padded": "info"} if request.node.callspec.params["files"] in ("ml-dsa-65", "ml-dsa-87") else {}
    assert codes == {"signature-not-standard": "warning"} | odd

    changed = tmp_path / "changed.dcm"
    changed.write_bytes(Path(target).read_bytes().replace(b"Roe^Richard", b"Roe^Rochard"))
    assert main(["verify", str(changed), *trust, *backend]) == 1
    capsys.readouterr()

    # whoever has only the standard's algorithms is told that nothing can be said, not that it is forged
    for other in ("cryptography", "pycryptodome"):
        assert main(["verify", target, *trust, "--crypto-backend", other, "--format", "json"]) == 3
        [signature] = json.loads(capsys.readouterr().out)["files"][0]["signatures"]
        assert signature["axes"]["integrity"]["status"] == "indeterminate"
        assert "key-algorithm-unknown" in {f["code"] for f in signature["axes"]["integrity"]["findings"]}


@pytest.mark.parametrize("form", sorted(p.spec.name for p in dsig.plugins.default().reporters))
def test_marked_in_every_report_however_short(form, permitted, keys, tmp_path):
    key, certificate = keys["ml-dsa-65"].write(tmp_path, "signer")
    image, target, again = (str(tmp_path / f"{name}.dcm") for name in ("image", "signed", "again"))
    Path(image).write_bytes(unsigned_file())
    backend = ["--crypto-backend", "experimental"]
    assert (
        main(["sign", image, "-o", target, "--key", f"experimental:{key}", "--cert", str(certificate), *backend]) == 0
    )
    Path(again).write_bytes(Path(target).read_bytes())
    report = tmp_path / "report"
    binary = load().reporters.spec(form).binary
    for arguments in ([again],) if binary else (["--quiet"], [again], ["--verbose"]):
        rendering = ["--format", form, "--report", str(report), *arguments]
        assert main(["verify", target, "--no-trust", *backend, *rendering]) == 0
        if binary:
            from pypdf import PdfReader

            text = " ".join(page.extract_text() for page in PdfReader(report).pages)
        else:
            text = report.read_text()
        assert "not of the standard" in " ".join(text.split()), arguments


def test_nobody_gets_it_unasked(keys, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "image.dcm").write_bytes(unsigned_file())
    key, certificate = keys["ed25519"].write(tmp_path, "signer")
    image, target = str(tmp_path / "image.dcm"), tmp_path / "signed.dcm"
    arguments = ["sign", image, "-o", str(target), "--key", f"experimental:{key}", "--cert", str(certificate)]
    assert main(arguments) == 2
    assert "experimental = true" in " ".join(capsys.readouterr().err.split())
    assert not target.exists()
    assert main(["verify", image, "--no-trust", "--crypto-backend", "experimental"]) == 2
    assert main(["plugins", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["providers"]
    assert {(p["kind"], p["available"]) for p in listed if p["name"] == "experimental"} == {
        ("key source", False),
        ("crypto backend", False),
    }


def test_what_the_system_forbids_no_user_permits(tmp_path, monkeypatch, permitted, capsys):
    system = tmp_path / "system.toml"
    system.write_text("[plugins]\nexperimental = false\n")
    monkeypatch.setattr("dsig.config.SYSTEM", str(system))
    (tmp_path / "image.dcm").write_bytes(unsigned_file())
    arguments = ["verify", str(tmp_path / "image.dcm"), "--no-trust", "--crypto-backend", "experimental"]
    assert main(arguments) == 2
    system.write_text("")
    assert main(arguments) == 4


def test_workers_have_what_the_configuration_permits(permitted, keys, tmp_path, capsys):
    study = tmp_path / "study"
    study.mkdir()
    for number in range(3):
        (study / f"{number}.dcm").write_bytes(unsigned_file())
    key, certificate = keys["ml-dsa-65"].write(tmp_path, "signer")
    backend = ["--crypto-backend", "experimental", "--jobs", "2", "--executor", "process"]
    out = str(tmp_path / "out")
    assert (
        main(["sign", str(study), "-o", out, "--key", f"experimental:{key}", "--cert", str(certificate), *backend]) == 0
    )
    assert main(["verify", out, "--no-trust", *backend]) == 0


def test_a_timestamp_is_about_the_signature_without_its_pad_byte(keys, tmp_path):
    """An ML-DSA-65 signature has 3309 bytes, its value in the file 3310."""
    from dsig.signature.timestamp import signature_value

    plugins = load(experiments=True)
    facts = plugins.crypto_backends.get("experimental").certificate(keys["ml-dsa-65"].certificate)
    assert signature_value(b"\x30" + bytes(3308) + b"\0", facts) == b"\x30" + bytes(3308)
    assert signature_value(bytes(3309), facts) == bytes(3309)


def test_a_policy_for_rsa_holds_for_rsassa_pss(tmp_path):
    from dsig.hookspecs import CertificateFacts
    from dsig.judgement.policy import Policy, signature_findings

    small = CertificateFacts("CN=a", "CN=a", "1", "00", "RSASSA-PSS 1024", key_type="RSASSA-PSS", key_size=1024)
    findings = list(signature_findings(Policy(min_rsa_bits=2048), "SHA256", small))
    assert [(axis, finding.code) for axis, finding in findings] == [("integrity", "policy-key")]


def test_an_openssl_without_ml_dsa_is_told(keys, monkeypatch, tmp_path):
    from cryptography.exceptions import UnsupportedAlgorithm

    from dsig_experimental import algorithms

    class Old:
        public_key_algorithm_oid = x509.load_der_x509_certificate(
            keys["ml-dsa-44"].certificate
        ).public_key_algorithm_oid

        def public_key(self):
            raise UnsupportedAlgorithm("unknown")

    with pytest.raises(algorithms.UnknownError, match="OpenSSL of this installation has no ML-DSA-44"):
        algorithms.public_key(Old())


def test_the_message_is_bound_to_the_hash(keys):
    """An Ed25519 signature over the bare digest, which could be of any hash, is none."""
    plugins = load(experiments=True)
    signer = keys["ed25519"]
    digest = hashlib.sha256(b"text").digest()
    backend, spec = plugins.crypto_backends.get("experimental"), plugins.mac_algorithms.spec("SHA256")
    assert not backend.verify_digest(signer.certificate, digest, spec, signer.key.sign(digest)).valid
    assert backend.verify_digest(
        signer.certificate, digest, spec, signer.key.sign(digest_info("SHA256", b"text"))
    ).valid
    raw = signer.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert raw in signer.certificate


@pytest.mark.interop
def test_the_commands_of_the_page_work(tmp_path):
    """docs/agility.md, line by line."""
    page = (Path(__file__).parents[2] / "docs" / "agility.md").read_text()
    [configuration] = re.findall(r"<!-- file: config\.toml -->\n```toml\n(.*?)```", page, re.DOTALL)
    [console] = re.findall(r"<!-- run -->\n```console\n(.*?)```", page, re.DOTALL)
    (tmp_path / "config.toml").write_text(configuration)
    said = ""
    for line in console.splitlines():
        program, *arguments = shlex.split(line.removeprefix("$ "))
        begin = {"dsig": [sys.executable, "-m", "dsig.cli"], "python": [sys.executable]}.get(program, [program])
        ran = subprocess.run([*begin, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, (line, ran.stderr)
        said += ran.stdout
    assert "passed" in said
    assert said.count("not of the standard") >= 2


def test_the_doctor_tries_it_and_lets_it_be_ignorant_but_not_gullible(capsys):
    assert main(["plugins", "doctor", "experimental", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["plugins"]
    assert {(e["kind"], e["health"]) for e in found["examined"]} == {("key source", "good"), ("crypto backend", "good")}


@pytest.mark.parametrize(
    ("experimental", "unsupported", "fit"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_only_an_experimental_backend_may_know_nothing_ordinary(experimental, unsupported, fit):
    from dsig.doctor.trials import TRIALS, UnfitError
    from dsig.hookspecs import CryptoBackendSpec, SignatureCheck
    from dsig.model import PluginUse
    from dsig.providers import Provider

    class Ignorant:
        def verify_digest(self, certificate, digest, mac, signature):
            return SignatureCheck(False, "what is this?", unsupported)

    spec = CryptoBackendSpec(name="x", summary="x", factory="x:x", experimental=experimental)
    provider = Provider(spec, PluginUse("x", "x", "1"))
    if fit:
        TRIALS["dsig_crypto_backends"](Ignorant(), provider)
    else:
        with pytest.raises(UnfitError, match="no right signature"):
            TRIALS["dsig_crypto_backends"](Ignorant(), provider)
