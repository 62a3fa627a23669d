"""Time stamp authorities on this machine: certificates and tokens by `openssl`, HTTP by the standard library.

Nothing here knows dsig's code. Keys and certificates are made once for a test run.
"""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[not-critical]
keyUsage = critical, digitalSignature
extendedKeyUsage = timeStamping
[not-alone]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping, codeSigning
[other-usage]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, codeSigning
[no-usage]
keyUsage = critical, digitalSignature
[server]
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1
[elsewhere]
extendedKeyUsage = serverAuth
subjectAltName = DNS:tsa.example
[client]
extendedKeyUsage = clientAuth
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, nonRepudiation
subjectKeyIdentifier = hash
"""

TS_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {serial}
crypto_device = builtin
signer_digest = {digest}
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.5.6
digests = sha1, sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = no
tsa_name = {name}
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
"""


def openssl(*arguments: object, at: str | None = None, stdin: bytes = b"") -> bytes:
    """Run openssl, at another time if `at` is given; it must succeed."""
    command = ["openssl", *map(str, arguments)]
    if at is not None:
        command = ["faketime", "-f", f"@{at}", *command]
    done = subprocess.run(
        command, capture_output=True, check=False, input=stdin, env={"PATH": "/usr/bin:/bin", "TZ": "UTC"}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass
class Authority:
    """A root and the certificates it issued, in a directory."""

    directory: Path
    name: str
    issued: dict[str, Path] = field(default_factory=dict)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Stamping goes through files, and servers have a thread for each request."""

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.root = self.certificate("root", "root", issuer=None)

    def key(self, name: str) -> Path:
        return self.directory / f"{name}.key.pem"

    def certificate(
        self,
        name: str,
        extensions: str = "tsa",
        *,
        issuer: str | None = "root",
        start: str = "20200101000000Z",
        end: str = "20491231235959Z",
        key: tuple[str, ...] = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        points: str = "",
    ) -> Path:
        """Issue a certificate with a key of its own.

        `key` is as `openssl req -newkey` has it, `points` the URL of its CRL distribution point.
        """
        path, request = self.directory / f"{name}.pem", self.directory / f"{name}.csr"
        config = self.directory / f"{name}.cnf"
        more = f"crlDistributionPoints = URI:{points}\n" if points else ""
        config.write_text(CONFIG.replace(f"[{extensions}]\n", f"[{extensions}]\n{more}"))
        openssl("req", "-new", "-newkey", *key, "-noenc", "-config", config, "-subj", f"/O={self.name}/CN={name}",
                "-keyout", self.key(name), "-out", request)  # fmt: skip
        database = self.directory / f"{name}.db"
        database.write_text("")
        (self.directory / "ca.cnf").write_text(
            f"[ca]\ndefault_ca = one\n[one]\ndatabase = {database}\nnew_certs_dir = {self.directory}\n"
            "rand_serial = yes\ndefault_md = sha256\npolicy = any\nunique_subject = no\ncopy_extensions = none\n"
            "[any]\norganizationName = supplied\ncommonName = supplied\n"
        )
        signer = ["-selfsign", "-keyfile", self.key(name)]
        if issuer is not None:
            signer = ["-cert", self.directory / f"{issuer}.pem", "-keyfile", self.key(issuer)]
        openssl("ca", "-batch", "-config", self.directory / "ca.cnf", *signer, "-in", request, "-out", path, "-notext",
                "-startdate", start, "-enddate", end, "-extfile", config, "-extensions", extensions)  # fmt: skip
        self.issued[name] = path
        return path

    def crl(self, *revoked: str, at: str | None = None, reason: tuple[str, str] = ("reason", "superseded")) -> bytes:
        """A CRL of the root with these certificates revoked now, or `at` YYYY-MM-DD hh:mm:ss, DER.

        `reason` is an option of `openssl ca` without its `-crl_`, and its value.
        """
        config = self.directory / "crl.cnf"
        database = self.directory / "crl.db"
        database.write_text("")
        config.write_text(
            f"[ca]\ndefault_ca = one\n[one]\ndatabase = {database}\ndefault_md = sha256\ndefault_crl_days = 30\n"
        )
        root = ("ca", "-config", config, "-cert", self.root, "-keyfile", self.key("root"))
        for name in revoked:
            openssl(*root, "-revoke", self.directory / f"{name}.pem", f"-crl_{reason[0]}", reason[1], at=at)
        return openssl("crl", "-outform", "DER", stdin=openssl(*root, "-gencrl", at=at))

    def stamp(
        self, query: bytes, name: str = "tsa", *, at: str | None = None, digest: str = "sha256", ess: str = "sha256",
        named: bool = True, chain: Path | None = None, policy: str | None = None,
    ) -> bytes:  # fmt: skip
        """The response of the TSA called `name`, DER; `at` is YYYY-MM-DD hh:mm:ss."""
        with self.one_at_a_time:
            return self._stamp(query, name, at, digest, ess, named, chain, policy)

    def _stamp(
        self, query: bytes, name: str, at: str | None, digest: str, ess: str, named: bool, chain: Path | None,
        policy: str | None,
    ) -> bytes:  # fmt: skip
        asked, answered = self.directory / "q.tsq", self.directory / "r.tsr"
        asked.write_bytes(query)
        serial = self.directory / "serial"
        serial.exists() or serial.write_text("0100\n")
        config = self.directory / "ts.cnf"
        config.write_text(TS_CONFIG.format(serial=serial, digest=digest, ess=ess, name="yes" if named else "no"))
        more = [] if chain is None else ["-chain", chain]
        more += [] if policy is None else ["-tspolicy", policy]
        openssl("ts", "-reply", "-config", config, "-section", "one", "-queryfile", asked, "-out", answered,
                "-signer", self.directory / f"{name}.pem", "-inkey", self.key(name), *more, at=at)  # fmt: skip
        return answered.read_bytes()


def token_of(response: bytes) -> bytes:
    """The token of a response, by openssl."""
    return openssl("ts", "-reply", "-in", "/dev/stdin", "-token_out", stdin=response)


@dataclass
class Server:
    """A TSA over HTTP that answers as it is told."""

    authority: Authority
    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[object] = field(default_factory=list)
    """What to do with the next requests: a status code, bytes, or a function of the query; then it stamps."""
    paths: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    """Organization and common name of the TLS certificates of clients."""
    kind: str = "application/timestamp-reply"
    """Content-Type of answers."""
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/tsa"


@contextmanager
def serving(authority: Authority, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A TSA at 127.0.0.1 until the block ends."""
    server = Server(authority, scheme="http" if tls is None else "https")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.paths.append(self.path)
            if isinstance(self.connection, ssl.SSLSocket) and (peer := self.connection.getpeercert()):
                server.clients.append(" ".join(value for rdn in peer["subject"] for _, value in rdn))
            query = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append(query)
            server.headers.append(dict(self.headers))
            answer = server.answers.pop(0) if server.answers else authority.stamp
            body = answer(query) if callable(answer) else answer
            if isinstance(body, int):
                self.send_response(body)
                if body in (301, 302, 307):
                    self.send_header("Location", server.url)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", server.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    class Http(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            """The handshake is a matter of the connection's thread."""
            if tls is None:
                super().finish_request(request, client_address)
                return
            with tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)

        def handle_error(self, *_: object) -> None:
            """Clients that go away are part of the tests."""

    with Http(("127.0.0.1", 0), Handler) as http:
        server.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


