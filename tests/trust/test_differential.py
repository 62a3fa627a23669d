"""Generated chains, judged by our default and by `openssl verify -attime`: alike, or there is a reason.

Each chain has one thing about it, at one of its certificates. All are asked about at one time, in few runs of openssl:
names differ from chain to chain, so that every chain finds its own certificates and no others.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from support.certificates import Holder, issue, named, purposes, usage

from dsig.cli.options import BACKENDS
from dsig.hookspecs import Revocation
from dsig.model import Status
from dsig.plugins import default
from dsig.trust.chain import Chains
from dsig.trust.material import TrustMaterial

pytestmark = pytest.mark.interop

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNING = [(x509.BasicConstraints(ca=False, path_length=None), False), usage("digital_signature")]
AUTHORITY = [(x509.BasicConstraints(ca=True, path_length=None), True), usage("key_cert_sign", "crl_sign")]
ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
MAIL, SERVER, DOCUMENT, ANY = "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.36", "2.5.29.37.0"

EXPLAINED = {
    "purpose-document": "openssl has no purpose of document signing (RFC 9336); we take it for what it says",
    "purpose-any": "openssl wants emailProtection by name; RFC 5280 4.2.1.12 lets anyExtendedKeyUsage stand for it",
    "cross-signed detour": "openssl follows the first issuer it finds and no other; we look for a path that leads on",
    "crl-revoked-later": "openssl does not look at dates of revocation; a later one is none at the time asked about",
    "crl-newer": "openssl wants lists that were there at the time asked about; newer ones know more",
    "usage-certificates": "openssl lets no authority sign data; who has its key could issue a signer, so we warn",
}
"""Kinds that are judged differently, and why."""


@dataclass
class Chain:
    """A signer, and what is at hand about it."""

    kind: str
    name: str
    signer: Holder
    roots: list[Holder]
    others: list[Holder] = field(default_factory=list)
    crls: list[x509.CertificateRevocationList] = field(default_factory=list)


Change = Callable[[dict], None]
"""What makes a certificate special: it changes the arguments of `issue`."""


def extended(*more) -> Change:
    return lambda given: given["extensions"].extend(more)


def instead(*extensions) -> Change:
    return lambda given: given.update(extensions=list(extensions))


def given(**arguments) -> Change:
    return lambda made: made.update(arguments)


def limited(length: int) -> Change:
    return instead((x509.BasicConstraints(ca=True, path_length=length), True), AUTHORITY[1])


def build(kind: str, depth: int, changes: dict[int, Change], *, leave_out: int | None = None) -> Chain:
    """A chain of `depth` intermediates; `changes` by position, 0 the root, depth + 1 the signer."""
    name = f"{kind} {depth} {sorted(changes)} {leave_out}"
    held: list[Holder] = []
    for position in range(depth + 2):
        arguments = {
            "name": f"{name}: {position}",
            "issuer": held[-1] if held else None,
            "extensions": list(SIGNING if position == depth + 1 else AUTHORITY),
            "key": ec.generate_private_key(ec.SECP256R1()),
        }
        changes.get(position, lambda _arguments: None)(arguments)
        held.append(issue(arguments.pop("name"), arguments.pop("issuer"), **arguments))
    others = [one for position, one in enumerate(held[1:-1], 1) if position != leave_out]
    return Chain(kind, name, held[-1], held[:1], others)


EXPIRED = given(since=NOW - 90 * DAY, until=NOW - DAY)
FUTURE = given(since=NOW + DAY, until=NOW + 90 * DAY)
SMALL = given(key=rsa.generate_private_key(65537, 1024))


def forged(made: dict) -> None:
    """Signed by somebody of the issuer's name with another key."""
    if made["issuer"] is not None:
        made["issuer"] = Holder(made["issuer"].certificate, ec.generate_private_key(ec.SECP256R1()))


def orphaned(made: dict) -> None:
    """By an issuer nobody has."""
    made["issuer"] = issue(f"nobody of {made['name']}")


def constrained(*permitted, excluded=()) -> Change:
    return extended((x509.NameConstraints(list(permitted) or None, list(excluded) or None), True))


def mailed(address: str) -> Change:
    return extended((x509.SubjectAlternativeName([x509.RFC822Name(address)]), False))


def everywhere() -> Iterator[Chain]:
    """Kinds that can be at any position."""
    for depth in range(4):
        yield build("good", depth, {})
        for position in range(depth + 2):
            yield build("expired", depth, {position: EXPIRED})
            yield build("not yet valid", depth, {position: FUTURE})
            yield build("unknown extension", depth, {position: extended((ODD, False))})
            if position:
                yield build("unknown critical extension", depth, {position: extended((ODD, True))})
                yield build("forged", depth, {position: forged})
                yield build("orphaned", depth, {position: orphaned})


