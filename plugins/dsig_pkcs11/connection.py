"""One login to one token in this process, and the sessions that concurrent signers take turns with.

A login belongs to the process, not to a session: closing the session that made it logs everybody out, so that this one
stays open, unused, until the last user is done. Sessions that saw an exception are thrown away: they may be stuck in
an operation for ever.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pkcs11
from pkcs11 import PKCS11Error, Session, Token, TokenFlag
from pkcs11.types import PROTECTED_AUTH

from dsig.errors import KeySourceError
from dsig_pkcs11.failures import failed, gone, login_failed, pin_state, reason
from dsig_pkcs11.library import Module, forked
from dsig_pkcs11.pin import Pin
from dsig_pkcs11.tokens import TokenFacts, find_again

__all__ = ["Connection", "Lease", "connect", "in_use"]

_connections: dict[tuple[str, TokenFacts], Connection] = {}
_connecting = threading.Lock()


class Lease:
    """A session in use by one thread, with the objects found in it."""

    __slots__ = ("epoch", "objects", "session")

    def __init__(self, session: Session, epoch: int) -> None:
        self.session = session
        self.epoch = epoch
        """Of the module when the session was opened."""
        self.objects: dict[Any, Any] = {}
        """What the user of the session keeps with it: handles are found once."""


@contextmanager
def connect(module: Module, token: Token, facts: TokenFacts, ask: Callable[[str], Pin]) -> Iterator[Connection]:
    """The login of this process to a token; the first user logs in, the last one logs out.

    `ask` gives the PIN for what it is told, and is called once if at all. Raises `KeySourceError`.
    """
    key = (module.path, facts)
    with _connecting:
        connection = _connections.get(key)
        if connection is None:
            connection = Connection(module, token, facts, ask)
            _connections[key] = connection
        connection.users += 1
    try:
        yield connection
    finally:
        with _connecting:
            connection.users -= 1
            if not connection.users:
                _connections.pop(key, None)
                connection.close()


def in_use() -> tuple[Module, TokenFacts] | None:
    """The token this process is logged in to, if it is one."""
    with _connecting:
        found = [(c.module, c.facts) for c in _connections.values()]
    return found[0] if len(found) == 1 else None


class Connection:
    """Made by `connect`; safe to share between threads, dead after a fork."""

    def __init__(self, module: Module, token: Token, facts: TokenFacts, ask: Callable[[str], Pin]) -> None:
        self.module = module
        self.facts = facts
        self.users = 0
        self.generation = 0
        """Counts recoveries."""
        self.pin: Pin | None = None
        self.pad = bool(token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH)
        """Whether the PIN is typed on the device."""
        self._pid = os.getpid()
        self._refused: KeySourceError | None = None
        self._ask = ask
        self._token = token
        self._login: Session | None = None
        self._lock = threading.RLock()
        """For logging in and recovering; taken before the module's gate, never inside it."""
        self._changed = threading.Condition()
        self._idle: list[Lease] = []
        self._open = 0
        self._most = module.choice.sessions
        self._epoch = module.epoch
        with module.gate.call():
            self._log_in()

    # ------------------------------------------------------------------------------------------------------ logging in

    def pin_for_signing(self) -> None:
        """Make sure that there is a PIN to give with each signature. Raises `KeySourceError`."""
        if self.pin is None and not self.pad:
            self.pin = self._ask(str(self.facts))

    def _log_in(self) -> None:
        """Log in with the PIN, once; a PIN that was refused is never sent again. Raises `KeySourceError`."""
        if self._refused is not None:
            raise self._refused
        token = self._token
        flags = token.flags
        if not flags & TokenFlag.LOGIN_REQUIRED:
            self._login = self._opened()
            return
        if flags & TokenFlag.USER_PIN_LOCKED:
            raise login_failed(pkcs11.PinLocked(), str(self.facts), flags)
        if not flags & TokenFlag.USER_PIN_INITIALIZED:
            raise login_failed(pkcs11.UserPinNotInitialized(), str(self.facts), flags)
        if self.pin is None and not self.pad:
            state = pin_state(flags)
            self.pin = self._ask(f"{self.facts} ({state})" if state else str(self.facts))
        try:
            self._login = token.open(user_pin=PROTECTED_AUTH if self.pin is None else self.pin.reveal())
        except pkcs11.UserAlreadyLoggedIn:
            if self._login is None or self._epoch != self.module.epoch:
                self._login = self._opened()  # somebody else in this process has logged in, and will log out
        except PKCS11Error as error:
            raise self.refused(error) from None

    def refused(self, error: PKCS11Error) -> KeySourceError:
        """Why nobody could log in; if it was for the PIN, nobody tries again. To be called in the gate."""
        refusal = login_failed(error, str(self.facts), self._flags_now())
        if refusal.code in ("wrong-pin", "pin-locked", "pin-state"):
            self._refused = refusal
        return refusal

    def _opened(self) -> Session:
        try:
            return self._token.open()
        except PKCS11Error as error:
            raise failed(error, f"opening a session with {self.facts}") from None

    def _flags_now(self) -> TokenFlag:
        try:
            return self._token.slot.get_token().flags
        except PKCS11Error:
            return self._token.flags

    # ------------------------------------------------------------------------------------------------------- sessions

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """A session of one's own; whatever is raised inside ends it. Raises `KeySourceError`, `PKCS11Error`."""
        if os.getpid() != self._pid:
            raise forked()
        if self._refused is not None:
            raise self._refused
        lease = self._take()
        try:
            with self.module.gate.call():
                if lease.epoch != self.module.epoch:
                    raise pkcs11.SessionHandleInvalid
                yield lease
        except BaseException:
            self._discard(lease)
            raise
        with self._changed:
            self._idle.append(lease)
            self._changed.notify()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that may change what is on the token. Raises `KeySourceError`, `PKCS11Error`."""
        if os.getpid() != self._pid:
            raise forked()
        with self.module.gate.call():
            session = self._token.open(rw=True)
            try:
                yield session
            finally:
                with contextlib.suppress(PKCS11Error):
                    session.close()

    def _take(self) -> Lease:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._idle or self._open < self._most)
                if self._idle:
                    return self._idle.pop()
                self._open += 1
            try:
                with self.module.gate.call():
                    return Lease(self._token.open(), self.module.epoch)
            except pkcs11.SessionCount:
                with self._changed:
                    self._open -= 1
                    if not self._open:
                        raise
                    self._most = self._open  # the token has no more: those who want one wait for these
            except BaseException:
                with self._changed:
                    self._open -= 1
                    self._changed.notify()
                raise

    def _discard(self, lease: Lease) -> None:
        lease.objects.clear()
        with contextlib.suppress(PKCS11Error), self.module.gate.call():
            if lease.epoch == self.module.epoch:  # else it closed with the module, and its handle may be another's
                lease.session.close()
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def _discard_idle(self) -> None:
        with self._changed:
            idle, self._idle = self._idle, []
        for lease in idle:
            self._discard(lease)

    # ------------------------------------------------------------------------------------------------------- recovery

    def recover(self, generation: int, works: Callable[[Session], bool]) -> None:
        """Get a lost token back, unless another thread has done so since `generation`.

        First a new session and, if necessary, a new login; if `works` then says no, the module is ended and begun
        anew. Raises `KeySourceError` if the token stays away.
        """
        with self._lock:
            if self.generation != generation:
                return
            self._discard_idle()
            if not self._again(works):
                self._anew(works)
            self.generation += 1

    def _again(self, works: Callable[[Session], bool]) -> bool:
        """Try without disturbing others who use the module."""
        if self._epoch != self.module.epoch:
            return False
        try:
            with self.module.gate.call():
                self._log_in()
            with self.lease() as lease:
                return works(lease.session)
        except PKCS11Error:
            return False
        except KeySourceError:
            if self._refused is not None:
                raise
            return False

    def _anew(self, works: Callable[[Session], bool]) -> None:
        try:
            with self.module.gate.alone():
                if self._epoch == self.module.epoch:  # else another connection has just done it
                    self.module.restart()
            with self.module.gate.call():
                self._token = find_again(self.module, self.facts)
                self._login = None
                self._log_in()
                self._epoch = self.module.epoch
            with self.lease() as lease:
                if works(lease.session):
                    return
            why = "its key is not there"
        except PKCS11Error as error:
            why = reason(error)
        except LookupError:
            why = "it is in no slot"
        raise gone(f"reconnecting to {self.facts}", why)

    def close(self) -> None:
        """Close the sessions and log out; whatever fails was gone before."""
        if os.getpid() != self._pid:
            return  # they are the parent's
        self._discard_idle()
        with contextlib.suppress(PKCS11Error), self.module.gate.call():
            if self._login is not None and self._epoch == self.module.epoch:
                self._login.close()
        self._login = None
        self.pin = None
