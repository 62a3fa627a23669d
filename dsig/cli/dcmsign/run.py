"""One run: command line in, exit code out."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from dsig.cli.dcmsign.codes import ExitCode
from dsig.cli.dcmsign.failure import Failure, failed
from dsig.cli.dcmsign.logs import Log
from dsig.cli.dcmsign.request import Operation, Request, check_parameters, logging_wanted, request
from dsig.cli.dcmsign.secrecy import forget_password
from dsig.cli.dcmsign.words import CommandLineError, expanded, read_words
from dsig.cli.terminal import drop_output, prepare_streams
from dsig.cli.termination import Terminated, terminable
from dsig.errors import DsigError

__all__ = ["console", "main"]

DEBUG = "DSIG_DEBUG"
"""Environment variable that turns the line about an internal error into a traceback, as with `dsig`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with these arguments (default: those of the process) and give the exit code."""
    prepare_streams()
    given = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None:
        forget_password()
    try:
        with terminable():
            code = _run(given)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Terminated:
        return ExitCode.TERMINATED
    except BrokenPipeError:
        drop_output()
        return ExitCode.NO_READER
    except (Exception, SystemExit) as error:  # the last line of defence
        if os.environ.get(DEBUG):
            raise
        # the text of an unforeseen exception may quote a file or a secret: only its type is told
        sys.stderr.write(f"F: internal error: {type(error).__name__} (run again with {DEBUG}=1 to see where)\n")
        return ExitCode.INTERNAL


def console() -> NoReturn:
    """The console script: `main`, and a quick way out."""
    code = main()
    gc.freeze()  # as `dsig.cli.run` has it
    sys.exit(code)


def _run(arguments: Sequence[str]) -> int:
    from dsig.cli.dcmsign import help as texts

    if not arguments:
        sys.stdout.write(texts.usage())
        return ExitCode.OK
    try:
        line = expanded(arguments)
        if not line:
            sys.stdout.write(texts.usage())
            return ExitCode.OK
        words = read_words(line)
        for option, text in (
            ("--help", texts.usage),
            ("--version", texts.version),
            ("--list-purposes", texts.purposes),
        ):
            if words.has(option):
                sys.stdout.write(text())
                return ExitCode.OK
        check_parameters(words)
        log = Log(logging_wanted(words))
    except CommandLineError as error:
        sys.stderr.write(texts.usage_error(str(error)))
        return ExitCode.COMMAND_LINE
    try:
        if words.has("--arguments"):
            log.always(texts.called_with(words, line))
        return _logged(request(words), log)
    except CommandLineError as error:
        sys.stderr.write(texts.usage_error(str(error)))
        return ExitCode.COMMAND_LINE
    finally:
        log.close()


def _logged(asked: Request, log: Log) -> int:
    """Do the work; what ends it early becomes lines of the log."""
    try:
        return _operation(asked, log)
    except DsigError as error:
        failure = failed(error, asked)
    except Failure as known:
        failure = known
    *first, last = failure.lines
    for text in first:
        log.error(text)
    (log.fatal if failure.fatal or first else log.error)(last)
    return failure.code


def _operation(asked: Request, log: Log) -> int:
    """Read the tags, which is done whatever the operation, then call what does the work."""
    from dsig.cli.dcmsign.dictionary import dictionary
    from dsig.cli.dcmsign.tags import read_tag_file, tag

    if not asked.source:
        raise Failure(ExitCode.NO_INPUT_NAME, "invalid filename: <empty string>", fatal=True)
    names = dictionary(log)
    tags = [] if asked.tag_file is None else list(read_tag_file(asked.tag_file, names))
    tags += (tag(text, names) for text in asked.tags)
    log.info(f"open input file {asked.source}")
    if asked.operation == Operation.VERIFY:
        from dsig.cli.dcmsign.verification import verified

        return verified(asked, names, log)
    if asked.operation in (Operation.SIGN, Operation.SIGN_ITEM):
        from dsig.cli.dcmsign.signing import signed

        wanted = tuple(tags) if asked.tags or asked.tag_file is not None else None
        return signed(asked, wanted, names, log)
    if asked.operation in (Operation.REMOVE, Operation.REMOVE_ALL):
        from dsig.cli.dcmsign.removal import removed

        return removed(asked, names, log)
    from dsig.cli.dcmsign.timestamps import inserted

    return inserted(asked, names, log)
