"""Every row of the table of differences, shown with both programs; the page in docs/ is made of the same table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dcmsign_pairs import CA, SIGN, Both, base, run_both
from interop_peers import CORPUS, ENVIRONMENT, PKI, dsig_signs, run, succeed
from support.dcmsign import Run
from support.dcmsign_differences import DIFFERENCES
from support.encode import IMPLICIT, RLE, element, implicit, part10

import dsig

pytestmark = pytest.mark.interop

MR = base("mr.dcm")
SHOWN: dict[str, Callable[..., object]] = {}


def shows(name: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """This test shows the difference called so."""

    def marked(test: Callable[..., object]) -> Callable[..., object]:
        assert name not in SHOWN
        SHOWN[name] = test
        return test

    return marked


def test_every_difference_is_shown():
    assert SHOWN.keys() == {d.name for d in DIFFERENCES}


def codes(both: Both) -> tuple[int, int]:
    return both.peer.code, both.ours.code


def said_of(signed: Path, axis: str) -> list[str]:
    """Findings, which give the reason why the peer rejects the signature."""
    [signature] = dsig.verify(signed).signatures
    return [finding.code for finding in signature.axes[axis].findings]


def trusting(certificate: Path) -> tuple[object, ...]:
    return ("+cf", certificate)


def only_item(path: Path, tag: int = 0xFFFAFFFA) -> pydicom.Dataset:
    [item] = pydicom.dcmread(path)[tag].value
    return item


# -------------------------------------------------------------------------------------------------------- verification


@shows("p521")
def test_odd_p521_signatures_verify_here(p521, tmp_path: Path):
    signed = tmp_path / "signed.dcm"
    while True:
        succeed("dcmsign", "+s", p521.private, p521.certificate, "+m2", MR, signed)
        value = only_item(signed)[0x04000120].value
        if 3 + value[2] < len(value):  # the DER has a two-byte length, and a pad byte behind it
            break
    assert value[:2] == b"\x30\x81"
    assert codes(run_both(tmp_path, *trusting(p521.certificate), signed)) == (101, 0)


@shows("odd-rsa")
def test_odd_rsa_moduli_verify_here(rsa2040, tmp_path: Path):
    signed = tmp_path / "signed.dcm"
    succeed("dcmsign", "+s", rsa2040.private, rsa2040.certificate, "+m2", MR, signed)
    assert codes(run_both(tmp_path, *trusting(rsa2040.certificate), signed)) == (101, 0)


@shows("time-zone")
def test_offsets_from_utc_count_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A certificate that is an hour old, and a signer five hours west of Greenwich."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "New")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private, public, signed = (tmp_path / n for n in ("key.pem", "certificate.pem", "signed.dcm"))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setitem(ENVIRONMENT, "TZ", "EST5")
    succeed("dcmsign", "+s", private, public, "+m2", MR, signed)
    assert only_item(signed)[0x04000105].value.endswith("-0500")
    both = run_both(tmp_path, *trusting(public), signed)
    assert codes(both) == (101, 0)
    assert said_of(signed, "time") == ["claimed-offset"]
    assert both.peer.signatures[0].text.endswith("certificate was not yet valid at signature creation date")


@shows("padding")
def test_padding_is_read_by_each_rule_here(keys, tmp_path: Path):
    source, signed = tmp_path / "source.dcm", tmp_path / "signed.dcm"
    content = MR.read_bytes()
    stored = pydicom.dcmread(MR)["PatientName"].value.original_string
    assert content.count(stored) == 1
    source.write_bytes(content.replace(stored, b" " * len(stored)))
    dsig_signs(source, signed, keys["rsa2048"], preserve_bytes=True)
    assert codes(run_both(tmp_path, *CA, signed)) == (101, 0)


@shows("compression")
def test_compression_of_what_is_not_signed_does_no_harm_here(tmp_path: Path):
    signed, plain = tmp_path / "signed.dcm", tmp_path / "plain.dcm"
    succeed("dcmsign", *SIGN, "+m2", "-t", "PatientName", base("mr_rle.dcm"), signed)
    succeed("dcmdrle", signed, plain)
    assert codes(run_both(tmp_path, *CA, plain)) == (101, 0)
    assert said_of(signed, "integrity") == []
    assert said_of(plain, "integrity") == ["pixel-encoding-differs"]


@shows("lost-vrs")
def test_vrs_that_were_lost_are_found_here(keys, tmp_path: Path):
    source, signed, implicit = (tmp_path / name for name in ("source.dcm", "signed.dcm", "implicit.dcm"))
    content = MR.read_bytes()
    head = bytes.fromhex("e07f1000") + b"OW"
    assert content.count(head) == 1
    source.write_bytes(content.replace(head, head[:4] + b"OB"))
    succeed("dcmsign", *SIGN, "+m2", source, signed)
    succeed("dcmconv", "+ti", signed, implicit)
    assert codes(run_both(tmp_path, *CA, implicit)) == (101, 0)


@shows("profile-editions")
def test_what_one_edition_wants_is_enough_here(keys, tmp_path: Path):
    """(0008,0022) Acquisition Date is in the list of 2019c and not in that of the newer edition, docs/profiles.md."""
    signed = tmp_path / "signed.dcm"
    wanted = [tag for tag in map(int, pydicom.dcmread(MR).keys()) if tag != 0x00080022 and tag != 0xFFFCFFFC]
    dsig_signs(MR, signed, keys["rsa2048"], tags=tuple(wanted))
    assert codes(run_both(tmp_path, *CA, "+rc", signed)) == (102, 0)


@shows("serial-number")
def test_long_serial_numbers_are_shown_here(p521, tmp_path: Path):
    signed = tmp_path / "signed.dcm"
    succeed("dcmsign", "+s", p521.private, p521.certificate, "+m2", MR, signed)
    both = run_both(tmp_path, "-v", *trusting(p521.certificate), signed)
    shown = [re.search(r"Serial no. *: (\S+)", said.log)[1] for said in (both.peer, both.ours)]
    number = x509.load_pem_x509_certificate(p521.certificate.read_bytes()).serial_number
    assert shown == ["-1", str(number)]


@shows("warnings")
def test_what_dsig_verify_would_have_said_is_said_here(tmp_path: Path):
    tampered = CORPUS / "files" / "v-tamper-mr-list-reordered.dcm"
    for name, path in (("unsigned", MR), ("failed", tampered)):
        (tmp_path / name).mkdir()
        both = run_both(tmp_path / name, *CA, path)
        assert codes(both) == (0, 0)
        extra = [line for line in both.ours.log.splitlines() if line not in both.peer.log.splitlines()]
        assert len(extra) == 1
        assert f"dsig verify would have said: {name}" in extra[0]


@pytest.mark.parametrize("name", ["noku", "wrongeku", "tsa-cert-signs"])
def test_what_a_certificate_is_meant_for_is_told_here(name: str, tmp_path: Path):
    """Decision 40: the verdict is that of the peer, and the warning is that of `dsig verify`."""
    path = CORPUS / "files" / f"v-pki-{name}.dcm"
    both = run_both(tmp_path, *CA, path)
    assert codes(both) == (0, 0)
    [signature] = dsig.verify(path, dsig.VerifyOptions(trust=dsig.load_trust([CA[1]], [CA[3]]))).signatures
    assert signature.verdict is dsig.Status.FAILED
    [wrong] = [f.message for f in signature.axes["trust"].findings if f.severity == "error"]
    assert f"W:   dsig verify would have said: failed: {wrong}" in both.ours.log.splitlines()


# ------------------------------------------------------------------------------------------------------------- signing


@shows("deflated")
def test_macs_of_deflated_files_are_said_to_be_explicit_here(tmp_path: Path):
    both = run_both(tmp_path, *SIGN, "+m2", base("sc_dfl.dcm"), "out.dcm")
    assert codes(both) == (0, 0)
    named = [only_item(path, 0x4FFE0001)[0x04000010].value for path in both.files("out.dcm")]
    assert named == ["1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1"]
    for number, path in enumerate(both.files("out.dcm")):
        (tmp_path / str(number)).mkdir()
        assert codes(run_both(tmp_path / str(number), *CA, path)) == (0, 0)


@pytest.mark.parametrize("option", ["+te", "+tb", "+ti"])
def test_macs_are_said_to_be_explicit_where_nothing_is_compressed_here(option: str, tmp_path: Path):
    """A file whose transfer syntax is a compressed one, without pixel data."""
    content = part10(element(0x00080018, "UI", b"1.2.3\0") + element(0x00080060, "CS", b"SR"), RLE)
    both = run_both(tmp_path, *SIGN, "+m2", option, "in.dcm", "out.dcm", prepare=[("in.dcm", content)])
    assert codes(both) == (0, 0)
    named = [only_item(path, 0x4FFE0001)[0x04000010].value for path in both.files("out.dcm")]
    assert named == ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1"]
    for number, path in enumerate(both.files("out.dcm")):
        (tmp_path / str(number)).mkdir()
        assert codes(run_both(tmp_path / str(number), *CA, path)) == (0, 0)


@shows("mac-id")
def test_mac_ids_are_unique_in_the_instance_here(tmp_path: Path):
    source = tmp_path / "source.dcm"
    succeed("dcmsign", *SIGN, "+m2", base("rtplan.dcm"), source)
    both = run_both(tmp_path, "+si", *SIGN[1:], "BeamSequence[0]", "+m2", source, "out.dcm")
    numbers = [pydicom.dcmread(path).BeamSequence[0][0x4FFE0001][0][0x04000005].value for path in both.files("out.dcm")]
    assert numbers == [0, 1]


@shows("nothing-to-sign")
@pytest.mark.parametrize("words", [(base("dicomdir"),), ("-tf", "tags", MR)])
def test_nothing_is_not_signed_here(words: tuple[object, ...], tmp_path: Path):
    both = run_both(tmp_path, *SIGN, "+m2", *words, "out.dcm", prepare=[("tags", b"")])
    assert codes(both) == (0, 85)
    (tmp_path / "again").mkdir()
    peer, ours = both.files("out.dcm")
    assert codes(run_both(tmp_path / "again", *CA, peer)) == (101, 101)
    assert not ours.exists()


@shows("disorder")
def test_disorder_is_not_signed_here(tmp_path: Path):
    both = run_both(tmp_path, *SIGN, "+m2", CORPUS / "files" / "v-tamper-mr-out-of-order.dcm", "out.dcm")
    assert codes(both) == (0, 85)


def words(path: Path) -> list[int]:
    """Data Elements Signed of the only signature."""
    return [int(tag) for tag in only_item(path, 0x4FFE0001)[0x04000020].value]


@shows("vrs-lost-by-writing")
def test_what_is_signed_has_the_vr_that_readers_find_here(tmp_path: Path):
    content = part10(
        element(0x00080018, "UI", b"1.2.3\0")
        + element(0x00090010, "LO", b"DSIG TEST ")
        + element(0x00091001, "SH", b"ab")
        + element(0x7FE00010, "OB", b"\1\2")
    )
    both = run_both(tmp_path, *SIGN, "+m2", "+ti", "in.dcm", "out.dcm", prepare=[("in.dcm", content)])
    assert codes(both) == (0, 0)
    peer, ours = both.files("out.dcm")
    assert set(words(peer)) - set(words(ours)) == {0x00091001}
    for name, path, expected in (("peer", peer, (101, 0)), ("ours", ours, (0, 0))):
        (tmp_path / f"{name} verified").mkdir()
        again = run_both(tmp_path / f"{name} verified", *CA, path)
        assert (again.peer.code, again.ours.code) == expected
    (tmp_path / "asked").mkdir()
    asked = (*SIGN, "+m2", "+ti", "-t", "0009,1001", "in.dcm", "out.dcm")
    assert codes(run_both(tmp_path / "asked", *asked, prepare=[("in.dcm", content)])) == (0, 85)


NEWER = {0x00080018: b"1.2.3\0", 0x00181204: b"20200101", 0x01F10010: b"ELSCINT1", 0x01F11001: b"AB"}
"""With Date of Manufacture, and a private element that only pydicom's dictionary has."""
SHARED = [0x00080018, 0x01F10010]


