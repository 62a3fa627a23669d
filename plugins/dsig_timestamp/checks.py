"""Is a token right in itself? Form, certificate and signature, rule by rule (RFC 3161 2.4.2, RFC 5652, RFC 5035)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from dsig.hookspecs import TimestampEvidence, TimestampFacts
from dsig.model import Finding, Status
from dsig_timestamp import token as t
from dsig_timestamp.token import CertificateId, Token

__all__ = ["judged"]

MIN_BITS, MIN_CURVE_BITS = 2048, 224
"""Of keys with 112 bits of strength: RSA and DSA, elliptic curves."""
MAX_CERTIFICATES = 50
"""In one token; a chain has three."""

_HASHES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "1.2.840.113549.2.5": ("md5", hashes.MD5()),  # noqa: S303 - only to be refused by its name
    "1.3.14.3.2.26": ("sha1", hashes.SHA1()),  # noqa: S303 - old tokens are signed with it
    "2.16.840.1.101.3.4.2.4": ("sha224", hashes.SHA224()),
    "2.16.840.1.101.3.4.2.1": ("sha256", hashes.SHA256()),
    "2.16.840.1.101.3.4.2.2": ("sha384", hashes.SHA384()),
    "2.16.840.1.101.3.4.2.3": ("sha512", hashes.SHA512()),
    "2.16.840.1.101.3.4.2.8": ("sha3_256", hashes.SHA3_256()),
    "2.16.840.1.101.3.4.2.9": ("sha3_384", hashes.SHA3_384()),
    "2.16.840.1.101.3.4.2.10": ("sha3_512", hashes.SHA3_512()),
}
_BY_NAME = dict(_HASHES.values())
_KNOWN = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    dsa.DSAPublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
)
_SINGLE = {t.CONTENT_TYPE: "contentType", t.MESSAGE_DIGEST: "messageDigest"}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A certificate, by both libraries: one for names as they are encoded, one for keys."""

    der: bytes
    names: asn1_x509.Certificate
    x509: x509.Certificate


def judged(token: Token, offered: Sequence[bytes]) -> TimestampEvidence:
    """Apply every rule that needs no query and no trust."""
    findings = list(_form(token))
    found = list(_leaves((*token.certificates[:MAX_CERTIFICATES], *offered), token.certificate_ids))
    leaf = found[0] if found else None
    facts = TimestampFacts(
        time=token.time,
        accuracy=token.accuracy,
        policy=token.policy,
        serial=token.serial,
        nonce=token.nonce,
        imprint=token.imprint,
        certificate=leaf.der if leaf else b"",
        certificates=token.certificates[:MAX_CERTIFICATES],
        tsa=leaf.x509.subject.rfc4514_string() if leaf else "",
    )
    unknown = False
    if leaf is None:
        findings.append(
            _finding(
                "timestamp-no-certificate",
                "the TSA's certificate that the token names is not in it, and was not offered either",
                "RFC 5035 5",
            )
        )
    else:
        findings += _identified(token, leaf)
        findings += _fit(token, leaf)
        findings += _strength(leaf)
        try:
            findings += _signed(token, leaf)
        except UnsupportedAlgorithm as error:
            unknown = True
            findings.append(_finding("timestamp-algorithm", f"the token's signature cannot be checked: {error}"))
    wrong = [f for f in findings if f.severity == "error" and f.code != "timestamp-algorithm"]
    status = Status.FAILED if wrong else Status.INDETERMINATE if unknown else Status.PASSED
    return TimestampEvidence(status, facts, tuple(findings))


