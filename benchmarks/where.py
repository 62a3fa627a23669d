"""Where the processor time of one file among many goes: sampled, in one warm process, by what is being done.

A target that is missed is missed because of something; this says of what, and what would be left without it.
"""

from __future__ import annotations

import gc
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from data import ct_slice
from measure import CA, CERT, INTERMEDIATE, KEY, Scale

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
    ),
    "walking headers": ("_Walker.run", "read_data_set"),
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

    path, output = folder / "plain.dcm", folder / "signed.dcm"
    ct_slice(path)
    options = dsig.VerifyOptions(trust=dsig.load_trust([CA], [INTERMEDIATE]), at=datetime.now(UTC))
    times = 100 + 100 * scale.rounds
    gc.set_threshold(100_000)  # as workers have it
    parts = []
    with dsig.open_key(KEY, certificate=CERT) as key:

        def signing() -> None:
            dsig.sign(path, output, key=key)

        def verifying() -> None:
            dsig.verify(output, options)

        for name, once in (("verify", verifying), ("sign", signing)):
            signing()
            once()
            sampler = Sampler()

            def work(once: Callable[[], None] = once) -> None:
                for _ in range(times):
                    once()

            seconds = sampler.of(work)
            parts.append(_table(name, sampler.steps, seconds / times))
    return "\n\n".join(parts)


def _table(name: str, steps: Counter[str], seconds: float) -> str:
    total = sum(steps.values()) or 1
    lines = [
        f"| {name} one CT slice, in a process that has done some before: {seconds * 1000:.2f} ms | share |",
        "| --- | --- |",
    ]
    lines += [f"| {step} | {100 * count / total:.0f} % |" for step, count in steps.most_common()]
    return "\n".join(lines)
