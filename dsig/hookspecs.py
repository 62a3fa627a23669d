"""The plugin contract, version 1: hooks register named providers, small Protocols say what a provider does.

A plugin is a module (or object) found through the entry-point group `dsig`. Its hooks return specs: frozen facts whose
`factory` ("module:attribute") is imported only when the user selects the provider by name. The core calls a provider
directly and distrusts what it gets: a signature is verified before it is written, a verdict never comes from a plugin
alone. Hooks never compute and never decide.

Example, a complete plugin with one MAC algorithm::

    from dsig.hookspecs import MacAlgorithmSpec, hookimpl

    @hookimpl
    def dsig_mac_algorithms():
        return [MacAlgorithmSpec(name="SHA256", summary="FIPS 180-4 SHA-256", factory="hashlib:sha256",
                                 oid="2.16.840.1.101.3.4.2.1", digest_size=32)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO, Any, BinaryIO, Protocol, runtime_checkable

import pluggy

from dsig.model import FileReport, Finding, MacFacts, ReportView, SignerFacts, Status

__all__ = [
    "API",
    "CertificateFacts",
    "Command",
    "CommandSpec",
    "CryptoBackend",
    "CryptoBackendSpec",
    "DataSetView",
    "EarlyExecutor",
    "Executor",
    "ExecutorSettings",
    "ExecutorSpec",
    "Imprint",
    "KeyRequest",
    "KeySource",
    "KeySourceSpec",
    "Mac",
    "MacAlgorithm",
    "MacAlgorithmSpec",
    "MacBackend",
    "MacBackendSpec",
    "Observer",
    "ObserverSpec",
    "Outputs",
    "Picture",
    "Profile",
    "ProfileSpec",
    "Reporter",
    "ReporterSpec",
    "Revocation",
    "RevocationCheck",
    "Secrets",
    "SettledMacBackend",
    "SignatureCheck",
    "SignatureView",
    "Signer",
    "SigningFacts",
    "Spec",
    "TaskLost",
    "Thumbnailer",
    "ThumbnailerSpec",
    "TimestampEvidence",
    "TimestampFacts",
    "TimestampQuery",
    "TimestampRequest",
    "TimestampResponse",
    "TimestampSource",
    "TimestampSourceSpec",
    "TimestampVerifier",
    "TimestampVerifierSpec",
    "TrustBackend",
    "TrustBackendSpec",
    "TrustEvidence",
    "TrustRequest",
    "Usage",
    "Work",
    "hookimpl",
    "hookspec",
]

API = 1
"""Version of this contract; specs carry the version they were written for."""

hookspec = pluggy.HookspecMarker("dsig")
hookimpl = pluggy.HookimplMarker("dsig")


# ---------------------------------------------------------------------------------------------------------- specs


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What every registration says."""

    name: str
    """The name users select by; two plugins claiming one name is an error naming both."""
    summary: str
    """One line for `dsig plugins list`."""
    factory: str
    """`module:attribute`, imported on selection; called without arguments, it gives the provider."""
    requires: str = ""
    """Command that installs what the factory needs, shown when its import fails."""
    api: int = API
    """Version of the contract it was written for; others are not taken."""
    experimental: bool = False
    """True: nobody gets it without having said so in the configuration (`[plugins] experimental = true`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySourceSpec(Spec):
    """Registers a `KeySource`."""

    schemes: tuple[str, ...]
    """URI schemes served, lower case, such as `("pkcs11",)`."""
    workers: str = "processes"
    """How workers that sign many files use the one open signer, which stays in the process the user started: `threads`
    if its methods may be called at the same time, as tokens like it, `processes` if they are to be called one by one.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class MacAlgorithmSpec(Spec):
    """Registers a hash as a MAC algorithm; the factory itself is called for every new computation and gives a `Mac`."""

    oid: str
    """Object identifier for DigestInfo (RFC 8017 A.2.4), dotted."""
    digest_size: int
    """Bytes."""
    weak: bool = False
    """True: verifies always, signs only if the user insists (`--allow-weak`)."""

    def digest_info(self, digest: bytes) -> bytes:
        """DER of DigestInfo over a finished digest, what RSASSA-PKCS1-v1_5 signs (RFC 8017 9.2).

        Raises `ValueError` if `oid` is no object identifier.
        """
        from dsig.der import digest_info

        return digest_info(self.oid, digest)


