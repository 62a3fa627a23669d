"""Whether a certificate of a path was revoked at a moment, and who says so (RFC 5280 6.3, RFC 6960 3.2).

The library decides whether a CRL or OCSP response is authentic and in scope; which of them may answer for which moment
is decided here: a revocation counts from its date, whenever it was published, and an issuer's silence about a
certificate means something only as long as the certificate had not expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import (
    CRLNoMatchesError,
    CRLValidationError,
    CRLValidationIndeterminateError,
    OCSPNoMatchesError,
    OCSPValidationError,
    OCSPValidationIndeterminateError,
    PathValidationError,
    RevokedError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.revinfo.archival import OCSPContainer
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response

from dsig.model import Finding
from dsig_certvalidator.algorithms import small_key, weakness
from dsig_certvalidator.building import by_subject
from dsig_certvalidator.contexts import context, finished, is_issued_by
from dsig_certvalidator.entries import (
    Revoked,
    crl_issuers,
    entries_for,
    first_lost,
    is_about,
    issued_at,
    next_update,
    remembers,
    revocation_found,
    revocations,
    signed_by_issuer,
    silent_by_then,
    this_update,
    unknown_critical,
)
from dsig_certvalidator.names import TOO_MANY, Allowance
from dsig_certvalidator.reading import Readable, finding, one_line
from dsig_certvalidator.wording import (
    CRL,
    OCSP,
    crl_name,
    crl_reason,
    name_of,
    ocsp_name,
    ocsp_reason,
    time_text,
    words,
)

__all__ = ["CertificateStatus", "Standing", "Statuses"]

MAX_MOMENTS = 8
"""Later CRLs looked at one after the other; the newest say what the others did and more."""
MAX_SIGNERS = 2
"""How far certificates that only sign CRLs and OCSP responses are followed: theirs, and those of their CRLs."""

CLOCKS = timedelta(minutes=5)
"""How far the clock of whoever answers may be ahead of ours."""

_HOLD = "certificate hold"
_CRL_EXTENSIONS = frozenset(
    ("issuing_distribution_point", "delta_crl_indicator", "crl_number", "authority_key_identifier", "freshest_crl")
)
"""Those that may be critical; with another one a list must not be used (RFC 5280 5.2)."""


class Standing(Enum):
    """What is known of a certificate at a moment."""

    GOOD = auto()
    REVOKED = auto()
    UNKNOWN = auto()


@dataclass(slots=True)
class CertificateStatus:
    """Standing of one certificate, with reasons."""

    standing: Standing = Standing.UNKNOWN
    sources: list[tuple[str, bytes]] = field(default_factory=list)
    """Who says that it is good: for people, and the DER of it."""
    reasons: list[Finding] = field(default_factory=list)
    """Why it is revoked, or why nothing is known."""
    notes: list[Finding] = field(default_factory=list)
    """What is worth telling although it changes nothing at that moment."""

    @property
    def revoked(self) -> bool:
        """Whether somebody authentic says that it was revoked by then."""
        return self.standing is Standing.REVOKED

    @property
    def unknown(self) -> bool:
        """Whether nobody who may say so knows."""
        return self.standing is Standing.UNKNOWN


@dataclass(slots=True)
class _Said:
    """What one kind of source says."""

    sources: list[tuple[str, bytes]] = field(default_factory=list)
    revoked: list[Revoked] = field(default_factory=list)
    reasons: list[Finding] = field(default_factory=list)
    newest: datetime | None = None
    """thisUpdate of the newest source that says good."""

    def good(self, who: str, source: bytes, told: datetime) -> None:
        """Somebody says that it is good."""
        self.sources.append((who, source))
        self.newest = told if self.newest is None else max(self.newest, told)


class Statuses:
    """Answers from the CRLs and OCSP responses given, at one moment."""

    def __init__(self, given: Readable, at: datetime, evaluated: datetime, *, demanding: bool) -> None:
        self.given = given
        self.at = at
        self.demanding = demanding
        """Whether signers of CRLs and OCSP responses must be known to be good, not only not known to be revoked."""
        self.latest = max(at, evaluated, datetime.now(UTC) + CLOCKS)
        self._allowance = Allowance()

    def of(self, certificate: Any, path: ValidationPath, depth: int = 0) -> CertificateStatus:
        """The status of a certificate that `path` leads to or over."""
        if not depth:  # so that those below cannot use up what is for the authorities above them
            self._allowance = Allowance()
        said = _Said()
        self._crls(certificate, path, said, depth)
        self._ocsps(certificate, path, said, depth)
        subject = name_of(certificate.subject)
        past = [one for one in said.revoked if one.when <= self.at]
        if past:
            first = min(past)
            told = f"{subject} was revoked at {time_text(first.when)} ({first.why}), says the {first.who}"
            return CertificateStatus(Standing.REVOKED, reasons=[finding("trust-revoked", told, clause=CRL)])
        notes = []
        if said.revoked:  # all of them later, so it was good before
            first = min(said.revoked)
            told = f"{subject} was revoked at {time_text(first.when)} ({first.why}), says the {first.who}"
            told += "; that is after the time it is judged at"
            notes.append(finding("trust-revoked-later", told, "warning", clause=CRL))
            said.sources.append((first.who, first.source))
        if said.sources:
            return CertificateStatus(Standing.GOOD, sources=list(dict.fromkeys(said.sources)), notes=notes)
        reasons = said.reasons or [
            finding("trust-revocation-unknown", f"{subject}: there is no CRL and no OCSP response for it", clause=CRL)
        ]
        return CertificateStatus(Standing.UNKNOWN, reasons=list(dict.fromkeys(reasons)), notes=notes)

    # ------------------------------------------------------------------------------------------------------- CRLs

    def _crls(self, certificate: Any, path: ValidationPath, said: _Said, depth: int) -> None:
        """Ask the CRLs, once as of the moment and once as of each later one of them."""
        relevant = [crl for crl in self.given.crls if self._may_answer(crl, certificate, said)]
        self._changes(relevant, certificate, path, said)
        if not any(crl.delta_crl_indicator_value is None for crl in relevant):
            if self.given.crls and not said.reasons:
                subject = name_of(certificate.subject)
                said.reasons.append(
                    finding("trust-crl-missing", f"{subject}: none of the CRLs given is one of its issuer", clause=CRL)
                )
            return
        later = sorted({this_update(crl) for crl in relevant if this_update(crl) > self.at}, reverse=True)
        reasons: list[Finding] = []
        for moment in [*later[:MAX_MOMENTS], self.at]:
            usable = [crl for crl in relevant if this_update(crl) <= moment]
            if usable:
                reasons += self._as_of(moment, usable, certificate, path, said, depth)
        # Silence in a list that is out of date means nothing; what it tells of stays true.
        outdated = {this_update(crl) for crl in relevant if next_update(crl) < self.at}
        for moment in sorted(outdated, reverse=True)[:MAX_MOMENTS]:
            old = _Said()
            self._as_of(moment, [c for c in relevant if this_update(c) <= moment], certificate, path, old, depth)
            said.revoked += old.revoked
        self._released(relevant, certificate, path, said, depth)
        if not said.sources and not said.revoked:
            said.reasons += reasons

    def _changes(self, crls: Sequence[Any], certificate: Any, path: ValidationPath, said: _Said) -> None:
        """What the issuer tells of counts, also in a list whose silence would mean nothing.

        That is a delta CRL without a complete one, and a list that is for other certificates or another distribution
        point by its own words. All others are asked as of their times.
        """
        for crl in crls:
            partial = crl.delta_crl_indicator_value is not None or crl.issuing_distribution_point_value is not None
            if not partial or crl.critical_extensions - _CRL_EXTENSIONS:
                continue
            told = list(revocations(crl, certificate))
            if told and signed_by_issuer(crl, certificate, path):
                said.revoked += told

    def _released(self, crls: Sequence[Any], certificate: Any, path: ValidationPath, said: _Said, depth: int) -> None:
        """Who was put on hold is no longer if a later list does not name him (RFC 5280 5.3.1)."""
        for one in [revocation for revocation in said.revoked if revocation.why == _HOLD]:
            newer = [crl for crl in crls if one.told < this_update(crl) <= self.at]
            if any(crl.delta_crl_indicator_value is None for crl in newer):
                fresh = _Said()
                self._as_of(self.at, newer, certificate, path, fresh, depth)
                if fresh.sources and not fresh.revoked:
                    said.revoked.remove(one)
                    said.sources += fresh.sources

    def _may_answer(self, crl: Any, certificate: Any, said: _Said) -> bool:
        """Whether a CRL is one of the issuer, or an indirect one that the certificate names (RFC 5280 6.3.3 b)."""
        subject = name_of(certificate.subject)
        point = crl.issuing_distribution_point_value
        indirect = point is not None and point["indirect_crl"].native
        if crl.issuer != certificate.issuer:
            if not indirect:
                return False
            if crl.issuer not in crl_issuers(certificate):
                said.reasons.append(
                    finding(
                        "trust-crl-scope",
                        f"{subject}: the indirect CRL of {name_of(crl.issuer)} is none it names",
                        clause=CRL,
                    )
                )
                return False
        if this_update(crl) > self.latest:
            said.reasons.append(
                finding("trust-crl-not-yet-valid", f"{subject}: the {crl_name(crl)} is from the future", clause=CRL)
            )
            return False
        weak = weakness(crl["signature_algorithm"], None)
        if weak:
            said.reasons.append(finding("trust-crl-signature", f"{subject}: {crl_name(crl)}: {weak}", clause=CRL))
            return False
        return True

    def _as_of(
        self,
        moment: datetime,
        crls: Sequence[Any],
        certificate: Any,
        path: ValidationPath,
        said: _Said,
        depth: int,
    ) -> list[Finding]:
        """Ask the CRLs as of one moment; what they say goes to `said`, why they say nothing is returned."""
        subject = name_of(certificate.subject)
        on_path = {one.sha256 for one in path}
        known = by_subject((*self.given.anchors, *self.given.intermediates))
        signers = [one for name in {crl.issuer.hashable for crl in crls} for one in known[name]]
        signers.sort(key=lambda one: len(one.dump()))  # those with many names take nothing from those with few
        beyond = [one for one in signers if not self._may_compare(one, path)]
        reasons = [
            finding(
                "trust-crl-issuer",
                f"{subject}: the CRLs of {name_of(one.subject)} are not asked: {TOO_MANY}",
                clause=CRL,
            )
            for one in beyond
        ]
        if any(one.sha256 in on_path for one in beyond):
            return reasons
        judging = self._context(moment, crls=crls, without=beyond)
        try:
            finished(verify_crl(certificate, path, judging))
        except RevokedError as error:
            authentic = self._authentic(crls, judging, certificate, path, depth, reasons)
            if authentic:
                said.revoked.append(revocation_found(error, authentic, certificate))
            return reasons
        except CRLNoMatchesError:
            return reasons or [finding("trust-crl-missing", f"{subject}: none of the CRLs given is for it", clause=CRL)]
        except CRLValidationIndeterminateError as error:
            return reasons or [crl_reason(str(failure[0]), subject) for failure in error.failures]
        except (CRLValidationError, PathValidationError) as error:
            return reasons or [crl_reason(one_line(error), subject)]
        authentic = self._authentic(crls, judging, certificate, path, depth, reasons)
        if not authentic:
            return reasons
        listed = [entry for crl in authentic for entry in entries_for(crl, certificate)]
        if listed:  # with dates that are not before `moment`, or taken back
            said.revoked += (one for crl in authentic for one in revocations(crl, certificate, since=moment))
        elif any(silent_by_then(crl, certificate) for crl in authentic):
            return [
                finding(
                    "trust-revocation-after-expiry",
                    f"{subject}: the {crl_name(authentic[0])} was issued after the certificate had expired, and need"
                    " not list it any more",
                    clause="RFC 5280 3.3",
                )
            ]
        for crl in authentic:
            said.good(crl_name(crl), crl.dump(), this_update(crl))
        return reasons

    def _may_compare(self, signer: Any, path: ValidationPath) -> bool:
        """Whether the names of who signs CRLs or OCSP responses may be compared with what his own path constrains.

        Whoever was not issued by his path's authority costs nothing: the library ends there, before it looks at names.
        """
        try:
            own = list(path.truncate_to_issuer_and_append(signer))
        except LookupError:
            return True
        strange = own[-1].sha256 not in {one.sha256 for one in path} and not is_issued_by(signer, own[-2])
        return strange or self._allowance.takes(own)

    def _authentic(
        self,
        crls: Sequence[Any],
        judging: ValidationContext,
        certificate: Any,
        path: ValidationPath,
        depth: int,
        reasons: list[Finding],
    ) -> list[Any]:
        """The CRLs whose signer the library found, and found good as far as that is known."""
        on_path = {one.sha256 for one in path}
        found = []
        for crl in crls:
            signer = judging.revinfo_manager.check_crl_issuer(crl)
            if signer is None:
                continue
            if signer.sha256 == certificate.sha256 and depth == 0:
                continue  # nobody vouches for himself
            if signer.sha256 not in on_path and signer.sha256 != certificate.sha256:
                problem = self._signer_problem(signer, path, depth)
                if problem:
                    reasons.append(finding("trust-crl-issuer", f"{crl_name(crl)}: its signer {problem}", clause=CRL))
                    continue
            found.append(crl)
        return found

    def _signer_problem(self, signer: Any, path: ValidationPath, depth: int) -> str:
        """Why a certificate that signs CRLs or OCSP responses only cannot be relied on, or an empty string."""
        weak = small_key(signer.public_key)
        if weak:
            return f"has {weak}"
        if depth >= MAX_SIGNERS:
            return "is too far away"
        try:
            own = path.truncate_to_issuer_and_append(signer)
        except LookupError:
            return "is not one of the path's authorities"
        status = self.of(signer, own, depth + 1)
        if status.standing is Standing.REVOKED:
            return "was revoked"
        if status.standing is Standing.UNKNOWN and self.demanding:
            return "may have been revoked"
        return ""

    # ------------------------------------------------------------------------------------------------------- OCSP

    def _ocsps(self, certificate: Any, path: ValidationPath, said: _Said, depth: int) -> None:
        """Ask each OCSP response by itself, the newest first."""
        subject = name_of(certificate.subject)
        answers: list[Any] = []
        for response in self.given.ocsps:
            status = response["response_status"].native
            if status != "successful":
                said.reasons.append(
                    finding(
                        "trust-ocsp-refused",
                        f"{subject}: the OCSP responder answered {status.replace('_', ' ')}",
                        clause="RFC 6960 2.3",
                    )
                )
                continue
            answers += (one for one in OCSPContainer.load_multi(response) if is_about(one, certificate))
        for container in sorted(answers, key=issued_at, reverse=True):
            self._ocsp(container, certificate, path, said, depth)

    def _ocsp(self, container: Any, certificate: Any, path: ValidationPath, said: _Said, depth: int) -> None:
        """As of the moment, or as of its own time if that is later.

        What a response tells of stays true when it is out of date, so a revocation is looked at as of its time.
        """
        subject, who, source = name_of(certificate.subject), ocsp_name(container), container.ocsp_response_data.dump()
        single = container.extract_single_response()
        issued, state = issued_at(container), single["cert_status"].name
        moment = max(self.at, issued)
        outdated = (single["next_update"].native or issued) < moment
        if outdated and state == "revoked":
            moment = issued
        if issued > self.latest:
            said.reasons.append(
                finding("trust-ocsp-not-yet-valid", f"{subject}: the {who} is from the future", clause=OCSP)
            )
            return
        basic = container.extract_basic_ocsp_response()
        weak = weakness(basic["signature_algorithm"], None)
        if weak:
            said.reasons.append(finding("trust-ocsp-signature", f"{subject}: {who}: {weak}", clause=OCSP))
            return
        unknown = unknown_critical(basic["tbs_response_data"]["response_extensions"], single["single_extensions"])
        if unknown:
            told = f"{subject}: {who}: nobody here knows its critical extension {unknown}"
            said.reasons.append(finding("trust-ocsp-unusable", told, clause="RFC 6960 4.4"))
            return
        if not all(self._may_compare(one, path) for one in self._responders(basic, certificate)):
            told = f"{subject}: the {who} is not looked at: {TOO_MANY}"
            said.reasons.append(finding("trust-ocsp-responder", told, clause=OCSP))
            return
        judging = self._context(moment, ocsps=[container])
        try:
            finished(verify_ocsp_response(certificate, path, judging))
        except RevokedError as error:
            if not self._responder_problem(basic, path, depth):
                when, why = first_lost(single, error.revocation_dt), words(str(error.reason.native))
                released = outdated and why == _HOLD and said.newest is not None and said.newest > issued
                if not released:
                    said.revoked.append(Revoked(when, why, who, source, issued))
            return
        except OCSPNoMatchesError:
            return
        except OCSPValidationIndeterminateError as error:
            if error.failures:
                said.reasons += (ocsp_reason(str(failure[0]), subject) for failure in error.failures)
                return
            if state == "revoked":  # authentic, and the revocation is later than the moment
                revoked = single["cert_status"].chosen
                why = words(str(revoked["revocation_reason"].native or "unspecified"))
                when = first_lost(single, revoked["revocation_time"].native)
                said.revoked.append(Revoked(when, why, who, source, issued))
                return
            said.reasons.append(
                finding("trust-ocsp-unknown", f"{subject}: the OCSP responder does not know it", clause="RFC 6960 2.2")
            )
            return
        except (OCSPValidationError, PathValidationError) as error:
            said.reasons.append(ocsp_reason(one_line(error), subject))
            return
        problem = self._responder_problem(basic, path, depth)
        if problem:
            said.reasons.append(finding("trust-ocsp-responder", f"{subject}: {who}: its signer {problem}", clause=OCSP))
        elif issued > certificate.not_valid_after and not remembers(single, certificate):
            said.reasons.append(
                finding(
                    "trust-revocation-after-expiry",
                    f"{subject}: the {who} was made after the certificate had expired, and need not know it any more",
                    clause="RFC 6960 4.4.4",
                )
            )
        else:
            said.good(who, source, issued)

    def _responder_problem(self, basic: Any, path: ValidationPath, depth: int) -> str:
        """Why the delegated signer of a response cannot be relied on, unless it is exempt (RFC 6960 4.2.2.2.1)."""
        on_path = {one.sha256 for one in path}
        for signer in basic["certs"] or ():
            usage = signer.extended_key_usage_value
            delegated = usage is not None and "ocsp_signing" in usage.native
            allowed = signer.key_usage_value
            if delegated and allowed is not None and not allowed.native & {"digital_signature", "non_repudiation"}:
                return "may not sign (keyUsage digitalSignature)"
            if delegated and (weak := small_key(signer.public_key)):
                return f"has {weak}"
            if delegated and signer.ocsp_no_check_value is None and signer.sha256 not in on_path:
                problem = self._signer_problem(signer, path, max(depth, MAX_SIGNERS - 1))
                if problem:
                    return problem
        return ""

    def _responders(self, basic: Any, certificate: Any) -> list[Any]:
        """Who may have signed a response, but for the issuer himself: he is on the path already."""
        who = basic["tbs_response_data"]["responder_id"]
        known = [
            one
            for one in (*self.given.anchors, *self.given.intermediates)
            if (
                one.subject == who.chosen
                if who.name == "by_name"
                else who.native in (one.public_key.sha1, one.key_identifier)
            )
        ]
        return [one for one in (*(basic["certs"] or ()), *known) if one.subject != certificate.issuer]

    def _context(
        self,
        moment: datetime,
        *,
        crls: Sequence[Any] = (),
        ocsps: Sequence[Any] = (),
        without: Sequence[Any] = (),
    ) -> ValidationContext:
        """A context as of a moment, in which nobody knows the certificates that are left out."""
        left_out = {one.sha256 for one in without}
        anchors, others = (
            [one for one in known if one.sha256 not in left_out] if left_out else known
            for known in (self.given.anchors, self.given.intermediates)
        )
        return context(anchors, others, moment, crls=crls, ocsps=ocsps)
