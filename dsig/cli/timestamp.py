"""`dsig timestamp`: query, attach, fetch."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import click

from dsig.batch.outputs import Placement, placement
from dsig.batch.purpose import Purpose, settings
from dsig.batch.run import Chosen
from dsig.batch.timestamping import QUERY, AttachWork, FetchWork, Queried, QueryWork, Which
from dsig.batch.work import Work
from dsig.cli.configured import Configured
from dsig.cli.many import Many, many_options, running, tell_all
from dsig.cli.options import backend_option, input_option, output_options, verbosity_options, with_plugins
from dsig.cli.terminal import row, standard_output
from dsig.cli.tsa import query_options, tsa_options
from dsig.errors import UsageError
from dsig.plugins import Plugins
from dsig.timestamps.stamping import QueryOptions, TsaOptions
from dsig.trust.material import load_trust
from dsig.verbs.timestamp import Timestamped

__all__ = ["command"]


@click.group("timestamp")
def command() -> None:
    """Have signatures stamped by a time stamp authority (TSA, RFC 3161): over the network, or by files."""


class _Fetch(Configured):
    """The one of the three that has settings worth keeping: `[timestamp]`."""

    @property
    def table(self) -> str:
        """Of the group."""
        return "timestamp"


@dataclass(frozen=True, slots=True)
class _Site:
    """Where the work is done."""

    local: bool
    within: str | None
    """Directory of mirrored outputs."""
    digests: bool

    def path(self, given: str) -> str:
        """A path as given, or as workers elsewhere understand it."""
        return given if self.local else os.path.abspath(given)  # noqa: PTH100


@dataclass(frozen=True, slots=True)
class _Run:
    """What the three have in common."""

    verb: str
    paths: tuple[str, ...]
    which: Which
    many: Many
    quiet: bool
    verbose: bool
    plugins: Plugins

    def over(
        self,
        place: Placement,
        work: Callable[[_Site], Work],
        decides: dict[str, object],
        *,
        alone: Callable[[], None] | None = None,
        secret: bool = False,
    ) -> int:
        """Do it to all files: `work` to each, told of, with the exit status for all.

        `decides` are the options that a ledger goes on with only if they are the same; `alone` as for `running`;
        `secret` says that the work has something in it that other machines must not see.
        """

        @contextlib.contextmanager
        def doing(chosen: Chosen, digests: bool) -> Iterator[Work]:
            if secret and not chosen.local:
                raise UsageError(
                    f"{chosen.name} workers are elsewhere, and the password stays here",
                    hint="give --executor process",
                )
            yield work(_Site(chosen.local, place.within(local=chosen.local), digests))

        with running(
            self.paths,
            self.many,
            self.plugins,
            kind=self.which.input_kind,
            quiet=self.quiet,
            work=doing,
            purpose=lambda: self._purpose(place, decides),
            place=place,
            alone=alone,
        ) as run:

            def tell(result: Timestamped | Queried) -> None:
                if not self.quiet:
                    _tell(result, self.verbose, in_brief=run.several and not self.verbose)

            return tell_all(run, tell)

    def _purpose(self, place: Placement, decides: dict[str, object]) -> Purpose:
        facts = settings(self.which, output=_absolute(place.output), plugins=self.plugins.choice, **decides)
        return Purpose(f"timestamp {self.verb}", facts, in_place=place.output is None)


def _stamping(function: Callable[..., int]) -> Callable[..., int]:
    """Files, and the options that the three have in common; the function gets `run`."""

    @click.argument("paths", metavar="FILE|DIR|@LIST|-...", nargs=-1, required=True)
    @click.option("--uid", metavar="UID", help="The signature with this Digital Signature UID.")
    @click.option("--location", metavar="LOCATION", help="The signature of this item, or / for the data set.")
    @input_option
    @backend_option("crypto")
    @many_options
    @verbosity_options
    @with_plugins
    @functools.wraps(function)
    def wrapper(
        paths: tuple[str, ...],
        uid: str | None,
        location: str | None,
        input_kind: str,
        crypto_backend: str,
        many: Many,
        quiet: bool,
        verbose: bool,
        plugins: Plugins,
        **kwargs: Any,
    ) -> int:
        verb = click.get_current_context().info_name or ""
        which = Which(uid, location, input_kind, crypto_backend)
        return function(_Run(verb, paths, which, many, quiet, verbose, plugins), **kwargs)

    return wrapper


@command.command("query", short_help="Write the question to a TSA.")
@click.option("-o", "--output", required=True, metavar="QUERY", help="File to write; a directory for several inputs.")
@click.option(
    "--uid-file", metavar="FILE", help="Write the signature's UID to this DICOM file; a directory for several inputs."
)
@query_options
@_stamping
def query_command(run: _Run, output: str, uid_file: str | None, asked: QueryOptions) -> int:
    """Write the question to a TSA, to be sent by other means; `attach` takes its answer.

    Queries of several inputs go to the directory QUERY, each under the way of its input with .tsq behind.

    Example: dsig timestamp query signed.dcm -o q.tsq
    """
    place = replace(placement(run.paths, output, in_place=False), suffix=QUERY)
    return run.over(
        place,
        lambda site: QueryWork(
            which=run.which,
            options=asked,
            plugins=run.plugins,
            uid_file=uid_file and site.path(uid_file),
            within=site.within,
            digests=site.digests,
        ),
        {"query": asked, "uid-file": _absolute(uid_file)},
    )


@command.command("attach", short_help="Put the answer of a TSA into a signature.")
@output_options
@click.option("--query", required=True, metavar="FILE|DIR", help="What the TSA was asked (DER).")
@click.option("--response", required=True, metavar="FILE|DIR", help="What the TSA answered (DER).")
@click.option("--uid-file", metavar="FILE|DIR", help="Take the signature's UID from this DICOM file.")
@click.option("--allow-modifications", is_flag=True, help="Take what the TSA granted with modifications.")
@click.option(
    "--tsa-intermediate",
    "certificates",
    multiple=True,
    metavar="FILE",
    help="The TSA's certificate, if not in its token.",
)
@_stamping
def attach_command(
    run: _Run,
    output: str | None,
    in_place: bool,
    query: str,
    response: str,
    uid_file: str | None,
    allow_modifications: bool,
    certificates: tuple[str, ...],
) -> int:
    """Put the timestamp of a TSA's answer into the signature it is about.

    Query, answer and signature must belong together. Whether the TSA is to be trusted is for `dsig verify` to say. For
    several inputs, queries and answers are directories as `query` makes them: the way of each input, with .tsq for the
    query, .tsr for the answer and .uid.dcm for the UID behind.

    Example: dsig timestamp attach signed.dcm --query q.tsq --response r.tsr -o stamped.dcm
    """
    place = placement(run.paths, output, in_place=in_place)
    if uid_file is not None and run.which.uid is not None:
        raise UsageError("--uid and --uid-file say the same", hint="give one of them")
    others = load_trust((), certificates).intermediates
    files = {"--query": query, "--response": response, "--uid-file": uid_file}

    def alone() -> None:
        for option, path in files.items():
            if path is not None and not os.path.isdir(path):  # noqa: PTH112
                raise UsageError(f"{option} for several inputs is a directory", hint="see dsig timestamp attach --help")

    return run.over(
        place,
        lambda site: AttachWork(
            which=run.which,
            query=site.path(query),
            response=site.path(response),
            plugins=run.plugins,
            uid_file=uid_file and site.path(uid_file),
            allow_modifications=allow_modifications,
            certificates=others,
            in_place=in_place,
            within=site.within,
            digests=site.digests,
        ),
        {option[2:]: _absolute(path) for option, path in files.items()}
        | {"allow-modifications": allow_modifications, "tsa-intermediate": others},
        alone=alone,
    )


@command.command("fetch", cls=_Fetch)
@output_options
@tsa_options("--tsa", "Ask this TSA (http or https). Repeatable: the next if one gives no answer.", required=True)
@query_options
@_stamping
def fetch_command(run: _Run, output: str | None, in_place: bool, tsa: TsaOptions, asked: QueryOptions) -> int:
    """Have signatures stamped now. Of a file to which no TSA gives a good answer nothing is written.

    Example: dsig timestamp fetch signed.dcm --tsa https://tsa.example/ -o stamped.dcm
    """
    place = placement(run.paths, output, in_place=in_place)
    return run.over(
        place,
        lambda site: FetchWork(
            which=run.which,
            tsa=replace(tsa, query=asked),
            plugins=run.plugins,
            in_place=in_place,
            within=site.within,
            digests=site.digests,
        ),
        {"tsa": tsa.urls, "query": asked, "allow-modifications": tsa.allow_modifications},
        secret=bool(tsa.password),
    )


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)  # noqa: PTH100


def _tell(done: Timestamped | Queried, verbose: bool, *, in_brief: bool) -> None:
    """All about a file, or, of a file among many, one line and what is wrong."""
    with standard_output() as out:
        if isinstance(done, Queried):
            row(out, "written", done.output, indent=0)
            if not in_brief:
                row(out, "signature", done.uid or "without UID")
            return
        facts = done.facts
        time = f"{facts.time:%Y-%m-%d %H:%M:%S} UTC"
        if in_brief:
            row(out, "stamped", f"{done.output} ({time})", indent=0)
            for finding in done.findings:
                row(out, finding.severity, finding.message)
            return
        place = "the data set" if done.location == "/" else done.location
        row(out, "stamped", str(done.output), indent=0)
        row(out, "signature", f"{done.uid or 'without UID'} of {place}")
        row(out, "time", time)
        row(out, "TSA", facts.tsa or "its certificate is not in the token")
        for finding in done.findings:
            row(out, finding.severity, finding.message)
        if verbose:
            row(out, "policy", facts.policy)
            row(out, "serial", f"{facts.serial:x}")
            if done.source:
                row(out, "source", done.source)
