"""What comparing the names of a path with its name constraints costs (RFC 5280 6.1.3 b and c), before that is done.

Each name of a certificate is compared with each name that an authority above it permits or excludes. A certificate has
room for thousands of them, and no authority that people trust needs that many.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asn1crypto.x509 import GeneralSubtrees

__all__ = ["MAX_COMPARISONS", "NAMES", "TOO_MANY", "Allowance", "comparisons"]

NAMES = "RFC 5280 4.2.1.10"
TOO_MANY = "there are more names and name constraints than are compared"

MAX_COMPARISONS = 1 << 16
"""For all paths of one certificate, and again for all that say whether it was revoked; about a second.

OpenSSL, which compares faster, ends a path at 2**20.
"""
LONG = 64
"""Bytes of a name that cost as much as another name."""


class Allowance:
    """What may still be compared."""

    def __init__(self) -> None:
        self._left = MAX_COMPARISONS

    def takes(self, path: Iterable[Any]) -> bool:
        """Whether a path, given from its anchor down, may be validated; if so, that is used up."""
        cost = comparisons(path)
        if cost > self._left:
            return False
        self._left -= cost
        return True


def comparisons(path: Iterable[Any]) -> int:
    """How many there are in a path, given from its anchor down; that of the names constrained themselves included."""
    constraints = 1  # each name is looked at, constrained or not
    total = 0
    for number, certificate in enumerate(path):
        if number:
            total += constraints * _names(certificate)
        here = _constraints(certificate)
        constraints += here
        total += here  # read anew for each path
    return total


def _names(certificate: Any) -> int:
    alternatives = certificate.subject_alt_name_value
    count = len(certificate.subject.chosen) + (0 if alternatives is None else len(alternatives))
    return count + (len(certificate.subject.dump()) + (0 if alternatives is None else len(alternatives.dump()))) // LONG


def _constraints(certificate: Any) -> int:
    own = certificate.name_constraints_value
    if own is None:
        return 0
    trees = (own["permitted_subtrees"], own["excluded_subtrees"])
    return sum(len(one) for one in trees if isinstance(one, GeneralSubtrees)) + len(own.dump()) // LONG
