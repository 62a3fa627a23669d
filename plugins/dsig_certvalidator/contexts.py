"""Contexts of the library, made alike, and a way to run its coroutines without an event loop."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, CertRevTrustPolicy
from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator

from dsig_certvalidator.algorithms import StrongAlgorithms

__all__ = ["context", "finished", "is_issued_by"]

T = TypeVar("T")

# What the library has to say comes back as errors; nothing of it is for the terminal.
logging.getLogger("pyhanko_certvalidator").addHandler(logging.NullHandler())

_EXACT = timedelta(microseconds=1)
"""The library takes no tolerance of zero; certificates know seconds."""


def context(
    anchors: Iterable[Any],
    others: Iterable[Any],
    at: datetime,
    *,
    crls: Iterable[Any] = (),
    ocsps: Iterable[Any] = (),
) -> ValidationContext:
    """A context that judges paths at a time; revocation is asked apart, certificate by certificate.

    CRLs and OCSP responses issued later than `at` count: what they say of a moment before them is what matters here.
    """
    return ValidationContext(
        trust_roots=list(anchors),
        other_certs=list(others),
        moment=at,
        crls=list(crls),
        ocsps=list(ocsps),
        revinfo_policy=CertRevTrustPolicy(NO_REVOCATION, retroactive_revinfo=True),
        time_tolerance=_EXACT,
        algorithm_usage_policy=StrongAlgorithms(),
        allow_fetching=False,
        signature_validator=_Signatures(),
    )


class _Signatures(DefaultSignatureValidator):
    """The library asserts that keys are of the signature's kind; one of another kind did not make it, that is all.

    Authorities of one name have keys of two kinds while they change from one to the other.
    """

    def validate_signature(self, *args: Any, **kwargs: Any) -> None:
        """Raises `InvalidSignature`."""
        try:
            super().validate_signature(*args, **kwargs)
        except (AssertionError, TypeError) as error:
            raise InvalidSignature from error


def is_issued_by(certificate: Any, issuer: Any) -> bool:
    """Whether the key of an issuer made the signature of a certificate; not if the library cannot look at it."""
    try:
        _Signatures().validate_signature(
            signature=certificate["signature_value"].native,
            signed_data=certificate["tbs_certificate"].dump(),
            public_key_info=issuer.public_key,
            signature_algorithm=certificate["signature_algorithm"],
        )
    except Exception:  # noqa: BLE001 - anything may come up, and would when a path is validated, too
        return False
    return True


def finished(awaitable: Awaitable[T]) -> T:
    """The result of something awaitable that never waits, as nothing of the library does when nothing is fetched.

    So this works inside and outside of event loops, and in any thread.
    """
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise RuntimeError("the library waited for something although nothing may be fetched")
