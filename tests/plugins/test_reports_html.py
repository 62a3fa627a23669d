"""The HTML report as a document: complete, inert, on its own. What it does in a browser is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from dsig.cli import main
from dsig.model import (
    AXES,
    Axis,
    Coverage,
    Extent,
    FileReport,
    FileVerdict,
    MacFacts,
    PluginUse,
    Protection,
    Report,
    Status,
    Times,
    UnsignedElement,
)
from dsig.testing.reporters import sample_file, sample_signature
from dsig_reports import wording
from dsig_reports.element_map import cells, signed_names
from dsig_reports.html_document import EAGER, FOLDED, HtmlReporter, document
from dsig_reports.wording import ANSWERS, DOUBTS, QUESTIONS, common_name, headline

CORPUS = Path(__file__).parents[1] / "corpus"
MARKUP = """</script></style></template></textarea></title>--><!--<script>alert(1)</script><img src=x onerror=alert(1)>
"' onmouseover="alert(1)" style="x" {{ 7*7 }} {% raw %} &lt;b&gt; javascript:alert(1) \u202e\u2066\x1b\x00\ud800"""
"""What somebody would write into a patient's name to make a report act."""


FOLDED_TEXT = re.compile(r'<script type="text/plain" id="folded">([A-Za-z0-9+/= ]*)</script>')


def report(text: str, copies: int = 1) -> Report:
    """Files that failed, and that could not be read; `text` is all the text there is."""
    files = tuple(sample_file(text, verdict, text) for verdict in (FileVerdict.FAILED, FileVerdict.ERROR))
    return Report(files * copies, (PluginUse(text, text, text, text),))


def rendered(whole: Report) -> str:
    stream = io.StringIO()
    HtmlReporter().render(whole, stream)
    return stream.getvalue()


