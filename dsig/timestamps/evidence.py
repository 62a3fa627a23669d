"""Evidence for decades: what was known about signatures, kept beside the files and stamped again in time.

A sidecar file (`dsig.evidence/1`, docs/evidence.md) holds signature values, their timestamps, certificates and CRLs,
and archive timestamps, each about everything before it (the idea of RFC 4998 and of ETSI archive timestamps, not their
formats). While the newest is good, each older one is judged at the time of the next: what it is about existed when it
was made, however long its TSA's certificate has expired since.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dsig.arguments import path_of
from dsig.errors import InputError, Where
from dsig.model import Finding, Status
from dsig.plugins import Plugins
from dsig.signature.timestamp import CMS_TSP
from dsig.timestamps.proof import Held, examined, imprint_findings, still_good, verifier_for
from dsig.trust.material import TrustMaterial
from dsig.trust.past import PastChains

__all__ = ["Archived", "Evidence", "HeldSignature", "judged", "read_evidence"]

SCHEMA = "dsig.evidence/1"
MAX_FILE = 64 << 20
MAX_RENEWALS = 100
CLAUSE = "RFC 4998 5.3"


@dataclass(frozen=True, slots=True)
class HeldSignature:
    """A signature the evidence is about."""

    uid: str
    location: str
    signature: bytes
    """(0400,0120) without pad byte."""
    timestamp: bytes
    """Token of (0400,0310) without pad byte; empty if there was none."""


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive timestamp, and what was known when it was made about those before it."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    timestamp: bytes = b""
    """Token, DER."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sidecar; certificates, CRLs and OCSP responses are DER."""

    signatures: tuple[HeldSignature, ...]
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    archive: tuple[Archived, ...] = ()
    """Oldest first."""

    def stamped(self, number: int, new: Archived | None = None) -> bytes:
        """The bytes that archive timestamp `number` is about: all before it, and what came with it, as canonical JSON.

        Canonical: keys sorted, no white space, ASCII. `new` stands in for an entry that is about to be made.
        """
        entry = self.archive[number] if new is None else new
        return _canonical(
            {
                "schema": SCHEMA,
                "content": self._content(),
                "archive": [_entry(one) for one in self.archive[:number]],
                "certificates": _texts(entry.certificates),
                "crls": _texts(entry.crls),
                "ocsps": _texts(entry.ocsps),
            }
        )

    def document(self) -> bytes:
        """The file."""
        whole = {"schema": SCHEMA, "content": self._content(), "archive": [_entry(one) for one in self.archive]}
        return json.dumps(whole, indent=1, sort_keys=True).encode() + b"\n"

    def material(self, trusted: TrustMaterial) -> TrustMaterial:
        """`trusted` with all that the evidence offers; its anchors stay what they are."""
        return replace(
            trusted,
            intermediates=_distinct(
                (*trusted.intermediates, *self.certificates, *(c for a in self.archive for c in a.certificates))
            ),
            crls=_distinct((*trusted.crls, *self.crls, *(c for a in self.archive for c in a.crls))),
            ocsps=_distinct((*trusted.ocsps, *self.ocsps, *(o for a in self.archive for o in a.ocsps))),
        )

    def _content(self) -> dict[str, Any]:
        return {
            "signatures": [
                {
                    "uid": one.uid,
                    "location": one.location,
                    "signature": _text(one.signature),
                    "timestamp": _text(one.timestamp),
                }
                for one in self.signatures
            ],
            "certificates": _texts(self.certificates),
            "crls": _texts(self.crls),
            "ocsps": _texts(self.ocsps),
        }


def judged(evidence: Evidence, tsa: TrustMaterial, at: datetime, plugins: Plugins, chains: PastChains) -> Held:
    """Since when is it proven that all of the content existed? From the newest archive timestamp back to the oldest.

    1. Each must be a good token about everything before it.
    2. Its TSA's chain must be valid when it stamped, and still at the time of the next one; of the newest, at `at`.
    3. Times must ascend.
    """
    provider = verifier_for(CMS_TSP, plugins)
    if not evidence.archive or provider is None:
        return Held(Status.FAILED, None, (_finding("evidence-unstamped", "the evidence has no archive timestamp"),))
    material = evidence.material(tsa)
    until = at
    findings: list[Finding] = []
    for number in reversed(range(len(evidence.archive))):
        name = f"archive timestamp {number + 1}"
        said = examined(provider, evidence.archive[number].timestamp, material.intermediates, plugins)
        wrong = [f for f in said.findings if f.severity == "error"]
        if said.facts is None or said.status is not Status.PASSED:
            return Held(Status.FAILED, None, (_broken(name), *_of(name, wrong)))
        wrong = [
            f
            for f in imprint_findings(said.facts.imprint, (evidence.stamped(number),), plugins)
            if f.severity == "error"
        ]
        if wrong:
            return Held(Status.FAILED, None, (_broken(name), *_of(name, wrong)))
        if said.facts.time > until:
            late = _finding("evidence-order", f"{name} is later than the one after it, or than the time of evaluation")
            return Held(Status.FAILED, None, (late,))
        status, trusted = still_good(said.facts, material, until, chains)
        findings = [*_of(name, trusted), *findings]
        if status is not Status.PASSED:
            return Held(status, None, tuple(findings))
        until = said.facts.time
    told = _finding(
        "evidence-says",
        f"evidence proves that signature and timestamp existed at {until:%Y-%m-%d %H:%M:%S} UTC"
        f" ({len(evidence.archive)} archive timestamp{'' if len(evidence.archive) == 1 else 's'})",
        severity="info",
    )
    return Held(Status.PASSED, until, (told, *findings))


