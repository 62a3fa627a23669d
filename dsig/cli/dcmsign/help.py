"""--help, --version and --list-purposes, and what is said of a wrong command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsig.cli.dcmsign.options import SECTIONS, Option
from dsig.cli.dcmsign.secrecy import shown
from dsig.cli.dcmsign.words import Words

__all__ = ["called_with", "purposes", "usage", "usage_error", "version"]

TITLE = "dsig-dcmsign: Sign and Verify DICOM Files"
_PARAMETERS = (("dcmfile-in", "DICOM input filename to be processed"), ("dcmfile-out", "DICOM output filename"))
_COLUMN = 33


def identification() -> str:
    """The first line of everything that is said outside of the log."""
    from importlib import metadata

    return f"$dsig: dsig-dcmsign v{metadata.version('dsig')} $"


def usage() -> str:
    """The help text."""
    lines = [identification(), "", TITLE, "usage: dsig-dcmsign [options] dcmfile-in [dcmfile-out]", "", "parameters:"]
    lines += [f"{'  ' + name:<{_COLUMN}}{text}" for name, text in _PARAMETERS]
    lines.append("")
    for section in SECTIONS:
        lines.append(f"{'  ' * section.level}{section.title}:")
        for option in section.options:
            lines += _described(option, 2 + 2 * section.level)
    lines += [
        "",
        "Options, exit codes and output are those of OFFIS dcmsign; the work is that of dsig.",
        "A name that begins with @ is a command file: its words are options and parameters.",
        "The file name - stands for standard input or output.",
    ]
    return "\n".join(lines) + "\n"


def _described(option: Option, indent: int) -> Iterator[str]:
    first, *more = option.help.split("\n")
    names = f"{' ' * indent}{option.short:<{10 - indent}}{option.long}"
    yield f"{names:<{_COLUMN}}{first}"
    for line in more:
        yield f"{'':<{_COLUMN}}{line}"


def version() -> str:
    """Who this is."""
    return f"{identification()}\n\n{TITLE}\n"


def purposes() -> str:
    """The purposes of signatures (PS3.16 CID 7007)."""
    from dsig.signature.purpose import PURPOSES

    rows = "".join(f"  {number:>2}: {meaning}\n" for number, meaning in PURPOSES.items())
    return f"{version()}\nDigital Signature Purpose Codes:\n{rows}\n"


def usage_error(text: str) -> str:
    """What is said of a wrong command line."""
    return f"{version()}error: {text}\n"


def called_with(words: Words, arguments: Sequence[str]) -> str:
    """The expanded command line, long names in place of short ones, without passwords."""
    longs = {name: given.option.long for given in words.options for name in (given.option.short,) if name}
    said: list[str] = []
    values = 0
    for word in shown(arguments):
        if values:
            values -= 1
            said.append(word)
            continue
        said.append(longs.get(word, word))
        values = next((len(g.values) for g in words.options if word in (g.option.short, g.option.long)), 0)
    quoted = " ".join(f"'{word}'" for word in said)
    return f"calling 'dsig-dcmsign' with {len(said)} arguments: {quoted} "