@shows("unknown-elements")
def test_elements_that_it_does_not_know_are_signed_where_their_vr_is_written_here(tmp_path: Path):
    content = part10(b"".join(implicit(tag, value) for tag, value in NEWER.items()), IMPLICIT)
    for option, ours_signs in (("+te", list(NEWER)), ("+tb", list(NEWER)), ("+ti", SHARED), ("+t=", SHARED)):
        (tmp_path / option).mkdir()
        both = run_both(tmp_path / option, *SIGN, "+m2", option, "in.dcm", "out.dcm", prepare=[("in.dcm", content)])
        assert codes(both) == (0, 0)
        peer, ours = both.files("out.dcm")
        assert (words(peer), words(ours)) == (SHARED, ours_signs)
        for name, path in (("peer", peer), ("ours", ours)):
            place = tmp_path / option / f"{name} verified"
            place.mkdir()
            assert codes(run_both(place, *CA, path)) == (0, 0)


def test_a_profile_does_not_ask_for_what_is_unknown_there(tmp_path: Path):
    """An edition newer than the tool wants Date of Manufacture signed."""
    named = NEWER | {0x00080016: b"1.2.3\0", 0x0020000D: b"1.2\0", 0x0020000E: b"1.3\0"}
    content = part10(b"".join(implicit(tag, value) for tag, value in sorted(named.items())), IMPLICIT)
    both = run_both(tmp_path, *SIGN, "+m2", "+pc", "in.dcm", "out.dcm", prepare=[("in.dcm", content)])
    assert codes(both) == (0, 0)
    peer, ours = both.files("out.dcm")
    assert words(peer) == words(ours) == sorted([*SHARED, 0x00080016, 0x0020000D, 0x0020000E])
    assert "(0018,1204)" in both.ours.log
    for name, path in (("peer", peer), ("ours", ours)):
        (tmp_path / f"{name} verified").mkdir()
        assert codes(run_both(tmp_path / f"{name} verified", *CA, "+rc", path)) == (0, 0)


