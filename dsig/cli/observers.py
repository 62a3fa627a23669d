"""Observers of a command, if any are installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dsig.cli.terminal import complain

if TYPE_CHECKING:
    from dsig.observing import Audience
    from dsig.plugins import Plugins

__all__ = ["audience"]


@contextlib.contextmanager
def audience(plugins: Plugins) -> Iterator[Audience | None]:
    """Who is told of this run; None if nobody is there. Warnings about observers go to standard error."""
    if next(iter(plugins.observers), None) is None:
        yield None
        return
    from dsig.observing import Audience

    parameters = click.get_current_context().params
    hidden = {str(value) for name, value in parameters.items() if name.endswith("_env") and value}
    with Audience(plugins, lambda text: complain(text, "warning"), hidden=hidden) as told:
        yield told
