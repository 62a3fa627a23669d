"""Many files and large data sets, as ratios against peers within one run: `python benchmarks/batch.py`.

    python benchmarks/batch.py                      the whole table: 2 GB, half an hour, a quiet machine
    python benchmarks/batch.py --files 100 --listed 10000 --rounds 1 --output /dev/null       a look, in a few minutes

Whole commands are timed as processes, interleaved, and compared by their medians. The loops of one process per file run
over a tenth of the files and are scaled up. Writes docs/benchmarks-batch.md and docs/benchmarks-batch.svg.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from run import CA, CERT, DSIG, INTERMEDIATE, KEY, ROOT, Series, ct_slice, element, interleaved, run

TRUST = ["--trust-root", CA, "--intermediate", INTERMEDIATE]
SIGNER = ["--key", KEY, "--cert", CERT]
EXPLICIT = b"1.2.840.10008.1.2.1\0"
JPEG = b"1.2.840.10008.1.2.4.50"
UNDEFINED = 0xFFFFFFFF


# ---------------------------------------------------------------------------------------------------------------- data


def item(body: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body


def sequence(tag: int, items: list[bytes]) -> bytes:
    body = b"".join(items)
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, len(body)) + body


def part10(path: Path, syntax: bytes, sop_class: bytes, data: bytes) -> None:
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class)
    meta += element(0x00020003, "UI", b"1.2.3.4.5\0") + element(0x00020010, "UI", syntax)
    meta += element(0x00020012, "UI", b"1.2.3\0")
    head = element(0x00020000, "UL", struct.pack("<I", len(meta)))
    path.write_bytes(b"\0" * 128 + b"DICM" + head + meta + data)


def patient(sop_class: bytes) -> bytes:
    data = element(0x00080016, "UI", sop_class) + element(0x00080018, "UI", b"1.2.3.4.5\0")
    return data + element(0x00080060, "CS", b"MR") + element(0x00100010, "PN", b"Many^Elements ")


def image(frames: int) -> bytes:
    count = str(frames).encode()
    data = element(0x00280002, "US", b"\1\0") + element(0x00280008, "IS", count + b" " * (len(count) % 2))
    for tag, value in ((0x00280010, 16), (0x00280011, 16), (0x00280100, 8), (0x00280101, 8), (0x00280102, 7)):
        data += element(tag, "US", struct.pack("<H", value))
    return data + element(0x00280103, "US", b"\0\0")


def enhanced(path: Path, elements: int) -> None:
    """An Enhanced MR image whose per-frame functional groups hold so many elements, 12 a frame with the sequences."""
    sop_class = b"1.2.840.10008.5.1.4.1.1.4.1\0"
    frames = elements // 12
    groups = []
    for number in range(frames):
        value = f"{number:06}.500000"[:12].encode()
        groups.append(
            item(
                element(0x00189074, "DT", b"20260101000000")
                + sequence(0x00189114, [item(element(0x00180081, "DS", f"{number:06}".encode()))])
                + sequence(
                    0x00209111,
                    [
                        item(
                            element(0x00209056, "SH", b"1 ")
                            + element(0x00209057, "UL", struct.pack("<I", number))
                            + element(0x00209128, "UL", struct.pack("<I", number))
                        )
                    ],
                )
                + sequence(0x00209113, [item(element(0x00200032, "DS", b"0\\0\\" + value))])
                + sequence(0x00289110, [item(element(0x00180050, "DS", b"1 ") + element(0x00280030, "DS", b"1\\1 "))])
            )
        )
    data = patient(sop_class) + image(frames) + sequence(0x52009230, groups)
    data += struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, frames * 256) + os.urandom(frames * 256)
    part10(path, EXPLICIT, sop_class, data)


def slides(path: Path, fragments: int) -> None:
    """A whole slide image with so many fragments of 2 KiB."""
    sop_class = b"1.2.840.10008.5.1.4.1.1.77.1.6"
    block = os.urandom(2048)
    data = patient(sop_class) + image(fragments)
    data += struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED) + item(b"")
    data += item(block) * fragments + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    part10(path, JPEG, sop_class, data)


def tree(top: Path, files: list[Path], count: int) -> None:
    """A directory with so many names for these files."""
    for number in range(count):
        folder = top / f"series{number // 500}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(files[number % len(files)], folder / f"{number:06}.dcm")


# ------------------------------------------------------------------------------------------------------------ the table


class Table:
    """Rows with their targets."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, what: str, target: str, ratio: float, more: str = "") -> None:
        limit = float(target.split()[1])
        met = ratio >= limit if target.startswith("≥") else ratio <= limit
        self.rows.append((what, target, f"{ratio:.2f}{more}", "yes" if met else "no"))
        print("|", " | ".join(self.rows[-1]), "|", flush=True)