@shows("names")
@pytest.mark.parametrize("name", ["OtherPatientIDs", "DateOfManufacture"])
def test_names_of_the_standard_are_understood_here(name: str, tmp_path: Path):
    content = part10(element(0x00101000, "LO", b"ab") + element(0x00181204, "DA", b"20200101"))
    for option, value, refused in (("-t", name, 1), ("-tf", "tags", 86)):
        (tmp_path / option).mkdir()
        prepare = [("tags", name.encode()), ("in.dcm", content)]
        both = run_both(tmp_path / option, *SIGN, option, value, "in.dcm", "out.dcm", prepare=prepare)
        assert codes(both) == (refused, 0)


@shows("private-names")
def test_private_names_find_the_elements_of_their_block_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dictionary = tmp_path / "private.dic"
    dictionary.write_text('(0029,"ACME",01)\tLO\tAcmeNote\t1\tPrivateTag\n')
    monkeypatch.setenv("DCMDICTPATH", str(dictionary))
    monkeypatch.setitem(ENVIRONMENT, "DCMDICTPATH", str(dictionary))
    content = part10(element(0x00290010, "LO", b"ACME") + element(0x00291001, "LO", b"ab"))
    both = run_both(tmp_path, *SIGN, "-t", "AcmeNote", "in.dcm", "out.dcm", prepare=[("in.dcm", content)])
    assert codes(both) == (85, 0)
    assert only_item(both.files("out.dcm")[1], 0x4FFE0001)[0x04000020].value == 0x00291001


