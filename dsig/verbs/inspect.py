"""Inspect: what signatures a file holds and what they cover; no hash, no verdict."""

from __future__ import annotations

from dataclasses import dataclass

from dsig.arguments import checked
from dsig.dicom.dictionaries import Dictionary
from dsig.dicom.lookup import Lookup
from dsig.errors import DsigError
from dsig.io import Given, name_of, open_input
from dsig.limits import DEFAULT, Limits
from dsig.model import Coverage, Finding, MacFacts, Purpose, SignerFacts
from dsig.plugins import Plugins, default
from dsig.signature.coverage import coverage_of
from dsig.signature.signatures import FoundSignature, find_signatures, level_wide_findings

__all__ = ["InspectedSignature", "Inspection", "inspect"]


@dataclass(frozen=True, slots=True)
class InspectedSignature:
    """What one signature says of itself; nothing of it was checked."""

    uid: str
    location: str
    mac: MacFacts
    signer: SignerFacts | None
    claimed: str
    """(0400,0105) as stored."""
    purpose: Purpose | None
    coverage: Coverage
    timestamp: bool
    """A Certified Timestamp is there."""
    findings: tuple[Finding, ...]
    """What the structure gate has to say."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one file holds."""

    path: str
    sop_instance_uid: str
    transfer_syntax: str
    elements: int
    """Top-level elements of the main data set."""
    signatures: tuple[InspectedSignature, ...]
    findings: tuple[Finding, ...]


@checked
def inspect(
    given: Given,
    *,
    input_kind: str = "auto",
    convert_un: bool = False,
    dictionary: Dictionary | None = None,
    crypto_backend: str = "cryptography",
    plugins: Plugins | None = None,
    limits: Limits = DEFAULT,
) -> Inspection:
    """List the signatures of a path, bytes, binary file object or pydicom data set.

    Raises `InputError`, `UsageError` or `PluginError`.
    """
    plugins = plugins or default()
    limits = limits.started()
    lookup = Lookup(convert_un=convert_un, dictionary=dictionary)
    name = name_of(given)
    try:
        with open_input(given, kind=input_kind, limits=limits, lookup=lookup) as file:
            main = file.main(limits)
            found = find_signatures(file, main, limits)
            return Inspection(
                name,
                main.text(0x00080018),
                file.syntax.uid,
                len(main.elements),
                tuple(_inspected(f, plugins, crypto_backend) for f in found),
                tuple(level_wide_findings(file, main)),
            )
    except DsigError as error:
        raise error.located(name) from None


def _inspected(found: FoundSignature, plugins: Plugins, crypto_backend: str) -> InspectedSignature:
    signer: SignerFacts | None = None
    if found.item.certificate:
        try:
            signer = plugins.crypto_backends.get(crypto_backend).certificate(found.item.certificate)
        except ValueError:
            signer = None
    return InspectedSignature(
        found.item.uid,
        found.level.location,
        found.mac_facts(),
        signer,
        found.item.date_time,
        found.item.purpose,
        coverage_of(found.level, found.mac.elements if found.mac else ()),
        bool(found.item.timestamp),
        found.structure,
    )
