"""`dsig verify`."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from dsig.batch.report import LiveReport
from dsig.batch.run import Chosen
from dsig.batch.verifying import VerifyWork
from dsig.cli.configured import Configured
from dsig.cli.many import Many, Running, many_options, running, unforeseen
from dsig.cli.observers import audience
from dsig.cli.options import (
    backend_option,
    configuration,
    convert_un_option,
    dictionary_option,
    input_option,
    limit_option,
    mac_backend_option,
    old_format_option,
    revocation_options,
    verbosity_options,
    with_plugins,
)
from dsig.cli.status import ExitStatus, gravest
from dsig.cli.tags import coverage_wanted
from dsig.cli.terminal import complain, standard_output
from dsig.distrust import blaming
from dsig.errors import InputError, UsageError, Where
from dsig.hookspecs import ReporterSpec, Revocation, ThumbnailerSpec
from dsig.io import refuse_loss
from dsig.limits import Limits
from dsig.model import ErrorReport, FileReport, FileVerdict, Report, ReportView
from dsig.plugins import Plugins
from dsig.providers import Provider
from dsig.timestamps.proof import TimestampPolicy
from dsig.trust.material import TrustMaterial, load_trust
from dsig.verbs.verify import VerifyOptions, error_report, plugins_used

if TYPE_CHECKING:
    from dsig.batch.outcome import Outcome
    from dsig.batch.purpose import Purpose
    from dsig.cli.progress import Progress
    from dsig.dicom.dictionaries import Dictionary
    from dsig.judgement.policy import Policy
    from dsig.thumbnails import Studio, Version
    from dsig.timestamps.evidence import Evidence

__all__ = ["STATUS", "command"]

STATUS = {
    FileVerdict.PASSED: ExitStatus.DONE,
    FileVerdict.FAILED: ExitStatus.FAILED,
    FileVerdict.INDETERMINATE: ExitStatus.INDETERMINATE,
    FileVerdict.UNSIGNED: ExitStatus.UNSIGNED,
    FileVerdict.ERROR: ExitStatus.INPUT,
}


@click.command("verify", cls=Configured)
@click.argument("paths", metavar="FILE|DIR|@LIST|-...", nargs=-1, required=True)
@click.option("--trust-root", "roots", multiple=True, metavar="FILE|DIR", help="Trust these certificates. Repeatable.")
@click.option(
    "--intermediate", "intermediates", multiple=True, metavar="FILE", help="Offer these for paths. Repeatable."
)
@click.option("--crl", "crls", multiple=True, metavar="FILE|DIR", help="Ask these revocation lists. Repeatable.")
@click.option("--ocsp", "ocsps", multiple=True, metavar="FILE", help="Ask these OCSP responses. Repeatable.")
@revocation_options
@click.option("--require-timestamp", is_flag=True, help="Fail unless a good timestamp proves when it was signed.")
@click.option("--ignore-timestamp", is_flag=True, help="Do not look at timestamps.")
@click.option(
    "--tsa-root", "tsa_roots", multiple=True, metavar="FILE|DIR", help="Trust timestamps of these roots. Repeatable."
)
@click.option(
    "--tsa-intermediate",
    "tsa_intermediates",
    multiple=True,
    metavar="FILE",
    help="Offer these for paths of timestamps. Repeatable.",
)
@click.option(
    "--evidence", "evidence_files", multiple=True, metavar="FILE", help="What dsig evidence kept. Repeatable."
)
@click.option("--at", metavar="TIME", help="Judge certificates at this time, as 2026-01-31T12:00:00Z. Default: now.")
@click.option("--no-trust", is_flag=True, help="Do not ask who signed, only whether the data are what was signed.")
@click.option(
    "--require-coverage",
    multiple=True,
    metavar="all|profile|TAG,...",
    help="Fail unless everything, what the required profile lists, or these elements are signed. Repeatable.",
)
@click.option(
    "--require",
    "profiles",
    multiple=True,
    metavar="PROFILE",
    help="Fail unless a signature that passes meets this profile, as creator. Repeatable.",
)
@click.option(
    "--policy", "policy_file", metavar="FILE", help="Apply the rules of this site (TOML); see docs/policy.md."
)
@click.option("--strict", is_flag=True, help="Fail for what is legal but lets signed content be read in another way.")
@old_format_option
@convert_un_option
@dictionary_option
@input_option
@limit_option
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    metavar="NAME",
    help="Report format: text, html, json, pdf, junit, or that of a plugin. Without, by the ending of --report FILE.",
)
@click.option("--report", metavar="FILE", help="Write the report to this file instead of standard output.")
@click.option(
    "--thumbnails", is_flag=True, help="Show the instances in the report (html, pdf). The report then shows patients."
)
@click.option("--thumbnailer", default="pydicom", show_default=True, metavar="NAME", help="Who draws the thumbnails.")
@backend_option("crypto")
@mac_backend_option
@backend_option("trust")
@many_options
@verbosity_options
@with_plugins
def command(
    paths: tuple[str, ...],
    roots: tuple[str, ...],
    intermediates: tuple[str, ...],
    crls: tuple[str, ...],
    ocsps: tuple[str, ...],
    revocation: Revocation | None,
    online: bool,
    partial_chain: bool,
    require_timestamp: bool,
    ignore_timestamp: bool,
    tsa_roots: tuple[str, ...],
    tsa_intermediates: tuple[str, ...],
    evidence_files: tuple[str, ...],
    at: str | None,
    no_trust: bool,
    require_coverage: tuple[str, ...],
    profiles: tuple[str, ...],
    policy_file: str | None,
    strict: bool,
    old_format: bool,
    convert_un: bool,
    dictionary: Dictionary | None,
    input_kind: str,
    limits: Limits,
    form: str,
    report: str | None,
    thumbnails: bool,
    thumbnailer: str,
    crypto_backend: str,
    mac_backend: str,
    trust_backend: str,
    many: Many,
    quiet: bool,
    verbose: bool,
    plugins: Plugins,
) -> int:
    """Verify all signatures of DICOM files.

    A verdict of passed needs a trusted root (--trust-root), or --no-trust. Exit status: 0 all passed, 1 something
    failed, 3 indeterminate, 4 unsigned, 5 input; over many files the gravest of 1, 5, 3, 4.

    Example: dsig verify signed.dcm --trust-root ca.pem
    """
    if no_trust and (roots or intermediates):
        raise UsageError("--no-trust leaves nothing to do for trusted roots and intermediates")
    if no_trust and not tsa_roots and (crls or ocsps or revocation or online):
        raise UsageError("--no-trust leaves nothing to do for CRLs, OCSP responses and the network")
    if require_timestamp and ignore_timestamp:
        raise UsageError("--require-timestamp and --ignore-timestamp contradict each other")
    if report is not None:
        given = (*paths, *roots, *intermediates, *crls, *ocsps, *tsa_roots, *tsa_intermediates, *evidence_files)
        refuse_loss(report, "the report", (*given, policy_file, many.ledger))
    options = VerifyOptions(
        trust=load_trust(roots, intermediates, crls, ocsps, partial_chain=partial_chain),
        check_trust=not no_trust,
        revocation=revocation,
        online=online,
        evidence=_evidence(evidence_files),
        timestamps=_policy(require_timestamp, ignore_timestamp),
        tsa_trust=load_trust(tsa_roots, tsa_intermediates, crls, ocsps, partial_chain=partial_chain)
        if tsa_roots or tsa_intermediates
        else TrustMaterial(),
        at=_time(at) or datetime.now(UTC),  # one time for all files, so that a chain is judged once
        require_coverage=coverage_wanted(require_coverage, dictionary),
        require_profiles=profiles,
        policy=None if policy_file is None else _site_policy(policy_file),
        strict=strict,
        old_format=old_format,
        convert_un=convert_un,
        dictionary=dictionary,
        input_kind=input_kind,
        crypto_backend=crypto_backend,
        mac_backend=mac_backend,
        trust_backend=trust_backend,
        limits=limits,
    )
    form = _format(form, report, plugins)
    reporter = plugins.reporters.provider(form)
    plugins.reporters.get(form)  # a report that cannot be written is known before the work
    loudness = int(verbose) - int(quiet)
    if thumbnails and not reporter.spec.pictures:
        showing = ", ".join(sorted(p.spec.name for p in plugins.reporters if p.spec.pictures)) or "none"
        raise UsageError(f"a report of the format {form} shows no thumbnails", hint=f"formats that do: {showing}")

    @contextlib.contextmanager
    def work(_chosen: Chosen, digests: bool) -> Iterator[VerifyWork]:
        yield VerifyWork(options, plugins, digests)

    with (
        audience(plugins) as observers,
        _studio(plugins.thumbnailers.provider(thumbnailer) if thumbnails else None) as studio,
        running(
            paths,
            many,
            plugins,
            kind=input_kind,
            quiet=quiet,
            work=work,
            purpose=lambda: _purpose(replace(options, at=_time(at)), plugins),
        ) as run,
    ):
        statuses: set[int] = set()
        sources: list[tuple[str, Version | None]] | None = None if studio is None else []
        files = _reports(run, statuses, sources)
        if observers is not None:
            files = observers.watching(files)
        first = list(itertools.islice(files, 2))  # trouble with everything is known before a report begins
        view: ReportView
        live = LiveReport(itertools.chain(first, files), lambda file: plugins_used(options, plugins, [file]))
        live.uses({reporter.origin, *plugins_used(options, plugins, ())})
        if len(first) < 2 or studio is not None or not reporter.spec.streams:
            files_ = tuple(live.files)
            if live.failed is not None:
                raise live.failed
            if studio is not None and sources is not None:
                files_ = studio.pictured(files_, sources)
                live.uses({plugins.thumbnailers.provider(thumbnailer).origin})
            view = Report(files_, live.plugins)
        else:
            view = live
        _write(view, reporter, plugins, report, verbose=loudness, progress=run.progress)
        for _ in live.files:  # a reader that went away changes no verdict
            pass
        if live.failed is not None:
            raise live.failed
        run.summary()
        return run.stopped() or gravest(statuses)


def _format(named: str, report: str | None, plugins: Plugins) -> str:
    """The report format; where none is named, the one whose name FILE ends with."""
    source = click.get_current_context().get_parameter_source("form")
    ending = os.path.splitext(report or "")[1][1:].lower()  # noqa: PTH122
    if source is ParameterSource.DEFAULT and any(p.spec.name == ending for p in plugins.reporters):
        return ending
    return named


@contextlib.contextmanager
def _studio(provider: Provider[ThumbnailerSpec] | None) -> Iterator[Studio | None]:
    """Who draws thumbnails, if somebody wants them. Raises `PluginError` if that one does not load."""
    if provider is None:
        yield None
        return
    from dsig.thumbnails import Studio

    with Studio(provider) as studio:
        yield studio


def _reports(
    run: Running, statuses: set[int], sources: list[tuple[str, Version | None]] | None = None
) -> Iterator[FileReport]:
    """The report on each file; that of something that is no file says so. `sources` gets what thumbnails need."""
    alone = True
    while (outcome := next(run.outcomes, None)) is not None:
        number, alone = (0 if alone else 1), False
        if sources is not None:
            sources.append(_source(outcome))
        if isinstance(outcome.result, FileReport):
            statuses.add(STATUS[outcome.result.verdict])
            yield outcome.result
            continue
        if outcome.error is None:
            complain(unforeseen(outcome))
            statuses.add(ExitStatus.INTERNAL)
            internal = ErrorReport("internal", f"internal error: {outcome.unforeseen}", outcome.path)
            yield FileReport(outcome.path, FileVerdict.ERROR, error=internal)
            continue
        if not isinstance(outcome.error, InputError):
            raise outcome.error  # about the request or a plugin: the next file would say the same
        if outcome.job is None and number == 0:
            following = next(run.outcomes, None)
            if following is None:
                raise outcome.error  # there is nothing to report on
            run.outcomes = itertools.chain([following], run.outcomes)
        statuses.add(ExitStatus.INPUT)
        yield FileReport(outcome.path, FileVerdict.ERROR, error=error_report(outcome.error))


def _source(outcome: Outcome) -> tuple[str, Version | None]:
    """Where the file is, and what it was before it was verified."""
    job = outcome.job
    if job is None or job.before is None:
        return outcome.path, None
    return job.source, (job.before.size, job.before.mtime_ns, job.before.inode)


def _purpose(options: VerifyOptions, plugins: Plugins) -> Purpose:
    """What must be the same for a ledger to go on: everything a verdict depends on."""
    from dsig.batch.purpose import Purpose, settings

    return Purpose("verify", settings(options, plugins=plugins.choice))


def _evidence(paths: tuple[str, ...]) -> tuple[Evidence, ...]:
    if not paths:
        return ()
    from dsig.timestamps.evidence import read_evidence

    return tuple(read_evidence(path) for path in paths)


def _site_policy(given: str) -> Policy:
    """The policy of a file, or `@NAME` of the configuration. Raises `UsageError`."""
    from dsig.judgement.policy import load_policy, policy_of

    if not given.startswith("@"):
        return load_policy(given)
    setup = configuration(click.get_current_context()).setup("policy", given[1:])
    return policy_of(setup.values, Where(f"{setup.origin}, [policy.{setup.name}]"))


def _policy(require: bool, ignore: bool) -> TimestampPolicy:
    if require:
        return TimestampPolicy.REQUIRE
    return TimestampPolicy.IGNORE if ignore else TimestampPolicy.VERIFY


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time", hint="write 2026-01-31T12:00:00Z") from None


def _write(
    whole: ReportView,
    provider: Provider[ReporterSpec],
    plugins: Plugins,
    path: str | None,
    *,
    verbose: int,
    progress: Progress | None,
) -> None:
    """Render to the file or to standard output. Raises `OutputError` or `PluginError`."""
    binary = provider.spec.binary
    if path is not None:
        from dsig.dicom.output import replacing

        with replacing(path) as file:
            if binary:
                _render(whole, provider, plugins, file, verbose)
                return
            text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")
            _render(whole, provider, plugins, text, verbose)
            text.detach()  # flushes, and leaves the file open
        return
    with standard_output() as out:
        if binary and out.isatty():
            raise UsageError(f"the format {provider.spec.name} is not for terminals", hint="give --report FILE")
        if progress is not None and not binary and out.isatty():
            from dsig.cli.progress import Beside

            _render(whole, provider, plugins, cast("IO[str]", Beside(out, progress)), verbose)
            return
        _render(whole, provider, plugins, out.buffer if binary else out, verbose)


def _render(
    whole: ReportView, provider: Provider[ReporterSpec], plugins: Plugins, stream: IO[Any], verbose: int
) -> None:
    reporter = plugins.reporters.get(provider.spec.name)
    with blaming(provider.origin, "writing the report", allow=(OSError,)):
        reporter.render(whole, stream, verbose=verbose)
