"""A Dask cluster on this machine, in processes that know nothing of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLUSTER = """
import json, sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1") as c:
        print(json.dumps([c.scheduler_address, [w.pid for w in c.workers.values()]]), flush=True)
        sys.stdin.read()
"""


@contextmanager
def cluster(tmp_path) -> Iterator[tuple[str, list[int]]]:
    """Two worker processes, in another directory than ours."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        address, workers = json.loads(process.stdout.readline())
        yield address, workers
    finally:
        process.stdin.close()
        process.wait(600)
        process.stdout.close()
