"""The profiles `creator` and `authorization`: PS3.15 C.2 and C.3."""

from __future__ import annotations

from collections.abc import Iterable

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding
from dsig_profiles.base import BaseRsa
from dsig_profiles.lists import demands
from dsig_profiles.steps import elements, level

__all__ = ["AuthorizationRsa", "CreatorRsa"]

_CREATOR = "PS3.15 C.2"
_AUTHORIZATION = "PS3.15 C.3"
_SHOWN = 3


class CreatorRsa:
    """Creator RSA: the equipment's word on what it made (PS3.15 C.2); `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """Whatever any edition wants signed."""
        return demands("creator").of(view) if view.location == "/" else ()

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:
        """How it is signed as in Base RSA, the level, the elements."""
        yield from BaseRsa().check(view, signature)
        misplaced = list(level(view, _CREATOR))
        yield from misplaced or elements(view, signature, demands("creator"), _CREATOR)


class AuthorizationRsa:
    """Authorization RSA: the approval of a technician or physician (PS3.15 C.3); `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:
        """Whatever any edition wants signed. What the approver saw besides only the approver knows."""
        return demands("authorization").of(view) if view.location == "/" else ()

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:
        """How it is signed as in Base RSA, the level, the elements; a warning about what no list can say."""
        yield from BaseRsa().check(view, signature)
        misplaced = list(level(view, _AUTHORIZATION))
        if misplaced:
            yield from misplaced
            return
        yield from elements(view, signature, demands("authorization"), _AUTHORIZATION)
        left = [tag for tag in view.tags if tag not in signature.elements and view.signable(tag)]
        if left:
            names = ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in left[:_SHOWN])
            more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
            yield Finding(
                "profile-approver-view",
                "whatever the approver could verify has to be signed, such as displayed values;"
                f" not signed: {names}{more}",
                clause=_AUTHORIZATION,
                severity="warning",
            )
