"""The other questions: coverage, profiles, trust. Each answer is an axis of the report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dsig.der import without_padding
from dsig.dicom.location import format_tag
from dsig.distrust import answered, answered_all, blaming
from dsig.hookspecs import CertificateFacts, SignatureView, TrustEvidence
from dsig.judgement.verdicts import worst
from dsig.limits import Limits
from dsig.model import Axis, Coverage, Finding, SignerFacts, Status
from dsig.plugins import Plugins
from dsig.signature.coverage import coverage_axis
from dsig.signature.meaning import meaning_findings
from dsig.signature.purpose import SCHEME
from dsig.signature.signatures import FoundSignature
from dsig.signature.view import LevelView

__all__ = ["certificate", "coverage", "demanded", "profiles", "trust"]


def certificate(
    found: FoundSignature, plugins: Plugins, backend: str
) -> tuple[CertificateFacts | None, tuple[Finding, ...]]:
    """Facts of the signer's certificate, or the finding that there are none."""
    if not found.item.certificate:
        return None, ()  # the structure gate has said so
    try:
        return _read(found.item.certificate, plugins, backend), ()
    except ValueError as error:
        return None, (
            Finding("certificate-unreadable", f"Certificate of Signer: {error}", clause="PS3.3 C.12.1.1.3.1.2"),
        )


def _read(der: bytes, plugins: Plugins, backend: str) -> CertificateFacts:
    """Facts of any certificate. Raises `ValueError` if there are none."""
    provider = plugins.crypto_backends.get(backend)
    origin = plugins.crypto_backends.provider(backend).origin
    with blaming(origin, "reading a certificate", allow=(ValueError,)):
        read = provider.certificate(der)
    return answered(read, CertificateFacts, origin, "reading a certificate")


def demanded(required: tuple[int | str, ...] | str | None) -> tuple[int | str, ...]:
    """`VerifyOptions.require_coverage` as a tuple."""
    if required is None:
        return ()
    return (required,) if isinstance(required, str) else required


def coverage(
    found: FoundSignature,
    covered: Coverage,
    required: tuple[int | str, ...] | str | None,
    names: Sequence[str],
    plugins: Plugins,
    limits: Limits,
) -> Axis:
    """Is everything signed that has to be? `required` as in `VerifyOptions`, `names` are the profiles required."""
    axis = coverage_axis(covered)
    axis = replace(axis, findings=(*axis.findings, *meaning_findings(found, limits)))
    wanted = demanded(required)
    if not wanted:
        return axis
    signed = found.signed
    present = frozenset(found.level.by_tag)
    missing = [tag for tag in wanted if isinstance(tag, int) and tag not in signed]
    if "profile" in wanted:
        # what a profile lists has to be signed where it is present (PS3.15 C.2 to C.4)
        short = [sorted((_listed(name, found, plugins) & present) - signed) for name in names]
        shortest = min(short, key=len)
        missing += shortest
    gaps = []
    if missing:
        shown = ", ".join(format_tag(t) for t in dict.fromkeys(missing))
        gaps.append(Finding("coverage-required", f"required but not signed: {shown}"))
    if "all" in wanted and (covered.unsigned or not signed):
        gaps.append(Finding("coverage-required", "everything is required to be signed, and something is not"))
    return Axis(Status.FAILED if gaps else Status.PASSED, (*gaps, *axis.findings))


def _listed(name: str, found: FoundSignature, plugins: Plugins) -> frozenset[int]:
    """What a profile wants signed at this level."""
    origin = plugins.profiles.provider(name).origin
    with blaming(origin, "listing what a profile requires"):
        tags = list(plugins.profiles.get(name).required(LevelView(found.level)))
    return frozenset(answered_all(tags, int, origin, "listing what a profile requires"))


def profiles(
    found: FoundSignature, facts: CertificateFacts | None, required: Sequence[str], plugins: Plugins
) -> tuple[Axis, tuple[str, ...]]:
    """Which of the required profiles does this signature meet, and what is in the way of the others?"""
    mac, purpose = found.mac, found.item.purpose
    code = "" if purpose is None else purpose.code
    if purpose is not None and purpose.scheme != SCHEME:
        code = f"{code} of {purpose.scheme or 'no scheme'}"  # a 5 of another scheme is no verification
    view = SignatureView(
        # what is listed and cannot be in the MAC is not signed, whatever the list says
        found.signed,
        mac.algorithm if mac else "",
        mac.transfer_syntax if mac else "",
        facts.key_type if facts else "",
        code,
    )
    met: list[str] = []
    findings: list[Finding] = []
    for name in dict.fromkeys(required):
        profile = plugins.profiles.get(name)
        origin = plugins.profiles.provider(name).origin
        with blaming(origin, "checking a profile"):
            checked = list(profile.check(LevelView(found.level), view))
        answers = answered_all(checked, Finding, origin, "checking a profile")
        said = [replace(f, message=f"{name}: {f.message}") for f in answers]
        findings += said
        if worst(*said) is Status.PASSED:
            met.append(name)
    return Axis(worst(*findings), tuple(findings)), tuple(met)


def trust(
    found: FoundSignature,
    facts: CertificateFacts | None,
    ask: Callable[[bytes], TrustEvidence],
    plugins: Plugins,
    backend: str,
) -> tuple[Axis, tuple[SignerFacts, ...]]:
    """Does the certificate lead to a root the user trusts? And by which certificates, the root last, if it does."""
    if facts is None:
        return Axis(Status.NOT_CHECKED), ()
    evidence = ask(without_padding(found.item.certificate))
    path: list[SignerFacts] = []
    if evidence.status is Status.PASSED:
        with contextlib.suppress(ValueError):  # what trust was judged by need not be readable to another backend
            path += (_read(der, plugins, backend).signer() for der in evidence.path[1:])
    return Axis(evidence.status, (*evidence.findings, *_checked(evidence))), tuple(path)


def _checked(evidence: TrustEvidence) -> Iterator[Finding]:
    """Who says that nothing was revoked: what a verdict rests on is told with it."""
    for by in dict.fromkeys(check.by for check in evidence.checked):
        yield Finding("trust-not-revoked", f"not revoked, says the {by}", clause="RFC 5280 6.3", severity="info")