class Elements(HTMLParser):
    """Start tags with the names of their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("copies", [1, EAGER])
def test_values_from_files_never_become_markup(copies):
    """The document of a hostile report has the elements and attributes of a harmless one, and no other."""
    harmless, hostile = Elements(rendered(report("x/y z", copies))), Elements(rendered(report(MARKUP, copies)))
    assert harmless.tags == hostile.tags
    assert any("alert(1)" in text for text in hostile.texts), "it is shown"
    assert not any("\u202e" in text or "\x1b" in text for text in hostile.texts)


def test_details_of_large_reports_are_folded_into_what_becomes_the_same_inert_markup():
    def unfolded(text: str) -> list[str]:
        blocks = FOLDED_TEXT.search(rendered(report(text, EAGER))).group(1).split()
        assert len(blocks) == 2 * EAGER / FOLDED
        return [
            part for block in blocks for part in zlib.decompress(base64.b64decode(block)).decode("ascii").split("\0")
        ]

    hostile, harmless = unfolded(MARKUP), unfolded("x/y z")
    assert len(hostile) == len(harmless) == 2 * EAGER
    assert [Elements(text).tags for text in hostile[:4]] == [Elements(text).tags for text in harmless[:4]]


def test_folding_an_odd_number_of_files_leaves_none_out():
    whole = Report(tuple(FileReport(f"{n}.dcm", FileVerdict.UNSIGNED) for n in range(EAGER + FOLDED + 1)))
    blocks = FOLDED_TEXT.search(rendered(whole)).group(1).split()
    counts = [zlib.decompress(base64.b64decode(block)).count(b"\0") + 1 for block in blocks]
    assert counts == [FOLDED] * ((EAGER + FOLDED) // FOLDED) + [1]


def test_document_is_ascii_and_says_its_encoding():
    page = rendered(report("Gr\u00fc\u00dfe \u4e2d\u6587"))
    assert page.isascii()
    assert "Gr&#252;&#223;e &#20013;&#25991;" in page
    assert '<meta charset="utf-8">' in page


def test_policy_names_the_only_style_and_script_and_forbids_the_rest():
    page = rendered(report("x"))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert set(rules) == {"default-src", "style-src", "script-src", "img-src", "base-uri", "form-action"}


def test_nothing_is_fetched_and_nothing_is_inline():
    elements = Elements(rendered(report("x")))
    names = {name for name, _ in elements.attributes}
    assert not names & {"src", "srcset", "style", "action", "data", "poster", "background"}
    assert not [name for name in names if name.startswith("on")]
    assert {value for name, value in elements.attributes if name == "href"} == {"#files"}
    assert "url(" not in rendered(report("x"))
    assert "@import" not in rendered(report("x"))


def test_every_question_and_every_answer_has_words():
    assert set(QUESTIONS) == set(AXES)
    assert set(DOUBTS) == {(axis, s) for axis in ("integrity", "trust") for s in Status if s is not Status.PASSED}
    assert set(ANSWERS) == {(axis, status) for axis in AXES for status in Status}


def test_every_verdict_is_told_with_what_it_is_about(tmp_path, capfd):
    signed = (CORPUS / "files" / "v-base-ct.dcm").read_bytes()
    (tmp_path / "good.dcm").write_bytes(signed)
    (tmp_path / "name.dcm").write_bytes(signed.replace(b"CompressedSamples^CT1", b"CompressedSamples^CT2"))
    (tmp_path / "plain.dcm").write_bytes((CORPUS / "base" / "ct.dcm").read_bytes())
    out = tmp_path / "report.html"
    trust = ["--trust-root", str(CORPUS / "pki" / "root.pem"), "--intermediate", str(CORPUS / "pki" / "inter.pem")]
    assert main(["verify", str(tmp_path), "--format", "html", "--report", str(out), *trust]) == 1
    capfd.readouterr()
    text = " ".join(" ".join(Elements(out.read_text()).texts).split())
    assert "1 of 3 files failed" in text
    assert "Unchanged since it was signed. The signer is trusted." in text
    assert "Do not rely on this file. The data, or the signature, were changed after signing." in text
    assert "the signature does not match the data" in text
    assert "Nothing in this file is protected by a signature." in text
    assert "proven by a certificate that leads to a trusted root" in text
    assert "so the certificate says; the data, or the signature, were changed" in text
    assert text.count("Nobody asked whether it was revoked.") == 2, "trust passed in both that are signed"
    assert "cryptography dsig 0.1.0" in text
    root = x509.load_pem_x509_certificate((CORPUS / "pki" / "root.pem").read_bytes())
    drawn = re.search(r"Certificate path (.*?) What is signed", text).group(1)
    assert re.search(
        rf"made this signature .*issued the certificate above .*trusted root {root.fingerprint(SHA256()).hex()}", drawn
    )


def told(tmp_path: Path, name: str, *options: object) -> str:
    """The text of the report on a file of the corpus that fails."""
    pki, out = CORPUS / "pki", tmp_path / "report.html"
    trust = ["--trust-root", str(pki / "root.pem"), "--intermediate", str(pki / "inter.pem")]
    assert main(["verify", str(CORPUS / "files" / name), *trust, *map(str, options), "--report", str(out)]) == 1
    return " ".join(" ".join(Elements(out.read_text()).texts).split())


def test_what_a_policy_does_not_accept_is_not_called_changed(tmp_path, capfd):
    (tmp_path / "policy.toml").write_text("min_rsa_bits = 3072\n")
    text = told(tmp_path, "v-base-ct.dcm", "--policy", tmp_path / "policy.toml")
    assert "Do not rely on this file. The signature matches the data, but it is not made as is demanded here." in text
    assert "the policy wants RSA keys of 3072 bits, not of 2048" in text
    assert "were changed" not in text
    assert "proven by a certificate that leads to a trusted root" in text
    assert main(["verify", str(CORPUS / "files" / "v-base-ct.dcm"), "--policy", str(tmp_path / "policy.toml")]) == 1
    assert "integrity failed" not in capfd.readouterr().out


def test_a_trusted_certificate_on_changed_data_proves_nobody_signed_them(tmp_path):
    text = told(tmp_path, "v-tamper-jpegmf-charset-changed.dcm")
    assert "integrity: failed No. The data, or the signature, were changed after signing." in text
    assert "trust: passed The certificate leads to a trusted root, but nothing proves that its owner" in text


def test_a_timestamp_that_is_not_there_is_not_one_that_does_not_hold(tmp_path):
    text = told(tmp_path, "v-base-ct.dcm", "--require-timestamp")
    assert "No. There is no timestamp, and one was asked for." in text


def test_what_is_known_of_revocation_is_said(tmp_path, capfd):
    out = tmp_path / "report.html"
    pki, file = CORPUS / "pki", CORPUS / "files" / "v-base-ct.dcm"
    trust = ["--trust-root", str(pki / "root.pem"), "--intermediate", str(pki / "inter.pem")]
    crls = ["--crl", str(pki / "inter_and_root_crls.pem")]
    for more, said in (([], "Nobody asked whether it was revoked."), (crls, "Not revoked, as far as CRLs and OCSP")):
        assert main(["verify", str(file), *trust, *more, "--format", "html", "--report", str(out)]) == 0
        assert said in out.read_text()
    capfd.readouterr()


def axes(**answers: Status) -> dict[str, Axis]:
    return {name: Axis(answers.get(name, Status.PASSED)) for name in AXES}


PATIENT_NOT = Coverage(
    2,
    (UnsignedElement("00100010", "PatientName", "not-listed"), UnsignedElement("7FE00010", "PixelData", "not-listed")),
    protection=Protection(Extent.UNSIGNED, Extent.PARTLY),
)
PIXELS_NOT = Coverage(2, (UnsignedElement("7FE00010", "PixelData", "not-listed"),), (), 0, Protection(Extent.UNSIGNED))


@pytest.mark.parametrize(
    ("verdict", "facts", "sentence"),
    [
        ("failed", {"axes": axes(trust=Status.FAILED)}, "The certificate must not be relied on."),
        ("failed", {"axes": axes(coverage=Status.FAILED)}, "Something that had to be signed is not."),
        (
            "indeterminate",
            {"axes": axes(coverage=Status.INDETERMINATE, trust=Status.INDETERMINATE)},
            "Nobody trusted vouches for the name in the certificate.",
        ),
        (
            "passed",
            {"axes": axes(), "coverage": Coverage(3), "location": "/"},
            "Unchanged since it was signed. The signer is trusted.",
        ),
        (
            "passed",
            {"axes": axes(), "coverage": Coverage(3), "location": "ContentSequence[0]"},
            "that is items of sequences; no signature protects the data set itself. The signer is trusted.",
        ),
        (
            "passed",
            {"axes": axes(trust=Status.NOT_CHECKED), "coverage": PIXELS_NOT, "location": "/"},
            "1 element is not signed, the pixels or the document among them. Nobody asked who signed.",
        ),
        (
            "passed",
            {"axes": axes(trust=Status.NOT_CHECKED), "coverage": PATIENT_NOT, "location": "/"},
            "the pixels or the document and some of the patient's identity among them. Nobody asked who signed.",
        ),
    ],
)
def test_the_verdict_is_said_with_what_decided(verdict, facts, sentence):
    file = FileReport("x", FileVerdict(verdict), (sample_signature(**facts),))
    assert wording.said(file).endswith(sentence)


def test_times_are_apart():
    times = Times("20260131120000.5+0100", "2026-01-31T11:05:00+00:00", "2026-02-01T00:00:00+00:00")
    text = " ".join(
        Elements(rendered(Report((FileReport("x", FileVerdict.PASSED, (sample_signature(times=times),)),)))).texts
    )
    for said in (
        r"Claimed\s+2026-01-31 12:00:00.5 \+0100\s+by the signer's clock, no proof",
        r"Proven\s+2026-01-31 11:05:00 UTC\s+by a timestamp authority",
        r"Judged\s+2026-02-01 00:00:00 UTC",
    ):
        assert re.search(said, text), said


def test_element_map_counts_what_the_signature_covers():
    listed = (0x00080018, 0x00100010, 0x00100020, 0x00100030, 0x00110010)
    coverage = Coverage(
        3,
        (
            UnsignedElement("00100040", "PatientSex", "not-listed"),
            UnsignedElement("00100020", "PatientID", "duplicate"),
        ),
        ("00100030",),
    )
    drawn = {c.group: c for c in cells(sample_signature(mac=MacFacts(1, "", "", elements=listed), coverage=coverage))}
    assert {g: (c.signed, c.unsigned, c.absent) for g, c in drawn.items()} == {
        "0008": (1, 0, 0),
        "0010": (2, 1, 1),
        "0011": (1, 0, 0),
    }
    assert drawn["0010"].told == "2 signed, 1 not signed, 1 missing"
    assert list(signed_names(sample_signature(mac=MacFacts(1, "", "", elements=listed), coverage=coverage))) == [
        "SOP Instance UID",
        "Patient's Name",
        "Patient ID",
        "(0011,0010)",
    ]


def test_signed_cells_are_drawn_row_by_row():
    """Sixteen cells of nine pixels, twelve apart: a dashed line from 1 to 190; the rest begins the next row."""
    tags = tuple(0x00180000 + n for n in range(1, 20))
    (drawn,) = cells(sample_signature(mac=MacFacts(1, "", "", elements=tags), coverage=Coverage(19)))
    assert drawn.signed_path == "M1 5.5h189M1 17.5h33"
    assert (drawn.width, drawn.height) == (192, 24)


def test_a_list_of_signed_tags_as_long_as_you_like_makes_no_document_as_long():
    mac = MacFacts(1, "", "", elements=tuple(range(0x00200001, 0x00220001)))
    long = sample_signature(mac=mac, coverage=Coverage(0, (UnsignedElement("00100010", "x", "not-listed"),) * 50_000))
    assert len(rendered(Report((FileReport("x", FileVerdict.FAILED, (long,)),)))) < 400_000


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ("", "No file was judged"),
        ("passed", "The file passed"),
        ("passed passed", "All 2 files passed"),
        ("passed failed error", "1 of 3 files failed"),
        ("error indeterminate", "1 of 2 files could not be judged"),
        ("unsigned", "The file is not signed"),
        ("unsigned unsigned passed", "2 of 3 files not signed"),
        ("indeterminate", "The file is undecided"),
    ],
)
def test_headline_never_says_more_than_the_counts(verdicts, said):
    whole = Report(tuple(FileReport("x", FileVerdict(v)) for v in verdicts.split()))
    assert headline(whole) == said
    assert said in rendered(whole)


def test_headline_says_where_only_items_passed():
    """Whoever reads nothing else shall not take the file for signed."""
    item = sample_signature(axes=axes(), location="ContentSequence[0]")
    whole = sample_signature(axes=axes(), location="/")
    files = {
        name: FileReport(name, FileVerdict.PASSED, signatures)
        for name, signatures in (("item", (item,)), ("both", (item, whole)), ("whole", (whole,)))
    }
    said = "Items in the file passed, the file itself is not signed"
    assert headline(Report((files["item"],))) == said
    assert f'<span class="headline">{said}</span>' in rendered(Report((files["item"],)))
    assert headline(Report((files["both"],))) == "The file passed"
    several = Report((files["item"], files["whole"], files["both"]))
    assert headline(several) == "All 3 files passed, but 1 of them for items alone"


@pytest.mark.parametrize(
    ("subject", "name"),
    [("CN=A,O=B", "A"), ("O=B,CN=A\\, M.D.", "A, M.D."), ("O=B", "O=B"), ("", ""), ("OU=CN=X,O=B", "OU=CN=X,O=B")],
)
def test_common_name_is_that_of_the_certificate(subject, name):
    assert common_name(subject) == name


def test_printed_document_has_all_in_sight_and_no_script():
    page = "".join(document(report("x", EAGER), printed=True))
    assert "<script" not in page
    assert "script-src 'none'" in page
    assert page.count("<details open>") == 2 * EAGER
