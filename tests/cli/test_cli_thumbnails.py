"""`dsig verify --thumbnails`: pictures in reports, for whoever asks, and no verdict that depends on them."""

from __future__ import annotations

import base64
import io
import re
import sys

import pytest
from PIL import Image

SOURCE = re.compile(r'<img src="data:image/png;base64,([A-Za-z0-9+/=]*)" width="(\d+)" height="(\d+)" alt="([^"]*)">')


def pictures(text: str) -> list[tuple[tuple[int, int], str]]:
    """Size and alternative text of each picture, which must be what it says."""
    found = []
    for data, width, height, alt in SOURCE.findall(text):
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        assert (image.format, image.size) == ("PNG", (int(width), int(height)))
        found.append((image.size, alt))
    assert len(found) == text.count("<img")
    return found


def test_pictures_are_shown_to_those_who_ask(run, corpus, trust, tmp_path):
    files = [corpus / "files" / f"v-base-{name}.dcm" for name in ("ct", "us-mf-jpeg", "sr-basic", "sc-jpll")]
    out = tmp_path / "report.html"
    command = ["verify", *files, *trust, "--format", "html", "--report", out]
    assert run(*command).status == 0
    without = out.read_text()
    assert pictures(without) == []
    assert run(*command, "--thumbnails").status == 0
    text = out.read_text()
    assert pictures(text) == [((128, 128), "The instance"), ((192, 144), "The instance, frame 15 of 30")]
    assert text.count("Its pixels are as they were signed.") == 2
    assert "No picture: it has no pixels" in text
    assert "No picture: no decoder for JPEG Lossless" in text
    assert re.search(r"<li>thumbnails <span>dsig ", text), "the report says who drew"
    assert "<li>thumbnails" not in without


def test_what_the_picture_is_worth_is_said(run, corpus, trust, tmp_path):
    data = (corpus / "files" / "v-base-ct.dcm").read_bytes()
    (tmp_path / "changed.dcm").write_bytes(data.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    cases = [
        ([tmp_path / "changed.dcm", *trust], 1, "Its pixels need not be those that were signed."),
        ([corpus / "base" / "ct.dcm", *trust], 4, "No signature protects its pixels."),
        ([corpus / "files" / "v-base-ct.dcm"], 3, "Its pixels are as somebody signed them."),
    ]
    for arguments, status, said in cases:
        ran = run("verify", *arguments, "--format", "html", "--thumbnails")
        assert ran.status == status
        assert said in ran.out


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_formats_without_pictures_say_so(run, signed_ct, form):
    ran = run("verify", signed_ct, "--format", form, "--thumbnails")
    assert ran.status == 2
    assert "formats that do: html, pdf" in ran.err


def test_what_has_to_be_installed_is_said_before_the_work(run, signed_ct, tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ran = run("verify", signed_ct, "--format", "html", "--thumbnails", "--report", tmp_path / "report.html")
    assert ran.status == 7
    assert "install it with: pip install 'dsig[thumbnails]'" in ran.err
    assert not (tmp_path / "report.html").exists()
    assert run("verify", signed_ct, "--format", "html", "--thumbnails", "--thumbnailer", "nobody").status == 2


def test_pixels_are_decoded_in_another_process(run, signed_ct, monkeypatch):
    monkeypatch.delitem(sys.modules, "dsig_thumbnails.instance", raising=False)
    assert pictures(run("verify", signed_ct, "--no-trust", "--format", "html", "--thumbnails").out)
    assert "dsig_thumbnails.instance" not in sys.modules
