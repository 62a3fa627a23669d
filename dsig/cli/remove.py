"""`dsig remove`."""

from __future__ import annotations

import click

from dsig.cli.batch import run_jobs
from dsig.cli.configured import Configured
from dsig.cli.options import input_option, limit_option, output_options, verbosity_options
from dsig.cli.outputs import Job, plan
from dsig.cli.terminal import row, standard_output
from dsig.errors import UsageError
from dsig.limits import Limits
from dsig.verbs.remove import Removed, remove

__all__ = ["command"]


@click.command("remove", cls=Configured)
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True)
@output_options
@click.option("--uid", metavar="UID", help="Remove the signature with this Digital Signature UID.")
@click.option("--all", "everything", is_flag=True, help="Remove all signatures, at every level.")
@input_option
@limit_option
@verbosity_options
def command(
    paths: tuple[str, ...],
    output: str | None,
    in_place: bool,
    uid: str | None,
    everything: bool,
    input_kind: str,
    limits: Limits,
    quiet: bool,
    verbose: bool,  # noqa: ARG001 - there is no more to say
) -> int:
    """Take signatures out of DICOM files; every other byte stays.

    Example: dsig remove signed.dcm --all -o plain.dcm
    """
    if everything == (uid is not None):
        raise UsageError("say which signature to remove", hint="give either --uid UID or --all")
    planned = plan(paths, output, in_place=in_place, kind=input_kind, quiet=quiet)

    def work(job: Job) -> Removed:
        return remove(
            job.source,
            job.target,
            uid=uid,
            everything=everything,
            in_place=in_place,
            input_kind=input_kind,
            limits=limits,
        )

    def done(_job: Job, removed: Removed) -> None:
        if not quiet:
            _tell(removed)

    return run_jobs(planned, work, done)


def _tell(removed: Removed) -> None:
    count = len(removed.signatures)
    with standard_output() as out:
        row(out, "written", f"{removed.output} without {count} signature{'' if count == 1 else 's'}", indent=0)
        for uid, location in removed.signatures:
            row(out, "removed", f"{uid or 'without UID'} of {'the data set' if location == '/' else location}")
