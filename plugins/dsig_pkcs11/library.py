"""A PKCS#11 module, loaded once per process: tried in a child first, initialised for threads, never used after a fork.

python-pkcs11 initialises modules with NULL and releases the interpreter's lock round every call; SoftHSM then runs
without its own locks and crashes under threads. Here C_Initialize gets CKF_OS_LOCKING_OK.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from pkcs11 import PKCS11Error, _pkcs11

from dsig.errors import KeySourceError
from dsig_pkcs11 import cryptoki
from dsig_pkcs11.calls import Calls
from dsig_pkcs11.gate import Gate
from dsig_pkcs11.modules import ModuleChoice

__all__ = ["Module", "forked", "load", "probe"]

PROBE_SECONDS = 60
"""How long a module may take to start and to list its slots; network HSMs take a few seconds."""

_modules: dict[str, Module] = {}
_loading = threading.Lock()


class Module(_pkcs11.lib):
    """`pkcs11.lib`, initialised with locking. Raises `PKCS11Error`."""

    def __new__(cls, path: str, _choice: ModuleChoice) -> Self:
        """The base class makes the object from the path alone."""
        return super().__new__(cls, path)  # type: ignore[call-arg]  # the stub does not show it

    def __init__(self, path: str, choice: ModuleChoice) -> None:
        self.choice = choice
        self.path = path
        self.epoch = 0
        """Counts beginnings: sessions and objects of an earlier one are gone."""
        self.pid = 0
        self._table = cryptoki.table(path)
        self._arguments = cryptoki.init_args(choice.init_args)
        self._calls: Calls | None = None
        self.gate = Gate()
        super().__init__(path)  # calls initialize()

    def initialize(self) -> None:
        """C_Initialize, unless that has been done in this process."""
        if self.pid == os.getpid():
            return
        if not self._table.static:
            # A new instance at each C_GetFunctionList: ours is not the library's. Only p11-kit does that, and it locks.
            super().initialize()
        else:
            status = self._table.initialize(self._arguments)
            if status == cryptoki.CANT_LOCK:
                self.gate.one_at_a_time()
                status = self._table.initialize(None)
            if status not in (cryptoki.OK, cryptoki.ALREADY_INITIALIZED):
                raise PKCS11Error(f"C_Initialize gave 0x{status:x}")
        self.pid = os.getpid()
        self.epoch += 1

    def calls(self) -> Calls:
        """What python-pkcs11 has no call for; sessions opened by one are not to be used by the other unless
        `shares_sessions`. Raises `PKCS11Error`.
        """
        if self._calls is None:
            if not self.shares_sessions:  # an instance of its own, which nobody has initialised yet
                status = self._table.initialize(self._arguments)
                if status not in (cryptoki.OK, cryptoki.ALREADY_INITIALIZED):
                    raise PKCS11Error(f"C_Initialize gave 0x{status:x}")
            self._calls = Calls(self._table)
        return self._calls

    @property
    def shares_sessions(self) -> bool:
        """Whether `calls` may use sessions and objects that python-pkcs11 has opened."""
        return self._table.static

    def finalize(self) -> None:
        """C_Finalize, if this process has initialised: in the child of a fork it would break the parent's login."""
        if self.pid != os.getpid():
            return
        self.pid = 0
        if self._table.static or self._calls is not None:
            self._table.finalize()
        self._calls = None
        if not self._table.static:
            super().finalize()

    def restart(self) -> None:
        """End it and begin anew; to be called alone in the gate. Raises `PKCS11Error`."""
        with contextlib.suppress(PKCS11Error):  # the one that is gone cannot say good-bye
            self.finalize()
        self.initialize()


