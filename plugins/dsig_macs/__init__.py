"""MAC algorithms of PS3.15 C.1 (six since 2001) and the further terms of PS3.3 C.12.1.1.3.1.2 (2025b)."""

from __future__ import annotations

from dsig.hookspecs import MacAlgorithmSpec, hookimpl

__all__ = ["dsig_mac_algorithms"]

_NIST = "2.16.840.1.101.3.4.2"
"""NIST arc of hash algorithms, RFC 8017 B.1 and the NIST Computer Security Objects Register."""

_FACTS = (
    # defined term, digest size in bytes, OID, weak, summary
    ("RIPEMD160", 20, "1.3.36.3.2.1", True, "ISO/IEC 10118-3 RIPEMD-160; old, verify only unless insisted on"),
    ("MD5", 16, "1.2.840.113549.2.5", True, "RFC 1321 MD5; broken (RFC 6151), verify only unless insisted on"),
    ("SHA1", 20, "1.3.14.3.2.26", True, "FIPS 180-4 SHA-1; broken, verify only unless insisted on"),
    ("SHA224", 28, f"{_NIST}.4", False, "FIPS 180-4 SHA-224 (PS3.3 2025b)"),
    ("SHA256", 32, f"{_NIST}.1", False, "FIPS 180-4 SHA-256"),
    ("SHA384", 48, f"{_NIST}.2", False, "FIPS 180-4 SHA-384"),
    ("SHA512", 64, f"{_NIST}.3", False, "FIPS 180-4 SHA-512"),
    ("SHA512_224", 28, f"{_NIST}.5", False, "FIPS 180-4 SHA-512/224 (PS3.3 2025b)"),
    ("SHA512_256", 32, f"{_NIST}.6", False, "FIPS 180-4 SHA-512/256 (PS3.3 2025b)"),
    ("SHA3_224", 28, f"{_NIST}.7", False, "FIPS 202 SHA3-224 (PS3.3 2025b)"),
    ("SHA3_256", 32, f"{_NIST}.8", False, "FIPS 202 SHA3-256 (PS3.3 2025b)"),
    ("SHA3_384", 48, f"{_NIST}.9", False, "FIPS 202 SHA3-384 (PS3.3 2025b)"),
    ("SHA3_512", 64, f"{_NIST}.10", False, "FIPS 202 SHA3-512 (PS3.3 2025b)"),
)


@hookimpl
def dsig_mac_algorithms() -> list[MacAlgorithmSpec]:
    """Thirteen defined terms of (0400,0015)."""
    return [
        MacAlgorithmSpec(
            name=term,
            summary=summary,
            factory=f"dsig_macs.hashes:{term.lower()}",
            oid=oid,
            digest_size=size,
            weak=weak,
        )
        for term, size, oid, weak, summary in _FACTS
    ]
