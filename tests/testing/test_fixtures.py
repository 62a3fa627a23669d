"""The fixtures of the kit, in a test module as a plugin author would write it, in a run of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

CONFTEST = 'pytest_plugins = ["dsig.testing.fixtures"]\n'
TESTS = """
import subprocess
import urllib.request

import pytest

import dsig
from dsig.testing import KeySourceContract, TimestampSourceContract, faults


class TestToken(KeySourceContract):
    @pytest.fixture
    def uri(self, dsig_token):
        return dsig_token.uri

    @pytest.fixture
    def wrong_uri(self, dsig_token):
        return dsig_token.uri.replace("object=signer", "object=nobody")

    @pytest.fixture
    def new_secrets(self, dsig_token):
        class Pin:
            def get(self, kind, what):
                return dsig_token.pin if kind == "pin" else None

        return Pin


class TestTsa(TimestampSourceContract):
    name = "http"

    @pytest.fixture
    def url(self, dsig_tsa):
        return dsig_tsa.url

    @pytest.fixture
    def nobody_url(self):
        return "http://127.0.0.1:9/"

    @pytest.fixture
    def silent_url(self, dsig_silent_url):
        return dsig_silent_url


def test_the_token_is_one_for_others_too(dsig_token):
    listed = subprocess.run(
        ["pkcs11-tool", "--module", dsig_token.module, "--token-label", dsig_token.label, "--login", "--pin",
         dsig_token.pin, "--list-objects"], capture_output=True, text=True, check=True
    ).stdout
    assert "Private Key Object; EC" in listed and "Certificate Object" in listed
    assert dsig_token.pin not in repr(dsig_token)


def test_the_tsa_stamps_what_is_verified_with_its_root(dsig_tsa, dsig_pki, tmp_path):
    key, certificate = dsig_pki.signers["rsa2048"].write(tmp_path, "signer")
    with dsig.open_key(str(key), certificate=str(certificate)) as opened:
        options = dsig.SignOptions(timestamp=dsig.TsaOptions(urls=(dsig_tsa.url,), pause=0.01))
        before = len(dsig_tsa.queries)
        dsig_tsa.statuses.append(503)
        signed = dsig.sign(dsig.testing.unsigned_file(), key=opened, options=options).output
    assert len(dsig_tsa.queries) == before + 2, "busy once"
    trust = dsig.TrustMaterial(anchors=(dsig_tsa.root,), intermediates=(dsig_pki.issuing.certificate,))
    report = dsig.verify(signed, dsig.VerifyOptions(trust=trust, tsa_trust=trust))
    assert report.signatures[0].axes["time"].status is dsig.Status.PASSED, report


def test_signed_files_and_faults(dsig_signed_file, dsig_unsigned_file, dsig_faults, dsig_pki):
    trust = dsig.TrustMaterial(anchors=(dsig_pki.root.certificate,), intermediates=(dsig_pki.issuing.certificate,))
    options = dsig.VerifyOptions(trust=trust)
    assert dsig.verify(dsig_signed_file, options).verdict is dsig.FileVerdict.PASSED
    assert dsig.verify(dsig_unsigned_file, options).verdict is dsig.FileVerdict.UNSIGNED
    assert dsig_faults == faults(dsig_signed_file)
"""


@pytest.mark.interop
@pytest.mark.pkcs11
def test_a_plugin_author_gets_files_a_pki_a_tsa_and_a_token(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_author.py").write_text(TESTS)
    run = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--rootdir", tmp_path]
    ran = subprocess.run([*run, tmp_path], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout


def test_what_is_missing_is_said_with_the_command_that_installs_it(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_author.py").write_text("def test_tsa(dsig_tsa): pass\ndef test_token(dsig_token): pass\n")
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    ran = subprocess.run(
        run, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300, env={"PATH": str(tmp_path)}
    )
    assert ran.returncode == 1
    assert "apt-get install openssl" in ran.stdout
    assert "apt-get install softhsm2" in ran.stdout