def load(choice: ModuleChoice) -> Module:
    """The module, loaded at the first call. Raises `KeySourceError`."""
    path = os.path.realpath(choice.path)  # by another name it could not be initialised again
    with _loading:
        module = _modules.get(path)
        if module is None:
            module = _modules[path] = _load(path, choice)
        elif module.choice.init_args != choice.init_args:
            raise KeySourceError(
                f"the PKCS#11 module {path} is in use with other init-args",
                code="module-refused",
                hint="a process can use a module in one way only",
            )
        if not module.pid:  # it was ended to get a lost token back, and could not begin again then
            try:
                with module.gate.alone():
                    module.initialize()
            except PKCS11Error as error:
                raise _refused(path, " ".join(str(error).split())) from None
    if module.pid != os.getpid():
        raise forked()
    return module


def forked() -> KeySourceError:
    """Why a token cannot be used after a fork."""
    return KeySourceError(
        "the token was opened before this process was forked",
        code="forked",
        hint="start workers with the method 'spawn', and let each open the key itself",
    )


def _load(path: str, choice: ModuleChoice) -> Module:
    if not Path(path).exists():
        raise KeySourceError(
            f"the PKCS#11 module {choice.path} does not exist",
            code="module-missing",
            hint=f"it was named by {choice.origin}; install it or correct the path",
        )
    if choice.probe:
        probe(path, choice)
    try:
        module = Module(path, choice)
    except (PKCS11Error, OSError, AttributeError) as error:
        raise _refused(path, " ".join(str(error).split()) or type(error).__name__) from None
    # Freed objects of this class complain at exit, so that it never is.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(module))
    atexit.register(_at_exit, module)
    return module


def _at_exit(module: Module) -> None:
    with contextlib.suppress(PKCS11Error):
        module.finalize()  # closes the sessions on the token


def probe(path: str, choice: ModuleChoice) -> None:
    """Load and initialise a module in a child process, where it may crash. Raises `KeySourceError` if it fails."""
    if not sys.executable:
        return  # embedded: there is no interpreter to start
    command = [sys.executable, "-I", "-S", cryptoki.__file__, path, choice.init_args or ""]
    try:
        child = subprocess.run(  # noqa: S603 - our own file in our own interpreter
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _crashed(path, f"did not start within {PROBE_SECONDS} seconds") from None
    except OSError:
        return  # no child can be had; the module itself may still be good
    said = _last_line(child.stderr)
    try:
        answer: dict[str, Any] = json.loads(child.stdout)
    except ValueError:
        raise _crashed(path, f"{_end(child.returncode)} when it was loaded{said}") from None
    if answer["stage"] == "load":
        raise KeySourceError(
            f"{path} is no PKCS#11 module that can be loaded: {answer['reason']}",
            code="module-unusable",
            hint=f"it was named by {choice.origin}",
        )
    if answer["stage"] == "initialize":
        raise _refused(path, f"C_Initialize gave {_named(answer['status'])}{said}")


def _end(status: int) -> str:
    if status >= 0:
        return f"ended the process with status {status}"
    try:
        return f"crashed ({signal.Signals(-status).name})"
    except ValueError:
        return f"crashed (signal {-status})"


def _last_line(output: bytes) -> str:
    """What the library printed last; it may be the only explanation there is."""
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return f"; it printed: {lines[-1].strip()[:200]}" if lines else ""


def _named(status: int) -> str:
    names = {0x05: "CKR_GENERAL_ERROR", 0x06: "CKR_FUNCTION_FAILED", 0x07: "CKR_ARGUMENTS_BAD"}
    return names.get(status, f"0x{status:x}")


def _crashed(path: str, what: str) -> KeySourceError:
    return KeySourceError(
        f"the PKCS#11 module {path} {what}",
        code="module-crashed",
        hint="it was tried in a process of its own; is it the right library for this machine?",
    )


def _refused(path: str, why: str) -> KeySourceError:
    return KeySourceError(
        f"the PKCS#11 module {path} does not start: {why}",
        code="module-refused",
        hint="is what it needs in place (SoftHSM: SOFTHSM2_CONF; NSS: init-args in pkcs11.toml; others: a daemon)?",
    )
