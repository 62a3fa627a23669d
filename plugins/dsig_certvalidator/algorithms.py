"""Which algorithms may hold a path together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint, AlgorithmUsagePolicy

__all__ = ["StrongAlgorithms", "explicit_curve", "small_key", "weakness"]

_WEAK_HASHES = frozenset(("md2", "md4", "md5", "sha1"))
_SMALLEST = {"rsa": 2048, "rsassa_pss": 2048, "dsa": 2048, "ec": 224}
"""Bits of a key with 112 bits of strength (NIST SP 800-57 part 1, table 2)."""


def weakness(algorithm: Any, key: Any | None) -> str:
    """Why a signature by this algorithm and key proves nothing any more, or an empty string."""
    try:
        hashed = algorithm.hash_algo
    except ValueError:
        hashed = None  # Ed25519 and others have it built in
    if hashed in _WEAK_HASHES:
        return f"the hash {hashed.upper()} no longer resists forgery"
    return "" if key is None else small_key(key)


def small_key(key: Any) -> str:
    """Why a public key proves nothing any more, or an empty string."""
    if key.algorithm not in _SMALLEST:
        return ""
    if explicit_curve(key):
        return "a key whose curve is spelled out instead of named"
    if key.bit_size < _SMALLEST[key.algorithm]:
        return f"a key of {key.bit_size} bits ({key.algorithm.upper()}), which is too small"
    return ""


def explicit_curve(key: Any) -> bool:
    """Whether an EC key brings a curve of its own: anybody's key is somebody's on the right one (RFC 5480 2.1.1)."""
    return bool(key.algorithm == "ec" and key["algorithm"]["parameters"].name != "named")


class StrongAlgorithms(AlgorithmUsagePolicy):
    """112 bits of strength, whenever the certificate was issued: forgeries are made today."""

    def digest_algorithm_allowed(self, algo: Any, moment: datetime | None) -> AlgorithmUsageConstraint:  # noqa: ARG002
        """Whether a hash still resists forgery."""
        return AlgorithmUsageConstraint(algo["algorithm"].native not in _WEAK_HASHES)

    def signature_algorithm_allowed(
        self,
        algo: Any,
        moment: datetime | None,  # noqa: ARG002
        public_key: Any | None,
    ) -> AlgorithmUsageConstraint:
        """Whether a signature algorithm with this key does."""
        reason = weakness(algo, public_key)
        return AlgorithmUsageConstraint(not reason, failure_reason=reason or None)
