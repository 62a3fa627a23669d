"""`dsig keys doctor`: try everything a signature needs, and say what works and what would fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click
from pkcs11 import PKCS11Error, TokenFlag

from dsig.errors import KeySourceError
from dsig_pkcs11 import certificates, objects, tokens
from dsig_pkcs11.commands.options import GivenSecrets, pin_options, tell
from dsig_pkcs11.connection import Connection
from dsig_pkcs11.failures import failed, pin_state
from dsig_pkcs11.library import Module, load, probe
from dsig_pkcs11.mechanisms import NoMechanism, choose
from dsig_pkcs11.modules import resolve
from dsig_pkcs11.signer import TokenSigner
from dsig_pkcs11.source import opened
from dsig_pkcs11.uri import TokenUri

__all__ = ["doctor"]

UNFIT = 6
"""Exit status if something would fail."""


@click.command("doctor", short_help="Examine a module, its tokens and keys.")
@click.argument("uri", default="pkcs11:")
@pin_options
def doctor(uri: str, secrets: GivenSecrets) -> int:
    """Examine a module, its tokens and, once logged in, the keys that URI selects, each with a test signature.

    Without an option that says where the PIN is nobody logs in. Exit status 0 if nothing would fail, else 6.

    Example: dsig keys doctor 'pkcs11:token=dsig-dev' --pin-file pin.txt
    """
    wanted = secrets.parsed(uri)
    examination = _Examination()

    # 1. The module, in a child process first, and then here.
    choice = resolve(wanted)
    tell("module", f"{choice.path} (named by {choice.origin})", indent=0)
    if not choice.probe:
        probe(choice.path, choice)
    module = load(choice)  # its error is the whole story
    examination.good("loads", "in a child process and here")
    examination.good("is", f"{module.library_description}, {module.manufacturer_id}, {_version(module)}")
    threads = module.gate.parallel
    examination.say("threads", "locks itself" if threads else "one call at a time: it cannot lock", threads)

    # 2. The tokens.
    try:
        with module.gate.call():
            present = tokens.matching(module, wanted)
            for token, facts in present:
                _token(examination, facts, token.flags, tokens.mechanisms_of(token))
    except PKCS11Error as error:
        raise failed(error, f"reading tokens with {module.path}") from None
    if not present:
        examination.bad("token", "none that URI selects; is it inserted?")

    # 3. The keys, for who has logged in.
    elif not secrets.given and not wanted.has_pin:
        examination.note("keys", "not examined: say where the PIN is")
    elif len(present) > 1:
        examination.bad("keys", f"not examined: {len(present)} tokens match; add token= or serial= to the URI")
    else:
        with opened(wanted, secrets) as connection:
            examination.good("login", "the PIN is right" if connection.pin or connection.pad else "no PIN is wanted")
            _keys(examination, connection, wanted)
    return examination.verdict()


class _Examination:
    """What was found, told as it is found."""

    def __init__(self) -> None:
        self._failures = 0

    def good(self, label: str, text: str) -> None:
        tell(label, f"ok    {text}")

    def note(self, label: str, text: str) -> None:
        tell(label, f"note  {text}")

    def bad(self, label: str, text: str) -> None:
        self._failures += 1
        tell(label, f"FAIL  {text}")

    def say(self, label: str, text: str, fine: bool) -> None:
        (self.good if fine else self.note)(label, text)

    def verdict(self) -> int:
        click.echo("nothing would fail" if not self._failures else f"{self._failures} would fail")
        return UNFIT if self._failures else 0


def _version(module: Module) -> str:
    return "version " + ".".join(map(str, module.library_version))


def _token(examination: _Examination, facts: tokens.TokenFacts, flags: TokenFlag, mechanisms: frozenset[str]) -> None:
    tell("token", facts.uri, indent=0)
    for kind in ("RSA", "EC", "DSA"):
        try:
            plan = choose(kind, "SHA256", mechanisms)
            examination.good(kind, f"CKM_{plan.mechanism} over the {plan.form}, with every MAC")
        except NoMechanism as missing:
            examination.note(kind, f"no signatures: {missing}")
    if flags & TokenFlag.USER_PIN_LOCKED:
        examination.bad("PIN", "locked; unlock it with the PUK or SO PIN")
    elif flags & TokenFlag.LOGIN_REQUIRED and not flags & TokenFlag.USER_PIN_INITIALIZED:
        examination.bad("PIN", "none is set yet")
    elif pin_state(flags):
        examination.note("PIN", pin_state(flags))
    elif flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
        examination.good("PIN", "is typed at the reader")
    else:
        examination.good("PIN", "set, and no wrong one on record" if flags & TokenFlag.LOGIN_REQUIRED else "not wanted")


def _keys(examination: _Examination, connection: Connection, wanted: TokenUri) -> None:
    with connection.lease() as lease:
        mechanisms = tokens.mechanisms_of(lease.session.token)
        stored = certificates.stored(lease.session)
        found = [
            (key, _proof(key, objects.public_key_of(lease.session, key), stored))
            for key in objects.selected(lease.session, wanted)
        ]
    if not found:
        examination.bad("key", "none that URI selects")
    for key, proof in sorted(found, key=lambda pair: (pair[0].label, pair[0].id)):
        tell("key", f"{key.uri} ({key.key_type})", indent=0)
        _key(examination, connection, key, mechanisms, stored, proof)


def _proof(key: objects.KeyFacts, public: object, stored: list[certificates.Stored]) -> Callable[..., bool | None]:
    """What the token's objects tell of key and certificate; read now, because sessions end."""
    answers = {c: certificates.matches(key, public, c) for _, _, c in stored}
    return lambda certificate: answers.get(certificate)


def _key(
    examination: _Examination,
    connection: Connection,
    key: objects.KeyFacts,
    mechanisms: frozenset[str],
    stored: list[certificates.Stored],
    proof: Callable[..., bool | None],
) -> None:
    if not key.signs:
        examination.bad("use", "not for signatures (CKA_SIGN is false)")
        return
    if key.always_authenticate:
        examination.note("use", "wants the PIN for each signature: no batches with a prompt")
    try:
        certificate = certificates.from_token(key, stored, connection.facts, proof)
        public = certificates.public_key(key, certificate)
        if proof(certificate) is False:
            raise certificates.mismatch(key)
    except KeySourceError as error:
        examination.bad("certificate", f"{error.message}; {error.hint}")
        return
    name = certificate.subject.rfc4514_string()
    first, last, now = certificate.not_valid_before_utc, certificate.not_valid_after_utc, datetime.now(UTC)
    if not first <= now <= last:
        state = f"expired on {last:%Y-%m-%d}" if now > last else f"is not valid before {first:%Y-%m-%d}"
        examination.bad("certificate", f"{name}, {state}: nobody trusts signatures made now")
    else:
        examination.good("certificate", f"{name}, until {last:%Y-%m-%d}")
    if key.always_authenticate and connection.pad:
        if connection.module.shares_sessions:
            examination.note("signature", "not tried: its PIN would have to be typed at the reader")
        else:
            examination.bad("signature", "its PIN is typed at the reader, which this module cannot pass on")
        return
    try:
        choose(key.key_type, "SHA256", mechanisms)
        connection.pin_for_signing() if key.always_authenticate else None
        proved = TokenSigner(connection, key, public, mechanisms, b"", ()).prove()
    except NoMechanism as missing:
        examination.bad("signature", str(missing))
    except KeySourceError as error:
        examination.bad("signature", error.message)
    else:
        if proved:
            examination.good("signature", "made on the token, verifies with the certificate")
        else:
            examination.bad("signature", "does not verify: the certificate is of another key")
