"""The report for people: the verdict first, then who, when, what was checked, and what is not protected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import IO, Any

from dsig.model import Axis, Coverage, FileReport, FileVerdict, Finding, ReportView, SignatureReport, Status
from dsig.printable import date_time
from dsig_reports.page import Page
from dsig_reports.reasons import NOT_STANDARD, UNSIGNED, is_standard, reasons
from dsig_reports.wording import ITEMS_ONLY, READINGS, is_of_items, matches

__all__ = ["TextReporter"]

SHOWN = 5
"""Findings shown for one axis unless the user wants all."""

_SIGNATURES_SHOWN = 3
_COLUMN = 12


class TextReporter:
    """Writes text; `dsig.hookspecs.Reporter`."""

    def render(self, report: ReportView, stream: IO[Any], *, verbose: int = 0) -> None:
        """One file: verdict, signatures, six answers. Several: a line for each, and why where it did not pass.

        Quiet: the line alone. Verbose: everything about every file, with all findings, all elements that are not
        protected, the digests.
        """
        page = Page(stream)
        files = iter(report.files)
        first = list(islice(files, 2))
        in_brief = verbose == 0 and len(first) > 1
        for number, file in enumerate(chain(first, files)):
            if number and verbose >= 0 and not in_brief:
                page.blank()
            if in_brief:
                _line(page, file)
            else:
                _file(page, file, verbose)
        if verbose < 0:
            return
        summary = report.summary
        if summary["files"] != 1:
            page.blank()
            counts = (f"{count} {name}" for name, count in summary.items() if count and name != "files")
            page.line(f"{summary['files']} files: {', '.join(counts) or 'nothing to judge'}")
            if in_brief:
                page.line("--verbose shows everything about each, and --format html for a browser")
        if verbose > 0:
            page.blank()
            uses = ", ".join(
                f"{use.name} ({use.distribution} {use.version}{use.record and f', RECORD {use.record[:16]}'})"
                for use in report.plugins
            )
            page.line(uses or "none", lead="plugins", column=_COLUMN)


def _line(page: Page, file: FileReport) -> None:
    """A file among many."""
    page.heading(file.verdict.value, file.path, _extent(file), column=_COLUMN + 2)
    told = list(reasons(file))
    more = f", and {len(told) - 1} more" if len(told) > 1 else ""
    if told:
        page.line(f"{told[0]}{more}", indent=_COLUMN + 2)


def _file(page: Page, file: FileReport, verbose: int) -> None:
    page.heading(file.verdict.value, file.path, _extent(file), column=_COLUMN + 2)
    if file.error is not None:
        hint = f" ({file.error.hint})" if file.error.hint else ""
        where = file.error.where.removeprefix(file.path).lstrip(", ")
        page.line(
            f"{file.error.message}{f' [{where}]' if where else ''}{hint}", indent=2, lead="reason", column=_COLUMN
        )
        return
    if verbose < 0:
        return
    if file.verdict is FileVerdict.UNSIGNED:
        page.line(UNSIGNED, indent=2)
    if verbose > 0:
        page.line(file.sop_instance_uid or "none", indent=2, lead="SOP instance", column=_COLUMN + 2)
        page.line(file.transfer_syntax or "unknown", indent=2, lead="syntax", column=_COLUMN + 2)
    _findings(page, file.findings, 2, verbose)
    for signature in file.signatures:
        _signature(page, signature, verbose)


def _signature(page: Page, signature: SignatureReport, verbose: int) -> None:
    def row(label: str, text: str) -> None:
        page.line(text, indent=4, lead=label, column=_COLUMN)

    place = "the data set" if signature.location == "/" else signature.location
    page.line(f"signature of {place}, {signature.uid or 'without UID'}", indent=2, lead=signature.verdict, column=14)
    _who(row, signature, verbose)
    times = signature.times
    row("claimed", f"{date_time(times.claimed)} by the signer's clock" if times.claimed else "no time")
    if times.proven:
        row("proven", f"{times.proven} by a timestamp")
    if times.evaluated:
        row("judged", f"as of {times.evaluated}")
    if signature.purpose is not None:
        row("purpose", f"{signature.purpose.meaning} ({signature.purpose.code}, {signature.purpose.scheme})")
    if signature.profiles:
        row("profiles", ", ".join(signature.profiles))
    remarks = {"integrity": _mac(signature, verbose), "coverage": _covered(signature.coverage)}
    for name, axis in signature.axes.items():
        _axis(page, name, axis, remarks.get(name, ""), verbose)
        if name == "coverage":
            page.line(_protected(signature.coverage), indent=4 + _COLUMN)
    if verbose > 0:
        _unprotected(page, signature.coverage)
        row("digest", signature.mac.digest or "none")


def _who(row: Callable[[str, str], None], signature: SignatureReport, verbose: int) -> None:
    signer = signature.signer
    if signer is None:
        row("signer", "unknown, there is no readable certificate")
        return
    row("signer", f"{signer.subject or 'without name'}{_doubt(signature)}")
    row("issuer", signer.issuer or "without name")
    row("sha256", signer.sha256)
    if verbose > 0:
        row("key", signer.key)
        row("serial", signer.serial)
        if signer.not_before and signer.not_after:
            row("valid", f"{signer.not_before:%Y-%m-%d %H:%M:%S} to {signer.not_after:%Y-%m-%d %H:%M:%S} UTC")


def _doubt(signature: SignatureReport) -> str:
    """Why the certificate's word is not proof of who signed, or nothing."""
    name = "trust" if matches(signature) else "integrity"
    status = signature.axes[name].status
    return "" if status is Status.PASSED else f" (as the certificate says; {name} {status.value})"