class MacBackendSpec(Spec):
    """Registers a `MacBackend`; the name `host` is taken by the implementations that the algorithms come with."""

    __slots__ = ()


class CryptoBackendSpec(Spec):
    """Registers a `CryptoBackend`."""

    __slots__ = ()


class TrustBackendSpec(Spec):
    """Registers a `TrustBackend`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSpec(Spec):
    """Registers a `Profile`."""

    edition: str = ""
    """Edition of the standard the attribute lists come from."""
    purpose: int | None = None
    """Code value of PS3.16 CID 7007 of a new signature for which nobody names one; None where several may be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterSpec(Spec):
    """Registers a `Reporter`."""

    binary: bool = False
    """True if it writes bytes (PDF), False for text."""
    streams: bool = False
    """True if it goes through the files of a report once, and asks for summary and plugins only after the last one.

    It is then called while files are still being looked at, and a million of them need no memory.
    """
    pictures: bool = False
    """True if it shows `FileReport.thumbnail` where there is one."""


class ThumbnailerSpec(Spec):
    """Registers a `Thumbnailer`; its factory is imported in a process of its own, never in that of the verdicts."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampVerifierSpec(Spec):
    """Registers a `TimestampVerifier`."""

    types: tuple[str, ...]
    """Defined terms of (0400,0305) Certified Timestamp Type served, such as `("CMS_TSP",)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampSourceSpec(Spec):
    """Registers a `TimestampSource`."""

    schemes: tuple[str, ...]
    """URI schemes served, lower case, such as `("http", "https")`."""


class ObserverSpec(Spec):
    """Registers an `Observer`; its factory is imported in a process of its own, never in that of the verdicts."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec(Spec):
    """Registers an `Executor`."""

    local: bool = True
    """False if its workers are not processes of this machine: paths must then mean the same there, and no key goes."""


class CommandSpec(Spec):
    """Registers a `Command`; the factory names the click command itself, `name` is what users type after `dsig`."""

    __slots__ = ()


# ------------------------------------------------------------------------------------------------- MAC algorithms


class Mac(Protocol):
    """A running computation, as `hashlib` objects are."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes of the MAC stream."""

    def digest(self) -> bytes:
        """The result, `MacAlgorithmSpec.digest_size` bytes."""


class MacAlgorithm(Protocol):
    """Factory of a `MacAlgorithmSpec`: called once per computation."""

    def __call__(self) -> Mac: ...


class MacBackend(Protocol):
    """Computes MACs somewhere else than in the implementations that the algorithms come with (`--mac-backend`)."""

    def new(self, mac: MacAlgorithmSpec, place: str) -> Mac:
        """Begin a computation of `mac`, called once per computation, from several threads.

        `place` is what the user wrote: the name of this backend, or `NAME:...` with whatever it makes of the rest.
        Raises `KeySourceError` if it cannot.
        """


class SettledMacBackend(MacBackend, Protocol):
    """A MAC backend for which a place may mean something in this process only, such as the token whose key is open."""

    def settled(self, place: str) -> str:
        """What to give as `place` to another process, so that it means there what it means here."""


# ---------------------------------------------------------------------------------------------------- key sources


class Secrets(Protocol):
    """The only way a key source gets at a password or PIN; values never appear in errors, logs or reports."""

    def get(self, kind: str, what: str) -> str | None:
        """Give the secret for `what` (named to the user when asking), or None if there is none to be had.

        `kind` is `passphrase` or `pin`. Asking again means that the last answer was wrong; key sources must not do
        that for PINs.
        """


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What the user asked for."""

    uri: str
    """`file:key.pem`, a bare path, `pkcs11:token=…`, or another plugin's scheme."""
    certificate: str | None = None
    """Path of a certificate file to use instead of the one the source finds."""
    insecure_pin: bool = False
    """Whether the user insists on a PIN in the URI, which everybody on the machine can read (`pin-value`, RFC 7512)."""


class Signer(Protocol):
    """A private key ready to sign, with the certificate that will be written.

    Its methods are called from several threads at once if its source says `workers="threads"`.
    """

    @property
    def certificate(self) -> bytes:
        """X.509 certificate of the key, DER."""

    @property
    def chain(self) -> Sequence[bytes]:
        """Further certificates found with the key, DER; may be empty."""

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """Sign a finished digest: RSASSA-PKCS1-v1_5 with the DigestInfo of `mac`, or DER `SEQUENCE{r,s}` for DSA and
        ECDSA (PS3.15 C.1). Keys of other kinds make what a crypto backend knows to verify; the
        signature is then marked as not of the standard. Raises `KeySourceError`.
        """


class KeySource(Protocol):
    """Opens keys. Raises `KeySourceError` (exit status 6) with what to do next."""

    def open(self, request: KeyRequest, secrets: Secrets) -> AbstractContextManager[Signer]:
        """Find key and certificate and prove that they belong together."""


# ----------------------------------------------------------------------------------------- crypto and trust backends


@dataclass(frozen=True, slots=True)
class CertificateFacts(SignerFacts):
    """What a certificate says, as far as the core needs it."""

    key_type: str = ""
    """`RSA`, `DSA`, `EC`, or the backend's name for another kind, whose signatures are not of the standard."""
    key_size: int = 0
    """Bits: modulus, p, or curve; 0 if its kind says everything."""
    key_usage: frozenset[str] = frozenset()
    """RFC 5280 names such as `digitalSignature`; empty if the extension is absent."""
    extended_key_usage: frozenset[str] = frozenset()
    """Dotted OIDs; empty if the extension is absent."""
    extended_key_usage_critical: bool = False
    """Whether that extension is critical."""
    authority: bool = False
    """cA of basicConstraints (RFC 5280 4.2.1.9)."""
    signature_size: int = 0
    """Bytes of every signature by this key; 0 if they are DER, which says itself where it ends."""

    def signer(self) -> SignerFacts:
        """The part of it that reports show."""
        return SignerFacts(
            self.subject, self.issuer, self.serial, self.sha256, self.key, self.not_before, self.not_after
        )


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Outcome of one public-key operation."""

    valid: bool
    """True if the signature is of this digest by this key."""
    reason: str = ""
    """Why not, for people; empty when valid."""
    unsupported: bool = False
    """True, besides `valid=False`: this backend does not know this kind of key, so that nothing is said about the
    signature, and verification is `indeterminate`. A key of a kind it knows that proves nothing makes it not valid.
    """


class CryptoBackend(Protocol):
    """Public-key verification and certificate parsing. Garbage in the arguments is an answer, not an exception."""

    def verify_digest(
        self, certificate: bytes, digest: bytes, mac: MacAlgorithmSpec, signature: bytes
    ) -> SignatureCheck:
        """Check the value of (0400,0120) as stored: at most one zero pad byte beyond the length of the signature, which
        the key (RSA: the modulus) or its DER says, is accepted, nothing else (PS3.5 6.2 OB).
        """

    def certificate(self, der: bytes) -> CertificateFacts:
        """Read a certificate. Raises `ValueError` if it is not exactly one DER certificate, one pad byte allowed."""


class Usage(StrEnum):
    """What a certificate must be meant for."""

    SIGNING = "signing"
    """Signatures over data: digitalSignature or contentCommitment (RFC 5280 4.2.1.3, 4.2.1.12)."""
    TIMESTAMPING = "timestamping"
    """Time stamp tokens: id-kp-timeStamping, critical and alone (RFC 3161 2.3)."""
    ANY = "any"
    """Signatures over data, made with a certificate for whatever it may be: that is told and does not decide."""


class Revocation(StrEnum):
    """What has to be known about revocation."""

    NONE = "none"
    """Nobody asks."""
    SOFT = "soft"
    """Whoever is known to be revoked fails; what is not known is told as a warning."""
    HARD = "hard"
    """The certificate in question must be known to be good; as soft for the certificates above it."""
    HARD_CHAIN = "hard-chain"
    """Every certificate of the path below the anchor must be known to be good."""


@dataclass(frozen=True, slots=True)
class TrustRequest:
    """A question to a trust backend: does this certificate lead to an anchor, at that moment?

    Certificates, CRLs and OCSP responses are DER. Certificate policies are not part of it: any policy is acceptable,
    and what certificates themselves demand of policies is processed (RFC 5280 6.1.1: any-policy, all flags off).
    """

    certificate: bytes
    """The signer's."""
    at: datetime
    """Time of evaluation, aware: the proven time of a signature, or the time of verification."""
    anchors: tuple[bytes, ...]
    """Each may end a path, self-signed or not. Its dates and its revocation are not judged; what it says of authority,
    path length and names binds the paths below it, as with any other issuer (RFC 5280 6.1.1 d, RFC 5937).
    """
    intermediates: tuple[bytes, ...] = ()
    """Certificates nobody vouches for, offered for building paths and for whoever signed CRLs and OCSP responses."""
    crls: tuple[bytes, ...] = ()
    """Certificate revocation lists (RFC 5280 5)."""
    ocsps: tuple[bytes, ...] = ()
    """OCSP responses (RFC 6960 OCSPResponse)."""
    revocation: Revocation = Revocation.NONE
    """A revocation after `at` is none at `at`. What was asked and cannot be checked is `indeterminate`."""
    usage: Usage = Usage.SIGNING
    """What the certificate shall be meant for. The core has checked its usages; a backend may check more."""
    online: bool = False
    """Missing certificates, CRLs and OCSP responses may be fetched. Without it a backend never uses the network."""
    evaluated: datetime | None = None
    """When the question is asked, aware, if not now: what is known by then counts, also what is later than `at`."""


@dataclass(frozen=True, slots=True)
class RevocationCheck:
    """How the status of one certificate of the path was found, or why it was not."""

    certificate: bytes
    """DER."""
    by: str
    """For people: `CRL of CN=Issuing CA, 2026-01-01`, or what is missing."""
    source: bytes = b""
    """DER of the CRL or OCSP response that answered; empty if none did."""


@dataclass(frozen=True, slots=True)
class TrustEvidence:
    """An answer: passed only with a path from the certificate to an anchor, and nothing left open that was asked."""

    status: Status
    """`failed`: there is no path, or it is wrong. `indeterminate`: something that was asked could not be decided."""
    path: tuple[bytes, ...] = ()
    """DER certificates, the one in question first, anchor last."""
    findings: tuple[Finding, ...] = ()
    """What is wrong, or was left open; at least one unless passed."""
    checked: tuple[RevocationCheck, ...] = ()
    """Certificates of the path known not to be revoked at the time asked about, and what says so."""
    unchecked: tuple[RevocationCheck, ...] = ()
    """Certificates of the path below the anchor whose status is not known, and why."""


class TrustBackend(Protocol):
    """Builds and validates certification paths (RFC 5280 section 6)."""

    def evaluate(self, request: TrustRequest) -> TrustEvidence:
        """Answer `request`. What cannot be decided is `indeterminate`, never `passed`."""


# ------------------------------------------------------------------------------------------------------ timestamps


@dataclass(frozen=True, slots=True)
class Imprint:
    """Hash of what a timestamp is about: here the value of (0400,0120) without pad byte (RFC 3161 2.4.1)."""

    oid: str
    """Of the hash algorithm, dotted."""
    digest: bytes
    """As long as that algorithm makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampQuery:
    """What a TSA is asked (RFC 3161 TimeStampReq)."""

    imprint: Imprint
    """What is to be stamped."""
    policy: str = ""
    """Dotted; empty leaves it to the TSA."""
    nonce: int | None = None
    """Comes back in the token; None for none."""
    certificate: bool = True
    """certReq: the TSA shall put its certificate into the token."""


@dataclass(frozen=True, slots=True)
class TimestampResponse:
    """What a TSA answered (RFC 3161 TimeStampResp)."""

    status: int
    """PKIStatus: 0 granted, 1 granted with modifications, others no token."""
    reason: str
    """What the TSA says about it, for people; may be empty."""
    token: bytes
    """DER, empty without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampFacts:
    """What a token says; worth something only with a status of passed, and the TSA's chain."""

    time: datetime
    """genTime, UTC."""
    accuracy: timedelta
    """Zero if the token does not say."""
    policy: str
    """Dotted."""
    serial: int
    """The TSA's number of the token."""
    nonce: int | None
    """As the token has it; None without."""
    imprint: Imprint
    """What was stamped."""
    certificate: bytes
    """The TSA's, DER; empty if it is neither in the token nor among those offered."""
    certificates: tuple[bytes, ...]
    """All in the token, DER."""
    tsa: str
    """RFC 4514 name of the TSA's certificate."""


@dataclass(frozen=True, slots=True)
class TimestampEvidence:
    """Whether a token is right in itself: form, signature, and the certificate it names, that one's chain excepted."""

    status: Status
    """`failed` if anything is wrong."""
    facts: TimestampFacts | None
    """None if it cannot be read."""
    findings: tuple[Finding, ...] = ()
    """What is wrong."""


class TimestampVerifier(Protocol):
    """Knows the messages of one kind of timestamp. It decides nothing about trust and computes no imprint: the core
    compares `TimestampFacts.imprint` with the signature, and has the TSA's chain judged by the trust backend.
    """

    def verify(self, token: bytes, certificates: Sequence[bytes]) -> TimestampEvidence:
        """Judge a token, one DER value and nothing else; `certificates` (DER) may hold the TSA's if the token does not.

        Garbage is an answer, not an exception.
        """

    def encode_query(self, query: TimestampQuery) -> bytes:
        """The message for the TSA, DER. Raises `ValueError` for a policy that is no object identifier."""

    def read_query(self, der: bytes) -> TimestampQuery:
        """The reverse. Raises `ValueError`."""

    def read_response(self, der: bytes) -> TimestampResponse:
        """What a TSA answered. Raises `ValueError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """A question to one TSA, and how to reach it."""

    url: str
    """Of the TSA."""
    query: bytes
    """DER, from `TimestampVerifier.encode_query`."""
    timeout: float = 30.0
    """Seconds for one attempt."""
    attempts: int = 3
    """How often to try when the TSA is busy or cannot be reached, with growing pauses."""
    pause: float = 1.0
    """Seconds before the second attempt; doubled for each further one."""
    user: str = ""
    """For HTTP basic authentication."""
    password: str = field(default="", repr=False)
    """Shown to nobody else."""
    client_certificate: str = ""
    """Path of a PEM file with certificate and private key, for TLS client authentication."""
    server_roots: str = ""
    """Path of a PEM file with roots for the TSA's TLS certificate; empty: those of the system."""


