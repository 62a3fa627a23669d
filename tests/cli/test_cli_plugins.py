"""`dsig plugins`, plugins that misbehave, and commands that plugins bring."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

IMAGE = Path(__file__).parents[1] / "corpus" / "base" / "ct.dcm"

CLASHING = """
from dsig.hookspecs import ProfileSpec, ReporterSpec, hookimpl
@hookimpl
def dsig_profiles():
    return [ProfileSpec(name="base", summary="mine is better", factory="nowhere:Nothing")]
@hookimpl
def dsig_reporters():
    return [ReporterSpec(name="docx", summary="needs a library", factory="no_such_library:Docx",
                         requires="pip install acme[docx]"), "rubbish"]
"""

COMMAND = """
import click
from dsig.errors import KeySourceError
from dsig.hookspecs import CommandSpec, hookimpl

@click.command()
@click.argument("word")
def hello(word):
    click.echo(f"hello {word}")
    return 3

@click.command()
def fail():
    raise KeySourceError("no key here", hint="look elsewhere")

@hookimpl
def dsig_commands():
    return [
        CommandSpec(name="hello", summary="Greets.", factory="plugin_acme_tools:hello"),
        CommandSpec(name="fail", summary="Fails.", factory="plugin_acme_tools:fail"),
        CommandSpec(name="verify", summary="Says yes.", factory="plugin_acme_tools:hello"),
        CommandSpec(name="rubbish", summary="Is no command.", factory="builtins:dict"),
    ]
"""


def entries(run, *arguments: str) -> dict[tuple[str, str], dict[str, object]]:
    document = json.loads(run("plugins", "list", "--json", *arguments).out)
    assert document["schema"] == "dsig.plugins/1"
    return {(e["kind"], e["name"], e["distribution"]): e for e in document["providers"]}


def test_everything_of_our_own_is_there_and_works(run):
    found = entries(run, "--no-plugins")
    assert {("MAC algorithm", "SHA256", "dsig"), ("key source", "file", "dsig"), ("command", "demo", "dsig")} <= set(
        found
    )
    left = {e["name"] for e in found.values() if not e["available"]}
    assert left - {"pdf"} == {"experimental"}, "pdf is an extra that tests/browser is about, the other is off"
    text = run("plugins").out
    assert "SHA256" in text
    assert run("plugins", "list").out == text
    headings = {line for line in text.splitlines() if not line.startswith(" ")}
    assert {"kinds of timestamps", "ways to timestamp authorities", "crypto backends", "key sources"} <= headings


def test_show_tells_all(run):
    shown = run("plugins", "show", "SHA256").out
    assert "2.16.840.1.101.3.4.2.1" in shown
    assert "dsig_macs.hashes:sha256" in shown
    (provider,) = json.loads(run("plugins", "show", "SHA256", "--json").out)["providers"]
    assert (provider["digest_size"], provider["weak"], provider["plugin"]) == (32, False, "macs")
    assert "MD5" in run("plugins", "show", "macs").out


def test_faults_and_conflicts_are_listed_and_harm_nothing_else(run, install, signed_ct, trust):
    install("acme-broken", "broken", "import no_such_module_anywhere\n")
    install("acme-clash", "clash", CLASHING)
    document = json.loads(run("plugins", "list", "--json").out)
    faults = {f["distribution"]: f["message"] for f in document["faults"]}
    assert "no_such_module_anywhere" in faults["acme-broken"]
    assert "gave str" in faults["acme-clash"]
    (conflict,) = document["conflicts"]
    assert (conflict["kind"], conflict["name"]) == ("profile", "base")
    assert {use["distribution"] for use in conflict["plugins"]} == {"dsig", "acme-clash"}
    docx = entries(run)["report format", "docx", "acme-clash"]
    assert not docx["available"]
    assert "pip install acme[docx]" in docx["problem"]
    text = run("plugins").out
    assert "fault" in text
    assert "acme-broken" in text
    assert "claimed by" in text
    assert run("verify", signed_ct, *trust).status == 0


def test_missing_name_reminds_of_plugins_that_did_not_load(run, install):
    install("acme-broken", "broken", "raise RuntimeError('x')\n")
    ran = run("verify", "x.dcm", "--format", "papyrus")
    assert ran.status == 2
    assert "broken" in ran.err
    assert "broken" in run("papyrus").err
    assert "acme-broken" in run("plugins", "show", "broken").out


def test_allowed_plugins_are_the_only_ones_of_others(run, install):
    install("acme-broken", "broken", "raise RuntimeError('x')\n")
    install("acme-clash", "clash", CLASHING)
    assert not any(d == "acme-clash" for _, _, d in entries(run, "--no-plugins"))
    assert not any(d == "acme-clash" for _, _, d in entries(run, "--allow-plugin", "broken"))
    for name in ("clash", "acme-clash"):
        assert any(d == "acme-clash" for _, _, d in entries(run, "--allow-plugin", name))
    assert json.loads(run("--no-plugins", "plugins", "list", "--json").out)["faults"] == []


def test_command_of_a_plugin_is_listed_and_run(run, install):
    install("acme-tools", "tools", COMMAND)
    shown = run("--help").out
    assert "hello" in shown
    assert "Greets." in shown
    assert "Says yes." not in shown
    ran = run("hello", "world")
    assert (ran.status, ran.out) == (3, "hello world\n")
    assert run("--no-plugins", "hello", "world").status == 2


def test_errors_of_a_plugin_command_are_told_as_ours(run, install):
    install("acme-tools", "tools", COMMAND)
    ran = run("fail")
    assert (ran.status, ran.err) == (6, "dsig: error: no key here (look elsewhere)\n")
    assert run("rubbish").status == 7


def test_built_in_command_is_not_replaced(run, install, ct):
    install("acme-tools", "tools", COMMAND)
    assert run("verify", ct).status == 4
    assert "built-in" in run("plugins", "show", "verify").out


@pytest.mark.parametrize("command", [["plugins"], ["--help"], ["plugins", "show", "evil"]])
def test_hostile_words_of_a_plugin_are_escaped(run, install, command):
    install(
        "acme-evil",
        "evil",
        "from dsig.hookspecs import CommandSpec, hookimpl\n"
        "@hookimpl\ndef dsig_commands():\n"
        "    return [CommandSpec(name='evil', summary='\\x1b[2J\\u202eowned', factory='a:b')]\n",
    )
    out = run(*command).out
    assert "owned" in out
    assert all(line.isprintable() for line in out.split("\n"))


CHATTY = """
import hashlib, sys
print("chatty: imported")
from dsig.hookspecs import KeySourceSpec, MacAlgorithmSpec, ReporterSpec, hookimpl
@hookimpl
def dsig_reporters():
    print("chatty: asked")
    return [ReporterSpec(name="chatty", summary="x", factory="plugin_acme_chatty:Report")]
