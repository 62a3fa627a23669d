"""One file: a CT slice without its surroundings, and a multi-frame image of 1 GiB."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from data import ct_slice, multiframe
from measure import CERT, DSIG, KEY, PEER_TRUST, SIGNER, TRUST, Curves, Scale, Series, Table, interleaved, run


def slices(folder: Path, scale: Scale, table: Table, _curves: Curves) -> None:
    """Walking, beside the hash alone. Goes first: writes of large files go on in the background for a while."""
    path = folder / "ct.dcm"
    elements = ct_slice(path)
    walk_and_hash(path, 50)
    bare, walked = walk_and_hash(path, 100 * scale.rounds)
    table.add(f"walk and hash a CT slice of 0.5 MB, {elements} elements, over its bare hash", "≤ 2", walked / bare)


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


def large(folder: Path, scale: Scale, table: Table, curves: Curves) -> None:
    """A native multi-frame image, and one of a tenth of its size."""
    big, tenth, signed, few, out, peer = (folder / f"{n}.dcm" for n in ("big", "tenth", "signed", "few", "out", "peer"))
    multiframe(big, scale.frames)
    multiframe(tenth, scale.frames // 10)
    run([DSIG, "sign", str(big), "-o", str(signed), *SIGNER])
    run([DSIG, "sign", str(tenth), "-o", str(few), *SIGNER])
    size = f"{scale.frames * 2:,} MiB"
    verify = interleaved(
        {
            "dsig": [DSIG, "verify", str(signed), *TRUST],
            "tenth": [DSIG, "verify", str(few), *TRUST],
            "dcmsign": ["dcmsign", "--verify", *PEER_TRUST, str(signed)],
            "openssl": ["openssl", "dgst", "-sha256", str(signed)],
        },
        scale.rounds,
    )
    ours = verify["dsig"]
    table.add(f"verify {size}, times faster than dcmsign", "≥ 2.5", verify["dcmsign"].median / ours.median)
    table.add(f"verify {size}, time over `openssl dgst -sha256`", "≤ 1.15", ours.median / verify["openssl"].median)
    table.add(
        "for comparison: `openssl dgst`, times faster than dcmsign",
        "",
        verify["dcmsign"].median / verify["openssl"].median,
    )
    _memory(f"verify {size}", table, ours, verify["dcmsign"])
    table.add("file size ×10, time", "≤ 11", ours.median / verify["tenth"].median)
    curves["verify, MiB"] = [(scale.frames // 10 * 2, verify["tenth"].median), (scale.frames * 2, ours.median)]

    sign = interleaved(
        {
            "dsig": [DSIG, "sign", str(big), "-o", str(out), *SIGNER],
            "dcmsign": ["dcmsign", "+s", KEY, CERT, "+m2", str(big), str(peer)],
        },
        scale.rounds,
        fresh=[out, peer],
    )
    table.add(f"sign {size}, times faster than dcmsign", "≥ 3", sign["dcmsign"].median / sign["dsig"].median)
    _memory(f"sign {size}", table, sign["dsig"], sign["dcmsign"])
    for path in (big, tenth, signed, few, out, peer):
        path.unlink(missing_ok=True)


def _memory(what: str, table: Table, ours: Series, peer: Series) -> None:
    table.add(f"{what}, peak memory", "≤ 100 MB", ours.peak / 1024, f" MB (dcmsign {peer.peak / 1024:.0f} MB)")