class TimestampSource(Protocol):
    """Reaches TSAs."""

    def stamp(self, request: TimestampRequest) -> bytes:
        """The TSA's answer, DER as received. Raises `InputError` if there is none to be had."""


# -------------------------------------------------------------------------------------------------------- profiles


class DataSetView(Protocol):
    """Read-only view of the level (data set or item) that is or will be signed."""

    @property
    def location(self) -> str:
        """`/` or the item's path."""

    @property
    def tags(self) -> Sequence[int]:
        """Tags at this level in ascending order."""

    def signable(self, tag: int) -> bool:
        """Whether the element may enter the MAC (PS3.3 C.12.1.1.3.1.1)."""

    def value(self, tag: int) -> bytes | None:
        """Raw value of a short element (up to 64 KiB), None if absent, longer, or a sequence."""


@dataclass(frozen=True, slots=True)
class SignatureView:
    """What a profile may look at of a signature, existing or about to be made."""

    elements: frozenset[int]
    """Tags listed in (0400,0020)."""
    mac_algorithm: str
    """(0400,0015)."""
    transfer_syntax: str
    """(0400,0010)."""
    key_type: str
    """`RSA`, `DSA`, `EC`, or another backend-given name."""
    purpose: str = ""
    """Code value, or empty."""


class Profile(Protocol):
    """A digital signature profile (PS3.15 annex C)."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """Tags that must be signed when present; they are added to the user's selection."""

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:
        """Everything the profile finds wrong; nothing means it is met. Called before signing and when verifying."""


