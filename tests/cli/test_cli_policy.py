"""`dsig verify --policy` and `--strict`: each rule fails the file with its own finding, on the axis it belongs to."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.encode import element, item, part10, sequence
from support.pki import certificate, checked, signer
from support.signed import Parts, even, joined, together

import dsig
from dsig.judgement.policy import Policy, load_policy

PIN = "b58628d7a22b2f79b4b0349682262663a8d3cc0bde8603e30bc1d4fd17a9a5ac"
"""openssl x509 -in pki/rsa2048.pem -noout -fingerprint -sha256"""
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def judged(run, signed_ct, trust, tmp_path):
    """Verify the signed CT slice (RSA 2048, SHA256, everything signed) under a policy."""

    def judged(policy: str, *more: str, file: Path = signed_ct, options: list[str] | None = None) -> dict:
        path = tmp_path / "policy.toml"
        path.write_text(policy)
        given = trust if options is None else options
        ran = run("verify", file, *given, "--policy", path, "--format", "json", *more)
        [found] = json.loads(ran.out)["files"]
        assert ran.status == {"passed": 0, "failed": 1, "indeterminate": 3, "unsigned": 4}[found["verdict"]]
        return found

    return judged


def errors(file: dict) -> list[tuple[str, str]]:
    """Axis and code of what is wrong; the file's own findings are of axis `file`."""
    found = [("file", f["code"]) for f in file["findings"] if f["severity"] == "error"]
    for signature in file["signatures"]:
        for name, axis in signature["axes"].items():
            found += [(name, f["code"]) for f in axis["findings"] if f["severity"] == "error"]
            assert axis["status"] == "failed" or not any(f["severity"] == "error" for f in axis["findings"])
    return found


@pytest.mark.parametrize(
    "policy",
    [
        "",
        'allowed_macs = ["SHA256", "RIPEMD160"]',
        'allowed_keys = ["RSA"]',
        'allowed_keys = ["rsa 2048"]',
        "min_rsa_bits = 2048\nmin_ec_bits = 384\nmin_dsa_bits = 4096",
        "allow_weak = true",
        'key_usage = ["digitalSignature", "nonRepudiation"]',
        f'pinned_signers = ["{"0" * 64}", "{":".join(re.findall("..", PIN)).upper()}"]',
        "expected_signers = 1",
        'require_profiles = ["base"]',
        'require_coverage = "all"',
        'require_coverage = ["PatientName", "0010,0020"]',
        "strict = false",
        "strict = true",
    ],
)
def test_what_meets_the_policy_passes(judged, policy):
    found = judged(policy)
    assert (found["verdict"], errors(found)) == ("passed", [])


@pytest.mark.parametrize(
    ("policy", "axis", "code"),
    [
        ('allowed_macs = ["SHA384", "SHA512"]', "integrity", "policy-mac"),
        ("allowed_macs = []", "integrity", "policy-mac"),
        ('allowed_keys = ["EC"]', "integrity", "policy-key"),
        ('allowed_keys = ["ECDSA", "RSA 4096"]', "integrity", "policy-key"),
        ("min_rsa_bits = 2049", "integrity", "policy-key"),
        ('key_usage = ["digitalSignature", "keyAgreement"]', "trust", "policy-key-usage"),
        ('extended_key_usage = ["documentSigning"]', "trust", "policy-extended-key-usage"),
        ('extended_key_usage = ["1.2.3"]', "trust", "policy-extended-key-usage"),
        (f'pinned_signers = ["{"0" * 64}"]', "trust", "policy-signer"),
        ("pinned_signers = []", "trust", "policy-signer"),
        ("expected_signers = 2", "file", "policy-signers"),
        ("expected_signers = 0", "file", "policy-signers"),
        ('require_coverage = ["PatientComments"]', "coverage", "coverage-required"),
        ("require_timestamp = true", "time", "timestamp-missing"),
    ],
)
@pytest.mark.parametrize("options", [None, ["--no-trust"]], ids=["trust", "no-trust"])
def test_a_violation_fails_the_file_on_its_axis(judged, policy, axis, code, options):
    found = judged(policy, options=options)
    assert (found["verdict"], errors(found)) == ("failed", [(axis, code)])


@pytest.mark.parametrize("names", ['"EC"', '"ecdsa"', '"P-256"', '"EC P-256"', '"secp256r1"', '"EC prime256v1"'])
def test_curves_have_several_names(judged, corpus, names):
    file = corpus / "files" / "v-mk-p256-sha256.dcm"
    assert judged(f"allowed_keys = [{names}]", file=file)["verdict"] == "passed"
    assert judged('allowed_keys = ["P-384"]', file=file)["verdict"] == "failed"


