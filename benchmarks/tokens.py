"""Signing with a token, as ratios within one run: a batch against bare signatures, and against one login a file.

    python benchmarks/tokens.py                  500 small files, RSA-2048 on SoftHSM
    python benchmarks/tokens.py --latency 5000   the same with an HSM that is 5 ms away (needs gcc)
    python benchmarks/tokens.py --file ct.dcm    with another file

`bare` signs digests and nothing else, on as many sessions as the batch has. `batch` is one `dsig sign` for all files,
start-up and synced outputs included; `going` is the same without the start, from a run with twice the files. `library`
is `dsig.sign` from bytes to bytes with the key opened once. `login` opens the key for each file in one process, `naive`
runs `dsig sign` for each file. Rounds are interleaved, medians compared. SoftHSM signs on the processors that prepare
the files, so that batch and bare compete for them; an HSM does not, and what is left is how well waiting is used.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from measure import DSIG, ROOT, Curves, Scale, Table

import dsig
from dsig.plugins import default
from dsig.secrets import Channels, from_file

BASE = ROOT / "tests" / "corpus" / "base"
SHIM = ROOT / "tests" / "pkcs11" / "shim.c"
FEW = 25
"""Files of the slow ways, which are scaled up."""


def token(directory: Path) -> tuple[str, Path]:
    """Make a development token for this process; its module and the file with its PIN."""
    said = subprocess.run([ROOT / "softhsm" / "setup", directory], check=True, capture_output=True, text=True).stdout
    exported = dict(line[7:].split("=", 1) for line in said.splitlines() if line.startswith("export "))
    os.environ["SOFTHSM2_CONF"] = exported["SOFTHSM2_CONF"]
    os.environ["XDG_CONFIG_HOME"] = str(directory)
    return exported["DSIG_PKCS11_MODULE"], directory / "pin.txt"


def far_away(directory: Path, module: str, microseconds: int) -> str:
    """The module behind a line that takes so long for each signature."""
    shim = directory / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, SHIM, "-ldl"], check=True)
    os.environ["P11SHIM_REAL"] = module
    os.environ["P11SHIM_LATENCY_US"] = str(microseconds)
    return str(shim)


def rate(count: int, work: Callable[[int], object], threads: int) -> float:
    """Items a second."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        for _ in pool.map(work, range(count)):
            pass
        return count / (time.perf_counter() - began)


def tokens(folder: Path, scale: Scale, table: Table, _curves: Curves) -> None:
    """For the table: SoftHSM beside the files, and behind a line of 5 ms."""
    for microseconds, where in ((0, "on the same processors"), (5000, "5 ms away")):
        place = folder / str(microseconds)
        place.mkdir()
        few = ["--files", str(min(500, scale.files)), "--rounds", str(scale.rounds), "--latency", str(microseconds)]
        with ProcessPoolExecutor(1, get_context("spawn")) as process:  # a module is initialised once in a process
            medians = process.submit(measure, arguments().parse_args(few), place).result()
        what = f"{min(500, scale.files)} small files with an RSA-2048 token key, the token {where}"
        table.add(f"{what}, share of the rate of a bare loop", "≥ 0.85", medians["batch"] / medians["bare"])
        table.add(f"{what}, the same without start-up", "", medians["going"] / medians["bare"])
        table.add(f"{what}, times faster than a login for each", "≥ 20", medians["batch"] / medians["naive"])


def main() -> None:
    """This script alone."""
    options = arguments().parse_args()
    if options.files < 100:
        raise SystemExit("fewer than 100 files say nothing about many")
    with tempfile.TemporaryDirectory() as name:
        measure(options, Path(name))


