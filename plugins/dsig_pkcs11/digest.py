"""The MAC backend `pkcs11`: digests computed by the token, for sites whose rules want no hash outside of it."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from urllib.parse import quote

from pkcs11 import PKCS11Error

from dsig.errors import KeySourceError
from dsig.hookspecs import MacAlgorithmSpec
from dsig_pkcs11 import tokens, uri
from dsig_pkcs11.connection import in_use
from dsig_pkcs11.failures import failed
from dsig_pkcs11.library import Module, forked, load
from dsig_pkcs11.modules import resolve

__all__ = ["TokenMac", "TokenMacs"]

_MECHANISMS = {
    "1.2.840.113549.2.5": (0x210, "MD5"),
    "1.3.14.3.2.26": (0x220, "SHA_1"),
    "1.3.36.3.2.1": (0x240, "RIPEMD160"),
    "2.16.840.1.101.3.4.2.1": (0x250, "SHA256"),
    "2.16.840.1.101.3.4.2.2": (0x260, "SHA384"),
    "2.16.840.1.101.3.4.2.3": (0x270, "SHA512"),
    "2.16.840.1.101.3.4.2.4": (0x255, "SHA224"),
    "2.16.840.1.101.3.4.2.5": (0x48, "SHA512_224"),
    "2.16.840.1.101.3.4.2.6": (0x4C, "SHA512_256"),
    "2.16.840.1.101.3.4.2.7": (0x2B5, "SHA3_224"),
    "2.16.840.1.101.3.4.2.8": (0x2B0, "SHA3_256"),
    "2.16.840.1.101.3.4.2.9": (0x2C0, "SHA3_384"),
    "2.16.840.1.101.3.4.2.10": (0x2D0, "SHA3_512"),
}
"""Object identifier of a hash to CKM_ value and name (PKCS#11 3.0)."""
_PIECE = 1 << 20
"""Bytes given to the token at once."""


class TokenMacs:
    """Begins digests on a token; `dsig.hookspecs.MacBackend`. Nobody logs in for it."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Module, int, tokens.TokenFacts, frozenset[int]]] = {}
        self._finding = threading.Lock()

    def new(self, mac: MacAlgorithmSpec, place: str) -> TokenMac:
        """Begin a computation. `place` is a URI that means one token; if it names none, it is the token whose key is
        open, or else the only one there is. Raises `KeySourceError`.
        """
        wanted, used = _meant(place)
        key = repr(used[1]) if used else place
        with self._finding:
            if key not in self._found:
                self._found[key] = _token(wanted, used)
            module, slot, facts, offered = self._found[key]
        if mac.oid not in _MECHANISMS or _MECHANISMS[mac.oid][0] not in offered:
            name = f"CKM_{_MECHANISMS[mac.oid][1]}" if mac.oid in _MECHANISMS else f"a mechanism for {mac.name}"
            raise KeySourceError(
                f"{facts} cannot compute {mac.name}: it lacks {name} for digests",
                code="mechanism-missing",
                hint="choose another MAC algorithm with --mac, or leave --mac-backend out",
            )
        return TokenMac(module, slot, facts, _MECHANISMS[mac.oid][0])

    def settled(self, place: str) -> str:
        """With the token whose key is open in this process, if that is what `place` means."""
        _, used = _meant(place)
        if used is None:
            return place
        module, facts = used
        return f"{facts.uri}?module-path={quote(module.choice.path)}"


class TokenMac:
    """One digest under way, in a session of its own; `dsig.hookspecs.Mac`."""

    def __init__(self, module: Module, slot: int, facts: tokens.TokenFacts, mechanism: int) -> None:
        self._module = module
        self._what = f"computing a digest with {facts}"
        self._pid = os.getpid()
        self._epoch = module.epoch
        self._value = b""
        try:
            with module.gate.call():
                self._calls = calls = module.calls()
                session = calls.open_session(slot)
                self._session: int | None = session
                # a computation that is given up, by an error elsewhere, ends when nobody knows it any more
                self._end = weakref.finalize(self, _close, module, self._epoch, session)
                calls.digest_init(session, mechanism)
        except PKCS11Error as error:
            raise failed(error, self._what) from None

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Digest more. Raises `KeySourceError`; a token that went away takes what it had digested with it."""
        view = memoryview(data).cast("B")
        for at in range(0, len(view), _PIECE):
            piece = bytes(view[at : at + _PIECE])
            with self._using() as session:
                self._calls.digest_update(session, piece)

    def digest(self) -> bytes:
        """The digest, and the end of the session. Raises `KeySourceError`."""
        if self._session is not None:
            with self._using() as session:
                self._value = self._calls.digest_final(session)
                self._end.detach()
                self._calls.close_session(session)
            self._session = None
        return self._value

    @contextlib.contextmanager
    def _using(self) -> Iterator[int]:
        if self._pid != os.getpid():
            raise forked()
        try:
            with self._module.gate.call():
                if self._session is None or self._epoch != self._module.epoch:
                    raise PKCS11Error("the session was lost in the middle")
                yield self._session
        except PKCS11Error as error:
            raise failed(error, self._what) from None


def _meant(place: str) -> tuple[uri.TokenUri, tuple[Module, tokens.TokenFacts] | None]:
    """What a place asks for; if for nothing, the token in use."""
    wanted = uri.parse(place if ":" in place else f"{place}:")
    return wanted, in_use() if wanted == uri.TokenUri() else None


def _token(
    wanted: uri.TokenUri, used: tuple[Module, tokens.TokenFacts] | None
) -> tuple[Module, int, tokens.TokenFacts, frozenset[int]]:
    module = used[0] if used else load(resolve(wanted))
    try:
        with module.gate.call():
            if used:
                token, facts = tokens.find_again(module, used[1]), used[1]
            else:
                token, facts = tokens.find_token(module, wanted)
            return module, token.slot.slot_id, facts, tokens.digests_of(token)
    except (PKCS11Error, LookupError) as error:
        if isinstance(error, LookupError):
            error = PKCS11Error("it is in no slot")
        raise failed(error, f"looking for a token with {module.path}") from None


def _close(module: Module, epoch: int, session: int) -> None:
    """From wherever the garbage is collected, maybe inside the gate: not where calls have to wait for each other."""
    with contextlib.suppress(PKCS11Error):
        if module.epoch == epoch and module.pid == os.getpid() and module.gate.parallel:
            module.calls().close_session(session)
