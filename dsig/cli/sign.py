"""`dsig sign`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dsig.batch.outputs import Placement, placement
from dsig.batch.run import Chosen
from dsig.batch.signing import Preparation, SignWork
from dsig.cli.configured import Configured
from dsig.cli.many import Many, many_options, running, tell_all
from dsig.cli.observers import audience
from dsig.cli.options import (
    backend_option,
    convert_un_option,
    dictionary_option,
    input_option,
    limit_option,
    mac_backend_option,
    old_format_option,
    output_options,
    secret_options,
    verbosity_options,
    with_plugins,
)
from dsig.cli.tags import read_tag_file
from dsig.cli.terminal import covered, row, signer, standard_output
from dsig.cli.tsa import tsa_options
from dsig.dicom.location import parse_element
from dsig.errors import UsageError
from dsig.hookspecs import SigningFacts
from dsig.keys import OpenKey, open_key
from dsig.limits import Limits
from dsig.plugins import HOST, Plugins
from dsig.printable import date_time
from dsig.secrets import Channels
from dsig.verbs.sign import Signed, SignOptions

if TYPE_CHECKING:
    from dsig.batch.purpose import Purpose
    from dsig.dicom.dictionaries import Dictionary, PrivateTag
    from dsig.timestamps.stamping import TsaOptions

__all__ = ["command"]


def _list_purposes(context: click.Context) -> None:
    from dsig.signature.purpose import PURPOSES

    click.echo("".join(f"{number:>2} {meaning}\n" for number, meaning in PURPOSES.items()), nl=False)
    context.exit()


@click.command("sign", cls=Configured)
@click.argument("paths", metavar="FILE|DIR|@LIST|-...", nargs=-1, required=True)
@output_options
@click.option(
    "--key", "uri", required=True, metavar="URI", help="Private key: a path, file:PATH, or a plugin's scheme."
)
@click.option("--cert", "certificate", metavar="FILE", help="Certificate of the key, if it is not found with the key.")
@secret_options
@click.option("--mac", default="SHA256", show_default=True, metavar="NAME", help="MAC algorithm.")
@click.option("--allow-weak", is_flag=True, help="Sign even with a MAC algorithm that no longer resists forgery.")
@click.option("--profile", default="none", show_default=True, metavar="NAME", help="Signature profile to follow.")
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Sign this element: gggg,eeee or keyword. Repeatable."
)
@click.option("--tag-file", metavar="FILE", help="Sign the elements listed in this file. Default: all that can be.")
@click.option("--item", default="/", metavar="LOCATION", help="Sign a sequence item, such as BeamSequence[0].")
@click.option("--purpose", type=int, metavar="N", help="Purpose of the signature, 1 to 18 (PS3.16 CID 7007).")
@click.option(
    "--list-purposes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _option, wanted: _list_purposes(ctx) if wanted else None,
    help="Show the purposes and exit.",
)
@click.option("--preserve-bytes", is_flag=True, help="Keep padding of text values that is not canonical.")
@click.option("--transfer-syntax", metavar="UID", help="Write in this one: a UID, explicit, implicit, big or deflated.")
@click.option("--lengths", type=click.Choice(["explicit", "undefined"]), help="Write sequences with such lengths.")
@click.option("--dump", metavar="FILE", help="Write the bytes that are hashed.")
@tsa_options(
    "--timestamp",
    "Have it stamped by this TSA (http or https); nothing is written without. Repeatable.",
    required=False,
)
@old_format_option
@convert_un_option
@dictionary_option
@input_option
@limit_option
@backend_option("crypto")
@mac_backend_option
@many_options
@verbosity_options
@with_plugins
def command(
    paths: tuple[str, ...],
    output: str | None,
    in_place: bool,
    uri: str,
    certificate: str | None,
    secrets: Channels,
    insecure_pin: bool,
    mac: str,
    allow_weak: bool,
    profile: str,
    tags: tuple[str, ...],
    tag_file: str | None,
    item: str,
    purpose: int | None,
    preserve_bytes: bool,
    transfer_syntax: str | None,
    lengths: str | None,
    dump: str | None,
    tsa: TsaOptions | None,
    old_format: bool,
    convert_un: bool,
    dictionary: Dictionary | None,
    limits: Limits,
    input_kind: str,
    crypto_backend: str,
    mac_backend: str,
    many: Many,
    quiet: bool,
    verbose: bool,
    plugins: Plugins,
) -> int:
    """Sign DICOM files.

    Everything that can be signed is, unless --tag or --tag-file select elements. One file goes to OUT; several files,
    or all DICOM files below a directory, go to the directory OUT. A passphrase is asked for on the terminal, unless an
    option says where it is.

    Example: dsig sign ct.dcm -o signed.dcm --key key.pem --cert signer.pem
    """
    options = SignOptions(
        mac=mac,
        allow_weak=allow_weak,
        profile=profile,
        tags=_tags(tags, tag_file, dictionary),
        item=item,
        purpose=purpose,
        preserve_bytes=preserve_bytes,
        transfer_syntax=transfer_syntax,
        lengths=lengths,
        old_format=old_format,
        convert_un=convert_un,
        dictionary=dictionary,
        limits=limits,
        dump=dump,
        timestamp=tsa,
        in_place=in_place,
        input_kind=input_kind,
        crypto_backend=crypto_backend,
        mac_backend=mac_backend,
    )
    place = placement(paths, output, in_place=in_place)

    def alone() -> None:
        if dump is not None:
            raise UsageError("--dump is for one file", hint="sign the files one by one")

    opened: list[OpenKey] = []

    @contextlib.contextmanager
    def work(chosen: Chosen, digests: bool) -> Iterator[SignWork]:
        with (
            open_key(uri, certificate=certificate, secrets=secrets, insecure_pin=insecure_pin, plugins=plugins) as key,
            _for_workers(key, chosen, plugins) as shared,
        ):
            opened.append(key)
            settled = replace(options, mac_backend=plugins.settled_mac_backend(options.mac_backend))
            yield SignWork(settled, shared, plugins, place.within(local=chosen.local), digests)

    with (
        audience(plugins) as observers,
        running(
            paths,
            many,
            plugins,
            kind=input_kind,
            quiet=quiet,
            work=work,
            purpose=lambda: _purpose(options, opened[0], place, plugins),
            place=place,
            alone=alone,
            signs=True,
            prepare=Preparation(crypto_backend, plugins),
        ) as run,
    ):

        def tell(signed: Signed) -> None:
            if observers is not None:
                observers.signed(_facts(signed))
            if not quiet:
                _tell(signed, verbose, in_brief=run.several and not verbose)

        return tell_all(run, tell)


def _facts(signed: Signed) -> SigningFacts:
    """What observers are told."""
    return SigningFacts(
        signed.path,
        str(signed.output),
        signed.uid,
        signed.location,
        signed.mac,
        signed.signer,
        signed.date_time,
        signed.findings,
    )


def _for_workers(key: OpenKey, chosen: Chosen, plugins: Plugins) -> AbstractContextManager[OpenKey]:
    """The key as the workers have it: in this process as it is, in others by a service of this one."""
    if chosen.name == "serial":
        return contextlib.nullcontext(key)
    from dsig.batch.key_service import served

    return served(key, plugins)


def _purpose(options: SignOptions, key: OpenKey, place: Placement, plugins: Plugins) -> Purpose:
    """What must be the same for a ledger to go on."""
    from dsig.batch.purpose import Purpose, settings

    output = None if place.output is None else os.path.abspath(place.output)  # noqa: PTH100
    tsa = options.timestamp  # has a password, which no ledger shall know
    facts = settings(
        options,
        "uid",
        "timestamp",
        timestamp=None if tsa is None else (tsa.urls, tsa.query),
        output=output,
        certificate=key.certificate,
        plugins=plugins.choice,
    )
    return Purpose("sign", facts, in_place=place.output is None)


def _tags(
    tags: tuple[str, ...], tag_file: str | None, dictionary: Dictionary | None
) -> tuple[int | PrivateTag, ...] | None:
    if not tags and tag_file is None:
        return None
    named = [parse_element(tag, dictionary) for tag in tags]
    return (*named, *(read_tag_file(tag_file, dictionary) if tag_file is not None else ()))


def _tell(signed: Signed, verbose: bool, *, in_brief: bool) -> None:
    """All about a file, or, of a file among many, one line and what is wrong."""
    place = "the data set" if signed.location == "/" else signed.location
    with standard_output() as out:
        if in_brief:
            count, rest = signed.coverage.signed, len(signed.coverage.unsigned) + signed.coverage.unsigned_more
            row(out, "signed", f"{signed.output} ({count} elements signed, {rest or 'none'} unsigned)", indent=0)
            for finding in signed.findings:
                if finding.severity != "info":
                    row(out, finding.severity, finding.message)
            return
        row(out, "signed", str(signed.output), indent=0)
        row(out, "signature", f"{signed.uid} of {place}, {signed.mac.algorithm}, {date_time(signed.date_time)}")
        row(out, "signer", signer(signed.signer))
        row(out, "sha256", signed.signer.sha256)
        if signed.mac.backend != HOST:
            row(out, "digest by", signed.mac.backend)
        row(out, "covers", covered(signed.coverage))
        if signed.timestamp is not None:
            stamp = signed.timestamp.facts
            row(out, "timestamp", f"{stamp.time:%Y-%m-%d %H:%M:%S} UTC by {stamp.tsa}")
        for finding in signed.findings:
            row(out, "note" if finding.severity == "info" else finding.severity, finding.message)
        if verbose:
            row(out, "digest", signed.mac.digest)
            for use in signed.plugins:
                row(out, "plugin", f"{use.name} ({use.distribution} {use.version})")