@shows("provider-url")
def test_the_address_of_pixel_data_is_an_element_like_any_here(tmp_path: Path):
    content = part10(element(0x00080018, "UI", b"1.2.3\0") + element(0x00287FE0, "UR", b"https://example.org/x "))
    both = run_both(tmp_path, *SIGN, "+m2", "in.dcm", "out.dcm", prepare=[("in.dcm", content)])
    assert codes(both) == (40, 0)
    (tmp_path / "again").mkdir()
    assert run_both(tmp_path / "again", *CA, both.files("out.dcm")[1]).ours.code == 0


@shows("policy-names")
def test_policies_are_object_identifiers_here(tmp_path: Path):
    both = run_both(tmp_path, *SIGN, "+m2", "+ts", "q.tsq", "u.uid", "+tp", "SHA256", MR, "out.dcm")
    assert codes(both) == (0, 85)


@shows("sr-verification")
def test_verifications_cover_what_they_have_to_here(tmp_path: Path):
    words = (*SIGN, "+m2", "+sp", "5", "-t", "ValueType", base("sr_comp.dcm"), "out.dcm")
    for option, expected in (("+pr", (0, 85)), ("+pv", (0, 0))):
        (tmp_path / option).mkdir()
        assert codes(run_both(tmp_path / option, option, *words)) == expected


