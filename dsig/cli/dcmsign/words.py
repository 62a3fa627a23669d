"""The command line in words: command files (`@file`) put in place, options told from parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsig.cli.dcmsign.options import BY_NAME, Option

__all__ = ["CommandLineError", "Given", "Words", "expanded", "read_words"]

LONGEST = 1 << 20
"""Bytes of a command file."""


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
    """Words separated by white space; quotes keep it. A command file in a command file is a word like any other."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LONGEST + 1)
    except (OSError, ValueError):
        raise CommandLineError(f"Cannot open command file '{path}'") from None
    if len(content) > LONGEST:
        raise CommandLineError(f"Command file '{path}' is longer than {LONGEST} bytes")
    return list(_split(content.decode("utf-8", "surrogateescape")))


def _split(text: str) -> Iterator[str]:
    word: list[str] = []
    quote, inside = "", False
    for character in text:
        if quote:
            if character == quote:
                quote = ""
            else:
                word.append(character)
        elif character in "\"'":
            quote, inside = character, True
        elif character.isspace():
            if inside:
                yield "".join(word)
            word, inside = [], False
        else:
            word.append(character)
            inside = True
    if inside:
        yield "".join(word)
