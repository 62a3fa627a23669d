"""One run: every way a command can end becomes an exit status and at most one line on standard error."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from dsig.cli.app import app
from dsig.cli.outputs import Replacing
from dsig.cli.status import ExitStatus
from dsig.cli.terminal import complain, describe, drop_output, prepare_streams
from dsig.cli.termination import Terminated, terminable
from dsig.errors import DsigError, UsageError

__all__ = ["console", "main"]

DEBUG = "DSIG_DEBUG"
"""Environment variable that turns the line about an internal error into a traceback."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_COMPLETE = "_DSIG_COMPLETE"
"""Environment variable set by the shell when it asks for completions."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `dsig` with these arguments (default: those of the process) and give its exit status."""
    prepare_streams()
    try:
        with terminable():
            return _run(sys.argv[1:] if arguments is None else list(arguments))
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted", "note")
        return ExitStatus.INTERRUPTED
    except Terminated:
        complain("terminated", "note")
        return ExitStatus.TERMINATED


def console(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script: `main`, and a quick way out."""
    status = main(arguments)
    gc.freeze()  # what is left goes with the process; taking it apart piece by piece costs a fifth of a short run
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    try:
        status = _invoke(arguments)
        sys.stdout.flush()
    except DsigError as error:
        complain(describe(error))
        return error.exit_status
    except click.ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and later
            sys.stderr.write(error.format_message() + "\n")
        else:
            complain(_usage(error))
        return ExitStatus.USAGE
    except BrokenPipeError:
        drop_output()
        return ExitStatus.NO_READER
    except click.Abort:
        raise
    except (Exception, SystemExit) as error:  # the last line of defence
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:  # click or a plugin wrote
            drop_output()
            complain(f"cannot write to standard output: {error.strerror}")
            return ExitStatus.OUTPUT
        if os.environ.get(DEBUG):
            raise
        # the text of an unforeseen exception may quote a file or a secret: only its type is told
        complain(f"internal error: {type(error).__name__} (run again with {DEBUG}=1 to see where, and report it)")
        return ExitStatus.INTERNAL
    return status


def _invoke(arguments: list[str]) -> int:
    instruction = os.environ.get(_COMPLETE)
    if instruction:
        from dsig.cli.completion import answer

        return answer(instruction)
    try:
        os.getcwd()  # noqa: PTH109 - many steps of the work would each fail in a way of their own
    except FileNotFoundError:
        raise UsageError("the current directory is not there any more", hint="change to one that is") from None
    try:
        with app.make_context("dsig", arguments, obj=Replacing()) as context:
            status = app.invoke(context)
    except click.exceptions.Exit as end:
        status = end.exit_code
    return status if isinstance(status, int) else ExitStatus.DONE


def _usage(error: click.ClickException) -> str:
    """What click says, in one line, with the command that tells more."""
    message = " ".join(error.format_message().split()).rstrip(".")
    if message.endswith("?)"):  # No such option '--x'. (Did you mean one of: '--y'?)
        message = message[:-2].replace(". (Did you mean", ", did you mean") + "?"
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path if context else 'dsig'} --help)"
