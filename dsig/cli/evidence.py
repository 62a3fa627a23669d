"""`dsig evidence`: collect, renew, verify."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from dsig.batch.inputs import Input, Problem, find, is_dicom
from dsig.cli.options import backend_option, input_option, revocation_options, verbosity_options, with_plugins
from dsig.cli.status import ExitStatus
from dsig.cli.terminal import row, standard_output
from dsig.cli.tsa import tsa_options
from dsig.dicom.output import replacing
from dsig.errors import InputError, UsageError, Where
from dsig.hookspecs import Revocation
from dsig.io import refuse_loss
from dsig.model import Status
from dsig.plugins import Plugins
from dsig.timestamps.evidence import Evidence, read_evidence
from dsig.timestamps.stamping import QueryOptions, TsaOptions
from dsig.trust.material import load_trust
from dsig.verbs.evidence import collect_evidence, renew_evidence, verify_evidence
from dsig.verbs.verify import VerifyOptions

__all__ = ["command"]

STATUS = {Status.PASSED: ExitStatus.DONE, Status.FAILED: ExitStatus.FAILED}


@click.group("evidence")
def command() -> None:
    """Keep beside files what proves their signatures when certificates and timestamps have expired."""


def _roots_of_tsas(function: Callable[..., int]) -> Callable[..., int]:
    """Whose timestamps count, and when; the function gets `tsa_trust` and `at`."""

    @click.option(
        "--tsa-root", "roots", multiple=True, required=True, metavar="FILE|DIR", help="Trust timestamps of these."
    )
    @click.option("--tsa-intermediate", "others", multiple=True, metavar="FILE", help="Offer these for their paths.")
    @click.option("--crl", "crls", multiple=True, metavar="FILE|DIR", help="Ask these revocation lists. Repeatable.")
    @click.option("--ocsp", "ocsps", multiple=True, metavar="FILE", help="Ask these OCSP responses. Repeatable.")
    @revocation_options
    @click.option("--at", metavar="TIME", help="Judge at this time, as 2026-01-31T12:00:00Z. Default: now.")
    @backend_option("crypto")
    @backend_option("trust")
    @verbosity_options
    @with_plugins
    @functools.wraps(function)
    def wrapper(
        *args: Any,
        roots: tuple[str, ...],
        others: tuple[str, ...],
        crls: tuple[str, ...],
        ocsps: tuple[str, ...],
        revocation: Revocation | None,
        online: bool,
        partial_chain: bool,
        at: str | None,
        crypto_backend: str,
        trust_backend: str,
        **kwargs: Any,
    ) -> int:
        options = VerifyOptions(
            tsa_trust=load_trust(roots, others, crls, ocsps, partial_chain=partial_chain),
            revocation=revocation,
            online=online,
            at=_time(at),
            crypto_backend=crypto_backend,
            trust_backend=trust_backend,
        )
        return function(*args, options=options, **kwargs)

    return wrapper


@command.command("collect", short_help="Verify files and keep what made them pass.")
@click.argument("paths", metavar="FILE|DIR|@LIST|-...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="EVIDENCE", help="Write the evidence to this file.")
@click.option("--trust-root", "trusted", multiple=True, required=True, metavar="FILE|DIR", help="Trust these signers.")
@click.option("--intermediate", "intermediates", multiple=True, metavar="FILE", help="Offer these for their paths.")
@tsa_options("--tsa", "Have the evidence stamped by this TSA. Repeatable.", required=True)
@click.option("--mac", default="SHA256", show_default=True, metavar="NAME", help="Hash of the evidence.")
@input_option
@_roots_of_tsas
def collect_command(
    paths: tuple[str, ...],
    output: str,
    trusted: tuple[str, ...],
    intermediates: tuple[str, ...],
    tsa: TsaOptions,
    mac: str,
    input_kind: str,
    options: VerifyOptions,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - there is no more to say
    plugins: Plugins,
) -> int:
    """Verify files and keep what made them pass: one evidence file for all of them.

    Example: dsig evidence collect signed.dcm -o signed.evidence --trust-root ca.pem --tsa-root tsa-ca.pem --tsa URL
    """
    refuse_loss(output, "the evidence", paths)
    offered = options.tsa_trust  # CRLs and OCSP responses serve signers and TSAs alike
    trust = load_trust(trusted, intermediates, partial_chain=offered.partial_chain)
    trust = replace(trust, crls=(*trust.crls, *offered.crls), ocsps=offered.ocsps)
    evidence = collect_evidence(
        *_files(paths, input_kind),
        tsa=replace(tsa, query=QueryOptions(mac=mac)),
        options=replace(options, trust=trust, input_kind=input_kind),
        plugins=plugins,
    )
    return _written(evidence, output, quiet=quiet)


@command.command("renew", short_help="Stamp evidence again before it expires.")
@click.argument("path", metavar="EVIDENCE")
@click.option("-o", "--output", required=True, metavar="FILE", help="Write the renewed evidence to this file.")
@tsa_options("--tsa", "Have the evidence stamped by this TSA. Repeatable.", required=True)
@click.option("--mac", default="SHA256", show_default=True, metavar="NAME", help="Hash of the evidence.")
@_roots_of_tsas
def renew_command(
    path: str,
    output: str,
    tsa: TsaOptions,
    mac: str,
    options: VerifyOptions,
    quiet: bool,
    verbose: bool,  # noqa: ARG001
    plugins: Plugins,
) -> int:
    """Stamp evidence again, before its last timestamp expires or its hash weakens.

    Example: dsig evidence renew old.evidence -o new.evidence --tsa-root tsa-ca.pem --tsa URL
    """
    refuse_loss(output, "the evidence", ())
    evidence = renew_evidence(
        read_evidence(path), tsa=replace(tsa, query=QueryOptions(mac=mac)), options=options, plugins=plugins
    )
    return _written(evidence, output, quiet=quiet)


@command.command("verify", short_help="Say since when its content is proven to exist.")
@click.argument("path", metavar="EVIDENCE")
@_roots_of_tsas
def verify_command(
    path: str,
    options: VerifyOptions,
    quiet: bool,
    verbose: bool,  # noqa: ARG001
    plugins: Plugins,
) -> int:
    """Say since when the content of evidence is proven to exist; `dsig verify --evidence` judges signatures with it."""
    evidence = read_evidence(path)
    report = verify_evidence(evidence, options=options, plugins=plugins)
    if not quiet:
        with standard_output() as out:
            row(out, report.status, f"{path}: {len(report.signatures)} signatures", indent=0)
            for finding in report.findings:
                row(out, "note" if finding.severity == "info" else finding.severity, finding.message)
    return STATUS.get(report.status, ExitStatus.INDETERMINATE)


def _files(paths: tuple[str, ...], kind: str) -> list[str]:
    """All files given, and all DICOM files below directories given. Raises `InputError` for what cannot be had."""
    found: list[str] = []
    for entry in find(paths):
        if isinstance(entry, Problem):
            raise entry.error
        if isinstance(entry, Input) and (not entry.listed or is_dicom(entry.path, kind)):
            found.append(entry.path)
    if not found:
        raise InputError("no DICOM files there", code="nothing-found", where=Where(paths[0]))
    return found


def _written(evidence: Evidence, output: str, *, quiet: bool) -> int:
    with replacing(output) as file:
        file.write(evidence.document())
    if not quiet:
        with standard_output() as out:
            row(out, "written", output, indent=0)
            row(out, "signatures", str(len(evidence.signatures)))
            row(out, "timestamps", str(len(evidence.archive)))
    return 0


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time", hint="write 2026-01-31T12:00:00Z") from None
