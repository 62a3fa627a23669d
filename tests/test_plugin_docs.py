"""The pages for plugin authors: what they show runs, and the contract they describe is the one in the source."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import types
from importlib import metadata
from pathlib import Path

import pytest

import dsig.plugins
from dsig import hookspecs
from dsig.cli import main
from dsig.testing import unsigned_file
from dsig.testing.pki import shared

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))
RUNS = [block.splitlines() for block in re.findall(r"<!-- run -->\n```console\n(.*?)```", PAGE, re.DOTALL)]
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))
HOOKS = {name for name in vars(hookspecs) if name.startswith("dsig_")}


def test_contract_page_is_made_from_the_source():
    done = subprocess.run([sys.executable, ROOT / "tools" / "make_contract.py", "--check"], check=False)
    assert done.returncode == 0, "run tools/make_contract.py"


@pytest.mark.slow
@pytest.mark.interop
def test_your_first_plugin(tmp_path):
    """Followed literally, in an environment of its own that has dsig and pytest, from an empty directory."""
    environment, work = tmp_path / "venv", tmp_path / "work"
    work.mkdir()
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (site / "above.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for name in ("dsig", "pytest"):
        script = environment / "bin" / name
        module = {"dsig": "dsig.cli"}.get(name, name)
        script.write_text(f'#!/bin/sh\nexec "{environment}/bin/python" -m {module} "$@"\n')
        script.chmod(0o755)
    for name, content in FILES.items():
        (work / name).write_text(content)

    env = os.environ | {"PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    env.pop("PYTHONPATH", None)
    output = ""
    for line in (line for block in RUNS for line in block):
        assert line.startswith("$ ")
        ran = subprocess.run(
            ["bash", "-c", line[2:]], cwd=work, env=env, capture_output=True, text=True, check=False, timeout=300
        )
        assert ran.returncode == 0, (line, ran.stdout, ran.stderr)
        output += ran.stdout
    assert "first-plugin" in output
    assert re.search(r"\d+ passed", output)
    assert "BLAKE2S_256" in output
    assert (work / "signed.dcm").read_bytes().count(b"BLAKE2S_256") == 1


def test_there_is_an_example_of_each_hook():
    assert set(EXAMPLES) == HOOKS


@pytest.fixture
def example(request, monkeypatch):
    """The plugin of an example, installed under the module name `example`."""
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    exec(compile(EXAMPLES[request.param], f"docs/plugins.md {request.param}", "exec"), vars(module))
    entry = metadata.EntryPoint("example", "example", "dsig")
    known = list(metadata.entry_points(group="dsig"))
    monkeypatch.setattr("dsig.distributions.entry_points", lambda group: [*known, entry])
    dsig.plugins.default.cache_clear()
    yield request.param
    monkeypatch.undo()
    dsig.plugins.default.cache_clear()


@pytest.mark.parametrize("example", sorted(HOOKS), indirect=True)
def test_examples_register_and_load(example):
    plugins = dsig.plugins.default()
    assert plugins.faults == []
    _, providers = plugins.kinds()[example]
    names = [p.spec.name for p in providers if p.origin.name == "example"]
    assert names
    for name in names:
        providers.get(name)


@pytest.fixture
def signed(tmp_path) -> list[str]:
    """Arguments: an image signed with SHA256, and who is trusted."""
    signer = shared().certify("signer", key=shared().signers["rsa2048"].key)
    key, certificate = signer.write(tmp_path, "signer")
    (tmp_path / "image.dcm").write_bytes(unsigned_file())
    target = str(tmp_path / "signed.dcm")
    image, uri = str(tmp_path / "image.dcm"), str(key)
    assert main(["sign", image, "-o", target, "--key", uri, "--cert", str(certificate), "--profile", "creator"]) == 0
    return [target, "--trust-root", str(certificate)]


@pytest.mark.parametrize("example", ["dsig_key_sources"], indirect=True)
def test_the_key_source_signs(example, tmp_path, capsys):
    (tmp_path / "image.dcm").write_bytes(unsigned_file())
    image, target = str(tmp_path / "image.dcm"), str(tmp_path / "signed.dcm")
    assert main(["sign", image, "-o", target, "--key", "vault:signer"]) == 0
    assert main(["verify", target, "--no-trust"]) == 0
    assert main(["sign", image, "-o", str(tmp_path / "no.dcm"), "--key", "vault:nobody"]) == 6
    assert "write vault:signer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("example", "options", "status"),
    [
        ("dsig_mac_backends", ["--mac-backend", "elsewhere"], 0),
        ("dsig_executors", ["--executor", "backwards", "--jobs", "2"], 0),
        ("dsig_crypto_backends", ["--crypto-backend", "distrustful"], 1),
        ("dsig_trust_backends", ["--trust-backend", "pinned"], 0),
        ("dsig_profiles", ["--require", "study"], 0),
        ("dsig_reporters", ["--format", "count"], 0),
    ],
    indirect=["example"],
)
def test_the_others_take_part(example, options, status, signed, capsys):
    assert main(["verify", *signed, *options]) == status
    if example == "dsig_reporters":
        assert "passed 1\n" in capsys.readouterr().out


@pytest.mark.parametrize("example", ["dsig_commands"], indirect=True)
def test_the_command_runs(example, capsys, tmp_path):
    assert main(["hello"]) == 0
    assert capsys.readouterr().out == "hello\n"
    assert main(["hello", "-o", str(tmp_path / "out.txt")]) == 0
    assert (tmp_path / "out.txt").read_bytes() == b"hello\n"


@pytest.mark.parametrize("example", ["dsig_commands"], indirect=True)
def test_a_command_never_writes_in_the_place_of_a_dicom_file(example, capsys, tmp_path):
    image = tmp_path / "image.dcm"
    image.write_bytes(unsigned_file())
    assert main(["hello", "-o", str(image)]) == 8
    assert "the greeting would take the place of a DICOM file" in capsys.readouterr().err
    assert image.read_bytes() == unsigned_file()
    assert [path.name for path in tmp_path.iterdir()] == ["image.dcm"]


def test_the_contracts_of_the_kit_are_on_the_page():
    from dsig import testing

    listed = re.findall(r"^\| `(\w+Contract)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == [name for name in sorted(testing.__all__) if name.endswith("Contract")]