def read_evidence(path: str | os.PathLike[str]) -> Evidence:
    """Read a sidecar. Raises `InputError` for anything that is not exactly one."""
    path = path_of(path, "read_evidence")
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or "no such name") from None
    if len(data) > MAX_FILE:
        raise _unreadable(path, f"it is longer than {MAX_FILE} bytes")
    try:
        whole = json.loads(data, object_pairs_hook=_unique)
        _only(whole, "schema", "content", "archive")
        if whole["schema"] != SCHEMA:
            raise ValueError(f"it is not of schema {SCHEMA}")
        content = whole["content"]
        _only(content, "signatures", "certificates", "crls", "ocsps")
        if len(whole["archive"]) > MAX_RENEWALS:
            raise ValueError(f"it has more than {MAX_RENEWALS} archive timestamps")
        return Evidence(
            tuple(_held(one) for one in content["signatures"]),
            _bytes_of(content["certificates"]),
            _bytes_of(content["crls"]),
            _bytes_of(content["ocsps"]),
            tuple(_archived(one) for one in whole["archive"]),
        )
    except RecursionError:
        raise _unreadable(path, "it is nested too deep") from None
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error) if type(error) is ValueError else "it is no such JSON document"
        raise _unreadable(path, reason) from None


# -------------------------------------------------------------------------------------------------------- the document


def _held(given: dict[str, Any]) -> HeldSignature:
    _only(given, "uid", "location", "signature", "timestamp")
    if not isinstance(given["uid"], str) or not isinstance(given["location"], str):
        raise TypeError
    return HeldSignature(given["uid"], given["location"], _decoded(given["signature"]), _decoded(given["timestamp"]))


def _archived(given: dict[str, Any]) -> Archived:
    _only(given, "certificates", "crls", "ocsps", "timestamp")
    return Archived(
        _bytes_of(given["certificates"]),
        _bytes_of(given["crls"]),
        _bytes_of(given["ocsps"]),
        _decoded(given["timestamp"]),
    )


def _entry(one: Archived) -> dict[str, Any]:
    return {
        "certificates": _texts(one.certificates),
        "crls": _texts(one.crls),
        "ocsps": _texts(one.ocsps),
        "timestamp": _text(one.timestamp),
    }


def _only(given: object, *keys: str) -> None:
    if not isinstance(given, dict) or sorted(given) != sorted(keys):
        raise ValueError(f"it lacks or adds something beside {', '.join(keys)}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers may take either of two values of one name."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("it has a name twice")
    return dict(pairs)


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _texts(ders: Sequence[bytes]) -> list[str]:
    return [_text(der) for der in ders]


def _decoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("it has damaged base64") from None
    if _text(data) != text:
        raise ValueError("it has damaged base64")
    return data


def _bytes_of(texts: object) -> tuple[bytes, ...]:
    if not isinstance(texts, list):
        raise TypeError
    return tuple(_decoded(text) for text in texts)


def _distinct(ders: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(ders))


def _broken(name: str) -> Finding:
    return _finding("evidence-broken", f"{name} is not good, so the evidence proves nothing")


def _of(name: str, findings: Sequence[Finding]) -> list[Finding]:
    return [replace(f, message=f"{name}: {f.message}") for f in findings]


def _finding(code: str, message: str, *, severity: str = "error") -> Finding:
    return Finding(code, message, clause=CLAUSE, severity=severity)


def _unreadable(path: str | os.PathLike[str], reason: str) -> InputError:
    return InputError(
        f"the evidence cannot be read: {reason}", code="evidence-unreadable", where=Where(os.fspath(path))
    )
