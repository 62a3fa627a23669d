"""What is done with each input, and what must hold; raises `AssertionError` where it does not."""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pydicom

import dsig
from dsig.plugins import default

__all__ = ["CORPUS", "TARGETS", "edit", "seeds", "verify"]

CORPUS = Path(__file__).parents[1] / "tests" / "corpus"
PKI = CORPUS / "pki"
LARGEST_SEED = 24_000
NOT_CONTENT = frozenset((0x4FFE0001, 0xFFFAFFFA, 0xFFFCFFFC))
"""Signatures, and trailing padding; group lengths are none either."""

_TRUST = dsig.load_trust([PKI / "root.pem"], [PKI / "inter.pem"])
_OPTIONS = dsig.VerifyOptions(trust=_TRUST, require_coverage="all")
_SIGNED: dict[str, pydicom.Dataset] = {}
"""Signature UID to what was signed."""


def seeds() -> Mapping[str, bytes]:
    """Small files of the corpus, signed, tampered and malformed, by name."""
    small = (p for p in sorted((CORPUS / "files").glob("*.dcm")) if p.stat().st_size <= LARGEST_SEED)
    return {path.name: path.read_bytes() for path in small}


def remember(files: Mapping[str, bytes]) -> None:
    """Know what the signatures of these files are about."""
    for content in files.values():
        report = dsig.verify(content, _OPTIONS)
        if report.verdict is dsig.FileVerdict.PASSED:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read = pydicom.dcmread(io.BytesIO(content), force=True)
                read.walk(lambda _data_set, _element: None)  # pydicom reads values late, and warns then
            for signature in report.signatures:
                _SIGNED.setdefault(signature.uid, read)


def verify(content: bytes) -> None:
    """Judge the file."""
    report = dsig.verify(content, _OPTIONS)
    if report.verdict is not dsig.FileVerdict.PASSED:
        return
    with warnings.catch_warnings():  # of values no reader likes
        warnings.simplefilter("ignore")
        _compare(report, pydicom.dcmread(io.BytesIO(content), force=True))


def _compare(report: dsig.FileReport, read: pydicom.Dataset) -> None:
    """What another reader finds against what it found in the file that was signed."""
    for signature in report.signatures:
        if signature.location != "/":
            continue
        signed = _SIGNED.get(signature.uid)
        assert signed is not None, f"a signature nobody made passes: {signature.uid}"
        differing = [element.tag for element in signed if not _same(element, read)]
        differing += [element.tag for element in read if element.tag not in signed and element.tag.group > 7]
        differing = [tag for tag in differing if tag.element and int(tag) not in NOT_CONTENT]
        assert not differing, f"passes, and other readers see something else: {differing}"


def edit(content: bytes) -> None:
    """Look into the file, take its signatures away, sign it."""
    for attempt in (_inspect, _remove, _sign):
        try:
            attempt(content)
        except dsig.DsigError as error:
            assert str(error).isprintable(), "an error that is not printable"


def _inspect(content: bytes) -> None:
    dsig.inspect(content)


def _remove(content: bytes) -> None:
    removed = dsig.remove(content, everything=True)
    assert isinstance(removed.output, bytes)
    assert dsig.verify(removed.output, _OPTIONS).verdict is not dsig.FileVerdict.PASSED


def _sign(content: bytes) -> None:
    signed = dsig.sign(content, key=_key())
    assert isinstance(signed.output, bytes)
    report = dsig.verify(signed.output, _OPTIONS)
    ours = [s for s in report.signatures if s.uid == signed.uid]
    assert len(ours) == 1, "what was signed has no such signature"
    assert ours[0].axes["integrity"].status is dsig.Status.PASSED, ours[0].axes["integrity"].findings


def _key() -> dsig.OpenKey:
    if not _KEYS:
        context = dsig.open_key(f"file:{PKI / 'p256.key.pem'}", certificate=str(PKI / "p256.pem"))
        _KEYS.append((context, context.__enter__()))
    return _KEYS[0][1]


_KEYS: list[tuple[object, dsig.OpenKey]] = []


def _same(element: pydicom.DataElement, other: pydicom.Dataset) -> bool:
    return element.tag in other and repr(other[element.tag].value) == repr(element.value)


def timed(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The same, failing for what costs too much processor time."""

    def run(content: bytes) -> None:
        begun = time.process_time()
        target(content)
        spent = time.process_time() - begun
        assert spent < SECONDS * slowdown, f"{spent:.1f} s for {len(content)} bytes"

    return run


SECONDS = 2.0
"""Processor time that one input may cost."""
slowdown = 1.0
"""How much slower the code is while its coverage is watched; set by the harness."""
TARGETS = {"verify": timed(verify), "edit": timed(edit)}
default()  # found once, outside of what is measured
