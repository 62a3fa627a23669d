"""The profile `base`: Base RSA Digital Signature Profile, PS3.15 C.1."""

from __future__ import annotations

from collections.abc import Iterable

from dsig.hookspecs import DataSetView, SignatureView
from dsig.model import Finding

__all__ = ["BaseRsa"]

CLAUSE = "PS3.15 C.1"
MACS = ("RIPEMD160", "MD5", "SHA1", "SHA256", "SHA384", "SHA512")
"""All of them a validator has to know, so a creator may use any, and no other."""

_DICOM_ROOT = "1.2.840.10008.1.2"
_IMPLICIT = frozenset({_DICOM_ROOT, "1.2.840.113619.5.2"})
_BIG = f"{_DICOM_ROOT}.2"


class BaseRsa:
    """Says how to sign, not what; `dsig.hookspecs.Profile`."""

    def required(self, view: DataSetView) -> Iterable[int]:  # noqa: ARG002
        """No tags: the profile leaves the selection to others."""
        return ()

    def check(self, view: DataSetView, signature: SignatureView) -> Iterable[Finding]:
        """Key type, MAC algorithm and MAC calculation transfer syntax."""
        where = "" if view.location == "/" else view.location
        if signature.key_type != "RSA":
            yield Finding("profile-key", f"the profile wants an RSA key, not {signature.key_type}", where, CLAUSE)
        if signature.mac_algorithm not in MACS:
            yield Finding(
                "profile-mac",
                f"the profile wants one of {', '.join(MACS)}, not {signature.mac_algorithm}",
                where,
                CLAUSE,
            )
        if not _explicit_little_endian(signature.transfer_syntax):
            yield Finding(
                "profile-transfer-syntax",
                "the profile wants the MAC made in explicit VR little endian,"
                f" not in {signature.transfer_syntax or 'nothing at all'}",
                where,
                CLAUSE,
            )


def _explicit_little_endian(uid: str) -> bool:
    """Whether a data set in this transfer syntax is explicit VR little endian, compressed ones included (PS3.5 A.4)."""
    return uid.startswith(f"{_DICOM_ROOT}.") and uid not in _IMPLICIT and uid != _BIG