# ------------------------------------------------------------------------------------- tokens no honest TSA would make

TST_INFO = "1.2.840.113549.1.9.16.1.4"


def tst_info(
    digest: bytes,
    *,
    time: str = "20260102000000Z",
    version: int = 1,
    algorithm: str = "2.16.840.1.101.3.4.2.1",
    more: str = "",
    sections: str = "",
) -> bytes:
    """TSTInfo (RFC 3161 2.4.2) by `openssl asn1parse -genconf`; `more` fields, and `sections` they name."""
    config = (
        "asn1 = SEQUENCE:tst\n"
        f"[tst]\nversion = INTEGER:{version}\npolicy = OID:1.2.3.4.1\nimprint = SEQUENCE:imprint\nserial = INTEGER:7\n"
        f"time = GENERALIZEDTIME:{time}\n{more}\n"
        f"[imprint]\nalgorithm = SEQUENCE:algorithm\ndigest = FORMAT:HEX,OCTETSTRING:{digest.hex()}\n"
        f"[algorithm]\noid = OID:{algorithm}\nparameters = NULL\n{sections}"
    )
    return openssl("asn1parse", "-genconf", "/dev/stdin", "-noout", "-out", "/dev/stdout", stdin=config.encode())


def signed_by(authority: Authority, content: bytes, *names: str, options: tuple[object, ...] = ("-cades",),
              kind: str = TST_INFO) -> bytes:  # fmt: skip
    """CMS SignedData over `content`, DER, by `openssl cms`."""
    signers: list[object] = []
    for name in names or ("tsa",):
        signers += ["-signer", authority.directory / f"{name}.pem", "-inkey", authority.key(name)]
    fixed = ("-sign", "-binary", "-nodetach", "-econtent_type", kind, "-outform", "DER")
    return openssl("cms", *fixed, *signers, *options, stdin=content)