def authorities() -> Iterator[Chain]:
    """Kinds that are about who issues."""
    for depth in range(1, 4):
        for position in range(1, depth + 1):
            yield build("no basic constraints", depth, {position: instead(AUTHORITY[1])})
            yield build("no authority", depth, {position: instead(SIGNING[0], AUTHORITY[1])})
            yield build("no keyCertSign", depth, {position: instead(AUTHORITY[0], usage("crl_sign"))})
            yield build("no key usage", depth, {position: instead(AUTHORITY[0])})
            yield build("weak key", depth, {position: SMALL})
            yield build("missing", depth, {}, leave_out=position)
            below = depth - position
            yield build("path length kept", depth, {position: limited(below)})
            if below:
                yield build("path length passed", depth, {position: limited(below - 1)})


def signers() -> Iterator[Chain]:
    """Kinds that are about the signer."""
    for depth in range(3):
        end = depth + 1
        base = SIGNING[0]
        yield build("usage-none", depth, {end: instead(base)})
        yield build("usage-commitment", depth, {end: instead(base, usage("content_commitment"))})
        yield build("usage-encipherment", depth, {end: instead(base, usage("key_encipherment"))})
        yield build("usage-certificates", depth, {end: instead(*AUTHORITY)})
        for critical in (False, True):
            for kind, oids in (("mail", (MAIL,)), ("server", (SERVER,)), ("both", (SERVER, MAIL)),
                               ("document", (DOCUMENT,)), ("any", (ANY,))):  # fmt: skip
                made = build(f"{kind} {critical}", depth, {end: extended(purposes(*oids, critical=critical))})
                made.kind = f"purpose-{kind}"
                yield made
        alone = issue(f"alone {depth}", extensions=SIGNING)
        yield Chain("self-signed", f"alone {depth}", alone, [issue(f"other root {depth}", extensions=AUTHORITY)])
        yield Chain("self-signed anchor", f"alone {depth} trusted", alone, [alone])


def names() -> Iterator[Chain]:
    """Name constraints (RFC 5280 4.2.1.10)."""
    mail = x509.RFC822Name("example.org")
    for depth in range(1, 4):
        end = depth + 1
        yield build("mail permitted", depth, {1: constrained(mail), end: mailed("a@example.org")})
        yield build("mail not permitted", depth, {1: constrained(mail), end: mailed("a@example.com")})
        yield build("mail excluded", depth, {1: constrained(excluded=[mail]), end: mailed("a@example.org")})
        yield build("mail not excluded", depth, {1: constrained(excluded=[mail]), end: mailed("a@example.com")})
        elsewhere = x509.DirectoryName(named("somewhere else"))
        yield build("name not permitted", depth, {depth: constrained(elsewhere)})
        yield build("name not excluded", depth, {depth: constrained(excluded=[elsewhere])})


def crossed() -> Iterator[Chain]:
    """Authorities with several certificates."""
    for number in range(8):
        known, unknown = (issue(f"{kind} root {number}", extensions=AUTHORITY) for kind in ("known", "unknown"))
        middle = issue(f"cross {number}", known, AUTHORITY)
        other = issue(f"cross {number}", unknown, AUTHORITY, key=middle.key)
        signer = issue(f"crossed {number}", middle, SIGNING)
        for kind, roots, others in (
            ("cross-signed detour", [known], [other, middle]),
            ("cross-signed", [known], [middle, other]),
            ("cross-signed by nobody", [known], [other]),
        ):
            yield Chain(kind, f"{kind} {number} {len(others)} {others[0] is middle}", signer, roots, others)
        one = issue(f"loop a {number}", extensions=AUTHORITY)
        two = issue(f"loop b {number}", extensions=AUTHORITY)
        yield Chain(
            "loop",
            f"loop {number}",
            issue(f"looped {number}", one, SIGNING),
            [known],
            [
                issue(f"loop a {number}", two, AUTHORITY, key=one.key),
                issue(f"loop b {number}", one, AUTHORITY, key=two.key),
            ],
        )


