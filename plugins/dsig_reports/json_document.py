"""The report as JSON: `dsig.report/1`, described by `dsig/schema/report-1.schema.json`."""

from __future__ import annotations

import json
from typing import IO, Any

from dsig.model import (
    Axis,
    Coverage,
    ErrorReport,
    FileReport,
    Finding,
    Purpose,
    Report,
    ReportView,
    SignatureReport,
    SignerFacts,
)

__all__ = ["SCHEMA", "JsonReporter", "document"]

SCHEMA = "dsig.report/1"


class JsonReporter:
    """Writes one JSON document; `dsig.hookspecs.Reporter`."""

    def render(self, report: ReportView, stream: IO[Any], *, verbose: int = 0) -> None:  # noqa: ARG002 - everything
        """Write the document in ASCII, so that nothing in it can act on a terminal; many files on a line each."""
        if isinstance(report, Report):
            json.dump(document(report), stream, indent=2, ensure_ascii=True)
        else:
            stream.write(f'{{"schema": "{SCHEMA}",\n"files": [')
            between = "\n"
            for file in report.files:
                stream.write(between + json.dumps(_file(file), ensure_ascii=True))
                between = ",\n"
            stream.write("\n],\n" + json.dumps(_rest(report), ensure_ascii=True)[1:])
        stream.write("\n")


def document(report: ReportView) -> dict[str, Any]:
    """The report in types JSON has: exactly what the schema file says."""
    return {"schema": SCHEMA, "files": [_file(file) for file in report.files], **_rest(report)}


def _rest(report: ReportView) -> dict[str, Any]:
    """What is known when all files have been looked at."""
    return {
        "summary": report.summary,
        "plugins": [
            {"name": use.name, "distribution": use.distribution, "version": use.version, "record": use.record}
            for use in report.plugins
        ],
    }


def _file(file: FileReport) -> dict[str, Any]:
    return {
        "path": file.path,
        "verdict": file.verdict.value,
        "sop_instance_uid": file.sop_instance_uid,
        "transfer_syntax": file.transfer_syntax,
        "findings": [_finding(finding) for finding in file.findings],
        "error": _error(file.error),
        "signatures": [_signature(signature) for signature in file.signatures],
    }


def _error(error: ErrorReport | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "where": error.where, "hint": error.hint}


def _signature(signature: SignatureReport) -> dict[str, Any]:
    mac, times = signature.mac, signature.times
    return {
        "uid": signature.uid,
        "location": signature.location,
        "verdict": signature.verdict.value,
        "axes": {name: _axis(axis) for name, axis in signature.axes.items()},
        "mac": {
            "id": mac.id,
            "algorithm": mac.algorithm,
            "transfer_syntax": mac.transfer_syntax,
            "digest": mac.digest,
            "encoding": mac.encoding,
            "backend": mac.backend,
        },
        "profiles": list(signature.profiles),
        "purpose": _purpose(signature.purpose),
        "signer": _signer(signature.signer),
        "times": {
            "claimed": times.claimed or None,
            "proven": times.proven or None,
            "evaluated": times.evaluated or None,
        },
        "coverage": _coverage(signature.coverage),
        "crypto_backend": signature.crypto_backend,
    }


def _axis(axis: Axis) -> dict[str, Any]:
    return {"status": axis.status.value, "findings": [_finding(finding) for finding in axis.findings]}


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "clause": finding.clause,
        "location": finding.location,
        "message": finding.message,
    }


def _purpose(purpose: Purpose | None) -> dict[str, str] | None:
    if purpose is None:
        return None
    return {"code": purpose.code, "scheme": purpose.scheme, "meaning": purpose.meaning}


def _signer(signer: SignerFacts | None) -> dict[str, str] | None:
    if signer is None:
        return None
    return {
        "subject": signer.subject,
        "issuer": signer.issuer,
        "serial": signer.serial,
        "sha256": signer.sha256,
        "key": signer.key,
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "signed": coverage.signed,
        "unsigned": [
            {
                "tag": element.tag,
                "keyword": element.keyword,
                "reason": element.reason,
                "location": element.location,
                "value": element.value,
            }
            for element in coverage.unsigned
        ],
        "unsigned_more": coverage.unsigned_more,
        "protection": {
            "pixels": coverage.protection.pixels.value,
            "identity": coverage.protection.identity.value,
            "uids": coverage.protection.uids.value,
            "content": coverage.protection.content.value,
        },
        "absent": list(coverage.absent),
    }
