"""Steps the profiles share: what stands in a signature's way, as findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding
from dsig_profiles._attributes import EDITIONS
from dsig_profiles.lists import Demands, name_of

__all__ = ["elements", "level"]

_OLDER, _NEWER = EDITIONS


def level(view: DataSetView, clause: str) -> Iterator[Finding]:
    """The profile is about instances, so its signature is one of the main data set."""
    if view.location != "/":
        yield Finding(
            "profile-level",
            "the profile is for signatures of the whole instance, not of a sequence item",
            view.location,
            clause,
        )


def elements(view: DataSetView, signature: SignatureView, wanted: Demands, clause: str) -> Iterator[Finding]:
    """Required elements that are not there, cannot be signed or are not signed; errors first."""
    present = frozenset(view.tags)
    for tag in sorted(wanted.mandatory - present):
        yield Finding("profile-absent", f"{name_of(tag)} is required and absent", _where(tag), clause)
    yield from _unsigned(view, signature, wanted.by_all(view), clause)
    for tag, newer in wanted.by_some(view):
        if tag not in signature.elements:
            # whether an edition in between wants it is not known, so nobody can say that its absence is wrong
            edition = (
                f"only since an edition after {_OLDER} ({_NEWER})" if newer else f"in {_OLDER}, no longer in {_NEWER}"
            )
            yield Finding(
                "profile-edition", f"{name_of(tag)} is not signed; required {edition}", _where(tag), clause, "warning"
            )


def _unsigned(view: DataSetView, signature: SignatureView, required: Iterable[int], clause: str) -> Iterator[Finding]:
    for tag in required:
        if tag in signature.elements:
            continue
        if view.signable(tag):
            yield Finding("profile-not-signed", f"{name_of(tag)} is required and not signed", _where(tag), clause)
        else:
            # a profile is met or not met: leaving out what cannot be signed would meet another one
            yield Finding(
                "profile-unsignable",
                f"{name_of(tag)} is required and cannot be signed, its VR or that of an element inside is unknown",
                _where(tag),
                clause,
            )


def _where(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
