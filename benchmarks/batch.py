"""Many files and large data sets. Whole commands are timed as processes, start-up included."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from data import ct_slice, enhanced, slides
from measure import CERT, DSIG, KEY, PEER_TRUST, ROOT, SIGNER, TRUST, Curves, Scale, Table, interleaved, loop, run

FLOOR = [sys.executable, str(Path(__file__).with_name("floor.py"))]


def tree(top: Path, files: list[Path], count: int) -> None:
    """A directory with so many names for these files."""
    for number in range(count):
        folder = top / f"series{number // 500}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(files[number % len(files)], folder / f"{number:06}.dcm")


def studies(folder: Path, scale: Scale, table: Table, curves: Curves) -> None:
    """A CT study: signed, verified, and verified ten times over. Loops are a tenth as long, and scaled."""
    count, rounds = scale.files, scale.rounds
    plain, signed = folder / "plain", folder / "signed"
    plain.mkdir()
    for number in range(count):
        ct_slice(plain / f"{number:04}.dcm")
    few = sorted(plain.iterdir())[: max(1, count // 10)]
    longer = count / len(few)
    (folder / "peer").mkdir()
    sign = interleaved(
        {
            "dsig": [DSIG, "sign", str(plain), "-o", str(signed), *SIGNER, "--jobs", "2", "-q"],
            "loop": loop(f"dcmsign +s {KEY} {CERT} +m2 $f {folder}/peer/out.dcm", few),
            "floor": [*FLOOR, "2", "sign", str(plain), str(folder / "floor")],
        },
        rounds,
        fresh=[signed, folder / "floor"],
    )
    run([DSIG, "sign", str(plain), "-o", str(signed), *SIGNER, "--jobs", "2", "-q"])
    what = f"sign {count:,} CT slices of 0.5 MB, RSA-2048, 2 jobs, times faster than a shell loop of dcmsign"
    table.add(what, "≥ 25", sign["loop"].median * longer / sign["dsig"].median)
    what = "for comparison: two processes that read, hash, sign and write them synced and know no DICOM, times faster"
    table.add(what, "", sign["loop"].median * longer / sign["floor"].median)

    few = sorted(signed.iterdir())[: len(few)]
    verify = interleaved(
        {
            "2 jobs": [DSIG, "verify", str(signed), *TRUST, "--jobs", "2"],
            "1 job": [DSIG, "verify", str(signed), *TRUST, "--jobs", "1"],
            "loop": loop(f"dcmsign --verify {' '.join(PEER_TRUST)} $f", few),
            "floor": [*FLOOR, "2", "verify", str(signed)],
        },
        rounds,
    )
    what = f"verify {count:,} CT slices, 2 jobs, times faster than a shell loop of dcmsign"
    table.add(what, "≥ 30", verify["loop"].median * longer / verify["2 jobs"].median)
    what = "for comparison: two processes that read, hash and verify one signature each and know no DICOM, times faster"
    table.add(what, "", verify["loop"].median * longer / verify["floor"].median)

    large, some = folder / "large", folder / "some"
    tree(large, sorted(signed.iterdir()), 10 * count)
    tree(some, sorted(signed.iterdir()), count)
    steady = interleaved(
        {
            "2 jobs": [DSIG, "verify", str(large), *TRUST, "--jobs", "2"],
            "1 job": [DSIG, "verify", str(large), *TRUST, "--jobs", "1"],
            "floor 2": [*FLOOR, "2", "verify", str(large)],
            "floor 1": [*FLOOR, "1", "verify", str(large)],
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
    what = "for comparison: two processes that know no DICOM, times faster than one"
    table.add(what, "", steady["floor 1"].median / steady["floor 2"].median)
    curves["files, 2 jobs"] = [(count, verify["2 jobs"].median), (10 * count, steady["2 jobs"].median)]
    curves["files, 1 job"] = [(count, verify["1 job"].median), (10 * count, steady["1 job"].median)]


def data_sets(folder: Path, scale: Scale, table: Table, curves: Curves) -> None:
    """Many elements, many fragments."""
    peer = ["dcmsign", "--verify", *PEER_TRUST]
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
    ct_slice(folder / "one.dcm")
    run([DSIG, "sign", str(folder / "one.dcm"), "-o", str(folder / "one.signed"), *SIGNER])
    commands["one"] = [DSIG, "verify", str(folder / "one.signed"), *TRUST]
    found = interleaved(commands, scale.rounds)
    for name, what in (("mf200k", "enhanced MF with 200,000 nested elements"), ("wsi50k", "WSI with 50,000 fragments")):
        table.add(
            f"verify {what}, times faster than dcmsign", "≥ 1", found[f"{name} dcmsign"].median / found[name].median
        )
        gone = found["one"].median / found[f"{name} dcmsign"].median
        table.add("for comparison: `dsig verify` of one CT slice, over dcmsign's time for that file", "", gone)
    table.add("elements ×10 (20,000 to 200,000), time", "≤ 11", found["mf200k"].median / found["mf20k"].median)
    table.add("fragments ×10 (5,000 to 50,000), time", "≤ 11", found["wsi50k"].median / found["wsi5k"].median)
    curves["elements"] = [(20_000, found["mf20k"].median), (200_000, found["mf200k"].median)]
    curves["fragments"] = [(5_000, found["wsi5k"].median), (50_000, found["wsi50k"].median)]


def starts(folder: Path, scale: Scale, table: Table, _curves: Curves) -> None:
    """One small file, and none. What Python and two libraries cost before the first line of ours is told besides."""
    ct_slice(folder / "one.dcm")
    one = folder / "one.signed"
    run([DSIG, "sign", str(folder / "one.dcm"), "-o", str(one), *SIGNER])
    found = interleaved(
        {
            "verify": [DSIG, "verify", str(one), *TRUST],
            "dcmsign": ["dcmsign", "--verify", *PEER_TRUST, str(one)],
            "help": [DSIG, "--help"],
            "pass": [sys.executable, "-c", "pass"],
            "bare": [sys.executable, "-c", "import click, dataclasses, hashlib, cryptography.x509"],
        },
        3 * scale.rounds,
    )
    table.add(
        "`dsig verify` of one CT slice, time over dcmsign", "≤ 3", found["verify"].median / found["dcmsign"].median
    )
    table.add(
        "for comparison: Python that imports click and cryptography and does nothing, time over dcmsign",
        "",
        found["bare"].median / found["dcmsign"].median,
    )
    table.add("`dsig --help`, time over `python -c pass`", "≤ 6", found["help"].median / found["pass"].median)


def memory(folder: Path, scale: Scale, table: Table, _curves: Curves) -> None:
    """Small unsigned files named again and again: it is the number that counts here."""
    small = ROOT / "tests" / "corpus" / "base" / "sc_odd.dcm"
    peaks = []
    for count in (scale.listed // 10, scale.listed):
        names = folder / "names"
        with names.open("w") as file:
            for _ in range(count):
                file.write(f"{small}\n")
        command = f"{DSIG} verify @{names} --jobs 2 --format json >/dev/null; test $? = 4"
        _, peak = run(["sh", "-c", command])
        peaks.append(peak / 1024)
    more = f" MB (a tenth of them: {peaks[0]:.0f} MB)"
    table.add(f"peak memory of a process with {scale.listed:,} files listed", "≤ 150", peaks[1], more)
