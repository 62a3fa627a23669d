"""Keys and certificates on a token, with the attributes that modules really give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, ObjectClass, Session

from dsig.errors import KeySourceError
from dsig_pkcs11.tokens import TokenFacts
from dsig_pkcs11.uri import TokenUri, quote

__all__ = ["KeyFacts", "find_key", "key_again", "keys_of", "public_key_of", "selected", "stored_certificates"]

_ABSENT = (
    pkcs11.AttributeTypeInvalid,
    pkcs11.AttributeSensitive,
    pkcs11.FunctionFailed,
    NotImplementedError,
    UnicodeDecodeError,
    ValueError,
)
"""What reading an attribute raises that is not there, is secret, or that the library cannot decode."""
_TYPES = {KeyType.RSA: "RSA", KeyType.EC: "EC", KeyType.DSA: "DSA"}


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A private key, as far as it lets itself be known."""

    label: str
    id: bytes
    key_type: str
    """`RSA`, `EC`, `DSA`, or the library's name for another kind."""
    signs: bool
    """CKA_SIGN."""
    always_authenticate: bool
    """Whether each signature wants the PIN again."""
    modulus: int | None = None
    template: Any = field(default=None, repr=False, compare=False)
    """Attributes that it is found by again."""

    @property
    def uri(self) -> str:
        """What to add to a URI to mean this key."""
        return quote(object=self.label, id=self.id).removeprefix("pkcs11:") or "without label and id"


def attribute(thing: Any, name: Attribute, default: Any = None) -> Any:
    """An attribute of an object, or `default`. Raises `PKCS11Error` if the token is in trouble."""
    try:
        return thing[name]
    except _ABSENT:
        return default


def _objects(session: Session, template: dict[Attribute, Any]) -> list[Any]:
    """All objects that match; complete, because no other call may come while a search is open."""
    return list(session.get_objects(template))


def keys_of(session: Session) -> list[tuple[Any, KeyFacts]]:
    """All private keys that can be seen. Raises `PKCS11Error`."""
    return [(key, _facts(key)) for key in _objects(session, {Attribute.CLASS: ObjectClass.PRIVATE_KEY})]


def selected(session: Session, uri: TokenUri) -> list[KeyFacts]:
    """The private keys that a URI means. Raises `PKCS11Error`.

    The token is asked by label and id: reading all of an HSM's keys takes many calls for each, over the network.
    """
    template: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    template |= {Attribute.LABEL: uri.object} if uri.object else {}
    template |= {Attribute.ID: uri.id} if uri.id else {}
    found = (_facts(key) for key in _objects(session, template))
    return [key for key in found if uri.object in (None, key.label) and uri.id in (None, key.id)]


def find_key(session: Session, uri: TokenUri, token: TokenFacts) -> KeyFacts:
    """The one private key a URI means. Raises `KeySourceError`, with the candidates if there are several."""
    if uri.type != "private":
        raise KeySourceError(
            f"the URI means an object of type {uri.type}, not a private key",
            code="key-uri",
            hint="write type=private, or leave type out",
        )
    hits = selected(session, uri)
    if len(hits) > 1:
        alike = len({(key.label, key.id) for key in hits}) == 1
        raise KeySourceError(
            f"{len(hits)} private keys of {token} match the URI: {_listed(hits)}",
            code="several-keys",
            hint="they share label and id: give one another with the vendor's tool"
            if alike
            else "add object= or id= to the URI; an empty one means the key that has none",
        )
    if not hits:
        present = [facts for _, facts in keys_of(session)]
        raise KeySourceError(
            f"no private key of {token} matches the URI; there are: {_listed(present) or 'none'}",
            code="key-not-found",
            hint="correct object= or id= in the URI; dsig keys list shows all",
        )
    key = hits[0]
    if not key.signs:
        raise KeySourceError(
            f"the key {key.uri} of {token} is not for signatures (CKA_SIGN is false)",
            code="key-cannot-sign",
            hint="choose another key, or have this one made anew for signatures",
        )
    return key


def key_again(session: Session, facts: KeyFacts) -> Any:
    """The key found before, in another session. Raises `pkcs11.NoSuchKey`, `PKCS11Error`."""
    found = _objects(session, facts.template)
    if len(found) > 1:  # without label or id it is found by less than it is told from others by
        found = [key for key in found if _facts(key) == facts]
    if len(found) != 1:
        raise pkcs11.NoSuchKey(f"{len(found)} keys")
    return found[0]


def public_key_of(session: Session, facts: KeyFacts) -> Any:
    """The public key with the same CKA_ID, or None. Raises `PKCS11Error`."""
    if not facts.id:
        return None
    found = _objects(session, {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: facts.id})
    return found[0] if len(found) == 1 else None


def stored_certificates(
    session: Session, like: Mapping[Attribute, bytes] = MappingProxyType({})
) -> Iterator[tuple[bytes, str, bytes]]:
    """CKA_ID, label and DER of each certificate on the token that has these attributes. Raises `PKCS11Error`."""
    for thing in _objects(session, {Attribute.CLASS: ObjectClass.CERTIFICATE, **like}):
        value = attribute(thing, Attribute.VALUE)
        if value:
            yield attribute(thing, Attribute.ID, b"") or b"", attribute(thing, Attribute.LABEL, "") or "", value


def _facts(key: Any) -> KeyFacts:
    label, identifier = attribute(key, Attribute.LABEL), attribute(key, Attribute.ID)
    template = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    template |= {Attribute.LABEL: label} if label else {}
    template |= {Attribute.ID: identifier} if identifier else {}
    kind = key.key_type
    modulus = attribute(key, Attribute.MODULUS) if kind == KeyType.RSA else None
    return KeyFacts(
        label=label or "",
        id=identifier or b"",
        key_type=_TYPES.get(kind, getattr(kind, "name", str(kind))),
        signs=bool(attribute(key, Attribute.SIGN, False)),
        always_authenticate=bool(attribute(key, Attribute.ALWAYS_AUTHENTICATE, False)),
        modulus=int.from_bytes(modulus, "big") if modulus else None,
        template=template,
    )


def _listed(keys: Iterable[KeyFacts]) -> str:
    found = sorted(keys, key=lambda key: (key.label, key.id))
    shown = [f"{key.uri} ({key.key_type}{'' if key.signs else ', not for signatures'})" for key in found]
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")
