"""Plugins that are broken, confused or hostile: each is reported, and none of them harms anything else."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import types
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from threading import current_thread

import pytest
from third_party.packages import discovered, tiny

import dsig
import dsig.plugins
from dsig.dicom.pump import WORTH_A_THREAD
from dsig.model import PluginUse

CORPUS = Path(__file__).parent / "corpus"
PKI = CORPUS / "pki"
MR = (CORPUS / "base" / "mr.dcm").read_bytes()
KEY, CERTIFICATE = str(PKI / "p256.key.pem"), str(PKI / "p256.pem")
TRUSTED = dsig.VerifyOptions(trust=dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"]))

IMPORTS = "from dsig.hookspecs import *\nfrom dsig.hookspecs import hookimpl\nfrom dsig.model import Finding, Status\n"
OID = "'1.2.3'"
GOOD = "MacAlgorithmSpec(name='GOOD', summary='a good one', factory='hashlib:sha256', oid='1.2.3', digest_size=32)"


def hook(name: str, body: str) -> str:
    return f"{IMPORTS}@hookimpl\ndef {name}():\n    {body}\n"


def works(plugins) -> None:
    """Assert that signing and verifying with first-party plugins goes on, without a trace of anybody else."""
    with dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key:
        signed = dsig.sign(MR, key=key, plugins=plugins)
    assert {use.distribution for use in signed.plugins} == {"dsig"}
    assert dsig.verify(signed.output, TRUSTED, plugins=plugins).verdict is dsig.FileVerdict.PASSED


def run(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that finds what is in `site`."""
    return subprocess.run(
        [sys.executable, "-m", "dsig.cli", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )


def listed(site: Path) -> dict[str, list[dict]]:
    """What `dsig plugins list --json` says."""
    ran = run(site, "plugins", "list", "--json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return json.loads(ran.stdout)


# ------------------------------------------------------------------------------------------------------ on the way in

FAULTY = {
    "raises on import": ("raise RuntimeError('no\\nway')", "RuntimeError: no way"),
    "ends the process on import": ("import sys; sys.exit('bye')", "SystemExit"),
    "syntax error": ("def (", "SyntaxError"),
    "imports what is not there": ("import no_such_module_anywhere", "no_such_module_anywhere"),
    "imports from the core what is not there": ("from dsig.hookspecs import Nothing", "Nothing"),
    "recurses for ever on import": ("def f(): f()\nf()", "RecursionError"),
    "raises in a hook": (hook("dsig_profiles", "raise KeyError('x')"), "dsig_profiles failed: KeyError"),
    "ends the process in a hook": (hook("dsig_profiles", "raise SystemExit(3)"), "dsig_profiles failed: SystemExit"),
    "raises half-way through a hook": (hook("dsig_mac_algorithms", f"yield {GOOD}; raise OSError('y')"), "OSError"),
    "hook with unknown arguments": (
        f"{IMPORTS}@hookimpl\ndef dsig_profiles(everything):\n    return []\n",
        "cannot be registered",
    ),
    "returns a string": (hook("dsig_mac_algorithms", "return 'SHA256'"), "gave str instead of MacAlgorithmSpec"),
    "returns strings": (hook("dsig_mac_algorithms", "return ['SHA256']"), "gave str instead of MacAlgorithmSpec"),
    "returns a list with None": (hook("dsig_key_sources", "return [None]"), "gave NoneType instead of KeySourceSpec"),
    "returns a number": (hook("dsig_key_sources", "return 7"), "dsig_key_sources failed: TypeError"),
    "returns a class": (hook("dsig_profiles", "return [ProfileSpec]"), "gave type instead of ProfileSpec"),
    "returns a spec of another kind": (
        hook("dsig_profiles", f"return [{GOOD}]"),
        "gave MacAlgorithmSpec instead of ProfileSpec",
    ),
    "forgets a field": (hook("dsig_profiles", "return [ProfileSpec(name='x', summary='y')]"), "TypeError"),
    "of a later contract": (
        hook("dsig_profiles", "return [ProfileSpec(name='x', summary='y', factory='a:b', api=2)]"),
        "version 2",
    ),
    "factory without colon": (
        hook("dsig_profiles", "return [ProfileSpec(name='x', summary='y', factory='a.b')]"),
        "module:attribute",
    ),
    "factory that is a function": (
        hook("dsig_profiles", "return [ProfileSpec(name='x', summary='y', factory=print)]"),
        "module:attribute",
    ),
    "empty name": (hook("dsig_profiles", "return [ProfileSpec(name='', summary='y', factory='a:b')]"), "name"),
    "name that is no text": (hook("dsig_profiles", "return [ProfileSpec(name=5, summary='y', factory='a:b')]"), "name"),
    "name with control characters": (
        hook("dsig_profiles", "return [ProfileSpec(name='\\x1b[2J', summary='y', factory='a:b')]"),
        "name",
    ),
    "summary that is no text": (
        hook("dsig_profiles", "return [ProfileSpec(name='x', summary=None, factory='a:b')]"),
        "summary",
    ),
    "schemes that are none": (
        hook("dsig_key_sources", "return [KeySourceSpec(name='x', summary='y', factory='a:b', schemes=None)]"),
        "scheme",
    ),
    "schemes in one text": (
        hook("dsig_key_sources", "return [KeySourceSpec(name='x', summary='y', factory='a:b', schemes='file')]"),
        "scheme",
    ),
    "schemes that are numbers": (
        hook("dsig_key_sources", "return [KeySourceSpec(name='x', summary='y', factory='a:b', schemes=(1,))]"),
        "scheme",
    ),
    "workers that are neither": (
        hook(
            "dsig_key_sources",
            "return [KeySourceSpec(name='x', summary='y', factory='a:b', schemes=('x',), workers='forks')]",
        ),
        "workers",
    ),
    "OID that is none": (
        hook("dsig_mac_algorithms", f"return [{GOOD.replace(chr(39) + '1.2.3' + chr(39), 'None')}]"),
        "oid",
    ),
    "digest size that is text": (
        hook("dsig_mac_algorithms", f"return [{GOOD.replace('=32', '=' + repr('32'))}]"),
        "digest_size",
    ),
    "digest size of nothing": (hook("dsig_mac_algorithms", f"return [{GOOD.replace('=32', '=0')}]"), "digest_size"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_plugins_are_reported_and_left_out(name, tmp_path):
    source, words = FAULTY[name]
    tiny(tmp_path, "acme-faulty", source)
    with discovered(tmp_path) as plugins:
        assert {f.plugin for f in plugins.faults} == {PluginUse("acme-faulty", "acme-faulty", "1.2")}
        assert any(words in f.message for f in plugins.faults)
        assert all(f.message.isprintable() for f in plugins.faults)
        assert not any(p.origin.distribution == "acme-faulty" for _, kind in plugins.kinds().values() for p in kind)
        works(plugins)


def test_all_faults_at_once(tmp_path):
    """One of each kind in one environment: all are told, by the command too, and ours goes on."""
    for number, (source, _) in enumerate(FAULTY.values()):
        tiny(tmp_path, f"acme-{number}", source)
    tiny(tmp_path, "acme-good", hook("dsig_mac_algorithms", f"return [{GOOD}]"))
    document = listed(tmp_path)
    assert {f["distribution"] for f in document["faults"]} == {f"acme-{n}" for n in range(len(FAULTY))}
    (good,) = (p for p in document["providers"] if p["distribution"] == "acme-good")
    assert good["available"]
    ran = run(tmp_path, "plugins", "list")
    assert ran.returncode == 0
    assert ran.stdout.count("fault") >= len(FAULTY)
    out = tmp_path / "out.dcm"
    given = CORPUS / "base" / "mr.dcm"
    ran = run(tmp_path, "sign", given, "-o", out, "--key", KEY, "--cert", CERTIFICATE, "--mac", "GOOD")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert run(tmp_path, "verify", "--no-trust", out).returncode == 0


ENTRIES = {
    "module that is not there": "no_such_module_anywhere",
    "attribute that is not there": "acme_entry:nothing",
    "no module at all": "!!",
    "attribute of an attribute": "acme_entry:a.b.c",
}


@pytest.mark.parametrize("name", ENTRIES)
def test_entry_points_that_lead_nowhere(name, tmp_path):
    tiny(tmp_path, "acme-entry", "", entry=ENTRIES[name])
    with discovered(tmp_path) as plugins:
        (fault,) = plugins.faults
        assert fault.plugin.distribution == "acme-entry"
        works(plugins)


def test_a_distribution_without_metadata(tmp_path):
    """As an interrupted uninstallation leaves it."""
    tiny(tmp_path, "acme-ghost", hook("dsig_mac_algorithms", f"return [{GOOD}]"))
    (tmp_path / "acme_ghost-1.2.dist-info" / "METADATA").unlink()
    with discovered(tmp_path) as plugins:
        works(plugins)
    listed(tmp_path)


def test_metadata_that_cannot_be_read_harms_nobody(tmp_path):
    """Other libraries bring metadata finders that raise where the usual one gives nothing."""

    class Broken:
        @property
        def name(self):
            raise FileNotFoundError("No package metadata was found.")

    class Entry:
        name, value, dist = "acme", "acme_ghost", Broken()

        def load(self):
            raise ImportError("gone")

    known = list(metadata.entry_points(group="dsig"))
    plugins = dsig.plugins.load(entry_points=[*known, Entry()])
    works(plugins)
    assert [fault.plugin for fault in plugins.faults] == [PluginUse("acme", "unknown", "unknown")]


def test_what_is_in_the_current_directory_is_no_plugin(tmp_path):
    """Nothing is ever loaded from where the user happens to be."""
    tiny(tmp_path, "acme-here", hook("dsig_mac_algorithms", f"return [{GOOD}]"))
    (tmp_path / "dsig_macs").mkdir()
    (tmp_path / "dsig_macs" / "__init__.py").write_text("raise RuntimeError('loaded from here')")
    script = Path(sys.executable).parent / "dsig"
    done = subprocess.run(
        [script, "plugins", "list", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert "acme-here" not in {p["distribution"] for p in document["providers"]}
    assert document["faults"] == []


# ---------------------------------------------------------------------------------------------------- two for one name


def mac(name: str, factory: str = "hashlib:sha256") -> str:
    spec = f"MacAlgorithmSpec(name={name!r}, summary='mine', factory={factory!r}, oid='1.2.3', digest_size=32)"
    return hook("dsig_mac_algorithms", f"return [{spec}]")


def source(name: str, *schemes: str) -> str:
    spec = f"KeySourceSpec(name={name!r}, summary='mine', factory='builtins:object', schemes={schemes!r})"
    return hook("dsig_key_sources", f"return [{spec}]")


def test_two_distributions_claiming_one_name(tmp_path):
    """Neither is used: which one would be a guess. Everything else works."""
    with dsig.open_key(KEY, certificate=CERTIFICATE) as key:
        by_ours = dsig.sign(MR, key=key).output
    tiny(tmp_path, "acme-one", mac("SHA256"))
    document = listed(tmp_path)
    (conflict,) = document["conflicts"]
    assert (conflict["kind"], conflict["name"]) == ("MAC algorithm", "SHA256")
    assert {use["distribution"] for use in conflict["plugins"]} == {"dsig", "acme-one"}
    with discovered(tmp_path) as plugins:
        assert set(plugins.mac_algorithms.conflicts) == {"SHA256"}
        with dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key:
            with pytest.raises(dsig.PluginError, match="acme-one") as caught:
                dsig.sign(MR, key=key, plugins=plugins)
            assert caught.value.exit_status == 7
            assert "dsig" in str(caught.value)
            signed = dsig.sign(MR, key=key, options=dsig.SignOptions(mac="SHA512"), plugins=plugins)
        assert dsig.verify(signed.output, TRUSTED, plugins=plugins).verdict is dsig.FileVerdict.PASSED
        with pytest.raises(dsig.PluginError, match="acme-one"):
            dsig.verify(by_ours, TRUSTED, plugins=plugins)
    out = tmp_path / "out.dcm"
    given = CORPUS / "base" / "mr.dcm"
    ran = run(tmp_path, "sign", given, "-o", out, "--key", KEY, "--cert", CERTIFICATE)
    assert ran.returncode == 7
    assert ran.stderr.count("\n") == 1
    assert "acme-one" in ran.stderr
    assert not out.exists()
    ran = run(tmp_path, "--no-plugins", "sign", given, "-o", out, "--key", KEY, "--cert", CERTIFICATE)
    assert ran.returncode == 0


def test_two_third_parties_claiming_one_name(tmp_path):
    tiny(tmp_path, "acme-one", mac("ACME"))
    tiny(tmp_path, "acme-two", mac("ACME", "hashlib:sha512"))
    with discovered(tmp_path) as plugins:
        works(plugins)
        assert set(plugins.mac_algorithms.conflicts) == {"ACME"}
        with (
            dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key,
            pytest.raises(dsig.PluginError, match=r"acme-one.*acme-two"),
        ):
            dsig.sign(MR, key=key, options=dsig.SignOptions(mac="ACME"), plugins=plugins)
    out = tmp_path / "out.dcm"
    arguments = ["sign", CORPUS / "base" / "mr.dcm", "-o", out, "--key", KEY, "--cert", CERTIFICATE, "--mac", "ACME"]
    assert run(tmp_path, *arguments).returncode == 7
    assert run(tmp_path, "--allow-plugin", "acme-one", *arguments).returncode == 0


@pytest.mark.parametrize("scheme", ["file", "FILE", "vault"])
def test_two_sources_claiming_one_scheme(scheme, tmp_path):
    """A scheme that somebody else claims too is never served by either."""
    tiny(tmp_path, "acme-one", source("one", scheme))
    if scheme == "vault":
        tiny(tmp_path, "acme-two", source("two", scheme))
    with discovered(tmp_path) as plugins:
        if scheme == "FILE":  # schemes are lower case (hookspecs): a plugin that says otherwise shadows nothing
            works(plugins)
            return
        uri = f"{scheme}:{KEY}"
        with pytest.raises(dsig.PluginError, match="one") as caught, dsig.open_key(uri, plugins=plugins):
            pass
        assert caught.value.exit_status == 7
        if scheme == "vault":
            works(plugins)


def test_one_plugin_claiming_a_name_twice(tmp_path):
    tiny(tmp_path, "acme-one", hook("dsig_mac_algorithms", f"return [{GOOD}, {GOOD}]"))
    with discovered(tmp_path) as plugins:
        works(plugins)
        with pytest.raises(dsig.PluginError):
            plugins.mac_algorithms.get("GOOD")


# --------------------------------------------------------------------------------------------------------- on selection

FACTORIES = {
    "module that is not there": "no_such_module_anywhere:Thing",
    "attribute that is not there": "acme_late:Nothing",
    "raises": "acme_late:raises",
    "ends the process": "acme_late:exits",
    "gives nothing": "acme_late:nothing",
    "is no callable": "acme_late:number",
    "gives something else": "builtins:dict",
}
LATE = """
def raises():
    raise ValueError("secret text")
def exits():
    raise SystemExit(3)
def nothing():
    return None
number = 5
"""


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize("kind", ["profile", "crypto", "key"])
def test_factories_that_fail_do_so_when_selected(kind, name, tmp_path):
    common = f"name='late', summary='late', factory={FACTORIES[name]!r}, requires='pip install acme'"
    registration = {
        "profile": hook("dsig_profiles", f"return [ProfileSpec({common})]"),
        "crypto": hook("dsig_crypto_backends", f"return [CryptoBackendSpec({common})]"),
        "key": hook("dsig_key_sources", f"return [KeySourceSpec({common}, schemes=('late',))]"),
    }[kind]
    tiny(tmp_path, "acme-late", registration + LATE)
    with discovered(tmp_path) as plugins:
        assert plugins.faults == []
        works(plugins)
        uri = "late:x" if kind == "key" else KEY
        options = {"profile": {"profile": "late"}, "crypto": {"crypto_backend": "late"}, "key": {}}[kind]
        with (
            pytest.raises(dsig.PluginError, match="acme-late") as caught,
            dsig.open_key(uri, certificate=CERTIFICATE, plugins=plugins) as key,
        ):
            dsig.sign(MR, key=key, options=dsig.SignOptions(**options), plugins=plugins)
        assert caught.value.exit_status == 7
        assert caught.value.hint
    (provider,) = (p for p in listed(tmp_path)["providers"] if p["distribution"] == "acme-late")
    assert provider["available"] is False
    assert provider["problem"]


def test_the_hint_says_how_to_install_what_is_missing(tmp_path):
    spec = "ProfileSpec(name='late', summary='late', factory='no_such_module:X', requires='pip install acme[x]')"
    tiny(tmp_path, "acme-late", hook("dsig_profiles", f"return [{spec}]"))
    with discovered(tmp_path) as plugins, pytest.raises(dsig.PluginError) as caught:
        plugins.profiles.get("late")
    assert caught.value.hint == "install it with: pip install acme[x]"


# ------------------------------------------------------------------------------------------------- lying key sources

LIAR = """
import contextlib, os, subprocess
from pathlib import Path

PKI = Path({pki!r})
DER = (PKI / "p256.der").read_bytes()

class Source:
    @contextlib.contextmanager
    def open(self, request, secrets):
        yield Signer(request.uri.partition(":")[2])

class Signer:
    chain = ()

    def __init__(self, how):
        self.how = how

    @property
    def certificate(self):
        return {{
            "certificate of another key": (PKI / "rsa2048.der").read_bytes(),
            "certificate that is none": b"0" * 100,
            "certificate with more behind it": DER + DER,
            "empty certificate": b"",
            "certificate that is text": "MII",
            "no certificate": None,
        }}.get(self.how, DER)

    def sign_digest(self, digest, mac):
        how = self.how
        if how == "random bytes":
            return os.urandom(71)
        if how == "empty":
            return b""
        if how == "text":
            return "signature"
        if how == "nothing":
            return None
        if how == "bytearray":
            return bytearray(71)
        if how == "much":
            return bytes(1 << 20)
        if how == "raises":
            raise RuntimeError("PIN 1234 is wrong")
        if how == "ends the process":
            raise SystemExit(3)
        if how == "the digest itself":
            return digest
        key = "tsa_ec.key.pem" if how == "by another key" else "p256.key.pem"
        import cryptography.hazmat.primitives.serialization as s
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        private = s.load_pem_private_key((PKI / key).read_bytes(), None)
        if how == "of another digest":
            digest = bytes(len(digest))
        value = private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        if how == "two bytes too long":
            value += b"\\0\\0"
        return value
"""

LIES = {
    "random bytes": 6,
    "by another key": 6,
    "of another digest": 6,
    "the digest itself": 6,
    "two bytes too long": 6,
    "much": 6,
    "empty": 7,
    "text": 7,
    "nothing": 7,
    "bytearray": 7,
    "raises": 7,
    "ends the process": 7,
    "certificate of another key": 6,
    "certificate that is none": 6,
    "certificate with more behind it": 6,
    "empty certificate": 6,
    "certificate that is text": 6,
    "no certificate": 6,
}
"""What the source gives, and the exit status: 6 for a key that does not fit, 7 for a plugin that breaks the rules."""


@pytest.fixture(scope="module")
def liar(tmp_path_factory) -> Path:
    site = tmp_path_factory.mktemp("liar")
    spec = "KeySourceSpec(name='liar', summary='lies', factory='acme_liar:Source', schemes=('liar',))"
    tiny(site, "acme-liar", hook("dsig_key_sources", f"return [{spec}]") + LIAR.format(pki=str(PKI)))
    return site


def test_the_liar_can_also_tell_the_truth(liar, tmp_path):
    """So that the tests below fail for the reason they say."""
    with discovered(liar) as plugins:
        works(plugins)
        with dsig.open_key("liar:no more", plugins=plugins) as key:
            signed = dsig.sign(MR, key=key, plugins=plugins)
        assert {use.distribution for use in signed.plugins} == {"dsig", "acme-liar"}
    assert dsig.verify(signed.output, TRUSTED).verdict is dsig.FileVerdict.PASSED


@pytest.mark.parametrize("lie", LIES)
def test_lying_key_sources_write_nothing(lie, liar, tmp_path):
    given, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    given.write_bytes(MR)
    out.write_bytes(b"precious")
    with discovered(liar) as plugins:
        for target, options in ((out, dsig.SignOptions()), (None, dsig.SignOptions(in_place=True))):
            with pytest.raises(dsig.DsigError) as caught, dsig.open_key(f"liar:{lie}", plugins=plugins) as key:
                dsig.sign(given, target, key=key, options=options, plugins=plugins)
            assert caught.value.exit_status in (6, 7)
            assert str(caught.value).isprintable()
            assert "1234" not in str(caught.value)
            assert sorted(p.name for p in tmp_path.iterdir()) == ["in.dcm", "out.dcm"]
            assert (given.read_bytes(), out.read_bytes()) == (MR, b"precious")
    assert caught.value.exit_status == LIES[lie]


@pytest.mark.parametrize("lie", ["random bytes", "text", "raises", "ends the process", "certificate of another key"])
def test_lying_key_sources_in_the_command(lie, liar, tmp_path):
    given, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    given.write_bytes(MR)
    ran = run(liar, "sign", given, "-o", out, "--key", f"liar:{lie}")
    assert ran.returncode == LIES[lie], ran.stderr
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("dsig: error: ")
    assert "1234" not in ran.stderr
    assert ran.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.dcm"]


# -------------------------------------------------------------------------------------------------------- bad MACs

MACS = """
import hashlib

class Broken:
    def __init__(self, digest): self._digest = digest
    def update(self, data): pass
    def digest(self):
        if isinstance(self._digest, BaseException): raise self._digest
        return self._digest

def short(): return Broken(bytes(31))
def long(): return Broken(bytes(33))
def empty(): return Broken(b"")
def text(): return Broken("x" * 32)
def nothing(): return Broken(None)
def raises(): return Broken(ZeroDivisionError())
def exits(): return Broken(SystemExit(3))
def object_(): return object()
def none(): return None
def raises_at_once(): raise ZeroDivisionError
class NoUpdate(Broken):
    def __init__(self): super().__init__(bytes(32))
    def update(self, data): raise ZeroDivisionError
"""
WRONG_MACS = ("short", "long", "empty", "text")
FAILING_MACS = ("nothing", "raises", "exits", "object_", "none", "raises_at_once", "NoUpdate")


@pytest.mark.parametrize("how", [*WRONG_MACS, *(m for m in FAILING_MACS)])
def test_macs_that_do_not_compute(how, tmp_path):
    """Nothing is signed with them; a file that was, if it could be, does not pass."""
    site = tmp_path / "site"
    site.mkdir()
    tiny(site, "acme-mac", mac("ACME", f"acme_mac:{how}") + MACS)
    out = tmp_path / "out.dcm"
    with discovered(site) as plugins:
        works(plugins)
        with dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key:
            with pytest.raises(dsig.PluginError) as caught:
                dsig.sign(MR, out, key=key, options=dsig.SignOptions(mac="ACME"), plugins=plugins)
            assert caught.value.exit_status == 7
            assert not out.exists()
    tiny(tmp_path, "acme-good", mac("ACME"))
    with discovered(tmp_path) as plugins, dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key:
        signed = dsig.sign(MR, key=key, options=dsig.SignOptions(mac="ACME"), plugins=plugins).output
        assert dsig.verify(signed, TRUSTED, plugins=plugins).verdict is dsig.FileVerdict.PASSED
    with discovered(site) as plugins:
        try:
            verdict = dsig.verify(signed, TRUSTED, plugins=plugins).verdict
        except dsig.PluginError as error:
            assert error.exit_status == 7
        else:
            assert verdict is not dsig.FileVerdict.PASSED


# ----------------------------------------------------------------------------------------------- backends and profiles

YES = """
class Yes:
    def verify_digest(self, certificate, digest, mac, signature):
        return SignatureCheck(True)
    def certificate(self, der):
        return CertificateFacts("CN=Anybody", "CN=Nobody", "01", "00" * 32, "RSA 9999", key_type="RSA", key_size=9999)
class Truthy(Yes):
    def verify_digest(self, certificate, digest, mac, signature):
        return "yes"
class TruthyField(Yes):
    def verify_digest(self, certificate, digest, mac, signature):
        return SignatureCheck("no")
class Raises(Yes):
    def verify_digest(self, certificate, digest, mac, signature):
        raise ZeroDivisionError
class NoFacts(Yes):
    def certificate(self, der):
        return None
"""


@pytest.fixture(scope="module")
def believer(tmp_path_factory) -> Path:
    """A distribution of crypto backends."""
    site = tmp_path_factory.mktemp("believer")
    specs = ", ".join(
        f"CryptoBackendSpec(name={name!r}, summary='s', factory='acme_believer:{name}')"
        for name in ("Yes", "Truthy", "TruthyField", "Raises", "NoFacts")
    )
    tiny(site, "acme-believer", hook("dsig_crypto_backends", f"return [{specs}]") + YES)
    return site


@pytest.fixture(scope="module")
def tampered() -> bytes:
    with dsig.open_key(KEY, certificate=CERTIFICATE) as key:
        signed = dsig.sign(MR, key=key).output
    assert signed.count(b"CompressedSamples^MR1") == 1
    return signed.replace(b"CompressedSamples^MR1", b"CompressedSamples^MR2")


def test_a_backend_that_believes_everything_has_no_say_unless_selected(believer, tampered):
    with discovered(believer) as plugins:
        works(plugins)
        assert dsig.verify(tampered, TRUSTED, plugins=plugins).verdict is dsig.FileVerdict.FAILED


def test_a_backend_that_believes_everything_is_named_in_the_report(believer, tampered, tmp_path):
    """Who selects it gets what it says, and the report says whom to blame."""
    path = tmp_path / "tampered.dcm"
    path.write_bytes(tampered)
    ran = run(believer, "verify", path, "--no-trust", "--crypto-backend", "Yes", "--format", "json")
    document = json.loads(ran.stdout)
    assert "acme-believer" in {use["distribution"] for use in document["plugins"]}
    ran = run(believer, "verify", path, "--no-trust", "--format", "json")
    assert ran.returncode == 1
    assert "acme-believer" not in {use["distribution"] for use in json.loads(ran.stdout)["plugins"]}


@pytest.mark.parametrize(
    "backend",
    ["Truthy", "TruthyField", "Raises", "NoFacts"],
)
def test_backends_that_answer_nonsense_do_not_pass(backend, believer, tampered):
    """Only the answer the contract asks for is an answer."""
    with discovered(believer) as plugins:
        options = dsig.VerifyOptions(check_trust=False, crypto_backend=backend)
        try:
            verdict = dsig.verify(tampered, options, plugins=plugins).verdict
        except dsig.PluginError as error:
            assert "acme-believer" in str(error)
        else:
            assert verdict is not dsig.FileVerdict.PASSED
        with dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key, pytest.raises(dsig.DsigError):
            dsig.sign(MR, key=key, options=dsig.SignOptions(crypto_backend=backend), plugins=plugins)


TRUST = """
class Yes:
    def evaluate(self, request):
        return TrustEvidence(Status.PASSED)
class WrongPath:
    def evaluate(self, request):
        return TrustEvidence(Status.PASSED, (request.anchors[0],))
class Shortcut:
    def evaluate(self, request):
        return TrustEvidence(Status.PASSED, (request.certificate, b"anything"))
class Text:
    def evaluate(self, request):
        return "passed"
class Nothing:
    def evaluate(self, request):
        return None
class Raises:
    def evaluate(self, request):
        raise ZeroDivisionError
"""
TRUSTERS = ("Yes", "WrongPath", "Shortcut", "Raises")


@pytest.mark.parametrize("backend", [*TRUSTERS, *(t for t in ("Text", "Nothing"))])
def test_trust_backends_are_not_taken_at_their_word(backend, tmp_path):
    """Passed takes a path from the signer's certificate to a root the user gave (hookspecs: TrustEvidence)."""
    spec = f"TrustBackendSpec(name='trust', summary='s', factory='acme_trust:{backend}')"
    tiny(tmp_path, "acme-trust", hook("dsig_trust_backends", f"return [{spec}]") + TRUST)
    with discovered(tmp_path) as plugins:
        works(plugins)
        with dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key:
            signed = dsig.sign(MR, key=key, plugins=plugins).output
        wrong = dsig.load_trust([PKI / "other_root.pem"])
        options = dsig.VerifyOptions(trust=wrong, trust_backend="trust")
        try:
            report = dsig.verify(signed, options, plugins=plugins)
        except dsig.PluginError as error:
            assert "acme-trust" in str(error)
        else:
            assert report.signatures[0].axes["trust"].status is not dsig.Status.PASSED
            assert report.verdict is not dsig.FileVerdict.PASSED


LAZY = """
from threading import current_thread
THREADS = []
class Yes:
    def __init__(self):
        THREADS.append(current_thread().name)
    def evaluate(self, request):
        return TrustEvidence(Status.FAILED)
def fails():
    THREADS.append(current_thread().name)
    raise ValueError("not today")
"""
PADDED = MR[: MR.rindex(b"\xfc\xff\xfc\xff")]
PADDED += struct.pack("<HH2sHL", 0xFFFC, 0xFFFC, b"OB", 0, WORTH_A_THREAD) + bytes(WORTH_A_THREAD)
"""With Data Set Trailing Padding (PS3.10 7.2), too long to be hashed in no time."""


@pytest.mark.parametrize(("data", "beside"), [(MR, False), (PADDED, True)], ids=["small", "large"])
@pytest.mark.parametrize("factory", ["Yes", "fails"])
def test_trust_backends_are_made_beside_a_long_hash_and_only_if_asked_for(factory, data, beside, tmp_path):
    spec = f"TrustBackendSpec(name='lazy', summary='s', factory='acme_lazy:{factory}')"
    tiny(tmp_path, "acme-lazy", hook("dsig_trust_backends", f"return [{spec}]") + LAZY)
    with discovered(tmp_path) as plugins:
        with dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key:
            signed = dsig.sign(data, key=key, plugins=plugins).output
        threads = sys.modules["acme_lazy"].THREADS
        nobody = dsig.VerifyOptions(trust_backend="lazy")
        assert dsig.verify(data, replace(TRUSTED, trust_backend="lazy"), plugins=plugins).verdict == "unsigned"
        assert dsig.verify(signed, nobody, plugins=plugins).verdict == "indeterminate"
        assert dsig.verify(signed, replace(nobody, check_trust=False), plugins=plugins).verdict == "passed"
        assert threads == []
        if factory == "fails":
            with pytest.raises(dsig.PluginError, match="acme-lazy does not load: ValueError"):
                dsig.verify(signed, replace(TRUSTED, trust_backend="lazy"), plugins=plugins)
        else:
            assert dsig.verify(signed, replace(TRUSTED, trust_backend="lazy"), plugins=plugins).verdict == "failed"
        assert (threads[0] != current_thread().name) is beside


PROFILES = """
class RequiresText:
    def required(self, view): return ["PatientID"]
    def check(self, view, signature): return []
class RequiresNothing(RequiresText):
    def required(self, view): return None
class Raises(RequiresText):
    def required(self, view): raise ZeroDivisionError
class ChecksRaise(RequiresText):
    def required(self, view): return []
    def check(self, view, signature): raise ZeroDivisionError
class ChecksHalf(ChecksRaise):
    def check(self, view, signature):
        yield Finding("x", "y", severity="info")
        raise ZeroDivisionError
class ChecksText(ChecksRaise):
    def check(self, view, signature): return ["wrong"]
class ChecksNothing(ChecksRaise):
    def check(self, view, signature): return None
"""


@pytest.mark.parametrize(
    "profile",
    [
        "RequiresText",
        "RequiresNothing",
        "Raises",
        "ChecksRaise",
        "ChecksHalf",
        "ChecksText",
        "ChecksNothing",
    ],
)
def test_profiles_that_misbehave_stop_the_signature(profile, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    spec = f"ProfileSpec(name='p', summary='s', factory='acme_profile:{profile}')"
    tiny(site, "acme-profile", hook("dsig_profiles", f"return [{spec}]") + PROFILES)
    with discovered(site) as plugins:
        works(plugins)
        with (
            dsig.open_key(KEY, certificate=CERTIFICATE, plugins=plugins) as key,
            pytest.raises(dsig.PluginError, match="acme-profile") as caught,
        ):
            options = dsig.SignOptions(profile="p")
            dsig.sign(MR, tmp_path / "o.dcm", key=key, options=options, plugins=plugins)
        assert caught.value.exit_status == 7
    assert not (tmp_path / "o.dcm").exists()


# --------------------------------------------------------------------------------------------------------- provenance


@pytest.mark.parametrize("record", [b"acme.py,sha256=x,1\r\nacme-1.2.dist-info/RECORD,,\r\n", None])
@pytest.mark.parametrize("editable", [False, True])
@pytest.mark.parametrize("more_finders", [False, True])
def test_a_report_says_which_files_were_installed(record, editable, more_finders, tmp_path, monkeypatch):
    """By the hash of the bytes of RECORD; nothing is said where the files are not those listed."""
    if more_finders:  # as some libraries add to the import system when they are imported
        finder = types.SimpleNamespace(find_spec=lambda *_: None, find_distributions=lambda *_: iter(()))
        monkeypatch.setattr("sys.meta_path", [*sys.meta_path, finder])
    name = f"acme-{'e' if editable else 'f'}{'r' if record else 'n'}{'m' if more_finders else ''}"
    tiny(tmp_path, name, hook("dsig_mac_algorithms", f"return [{GOOD}]"))
    info = tmp_path / f"{name.replace('-', '_')}-1.2.dist-info"
    if record:
        record = record.replace(b"acme-1.2", info.name.removesuffix(".dist-info").encode())
        (info / "RECORD").write_bytes(record)
        (tmp_path / "acme.py").touch()
    if editable:
        (info / "direct_url.json").write_text('{"url": "file:///src", "dir_info": {"editable": true}}')
    with discovered(tmp_path):
        use = dsig.plugins.recorded(PluginUse(name, name, "1.2"))
    assert use.record == (hashlib.sha256(record).hexdigest() if record and not editable else "")
    assert dsig.plugins.recorded(PluginUse("x", "no-such-distribution", "1")).record == ""
