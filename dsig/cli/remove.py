"""`dsig remove`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import click

from dsig.batch.outputs import placement
from dsig.batch.purpose import Purpose
from dsig.batch.removing import RemoveWork
from dsig.batch.run import Chosen
from dsig.cli.configured import Configured
from dsig.cli.many import Many, many_options, running, tell_all
from dsig.cli.options import input_option, limit_option, output_options, verbosity_options, with_plugins
from dsig.cli.terminal import row, standard_output
from dsig.errors import UsageError
from dsig.limits import Limits
from dsig.plugins import Plugins
from dsig.verbs.remove import Removed

__all__ = ["command"]


@click.command("remove", cls=Configured)
@click.argument("paths", metavar="FILE|DIR|@LIST|-...", nargs=-1, required=True)
@output_options
@click.option("--uid", metavar="UID", help="Remove the signature with this Digital Signature UID.")
@click.option("--all", "everything", is_flag=True, help="Remove all signatures, at every level.")
@input_option
@limit_option
@many_options
@verbosity_options
@with_plugins
def command(
    paths: tuple[str, ...],
    output: str | None,
    in_place: bool,
    uid: str | None,
    everything: bool,
    input_kind: str,
    limits: Limits,
    many: Many,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - there is no more to say
    plugins: Plugins,
) -> int:
    """Take signatures out of DICOM files; every other byte stays.

    Example: dsig remove signed.dcm --all -o plain.dcm
    """
    if everything == (uid is not None):
        raise UsageError("say which signature to remove", hint="give either --uid UID or --all")
    place = placement(paths, output, in_place=in_place)
    target = None if output is None else os.path.abspath(output)  # noqa: PTH100
    asked = {"uid": uid, "all": everything, "input": input_kind, "output": target, "limits": repr(limits)}
    purpose = Purpose("remove", asked, in_place)

    @contextlib.contextmanager
    def work(chosen: Chosen, digests: bool) -> Iterator[RemoveWork]:
        within = place.within(local=chosen.local)
        yield RemoveWork(uid, everything, in_place, input_kind, limits, within, digests)

    def tell(removed: Removed) -> None:
        if not quiet:
            _tell(removed)

    with running(
        paths, many, plugins, kind=input_kind, quiet=quiet, work=work, purpose=lambda: purpose, place=place
    ) as run:
        return tell_all(run, tell)


def _tell(removed: Removed) -> None:
    count = len(removed.signatures)
    with standard_output() as out:
        what = f"without {count} signature{'' if count == 1 else 's'}" if count else "as it was: there is no signature"
        row(out, "written", f"{removed.output} {what}", indent=0)
        for uid, location in removed.signatures:
            row(out, "removed", f"{uid or 'without UID'} of {'the data set' if location == '/' else location}")
