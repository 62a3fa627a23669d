"""`dsig keys list`: tokens, keys, certificates, and what they can sign with."""

from __future__ import annotations

import click
from pkcs11 import PKCS11Error, Session, Token, TokenFlag

from dsig_pkcs11 import certificates, objects, tokens
from dsig_pkcs11.commands.options import GivenSecrets, pin_options, shown, tell
from dsig_pkcs11.failures import failed, pin_state
from dsig_pkcs11.library import load
from dsig_pkcs11.mechanisms import usable
from dsig_pkcs11.modules import resolve
from dsig_pkcs11.source import opened
from dsig_pkcs11.uri import quote

__all__ = ["list_"]


@click.command("list", short_help="List tokens, keys and certificates.")
@click.argument("uri", default="pkcs11:")
@pin_options
def list_(uri: str, secrets: GivenSecrets) -> int:
    """List tokens, keys and certificates: all of the module, or what URI selects.

    Private keys are seen only by who has logged in: with an option that says where the PIN is, URI must mean one token.

    Example: dsig keys list 'pkcs11:token=dsig-dev' --pin-file pin.txt
    """
    wanted = secrets.parsed(uri)
    module = load(resolve(wanted))
    tell("module", f"{module.path} ({module.library_description}, {module.manufacturer_id})", indent=0)
    try:
        if secrets.given or wanted.has_pin:
            with opened(wanted, secrets) as connection, connection.lease() as lease:
                _token(connection.facts, lease.session.token)
                _objects(lease.session)
            return 0
        with module.gate.call():
            present = tokens.matching(module, wanted)
            for token, facts in present:
                _token(facts, token)
                with token.open() as session:
                    _objects(session)
                if token.flags & TokenFlag.LOGIN_REQUIRED:
                    tell("", "private keys are seen after login only: say where the PIN is")
    except PKCS11Error as error:
        raise failed(error, f"reading tokens with {module.path}") from None
    if not present:
        click.echo("no token")
    return 0


def _token(facts: tokens.TokenFacts, token: Token) -> None:
    click.echo(f"\n{shown(facts.uri)}")
    plans = usable(tokens.mechanisms_of(token)).items()
    tell("signs with", ", ".join(f"CKM_{plan.mechanism} ({kind})" for kind, plan in plans) or "nothing we can use")
    state = pin_state(token.flags)
    if state:
        tell("PIN", state)


def _objects(session: Session) -> None:
    for _, key in sorted(objects.keys_of(session), key=lambda found: (found[1].label, found[1].id)):
        notes = [key.key_type]
        notes += [] if key.signs else ["not for signatures"]
        notes += ["PIN for each signature"] if key.always_authenticate else []
        tell("key", f"{key.uri} ({', '.join(notes)})")
    for identifier, label, certificate in sorted(certificates.stored(session), key=lambda c: (c[1], c[0])):
        name = quote(object=label, id=identifier).removeprefix("pkcs11:")
        until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        tell("certificate", f"{name} ({certificate.subject.rfc4514_string()}, until {until})")
