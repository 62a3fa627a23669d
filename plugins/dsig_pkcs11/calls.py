"""Calls that python-pkcs11 has no way to make: digests in pieces, and signatures whose PIN is typed at the reader."""

from __future__ import annotations

import ctypes
from typing import Any

import pkcs11
from pkcs11 import PKCS11Error

from dsig_pkcs11 import cryptoki

__all__ = ["Calls"]

_OPEN_SESSION, _CLOSE_SESSION, _LOGIN = 13, 14, 19
_DIGEST_INIT, _DIGEST_UPDATE, _DIGEST_FINAL = 38, 40, 42
_SIGN_INIT, _SIGN = 43, 44
"""Places in CK_FUNCTION_LIST, as in `cryptoki`."""
_SERIAL_SESSION = 4
_CONTEXT_SPECIFIC = 2
_LARGEST = 4096
"""Bytes of the largest digest or signature there is room for."""

_ERRORS: dict[int, type[PKCS11Error]] = {
    0x02: pkcs11.HostMemory,
    0x05: pkcs11.GeneralError,
    0x06: pkcs11.FunctionFailed,
    0x30: pkcs11.DeviceError,
    0x31: pkcs11.DeviceMemory,
    0x32: pkcs11.DeviceRemoved,
    0x50: pkcs11.FunctionCancelled,
    0x60: pkcs11.KeyHandleInvalid,
    0x70: pkcs11.MechanismInvalid,
    0x71: pkcs11.MechanismParamInvalid,
    0x82: pkcs11.ObjectHandleInvalid,
    0xA0: pkcs11.PinIncorrect,
    0xA1: pkcs11.PinInvalid,
    0xA2: pkcs11.PinLenRange,
    0xA3: pkcs11.PinExpired,
    0xA4: pkcs11.PinLocked,
    0xB0: pkcs11.SessionClosed,
    0xB1: pkcs11.SessionCount,
    0xB3: pkcs11.SessionHandleInvalid,
    0xE0: pkcs11.TokenNotPresent,
    0xE1: pkcs11.TokenNotRecognised,
    0x101: pkcs11.UserNotLoggedIn,
    0x200: pkcs11.FunctionRejected,
}


class _Mechanism(ctypes.Structure):
    """CK_MECHANISM, without parameter."""

    _fields_ = (("mechanism", ctypes.c_ulong), ("parameter", ctypes.c_void_p), ("length", ctypes.c_ulong))


class Calls:
    """The functions of an initialised module; each raises `PKCS11Error` for what is not CKR_OK."""

    def __init__(self, table: cryptoki.Table) -> None:
        number, pointer = ctypes.c_ulong, ctypes.c_void_p
        self._open_session = table.call(_OPEN_SESSION, number, number, pointer, pointer, pointer)
        self._close_session = table.call(_CLOSE_SESSION, number)
        self._login = table.call(_LOGIN, number, number, pointer, number)
        self._digest_init = table.call(_DIGEST_INIT, number, pointer)
        self._digest_update = table.call(_DIGEST_UPDATE, number, ctypes.c_char_p, number)
        self._digest_final = table.call(_DIGEST_FINAL, number, pointer, pointer)
        self._sign_init = table.call(_SIGN_INIT, number, pointer, number)
        self._sign = table.call(_SIGN, number, ctypes.c_char_p, number, pointer, pointer)

    def open_session(self, slot: int) -> int:
        """A read-only session with the token in a slot; its handle."""
        handle = ctypes.c_ulong()
        _require(self._open_session(slot, _SERIAL_SESSION, None, None, ctypes.addressof(handle)))
        return handle.value

    def close_session(self, session: int) -> None:
        """End a session, with what is under way in it."""
        _require(self._close_session(session))

    def digest_init(self, session: int, mechanism: int) -> None:
        """Begin a digest."""
        what = _Mechanism(mechanism, None, 0)
        _require(self._digest_init(session, ctypes.addressof(what)))

    def digest_update(self, session: int, data: bytes) -> None:
        """Digest more."""
        _require(self._digest_update(session, data, len(data)))

    def digest_final(self, session: int) -> bytes:
        """The digest."""
        return _answer(self._digest_final, session)

    def sign_at_reader(self, session: int, key: int, mechanism: int, data: bytes) -> bytes:
        """Sign with a key that wants its PIN each time, typed at the reader: C_Login without PIN between the two."""
        what = _Mechanism(mechanism, None, 0)
        _require(self._sign_init(session, ctypes.addressof(what), key))
        _require(self._login(session, _CONTEXT_SPECIFIC, None, 0))
        return _answer(self._sign, session, data, len(data))


def _answer(function: Any, *arguments: Any) -> bytes:
    room = ctypes.create_string_buffer(_LARGEST)
    length = ctypes.c_ulong(_LARGEST)
    _require(function(*arguments, ctypes.addressof(room), ctypes.addressof(length)))
    return room.raw[: length.value]


def _require(status: int) -> None:
    if status == cryptoki.OK:
        return
    kind = _ERRORS.get(status)
    if kind is not None:
        raise kind
    # as the library names what it has no class for; failures.lost knows the first
    raise PKCS11Error("not initialized" if status == 0x190 else f"error code 0x{status:x}")
