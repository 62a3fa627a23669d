"""`pydicom dsig …`: our command line as a subcommand of pydicom's (entry point group `pydicom_subcommands`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import argparse

__all__ = ["add_subparser"]


def add_subparser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Called by every `pydicom` command: adds one that hands all its arguments on."""
    parser = subparsers.add_parser(
        "dsig",
        help="sign and verify digital signatures",
        description="Sign and verify digital signatures; dsig --help tells more.",
        add_help=False,
        prefix_chars="\0",  # what looks like an option is ours
    )
    parser.add_argument("arguments", nargs="...", metavar="ARGUMENT", help="as for the command dsig")
    parser.set_defaults(func=_run)


def _run(namespace: argparse.Namespace) -> NoReturn:
    from dsig.cli.run import console

    console(namespace.arguments)
