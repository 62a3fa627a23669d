"""The trust backend `cryptography`: passed only with a path to an anchor, and nothing left open."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dsig.hookspecs import Revocation, TrustRequest
from dsig.model import Status
from dsig.plugins import default
from dsig_cryptography.trust import CryptographyTrust

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIGNERS = ["rsa2048", "rsa2048b", "rsa2048_alias", "rsa3072", "rsa4096", "p256", "p384", "dsa2048", "longlived"]


@pytest.fixture(scope="module")
def asked(cert):
    """Evaluates certificates of the corpus, given by name."""
    backend = CryptographyTrust()

    def ask(signer: str, anchors=("root",), intermediates=("inter",), at=NOW, **more):
        request = TrustRequest(cert(signer), at, tuple(map(cert, anchors)), tuple(map(cert, intermediates)), **more)
        return backend.evaluate(request)

    return ask


def codes(evidence) -> list[str]:
    for finding in evidence.findings:
        assert finding.message.isprintable()
        assert finding.clause.startswith("RFC 5280")
        assert finding.severity == "error"
    return [finding.code for finding in evidence.findings]


def test_it_is_registered_under_its_name():
    assert isinstance(default().trust_backends.get("cryptography"), CryptographyTrust)


# ------------------------------------------------------------------------------------------------- paths that lead


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signer_is_trusted_over_the_intermediate_to_the_root(asked, cert, name):
    evidence = asked(name)
    assert evidence.status is Status.PASSED
    assert evidence.path == (cert(name), cert("inter"), cert("root"))
    assert evidence.findings == ()


def test_what_a_certificate_is_meant_for_is_the_business_of_the_core(asked):
    for name in ("wrongeku", "noku", "tsa", "tsa_ec"):
        assert asked(name).status is Status.PASSED


def test_an_intermediate_may_be_an_anchor(asked, cert):
    evidence = asked("p256", anchors=["inter"], intermediates=[])
    assert evidence.status is Status.PASSED
    assert evidence.path == (cert("p256"), cert("inter"))


def test_a_certificate_named_as_anchor_is_trusted_self_signed_or_not(asked, cert):
    for name in ("selfsigned", "p256", "other"):
        evidence = asked(name, anchors=["root", name], intermediates=[])
        assert evidence.status is Status.PASSED
        assert evidence.path == (cert(name),)


def test_useless_certificates_among_the_others_do_not_matter(asked):
    everything = ("other_root", "root", "selfsigned", "other", "expired", "inter", "inter", "p384")
    assert asked("p256", anchors=("other_root", "root", "root"), intermediates=everything).status is Status.PASSED


def test_pad_bytes_of_dicom_are_no_part_of_a_certificate(cert):
    odd = [name for name in SIGNERS if len(cert(name)) % 2]
    assert odd
    for name in odd:
        request = TrustRequest(cert(name) + b"\x00", NOW, (cert("root"),), (cert("inter"),))
        evidence = CryptographyTrust().evaluate(request)
        assert evidence.status is Status.PASSED
        assert evidence.path[0] == cert(name)


# ------------------------------------------------------------------------------------------- paths that lead nowhere


def test_no_anchors_is_not_decidable(asked):
    evidence = asked("rsa2048", anchors=[])
    assert (evidence.status, codes(evidence), evidence.path) == (Status.INDETERMINATE, ["trust-no-anchors"], ())


@pytest.mark.parametrize(
    ("signer", "anchors", "intermediates"),
    [
        ("rsa2048", ["root"], []),
        ("rsa2048", ["other_root"], ["inter"]),
        ("rsa2048", ["other_root"], ["inter", "root"]),
        ("rsa2048", ["rsa2048b"], ["inter", "root"]),
        ("rsa2048", ["rsa2048_alias"], ["inter"]),
        ("other", ["root"], ["inter"]),
        ("other", ["root"], ["inter", "other_root"]),
        ("selfsigned", ["root"], ["inter"]),
        ("selfsigned", ["root"], ["inter", "selfsigned"]),
    ],
)
def test_without_a_path_trust_fails(asked, signer, anchors, intermediates):
    evidence = asked(signer, anchors, intermediates)
    assert (evidence.status, codes(evidence), evidence.path) == (Status.FAILED, ["trust-path"], ())


@pytest.mark.parametrize("name", ["expired", "notyet"])
@pytest.mark.parametrize("anchored", [False, True])
def test_validity_is_judged_at_the_time_asked_about(asked, pki, name, anchored):
    entry = json.loads((pki / "pki.json").read_text())[name]
    since, until = (
        datetime.strptime(entry[limit], "%Y%m%d%H%M%SZ").replace(tzinfo=UTC) for limit in ("not_before", "not_after")
    )
    ca_since = datetime(2015, 1, 1, tzinfo=UTC)  # inter and root, pki.json
    anchors = ["root", name] if anchored else ["root"]

    def at(moment: datetime):
        evidence = asked(name, anchors, at=moment)
        return evidence.status, codes(evidence)

    second = timedelta(seconds=1)
    assert at(since - second) == (Status.FAILED, ["trust-not-yet-valid"])
    assert at(max(since, ca_since)) == (Status.PASSED, [])
    assert at(until) == (Status.PASSED, [])
    assert at(until + second / 2) == (Status.PASSED, [])
    assert at(until + second) == (Status.FAILED, ["trust-expired"])


def test_an_issuer_out_of_its_validity_breaks_the_path(asked):
    assert codes(asked("longlived", at=datetime(2012, 1, 1, tzinfo=UTC))) == ["trust-path"]
    assert codes(asked("longlived", at=datetime(2015, 1, 1, tzinfo=UTC))) == []


def test_times_with_and_without_zone_are_understood(asked):
    end = datetime(2015, 6, 1, tzinfo=UTC)  # of "expired", pki.json
    tokyo = timezone(timedelta(hours=9))
    assert asked("expired", at=end.astimezone(tokyo)).status is Status.PASSED
    assert asked("expired", at=end.replace(tzinfo=None)).status is Status.PASSED
    assert asked("expired", at=end.replace(tzinfo=tokyo) + timedelta(hours=9, seconds=1)).status is Status.FAILED


@pytest.mark.parametrize("year", [1, 1949, 9999])
def test_far_times_are_an_answer(asked, year):
    assert asked("rsa2048", at=datetime(year, 1, 1, tzinfo=UTC)).status is Status.FAILED
    assert asked("rsa2048", anchors=["rsa2048"], at=datetime(year, 1, 1, tzinfo=UTC)).status is Status.FAILED


# ------------------------------------------------------------------------------------------- what cannot be decided


@pytest.mark.parametrize("revocation", [Revocation.SOFT, Revocation.HARD, Revocation.HARD_CHAIN])
def test_revocation_is_never_answered_with_passed(asked, pki, cert, revocation):
    more = {"crls": ((pki / "inter.crl.der").read_bytes(),), "revocation": revocation}
    evidence = asked("revoked", **more)
    assert (evidence.status, codes(evidence)) == (Status.INDETERMINATE, ["trust-revocation-unsupported"])
    assert evidence.path == (cert("revoked"), cert("inter"), cert("root"))
    assert [check.certificate for check in evidence.unchecked] == [cert("revoked"), cert("inter")]
    assert evidence.checked == ()
    assert asked("expired", **more).status is Status.FAILED
    assert asked("selfsigned", anchors=["selfsigned"], **more).status is Status.PASSED, "an anchor is not judged"


@pytest.mark.parametrize("garbage", [b"", b"x", b"\x30\x00"])
def test_unreadable_anchors_and_intermediates_are_told(cert, garbage):
    def evaluate(anchors, intermediates):
        evidence = CryptographyTrust().evaluate(TrustRequest(cert("p256"), NOW, anchors, intermediates))
        return evidence.status, codes(evidence)

    root, inter = cert("root"), cert("inter")
    told = ["trust-anchor-unreadable"]
    assert evaluate((root, garbage), (inter,)) == (Status.INDETERMINATE, told)
    assert evaluate((root,), (garbage, inter)) == (Status.INDETERMINATE, told)
    assert evaluate((root,), (inter, inter + b"\x01")) == (Status.INDETERMINATE, told)
    assert evaluate((garbage,), (inter,)) == (Status.INDETERMINATE, told)
    assert evaluate((garbage, garbage), (garbage,)) == (Status.INDETERMINATE, told * 3)
    assert evaluate((root,), (garbage,)) == (Status.FAILED, ["trust-path", *told])


def test_the_message_says_which_certificate_is_unreadable(cert):
    request = TrustRequest(cert("p256"), NOW, (cert("root"), b"x"), (cert("inter"), cert("root"), b"y"))
    messages = [finding.message for finding in CryptographyTrust().evaluate(request).findings]
    assert messages[0].startswith("trust anchor 2 ")
    assert messages[1].startswith("intermediate certificate 3 ")


def test_an_unreadable_signer_fails(cert):
    for garbage in (b"", cert("p256")[:-1], cert("p256") + b"\x01"):
        evidence = CryptographyTrust().evaluate(TrustRequest(garbage, NOW, (cert("root"),)))
        assert (evidence.status, codes(evidence)) == (Status.FAILED, ["trust-certificate-unreadable"])


# --------------------------------------------------------------------------------------- hierarchies made to measure

CA = x509.BasicConstraints(ca=True, path_length=None)
NOBODY = x509.BasicConstraints(ca=False, path_length=None)


def usage(*allowed: str) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name in allowed for name in names})


class Hierarchy:
    """A chain of certificates, root first, each with the extensions given; P-256 keys unless said otherwise."""

    def __init__(self, issue, *links, keys=None):
        keys = keys or [ec.generate_private_key(ec.SECP256R1()) for _ in links]
        self.certificates: list[x509.Certificate] = []
        self.keys = keys
        signer, issuer = keys[0], None
        for number, (extensions, key) in enumerate(zip(links, keys, strict=True)):
            made = issue(f"link {number}", key.public_key(), signer, issuer, extensions)
            self.certificates.append(made)
            signer, issuer = key, made

    def verdict(self):
        root, *others, signer = (made.public_bytes(Encoding.DER) for made in self.certificates)
        return CryptographyTrust().evaluate(TrustRequest(signer, NOW, (root,), tuple(others)))


def passes(issue, *links, keys=None) -> bool:
    evidence = Hierarchy(issue, *links, keys=keys).verdict()
    assert evidence.status in (Status.PASSED, Status.FAILED)
    assert codes(evidence) == ([] if evidence.status is Status.PASSED else ["trust-path"])
    return evidence.status is Status.PASSED


def test_a_root_needs_no_key_usage(issue):
    assert passes(issue, [(CA, True)], [])
    assert passes(issue, [(CA, False)], [])
    assert passes(issue, [(CA, True), (usage("key_cert_sign"), True)], [(usage("content_commitment"), True)])


def test_an_issuer_must_be_a_certification_authority(issue):
    assert not passes(issue, [], [])
    assert not passes(issue, [(NOBODY, True)], [])
    assert not passes(issue, [(CA, True)], [(NOBODY, True)], [])
    assert not passes(issue, [(CA, True)], [], [])


def test_key_usage_of_an_issuer_must_allow_certificates(issue):
    assert not passes(issue, [(CA, True), (usage("digital_signature", "crl_sign"), True)], [])
    assert not passes(issue, [(CA, True)], [(CA, True), (usage("digital_signature"), True)], [])


def test_path_lengths_are_kept(issue):
    def limited(length: int):
        return [(x509.BasicConstraints(ca=True, path_length=length), True)]

    assert passes(issue, limited(0), [])
    assert passes(issue, limited(1), [(CA, True)], [])
    assert not passes(issue, limited(0), [(CA, True)], [])
    assert not passes(issue, [(CA, True)], limited(0), [(CA, True)], [])


def test_paths_are_not_endless(issue):
    assert passes(issue, *[[(CA, True)]] * 8, [])
    assert not passes(issue, *[[(CA, True)]] * 12, [])


def test_a_forged_signature_breaks_the_path(issue):
    good = Hierarchy(issue, [(CA, True)], [])
    stranger = ec.generate_private_key(ec.SECP256R1())
    root, signer = good.certificates
    forged = issue("link 1", good.keys[1].public_key(), stranger, root)
    good.certificates = [root, forged]
    assert codes(good.verdict()) == ["trust-path"]
    good.certificates = [root, signer]
    assert codes(good.verdict()) == []


def test_a_changed_byte_anywhere_in_the_signed_part_breaks_the_path(issue):
    made = Hierarchy(issue, [(CA, True)], [])
    root, signer = (certificate.public_bytes(Encoding.DER) for certificate in made.certificates)
    start, size = 4, len(made.certificates[1].tbs_certificate_bytes)
    backend = CryptographyTrust()
    for position in range(start, start + size):
        changed = bytearray(signer)
        changed[position] ^= 0x01
        evidence = backend.evaluate(TrustRequest(bytes(changed), NOW, (root,)))
        assert evidence.status is Status.FAILED, position


def test_small_rsa_keys_certify_nobody(issue):
    small = rsa.generate_private_key(65537, 1024)
    signer = ec.generate_private_key(ec.SECP256R1())
    assert not passes(issue, [(CA, True)], [], keys=[small, signer])


def test_unknown_critical_extensions_are_refused(issue):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert passes(issue, [(CA, True)], [(unknown, False)])
    assert not passes(issue, [(CA, True)], [(unknown, True)])
    assert not passes(issue, [(CA, True)], [(CA, True), (unknown, True)], [])


def test_policies_are_not_processed_and_so_never_taken_for_met(issue):
    needed = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    assert not passes(issue, [(CA, True)], [(CA, True), (needed, True)], [])


def test_name_constraints_that_cannot_be_checked_are_refused(issue):
    def constrained(*trees: x509.GeneralName, excluded: bool = False, critical: bool = True):
        made = x509.NameConstraints(None, trees) if excluded else x509.NameConstraints(trees, None)
        return [(CA, True), (made, critical)]

    name = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")]))
    mail = x509.RFC822Name("example.org")
    for tree in (name, mail, x509.UniformResourceIdentifier("example.org")):
        for excluded in (False, True):
            for critical in (False, True):
                assert not passes(issue, [(CA, True)], constrained(tree, excluded=excluded, critical=critical), [])
    assert passes(issue, [(CA, True)], constrained(x509.DNSName("example.org")), [])
    other = x509.SubjectAlternativeName([x509.DNSName("example.com")])
    assert not passes(issue, [(CA, True)], constrained(x509.DNSName("example.org")), [(other, False)])


def test_the_reason_is_one_line_without_control_characters(issue):
    key = ec.generate_private_key(ec.SECP256R1())
    signer = issue("a\nb\x1b[31m\u202e", key.public_key(), key)
    root = Hierarchy(issue, [(CA, True)], []).certificates[0]
    request = TrustRequest(signer.public_bytes(Encoding.DER), NOW, (root.public_bytes(Encoding.DER),))
    assert codes(CryptographyTrust().evaluate(request)) == ["trust-path"]


@pytest.mark.interop
def test_a_version_1_certificate_has_no_path_but_may_be_an_anchor(openssl, tmp_path):
    openssl(
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=v1",
        "-keyout",
        tmp_path / "k",
        "-out",
        tmp_path / "r",
    )
    v1 = openssl("x509", "-req", "-in", tmp_path / "r", "-signkey", tmp_path / "k", "-days", "30", "-outform", "DER")
    parsed = x509.load_der_x509_certificate(v1)
    assert parsed.version is x509.Version.v1
    at = parsed.not_valid_before_utc
    assert CryptographyTrust().evaluate(TrustRequest(v1, at, (v1,))).status is Status.PASSED


@pytest.mark.interop
@pytest.mark.parametrize("signature", ["sha1", "md5"])
def test_certificates_signed_with_broken_hashes_are_refused(openssl, pki, cert, tmp_path, signature):
    openssl(
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=old",
        "-keyout",
        tmp_path / "k",
        "-out",
        tmp_path / "r",
    )
    (tmp_path / "ext").write_text("keyUsage=digitalSignature\n")
    old = openssl(
        *("x509", "-req", "-in", tmp_path / "r", "-CA", pki / "root.pem", "-CAkey", pki / "root.key.pem"),
        *("-days", "30", f"-{signature}", "-extfile", tmp_path / "ext", "-set_serial", "7", "-outform", "DER"),
    )
    at = x509.load_der_x509_certificate(old).not_valid_before_utc
    evidence = CryptographyTrust().evaluate(TrustRequest(old, at, (cert("root"),)))
    assert (evidence.status, codes(evidence)) == (Status.FAILED, ["trust-path"])


@pytest.mark.interop
@pytest.mark.parametrize("name", [*SIGNERS, "expired", "notyet", "other", "selfsigned", "revoked", "tsa_expired"])
def test_verdicts_agree_with_openssl_verify(asked, pki, name):
    command = ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-CAfile", pki / "root.pem"]
    done = subprocess.run(
        [*command, "-untrusted", pki / "inter.pem", pki / f"{name}.pem"], capture_output=True, check=False
    )
    assert (asked(name).status is Status.PASSED) == (done.returncode == 0)
