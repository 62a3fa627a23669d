"""A site's policy: which algorithms, keys and signers count, and what files have to bring (`--policy FILE`, TOML).

The core checks signatures against the standard; what a hospital accepts of that is its own decision. Every violation is
a finding on the axis it belongs to, and the file fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dsig.arguments import as_annotated, path_of
from dsig.der import public_key_of
from dsig.dicom.location import parse_tag
from dsig.errors import UsageError, Where
from dsig.hookspecs import CertificateFacts
from dsig.model import Finding, SignatureReport, Status

__all__ = ["Policy", "file_findings", "load_policy", "policy_of", "signature_findings"]

LONGEST = 1 << 20
"""Bytes of a policy file."""

KEY_TYPES = {"RSA": "RSA", "DSA": "DSA", "EC": "EC", "ECDSA": "EC"}
CURVES = {
    "p-256": "secp256r1", "p-384": "secp384r1", "p-521": "secp521r1", "prime256v1": "secp256r1",
    "secp256r1": "secp256r1", "secp384r1": "secp384r1", "secp521r1": "secp521r1",
}  # fmt: skip
"""Names of the same curves (RFC 5480 2.1.1.1, FIPS 186-4 D.1.2); reports say the last."""
KEY_USAGES = (
    "digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
    "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip
"""RFC 5280 4.2.1.3."""
_OLD_NAMES = {"nonRepudiation": "contentCommitment"}
_PKIX = "1.3.6.1.5.5.7.3"
EXTENDED_KEY_USAGES = {
    "serverAuth": f"{_PKIX}.1",
    "clientAuth": f"{_PKIX}.2",
    "codeSigning": f"{_PKIX}.3",
    "emailProtection": f"{_PKIX}.4",
    "timeStamping": f"{_PKIX}.8",
    "OCSPSigning": f"{_PKIX}.9",
    "documentSigning": f"{_PKIX}.36",
    "anyExtendedKeyUsage": "2.5.29.37.0",
}
"""RFC 5280 4.2.1.12 and RFC 9336; others are named by their OID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a site wants of every signature, and of a file. The default wants nothing."""

    allowed_macs: tuple[str, ...] | None = None
    """Defined terms of (0400,0015); None allows all."""
    allowed_keys: tuple[str, ...] | None = None
    """`RSA`, `DSA`, `EC`, or a key as reports name it, such as `EC secp384r1`; None allows all."""
    min_rsa_bits: int = 0
    min_dsa_bits: int = 0
    min_ec_bits: int = 0
    allow_weak: bool = True
    """False: what is reported as `weak-mac` or `weak-key` fails."""
    key_usage: tuple[str, ...] = ()
    """Usages (RFC 5280 4.2.1.3) that every signer's certificate must grant in so many words."""
    extended_key_usage: tuple[str, ...] = ()
    """OIDs of usages (RFC 5280 4.2.1.12) that every signer's certificate must grant."""
    pinned_signers: tuple[str, ...] | None = None
    """SHA-256 of the certificates' DER, lower-case hexadecimal: nobody else may have signed. None: anybody may."""
    expected_signers: int | None = None
    """How many different signers a file must have whose signatures hold."""
    require_profiles: tuple[str, ...] = ()
    """As `VerifyOptions.require_profiles`, in addition to these."""
    require_timestamp: bool = False
    """As `--require-timestamp`, whatever the options say."""
    require_coverage: tuple[int | str, ...] = ()
    """As `VerifyOptions.require_coverage`, in addition to that."""
    strict: bool = False
    """As `VerifyOptions.strict`."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values of other types; iterables become tuples."""
        as_annotated(self)


# ------------------------------------------------------------------------------------------------------------- checks


def signature_findings(policy: Policy, algorithm: str, facts: CertificateFacts | None) -> Iterator[tuple[str, Finding]]:
    """What one signature has that the policy does not allow: the axis and the finding."""
    allowed = policy.allowed_macs
    if allowed is not None and algorithm not in allowed:
        shown = ", ".join(allowed) or "none"
        yield (
            "integrity",
            Finding("policy-mac", f"the policy does not allow MAC {algorithm or 'unknown'}, only {shown}"),
        )
    if facts is None:
        return  # nobody can say who signed: the structure gate has refused the certificate
    keys = policy.allowed_keys
    if keys is not None and not {facts.key_type.casefold(), facts.key.casefold()} & {k.casefold() for k in keys}:
        shown = ", ".join(keys) or "none"
        yield "integrity", Finding("policy-key", f"the policy does not allow keys {facts.key}, only {shown}")
    bits = {"RSA": policy.min_rsa_bits, "DSA": policy.min_dsa_bits, "EC": policy.min_ec_bits}
    least = (bits | {"RSASSA-PSS": policy.min_rsa_bits}).get(facts.key_type, 0)
    if facts.key_size < least:
        yield (
            "integrity",
            Finding("policy-key", f"the policy wants {facts.key_type} keys of {least} bits, not of {facts.key_size}"),
        )
    if missing := [usage for usage in policy.key_usage if usage not in facts.key_usage]:
        yield (
            "trust",
            Finding(
                "policy-key-usage",
                f"the signer's certificate does not grant {', '.join(missing)}, as the policy wants",
                clause="RFC 5280 4.2.1.3",
            ),
        )
    if missing := [usage for usage in policy.extended_key_usage if usage not in facts.extended_key_usage]:
        yield (
            "trust",
            Finding(
                "policy-extended-key-usage",
                f"the signer's certificate does not grant {', '.join(map(_named, missing))}, as the policy wants",
                clause="RFC 5280 4.2.1.12",
            ),
        )
    if policy.pinned_signers is not None and facts.sha256 not in policy.pinned_signers:
        yield "trust", Finding("policy-signer", f"the certificate {facts.sha256} is none of those that the policy pins")