# -------------------------------------------------------------------------------------------------------- reporters


class Reporter(Protocol):
    """Renders a report."""

    def render(self, report: ReportView, stream: IO[Any], *, verbose: int = 0) -> None:
        """Write `report` to `stream` (text, or bytes if the spec says `binary`). `verbose`: -1 quiet, 0, 1 detailed."""


# ------------------------------------------------------------------------------------------------------- thumbnails


@dataclass(frozen=True, slots=True)
class Picture:
    """What a `Thumbnailer` drew: bare samples, out of which the core writes the file that reports show."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    samples: bytes
    """Row by row, a byte for each pixel (black is 0), or three (red, green, blue)."""
    frame: int = 1
    """Which frame it shows, counted from 1."""
    frames: int = 1
    """How many there are."""


class Thumbnailer(Protocol):
    """Draws instances small, for reports (`--thumbnails`).

    It decodes pixels, which is where hostile data are at their best: a process without output, files or much memory and
    time does it, a new one for each file, and no verdict waits for it.
    """

    def draw(self, file: BinaryIO, edge: int) -> Picture:
        """Draw the instance at most `edge` pixels wide and high.

        Raises `ValueError` with the reason, for people, if there is nothing to draw or no way to decode it.
        """


# -------------------------------------------------------------------------------------------------------- executors


Work = Callable[[Any], Any]
"""What is done with each task; it can be pickled, raises nothing on purpose, and is sent to each worker once."""


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """What the user said about the workers."""

    jobs: int = 1
    """Tasks at a time; a cluster has its own idea of it."""
    scheduler: str | None = None
    """Address of a cluster (`--scheduler`)."""


@dataclass(frozen=True, slots=True)
class TaskLost:
    """Given in place of a result: the workers that were to do this task died of it."""

    reason: str
    """For people."""


class Executor(Protocol):
    """Does tasks elsewhere, each of them until one worker has finished it."""

    def run(self, work: Work, tasks: Iterator[Any], settings: ExecutorSettings) -> Iterator[Any]:
        """Give `work(task)` for each task, in the order of the tasks, exactly once.

        Takes a task from the iterator only when there is soon a worker for it: a few for each worker may be begun and
        not given yet. When the iterator ends, which may be early because the user wants no more, everything begun is
        finished and given. A task whose worker died is done again elsewhere; one that keeps killing workers is given as
        `TaskLost`. What `work` raises comes up here. Closed before its end, it abandons what is not begun.
        """


@runtime_checkable
class EarlyExecutor(Executor, Protocol):
    """An executor that can start its workers before it is known what they will do, while a key is opened."""

    def started(self, settings: ExecutorSettings, prepare: Callable[[], object]) -> AbstractContextManager[None]:
        """Start workers that call `prepare`, which can be pickled, and wait for the next `run`; at the end they go.

        There may be no `run`. What `prepare` raises is nobody's concern: the work will raise it again.
        """


# -------------------------------------------------------------------------------------------------------- observers


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """A signature that was made and written."""

    path: str
    """Of the input, as it was given or found."""
    output: str
    """Path of the file with the signature."""
    uid: str
    """(0400,0100) Digital Signature UID."""
    location: str
    """`/` for the main data set, else the item's path."""
    mac: MacFacts
    """Its MAC Parameters, and who computed the digest."""
    signer: SignerFacts
    """Whose key it was."""
    date_time: str
    """(0400,0105) Digital Signature DateTime."""
    findings: tuple[Finding, ...] = ()
    """What the user was told."""


