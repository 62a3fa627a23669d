"""Which mechanism signs a finished digest, decided from what the token offers and from nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CANDIDATES", "Form", "NoMechanism", "Plan", "choose", "usable"]


class Form(StrEnum):
    """What the token is given to sign."""

    DIGEST_INFO = "digest-info"
    """DER of DigestInfo; the token pads it (RFC 8017 9.2)."""
    PADDED = "padded"
    """The whole block, padded here: for tokens that have the bare RSA operation only."""
    DIGEST = "digest"
    """The digest itself, cut to the size of the group; the token gives r and s."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to sign."""

    mechanism: str
    """Name without CKM_."""
    form: Form


class NoMechanism(Exception):  # noqa: N818 - an answer, told to the user by whoever asked
    """Nothing the token offers signs a finished digest with such a key; the text says what is missing."""


_PLANS: dict[str, tuple[Plan, ...]] = {
    "RSA": (Plan("RSA_PKCS", Form.DIGEST_INFO), Plan("RSA_X_509", Form.PADDED)),
    "EC": (Plan("ECDSA", Form.DIGEST),),
    "DSA": (Plan("DSA", Form.DIGEST),),
}
_HASHING = {"RSA": "{mac}_RSA_PKCS", "EC": "ECDSA_{mac}", "DSA": "DSA_{mac}"}

CANDIDATES = frozenset(plan.mechanism for plans in _PLANS.values() for plan in plans) | {
    pattern.format(mac=mac)
    for pattern in _HASHING.values()
    for mac in ("MD5", "RIPEMD160", "SHA1", "SHA256", "SHA384", "SHA512")
}
"""Every mechanism that plays a part in the decision or in its explanation."""


def usable(offered: Collection[str]) -> dict[str, Plan]:
    """Key type to what signs with it; types that cannot sign are left out. It is the same for all MACs."""
    found = {}
    for key_type, plans in _PLANS.items():
        plan = next((plan for plan in plans if plan.mechanism in offered), None)
        if plan is not None:
            found[key_type] = plan
    return found


def choose(key_type: str, mac: str, offered: Collection[str]) -> Plan:
    """The first way to sign a finished digest of `mac` with a key of `key_type` (`RSA`, `EC`, `DSA`).

    `offered` are names without CKM_ of what the token can sign with. Raises `NoMechanism`.
    """
    plans = _PLANS.get(key_type)
    if plans is None:
        raise NoMechanism(f"{key_type} keys make no DICOM signatures")
    for plan in plans:
        if plan.mechanism in offered:
            return plan
    names = " or ".join(f"CKM_{plan.mechanism}" for plan in plans)
    hashing = _HASHING[key_type].format(mac=mac)
    if hashing in offered:
        raise NoMechanism(
            f"the token lacks {names}; its CKM_{hashing} hashes all the data itself,"
            " and cannot be given a finished digest"
        )
    raise NoMechanism(f"the token lacks {names}")
