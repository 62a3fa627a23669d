"""What a module says went wrong, in words, with the next step."""

from __future__ import annotations

import pkcs11
from pkcs11 import PKCS11Error, TokenFlag

from dsig.errors import KeySourceError

__all__ = ["ABOUT_PIN", "LOST", "failed", "gone", "login_failed", "lost", "pin_state", "reason"]

LOST = (
    pkcs11.DeviceError,
    pkcs11.DeviceRemoved,
    pkcs11.FunctionFailed,
    pkcs11.GeneralError,
    pkcs11.KeyHandleInvalid,
    pkcs11.NoSuchKey,
    pkcs11.ObjectHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.SessionHandleInvalid,
    pkcs11.SlotIDInvalid,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.UserNotLoggedIn,
)
"""After these the session, or the token, may be gone: worth one try to get it back."""
ABOUT_PIN = (
    pkcs11.FunctionCancelled,
    pkcs11.FunctionRejected,
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
)
"""After these nobody is logged in, and the next try may be the last."""
_NOT_INITIALIZED = "not initialized"


def lost(error: BaseException) -> bool:
    """Whether connecting again may help."""
    # CKR_CRYPTOKI_NOT_INITIALIZED has no class of its own
    return isinstance(error, LOST) or (isinstance(error, PKCS11Error) and _NOT_INITIALIZED in str(error).lower())


def reason(error: PKCS11Error) -> str:
    """The name of the error and what little the library adds to it; holds no PIN, which no message of it quotes."""
    name = type(error).__name__
    text = " ".join(str(error).split())
    return f"{name}: {text}" if text else name


def pin_state(flags: TokenFlag) -> str:
    """What the token tells about the tries that are left, or nothing."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return "the PIN is locked"
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return "one more wrong PIN locks it"
    if flags & TokenFlag.USER_PIN_COUNT_LOW:
        return "a wrong PIN was given, and a few more lock it"
    return ""


def login_failed(error: PKCS11Error, token: str, flags: TokenFlag) -> KeySourceError:
    """Why nobody could log in."""
    match error:
        case pkcs11.PinLocked():
            return KeySourceError(
                f"the PIN of {token} is locked",
                code="pin-locked",
                hint="unlock it with the PUK or SO PIN and the vendor's tool",
            )
        case pkcs11.PinIncorrect() | pkcs11.PinInvalid() | pkcs11.PinLenRange():
            state = pin_state(flags) or "the token does not say how many tries are left"
            return KeySourceError(
                f"the PIN for {token} is wrong; {state}",
                code="wrong-pin",
                hint="it was tried once and is not tried again; check it before the next run",
            )
        case pkcs11.PinExpired():
            return KeySourceError(
                f"the PIN of {token} has expired", code="pin-state", hint="set a new one with the vendor's tool"
            )
        case pkcs11.UserPinNotInitialized():
            return KeySourceError(
                f"{token} has no user PIN yet", code="pin-state", hint="set one with the SO PIN and the vendor's tool"
            )
        case pkcs11.FunctionCancelled() | pkcs11.FunctionRejected():
            return KeySourceError(f"the PIN was not entered at {token}", code="pin-needed", hint="try again")
    return failed(error, f"logging in to {token}")


def gone(doing: str, why: str) -> KeySourceError:
    """The token went away, and is not back."""
    return KeySourceError(
        f"{doing}: the token is gone ({why})",
        code="token-lost",
        hint="outputs already written are complete; connect the token and run the command again for the rest",
    )


def failed(error: PKCS11Error, doing: str) -> KeySourceError:
    """Why something else could not be done; `doing` says what and where."""
    match error:
        case pkcs11.SessionCount():
            return KeySourceError(
                f"{doing}: the token has no session left",
                code="sessions-exhausted",
                hint="end other programs that use it, or set a lower number of sessions in pkcs11.toml",
            )
        case pkcs11.MechanismInvalid() | pkcs11.MechanismParamInvalid():
            return KeySourceError(
                f"{doing}: the token refuses a mechanism it offers ({reason(error)})",
                code="mechanism-missing",
                hint="dsig keys doctor shows what works",
            )
        case pkcs11.DeviceMemory() | pkcs11.HostMemory():
            return KeySourceError(f"{doing}: out of memory", code="token-error", hint="end other programs that use it")
        case _ if lost(error):
            return gone(doing, reason(error))
    return KeySourceError(f"{doing}: {reason(error)}", code="token-error", hint="see dsig keys doctor")
