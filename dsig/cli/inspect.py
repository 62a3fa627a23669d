"""`dsig inspect`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, TextIO

import click

from dsig.cli.configured import Configured
from dsig.cli.options import (
    backend_option,
    convert_un_option,
    dictionary_option,
    input_option,
    limit_option,
    verbosity_options,
    with_plugins,
)
from dsig.cli.terminal import covered, row, signer, standard_output
from dsig.dicom.dictionaries import Dictionary
from dsig.limits import Limits
from dsig.model import Finding
from dsig.plugins import Plugins
from dsig.printable import date_time
from dsig.verbs.inspect import InspectedSignature, Inspection, inspect

__all__ = ["command"]

SCHEMA = "dsig.inspection/1"


@click.command("inspect", cls=Configured)
@click.argument("path", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@convert_un_option
@dictionary_option
@input_option
@limit_option
@backend_option("crypto")
@verbosity_options
@with_plugins
def command(
    path: str,
    as_json: bool,
    convert_un: bool,
    dictionary: Dictionary | None,
    input_kind: str,
    limits: Limits,
    crypto_backend: str,
    quiet: bool,
    verbose: bool,
    plugins: Plugins,
) -> int:
    """List the signatures of a DICOM file: what each says of itself and covers. Nothing is verified.

    Example: dsig inspect signed.dcm
    """
    found = inspect(
        path,
        input_kind=input_kind,
        convert_un=convert_un,
        dictionary=dictionary,
        crypto_backend=crypto_backend,
        plugins=plugins,
        limits=limits,
    )
    with standard_output() as out:
        if as_json:
            json.dump(_document(found), out, indent=2)
            out.write("\n")
        else:
            _tell(out, found, int(verbose) - int(quiet))
    return 0


def _document(found: Inspection) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "path": found.path,
        "sop_instance_uid": found.sop_instance_uid,
        "transfer_syntax": found.transfer_syntax,
        "elements": found.elements,
        "findings": [asdict(finding) for finding in found.findings],
        "signatures": [_signature(signature) for signature in found.signatures],
    }


def _signature(signature: InspectedSignature) -> dict[str, Any]:
    mac, facts = signature.mac, signature.signer
    return {
        "uid": signature.uid,
        "location": signature.location,
        "claimed": signature.claimed or None,
        "purpose": asdict(signature.purpose) if signature.purpose else None,
        "timestamp": signature.timestamp,
        "mac": {
            "id": mac.id,
            "algorithm": mac.algorithm,
            "transfer_syntax": mac.transfer_syntax,
            "elements": [f"{tag:08X}" for tag in mac.elements],
        },
        "signer": None
        if facts is None
        else {
            "subject": facts.subject,
            "issuer": facts.issuer,
            "serial": facts.serial,
            "sha256": facts.sha256,
            "key": facts.key,
            "not_before": facts.not_before.isoformat() if facts.not_before else None,
            "not_after": facts.not_after.isoformat() if facts.not_after else None,
        },
        "coverage": asdict(signature.coverage),
        "findings": [asdict(finding) for finding in signature.findings],
    }


def _tell(out: TextIO, found: Inspection, verbose: int) -> None:
    count = len(found.signatures)
    row(out, "file", f"{found.path}: {count or 'no'} signature{'' if count == 1 else 's'}, not verified", indent=0)
    row(out, "instance", found.sop_instance_uid or "without SOP Instance UID")
    row(out, "syntax", found.transfer_syntax)
    row(out, "elements", str(found.elements))
    for finding in found.findings:
        row(out, _label(finding), finding.message)
    for signature in found.signatures:
        place = "the data set" if signature.location == "/" else signature.location
        row(out, "signature", f"{signature.uid or 'without UID'} of {place}")
        if verbose >= 0:
            _details(out, signature, verbose)


def _details(out: TextIO, signature: InspectedSignature, verbose: int) -> None:
    mac, facts = signature.mac, signature.signer
    row(out, "signer", signer(facts), indent=4)
    if facts is not None:
        row(out, "sha256", facts.sha256, indent=4)
        if facts.not_before and facts.not_after:
            row(out, "valid", f"{facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}", indent=4)
    claimed = f"{date_time(signature.claimed)} by the signer's clock" if signature.claimed else "no time"
    row(out, "claimed", claimed, indent=4)
    row(out, "timestamp", "yes" if signature.timestamp else "none", indent=4)
    if signature.purpose:
        row(out, "purpose", f"{signature.purpose.meaning} ({signature.purpose.code})", indent=4)
    number = "no MAC ID" if mac.id is None else f"MAC ID {mac.id}"
    row(out, "mac", f"{mac.algorithm or 'unknown'} in {mac.transfer_syntax or 'unknown'}, {number}", indent=4)
    row(out, "covers", covered(signature.coverage), indent=4)
    for finding in signature.findings:
        row(out, _label(finding), finding.message, indent=4)
    if verbose > 0:
        for element in signature.coverage.unsigned:
            place = element.location or f"({element.tag[:4]},{element.tag[4:]}) {element.keyword}"
            value = f" = {element.value}" if element.value else ""
            row(out, "unsigned", f"{place.rstrip()}: {element.reason}{value}", indent=4)


def _label(finding: Finding) -> str:
    return "note" if finding.severity == "info" else finding.severity
