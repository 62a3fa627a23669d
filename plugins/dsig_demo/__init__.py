"""The command `dsig demo`: a real file, a throw-away key, sign, verify, tamper, verify again."""

from __future__ import annotations

from dsig.hookspecs import CommandSpec, hookimpl

__all__ = ["dsig_commands"]


@hookimpl
def dsig_commands() -> list[CommandSpec]:
    """`demo`."""
    return [
        CommandSpec(
            name="demo",
            summary="Sign, verify and tamper with a real file, and see what is said.",
            factory="dsig_demo.command:command",
        )
    ]
