"""Candidate paths from a certificate to anchors, by names and key identifiers (RFC 4158), within a budget.

Certificates on offer may come from whoever made a timestamp: with a dozen authorities that certify each other there are
more paths than anybody can look at. So steps are counted, and what is not found by then is not found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from pyhanko_certvalidator.authority import CertTrustAnchor, TrustQualifiers, derive_quals_from_cert
from pyhanko_certvalidator.name_trees import default_excluded_subtrees, default_permitted_subtrees
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import PKIXValidationParams

__all__ = ["by_subject", "candidate_paths", "is_authority"]

MAX_STEPS = 2_000
"""Certificates tried as issuers of another."""
MAX_DEPTH = 16
"""Certificates in a path, the anchor included."""


def candidate_paths(certificate: Any, anchors: Iterable[Any], others: Iterable[Any]) -> Iterator[ValidationPath]:
    """Paths that chain by names, those that end at an anchor sooner first at each step; none is validated yet."""
    roots, known = by_subject(anchors), by_subject(others)
    limits: dict[int, TrustQualifiers] = {}
    steps = 0

    def trusted(root: Any) -> CertTrustAnchor:
        if id(root) not in limits:  # which may be long to read
            limits[id(root)] = _limits(root)
        return CertTrustAnchor(root, limits[id(root)])

    def walk(chain: tuple[Any, ...]) -> Iterator[ValidationPath]:
        nonlocal steps
        lowest_first = chain[-1]
        for root in roots[lowest_first.issuer.hashable]:
            steps += 1
            if _may_issue(root, lowest_first):
                yield ValidationPath(trusted(root), list(chain[:0:-1]), certificate)
        if len(chain) + 1 >= MAX_DEPTH:
            return
        for issuer in known[lowest_first.issuer.hashable]:
            steps += 1
            if steps > MAX_STEPS:
                return
            if _may_issue(issuer, lowest_first) and all(issuer is not one for one in chain):
                yield from walk((*chain, issuer))

    yield from walk((certificate,))


def _limits(anchor: Any) -> TrustQualifiers:
    """Path length and names an anchor limits itself to hold below it too (RFC 5937 3.2); its policies are no limit."""
    own = derive_quals_from_cert(anchor)
    names = None
    if own.standard_parameters is not None:  # kinds of names that it does not speak of are free
        names = PKIXValidationParams(
            initial_permitted_subtrees=default_permitted_subtrees()
            | (own.standard_parameters.initial_permitted_subtrees or {}),
            initial_excluded_subtrees=default_excluded_subtrees()
            | (own.standard_parameters.initial_excluded_subtrees or {}),
        )
    length = own.max_path_length
    # of attribute authorities nobody speaks here, but the library counts down what it is given or not
    return TrustQualifiers(max_path_length=length, max_aa_path_length=length, standard_parameters=names)


def is_authority(certificate: Any) -> bool:
    """Whether a certificate may be that of who issues others (RFC 5280 4.2.1.3, 4.2.1.9, 6.1.4 k and n).

    Those of versions that have no extensions cannot say.
    """
    usage = certificate.key_usage_value
    if usage is not None and "key_cert_sign" not in usage.native:
        return False
    constraints = certificate.basic_constraints_value
    if constraints is not None:
        return bool(constraints["ca"].native)
    return usage is not None or certificate["tbs_certificate"]["version"].native != "v3"


def by_subject(certificates: Iterable[Any]) -> defaultdict[str, list[Any]]:
    """Certificates by the name of whom they are for."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for one in certificates:
        found[one.subject.hashable].append(one)
    return found


def _may_issue(issuer: Any, certificate: Any) -> bool:
    """Key identifiers, where both have them, must agree (RFC 5280 4.2.1.1)."""
    wanted, has = certificate.authority_key_identifier, issuer.key_identifier
    return wanted is None or has is None or bool(wanted == has)