class Observer(Protocol):
    """Is told what the commands `sign` and `verify` did with each file, as an audit trail wants to be.

    It lives in a process of its own without terminal and without secrets, is told of one file after the other, and
    can change nothing: neither verdict nor report nor exit status. What it raises, and that it is not done five seconds
    after the last verdict, is a warning; then it is stopped.
    """

    def verified(self, report: FileReport) -> None:
        """The verdict on a file."""

    def signed(self, facts: SigningFacts) -> None:
        """A new signature in a file."""


# --------------------------------------------------------------------------------------------------------- commands


class Command(Protocol):
    """A `click.Command`, named here by what the command line calls of it so that this module needs no click.

    Its return value is the exit status, None for 0. It raises `DsigError` as the verbs do; the command line says it.
    What it gets by `click.pass_obj` are `Outputs`, for the files it writes.
    """

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None) -> Any:
        """Parse `args`."""

    def invoke(self, ctx: Any) -> Any:
        """Run."""


class Outputs(Protocol):
    """How commands write files: as those of dsig itself do."""

    def replacing(self, path: str, what: str) -> AbstractContextManager[IO[bytes]]:
        """A file that takes the place of `path` when the block ends well, and vanishes when it does not.

        It never takes the place of a DICOM file. `what` names the content in errors. Raises `OutputError`.
        """