def arguments() -> argparse.ArgumentParser:
    """What can be chosen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=1, help="Of bare loop and batch; threads of the bare loop.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="Files at a time, in the batch.")
    parser.add_argument("--key", default="rsa2048")
    parser.add_argument("--file", default="sc_odd.dcm", metavar="NAME", help="From tests/corpus/base.")
    parser.add_argument("--latency", type=int, default=0, metavar="US", help="Microseconds added to each signature.")
    return parser


def measure(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Files a second, of each way."""
    spec = default().mac_algorithms.spec("SHA256")
    module, pin = token(folder / "token")
    if options.latency:
        module = far_away(folder, module, options.latency)
    (folder / "token" / "dsig").mkdir()
    (folder / "token" / "dsig" / "pkcs11.toml").write_text(
        f'[modules.bench]\npath = "{module}"\nsessions = {options.sessions}\n'
    )
    uri = f"pkcs11:token=dsig-dev;object={options.key}"
    small = BASE / options.file
    data = small.read_bytes()
    inputs = {}
    for count in (options.files, 2 * options.files):
        inputs[count] = folder / f"in{count}"
        inputs[count].mkdir()
        for number in range(count):
            (inputs[count] / f"{number:05}.dcm").write_bytes(data)

    def bare(key: dsig.OpenKey, _number: int) -> None:
        key.signer.sign_digest(b"x" * spec.digest_size, spec)

    def library(key: dsig.OpenKey, _number: int) -> None:
        dsig.sign(data, key=key)

    def opened() -> AbstractContextManager[dsig.OpenKey]:
        return dsig.open_key(uri, secrets=Channels(pin=from_file(pin)))

    def login(number: int) -> None:
        with opened() as key:
            dsig.sign(small, folder / f"login{number}.dcm", key=key)

    def command(given: Path, out: Path, *more: object) -> float:
        """Seconds."""
        words = [DSIG, "sign", given, "-o", out, "--key", uri, "--pin-file", pin, "--quiet", *more]
        began = time.perf_counter()
        subprocess.run([str(word) for word in words], check=True, capture_output=True)
        return time.perf_counter() - began

    def batch(count: int) -> float:
        """Seconds."""
        out = folder / "out"
        took = command(inputs[count], out, "--jobs", options.jobs)
        written = sum(path.is_file() for path in out.iterdir())
        if written != count:
            raise SystemExit(f"{written} of {count} files were signed")
        shutil.rmtree(out)
        return took

    rates: dict[str, list[float]] = {way: [] for way in ("bare", "batch", "going", "library", "login", "naive")}
    for _ in range(options.rounds):
        with opened() as key:
            rates["bare"].append(rate(options.files, partial(bare, key), options.sessions))
            rates["library"].append(rate(options.files, partial(library, key), options.jobs))
        once, twice = batch(options.files), batch(2 * options.files)
        rates["batch"].append(options.files / once)
        rates["going"].append(options.files / max(twice - once, 1e-9))
        rates["login"].append(rate(FEW, login, 1))
        rates["naive"].append(rate(FEW, lambda number: command(small, folder / f"naive{number}.dcm"), 1))
    medians = {way: statistics.median(found) for way, found in rates.items()}
    print(
        f"{options.files} files of {len(data)} bytes, {options.key}, {options.sessions} sessions, {options.jobs} jobs,"
        f" {os.cpu_count()} processors, {options.latency} us away"
    )
    for way, median in medians.items():
        print(f"{way:<10}{median:9.1f} /s   min {min(rates[way]):.1f} max {max(rates[way]):.1f}")
    print(f"batch over bare     {medians['batch'] / medians['bare']:6.2f}   (target 0.85)")
    print(f"going over bare     {medians['going'] / medians['bare']:6.2f}   (without the start)")
    print(f"library over bare   {medians['library'] / medians['bare']:6.2f}")
    print(f"batch over login    {medians['batch'] / medians['login']:6.1f}   (a login a file, in one process)")
    print(f"batch over naive    {medians['batch'] / medians['naive']:6.1f}   (a process a file; target 20)")
    return medians


if __name__ == "__main__":
    main()
