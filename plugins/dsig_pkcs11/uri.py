"""PKCS#11 URIs (RFC 7512), read strictly: what cannot be matched is an error, and nothing of a PIN is ever quoted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from dsig.errors import KeySourceError
from dsig_pkcs11.pin import Pin

__all__ = ["TokenUri", "is_uri", "parse", "quote"]

_SCHEME = "pkcs11:"
_PATH_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*\Z")
_QUERY_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*\Z")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}\Z")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_TYPES = ("private", "public", "cert", "secret-key", "data")
_TEXTS = frozenset(
    (
        *("token", "manufacturer", "serial", "model", "object", "type"),
        *("library-manufacturer", "library-description", "library-version"),
        *("slot-manufacturer", "slot-description", "slot-id"),
    )
)
_PIN_VALUE = "pin-value"
_OURS = ("pin", "module")
_QUERIES = frozenset(("pin-source", "module-name", "module-path"))

_HINT = "as in pkcs11:token=LABEL;object=LABEL (RFC 7512); dsig keys list and p11tool print such URIs"


@dataclass(frozen=True, slots=True)
class TokenUri:
    """What a URI asks for; None is "any"."""

    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    slot_id: int | None = None
    slot_manufacturer: str | None = None
    slot_description: str | None = None
    library_manufacturer: str | None = None
    library_description: str | None = None
    library_version: tuple[int, int] | None = None
    object: str | None = None
    """CKA_LABEL."""
    id: bytes | None = None
    """CKA_ID."""
    type: str = "private"
    module_path: str | None = None
    module_name: str | None = None
    pin_source: str | None = field(default=None, repr=False)
    """Where the PIN is, never the PIN."""
    pin_value: Pin | None = field(default=None, repr=False)
    """The PIN itself, from who insisted on having it there."""

    @property
    def has_pin(self) -> bool:
        """Whether the URI says what the PIN is, or where."""
        return self.pin_source is not None or self.pin_value is not None


def is_uri(text: str) -> bool:
    """Whether it begins like one."""
    return text[: len(_SCHEME)].lower() == _SCHEME


def parse(uri: str, *, insecure_pin: bool = False) -> TokenUri:
    """Read a URI; `insecure_pin`: with a `pin-value` in it, if there is one.

    Raises `KeySourceError`, which names attributes and never quotes values.
    """
    if not is_uri(uri):
        raise _bad("it does not begin with pkcs11:")
    path, has_query, query = uri[len(_SCHEME) :].partition("?")
    attributes = _split(path, ";", _PATH_CHARACTERS, _TEXTS | {"id"}, strict=True)
    queries = _QUERIES | {_PIN_VALUE} if insecure_pin else _QUERIES
    asked = _split(query, "&", _QUERY_CHARACTERS, queries, strict=False) if has_query else {}
    pin = asked.pop(_PIN_VALUE, None)
    if pin is not None and "pin-source" in asked:
        raise _bad("pin-source and pin-value exclude each other")  # RFC 7512 2.4
    texts = {name: _text(name, value) for name, value in (attributes | asked).items() if name != "id"}
    kind = texts.pop("type", "private")
    if kind not in _TYPES:
        raise _bad(f"type must be one of {', '.join(_TYPES)}")
    slot, version = texts.pop("slot-id", None), texts.pop("library-version", None)
    named = {name.replace("-", "_"): value for name, value in texts.items()}
    return TokenUri(
        **named,
        id=attributes.get("id"),
        type=kind,
        pin_value=None if pin is None else Pin(pin.decode("utf-8", "surrogateescape")),
        slot_id=None if slot is None else _number("slot-id", slot),
        library_version=None if version is None else _version(version),
    )


def quote(**attributes: str | bytes) -> str:
    """A URI of these path attributes, in their order; empty ones are left out."""
    parts = []
    for name, value in attributes.items():
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        plain = frozenset() if isinstance(value, bytes) else _PLAIN
        if data:
            parts.append(f"{name}=" + "".join(chr(b) if b in plain else f"%{b:02X}" for b in data))
    return _SCHEME + ";".join(parts)


def _split(
    text: str, separator: str, characters: re.Pattern[str], known: frozenset[str], *, strict: bool
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else []:
        name, equals, value = part.partition("=")
        if name in (_PIN_VALUE, "pin") and name not in known:
            raise KeySourceError(
                "a PIN in the key URI can be read by everybody on this machine, so it is not taken",
                code="pin-in-uri",
                hint="give it with --pin-file, --pin-fd, --pin-env, at the prompt, or with pin-source=file:PATH;"
                " or insist with --insecure-pin and pin-value= behind the ?",
            )
        if not equals or not _NAME.match(name):  # not quoted: it may be the rest of a PIN
            raise _bad("there is something that is not NAME=VALUE")
        if name in found:
            raise _bad(f"{name} is given twice")
        if not characters.match(value):
            raise _bad(f"the value of {name} has characters that must be percent-encoded")
        if name in known:
            found[name] = unquote_to_bytes(value)
        elif strict:  # RFC 7512 2.3: an attribute that is not understood matches nothing
            raise _bad(f"the attribute {name} is unknown")
        elif name.startswith(_OURS):  # those of others are theirs, but this is a slip, and would mean another module
            raise _bad("of what begins with pin or module only pin-source, module-path and module-name are known")
    return found


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad(f"the value of {name} is not UTF-8") from None
    if "\0" in text:
        raise _bad(f"the value of {name} has a zero byte in it")
    return text


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise _bad(f"{name} must be a number")
    return int(text)


def _version(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text):
        raise _bad("library-version must read MAJOR.MINOR")
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def _bad(reason: str) -> KeySourceError:
    return KeySourceError(f"the PKCS#11 URI cannot be read: {reason}", code="key-uri", hint=_HINT)