def revoked() -> Iterator[Chain]:
    """What lists say of the signer."""
    past, future = NOW - 10 * DAY, NOW + 10 * DAY
    for number in range(4):
        for kind, date, since, until, own in (
            ("crl-silent", None, NOW - DAY, NOW + DAY, True),
            ("crl-revoked", past, NOW - DAY, NOW + DAY, True),
            ("crl-revoked-later", future, NOW - DAY, NOW + DAY, True),
            ("crl-outdated", None, NOW - 9 * DAY, NOW - DAY, True),
            ("crl-outdated-revoked", past, NOW - 9 * DAY, NOW - DAY, True),
            ("crl-newer", None, NOW + DAY, NOW + 9 * DAY, True),
            ("crl-forged", None, NOW - DAY, NOW + DAY, False),
            ("crl-missing", None, None, None, True),
        ):
            chain = build(f"{kind} {number}", 1, {})
            chain.kind = kind
            if since is not None:
                [issuer] = chain.others
                made = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
                made = made.last_update(since).next_update(until)
                if date is not None:
                    serial = chain.signer.certificate.serial_number
                    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(date)
                    made = made.add_revoked_certificate(entry.build())
                key = issuer.key if own else ec.generate_private_key(ec.SECP256R1())
                chain.crls.append(made.sign(key, hashes.SHA256()))
            yield chain


@cache
def chains() -> tuple[Chain, ...]:
    return (*everywhere(), *authorities(), *signers(), *names(), *crossed(), *revoked())


# ---------------------------------------------------------------------------------------------------------- the judges


def ours(chain: Chain) -> bool:
    """Whether our default lets the signer pass."""
    material = TrustMaterial(
        tuple(one.der for one in chain.roots),
        tuple(one.der for one in chain.others),
        tuple(one.public_bytes(Encoding.DER) for one in chain.crls),
    )
    asked = Revocation.HARD if chain.kind.startswith("crl-") else Revocation.NONE
    judge = Chains(plugins=default(), trust_backend=BACKENDS["trust"], crypto_backend="cryptography")
    return judge.judge(chain.signer.der, material, NOW, revocation=asked).status is Status.PASSED


def theirs(folder: Path) -> dict[str, bool]:
    """Whether openssl does: one run for all chains with the same certificates at hand, if these cannot meet."""
    verdicts: dict[str, bool] = {}
    together = [c for c in chains() if not c.crls and not c.kind.startswith(("crl-", "cross", "self-signed"))]
    apart = [c for c in chains() if c not in together and not c.kind.startswith("crl-")]
    listed = [c for c in chains() if c.kind.startswith("crl-")]
    batches = [(together, []), *(([one], []) for one in apart), (listed, ["-crl_check"])]
    for number, (batch, more) in enumerate(batches):
        place = folder / str(number)
        place.mkdir()
        (place / "roots.pem").write_bytes(b"".join(one.pem for chain in batch for one in chain.roots))
        (place / "others.pem").write_bytes(b"".join(one.pem for chain in batch for one in chain.others))
        lists = b"".join(one.public_bytes(Encoding.PEM) for chain in batch for one in chain.crls)
        if lists:
            (place / "lists.pem").write_bytes(lists)
            more = [*more, "-CRLfile", place / "lists.pem"]
        files = {str(place / f"{index}.pem"): chain for index, chain in enumerate(batch)}
        for path, chain in files.items():
            Path(path).write_bytes(chain.signer.pem)
        done = subprocess.run(
            [
                *("openssl", "verify", "-attime", str(int(NOW.timestamp())), "-auth_level", "2"),
                *("-purpose", "smimesign", "-no-CApath", "-CAfile", place / "roots.pem"),
                *(("-untrusted", place / "others.pem") if any(c.others for c in batch) else ()),
                *more,
                *files,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        passed = {line.removesuffix(": OK") for line in done.stdout.splitlines() if line.endswith(": OK")}
        assert passed <= set(files), done.stdout
        verdicts |= {chain.name: path in passed for path, chain in files.items()}
    return verdicts


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> dict[str, tuple[Chain, bool, bool]]:
    """Every chain with our verdict and openssl's."""
    peer = theirs(tmp_path_factory.mktemp("openssl"))
    return {chain.name: (chain, ours(chain), peer[chain.name]) for chain in chains()}


def test_there_are_enough_chains_of_enough_kinds(judged):
    assert len(judged) == len(chains()) >= 200
    assert len({chain.kind for chain in chains()}) >= 40
    passed = sum(mine for _, mine, _ in judged.values())
    assert len(judged) * 0.2 < passed < len(judged) * 0.8, "neither always yes nor always no"


def test_all_are_judged_alike_but_for_what_is_explained(judged):
    different = {name: (mine, peer) for name, (chain, mine, peer) in judged.items() if mine != peer}
    assert {n: v for n, v in different.items() if judged[n][0].kind not in EXPLAINED} == {}


def test_where_we_pass_and_openssl_does_not_it_is_one_of_six_reasons(judged):
    looser = {judged[name][0].kind for name, (_, mine, peer) in judged.items() if mine and not peer}
    assert looser == set(EXPLAINED)
    assert not [name for name, (_, mine, peer) in judged.items() if peer and not mine]
