"""Where the time goes: processor time of files in one warm process, sampled by what is being done; imports of a start.

A target that is missed is missed because of something; this says of what, and what would be left without it.
"""

from __future__ import annotations

import gc
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy
from types import FrameType
from typing import TYPE_CHECKING

from data import ct_slice, enhanced, slides
from measure import CA, CERT, DSIG, INTERMEDIATE, KEY, TRUST, Scale

if TYPE_CHECKING:
    import dsig

INTERVAL = 0.0005
"""Seconds of processor time between two samples."""

STEPS = {
    "hashing": ("GuardedMac.update",),
    "the public key": ("CryptographyBackend.verify_digest",),
    "the private key": ("FileSigner.sign_digest",),
    "reading and writing": (
        "_of_file",
        "own_source",
        "open_source",
        "replacing",
        "_Steady.write",
        "StreamSource.read_into",
        "FileSource.read_into",
        "ReadAhead.read",
        "ReadAhead.__exit__",
    ),
    "walking headers": ("_Walker.run", "read_data_set", "_sequence", "_fragments", "DataSet.fragments", "_fetched"),
    "putting the MAC stream together": (
        "_joined",
        "_raw_runs",
        "_Encoder.container",
        "_Encoder.fragment",
        "_marked",
        "MacCursor.feed",
        "MacCursor._advance",
        "MacCursor._flush",
    ),
    "looking for borders in fragments": ("_Watch._look", "_Watch._pieces", "_holds_tag", "fragment_findings"),
    "rules about signatures and coverage": (
        "find_signatures",
        "signature_findings",
        "coverage_of",
        "coverage",
        "level_wide_findings",
    ),
    "trust and time": ("trust", "proof", "claimed_findings", "certificate"),
}
"""What a function does counts for the first of these that is found around it, innermost first."""
_STEP_OF = {name: step for step, names in STEPS.items() for name in names}


class Sampler:
    """Counts steps while a block runs."""

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()

    def sample(self, _signal: int, frame: FrameType | None) -> None:
        """One sample."""
        while frame is not None:
            step = _STEP_OF.get(frame.f_code.co_qualname)
            if step is not None:
                self.steps[step] += 1
                return
            frame = frame.f_back
        self.steps["the rest"] += 1

    def of(self, work: Callable[[], None]) -> float:
        """Processor seconds of `work`, with its steps counted."""
        before = signal.signal(signal.SIGPROF, self.sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        began = time.process_time()
        try:
            work()
            return time.process_time() - began
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


def profiles(folder: Path, scale: Scale) -> str:
    """The tables, as Markdown."""
    import dsig

    path, output, one = folder / "plain.dcm", folder / "signed.dcm", folder / "one.dcm"
    ct_slice(path)
    options = dsig.VerifyOptions(trust=dsig.load_trust([CA], [INTERMEDIATE]), at=datetime.now(UTC))
    times = 100 + 100 * scale.rounds
    gc.set_threshold(100_000)  # as workers have it
    parts = []
    with dsig.open_key(KEY, certificate=CERT) as key:

        def signing() -> None:
            dsig.sign(path, output, key=key)

        def verifying(file: Path) -> Callable[[], None]:
            return lambda: _verified(file, options)

        signing()
        copy(output, one)
        parts.append(_profile("verify one CT slice", verifying(one), times))
        parts.append(_profile("sign one CT slice", signing, times))
        for what, make, count in (
            ("an enhanced MF with 200,000 nested elements", enhanced, 200_000),
            ("a WSI with 50,000 fragments", slides, 50_000),
        ):
            make(path, count)
            signing()
            parts.append(_profile(f"verify {what}", verifying(output), scale.rounds))
            parts.append(_tokens(output))
    return "\n\n".join((*parts, _imports(one)))


def _verified(file: Path, options: dsig.VerifyOptions) -> None:
    import dsig

    report = dsig.verify(file, options)
    assert report.verdict is dsig.FileVerdict.PASSED


def _profile(name: str, once: Callable[[], None], times: int) -> str:
    once()
    sampler = Sampler()

    def work() -> None:
        for _ in range(times):
            once()

    seconds = sampler.of(work) / times
    total = sum(sampler.steps.values()) or 1
    lines = [
        f"| {name}, in a process that has done some before: {seconds * 1000:.2f} ms | share |",
        "| --- | --- |",
    ]
    lines += [f"| {step} | {100 * count / total:.0f} % |" for step, count in sampler.steps.most_common()]
    return "\n".join(lines)


def _tokens(path: Path) -> str:
    """What a loop in Python takes that looks at each header once and has nothing else to do."""
    from dsig.dicom.file import open_dicom
    from dsig.dicom.source import open_source
    from dsig.dicom.walk import walk

    with open_source(path) as source, open_dicom(source) as file:
        tokens = sum(1 for _ in walk(file.data, file.start, file.end, file.encoding))
    unpack = struct.Struct("<HH2sH").unpack_from
    headers = bytes(range(240)) * 100

    def loop() -> Iterator[tuple[int, int, bytes, int, int]]:
        at = 0
        for _ in range(tokens):
            group, element, vr, length = unpack(headers, at)
            at += 8
            if at > 20_000 or group == 0xFFFE:
                at = 0
            yield group << 16 | element, at, vr, length, at + length

    began = time.process_time()
    for _tag, _start, _vr, _length, _end in loop():
        pass
    took = time.process_time() - began
    return (
        f"It has {tokens:,} headers, delimiters and ends of items. A loop in Python that unpacks so many headers, knows"
        f" no\nrules and leaves containers alone takes {took * 1000:.0f} ms."
    )


def _imports(signed: Path) -> str:
    """Which packages a start imports, by their share of it."""
    words = [sys.executable, "-X", "importtime", DSIG, "verify", str(signed), *TRUST]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stderr
    shares: Counter[str] = Counter()
    for own, _, name in (line.removeprefix("import time:").split("|") for line in said.splitlines() if "|" in line):
        if own.strip().isdigit():
            shares[_package(name.strip())] += int(own)
    total = sum(shares.values()) or 1
    lines = ["| imports of `dsig verify` of one file | share |", "| --- | --- |"]
    lines += [f"| {name} | {100 * share / total:.0f} % |" for name, share in shares.most_common()]
    return "\n".join(lines)


def _package(module: str) -> str:
    top = module.partition(".")[0]
    if top in ("click", "cryptography", "asn1crypto", "pyhanko_certvalidator"):
        return f"`{top}`"
    return "`dsig` and its plugins" if top.startswith("dsig") else "Python's own modules, and small ones"