# ------------------------------------------------------------------------------------------------------------ hooks


@hookspec
def dsig_key_sources() -> Iterable[KeySourceSpec]:
    """Register key sources. Example: `return [KeySourceSpec(name="vault", schemes=("vault",), …)]`."""
    raise NotImplementedError


@hookspec
def dsig_mac_algorithms() -> Iterable[MacAlgorithmSpec]:
    """Register MAC algorithms; `name` is the defined term of (0400,0015)."""
    raise NotImplementedError


@hookspec
def dsig_mac_backends() -> Iterable[MacBackendSpec]:
    """Register MAC backends, selected by `--mac-backend NAME`."""
    raise NotImplementedError


@hookspec
def dsig_crypto_backends() -> Iterable[CryptoBackendSpec]:
    """Register crypto backends."""
    raise NotImplementedError


@hookspec
def dsig_trust_backends() -> Iterable[TrustBackendSpec]:
    """Register trust backends."""
    raise NotImplementedError


@hookspec
def dsig_timestamp_verifiers() -> Iterable[TimestampVerifierSpec]:
    """Register kinds of timestamps.

    Example: `return [TimestampVerifierSpec(name="rfc3161", types=("CMS_TSP",), …)]`.
    """
    raise NotImplementedError


@hookspec
def dsig_timestamp_sources() -> Iterable[TimestampSourceSpec]:
    """Register ways to reach TSAs. Example: `return [TimestampSourceSpec(name="http", schemes=("https",), …)]`."""
    raise NotImplementedError


