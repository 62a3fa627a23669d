"""What each kind of provider is asked to do, on the contract only: no network, no key, no token's PIN is touched.

A trial raises `UnfitError` with the reason. `dsig.testing` asks far more, of plugins' authors.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dsig.distrust import GuardedMac
from dsig.doctor.known import ABC, MESSAGE_DIGEST, SIGNATURES
from dsig.errors import DsigError, KeySourceError
from dsig.hookspecs import (
    CertificateFacts,
    ExecutorSettings,
    KeyRequest,
    MacAlgorithmSpec,
    SignatureCheck,
    SignatureView,
    TimestampEvidence,
    TrustEvidence,
    TrustRequest,
)
from dsig.model import FileReport, FileVerdict, Finding, Report, Status
from dsig.providers import Provider

__all__ = ["TRIALS", "UnfitError"]

NOBODY = "dsig-doctor-no-such-key"
SHA256 = MacAlgorithmSpec(
    name="SHA256", summary="", factory="hashlib:sha256", oid="2.16.840.1.101.3.4.2.1", digest_size=32
)
MESSAGE = bytes(range(256)) * 40


class UnfitError(Exception):
    """The provider does not do what the contract says; the text is for people."""


def _key_source(source: Any, provider: Provider[Any]) -> None:
    """A key that is not there is refused with a `KeySourceError` or another of this package's errors."""
    for scheme in provider.spec.schemes:
        try:
            with source.open(KeyRequest(f"{scheme}:{NOBODY}"), _NoSecrets()) as signer:
                if not isinstance(signer.certificate, bytes) or not callable(getattr(signer, "sign_digest", None)):
                    raise UnfitError("it opens a key without certificate, or one that cannot sign")
        except DsigError:
            pass


class _NoSecrets:
    def get(self, kind: str, what: str) -> str | None:  # noqa: ARG002 - nobody is asked
        return None


def _mac_algorithm(make: Callable[[], object], provider: Provider[Any]) -> None:
    _mac(make, provider.spec, provider)


def _mac_backend(backend: Any, provider: Provider[Any]) -> None:
    """SHA256 at its default place, or a `KeySourceError` that says why not."""
    try:
        backend.new(SHA256, provider.spec.name)
    except KeySourceError:
        return
    _mac(lambda: backend.new(SHA256, provider.spec.name), SHA256, provider)


def _mac(make: Callable[[], object], spec: MacAlgorithmSpec, provider: Provider[Any]) -> None:
    """Length, pieces, repetition, and what everybody else computes."""

    def digest(*pieces: bytes) -> bytes:
        mac = GuardedMac(make, spec, provider.origin)
        for piece in pieces:
            mac.update(piece)
        first, second = mac.digest(), mac.digest()
        if first != second:
            raise UnfitError("it gives another digest when asked twice")
        return first

    try:
        whole = digest(MESSAGE)
        if digest(MESSAGE) != whole:
            raise UnfitError("it gives different digests of the same bytes")
        if any(digest(*(MESSAGE[at : at + n] for at in range(0, len(MESSAGE), n))) != whole for n in (1, 63, 4096)):
            raise UnfitError("its digest depends on how the bytes are cut")
        if digest(MESSAGE[:-1] + b"\0") == whole:
            raise UnfitError("it gives the same digest of other bytes")
        if spec.name in ABC and digest(b"abc").hex() != ABC[spec.name]:
            raise UnfitError(f"it is not {spec.name}: the digest of 'abc' is not the published one")
        spec.digest_info(whole)
    except DsigError as error:
        raise UnfitError(error.message) from None
    except ValueError:
        raise UnfitError(f"its oid {spec.oid!r} is no object identifier") from None


def _crypto_backend(backend: Any, provider: Provider[Any]) -> None:
    """Believes what OpenSSL signed, and nothing next to it; an experimental one may know other keys only."""
    believed = []
    for name, (certificate, signature) in SIGNATURES.items():

        def valid(digest: bytes, value: bytes, certificate: bytes = certificate) -> bool:
            check = backend.verify_digest(certificate, digest, SHA256, value)
            if not isinstance(check, SignatureCheck) or not isinstance(check.valid, bool):
                raise UnfitError("it answers something else than a SignatureCheck with True or False")
            return check.valid

        middle = len(signature) // 2
        wrong = signature[:middle] + bytes([signature[middle] ^ 1]) + signature[middle + 1 :]
        if valid(MESSAGE_DIGEST, wrong) or valid(bytes(32), signature) or valid(MESSAGE_DIGEST, b""):
            raise UnfitError(f"it calls a wrong signature valid ({name})")
        if valid(MESSAGE_DIGEST, signature, b"garbage"):
            raise UnfitError("it calls a signature valid whose certificate is none")
        if valid(MESSAGE_DIGEST, signature):
            believed.append(name)
            if not isinstance(backend.certificate(certificate), CertificateFacts):
                raise UnfitError("it does not read a certificate into CertificateFacts")
        elif (
            provider.spec.experimental
            and backend.verify_digest(certificate, MESSAGE_DIGEST, SHA256, signature).unsupported
        ):
            believed.append("it says that it does not know this kind")
    if not believed:
        raise UnfitError(f"it calls no right signature valid ({', '.join(SIGNATURES)})")


