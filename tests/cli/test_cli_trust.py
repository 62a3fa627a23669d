"""`dsig verify`: whom to trust, what was revoked, and when."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def verdict(run, corpus, pki):
    """Status and codes of the trust axis of a file of the corpus."""

    def ask(name: str, *options: object, trust: bool = True, axis: str = "trust"):
        trusting = ["--trust-root", pki / "root.pem", "--intermediate", pki / "inter.pem"] if trust else []
        ran = run("verify", corpus / "files" / f"{name}.dcm", *trusting, *options, "--format", "json")
        [signature] = json.loads(ran.out)["files"][0]["signatures"]
        return ran.status, [finding["code"] for finding in signature["axes"][axis]["findings"]]

    return ask


def test_revocation_is_asked_softly_if_lists_are_given(verdict, pki):
    assert verdict("v-pki-revoked") == (0, [])
    assert verdict("v-pki-revoked", "--crl", pki / "inter.crl.pem") == (1, ["trust-revoked", "trust-crl-missing"])
    assert verdict("v-pki-policies", "--crl", pki / "inter.crl.pem") == (0, ["trust-crl-missing", "trust-not-revoked"])
    assert verdict("v-pki-policies", "--crl", pki / "other_root.crl.pem")[0] == 0


def test_required_revocation_is_known_or_nothing_passes(verdict, pki):
    def required(*crls: str, option: str = "--require-revocation"):
        return verdict("v-pki-policies", option, *(x for name in crls for x in ("--crl", pki / name)))[0]

    assert required("inter.crl.pem") == 0
    assert required("inter.crl.der") == 0
    assert required() == 3
    assert required("inter_old.crl.pem") == 3
    assert required("other_root.crl.pem") == 3
    assert required("inter.crl.pem", option="--require-revocation-chain") == 3
    assert required("inter.crl.pem", "root.crl.pem", option="--require-revocation-chain") == 0
    assert required("inter_and_root_crls.pem", option="--require-revocation-chain") == 0


def test_hashed_directories_hold_roots_intermediates_and_lists(verdict, pki):
    def trusting(directory: str, name: str, *more: object):
        return verdict(name, "--trust-root", pki / directory, *more, trust=False)[0]

    assert trusting("cadir_nocrl", "v-pki-policies") == 0
    assert trusting("cadir", "v-pki-policies", "--require-revocation-chain") == 0
    assert trusting("cadir", "v-pki-revoked", "--require-revocation") == 1
    assert verdict("v-pki-revoked", "--crl", pki / "cadir")[0] == 1


def test_hashed_directories_trust_what_their_names_say(verdict, pki, tmp_path):
    """As OpenSSL reads them: a certificate beside the names is not trusted, a README is no trust file, a CRL counts."""
    directory = tmp_path / "hashed"
    shutil.copytree(pki / "cadir_nocrl", directory)
    (directory / "README").write_text("ours since 2024")
    for name in ("rsa2048.key.pem", "rsa2048.pem", "other_root.pem"):
        shutil.copy(pki / name, directory)

    def trusting(path: object, name: str = "v-pki-revoked"):
        return verdict(name, "--trust-root", path, trust=False)[0]

    assert trusting(directory) == 0
    for name in directory.glob("*.0"):
        name.rename(name.with_suffix(".pem.old"))
    shutil.copy(pki / "other_root.pem", directory / "01234567.0")
    assert trusting(directory) == 1, "the roots are there, but under no hashed name"
    for name in directory.glob("*.pem.old"):
        name.rename(name.with_suffix("").with_suffix(".0"))
    for crl in ("inter.crl.pem", "inter.crl.der"):
        shutil.copy(pki / crl, directory)
        assert trusting(directory) == 1, "a CRL is never left out"
        (directory / crl).unlink()
        assert trusting(directory) == 0


def test_a_private_key_beside_a_trusted_certificate_is_left_out(run, verdict, pki, signed_ct, tmp_path):
    bundle = tmp_path / "bundle.pem"
    parts = [(pki / name).read_text() for name in ("rsa2048.key.trad.enc.pem", "root.pem", "p256.key.trad.pem")]
    bundle.write_text("".join(parts))
    trust = ("--trust-root", bundle, "--intermediate", pki / "inter.pem")
    assert verdict("v-base-mr", *trust, trust=False)[0] == 0
    bundle.write_text("".join(parts).replace("BEGIN CERTIFICATE", "BEGIN CERTIFICAT"))
    assert run("verify", signed_ct, *trust).status == 2


def test_a_revocation_counts_from_its_date(verdict, pki):
    """(1 March 2024) openssl crl -in pki/inter.crl.pem -noout -text"""
    lists = ("--crl", pki / "inter.crl.pem", "--require-revocation")
    assert verdict("v-pki-revoked", *lists, "--at", "2024-02-29T23:59:59Z")[0] == 0
    assert verdict("v-pki-revoked", *lists, "--at", "2024-03-01T00:59:59+01:00")[0] == 0
    assert verdict("v-pki-revoked", *lists, "--at", "2024-03-01T00:00:00Z")[0] == 1


def test_a_certificate_that_is_not_self_signed_ends_a_path_only_if_told_so(verdict, pki):
    inter = ("--trust-root", pki / "inter.pem")
    assert verdict("v-pki-policies", *inter, trust=False) == (1, ["trust-path", "trust-anchor-not-root"])
    assert verdict("v-pki-policies", *inter, "--partial-chain", trust=False) == (0, [])


@pytest.mark.parametrize("backend", ["certvalidator", "cryptography", "openssl"])
def test_backends_are_chosen_by_name(verdict, pki, backend):
    chosen = ("--trust-backend", backend)
    assert verdict("v-pki-policies", *chosen) == (0, [])
    assert verdict("v-pki-other", *chosen) == (1, ["trust-path"])
    status, codes = verdict("v-pki-revoked", *chosen, "--crl", pki / "inter.crl.pem", "--require-revocation")
    if backend == "cryptography":
        assert (status, codes) == (3, ["trust-revocation-unsupported"])
    else:
        assert (status, codes[0]) == (1, "trust-revoked")


def test_a_claim_outside_the_validity_of_the_certificate_is_told(verdict):
    assert verdict("v-pki-expired-now", axis="time")[1] == ["claimed-outside-validity"]
    assert verdict("v-pki-policies", axis="time")[1] == []


def test_the_three_times_stand_apart(run, corpus, pki):
    name = corpus / "files" / "v-ts-heals-expired.dcm"
    trust = [x for option in ("--trust-root", "--tsa-root") for x in (option, pki / "root.pem")]
    trust += [x for option in ("--intermediate", "--tsa-intermediate") for x in (option, pki / "inter.pem")]
    ran = run("verify", name, *trust, "--at", "2026-11-22T12:00:00+01:00", "--format", "json")
    [signature] = json.loads(ran.out)["files"][0]["signatures"]
    claimed, proven, evaluated = (signature["times"][which] for which in ("claimed", "proven", "evaluated"))
    assert ran.status == 0
    assert evaluated == "2026-11-22T11:00:00+00:00"
    assert proven.endswith("+00:00")
    assert claimed[:4] == proven[:4] == "2013"


# ------------------------------------------------------------------------------------- what cannot be used is an error

BAD = {
    "absent": None,
    "empty": b"",
    "text": b"no certificate\n",
    "cut DER": b"0\x82\x03\xff0\x82",
    "other DER": b"0\x03\x02\x01\x05",
    "damaged PEM": b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    "PEM without end": b"-----BEGIN CERTIFICATE-----\nMAA=\n",
    "a key": b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("option", ["--trust-root", "--intermediate", "--crl", "--ocsp", "--tsa-root"])
def test_a_trust_file_that_cannot_be_used_is_never_ignored(run, signed_ct, trust, tmp_path, option, kind):
    given = tmp_path / "given"
    if BAD[kind] is not None:
        given.write_bytes(BAD[kind])
    ran = run("verify", signed_ct, *trust, option, given)
    assert (ran.status, ran.out) == (2, "")
    assert str(given) in ran.err
    assert ran.err.count("\n") <= 4


def test_a_bundle_with_a_damaged_part_is_not_used_by_half(run, signed_ct, trust, pki, tmp_path):
    whole = (pki / "inter.crl.pem").read_text()
    bundle = tmp_path / "crls.pem"
    bundle.write_text(whole + whole.replace("-----END X509 CRL-----", ""))
    assert run("verify", signed_ct, *trust, "--crl", bundle).status == 2
    bundle.write_text(whole + whole)
    assert run("verify", signed_ct, *trust, "--crl", bundle).status == 0


def test_a_path_without_what_it_was_given_for_is_an_error(run, signed_ct, trust, pki, tmp_path):
    for option, name in (("--trust-root", "inter.crl.pem"), ("--crl", "root.pem"), ("--ocsp", "root.der")):
        assert run("verify", signed_ct, *trust, option, pki / name).status == 2
    directory = tmp_path / "directory"
    directory.mkdir()
    assert run("verify", signed_ct, *trust, "--crl", directory).status == 2
    shutil.copy(pki / "root.pem", directory)
    assert run("verify", signed_ct, *trust, "--crl", directory).status == 2
    shutil.copy(pki / "root.crl.pem", directory)
    assert run("verify", signed_ct, *trust, "--crl", directory).status == 0


def test_no_trust_contradicts_what_is_about_trust(run, signed_ct, pki):
    for more in (["--crl", pki / "root.crl.pem"], ["--require-revocation"], ["--online"], ["--trust-root", "x"]):
        assert run("verify", signed_ct, "--no-trust", *more).status == 2
