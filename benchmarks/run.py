"""Ratios against peers, all measured in one run: `make bench`.

Data are made in a temporary directory (about 4 GB). Whole commands are timed as processes, interleaved, and compared by
their medians; absolute times mean nothing on another machine, ratios do. Writes docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PKI = ROOT / "tests" / "corpus" / "pki"
KEY, CERT, CA, INTERMEDIATE = (str(PKI / n) for n in ("rsa2048.key.pem", "rsa2048.pem", "root.pem", "inter.pem"))
DSIG = str(Path(sys.executable).parent / "dsig")


@dataclass
class Series:
    """Wall-clock seconds and peak memory of one command over all rounds."""

    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    """KiB."""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def run(command: list[str]) -> tuple[float, int]:
    """Seconds and peak resident KiB of one process, which must succeed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{errors.decode(errors='replace')}")
    return seconds, usage.ru_maxrss


def interleaved(commands: dict[str, list[str]], rounds: int, fresh: Sequence[Path] = ()) -> dict[str, Series]:
    """Run all commands `rounds` times in turn, after one round that warms caches and is not counted."""
    series = {name: Series() for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            for path in fresh:
                path.unlink(missing_ok=True)
            seconds, peak = run(command)
            if number:
                series[name].seconds.append(seconds)
                series[name].peak = max(series[name].peak, peak)
    return series


def element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    length = struct.pack("<HI", 0, len(value)) if vr in ("OB", "OW") else struct.pack("<H", len(value))
    return head + length + value


def multiframe(path: Path, frames: int) -> None:
    """A native 16-bit multi-frame image of `frames` frames of 1024 x 1024."""
    uid = b"1.2.840.10008.5.1.4.1.1.7.3\0"
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", uid)
    meta += element(0x00020003, "UI", b"1.2.3.4.5\0") + element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")
    meta += element(0x00020012, "UI", b"1.2.3\0")
    count = str(frames).encode() + b" " * (len(str(frames)) % 2)
    short = [(0x00280010, 1024), (0x00280011, 1024), (0x00280100, 16), (0x00280101, 12), (0x00280102, 11)]
    data = element(0x00080005, "CS", b"ISO_IR 100") + element(0x00080016, "UI", uid)
    data += element(0x00080018, "UI", b"1.2.3.4.5\0") + element(0x00100010, "PN", b"Big^File")
    data += element(0x00280002, "US", b"\1\0") + element(0x00280008, "IS", count)
    data += b"".join(element(tag, "US", struct.pack("<H", value)) for tag, value in short)
    data += element(0x00280103, "US", b"\0\0")
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write(b"\0" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data)
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, frames << 21))
        for _ in range(frames * 2):
            file.write(block)


def ct_slice(path: Path) -> int:
    """The header of a real CT slice (from pydicom) with 512 x 512 random pixels; gives the number of its elements."""
    from pydicom import dcmread
    from pydicom.data import get_testdata_file

    data_set = dcmread(str(get_testdata_file("CT_small.dcm")))
    data_set.Rows = data_set.Columns = 512
    data_set.PixelData = os.urandom(512 * 512 * 2)
    data_set.save_as(path)
    return len(data_set)


