"""`dsig timestamp`: query, attach, fetch."""

from __future__ import annotations

from dataclasses import replace

import click

from dsig.cli.configured import Configured
from dsig.cli.options import backend_option, input_option, verbosity_options, with_plugins
from dsig.cli.terminal import row, standard_output
from dsig.cli.tsa import query_options, tsa_options
from dsig.dicom.output import replacing
from dsig.errors import UsageError
from dsig.plugins import Plugins
from dsig.stamping import QueryOptions, TsaOptions
from dsig.trust import load_trust
from dsig.verbs.timestamp import Timestamped, attach_timestamp, read_uid_file, timestamp, timestamp_query, uid_file

__all__ = ["command"]


@click.group("timestamp")
def command() -> None:
    """Have a signature stamped by a time stamp authority (TSA, RFC 3161): over the network, or by files."""


class _Fetch(Configured):
    """The one of the three that has settings worth keeping: `[timestamp]`."""

    @property
    def table(self) -> str:
        """Of the group."""
        return "timestamp"


def _which(function: click.decorators.FC) -> click.decorators.FC:
    uid = click.option("--uid", metavar="UID", help="The signature with this Digital Signature UID.")
    place = click.option("--location", metavar="LOCATION", help="The signature of this item, or / for the data set.")
    return uid(place(function))


@command.command("query")
@click.argument("path", metavar="FILE")
@click.option("-o", "--output", required=True, metavar="QUERY", help="Write the query (DER) to this file.")
@click.option("--uid-file", metavar="FILE", help="Write the signature's UID to this DICOM file.")
@_which
@query_options
@input_option
@backend_option("crypto")
@verbosity_options
@with_plugins
def query_command(
    path: str,
    output: str,
    uid_file: str | None,
    uid: str | None,
    location: str | None,
    mac: str,
    policy: str,
    nonce: bool,
    certificate: bool,
    input_kind: str,
    crypto_backend: str,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - there is no more to say
    plugins: Plugins,
) -> int:
    """Write the question to a TSA, to be sent by other means; `attach` takes its answer.

    Example: dsig timestamp query signed.dcm -o q.tsq
    """
    options = QueryOptions(mac=mac, policy=policy, nonce=nonce, certificate=certificate)
    query, found = timestamp_query(
        path,
        uid=uid,
        location=location,
        options=options,
        input_kind=input_kind,
        crypto_backend=crypto_backend,
        plugins=plugins,
    )
    with replacing(output) as file:
        file.write(query)
        if uid_file is not None:
            with replacing(uid_file) as beside:
                beside.write(_uid_file(found))
    if not quiet:
        with standard_output() as out:
            row(out, "written", output, indent=0)
            row(out, "signature", found or "without UID")
    return 0


@command.command("attach")
@click.argument("path", metavar="FILE")
@click.option("-o", "--output", metavar="OUT", help="File to write.")
@click.option("--in-place", is_flag=True, help="Replace the input; it stays as it is until all is done.")
@click.option("--query", required=True, metavar="FILE", help="What the TSA was asked (DER).")
@click.option("--response", required=True, metavar="FILE", help="What the TSA answered (DER).")
@click.option("--uid-file", metavar="FILE", help="Take the signature's UID from this DICOM file.")
@_which
@click.option("--allow-modifications", is_flag=True, help="Take what the TSA granted with modifications.")
@click.option(
    "--tsa-intermediate",
    "certificates",
    multiple=True,
    metavar="FILE",
    help="The TSA's certificate, if not in its token.",
)
@input_option
@backend_option("crypto")
@verbosity_options
@with_plugins
def attach_command(
    path: str,
    output: str | None,
    in_place: bool,
    query: str,
    response: str,
    uid_file: str | None,
    uid: str | None,
    location: str | None,
    allow_modifications: bool,
    certificates: tuple[str, ...],
    input_kind: str,
    crypto_backend: str,
    quiet: bool,
    verbose: bool,
    plugins: Plugins,
) -> int:
    """Put the timestamp of a TSA's answer into the signature it is about.

    Query, answer and signature must belong together. Whether the TSA is to be trusted is for `dsig verify` to say.

    Example: dsig timestamp attach signed.dcm --query q.tsq --response r.tsr -o stamped.dcm
    """
    _one_place(output, in_place)
    if uid_file is not None and uid is not None:
        raise UsageError("--uid and --uid-file say the same", hint="give one of them")
    done = attach_timestamp(
        path,
        output,
        query=query,
        response=response,
        uid=read_uid_file(uid_file) if uid_file is not None else uid,
        location=location,
        allow_modifications=allow_modifications,
        certificates=load_trust((), certificates).intermediates,
        in_place=in_place,
        input_kind=input_kind,
        crypto_backend=crypto_backend,
        plugins=plugins,
    )
    if not quiet:
        _tell(done, verbose)
    return 0


@command.command("fetch", cls=_Fetch)
@click.argument("path", metavar="FILE")
@click.option("-o", "--output", metavar="OUT", help="File to write.")
@click.option("--in-place", is_flag=True, help="Replace the input; it stays as it is until all is done.")
@tsa_options("--tsa", "Ask this TSA (http or https). Repeatable: the next if one gives no answer.", required=True)
@_which
@query_options
@input_option
@backend_option("crypto")
@verbosity_options
@with_plugins
def fetch_command(
    path: str,
    output: str | None,
    in_place: bool,
    tsa: TsaOptions,
    uid: str | None,
    location: str | None,
    mac: str,
    policy: str,
    nonce: bool,
    certificate: bool,
    input_kind: str,
    crypto_backend: str,
    quiet: bool,
    verbose: bool,
    plugins: Plugins,
) -> int:
    """Have a signature stamped now. Nothing is written if no TSA gives a good answer.

    Example: dsig timestamp fetch signed.dcm --tsa https://tsa.example/ -o stamped.dcm
    """
    _one_place(output, in_place)
    done = timestamp(
        path,
        output,
        tsa=replace(tsa, query=QueryOptions(mac=mac, policy=policy, nonce=nonce, certificate=certificate)),
        uid=uid,
        location=location,
        in_place=in_place,
        input_kind=input_kind,
        crypto_backend=crypto_backend,
        plugins=plugins,
    )
    if not quiet:
        _tell(done, verbose)
    return 0


def _one_place(output: str | None, in_place: bool) -> None:
    if in_place == (output is not None):
        raise UsageError("say where the result goes", hint="give either -o OUT or --in-place")


def _uid_file(uid: str) -> bytes:
    return uid_file(uid)


def _tell(done: Timestamped, verbose: bool) -> None:
    facts = done.facts
    place = "the data set" if done.location == "/" else done.location
    with standard_output() as out:
        row(out, "stamped", str(done.output), indent=0)
        row(out, "signature", f"{done.uid or 'without UID'} of {place}")
        row(out, "time", f"{facts.time:%Y-%m-%d %H:%M:%S} UTC")
        row(out, "TSA", facts.tsa or "its certificate is not in the token")
        for finding in done.findings:
            row(out, finding.severity, finding.message)
        if verbose:
            row(out, "policy", facts.policy)
            row(out, "serial", f"{facts.serial:x}")
            if done.source:
                row(out, "source", done.source)
