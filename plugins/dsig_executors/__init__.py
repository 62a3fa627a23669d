"""Executors for one machine: `serial` and `process`."""

from __future__ import annotations

from dsig.hookspecs import ExecutorSpec, hookimpl

__all__ = ["dsig_executors"]


@hookimpl
def dsig_executors() -> list[ExecutorSpec]:
    """`serial` and `process`."""
    return [
        ExecutorSpec(
            name="serial", summary="one task after the other, in this process", factory="dsig_executors.serial:Serial"
        ),
        ExecutorSpec(
            name="process",
            summary="as many processes as --jobs says, on this machine",
            factory="dsig_executors.process:Processes",
        ),
    ]
