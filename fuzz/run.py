"""Fuzz every target for some time and say what came of it: `python fuzz/run.py --seconds 3600 [--target verify]`.

With `--runs` and `--seed` in place of a time the same is done again, whatever the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import targets

HERE = Path(__file__).parent
REGRESSIONS = HERE.parent / "tests" / "fuzz" / "regressions"
HANG = 30
"""Seconds by the clock after which an input counts as hanging; what is merely slow is noticed by its processor time."""
MEGABYTES = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--runs", type=int, help="executions of each target, seeds included, in place of a time")
    parser.add_argument("--seed", type=int, default=0, help="of what is random; 0 is another each time")
    parser.add_argument("--target", choices=sorted(targets.TARGETS), action="append")
    parser.add_argument("--keep", type=Path, help="directory for the inputs that reached new code, and for findings")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        keep = given.keep or Path(temporary)
        results = [fuzz(name, given, keep) for name in given.target or sorted(targets.TARGETS)]
    return int(any(results))


def fuzz(name: str, given: argparse.Namespace, keep: Path) -> int:
    found, learnt, seeds = keep / name / "found", keep / name / "learnt", keep / "seeds"
    for directory in (found, learnt, seeds):
        directory.mkdir(parents=True, exist_ok=True)
    for file, content in targets.seeds().items():
        (seeds / file).write_bytes(content)
    for path in REGRESSIONS.glob("*"):
        (seeds / path.name).write_bytes(path.read_bytes())
    command = [
        *(sys.executable, str(HERE / "harness.py"), name, str(learnt), str(seeds)),
        *(f"-max_total_time={given.seconds}" if given.runs is None else f"-runs={given.runs}", f"-seed={given.seed}"),
        *(f"-timeout={HANG}", f"-max_len={2 * targets.LARGEST_SEED}"),
        *(f"-rss_limit_mb={MEGABYTES + baseline()}", f"-artifact_prefix={found}/", "-print_final_stats=1"),
        *("-use_value_profile=1", "-len_control=0"),
    ]
    environment = os.environ | ({"PYTHONHASHSEED": str(given.seed)} if given.seed else {})
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )  # fmt: skip
    executions = re.search(r"number_of_executed_units:\s*(\d+)", ran.stderr)
    peak = re.search(r"peak_rss_mb:\s*(\d+)", ran.stderr)
    reached = re.findall(r"cov: (\d+) ft: (\d+)", ran.stderr)
    print(
        f"{name}: {executions.group(1) if executions else '?'} executions"
        f"{f' in {given.seconds} s' if given.runs is None else ''},"
        f" {reached[-1][0] if reached else '?'} places of the code reached, peak {peak.group(1) if peak else '?'} MB,"
        f" {'nothing found' if ran.returncode == 0 else 'FOUND'}",
        flush=True,
    )
    if ran.returncode:
        print(ran.stderr[-4000:], file=sys.stderr)
        print(*(f"  {path}" for path in sorted(found.iterdir())), sep="\n")
    return ran.returncode


def baseline() -> int:
    """Megabytes the harness needs for itself."""
    return 400


if __name__ == "__main__":
    sys.exit(main())
