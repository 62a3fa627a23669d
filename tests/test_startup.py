"""What is imported when: start-up time is import time, and a plugin costs nothing until it is selected."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

CORPUS = Path(__file__).parent / "corpus"
HEAVY = {"pydicom", "OpenSSL", "pkcs11", "rich", "numpy", "jinja2", "weasyprint"}
CRYPTOGRAPHY = {"cryptography", "OpenSSL", "pkcs11", "cffi"}

PLUGINS = sorted(
    {entry.value.partition(":")[0] for entry in metadata.entry_points(group="dsig") if entry.dist.name == "dsig"}
)


TELL = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("".join(f"\\nloaded|{name}" for name in sys.modules) + "\\n"))
"""
"""What `-X importtime` leaves out, modules imported by name, is still there at the end."""


def imported(code: str, *arguments: object, expect: int = 0) -> set[str]:
    """Modules imported by a run of the interpreter."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", TELL + code, *map(str, arguments)],
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == expect, done.stderr.partition("loaded|")[0][-2000:]
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith(("import time:", "loaded|"))}


def imported_by_command(*arguments: object, expect: int = 0) -> set[str]:
    """Modules imported by a run of the command."""
    return imported("from dsig.cli import main; sys.exit(main(sys.argv[1:]))", *arguments, expect=expect)


def of(packages: set[str], modules: set[str]) -> list[str]:
    """The modules that belong to these packages."""
    return sorted(m for m in modules if m.partition(".")[0] in packages)


def test_the_package_imports_nothing_heavy():
    modules = imported("import dsig")
    assert "dsig" in modules
    assert not of(HEAVY | CRYPTOGRAPHY | {"click", "pluggy"}, modules)
    assert len(of({"dsig"}, modules)) < 5, "names are loaded on first use"


def test_there_are_first_party_plugins():
    assert {"dsig_cryptography", "dsig_files", "dsig_macs", "dsig_profiles", "dsig_reports"} <= set(PLUGINS)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_importing_a_plugin_imports_nothing_heavy(plugin):
    """It registers; what it registers is imported on selection (hookspecs)."""
    modules = imported(f"import {plugin}")
    assert plugin in modules
    assert not of(HEAVY | CRYPTOGRAPHY, modules)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_asking_a_plugin_for_all_it_has_imports_nothing_heavy(plugin):
    """Its hooks compute nothing."""
    code = (
        f"import {plugin} as plugin; from dsig.model import PluginUse; from dsig.plugins import Plugins;"
        f"plugins = Plugins(); plugins.register(plugin, PluginUse('x', 'x', '1')); assert not plugins.faults;"
        "assert any(list(kind) for _, kind in plugins.kinds().values())"
    )
    assert not of(HEAVY | CRYPTOGRAPHY, imported(code))


def test_loading_all_plugins_imports_nothing_heavy():
    modules = imported("import dsig.plugins; assert not dsig.plugins.load(third_party=False).faults")
    assert set(PLUGINS) <= modules
    assert not of(HEAVY | CRYPTOGRAPHY, modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["sign", "--help"],
        ["verify", "--help"],
        ["inspect", "--help"],
        ["remove", "--help"],
        ["timestamp", "--help"],
    ],
)
def test_help_imports_nothing_heavy(arguments):
    assert not of(HEAVY | CRYPTOGRAPHY, imported_by_command(*arguments))


@pytest.mark.parametrize(
    "name", ["v-base-mr", "v-base-ct", "v-base-mr-be", "v-base-mr-rle", "v-base-sc-dfl", "v-base-sr-basic"]
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_verifying_explicit_vr_imports_nothing_heavy(name, form):
    pki = CORPUS / "pki"
    trust = ["--trust-root", pki / "root.pem", "--intermediate", pki / "inter.pem", "--format", form]
    modules = imported_by_command("verify", CORPUS / "files" / f"{name}.dcm", *trust)
    assert not of(HEAVY, modules)
    assert of({"cryptography"}, modules), "this is about a verification that took place"


@pytest.mark.parametrize("arguments", [["verify"], ["inspect"]])
def test_an_unsigned_file_needs_no_cryptography(arguments):
    status = {"verify": 4, "inspect": 0}[arguments[0]]
    modules = imported_by_command(*arguments, CORPUS / "base" / "ct.dcm", expect=status)
    assert not of(HEAVY | {"cryptography"}, modules)


def test_verifying_implicit_vr_needs_no_pydicom_either():
    """The dictionary is our own."""
    modules = imported_by_command("verify", "--no-trust", CORPUS / "files" / "v-base-mr-imp.dcm")
    assert not of(HEAVY, modules)


@pytest.mark.parametrize("verb", ["sign", "remove"])
def test_writing_imports_nothing_heavy(verb, tmp_path):
    pki = CORPUS / "pki"
    options = {"sign": ["--key", pki / "p256.key.pem", "--cert", pki / "p256.pem"], "remove": ["--all"]}[verb]
    given = CORPUS / "files" / "v-base-mr.dcm"
    modules = imported_by_command(verb, given, "-o", tmp_path / "o.dcm", *options)
    assert not of(HEAVY, modules)
    if verb == "remove":
        assert not of({"cryptography"}, modules)


def imported_by_dcmsign(*arguments: object) -> set[str]:
    """Modules imported by a run of the other command."""
    return imported("from dsig.cli.dcmsign import main; sys.exit(main(sys.argv[1:]))", *arguments)


@pytest.mark.parametrize("option", ["--help", "--version", "--list-purposes"])
def test_help_of_the_other_command_imports_nothing_heavy(option):
    assert not of(HEAVY | CRYPTOGRAPHY | {"click", "pluggy"}, imported_by_dcmsign(option))


def test_the_other_command_is_as_lazy(tmp_path):
    pki, given, output = CORPUS / "pki", CORPUS / "files" / "v-base-mr.dcm", tmp_path / "o.dcm"
    unsigned = imported_by_dcmsign(CORPUS / "base" / "ct.dcm")
    assert not of(HEAVY | CRYPTOGRAPHY | {"click"}, unsigned)
    verifying = imported_by_dcmsign("+cf", pki / "root.pem", "+uf", pki / "inter.pem", given)
    assert not of(HEAVY | {"click"}, verifying)
    signing = imported_by_dcmsign("+s", pki / "p256.key.pem", pki / "p256.pem", given, output)
    assert not of(HEAVY | {"click"}, signing)
    removing = imported_by_dcmsign("+ra", given, output)
    assert not of(HEAVY | CRYPTOGRAPHY | {"click"}, removing)


NAMES = "SignOptions Signed VerifyOptions Removed Inspection InspectedSignature OpenKey TrustMaterial Limits FileReport"


@pytest.mark.parametrize("first", NAMES.split())
def test_public_names_are_what_they_are_in_any_order(first):
    """A verb is a function, whichever name was used before it, and however it is imported."""
    code = (
        f"import dsig; dsig.{first}; from dsig import {first}, inspect, open_key, remove, sign, verify\n"
        "for verb in (dsig.sign, dsig.verify, dsig.remove, dsig.inspect, sign, verify, remove, inspect, open_key):\n"
        "    assert callable(verb), verb\n"
        "import dsig.cli.app, dsig.cli.sign, dsig.cli.verify, dsig.cli.remove, dsig.cli.inspect\n"
        "for verb in (dsig.sign, dsig.verify, dsig.remove, dsig.inspect):\n"
        "    assert callable(verb), verb\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists():
    code = "import dsig\nfor name in dsig.__all__: getattr(dsig, name)\nassert set(dsig.__all__) <= set(dir(dsig))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


RARELY = {
    "dsig.timestamps.evidence",
    "dsig.judgement.policy",
    "dsig.signature.recovery",
    "dsig.dicom.dictionaries",
    "dsig.dicom._keywords",
    "dsig.dicom.splice",
    "dsig.batch.outputs",
    "dsig_certvalidator.revocation",
    "difflib",
}
"""For options that are seldom given, signatures that do not match, elements that have to be named, and for writing."""


def test_what_nobody_asked_for_is_not_imported():
    pki = CORPUS / "pki"
    trust = ["--trust-root", pki / "root.pem", "--intermediate", pki / "inter.pem"]
    modules = imported_by_command("verify", CORPUS / "files" / "v-base-ct.dcm", *trust)
    assert not modules & RARELY
    assert not {m for m in modules if m.startswith("importlib.metadata")}, "entry points are read without it"


def test_a_signature_needs_no_dictionaries_threads_or_trust(tmp_path):
    """What only other options or many files need."""
    pki = CORPUS / "pki"
    key = ["--key", pki / "rsa2048.key.pem", "--cert", pki / "rsa2048.pem"]
    modules = imported_by_command("sign", CORPUS / "base" / "ct.dcm", "-o", tmp_path / "o.dcm", *key)
    assert "dsig.verbs.sign" in modules
    assert not modules & {
        "dsig.dicom.dictionaries",
        "dsig.trust.chain",
        "dsig.timestamps.stamping",
        "concurrent.futures",
        "logging",
    }


def test_the_list_of_commands_reads_no_metadata():
    assert not {m for m in imported_by_command("--help") if m.startswith("importlib.metadata")}