# -------------------------------------------------------------------------------------------------------------- output


@shows("group-lengths")
def test_group_lengths_are_left_out_here(tmp_path: Path):
    source = tmp_path / "source.dcm"
    succeed("dcmconv", "+g", MR, source)
    assert 0x00080000 in pydicom.dcmread(source)
    both = run_both(tmp_path, *SIGN, "+m2", source, "out.dcm")
    assert [0x00080000 in pydicom.dcmread(path) for path in both.files("out.dcm")] == [True, False]


@shows("unsigned-text")
def test_unsigned_text_stays_as_it_is_here(tmp_path: Path):
    source = tmp_path / "source.dcm"
    content = MR.read_bytes()
    stored = pydicom.dcmread(MR)["PatientName"].value.original_string
    padded = b"A^B".ljust(len(stored))
    source.write_bytes(content.replace(stored, padded))
    both = run_both(tmp_path, *SIGN, "+m2", "-t", "PatientID", source, "out.dcm")
    assert [padded in path.read_bytes() for path in both.files("out.dcm")] == [False, True]


@shows("digest")
def test_digests_are_hexadecimal_here(tmp_path: Path):
    both = run_both(tmp_path, "-d", *SIGN, "+m2", MR, "out.dcm")
    shown = [re.search(r"SHA256 MAC = (\S+)", said.log)[1] for said in (both.peer, both.ours)]
    assert shown[0].isdigit()
    assert len(bytes.fromhex(shown[1])) == 32


@shows("orphans")
def test_parameters_that_nobody_refers_to_go_here(tmp_path: Path):
    source, signed = tmp_path / "source.dcm", pydicom.dcmread(CORPUS / "files" / "v-base-mr.dcm")
    signed[0x4FFE0001].value[0][0x04000005].value = 7
    signed.save_as(source)
    both = run_both(tmp_path, "+ra", source, "out.dcm")
    assert codes(both) == (0, 0)
    assert [0x4FFE0001 in pydicom.dcmread(path) for path in both.files("out.dcm")] == [True, False]


@shows("side-files")
def test_nothing_is_left_of_a_failure_here(tmp_path: Path):
    both = run_both(tmp_path, *SIGN, "+d", "d", "+ts", "q", "u", "+te", base("mr_rle.dcm"), "out.dcm")
    assert codes(both) == (40, 40)
    left = [sorted(path.name for path in place.iterdir()) for place in (both.peer_directory, both.our_directory)]
    assert left == [["d", "q", "u"], []]


@shows("one-name")
@pytest.mark.parametrize(
    ("words", "expected"),
    [(("+d", "in.dcm"), (20, 46)), (("+d", "out.dcm"), (0, 46)), (("+ts", "out.dcm", "u"), (0, 85))],
)
def test_no_file_takes_the_place_of_another_here(words: tuple[str, ...], expected: tuple[int, int], tmp_path: Path):
    content = MR.read_bytes()
    both = run_both(tmp_path, *SIGN, *words, "in.dcm", "out.dcm", prepare=[("in.dcm", content), ("out.dcm", b"before")])
    assert codes(both) == expected
    assert sorted(path.name for path in both.our_directory.iterdir()) == ["in.dcm", "out.dcm"]
    assert [path.read_bytes() for path in (both.files("in.dcm")[1], both.files("out.dcm")[1])] == [content, b"before"]


