"""The command line in words: command files (`@file`) put in place, options told from parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsig.cli.dcmsign.options import BY_NAME, Option

__all__ = ["CommandLineError", "Given", "Words", "expanded", "read_words"]

LONGEST = 1 << 20
"""Bytes of a command file."""
WHITE = " \t\r\n"


class CommandLineError(Exception):
    """What is wrong with the command line; exit code 1."""


@dataclass(frozen=True, slots=True)
class Given:
    """An option as it was given."""

    option: Option
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A command line taken apart."""

    options: tuple[Given, ...]
    parameters: tuple[str, ...]

    def last(self, group: str) -> Given | None:
        """The rightmost option of a group: the one that counts."""
        return next((g for g in reversed(self.options) if g.option.group == group), None)

    def counting(self, option: Option) -> Iterator[Given]:
        """Where an option was given so that it counts: last of its group, or without group each time."""
        for given in self.options:
            if given.option is option and (not option.group or self.last(option.group) is given):
                yield given

    def every(self, long: str) -> tuple[str, ...]:
        """The values of an option that can be repeated."""
        return tuple(g.values[0] for g in self.options if g.option.long == long)

    def has(self, long: str) -> bool:
        """Whether an option without value is there."""
        return any(g.option.long == long for g in self.options)


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments with the words of command files in place of `@file`. Raises `CommandLineError`."""
    words: list[str] = []
    for argument in arguments:
        if argument[:1] == "@" and len(argument) > 1:
            words += _command_file(argument[1:])
        else:
            words.append(argument)
    return words


def read_words(words: Sequence[str]) -> Words:
    """Tell options, their values and parameters apart. Raises `CommandLineError`."""
    options: list[Given] = []
    parameters: list[str] = []
    rest = iter(words)
    for word in rest:
        if not _is_option(word):
            parameters.append(word)
            continue
        option = BY_NAME.get(word)
        if option is None:
            raise CommandLineError(f"Unknown option {word}")
        values = tuple(value for _, value in zip(option.values, rest, strict=False))
        if len(values) < len(option.values):
            raise CommandLineError(f"Missing value for option {option.long}")
        options.append(Given(option, values))
    return Words(tuple(options), tuple(parameters))


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] in "+-" and not word[1].isdigit()


def _command_file(path: str) -> list[str]:
    """Words separated by white space; a command file in a command file is a word like any other."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LONGEST + 1)
    except (OSError, ValueError):
        raise CommandLineError(f"Cannot open command file '{path}'") from None
    if len(content) > LONGEST:
        raise CommandLineError(f"Command file '{path}' is longer than {LONGEST} bytes")
    return list(_split(content.decode("utf-8", "surrogateescape")))


def _split(text: str) -> Iterator[str]:
    """Quotes keep white space; as the tool has it, the closing one ends the word, and one never closed is no quote."""
    word, quote = "", ""
    for character in text:
        if character == quote or (not quote and character in WHITE):
            if word or quote:
                yield word
            word, quote = "", ""
        elif not quote and character in "\"'":
            quote = character
        else:
            word += character
    if word:
        yield word
