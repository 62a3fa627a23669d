"""Keys for the interop tests: those of the corpus, and some made on the spot with openssl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from interop_peers import KEYS, key_files, succeed

import dsig


@pytest.fixture(scope="session")
def keys() -> Iterator[Mapping[str, dsig.OpenKey]]:
    """The signers of the corpus, open."""
    with ExitStack() as stack:
        opened = {}
        for name in KEYS:
            private, certificate = key_files(name)
            opened[name] = stack.enter_context(dsig.open_key(f"file:{private}", certificate=str(certificate)))
        yield opened


@dataclass(frozen=True)
class Identity:
    """A self-signed signer."""

    private: Path
    certificate: Path

    @property
    def trusting(self) -> dsig.VerifyOptions:
        """Trust in exactly this certificate."""
        return dsig.VerifyOptions(trust=dsig.load_trust([self.certificate]))


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory):
    """Makes a key with openssl, and a certificate that has been valid since yesterday."""

    def make(name: str, *key_options: str) -> Identity:
        directory = tmp_path_factory.mktemp(name)
        private, request, certificate = (directory / n for n in ("key.pem", "request.pem", "certificate.pem"))
        succeed("openssl", "genpkey", *key_options, "-out", private)
        subject = f"/O=DSIG Visible Test PKI/CN={name}"
        succeed("openssl", "req", "-new", "-key", private, "-subj", subject, "-out", request)
        # `x509` gives no date in the past, `ca` does
        (directory / "index.txt").touch()
        configuration = directory / "ca.cnf"
        configuration.write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {directory}/index.txt\nnew_certs_dir = {directory}\n"
            "rand_serial = yes\ndefault_md = sha256\npolicy = any\nx509_extensions = signer\n"
            "[any]\norganizationName = optional\ncommonName = supplied\n"
            "[signer]\nbasicConstraints = critical,CA:true\nkeyUsage = critical,digitalSignature,keyCertSign\n"
            "subjectKeyIdentifier = hash\n"
        )
        succeed(
            *("openssl", "ca", "-batch", "-selfsign", "-notext", "-config", configuration, "-in", request),
            *("-keyfile", private, "-startdate", "20200101000000Z", "-enddate", "20491231235959Z"),
            *("-out", certificate),
        )
        return Identity(private, certificate)

    return make


@pytest.fixture(scope="session")
def p521(identity) -> Identity:
    return identity("Signer P-521", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521")


@pytest.fixture(scope="session")
def rsa2040(identity) -> Identity:
    return identity("Signer RSA 2040", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2040")