@shows("tag-numbers")
@pytest.mark.parametrize("tag", ["10010,0010", "-fff0,10", "+0010,0010"])
def test_numbers_that_are_no_tags_are_refused_here(tag: str, tmp_path: Path):
    for option, value, ours in (("-t", tag, 1), ("-tf", "tags", 86)):
        (tmp_path / option).mkdir()
        prepare = [("tags", f"({tag})".encode())]
        both = run_both(tmp_path / option, *SIGN, option, value, MR, "out.dcm", prepare=prepare)
        assert codes(both) == (0, ours)


@shows("empty-data-set")
def test_an_empty_file_is_no_data_set_here(tmp_path: Path):
    assert codes(run_both(tmp_path, "-f", "e", prepare=[("e", b"")])) == (0, 20)


# ------------------------------------------------------------------------------------------------------------- refused


def said(run_: Run) -> str:
    assert run_.log
    return run_.log


@pytest.mark.parametrize("option", ["+cf", "+uf", "+cd", "+cr"])
def test_what_cannot_be_loaded_ends_the_run_here(option: str, tmp_path: Path):
    """Peer goes on, see reference section 5.3."""
    both = run_both(tmp_path, *CA, option, "none", CORPUS / "files" / "v-base-mr.dcm")
    assert both.ours.code == 20
    assert "none" in said(both.ours)
    assert both.peer.code in (0, 101)


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_certificate_that_others_can_make_is_not_accepted_here(
    digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Peer accepts, see reference section 5.3."""
    certificate, signed = tmp_path / "certificate.pem", tmp_path / "signed.dcm"
    succeed(
        *("openssl", "req", "-x509", "-key", PKI / "rsa2048.key.pem", "-subj", "/CN=Signer", f"-{digest}"),
        *("-CA", PKI / "inter.pem", "-CAkey", PKI / "inter.key.pem", "-addext", "basicConstraints=CA:FALSE"),
        *("-days", "30", "-out", certificate),
    )
    monkeypatch.setitem(ENVIRONMENT, "TZ", "EAST-5")  # peer takes the second it is valid from for one before
    succeed("dcmsign", "+s", PKI / "rsa2048.key.pem", certificate, "+m2", MR, signed)
    both = run_both(tmp_path, *CA, signed)
    assert codes(both) == (0, 101)
    assert "weak" in said(both.ours)


@pytest.mark.parametrize("limit", ["basicConstraints=critical,CA:FALSE", "basicConstraints=critical,CA:TRUE,pathlen:0"])
def test_what_is_trusted_certifies_only_whom_it_may_with_both(limit: str, tmp_path: Path):
    """A signer below an authority below what is trusted, which is no authority, or one for signers only."""
    root, between, leaf = (tmp_path / f"{name}.pem" for name in ("root", "between", "leaf"))
    keys = {path: path.with_suffix(".key") for path in (root, between, leaf)}
    issuer = None
    for path, extension in (
        (root, limit),
        (between, "basicConstraints=critical,CA:TRUE"),
        (leaf, "keyUsage=digitalSignature"),
    ):
        by = ("-CA", issuer, "-CAkey", keys[issuer]) if issuer else ()
        succeed(
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "9",
            ),
            *("-subj", f"/CN={path.stem}", "-addext", extension, "-keyout", keys[path], "-out", path, *by),
        )
        issuer = path
    signed = tmp_path / "signed.dcm"
    succeed("dcmsign", "+s", keys[leaf], leaf, "+m2", MR, signed)
    assert codes(run_both(tmp_path, "+cf", root, "+uf", between, signed)) == (101, 101)


def test_an_incomplete_mac_is_not_accepted_here(tmp_path: Path):
    """Decision 41; peer accepts, see docs/decisions/0005."""
    both = run_both(tmp_path, *CA, CORPUS / "files" / "v-base-seg-labelmap.dcm")
    assert codes(both) == (0, 101)


def test_the_table_is_about_the_installed_version():
    assert "dcmsign v3.6.7" in run("dcmsign", "--version").said
    assert PKI.is_dir()