def test_weak_algorithms_fail_only_where_the_policy_says_so(judged, corpus):
    weak = corpus / "files" / "v-mk-rsa2048-md5.dcm"
    assert judged("", file=weak)["verdict"] == "passed"
    assert judged("strict = true", file=weak)["verdict"] == "passed"
    found = judged("allow_weak = false", file=weak)
    assert (found["verdict"], errors(found)) == ("failed", [("integrity", "weak-mac")])


def test_profiles_of_the_policy_are_required_besides_those_of_the_command_line(judged, corpus):
    file = corpus / "files" / "v-tags-three.dcm"
    found = judged('require_profiles = ["creator"]', "--require", "base", file=file)
    assert found["verdict"] == "failed"
    assert {axis for axis, _ in errors(found)} == {"profile"}
    assert found["signatures"][0]["profiles"] == ["base"]


def test_coverage_as_a_profile_has_it(judged, corpus):
    policy = 'require_profiles = ["creator"]\nrequire_coverage = "profile"'
    assert judged(policy)["verdict"] == "passed"
    found = judged(policy, file=corpus / "files" / "v-tags-three.dcm")
    assert ("coverage", "coverage-required") in errors(found)


def test_signers_are_counted_by_key_and_only_where_their_signatures_hold():
    first, again = Parts(), Parts(mac_id=1, uid="1.2.3.6")
    other = Parts(mac_id=2, uid="1.2.3.7", signer=signer("p256"))
    bad = other.but(item={0x04000120: element(0x04000120, "OB", bytes(70))})

    def judged(number: int, *signed: Parts) -> list[str]:
        report = checked(together(*signed), policy=Policy(expected_signers=number))
        return [f.code for f in report.findings]

    # another certificate of the same key: it is in no MAC, so whoever has one can put it in
    alias = certificate("rsa2048_alias")
    renamed = again.but(item={0x04000115: element(0x04000115, "OB", even(alias))})
    assert judged(1, first, again) == []
    assert judged(2, first, again) == ["policy-signers"]
    assert judged(2, first, renamed) == ["policy-signers"]
    assert judged(1, first, renamed) == []
    assert judged(2, first, again, other) == []
    assert judged(2, first, bad) == ["policy-signers"]
    assert judged(1, first, bad) == []


def test_who_signed_an_item_has_not_signed_the_data_set():
    """A signed item can be taken from another file and put where nothing is signed."""
    foreign = Parts(uid="1.2.3.7", signer=signer("p256"), data={0x00100010: element(0x00100010, "PN", b"Doe^John")})
    taken = {0x00091001: sequence(0x00091001, item(foreign.data_set()))}
    report = checked(part10(joined(Parts().elements() | taken)), policy=Policy(expected_signers=2))
    assert [s.verdict for s in report.signatures] == ["passed", "passed"]
    assert [f.code for f in report.findings] == ["policy-signers"]
    assert report.verdict == "failed"


def test_an_unsigned_file_stays_unsigned(judged, ct):
    found = judged("expected_signers = 1", file=ct)
    assert (found["verdict"], errors(found)) == ("unsigned", [("file", "policy-signers")])


# ---------------------------------------------------------------------------------------------------------- bad files


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('alowed_macs = ["SHA256"]', "did you mean allowed_macs?"),
        ("Min-RSA-Bits = 2048", "did you mean min_rsa_bits?"),
        ("zzz = 1", "one of allowed_macs"),
        ('allowed_macs = "SHA256"', "not a list"),
        ("allowed_macs = [1]", "not a list"),
        ('allowed_macs = ["SHA-256"]', "did you mean SHA256?"),
        ('allowed_keys = ["RSAA"]', "did you mean RSA?"),
        ('min_rsa_bits = "2048"', "not a number"),
        ("min_rsa_bits = true", "not a number"),
        ("min_rsa_bits = -1", "not a number"),
        ("expected_signers = 1.5", "not a number"),
        ('key_usage = ["digital_signature"]', "did you mean digitalSignature?"),
        ('extended_key_usage = ["documentSignin"]', "did you mean documentSigning?"),
        ('pinned_signers = ["b586"]', "no SHA-256 fingerprint"),
        ("strict = 1", "not true or false"),
        ('require_profiles = ["creater"]', "did you mean creator?"),
        ('require_coverage = ["PatientNmae"]', "PatientName"),
        ("require_coverage = []", "names nothing"),
        ('require_coverage = "profile"', "--require creator"),
        ("strict", "is no TOML"),
        ("strict = true\nstrict = false", "is no TOML"),
        ("[trust]\nx = 1", "unknown key 'trust'"),
        ("\xff", "unknown"),
    ],
)
def test_a_bad_policy_is_a_usage_error_that_says_what_was_meant(run, signed_ct, tmp_path, policy, said):
    path = tmp_path / "policy.toml"
    path.write_bytes(policy.encode("utf-8" if policy != "\xff" else "latin-1"))
    ran = run("verify", signed_ct, "--policy", path)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err or (policy == "\xff" and "is no TOML" in ran.err)
    assert len(ran.err.splitlines()) == 1