@hookimpl
def dsig_mac_algorithms():
    return [MacAlgorithmSpec(name="CHATTY", summary="x", factory="plugin_acme_chatty:Mac",
                             oid="2.16.840.1.101.3.4.2.1", digest_size=32)]
class Report:
    def __init__(self):
        print("chatty: made")
    def render(self, report, stream, *, verbose=0):
        print("chatty: x" * 1000)
        stream.write("the report, " + report.files[0].verdict.value)
class Mac:
    def __init__(self):
        print("chatty: begun")
        self._hash = hashlib.sha256()
    def update(self, data):
        print("chatty: updated")
        self._hash.update(data)
    def digest(self):
        return self._hash.digest()
"""


def test_what_a_plugin_prints_is_never_in_a_report(run, spawn, install, key, tmp_path, monkeypatch):
    """On import, in hooks, in constructors, at work, in workers: standard output belongs to the report."""
    install("acme-chatty", "chatty", CHATTY)
    study = tmp_path / "study"
    study.mkdir()
    for number in range(3):
        signed = ["sign", IMAGE, "-o", study / f"{number}.dcm", *key, "--mac", "CHATTY", "--quiet"]
        ran = run(*signed)
        assert (ran.status, ran.out) == (0, "")
    assert "chatty: updated" in ran.err
    for jobs in ("1", "2"):
        ran = spawn("verify", study, "--no-trust", "--format", "json", "--jobs", jobs)
        assert ran.status == 0, ran.err
        assert [file["verdict"] for file in json.loads(ran.out)["files"]] == ["passed"] * 3
        assert "chatty: begun" in ran.err
    assert spawn("verify", study / "0.dcm", "--no-trust", "--format", "chatty").out == "the report, passed"
    assert json.loads(spawn("plugins", "list", "--json").out)["schema"] == "dsig.plugins/1"


HANGS = """
import os, time
from dsig.hookspecs import KeySourceSpec, hookimpl
@hookimpl
def dsig_key_sources():
    return [KeySourceSpec(name="slow", summary="x", factory="plugin_acme_slow:Source", schemes=("slow",))]
class Source:
    def open(self, request, secrets):
        os.mkfifo(request.uri.partition(":")[2] + ".here")
        time.sleep(600)
"""


def test_a_slow_plugin_is_waited_for_until_the_user_has_enough(install, tmp_path):
    install("acme-slow", "slow", HANGS)
    output, place = tmp_path / "out.dcm", tmp_path / "slow"
    command = [sys.executable, "-m", "dsig.cli", "sign", str(IMAGE), "-o", str(output), "--key", f"slow:{place}"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        while not (tmp_path / "slow.here").exists():  # it is at work
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=600)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "interrupted" in said
    assert not output.exists()
    assert not list(tmp_path.glob("*.tmp*"))