def _form(token: Token) -> Iterator[Finding]:
    """What the token must be before anybody looks at keys."""

    def malformed(message: str, clause: str = "RFC 3161 2.4.2") -> Finding:
        return _finding("timestamp-form", message, clause)

    if token.content_type != t.TST_INFO:
        yield malformed(f"its content is {token.content_type} and no TSTInfo")
    if token.cms_version != 3 or token.signer_version != (3 if token.key_identifier else 1):
        yield malformed("SignedData or SignerInfo has another version than its content asks for", "RFC 5652 5.1")
    if token.digest_algorithm not in token.digest_algorithms:
        yield malformed("it does not announce the hash its signature is made with", "RFC 5652 5.1")
    if token.version != 1:
        yield malformed(f"TSTInfo has version {token.version} instead of 1")
    if token.signers != 1:
        yield malformed(f"it has {token.signers} signatures; it must have that of the TSA and no other")
    if token.critical_extensions:
        yield malformed(f"nobody here knows its critical extension {token.critical_extensions[0]}")
    if not token.signed_attributes:
        yield malformed("it has no signed attributes")
    repeated = [kind for kind, count in token.attribute_counts.items() if count > 1]
    if repeated:
        yield malformed(f"its signed attribute {repeated[0]} occurs twice", "RFC 5652 11")
    for kind, name in _SINGLE.items():
        if len(token.attributes.get(kind, ())) != 1:
            yield malformed(f"it has no single signed attribute {name}", "RFC 5652 11")
    for value in token.attributes.get(t.CONTENT_TYPE, ()):
        if value.dotted != t.TST_INFO:
            yield malformed("its signed attribute contentType is another than its content", "RFC 5652 11.1")
    for value in token.attributes.get(t.ALGORITHM_PROTECTION, ()):
        if value["digest_algorithm"]["algorithm"].dotted != token.digest_algorithm:
            yield malformed("its signed attribute CMSAlgorithmProtection names other algorithms", "RFC 6211")
    name = _HASHES.get(token.digest_algorithm, ("", None))[0]
    if name == "md5":
        yield _finding("timestamp-weak", "the token is signed with MD5, which no longer resists forgery", "RFC 6151")
    elif name == "sha1":
        yield _finding("timestamp-weak", "the token is signed with SHA-1", "RFC 6194", severity="warning")


def _leaves(ders: Sequence[bytes], named: Sequence[CertificateId]) -> Iterator[_Leaf]:
    """The certificates that the token says are the signer's, by hash; without such a word there are none."""
    if not named or any(n.algorithm not in hashlib.algorithms_available for n in named):
        return
    for der in dict.fromkeys(ders):
        if all(hmac.compare_digest(hashlib.new(n.algorithm, der).digest(), n.digest) for n in named):
            try:
                yield _Leaf(der, asn1_x509.Certificate.load(der, strict=True), x509.load_der_x509_certificate(der))
            except (ValueError, TypeError):
                continue


def _identified(token: Token, leaf: _Leaf) -> Iterator[Finding]:
    """Every way the token names its signer must name this certificate."""
    issuer, serial = leaf.names.issuer.dump(), leaf.names.serial_number
    others = [n for n in token.certificate_ids if n.serial is not None and (n.issuer, n.serial) != (issuer, serial)]
    if others:
        yield _finding("timestamp-signer", "ESSCertID names another issuer or serial number", "RFC 5035 5")
    by_key = token.key_identifier
    if by_key and by_key != leaf.names.key_identifier:
        yield _finding("timestamp-signer", "the signer identifier names another key", "RFC 5652 5.3")
    if not by_key and (token.issuer, token.issuer_serial) != (issuer, serial):
        yield _finding("timestamp-signer", "the signer identifier names another certificate", "RFC 5652 5.3")
    if token.tsa is not None and not _is_named(token.tsa, leaf.names):
        yield _finding("timestamp-signer", "the token names another TSA than its certificate", "RFC 3161 2.4.2")


def _is_named(name: asn1_x509.GeneralName, certificate: asn1_x509.Certificate) -> bool:
    """RFC 3161 2.4.2: tsa must be one of the subject names of the certificate."""
    if name.name == "directory_name" and name.chosen == certificate.subject:
        return True
    alternatives = certificate.subject_alt_name_value
    return alternatives is not None and any(
        (name.name, name.chosen.dump()) == (other.name, other.chosen.dump()) for other in alternatives
    )


