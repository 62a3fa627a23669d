"""Our reader of installed distributions finds what `importlib.metadata` finds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata

import pytest

from dsig import distributions


def seen(entries):
    return sorted((e.name, e.value, e.dist.name, e.dist.version) for e in entries)


@pytest.mark.parametrize("group", sorted(metadata.entry_points().groups))
def test_every_group_of_this_environment(group):
    assert seen(distributions.entry_points(group)) == seen(metadata.entry_points(group=group))


def install(folder, name, entries, version="1.2", metadata_text=None):
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        metadata_text or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText\n"
    )
    (info / "entry_points.txt").write_text(entries)
    return info


def test_comments_blanks_other_groups_and_extras(tmp_path, monkeypatch):
    text = "# first\n[other]\nx = y\n\n[dsig.test]\n  # one\n a=module \n\nb = module:one.two [extra]\n[dsig]\nc = z\n"
    install(tmp_path, "acme", text)
    monkeypatch.syspath_prepend(tmp_path)
    found = distributions.entry_points("dsig.test")
    assert seen(found) == seen(metadata.entry_points(group="dsig.test"))
    assert [(e.name, e.value) for e in found] == [("a", "module"), ("b", "module:one.two [extra]")]


def test_the_first_distribution_of_a_name_shadows_the_others(tmp_path, monkeypatch):
    install(tmp_path / "late", "acme_tools", "[dsig.test]\na = late\n")
    install(tmp_path / "early", "acme.tools", "[dsig.test]\na = early\n", version="0.9")
    monkeypatch.syspath_prepend(tmp_path / "late")
    monkeypatch.syspath_prepend(tmp_path / "early")
    found = distributions.entry_points("dsig.test")
    assert seen(found) == seen(metadata.entry_points(group="dsig.test")) == [("a", "early", "acme.tools", "0.9")]
    assert distributions.version_of("Acme-Tools") == "0.9"


def test_a_description_is_no_header(tmp_path, monkeypatch):
    install(
        tmp_path, "acme", "[dsig.test]\na = m\n", metadata_text="Name: acme\nVersion: 1.2\n\nVersion: 9\nName: evil\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert seen(distributions.entry_points("dsig.test")) == [("a", "m", "acme", "1.2")]


@pytest.mark.parametrize("value", ["os", "os:path.join", "os.path : join [extra]"])
def test_loading(value):
    ours = distributions.EntryPoint("x", value, distributions.Distribution("a", "1"))
    assert ours.load() is metadata.EntryPoint("x", value, "dsig").load()


def test_archives_are_left_to_the_library(tmp_path):
    """A distribution in a zip file on the path."""
    with zipfile.ZipFile(tmp_path / "acme.zip", "w") as archive:
        archive.writestr("acme-3.dist-info/METADATA", "Name: acme\nVersion: 3\n")
        archive.writestr("acme-3.dist-info/entry_points.txt", "[dsig.test]\na = m\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'acme.zip')!r})\n"
        "from dsig import distributions as d\n"
        "print([(e.name, e.dist.name, e.dist.version) for e in d.entry_points('dsig.test')], d.version_of('acme'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[('a', 'acme', '3')] 3\n"
