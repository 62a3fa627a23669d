"""--verify: the verb's report, in the tool's lines and exit codes.

The tool is content with less than `dsig verify` is. Its verdict decides the exit code; where ours would have been
another one, a warning says so. What would let forged content pass is refused here as there (docs/decisions/0040).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.failure import failed
from dsig.cli.dcmsign.keyfiles import refuse_other_format
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.places import places
from dsig.cli.dcmsign.request import Request
from dsig.cli.dcmsign.results import ABSENT, UNKNOWN, Result, Verdict, facts, result
from dsig.errors import InputError, Where
from dsig.hookspecs import Revocation
from dsig.model import FileReport, Finding, SignatureReport
from dsig.timestamps.proof import TimestampPolicy
from dsig.trust.material import TrustMaterial, load_trust
from dsig.verbs.verify import VerifyOptions, verify

if TYPE_CHECKING:
    from dsig.dicom.dictionaries import Dictionary

__all__ = ["verified"]

_NAMES = {
    "creator": "Creator RSA Signature",
    "authorization": "Authorization RSA Signature",
    "sr": "SR RSA Signature",
}
_PROFILES = {"sr": ("sr", "sr-verification")}
"""What to ask for: which of the two a report has to meet depends on its Verification Flag."""
_TIMESTAMPS = {
    "--verify-ts": TimestampPolicy.VERIFY,
    "--ignore-ts": TimestampPolicy.IGNORE,
    "--require-ts": TimestampPolicy.REQUIRE,
}
STAMP = "timestamp-"
"""How codes of findings about a timestamp that is there begin."""
_WAIVED = "profile-purpose"
"""The tool does not look at the purpose."""
_USAGES = ("trust-key-usage", "trust-extended-key-usage")


def verified(asked: Request, dictionary: Dictionary | None, log: Log) -> ExitCode:
    """Verify all signatures. Raises `DsigError` or `Failure`."""
    profiles = _PROFILES.get(asked.require, (asked.require,)) if asked.require in _NAMES else ()
    trust = _trust(asked)
    options = VerifyOptions(
        trust=trust,
        revocation=Revocation.HARD if asked.check_crls else Revocation.NONE,
        timestamps=_TIMESTAMPS[asked.timestamps],
        tsa_trust=trust,  # the tool has one store for signers and TSAs
        require_profiles=profiles,
        old_format=asked.old_format,
        convert_un=asked.convert_un,
        dictionary=dictionary,
        input_kind=asked.input_kind,
        check_usage=False,  # the tool does not look at usages
    )
    report = verify(places(asked).given, options)
    if report.error is not None:
        where = Where(asked.source)
        wrong = InputError(report.error.message, code=report.error.code, where=where, hint=report.error.hint or None)
        raise failed(wrong, asked)
    log.info("verifying all signatures.")
    if not report.signatures:
        return _unsigned(report, asked, log)
    timestamped = options.timestamps is TimestampPolicy.REQUIRE
    results = [result(signature, timestamped=timestamped) for signature in report.signatures]
    for number, (signature, judged) in enumerate(zip(report.signatures, results, strict=True), start=1):
        _tell(number, signature, judged, asked, log)
    corrupted = sum(judged.verdict is not Verdict.OK for judged in results)
    log.info(f"{len(results)} signatures verified in dataset, {corrupted} corrupted.")
    if asked.require in _NAMES and not any(_meets(s, asked.require) for s in report.signatures):
        log.error(f"No signature in this dataset fulfills the required {_NAMES[asked.require]} signature policy")
        return ExitCode.POLICY
    return ExitCode.VERIFICATION if corrupted else ExitCode.OK


def _unsigned(report: FileReport, asked: Request, log: Log) -> ExitCode:
    for finding in report.findings:
        if finding.severity == "error":
            log.warn(finding.message)
    if asked.require:
        log.error("no signatures found although required by the signature verification policy.")
        return ExitCode.NO_SIGNATURE
    log.warn("no signatures found in dataset.")
    log.warn(f"dsig verify would have said: {report.verdict}")
    return ExitCode.OK


def _tell(number: int, signature: SignatureReport, judged: Result, asked: Request, log: Log) -> None:
    """The lines about one signature; the shape of the result line depends on whether the facts are shown."""
    log.warn(f"Signature #{number} UID={signature.uid or UNKNOWN}")
    wide = log.verbose
    if wide:
        for line in facts(signature):
            log.info(line)
    log.warn(f"  {'Signature Verification':<{28 if wide else 23}}: {judged.text}")
    if judged.timestamp == ABSENT:
        log.warn(f"  Certified timestamp{' ' * 9 if wide else ' '}: {ABSENT}")
    elif judged.timestamp:
        log.warn(f"  {'Timestamp Verification':<{28 if wide else 23}}: {judged.timestamp}")
    elif judged.verdict is Verdict.OK and not any(f.code.startswith(STAMP) for f in signature.axes["time"].findings):
        log.info("  Certified timestamp         : absent")
    if judged.verdict is Verdict.OK:
        differing = list(_stricter(signature, judged, asked))
        if differing:
            log.warn(f"  dsig verify would have said: failed: {'; '.join(f.message for f in differing)}")
    for axis in ("structure", "integrity", "time"):
        for finding in signature.axes[axis].findings:
            if finding.severity != "error" or judged.verdict is Verdict.BAD:
                log.info(f"  dsig: {finding.message}")


def _stricter(signature: SignatureReport, judged: Result, asked: Request) -> Iterator[Finding]:
    """What `dsig verify` would have failed this signature for."""
    yield from judged.overlooked
    yield from (f for f in signature.axes["trust"].findings if f.code in _USAGES)
    if asked.require == "sr":
        yield from (f for f in _profile_errors(signature) if f.code == _WAIVED)


def _meets(signature: SignatureReport, wanted: str) -> bool:
    """Whether a signature meets the profile, whatever else is wrong with it, as the tool has it."""
    if wanted != "sr":
        return wanted in signature.profiles
    return all(f.code == _WAIVED for f in _profile_errors(signature))


def _profile_errors(signature: SignatureReport) -> Iterator[Finding]:
    """What is wrong under the one of the two profiles for reports that the document asks for."""
    findings = signature.axes["profile"].findings
    own = "sr" if any(f.code == "profile-not-verified" for f in findings) else "sr-verification"
    if own not in signature.profiles:
        yield from (f for f in findings if f.message.startswith(f"{own}: ") and f.code.startswith("profile-"))


def _trust(asked: Request) -> TrustMaterial:
    """Certificates and CRLs. What cannot be loaded is an error: verifying with less would be another question."""
    for path in (*asked.trusted, *asked.untrusted):
        refuse_other_format(path, "certificate", der=asked.der)
    for path in asked.crls:
        refuse_other_format(path, "CRL", der=asked.der)
    if not (asked.trusted or asked.untrusted or asked.directories or asked.crls):
        return TrustMaterial()
    return load_trust((*asked.trusted, *asked.directories), asked.untrusted, asked.crls)
