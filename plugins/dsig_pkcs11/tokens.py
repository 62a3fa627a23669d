"""Tokens in the slots of a module, and the one that a URI means."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pkcs11 import PKCS11Error, Slot, Token, TokenFlag

from dsig.errors import KeySourceError
from dsig_pkcs11.library import Module
from dsig_pkcs11.mechanisms import CANDIDATES
from dsig_pkcs11.uri import TokenUri, quote

__all__ = ["TokenFacts", "digests_of", "find_again", "find_token", "matching", "mechanisms_of", "tokens_of"]


_LOOK_AGAIN = (0.01, 0.05, 0.2)
"""Seconds. SoftHSM's tokens look blank for a moment while another process logs in, which writes their flags anew."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """Who a token says it is; what it is found by again."""

    label: str
    serial: str
    manufacturer: str
    model: str

    @property
    def uri(self) -> str:
        """An RFC 7512 URI that means this token."""
        return quote(model=self.model, manufacturer=self.manufacturer, serial=self.serial, token=self.label)

    def __str__(self) -> str:
        return f"token {self.label!r}"


def facts_of(token: Token) -> TokenFacts:
    """What the token says of itself."""
    serial = token.serial.decode("utf-8", "replace")
    return TokenFacts(token.label, serial, token.manufacturer_id, token.model)


def tokens_of(module: Module) -> list[tuple[Token, TokenFacts]]:
    """The initialised tokens that are there, one broken slot not hiding the others. Raises `PKCS11Error`."""
    found = []
    for slot in module.get_slots(token_present=True):
        try:
            token = slot.get_token()
            facts = facts_of(token)
        except (PKCS11Error, UnicodeDecodeError):
            continue
        if token.flags & TokenFlag.TOKEN_INITIALIZED:
            found.append((token, facts))
    return found


def matching(module: Module, uri: TokenUri) -> list[tuple[Token, TokenFacts]]:
    """All tokens that a URI may mean. Raises `PKCS11Error`."""
    present = tokens_of(module) if _library_matches(module, uri) else []
    return [(token, facts) for token, facts in present if _matches(token.slot, facts, uri)]


def find_token(module: Module, uri: TokenUri) -> tuple[Token, TokenFacts]:
    """The one token a URI means. Raises `KeySourceError`, with the candidates if there are several, `PKCS11Error`."""
    hits = matching(module, uri)
    for seconds in _LOOK_AGAIN:
        if hits:
            break
        time.sleep(seconds)
        hits = matching(module, uri)
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise KeySourceError(
            f"{len(hits)} tokens match the URI: {_listed(hits)}",
            code="several-tokens",
            hint="add serial= or token= to the URI",
        )
    present = tokens_of(module)
    if not present and module.get_slots(token_present=True):
        raise KeySourceError(
            "no token matches the URI; those present are not initialised",
            code="token-not-found",
            hint=f"initialise one with the vendor's tool (softhsm2-util --init-token); the module is {module.path}",
        )
    raise KeySourceError(
        f"no token matches the URI; present: {_listed(present) or 'none'}",
        code="token-not-found",
        hint=f"insert the token, or correct the URI; the module is {module.path}",
    )


def find_again(module: Module, facts: TokenFacts) -> Token:
    """The token seen before. Raises `PKCS11Error`, `LookupError` if it is not there."""
    for token, other in tokens_of(module):
        if other == facts:
            return token
    raise LookupError(facts.label)


def mechanisms_of(token: Token) -> frozenset[str]:
    """Those of `CANDIDATES` that the token can sign with, without CKM_. Raises `PKCS11Error`."""
    found = set()
    for mechanism in token.slot.get_mechanisms():
        name = getattr(mechanism, "name", "").lstrip("_")  # the library hides RIPEMD160 behind an underscore
        if name in CANDIDATES:
            info = token.slot.get_mechanism_info(mechanism)
            if "SIGN" in (info.flags.name or ""):
                found.add(name)
    return frozenset(found)


def digests_of(token: Token) -> frozenset[int]:
    """Numbers of the mechanisms that the token can digest with. Raises `PKCS11Error`."""
    found = set()
    for mechanism in token.slot.get_mechanisms():
        info = token.slot.get_mechanism_info(mechanism)
        if "DIGEST" in (info.flags.name or ""):
            found.add(int(mechanism))
    return frozenset(found)


def _library_matches(module: Module, uri: TokenUri) -> bool:
    wanted = (uri.library_manufacturer, uri.library_description, uri.library_version)
    given = (module.manufacturer_id, module.library_description, tuple(module.library_version))
    return all(w is None or w == g for w, g in zip(wanted, given, strict=True))


def _matches(slot: Slot, facts: TokenFacts, uri: TokenUri) -> bool:
    wanted = (uri.token, uri.serial, uri.manufacturer, uri.model)
    given = (facts.label, facts.serial, facts.manufacturer, facts.model)
    slots = (uri.slot_id, uri.slot_description, uri.slot_manufacturer)
    own = (slot.slot_id, slot.slot_description, slot.manufacturer_id)
    return all(w is None or w == g for w, g in zip(wanted + slots, given + own, strict=True))


def _listed(tokens: list[tuple[Token, TokenFacts]]) -> str:
    return ", ".join(facts.uri for _, facts in tokens[:8]) + (", ..." if len(tokens) > 8 else "")