def loop(program: str, files: list[Path]) -> list[str]:
    """A shell loop with one process for each file."""
    names = " ".join(str(f) for f in files)
    return ["sh", "-c", f"for f in {names}; do {program} >/dev/null 2>&1 || exit 1; done"]


def times(commands: dict[str, list[str]], rounds: int, fresh: list[Path] | None = None) -> dict[str, Series]:
    """As `interleaved`, with directories that must not be there before each run."""
    if not fresh:
        return interleaved(commands, rounds)
    series = {name: Series() for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            for path in fresh:
                shutil.rmtree(path, ignore_errors=True)
            seconds, peak = run(command)
            if number:
                series[name].seconds.append(seconds)
                series[name].peak = max(series[name].peak, peak)
    return series


def studies(
    folder: Path, options: argparse.Namespace, table: Table, curves: dict[str, list[tuple[float, float]]]
) -> None:
    count, rounds = options.files, options.rounds
    plain, signed = folder / "plain", folder / "signed"
    plain.mkdir()
    for number in range(count):
        ct_slice(plain / f"{number:04}.dcm")
    few = sorted(plain.iterdir())[: max(1, count // 10)]
    scale = count / len(few)
    (folder / "peer").mkdir()
    sign = times(
        {
            "dsig": [DSIG, "sign", str(plain), "-o", str(signed), *SIGNER, "--jobs", "2", "-q"],
            "loop": loop(f"dcmsign +s {KEY} {CERT} +m2 $f {folder}/peer/out.dcm", few),
        },
        rounds,
        fresh=[signed],
    )
    run([DSIG, "sign", str(plain), "-o", str(signed), *SIGNER, "--jobs", "2", "-q"])
    what = f"sign {count:,} CT slices of 0.5 MB, RSA-2048, 2 jobs, times faster than a shell loop of dcmsign"
    table.add(what, "≥ 25", sign["loop"].median * scale / sign["dsig"].median)

    few = sorted(signed.iterdir())[: len(few)]
    verify = times(
        {
            "2 jobs": [DSIG, "verify", str(signed), *TRUST, "--jobs", "2"],
            "1 job": [DSIG, "verify", str(signed), *TRUST, "--jobs", "1"],
            "loop": loop(f"dcmsign --verify +cf {CA} +uf {INTERMEDIATE} $f", few),
        },
        rounds,
    )
    what = f"verify {count:,} CT slices, 2 jobs, times faster than a shell loop of dcmsign"
    table.add(what, "≥ 30", verify["loop"].median * scale / verify["2 jobs"].median)

    large, some = folder / "large", folder / "some"
    tree(large, sorted(signed.iterdir()), 10 * count)
    tree(some, sorted(signed.iterdir()), count)
    steady = times(
        {
            "2 jobs": [DSIG, "verify", str(large), *TRUST, "--jobs", "2"],
            "1 job": [DSIG, "verify", str(large), *TRUST, "--jobs", "1"],
            "openssl": [
                "sh",
                "-c",
                f"find {large} -type f -print0 | xargs -0 -P 2 -n 500 openssl dgst -sha256 >/dev/null",
            ],
        },
        max(1, rounds // 2),
    )
    what = f"verify {10 * count:,} CT slices, 2 jobs, share of the speed of `openssl dgst -sha256` on 2 cores"
    table.add(what, "≥ 0.5", steady["openssl"].median / steady["2 jobs"].median)
    what = f"2 jobs, times faster than 1 job, verifying {10 * count:,} CT slices"
    table.add(what, "≥ 1.8", steady["1 job"].median / steady["2 jobs"].median)
    curves["files, 2 jobs"] = [(count, verify["2 jobs"].median), (10 * count, steady["2 jobs"].median)]
    curves["files, 1 job"] = [(count, verify["1 job"].median), (10 * count, steady["1 job"].median)]


def data_sets(
    folder: Path, options: argparse.Namespace, table: Table, curves: dict[str, list[tuple[float, float]]]
) -> None:
    peer = ["dcmsign", "--verify", "+cf", CA, "+uf", INTERMEDIATE]
    made = {
        "mf20k": (enhanced, 20_000),
        "mf200k": (enhanced, 200_000),
        "wsi5k": (slides, 5_000),
        "wsi50k": (slides, 50_000),
    }
    commands: dict[str, list[str]] = {}
    for name, (make, count) in made.items():
        make(folder / f"{name}.dcm", count)
        run([DSIG, "sign", str(folder / f"{name}.dcm"), "-o", str(folder / f"{name}.signed"), *SIGNER])
        commands[name] = [DSIG, "verify", str(folder / f"{name}.signed"), *TRUST]
        commands[f"{name} dcmsign"] = [*peer, str(folder / f"{name}.signed")]
    found = interleaved(commands, options.rounds)
    for name, what in (("mf200k", "enhanced MF with 200,000 nested elements"), ("wsi50k", "WSI with 50,000 fragments")):
        table.add(
            f"verify {what}, times faster than dcmsign", "≥ 1", found[f"{name} dcmsign"].median / found[name].median
        )
    table.add("elements ×10 (20,000 to 200,000), time", "≤ 11", found["mf200k"].median / found["mf20k"].median)
    table.add("fragments ×10 (5,000 to 50,000), time", "≤ 11", found["wsi50k"].median / found["wsi5k"].median)
    curves["elements"] = [(20_000, found["mf20k"].median), (200_000, found["mf200k"].median)]
    curves["fragments"] = [(5_000, found["wsi5k"].median), (50_000, found["wsi50k"].median)]


def starts(folder: Path, options: argparse.Namespace, table: Table) -> None:
    ct_slice(folder / "one.dcm")
    one = folder / "one.signed"
    run([DSIG, "sign", str(folder / "one.dcm"), "-o", str(one), *SIGNER])
    found = interleaved(
        {
            "verify": [DSIG, "verify", str(one), *TRUST],
            "dcmsign": ["dcmsign", "--verify", "+cf", CA, "+uf", INTERMEDIATE, str(one)],
            "help": [DSIG, "--help"],
            "pass": [sys.executable, "-c", "pass"],
        },
        3 * options.rounds,
    )
    table.add(
        "`dsig verify` of one CT slice, time over dcmsign", "≤ 3", found["verify"].median / found["dcmsign"].median
    )
    table.add("`dsig --help`, time over `python -c pass`", "≤ 6", found["help"].median / found["pass"].median)


def memory(folder: Path, options: argparse.Namespace, table: Table) -> None:
    """Small unsigned files named again and again: it is the number that counts here."""
    small = ROOT / "tests" / "corpus" / "base" / "sc_odd.dcm"
    peaks = []
    for count in (options.listed // 10, options.listed):
        names = folder / "names"
        with names.open("w") as file:
            for _ in range(count):
                file.write(f"{small}\n")
        command = f"{DSIG} verify @{names} --jobs 2 --format json >/dev/null; test $? = 4"
        _, peak = run(["sh", "-c", command])
        peaks.append(peak / 1024)
    more = f" MB (a tenth of them: {peaks[0]:.0f} MB)"
    table.add(f"peak memory of a process with {options.listed:,} files listed", "≤ 150", peaks[1], more)


# ------------------------------------------------------------------------------------------------------------ the page


def plot(curves: dict[str, list[tuple[float, float]]]) -> str:
    """Time over number, both logarithmic; the grey line is what growing in step looks like."""
    points = [point for curve in curves.values() for point in curve]
    low = [min(math.log10(p[axis]) for p in points) for axis in (0, 1)]
    high = [max(math.log10(p[axis]) for p in points) for axis in (0, 1)]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low[0]) / (high[0] - low[0])
        up = (math.log10(y) - low[1]) / (high[1] - low[1])
        return 60 + 460 * across, 340 - 300 * up

    colours = ("#0b6e99", "#c2410c", "#15803d", "#7e22ce")
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
        '<text x="60" y="380">number of files, elements or fragments (logarithmic); dashed: in step</text></svg>'
    )
    return "\n".join(lines) + "\n"


def page(table: Table, options: argparse.Namespace) -> str:
    rows = "\n".join(f"| {' | '.join(row)} |" for row in table.rows)
    return f"""# Benchmarks of many files

Made by `python benchmarks/batch.py` ({options.rounds} interleaved rounds after one to warm up, medians, ratios within
the run; {os.cpu_count()} cores). Whole commands are timed, start-up included. Loops of one process a file run over a
tenth of the files and are scaled. Outputs are synced to disk by dsig, which the peer does not do.

| what | target | measured | met |
| --- | --- | --- | --- |
{rows}

![growth](benchmarks-batch.svg)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--listed", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("studies", "data-sets", "starts", "memory"))
    parser.add_argument("--directory", type=Path, help="where to put the data (default: a temporary directory)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks-batch.md")
    options = parser.parse_args()
    table = Table()
    curves: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        folder = Path(name)
        if options.only in (None, "starts"):
            starts(folder, options, table)
        if options.only in (None, "data-sets"):
            data_sets(folder, options, table, curves)
        if options.only in (None, "studies"):
            studies(folder, options, table, curves)
        if options.only in (None, "memory"):
            memory(folder, options, table)
    options.output.write_text(page(table, options))
    if curves and options.output.suffix == ".md":
        options.output.with_suffix(".svg").write_text(plot(curves))


if __name__ == "__main__":
    main()
