"""Candidate paths from a certificate to anchors, by names and key identifiers (RFC 4158), within a budget.

Certificates on offer may come from whoever made a timestamp: with a dozen authorities that certify each other there are
more paths than anybody can look at. So steps are counted, and what is not found by then is not found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.path import ValidationPath

__all__ = ["candidate_paths"]

MAX_STEPS = 2_000
"""Certificates tried as issuers of another."""
MAX_DEPTH = 16
"""Certificates in a path, the anchor included."""


def candidate_paths(certificate: Any, anchors: Iterable[Any], others: Iterable[Any]) -> Iterator[ValidationPath]:
    """Paths that chain by names, those that end at an anchor sooner first at each step; none is validated yet."""
    roots, known = _by_subject(anchors), _by_subject(others)
    steps = 0

    def walk(chain: tuple[Any, ...]) -> Iterator[ValidationPath]:
        nonlocal steps
        lowest_first = chain[-1]
        for root in roots[lowest_first.issuer.hashable]:
            steps += 1
            if _may_issue(root, lowest_first):
                yield ValidationPath(CertTrustAnchor(root), list(chain[:0:-1]), certificate)
        if len(chain) + 1 >= MAX_DEPTH:
            return
        for issuer in known[lowest_first.issuer.hashable]:
            steps += 1
            if steps > MAX_STEPS:
                return
            if _may_issue(issuer, lowest_first) and all(issuer is not one for one in chain):
                yield from walk((*chain, issuer))

    yield from walk((certificate,))


def _by_subject(certificates: Iterable[Any]) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for one in certificates:
        found[one.subject.hashable].append(one)
    return found


def _may_issue(issuer: Any, certificate: Any) -> bool:
    """Key identifiers, where both have them, must agree (RFC 5280 4.2.1.1)."""
    wanted, has = certificate.authority_key_identifier, issuer.key_identifier
    return wanted is None or has is None or bool(wanted == has)
