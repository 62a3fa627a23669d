"""All benchmarks, as ratios against peers measured in the same run: `make bench`.

    python benchmarks/run.py                     everything: 5 GB of temporary data, about 12 minutes, a quiet machine
    python benchmarks/run.py --quick             everything on a smaller scale, about 5 minutes; writes nothing
    python benchmarks/run.py --only starts       one part

Whole commands are timed as processes, interleaved, and compared by their medians; absolute times mean nothing on
another machine, ratios do. Writes docs/benchmarks.md and docs/images/benchmarks.svg, unless only a part or little is
measured.
"""

from __future__ import annotations

import argparse
import compileall
import math
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from batch import data_sets, memory, starts, studies
from large import large, slices
from measure import FULL, QUICK, ROOT, Curves, Scale, Table
from tokens import tokens
from where import profiles

PARTS: dict[str, Callable[[Path, Scale, Table, Curves], None]] = {
    "slices": slices,
    "starts": starts,
    "studies": studies,
    "data-sets": data_sets,
    "tokens": tokens,
    "large": large,
    "memory": memory,
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, fewer and smaller files")
    parser.add_argument("--only", choices=[*PARTS, "where"], help="one part")
    parser.add_argument("--directory", type=Path, help="where to put the data (default: a temporary directory)")
    parser.add_argument(
        "--output", type=Path, help="the page to write (default: docs/benchmarks.md if all is measured)"
    )
    options = parser.parse_args()
    output: Path | None = options.output
    if output is None and not options.quick and options.only is None:
        output = ROOT / "docs" / "benchmarks.md"
    scale = QUICK if options.quick else FULL

    for package in ("dsig", "plugins"):  # as in an installed wheel, whatever the environment says about bytecode
        compileall.compile_dir(ROOT / package, quiet=1)
    table, curves, limits = Table(), Curves(), ""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        for part in [options.only] if options.only else [*PARTS, "where"]:
            print(f"# {part}, after {time.monotonic() - began:.0f} s", flush=True)
            folder = Path(name) / part
            folder.mkdir()
            if part == "where":
                limits = profiles(folder, scale)
                print(limits)
            else:
                PARTS[part](folder, scale, table, curves)
    print(f"# done after {time.monotonic() - began:.0f} s")
    if output is None:
        return
    picture = output.parent / "images" / "benchmarks.svg"
    output.write_text(page(table, scale, limits, picture.relative_to(output.parent)))
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(plot(curves))


def page(table: Table, scale: Scale, limits: str, picture: Path) -> str:
    """docs/benchmarks.md."""
    rows = "\n".join(map(str, table.rows))
    peer = subprocess.run(["dcmsign", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"""# Benchmarks

Made by `make bench` ({scale.rounds} interleaved rounds after one to warm up, medians, ratios within the run). Peers:
`{peer.strip("$ ")}`, {openssl}; Python {platform.python_version()}, {os.cpu_count()} cores.

| what | target | measured | met |
| --- | --- | --- | --- |
{rows}

Whole commands are timed, start-up included. Loops of one process a file run over a tenth of the files and are scaled.
Outputs of signing are synced to disk by dsig (it renames finished files into place), which the peer does not do.

![time over number of files, elements, fragments and MiB](images/{picture.name})

## What is in the way of the targets that are missed

{limits}

Processor time of this process; what counts for a step is told by `benchmarks/where.py`. What follows from it:

- **A CT slice.** Hashing, keys, reading and writing are C already, and no step of the rest is large. Were walking,
  rules and trust free, the two processes of the comparison would be left, which do nothing else: their rows say how
  fast that is. A target above such a row is out of reach for two such processes, and so for us; the others want most
  of the rest gone, which is Python code that looks at each element a few times, in passes of C where there is one,
  and at each signature once.
- **Two jobs.** The command and its workers start in turn (see below), and the command has some work of its own for
  each file. How far two processes of this machine are from doing twice the work of one, the row of those that know no
  DICOM says.
- **Many elements, many fragments.** Time grows with their number and no faster. Elements are walked once; the loop
  above is what Python takes for that before it knows anything. Of fragments most is C: hashing, reading,
  looking for borders. The row with the start says how much of the peer's whole time is gone before the file is
  opened.
- **A start** costs Python, click and cryptography before the first line of ours: the table has their time for
  comparison, and the target lies below it. The default trust backend adds as much again
  ([decision 30](decisions/0030-the-default-trust-backend.md)); a backend that is quicker to load and knows less would
  give other verdicts. A run pays for it once in each process.
- **A gigabyte** is hashed by OpenSSL in both programs; the row of `openssl dgst` says how far the peer is from that
  alone.

A token that is software competes with the files for the processors. Behind a line, as an HSM is, waiting for it costs
next to nothing, because four files at a time are in the hands of each worker: the row without start-up says how little.
"""


def plot(curves: Curves) -> str:
    """Time over number, both logarithmic; the dashed line is what growing in step looks like."""
    points = [point for curve in curves.values() for point in curve]
    low = [min(math.log10(p[axis]) for p in points) for axis in (0, 1)]
    high = [max(math.log10(p[axis]) for p in points) for axis in (0, 1)]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low[0]) / (high[0] - low[0])
        up = (math.log10(y) - low[1]) / (high[1] - low[1])
        return 60 + 460 * across, 340 - 300 * up

    colours = ("#0b6e99", "#c2410c", "#15803d", "#7e22ce", "#a16207")
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 400" font-family="sans-serif" font-size="13">']
    lines.append('<rect width="720" height="400" fill="white"/>')
    for number, (name, curve) in enumerate(curves.items()):
        (x1, y1), (x2, y2) = (place(*point) for point in curve)
        colour = colours[number % len(colours)]
        ideal = place(curve[1][0], curve[0][1] * curve[1][0] / curve[0][0])[1]
        lines.append(f'<path d="M{x1:.0f} {y1:.0f}L{x2:.0f} {ideal:.0f}" stroke="#bbb" stroke-dasharray="4"/>')
        lines.append(f'<path d="M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}" stroke="{colour}" stroke-width="2"/>')
        lines.append(f'<text x="{x2 + 6:.0f}" y="{y2:.0f}" fill="{colour}">{name}: {curve[1][1]:.2f} s</text>')
    lines.append(
        '<text x="60" y="380">number of files, elements, fragments or MiB (logarithmic); dashed: in step</text></svg>'
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
