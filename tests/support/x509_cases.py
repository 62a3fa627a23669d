"""Certification paths where NIST PKITS is silent: made by `openssl ca`, and what must become of them.

Every case is root, issuing authority, signer, with one thing about it. What is expected comes from the clause that is
named, not from any backend.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from dsig.hookspecs import TrustEvidence
from dsig.model import Status
from dsig.plugins import default
from dsig.trust.chain import Chains
from dsig.trust.material import load_trust

AT = datetime(2026, 6, 1, tzinfo=UTC)
BACKENDS = ("certvalidator", "cryptography", "openssl")

_AUTHORITY = "basicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign, cRLSign"
_LEAF = "basicConstraints = critical, CA:false\n"
_SIGNER = _LEAF + "keyUsage = critical, digitalSignature"
_P256 = ("EC", "ec_paramgen_curve:P-256")
_EXPLICIT = (*_P256, "ec_param_enc:explicit")

_KU, _EKU, _BC, _NC, _SP = (
    "RFC 5280 4.2.1.3", "RFC 5280 4.2.1.12", "RFC 5280 4.2.1.9", "RFC 5280 4.2.1.10", "NIST SP 800-57"
)  # fmt: skip
DOCUMENT, ANY = "1.3.6.1.5.5.7.3.36", "2.5.29.37.0"


@dataclass(frozen=True)
class Case:
    """One path: how it is made, and whether it is one."""

    what: str
    clause: str
    valid: bool
    signer: str = _SIGNER
    """Extensions, as openssl.cnf has them."""
    authority: str = _AUTHORITY
    """Of the issuing authority."""
    signer_key: tuple[str, ...] = _P256
    """Algorithm and options of `openssl genpkey`."""
    authority_key: tuple[str, ...] = _P256
    hash: str = "sha256"
    """Of the issuing authority's signature under the signer's certificate."""
    options: tuple[str, ...] = ()
    """More for `openssl ca` then."""
    root_hash: str = "sha256"
    root: str = _AUTHORITY
    """Extensions of the trusted certificate."""
    subject: str = "/O=Hospital/CN=Signer"
    between: str = ""
    """Extensions of one more authority, above the issuing one."""


def _usage(*named: str, valid: bool) -> Case:
    what = f"signer with keyUsage {', '.join(named)}"
    return Case(what, _KU, valid, signer=f"{_LEAF}keyUsage = critical, {', '.join(named)}")


def _purpose(named: str, *, valid: bool, critical: bool = False) -> Case:
    names = {DOCUMENT: "documentSigning", ANY: "anyExtendedKeyUsage"}
    what = f"signer with extendedKeyUsage {names.get(named, named)}{', critical' if critical else ''}"
    extension = f"extendedKeyUsage = {'critical, ' if critical else ''}{named}"
    return Case(what, _EKU, valid, signer=f"{_SIGNER}\n{extension}")


def _constraint(what: str, constraint: str, *, valid: bool, name: str = "", critical: bool = True) -> Case:
    """A name constraint of the issuing authority, and a name of the signer."""
    limited = f"{_AUTHORITY}\nnameConstraints = {'critical, ' if critical else ''}{constraint}"
    signer = f"{_SIGNER}\nsubjectAltName = {name}" if name else _SIGNER
    return Case(f"name constraints: {what}", _NC, valid, signer=signer, authority=limited)


def _directory(subtree: str, organization: str) -> str:
    return f"{subtree};dirName:tree\n[tree]\nO = {organization}"


CASES: tuple[Case, ...] = (
    Case("nothing about it", "RFC 5280 6.1", True),
    # what the signer is meant for
    _usage("digitalSignature", valid=True),
    _usage("nonRepudiation", valid=True),
    _usage("digitalSignature", "keyEncipherment", valid=True),
    _usage("keyEncipherment", valid=False),
    _usage("keyAgreement", valid=False),
    _usage("keyCertSign", "cRLSign", valid=False),
    Case("signer without keyUsage", _KU, True, signer=_LEAF),
    Case("signer that is an authority", _KU, True, signer=_AUTHORITY),
    _purpose("emailProtection", valid=True),
    _purpose("emailProtection", valid=True, critical=True),
    _purpose(DOCUMENT, valid=True),
    _purpose(DOCUMENT, valid=True, critical=True),
    _purpose(ANY, valid=True),
    _purpose("serverAuth, emailProtection", valid=True),
    _purpose("serverAuth", valid=False),
    _purpose("serverAuth", valid=False, critical=True),
    _purpose("clientAuth", valid=False),
    _purpose("codeSigning", valid=False),
    _purpose("timeStamping", valid=False, critical=True),
    _purpose("OCSPSigning", valid=False),
    _purpose("1.2.3.4.5", valid=False),
    # who may issue
    Case("authority with CA:false", _BC, False, authority=_AUTHORITY.replace("CA:true", "CA:false")),
    Case("authority without basicConstraints", _BC, False, authority="keyUsage = critical, keyCertSign"),
    Case("authority whose basicConstraints are not critical", _BC, True,
         authority=_AUTHORITY.replace("critical, CA", "CA")),
    Case("authority without keyCertSign", _KU, False, authority=_AUTHORITY.replace("keyCertSign", "digitalSignature")),
    Case("authority without keyUsage", _KU, True, authority="basicConstraints = critical, CA:true"),
    Case("authority with pathlen:0", _BC, True, authority=_AUTHORITY.replace("CA:true", "CA:true, pathlen:0")),
    Case("authority under one with pathlen:0", _BC, False, between=_AUTHORITY.replace("CA:true", "CA:true, pathlen:0")),
    Case("authority under one with pathlen:1", _BC, True, between=_AUTHORITY.replace("CA:true", "CA:true, pathlen:1")),
    Case("authority with an unknown critical extension", "RFC 5280 4.2", False,
         authority=f"{_AUTHORITY}\n1.2.3.4.5 = critical, DER:05:00"),
    Case("signer with an unknown critical extension", "RFC 5280 4.2", False,
         signer=f"{_SIGNER}\n1.2.3.4.5 = critical, DER:05:00"),
    Case("signer with an unknown extension", "RFC 5280 4.2", True, signer=f"{_SIGNER}\n1.2.3.4.5 = DER:05:00"),
    # who is trusted
    Case("root with CA:false", _BC, False, root="basicConstraints = critical, CA:false"),
    Case("root that is a signer", _BC, False, root=_SIGNER),
    Case("root with neither basicConstraints nor keyUsage", _BC, False, root="subjectKeyIdentifier = hash"),
    Case("root without keyCertSign", _KU, False, root=_AUTHORITY.replace("keyCertSign", "digitalSignature")),
    Case("root with pathlen:1 above an authority", "RFC 5937 3.2", True,
         root=_AUTHORITY.replace("CA:true", "CA:true, pathlen:1")),
    Case("root with pathlen:1 above two authorities", "RFC 5937 3.2", False, between=_AUTHORITY,
         root=_AUTHORITY.replace("CA:true", "CA:true, pathlen:1")),
    Case("root whose name constraints leave the signer out", "RFC 5937 3.2", False,
         root=f"{_AUTHORITY}\nnameConstraints = critical, {_directory('excluded', 'Hospital')}"),
    Case("root with a policy of its own", "RFC 5280 6.1.1", True, root=f"{_AUTHORITY}\ncertificatePolicies = 1.2.3.4"),
    # what holds it together
    Case("signature with SHA-1", "NIST SP 800-131A", False, hash="sha1"),
    Case("signature with MD5", "RFC 6151", False, hash="md5", authority_key=("RSA", "rsa_keygen_bits:2048")),
    Case("signature with SHA-384", _SP, True, hash="sha384"),
    Case("signature with SHA-512", _SP, True, hash="sha512"),
    Case("root signed by itself with SHA-1", "RFC 5280 6.1", True, root_hash="sha1"),
    Case("authority with RSA, 1024 bits", _SP, False, authority_key=("RSA", "rsa_keygen_bits:1024")),
    Case("authority with RSA, 2048 bits", _SP, True, authority_key=("RSA", "rsa_keygen_bits:2048")),
    Case("authority with RSA, 2048 bits, RSASSA-PSS", "RFC 4055 3.1", True,
         authority_key=("RSA", "rsa_keygen_bits:2048"),
         options=("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")),
    Case("authority with EC P-192", _SP, False, authority_key=("EC", "ec_paramgen_curve:P-192")),
    Case("authority with EC P-384", _SP, True, authority_key=("EC", "ec_paramgen_curve:P-384")),
    Case("authority with Ed25519", "RFC 8410", True, authority_key=("ED25519",), hash="null"),
    Case("authority with explicit curve parameters", "RFC 5480 2.1.1", False, authority_key=_EXPLICIT),
    Case("signer with explicit curve parameters", "RFC 5480 2.1.1", False, signer_key=_EXPLICIT),
    Case("signer with RSA, 1024 bits (told as weak-key, not of the path)", _SP, True,
         signer_key=("RSA", "rsa_keygen_bits:1024")),
    # whom an authority may name
    _constraint("directory name inside what is permitted", _directory("permitted", "Hospital"), valid=True),
    _constraint("directory name outside", _directory("permitted", "Elsewhere"), valid=False),
    _constraint("directory name excluded", _directory("excluded", "Hospital"), valid=False),
    _constraint("directory name not excluded", _directory("excluded", "Elsewhere"), valid=True),
    _constraint("directory name outside, not critical", _directory("permitted", "Elsewhere"), valid=False,
                critical=False),
    _constraint("mail permitted", "permitted;email:example.org", valid=True, name="email:a@example.org"),
    _constraint("mail outside", "permitted;email:example.org", valid=False, name="email:a@example.com"),
    _constraint("mail excluded", "excluded;email:example.org", valid=False, name="email:a@example.org"),
    _constraint("host permitted", "permitted;DNS:example.org", valid=True, name="DNS:ct.example.org"),
    _constraint("host outside", "permitted;DNS:example.org", valid=False, name="DNS:ct.example.com"),
    _constraint("host whose name only ends alike", "permitted;DNS:example.org", valid=False, name="DNS:badexample.org"),
    _constraint("address outside", "permitted;IP:10.0.0.0/255.0.0.0", valid=False, name="IP:192.0.2.1"),
    _constraint("URI outside", "permitted;URI:.example.org", valid=False, name="URI:https://www.example.com/"),
    _constraint("of a kind the signer has no name of", "permitted;DNS:example.org", valid=True),
)  # fmt: skip

_NAMES = "of names only DNS and IP are constrained"
UNSUPPORTED: dict[str, dict[str, str]] = {
    "certvalidator": {},
    "cryptography": {
        "authority with Ed25519": "keys of that kind are refused in paths",
        "name constraints: directory name inside what is permitted": _NAMES,
        "name constraints: directory name not excluded": _NAMES,
        "name constraints: mail permitted": _NAMES,
    },
    "openssl": {},
}
"""Valid paths a backend does not accept, by `what`, and why. None accepts an invalid one."""


# ------------------------------------------------------------------------------------------------------ by openssl ca


@dataclass
class _Maker:
    """Keys and certificates in a directory."""

    directory: Path
    number: int = 0
    keys: dict[tuple[str, ...], int] = field(default_factory=dict)
    roots: dict[tuple[str, str], Path] = field(default_factory=dict)

    def issue(
        self, subject: str, extensions: str, key: Path, issuer: tuple[Path, Path] | None, hash_: str, *more: str
    ) -> Path:
        """A certificate by `issuer` (certificate and key), or by itself."""
        self.number += 1
        base = self.directory / str(self.number)
        path, request, config, database = (base.with_suffix(s) for s in (".pem", ".csr", ".cnf", ".db"))
        database.touch()
        config.write_text(
            f"[ca]\ndefault_ca = one\n[one]\ndatabase = {database}\nnew_certs_dir = {self.directory}\n"
            f"rand_serial = yes\npolicy = any\nunique_subject = no\n[any]\norganizationName = supplied\n"
            f"commonName = supplied\n[req]\ndistinguished_name = dn\n[dn]\n[extensions]\n{extensions}\n"
        )
        _openssl("req", "-new", "-key", key, "-config", config, "-subj", subject, "-out", request)
        by = ("-selfsign", "-keyfile", key) if issuer is None else ("-cert", issuer[0], "-keyfile", issuer[1])
        _openssl("ca", "-batch", "-config", config, *by, "-in", request, "-out", path, "-notext", "-md", hash_,
                 "-startdate", "20200101000000Z", "-enddate", "20400101000000Z",
                 "-extensions", "extensions", *more)  # fmt: skip
        return path

    def key(self, *kind: str, of: str) -> Path:
        """The key of somebody; the same again for the same kind."""
        path = self.directory / f"{self.keys.setdefault((of, *kind), len(self.keys))}.key"
        if not path.exists():
            options = [x for option in kind[1:] for x in ("-pkeyopt", option)]
            _openssl("genpkey", "-algorithm", kind[0], *options, "-out", path)
        return path


def _openssl(*arguments: object) -> None:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr.decode()


@dataclass(frozen=True)
class Made:
    """Certificates of a case, PEM files."""

    root: Path
    others: tuple[Path, ...]
    signer: Path


@cache
def made() -> dict[str, Made]:
    """Every case, by `what`."""
    keep = tempfile.TemporaryDirectory(prefix="dsig-x509-")
    _KEPT.append(keep)
    maker = _Maker(Path(keep.name))
    return {case.what: _make(maker, case) for case in CASES}


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
"""Until the process ends."""


def _root(maker: _Maker, hash_: str, extensions: str) -> tuple[Path, Path]:
    key = maker.key(*_P256, of="root")
    if (hash_, extensions) not in maker.roots:
        maker.roots[hash_, extensions] = maker.issue("/O=Roots/CN=Root", extensions, key, None, hash_)
    return maker.roots[hash_, extensions], key


def _make(maker: _Maker, case: Case) -> Made:
    root = above = _root(maker, case.root_hash, case.root)
    others = []
    if case.between:
        key = maker.key(*_P256, of="between")
        above = maker.issue("/O=Authorities/CN=Between", case.between, key, above, "sha256"), key
        others.append(above[0])
    key = maker.key(*case.authority_key, of="authority")
    authority = maker.issue("/O=Authorities/CN=Issuing", case.authority, key, above, "sha256"), key
    signer = maker.issue(
        case.subject, case.signer, maker.key(*case.signer_key, of="signer"), authority, case.hash, *case.options
    )
    return Made(root[0], (*others, authority[0]), signer)


# ------------------------------------------------------------------------------------------------------- the outcome


@cache
def outcome(backend: str, case: Case) -> tuple[str, TrustEvidence]:
    """`passed`: as it has to be. `refused`: not accepted although valid. `accepted`: although invalid."""
    files = made()[case.what]
    [signer] = load_trust((), [files.signer]).intermediates
    chains = Chains(plugins=default(), trust_backend=backend, crypto_backend="cryptography")
    evidence = chains.judge(signer, load_trust([files.root], files.others), AT)
    accepted = evidence.status is Status.PASSED
    if accepted == case.valid:
        return "passed", evidence
    return ("accepted" if accepted else "refused"), evidence


# ----------------------------------------------------------------------------------------------------------- the table


def table() -> str:
    """docs/x509-cases.md."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    counts = {name: sum(outcome(name, case)[0] == "passed" for case in CASES) for name in BACKENDS}
    yield "# Certification paths: what PKITS leaves out"
    yield ""
    yield f"{len(CASES)} paths made by `openssl ca`: usages, keys and hashes, name constraints. What must become of"
    yield "each follows from the clause named and from"
    yield "[decision 31](decisions/0031-what-ends-a-path-and-who-may-sign.md). Judged as `dsig verify` does: the core's"
    yield "own rules with each trust backend. Made by `tools/update_pkits.py`; a test compares."
    yield ""
    yield "No backend accepts a path it must not; *no* is a valid path that it does not accept, for the reason below."
    yield ""
    yield "| path | clause | must | " + " | ".join(BACKENDS) + " |"
    yield "| --- | --- | --- | " + " | ".join("---" for _ in BACKENDS) + " |"
    words = {"passed": "right", "refused": "*no*", "accepted": "**accepted**"}
    for case in CASES:
        cells = " | ".join(words[outcome(name, case)[0]] for name in BACKENDS)
        yield f"| {case.what} | {case.clause} | {'pass' if case.valid else 'fail'} | {cells} |"
    yield f"| all | | {len(CASES)} | {' | '.join(str(counts[name]) for name in BACKENDS)} |"
    for name in BACKENDS:
        reasons: dict[str, list[str]] = {}
        for case in CASES:
            if outcome(name, case)[0] != "passed":
                reasons.setdefault(UNSUPPORTED[name].get(case.what, "UNKNOWN"), []).append(case.what)
        if reasons:
            yield from ("", f"## Not supported by `{name}`", "", "| paths | why |", "| --- | --- |")
            yield from (f"| {'; '.join(whats)} | {reason} |" for reason, whats in reasons.items())