def _trust_backend(backend: Any, _: Provider[Any]) -> None:
    """Nobody is trusted without an anchor, and garbage never."""
    for certificate in (SIGNATURES["RSASSA-PKCS1-v1_5 with 2048 bits"][0], b"garbage"):
        evidence = backend.evaluate(TrustRequest(certificate=certificate, at=datetime.now(UTC), anchors=()))
        if not isinstance(evidence, TrustEvidence) or not isinstance(evidence.status, Status):
            raise UnfitError("it answers something else than TrustEvidence")
        if evidence.status is Status.PASSED:
            raise UnfitError("it trusts a certificate without any anchor")
        _findings(evidence.findings)


def _timestamp_verifier(verifier: Any, _: Provider[Any]) -> None:
    """Garbage is no timestamp."""
    evidence = verifier.verify(b"garbage", ())
    if not isinstance(evidence, TimestampEvidence):
        raise UnfitError("it answers something else than TimestampEvidence")
    if evidence.status is Status.PASSED:
        raise UnfitError("it calls garbage a timestamp")
    for read in (verifier.read_query, verifier.read_response):
        try:
            read(b"garbage")
        except ValueError:
            continue
        raise UnfitError(f"its {read.__name__} takes garbage")


class _Level:
    """A data set of two elements."""

    location = "/"
    tags: Sequence[int] = (0x00080018, 0x00100010)

    def signable(self, tag: int) -> bool:
        return tag in self.tags

    def value(self, tag: int) -> bytes | None:
        return {0x00080018: b"1.2.3\0", 0x00100010: b"Doe^Jane"}.get(tag)


def _profile(profile: Any, _: Provider[Any]) -> None:
    required = list(profile.required(_Level()))
    if not all(type(tag) is int and 0 <= tag <= 0xFFFFFFFF for tag in required):
        raise UnfitError("it requires something else than tags")
    view = SignatureView(frozenset(_Level.tags), "SHA256", "1.2.840.10008.1.2.1", "RSA")
    _findings(profile.check(_Level(), view))


def _findings(findings: Iterable[object]) -> None:
    for found in findings:
        if not isinstance(found, Finding) or not found.code or not found.message:
            raise UnfitError("what it finds is no Finding with code and message")


def _reporter(reporter: Any, provider: Provider[Any]) -> None:
    """Tells a file that passed from one that failed, and leaves the stream open."""
    seen = set()
    for verdict in (FileVerdict.PASSED, FileVerdict.FAILED, FileVerdict.UNSIGNED):
        stream: io.BytesIO | io.StringIO = io.BytesIO() if provider.spec.binary else io.StringIO()
        reporter.render(Report((FileReport("doctor.dcm", verdict),)), stream)
        if stream.closed:
            raise UnfitError("it closes the stream")
        seen.add(stream.getvalue())
    if len(seen) != 3:
        raise UnfitError("its report looks the same whatever the verdict is")


def _thumbnailer(thumbnailer: Any, _: Provider[Any]) -> None:
    """What is no instance has no picture."""
    try:
        thumbnailer.draw(io.BytesIO(b"garbage"), 64)
    except ValueError:
        return
    raise UnfitError("it draws a picture of garbage")


def _executor(executor: Any, provider: Provider[Any]) -> None:
    """Three small tasks; not on a cluster."""
    if provider.spec.local and list(executor.run(abs, iter((-1, -2, -3)), ExecutorSettings(1))) != [1, 2, 3]:
        raise UnfitError("it does not give each result once, in order")


TRIALS: Mapping[str, Callable[[Any, Provider[Any]], None]] = {
    "dsig_key_sources": _key_source,
    "dsig_mac_algorithms": _mac_algorithm,
    "dsig_mac_backends": _mac_backend,
    "dsig_crypto_backends": _crypto_backend,
    "dsig_trust_backends": _trust_backend,
    "dsig_timestamp_verifiers": _timestamp_verifier,
    "dsig_profiles": _profile,
    "dsig_reporters": _reporter,
    "dsig_thumbnailers": _thumbnailer,
    "dsig_executors": _executor,
}
"""By hook. Ways to timestamp authorities and commands are loaded only: trying them would do something."""
