"""Signing with a token, as ratios within one run: a batch against bare signatures, and against one login a file.

    python benchmarks/tokens.py                  500 small files, RSA-2048 on SoftHSM
    python benchmarks/tokens.py --latency 5000   the same with an HSM that is 5 ms away (needs gcc)

`bare` signs digests and nothing else, on the sessions the batch uses; `batch` is `dsig.sign` with the key opened once;
`naive` opens the key for each file; `command` runs `dsig sign` for each file. Rounds are interleaved, medians compared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import dsig
from dsig.plugins import default
from dsig.secrets import Channels, from_file

ROOT = Path(__file__).resolve().parent.parent
DSIG = Path(sys.executable).parent / "dsig"
SMALL = ROOT / "tests" / "corpus" / "base" / "sc_odd.dcm"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=1, help="Of bare loop and batch; threads of the bare loop.")
    parser.add_argument("--jobs", type=int, default=2, help="Threads of the batch, which prepare files meanwhile.")
    parser.add_argument("--key", default="rsa2048")
    parser.add_argument("--latency", type=int, default=0, metavar="US", help="Microseconds added to each signature.")
    options = parser.parse_args()
    spec = default().mac_algorithms.spec("SHA256")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        module, pin = token(folder / "token")
        if options.latency:
            module = far_away(folder, module, options.latency)
        (folder / "token" / "dsig").mkdir()
        (folder / "token" / "dsig" / "pkcs11.toml").write_text(
            f'[modules.bench]\npath = "{module}"\nsessions = {options.sessions}\n'
        )
        uri = f"pkcs11:token=dsig-dev;object={options.key}"
        data = SMALL.read_bytes()
        (folder / "out").mkdir()

        def bare(key: dsig.OpenKey, _number: int) -> None:
            key.signer.sign_digest(b"x" * spec.digest_size, spec)

        def batch(key: dsig.OpenKey, _number: int) -> None:
            dsig.sign(data, key=key)

        def to_file(key: dsig.OpenKey, number: int) -> None:
            dsig.sign(SMALL, folder / "out" / f"{number}.dcm", key=key)

        def opened() -> AbstractContextManager[dsig.OpenKey]:
            return dsig.open_key(uri, secrets=Channels(pin=from_file(pin)))

        def naive(number: int) -> None:
            with opened() as key:
                dsig.sign(SMALL, folder / "out" / f"naive{number}.dcm", key=key)

        def command(number: int) -> None:
            out = folder / "out" / f"command{number}.dcm"
            subprocess.run(
                [DSIG, "sign", SMALL, "-o", out, "--key", uri, "--pin-file", pin], check=True, capture_output=True
            )

        rates: dict[str, list[float]] = {"bare": [], "batch": [], "batch, to files": [], "naive": [], "command": []}
        for _ in range(options.rounds):
            with opened() as key:
                ways = {
                    "bare": (partial(bare, key), options.sessions),
                    "batch": (partial(batch, key), options.jobs),
                    "batch, to files": (partial(to_file, key), options.jobs),
                }
                for way, (work, threads) in ways.items():
                    rates[way].append(rate(options.files, work, threads))
            rates["naive"].append(rate(FEW, naive, 1))
            rates["command"].append(rate(FEW, command, 1))
    medians = {way: statistics.median(found) for way, found in rates.items()}
    print(
        f"{options.files} files of {len(data)} bytes, {options.key}, {options.sessions} sessions, {options.jobs} jobs"
    )
    for way, median in medians.items():
        print(f"{way:<16}{median:9.1f} /s   min {min(rates[way]):.1f} max {max(rates[way]):.1f}")
    print(f"batch over bare             {medians['batch'] / medians['bare']:6.2f}   (target 0.85)")
    print(f"batch to files over bare    {medians['batch, to files'] / medians['bare']:6.2f}")
    print(f"batch over naive            {medians['batch'] / medians['naive']:6.1f}   (in one process)")
    print(f"batch over command          {medians['batch'] / medians['command']:6.1f}   (target 20)")


if __name__ == "__main__":
    main()
