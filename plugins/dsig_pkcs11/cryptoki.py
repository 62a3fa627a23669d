"""Just enough of the C interface to initialise a module with locking, here or (to see if it lives) in a child process.

This file is also the program of that child, so that it imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["ALREADY_INITIALIZED", "CANT_LOCK", "OK", "InitArgs", "Table", "init_args", "table"]

OK = 0
CANT_LOCK = 0x0A
ALREADY_INITIALIZED = 0x191
OS_LOCKING_OK = 2
_INITIALIZE, _FINALIZE, _GET_INFO, _GET_SLOT_LIST = 1, 2, 3, 5
"""Places in CK_FUNCTION_LIST, the version at 0 being padded to the size of a pointer."""


class InitArgs(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (PKCS#11 5.4): threads may call, and the module locks with what the system has."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_char_p),
    )


def init_args(text: str | None) -> InitArgs:
    """Locking by the system, and the string some modules (NSS) want."""
    return InitArgs(flags=OS_LOCKING_OK, reserved=text.encode() if text else None)


@dataclass(frozen=True, slots=True)
class Table:
    """The functions of a module."""

    functions: Any
    static: bool
    """Whether every call gives this one table; p11-kit-client makes a new instance each time."""

    def call(self, place: int, *types: Any) -> Callable[..., int]:
        """The function at a place of CK_FUNCTION_LIST."""
        function: Callable[..., int] = ctypes.CFUNCTYPE(ctypes.c_ulong, *types)(self.functions[place])
        return function

    def initialize(self, arguments: InitArgs | None) -> int:
        """C_Initialize; None initialises without locks."""
        address = None if arguments is None else ctypes.addressof(arguments)
        return self.call(_INITIALIZE, ctypes.c_void_p)(address)

    def finalize(self) -> int:
        """C_Finalize: closes the sessions of all of this process."""
        return self.call(_FINALIZE, ctypes.c_void_p)(None)


def table(path: str) -> Table:
    """Load a library and ask for its functions. Raises `OSError`, `AttributeError` if it is no PKCS#11 library."""
    library = ctypes.CDLL(path)
    lists = [ctypes.POINTER(ctypes.c_void_p)() for _ in range(2)]
    for pointer in lists:
        status = library.C_GetFunctionList(ctypes.byref(pointer))
        if status != OK:
            raise OSError(f"C_GetFunctionList gave 0x{status:x}")
    first, second = (ctypes.addressof(pointer.contents) for pointer in lists)
    return Table(lists[0], first == second)


def probe(path: str, text: str | None) -> dict[str, Any]:
    """Load, initialise and end a module; what happened as data."""
    try:
        functions = table(path)
    except (OSError, AttributeError) as error:
        return {"stage": "load", "reason": str(error)}
    arguments = init_args(text)
    status = functions.initialize(arguments)
    if status == CANT_LOCK:
        status = functions.initialize(None)
    if status != OK:
        return {"stage": "initialize", "status": status}
    info = ctypes.create_string_buffer(1024)
    status = functions.call(_GET_INFO, ctypes.c_void_p)(ctypes.addressof(info))
    if status == OK:
        count = ctypes.c_ulong()
        status = functions.call(_GET_SLOT_LIST, ctypes.c_ubyte, ctypes.c_void_p, ctypes.c_void_p)(
            1, None, ctypes.addressof(count)
        )
    functions.finalize()
    return {"stage": "slots", "status": status} if status != OK else {"stage": "done"}


if __name__ == "__main__":
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # modules print
    json.dump(probe(sys.argv[1], sys.argv[2] or None), answer)
    answer.close()
    os._exit(0)  # a module that crashes on its way out shall not spoil the answer
