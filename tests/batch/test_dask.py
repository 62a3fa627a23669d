"""A Dask cluster does the work, and a worker that is killed loses nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import pytest
from batch_files import KEY, SMALL, TRUST, command
from support.clusters import cluster


@pytest.mark.slow
def test_a_worker_killed_midway_loses_no_file_and_repeats_none(dsig, tmp_path):
    signed = tmp_path / "signed"
    assert dsig("sign", SMALL, "-o", signed, *KEY).status == 0
    top = tmp_path / "study"
    for number in range(2000):
        path = top / f"{number % 7}" / f"{number:04}"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(signed, path)
    (top / "3" / "0003").write_bytes(SMALL.read_bytes())
    with cluster(tmp_path) as (address, workers):
        arguments = ["study", *TRUST, "--executor", "dask", "--scheduler", address, "--format", "json"]
        with (tmp_path / "err").open("w") as errors, subprocess.Popen(
            command("verify", *arguments), stdout=subprocess.PIPE, stderr=errors, text=True, cwd=tmp_path
        ) as run:  # fmt: skip
            out = "".join(run.stdout.readline() for _ in range(300))
            os.kill(workers[0], signal.SIGKILL)
            out += run.stdout.read()
    err = (tmp_path / "err").read_text()
    assert run.returncode == 4, err
    assert [line for line in err.splitlines() if " a second, " not in line] == [], "progress at most"
    report = json.loads(out)
    paths = [f["path"] for f in report["files"]]
    assert len(paths) == 2000
    assert sorted(paths) == sorted(f"study/{n % 7}/{n:04}" for n in range(2000))
    assert paths == sorted(paths), "in the order of the directory, whoever did them"
    assert report["summary"] | {"passed": 1999, "unsigned": 1, "files": 2000} == report["summary"]


@pytest.mark.slow
def test_what_a_cluster_cannot_do_is_refused(dsig, study, tmp_path):
    top = study(3)
    nowhere = dsig("verify", top, "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert nowhere.status == 7
    assert nowhere.err.count("\n") == 1
    assert dsig("verify", top, "--executor", "dask").status == 2
    keyed = dsig("sign", top, "-o", tmp_path / "out", *KEY, "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert keyed.status == 2
    assert "key stays here" in keyed.err
