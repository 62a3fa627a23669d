"""Dask distributed: the executor `dask`, for shared storage and many machines."""

from __future__ import annotations

from dsig.hookspecs import ExecutorSpec, hookimpl

__all__ = ["dsig_executors"]


@hookimpl
def dsig_executors() -> list[ExecutorSpec]:
    """`dask`."""
    return [
        ExecutorSpec(
            name="dask",
            summary="the workers of a Dask cluster (--scheduler tcp://host:8786), which see the same files",
            factory="dsig_dask.executor:DaskExecutor",
            requires="pip install 'dsig[dask]'",
            local=False,
        )
    ]