def file_findings(policy: Policy, signatures: Sequence[SignatureReport]) -> Iterator[Finding]:
    """What the policy wants of a file as a whole."""
    if policy.expected_signers is None:
        return
    # A signature that fails proves nobody's hand, one of an item may have come from elsewhere with its item, and of
    # several certificates for one key no MAC says which was meant.
    hold = [s for s in signatures if s.location == "/" and s.verdict is not Status.FAILED]
    signers = {public_key_of(s.certificate) for s in hold if s.certificate}
    if len(signers) != policy.expected_signers:
        yield Finding(
            "policy-signers",
            f"the policy expects {policy.expected_signers} different signers, signatures of {len(signers)} hold",
        )


# -------------------------------------------------------------------------------------------------------- the file


def load_policy(path: str | Path) -> Policy:
    """Read a policy file. Raises `UsageError` for what is no TOML, an unknown key or a value of the wrong kind."""
    import tomllib

    where = Where(path_of(path, "load_policy"))
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        raise _unusable(
            f"cannot be read: {getattr(error, 'strerror', None) or error}", where, "check the path"
        ) from None
    if len(data) > LONGEST:
        raise _unusable(f"is longer than {LONGEST} bytes", where)
    try:
        given = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(f"is no TOML: {error}", where) from None
    return policy_of(given, where)


def policy_of(given: Mapping[str, object], where: Where) -> Policy:
    """A policy from what a file says. Raises `UsageError` for an unknown key or a value of the wrong kind."""
    for key in given:
        if key not in _READERS:
            raise _unusable(f"has an unknown key {key!r}", where, _close(key, _READERS) or _one_of(_READERS))
    values: dict[str, Any] = {}
    for key, value in given.items():
        try:
            values[key] = _READERS[key](value)
        except _WrongError as wrong:
            raise _unusable(f"has a wrong value of {key}: {wrong}", where, wrong.hint) from None
    return Policy(**values)


class _WrongError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _unusable(reason: str, where: Where, hint: str = "") -> UsageError:
    return UsageError(f"the policy file {reason}", code="policy-file", where=where, hint=hint or None)


def _close(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold().replace("-", "_"), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]}?" if close else ""


def _one_of(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)}"


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _WrongError("it is not true or false")
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _WrongError("it is not a number from 0 up")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _WrongError("it is not a list of texts", 'write ["…", "…"]')
    return tuple(dict.fromkeys(value))


def _key(text: str) -> str:
    if text.casefold() in CURVES:
        return f"EC {CURVES[text.casefold()]}"
    kind, _, detail = text.partition(" ")
    detail = CURVES.get(detail.casefold(), detail)
    known = KEY_TYPES.get(kind.upper())
    if known is None:
        raise _WrongError(f"{text!r} is no type of key", _close(kind, KEY_TYPES) or _one_of(KEY_TYPES))
    return f"{known} {detail}".strip()


def _usage(text: str) -> str:
    name = _OLD_NAMES.get(text, text)
    if name not in KEY_USAGES:
        raise _WrongError(f"{text!r} is no key usage", _close(text, KEY_USAGES) or _one_of(KEY_USAGES))
    return name


def _extended_usage(text: str) -> str:
    oid = EXTENDED_KEY_USAGES.get(text, text)
    if not all(part.isascii() and part.isdigit() for part in oid.split(".")) or "." not in oid:
        hint = _close(text, EXTENDED_KEY_USAGES) or "write it as an OID"
        raise _WrongError(f"{text!r} is no extended key usage", hint)
    return oid


def _named(oid: str) -> str:
    return next((name for name, known in EXTENDED_KEY_USAGES.items() if known == oid), oid)


def _fingerprint(text: str) -> str:
    plain = text.replace(":", "").replace(" ", "").lower()
    if len(plain) != 64 or set(plain) - set("0123456789abcdef"):
        raise _WrongError(f"{text!r} is no SHA-256 fingerprint", "64 hexadecimal digits, colons may stand between")
    return plain


def _coverage(value: object) -> tuple[int | str, ...]:
    wanted: list[int | str] = []
    for text in _texts([value] if isinstance(value, str) else value):
        if text in ("all", "profile"):
            wanted.append(text)
            continue
        try:
            wanted.append(parse_tag(text))
        except UsageError as error:
            raise _WrongError(error.message, error.hint or "") from None
    if not wanted:
        raise _WrongError("it names nothing")
    return tuple(wanted)


def _each(convert: Callable[[str], str]) -> Callable[[object], tuple[str, ...]]:
    return lambda value: tuple(convert(text) for text in _texts(value))


_READERS: dict[str, Callable[[object], Any]] = {
    "allowed_macs": _texts,
    "allowed_keys": _each(_key),
    "min_rsa_bits": _number,
    "min_dsa_bits": _number,
    "min_ec_bits": _number,
    "allow_weak": _flag,
    "key_usage": _each(_usage),
    "extended_key_usage": _each(_extended_usage),
    "pinned_signers": _each(_fingerprint),
    "expected_signers": _number,
    "require_profiles": _texts,
    "require_timestamp": _flag,
    "require_coverage": _coverage,
    "strict": _flag,
}
assert _READERS.keys() == {field.name for field in fields(Policy)}  # noqa: S101 - a key nobody reads would be ignored