def test_a_policy_that_cannot_be_read_is_a_usage_error(run, signed_ct, tmp_path):
    for path in (tmp_path / "missing.toml", tmp_path):
        ran = run("verify", signed_ct, "--policy", path)
        assert (ran.status, ran.out) == (2, "")
        assert str(path) in ran.err


def test_the_page_names_every_key_and_its_example_is_a_policy(tmp_path):
    page = (DOCS / "policy.md").read_text()
    table = " ".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", table)) == set(Policy.__dataclass_fields__)
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "policy.toml"
    path.write_text(example.replace("b5:86:28:…", PIN))
    policy = load_policy(path)
    assert (policy.min_rsa_bits, policy.strict, policy.pinned_signers) == (3072, True, (PIN,))
    assert policy.require_coverage == ("profile", 0x00100010, 0x00100020)
    assert policy.extended_key_usage == ("1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.311.10.3.12")


# ------------------------------------------------------------------------------------------------------------- strict


def test_signatures_that_could_be_moved_fail_strictly(run, corpus, trust, tmp_path):
    """A report without pixel data: everything signed has a tag below (0400,0005)."""
    good, report = tmp_path / "good.dcm", tmp_path / "report.dcm"
    good.write_bytes(Parts().file())
    parts = Parts(listed=tuple(n for n in Parts().data if n != 0x7FE00010))
    assert max(parts.listed) < 0x04000005
    report.write_bytes(parts.file())
    assert run("verify", good, *trust, "--strict").status == 0
    loose = run("verify", report, *trust, "--format", "json")
    [file] = json.loads(loose.out)["files"]
    [finding] = [f for f in file["signatures"][0]["axes"]["structure"]["findings"] if f["code"] == "relocatable"]
    assert (loose.status, finding["severity"]) == (0, "info")
    strict = run("verify", report, *trust, "--strict", "--format", "json")
    [file] = json.loads(strict.out)["files"]
    assert strict.status == 1
    assert ("structure", "relocatable") in errors(file)


def test_warnings_about_the_file_fail_strictly():
    """(0002,0003) names another instance than the data set: legal to read, and nothing a MAC covers."""
    file = Parts(data=Parts().data | {0x00080018: element(0x00080018, "UI", b"1.2.3.4.5.7\0")}).file()
    loose, strict = checked(file), checked(file, strict=True)
    assert (loose.verdict, [f.severity for f in loose.findings]) == ("passed", ["warning"])
    assert (strict.verdict, [f.severity for f in strict.findings]) == ("failed", ["error"])
    assert [f.code for f in strict.findings] == ["meta-sop-instance-uid"]


def test_warnings_about_mac_parameters_fail_strictly():
    foreign = Parts(mac={0x00100010: element(0x00100010, "PN", b"Doe^Jane")}).file()
    assert checked(foreign).verdict == "passed"
    [signature] = checked(foreign, strict=True).signatures
    assert [f.code for f in signature.axes["structure"].findings if f.severity == "error"] == ["foreign-attribute"]
    assert signature.verdict == "failed"


def test_strictness_does_not_want_everything_signed():
    """What was added later is reported; whether that matters is for --require-coverage."""
    parts = Parts(data=Parts().data | {0x00104000: element(0x00104000, "LT", b"ab")}, listed=tuple(Parts().data))
    assert checked(parts.file(), strict=True).verdict == "passed"


def test_both_are_part_of_the_api(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text("strict = true")
    assert dsig.load_policy(path) == dsig.Policy(strict=True)
    assert dsig.VerifyOptions(policy=dsig.load_policy(path)).policy.strict