def _axis(page: Page, name: str, axis: Axis, remark: str, verbose: int) -> None:
    page.line(f"{axis.status.value}{f', {remark}' if remark else ''}", indent=4, lead=name, column=_COLUMN)
    _findings(page, axis.findings, 4 + _COLUMN, verbose)


def _findings(page: Page, findings: Sequence[Finding], indent: int, verbose: int) -> None:
    shown = findings if verbose > 0 else findings[:SHOWN]
    for finding in shown:
        where = f" [{finding.location}]" if finding.location else ""
        clause = f" ({finding.clause})" if finding.clause else ""
        page.line(
            f"{finding.message}{where}{clause}",
            indent=indent,
            lead=finding.severity if finding.severity in ("error", "warning") else "note",
            column=len("warning") + 2,
        )
        if verbose > 0:
            page.line(finding.code, indent=indent + len("warning") + 2)
    if len(shown) < len(findings):
        page.line(f"and {len(findings) - len(shown)} more, see --verbose", indent=indent)


def _mac(signature: SignatureReport, verbose: int) -> str:
    mac, backend = signature.mac, signature.crypto_backend
    if not mac.digest:
        return ""
    by = f", computed by {mac.backend}" if mac.backend not in ("", "host") else ""
    if backend and (verbose > 0 or backend != "cryptography"):
        by += f", verified by {backend}"
    return f"{mac.algorithm} over {READINGS.get(mac.encoding, mac.encoding)}{by}"


def _covered(coverage: Coverage) -> str:
    signed = f"{coverage.signed} element{'' if coverage.signed == 1 else 's'} signed"
    return f"{signed}, {len(coverage.unsigned) + coverage.unsigned_more or 'none'} unsigned"


def _protected(coverage: Coverage) -> str:
    """What kinds of content the signature protects, in a line."""
    kinds = coverage.protection
    said = {"pixels": kinds.pixels, "identity": kinds.identity, "UIDs": kinds.uids, "clinical content": kinds.content}
    return ", ".join(f"{kind} {how}" for kind, how in said.items())


def _extent(file: FileReport) -> str:
    """What the verdict is about, so that it never stands alone."""
    if not file.signatures:
        return ""
    count = len(file.signatures)
    each = "; ".join(_part(signature) for signature in file.signatures[:_SIGNATURES_SHOWN])
    more = "; …" if count > _SIGNATURES_SHOWN else ""
    more += f"; {ITEMS_ONLY}" if is_of_items(file) else ""
    more += "" if all(map(is_standard, file.signatures)) else f"; {NOT_STANDARD}"
    return f" ({count} signature{'' if count == 1 else 's'}: {each}{more})"


def _part(signature: SignatureReport) -> str:
    """What one signature is about: its own item, if it is that of one."""
    covered = _covered(signature.coverage)
    return covered if signature.location == "/" else f"{covered} in {signature.location}"


def _unprotected(page: Page, coverage: Coverage) -> None:
    for element in coverage.unsigned:
        place = element.location or f"({element.tag[:4]},{element.tag[4:]}) {element.keyword}"
        value = f" = {element.value}" if element.value else ""
        page.line(f"{place.rstrip()}: {element.reason}{value}", indent=4, lead="unsigned", column=_COLUMN)
    if coverage.unsigned_more:
        page.line(f"and {coverage.unsigned_more} more inside sequences", indent=4, lead="unsigned", column=_COLUMN)
    for tag in coverage.absent:
        page.line(f"({tag[:4]},{tag[4:]})", indent=4, lead="absent", column=_COLUMN)
