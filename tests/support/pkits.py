"""NIST PKITS (Public Key Interoperability Test Suite, 1.0.1): paths with CRLs, and what must become of them.

The data come from `cryptography-vectors`. What each test expects is in the name of its end entity certificate (Valid…,
Invalid…); of those whose name says neither, it is said here, for the default settings of the suite: any policy is
acceptable, and no policy flag is set.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import cryptography_vectors
from asn1crypto import crl, x509

from dsig.hookspecs import Revocation, TrustBackend, TrustEvidence, TrustRequest
from dsig.model import Status
from dsig.plugins import default

ROOT = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
AT = datetime(2026, 6, 1, tzinfo=UTC)
BACKENDS = ("certvalidator", "cryptography", "openssl")

_SECTIONS = {
    "4.1": r"(ValidCertificatePathTest|InvalidCASignature|InvalidEESignature|.*DSA)",
    "4.2": r".*not(Before|After)Date",
    "4.3": r".*(NameChaining|NameUIDs|RFC3280|UTF8String)",
    "4.4": r".*(MissingCRL|RevokedCA|RevokedEE|BadCRL|WrongCRL|TwoCRLs|UnknownCRL|CRLnextUpdate|SerialNumber|Separate)",
    "4.5": r".*BasicSelfIssued",
    "4.6": r".*([bB]asicConstraints|cAFalse|pathLenConstraint)",
    "4.7": r".*keyUsage",
    "4.8": r"(AllCertificates|.*Policies(Test)|AnyPolicy|UserNotice|CPSPointer)",
    "4.9": r".*requireExplicitPolicy",
    "4.10": r".*(ValidPolicyMapping|InvalidPolicyMapping|MappingFrom|MappingTo)",
    "4.11": r".*inhibitPolicyMapping",
    "4.12": r".*inhibitAnyPolicy",
    "4.13": r".*nameConstraints",
    "4.14": r".*(istributionPoint|only(Contains|Some)|IDPwithindirect|cRLIssuer)",
    "4.15": r".*deltaCRL",
    "4.16": r".*CertificateExtension",
}
_TITLES = {
    "4.1": "Signature verification", "4.2": "Validity periods", "4.3": "Verifying name chaining",
    "4.4": "Basic certificate revocation", "4.5": "Self-issued certificates", "4.6": "Verifying basic constraints",
    "4.7": "Key usage", "4.8": "Certificate policies", "4.9": "Require explicit policy", "4.10": "Policy mappings",
    "4.11": "Inhibit policy mapping", "4.12": "Inhibit any policy", "4.13": "Name constraints",
    "4.14": "Distribution points", "4.15": "Delta CRLs", "4.16": "Private certificate extensions",
}  # fmt: skip
_UNNAMED_INVALID = {f"DifferentPoliciesTest{n}" for n in (4, 5, 7, 8, 9, 12)}
"""Their paths require an explicit policy and have none."""


@dataclass(frozen=True)
class Test:
    """One test of the suite."""

    __test__ = False

    section: str
    number: int
    name: str
    valid: bool

    @property
    def id(self) -> str:
        """As the suite counts, such as `4.8.12`."""
        return f"{self.section}.{self.number}"


def title(section: str) -> str:
    """What a section is about."""
    return f"{section} {_TITLES[section]}"


@cache
def tests() -> tuple[Test, ...]:
    """All tests, in order."""
    found = []
    for path in (ROOT / "certs").glob("*Test*EE.crt"):
        name = path.name.removesuffix("EE.crt")
        order = ["4.11", "4.12", "4.9", "4.14", *[s for s in _SECTIONS if s not in ("4.11", "4.12", "4.9", "4.14")]]
        section = next(s for s in order if re.match(_SECTIONS[s], name))
        number = int(name.rpartition("Test")[2])
        if section == "4.10" and re.match("InvalidMapping", name):
            number = {"InvalidMappingFromanyPolicyTest7": 7, "InvalidMappingToanyPolicyTest8": 8}[name]
        valid = not name.startswith("Invalid") and name not in _UNNAMED_INVALID
        found.append(Test(section, number, name, valid))
    found.append(Test("4.8", 1, "ValidCertificatePathTest1", valid=True))  # "All Certificates Same Policy" is that one
    return tuple(sorted(found, key=lambda t: (int(t.section[2:]), t.number, t.name)))


# --------------------------------------------------------------------------------------------------------- the data


@cache
def _certificates() -> dict[str, list[tuple[bytes, x509.Certificate]]]:
    """Certificates of authorities, by subject."""
    by_subject = defaultdict(list)
    for path in sorted((ROOT / "certs").glob("*.crt")):
        if not path.name.endswith("EE.crt"):
            der = path.read_bytes()
            read = x509.Certificate.load(der)
            by_subject[read.subject.hashable].append((der, read))
    return dict(by_subject)


@cache
def _crls() -> dict[str, list[bytes]]:
    by_issuer = defaultdict(list)
    for path in sorted((ROOT / "crls").glob("*.crl")):
        der = path.read_bytes()
        by_issuer[crl.CertificateList.load(der).issuer.hashable].append(der)
    return dict(by_issuer)


def request(test: Test) -> TrustRequest:
    """The question of a test, with every certificate and CRL of the suite that names an authority above its end."""
    der = (ROOT / "certs" / f"{test.name}EE.crt").read_bytes()
    end = x509.Certificate.load(der)
    wanted, seen = [end.issuer.hashable, *_crl_issuers(end)], set()
    intermediates: list[bytes] = []
    crls: list[bytes] = []
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        crls += _crls().get(name, [])
        for found, read in _certificates().get(name, []):
            intermediates.append(found)
            wanted += [read.issuer.hashable, *_crl_issuers(read)]
    root = (ROOT / "certs" / "TrustAnchorRootCertificate.crt").read_bytes()
    return TrustRequest(
        certificate=der,
        at=AT,
        anchors=(root,),
        intermediates=tuple(c for c in intermediates if c != root),
        crls=tuple(crls),
        revocation=Revocation.HARD_CHAIN,
    )


def _crl_issuers(certificate: x509.Certificate) -> Iterator[str]:
    """Who else may issue CRLs for it (RFC 5280 4.2.1.13)."""
    for point in certificate.crl_distribution_points_value or ():
        for name in point["crl_issuer"] or ():
            yield name.chosen.hashable


# ------------------------------------------------------------------------------------------------------- the outcome


@cache
def outcome(backend: str, test: Test) -> tuple[str, TrustEvidence]:
    """`passed`: as the suite wants it. `refused`: not accepted although valid. `accepted`: although invalid."""
    provider: TrustBackend = default().trust_backends.get(backend)
    evidence = provider.evaluate(request(test))
    accepted = evidence.status is Status.PASSED
    if accepted == test.valid:
        return "passed", evidence
    return ("accepted" if accepted else "refused"), evidence


# ------------------------------------------------------------------------------------------------ what is not supported

_DSA = "DSA with 1024 bits and SHA-1 is refused: less than 112 bits of strength"
_INHERITED = "DSA parameters inherited from the issuer's key are not read"
_EXPLICIT = "pyOpenSSL has no way to name acceptable policies, and without any OpenSSL finds no explicit policy"


def _ids(section: str, *numbers: int) -> list[str]:
    return [f"{section}.{number}" for number in numbers]


UNSUPPORTED: dict[str, dict[str, str]] = {
    "certvalidator": {
        "4.1.4": _DSA,
        "4.1.5": _DSA,
        "4.3.6": "certificates with unique identifiers (RFC 5280 4.1.2.8 forbids them) are not read",
    },
    "openssl": {
        "4.1.4": _DSA,
        "4.1.5": _INHERITED,
        **dict.fromkeys(_ids("4.8", 6, 10, 11, 13, 14, 18), _EXPLICIT),
        "4.9.4": _EXPLICIT,
        **dict.fromkeys(_ids("4.10", 1, 3, 5, 6, 9, 11, 12, 13, 14), _EXPLICIT),
        **dict.fromkeys(_ids("4.11", 2, 4, 7), _EXPLICIT),
        **dict.fromkeys(_ids("4.12", 2, 3, 7, 9), _EXPLICIT),
        "4.13.19": "a self-issued authority is asked about as if it were the end of the path, and constrained as that",
        **dict.fromkeys(_ids("4.14", 24, 25, 28, 29, 30, 33), "CRLs of another issuer are not always found"),
    },
    "cryptography": {
        **dict.fromkeys(
            [t.id for t in tests() if t.valid], "revocation is not checked, so what asks for it is undecided"
        ),
        "4.1.4": "DSA is refused",
        "4.1.5": _INHERITED,
        "4.2.4": "dates before 2050 must be UTCTime",
        **dict.fromkeys(_ids("4.3", 3, 4, 5, 10, 11), "names are compared byte by byte"),
        **dict.fromkeys(_ids("4.6", 15, 17), "self-issued certificates count for path lengths"),
        **dict.fromkeys(_ids("4.9", 1, 2, 4, 6), "policies are not processed"),
        **dict.fromkeys(_ids("4.10", 1, 3, 5, 6, 9, 11, 12, 13, 14), "policies are not processed"),
        **dict.fromkeys(_ids("4.11", 2, 4, 7), "policies are not processed"),
        **dict.fromkeys(_ids("4.12", 2, 3, 7, 9), "policies are not processed"),
        **dict.fromkeys(
            _ids("4.13", 1, 4, 5, 6, 11, 14, 18, 19, 21, 23, 25, 27, 34, 36), "of names only DNS and IP are constrained"
        ),
    },
}
"""Valid paths a backend does not accept, and why. None accepts an invalid one."""


# ----------------------------------------------------------------------------------------------------------- the table


def table() -> str:
    """docs/pkits.md: counts by section, and every test that is not passed with the reason."""
    outcomes = {name: {test.id: outcome(name, test)[0] for test in tests()} for name in BACKENDS}
    lines = [
        "# Certification paths: NIST PKITS",
        "",
        "The [Public Key Interoperability Test Suite](https://csrc.nist.gov/projects/pki-testing) 1.0.1, 2011 data, as",
        "`cryptography-vectors` ships it: every path with its CRLs, every certificate's status demanded",
        "(`--require-revocation-chain`), any policy acceptable. Made by `tools/update_pkits.py`; a test compares.",
        "",
        "`certvalidator` is the default ([decision 30](decisions/0030-the-default-trust-backend.md)). Not supported",
        "means that a valid path is not accepted. No backend accepts an invalid one.",
        "",
        "| section | tests | " + " | ".join(BACKENDS) + " |",
        "| --- | --- | " + " | ".join("---" for _ in BACKENDS) + " |",
    ]
    sections = list(dict.fromkeys(test.section for test in tests()))
    for section in sections:
        ids = [test.id for test in tests() if test.section == section]
        counts = [str(sum(outcomes[name][i] == "passed" for i in ids)) for name in BACKENDS]
        lines.append(f"| {title(section)} | {len(ids)} | {' | '.join(counts)} |")
    totals = [str(sum(o == "passed" for o in outcomes[name].values())) for name in BACKENDS]
    lines += [f"| all | {len(tests())} | {' | '.join(totals)} |", ""]
    for name in BACKENDS:
        lines += [f"## Not supported by `{name}`", "", "| tests | why |", "| --- | --- |"]
        reasons: dict[str, list[str]] = {}
        for test in tests():
            if outcomes[name][test.id] != "passed":
                reasons.setdefault(UNSUPPORTED[name].get(test.id, "UNKNOWN"), []).append(test.id)
        lines += [f"| {', '.join(ids)} | {reason} |" for reason, ids in reasons.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