@hookspec
def dsig_profiles() -> Iterable[ProfileSpec]:
    """Register signature profiles."""
    raise NotImplementedError


@hookspec
def dsig_reporters() -> Iterable[ReporterSpec]:
    """Register report formats, selected by `--format NAME`."""
    raise NotImplementedError


@hookspec
def dsig_thumbnailers() -> Iterable[ThumbnailerSpec]:
    """Register ways to draw instances small, selected by `--thumbnailer NAME`.

    Example: `return [ThumbnailerSpec(name="slides", summary="…", factory="my_plugin.slides:Slides")]`.
    """
    raise NotImplementedError


@hookspec
def dsig_executors() -> Iterable[ExecutorSpec]:
    """Register executors, selected by `--executor NAME`.

    Example: `return [ExecutorSpec(name="slurm", summary="…", factory="my_plugin.slurm:Slurm", local=False)]`.
    """
    raise NotImplementedError


@hookspec
def dsig_observers() -> Iterable[ObserverSpec]:
    """Register observers; all that are installed and permitted are told.

    Example: `return [ObserverSpec(name="audit", summary="…", factory="my_plugin.audit:Audit")]`.
    """
    raise NotImplementedError


@hookspec
def dsig_commands() -> Iterable[CommandSpec]:
    """Register commands of `dsig`; built-in names are taken.

    Example: `return [CommandSpec(name="archive", summary="…", factory="my_plugin.archive:command")]`.
    """
    raise NotImplementedError