def _fit(token: Token, leaf: _Leaf) -> Iterator[Finding]:
    """The certificate must be a TSA's, and valid when it stamped (RFC 3161 2.3)."""
    try:
        usage = leaf.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        yield _usage("has no extended key usage")
    except (ValueError, x509.DuplicateExtension):
        yield _usage("has extensions that cannot be read")
    else:
        if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
            others = ", ".join(oid.dotted_string for oid in usage.value)
            yield _usage(f"has the extended key usage {others} instead of timeStamping alone")
        elif not usage.critical:
            yield _usage("has an extended key usage that is not critical")
    certificate = leaf.x509
    if not certificate.not_valid_before_utc <= token.time.replace(microsecond=0) <= certificate.not_valid_after_utc:
        yield _finding(
            "timestamp-tsa-validity",
            f"the TSA's certificate was not valid at {token.time:%Y-%m-%d %H:%M:%S} UTC, the time of the token",
            "RFC 3161 4.3",
        )


def _strength(leaf: _Leaf) -> Iterator[Finding]:
    """With a key that can be broken anybody makes tokens of any time (NIST SP 800-57 part 1, table 2)."""
    try:
        key = leaf.x509.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return  # whoever checks the signature tells
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        weak = key.key_size < MIN_BITS
    else:
        weak = isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < MIN_CURVE_BITS
    if weak:
        told = "the TSA's key has less than 112 bits of strength, so anybody may have made the token"
        yield _finding("timestamp-weak", told, "NIST SP 800-57")


def _usage(what: str) -> Finding:
    return _finding("timestamp-usage", f"the TSA's certificate {what}", "RFC 3161 2.3")


def _signed(token: Token, leaf: _Leaf) -> Iterator[Finding]:
    """Message digest and signature. Raises `UnsupportedAlgorithm`."""
    if token.digest_algorithm not in _HASHES:
        raise UnsupportedAlgorithm(f"hash algorithm {token.digest_algorithm}")
    name, algorithm = _HASHES[token.digest_algorithm]
    digests = token.attributes.get(t.MESSAGE_DIGEST, ())
    if any(value.native != hashlib.new(name, token.content).digest() for value in digests):
        yield _finding("timestamp-digest", "what the TSA signed is not what the token says", "RFC 5652 11.2")
    if not token.signed_attributes:
        return
    try:
        _verify(token, leaf.x509, algorithm)
    except InvalidSignature:
        yield _finding("timestamp-signature", "the signature of the TSA is wrong", "RFC 5652 5.6")
    except (ValueError, TypeError):
        yield _finding("timestamp-signature", "the signature of the TSA, or its key, cannot be used", "RFC 5652 5.6")


def _verify(token: Token, certificate: x509.Certificate, digest: hashes.HashAlgorithm) -> None:
    """Raise `InvalidSignature` unless the key made the signature; `UnsupportedAlgorithm`, `ValueError`, `TypeError`."""
    key = certificate.public_key()
    algorithm, signature, data = token.signature_algorithm, token.signature, token.signed_attributes
    named = _named_hash(algorithm)
    if named is not None and type(named) is not type(digest):
        raise ValueError("digest and signature algorithm do not fit")
    scheme = algorithm.signature_algo
    if isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pss":
        parameters = algorithm["parameters"]
        mask = _BY_NAME.get(parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native)
        if mask is None:
            raise UnsupportedAlgorithm("mask generation of RSASSA-PSS")
        key.verify(signature, data, padding.PSS(padding.MGF1(mask), int(parameters["salt_length"].native)), digest)
    elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pkcs1v15":
        key.verify(signature, data, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
        key.verify(signature, data, ec.ECDSA(digest))
    elif isinstance(key, dsa.DSAPublicKey) and scheme == "dsa":
        key.verify(signature, data, digest)
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and scheme in ("ed25519", "ed448"):
        key.verify(signature, data)
    elif isinstance(key, _KNOWN):
        raise ValueError("key and algorithm do not fit")
    else:
        raise UnsupportedAlgorithm(f"key of type {type(key).__name__}")


def _named_hash(algorithm: t.SignatureAlgorithm) -> hashes.HashAlgorithm | None:
    """The hash the signature algorithm fixes; None if it leaves it to the digest algorithm, as rsaEncryption does."""
    try:
        name = algorithm.hash_algo
    except ValueError:
        return None
    return _BY_NAME.get(name)


def _finding(code: str, message: str, clause: str = "RFC 3161 2.4.2", *, severity: str = "error") -> Finding:
    return Finding(code, message, clause=clause, severity=severity)