def walk_and_hash(path: Path, rounds: int) -> tuple[float, float]:
    """Median seconds of the bare hash of a file, and of walking it and hashing its MAC stream, in this process."""
    from dsig.dicom.file import open_dicom
    from dsig.dicom.source import open_source
    from dsig.signature.mac import MacCursor, mac_pieces, pump

    def bare() -> None:
        with path.open("rb", buffering=0) as file:
            hashlib.sha256(file.read()).digest()

    def walked() -> None:
        with open_source(path) as source, open_dicom(source) as file:
            level = file.main()
            running = hashlib.sha256()
            selected = [e for e in level.elements if e.signable]
            pump(file.data, [MacCursor(mac_pieces(level, selected), running.update)])
            running.digest()

    times: dict[Callable[[], None], list[float]] = {bare: [], walked: []}
    for _ in range(rounds):
        for work, seconds in times.items():
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return statistics.median(times[bare]), statistics.median(times[walked])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=512, help="2 MiB each; 512 make 1 GiB")
    parser.add_argument("--directory", type=Path, help="where to put the data (default: a temporary directory)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    rows: list[tuple[str, str, str, str]] = []
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        folder = Path(name)
        print("walking", flush=True)  # first: writes of the large files go on in the background for a while
        slice_ = folder / "ct.dcm"
        elements = ct_slice(slice_)
        walk_and_hash(slice_, 50)
        bare, walked = walk_and_hash(slice_, 500)
        rows.append(
            _row(f"walk and hash a CT slice of 0.5 MB, {elements} elements, over its bare hash", "≤ 2", walked / bare)
        )

        big, signed, out, peer = (folder / f"{n}.dcm" for n in ("big", "signed", "out", "peer"))
        print("making data", flush=True)
        multiframe(big, options.frames)
        run([DSIG, "sign", str(big), "-o", str(signed), "--key", KEY, "--cert", CERT])
        size = big.stat().st_size

        print("verifying", flush=True)
        verify = interleaved(
            {
                "dsig": [DSIG, "verify", str(signed), "--trust-root", CA, "--intermediate", INTERMEDIATE],
                "dcmsign": ["dcmsign", "--verify", "+cf", CA, "+uf", INTERMEDIATE, str(signed)],
                "openssl": ["openssl", "dgst", "-sha256", str(signed)],
            },
            options.rounds,
        )
        ours = verify["dsig"]
        rows += [
            _row("verify 1 GiB, times faster than dcmsign", "≥ 2.3", verify["dcmsign"].median / ours.median),
            _row("verify 1 GiB, time over `openssl dgst -sha256`", "≤ 1.25", ours.median / verify["openssl"].median),
            (
                "for comparison: `openssl dgst`, times faster than dcmsign",
                "",
                f"{verify['dcmsign'].median / verify['openssl'].median:.2f}",
                "",
            ),
            _memory("verify 1 GiB, peak memory", ours, verify["dcmsign"]),
        ]

        print("signing", flush=True)
        sign = interleaved(
            {
                "dsig": [DSIG, "sign", str(big), "-o", str(out), "--key", KEY, "--cert", CERT],
                "dcmsign": ["dcmsign", "+s", KEY, CERT, "+m2", str(big), str(peer)],
            },
            options.rounds,
            fresh=[out, peer],
        )
        rows += [
            _row("sign 1 GiB, times faster than dcmsign", "≥ 2.5", sign["dcmsign"].median / sign["dsig"].median),
            _memory("sign 1 GiB, peak memory", sign["dsig"], sign["dcmsign"]),
        ]

    text = _page(rows, options.rounds, size)
    print(text)
    options.output.write_text(text)


def _row(what: str, target: str, ratio: float) -> tuple[str, str, str, str]:
    limit = float(target[2:])
    met = ratio >= limit if target.startswith("≥") else ratio <= limit
    return what, target, f"{ratio:.2f}", "yes" if met else "no"


def _memory(what: str, ours: Series, peer: Series) -> tuple[str, str, str, str]:
    met = "yes" if ours.peak <= 120 * 1024 else "no"
    return what, "≤ 120 MB", f"{ours.peak / 1024:.0f} MB (dcmsign {peer.peak / 1024:.0f} MB)", met


def _page(rows: list[tuple[str, str, str, str]], rounds: int, size: int) -> str:
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    version = subprocess.run(["dcmsign", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"""# Benchmarks

Made by `make bench` ({rounds} interleaved rounds after one to warm up, medians, ratios within the run; the large file
has {size:,} bytes). Peers: `{version.strip("$ ")}`, {openssl}; Python {platform.python_version()},
{os.cpu_count()} cores.

| what | target | measured | met |
| --- | --- | --- | --- |
{table}

Commands are timed as processes, start-up included. Outputs of signing are synced to disk by dsig (it renames a finished
file into place), which the peer does not do.
"""


if __name__ == "__main__":
    main()
