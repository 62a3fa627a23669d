"""A key for many workers that stays in one process: workers hand in digests and get signatures.

One login, one PIN, one pool of sessions, whatever the number of workers; no secret leaves the process. The service is a
socket in a directory of its own that only this user can enter, and only workers that were given a random key are
answered.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener

from dsig.distrust import blaming
from dsig.errors import DsigError, KeySourceError, PluginError
from dsig.hookspecs import MacAlgorithmSpec
from dsig.keys import OpenKey
from dsig.plugins import Plugins

__all__ = ["served"]

LONGEST = 1 << 16
"""Bytes of a question or an answer."""
_SIGNATURE, _KEY_TROUBLE, _PLUGIN_TROUBLE = b"S", b"K", b"P"


@contextmanager
def served(key: OpenKey, plugins: Plugins) -> Iterator[OpenKey]:
    """The same key, for as long as the context lasts, with a signer that can go to other processes."""
    secret = os.urandom(32)
    with Listener(None, family="AF_UNIX", backlog=64, authkey=secret) as listener:
        # a source that does not say that threads may share its signer is asked one thing at a time
        shared = any(p.origin == key.origin and p.spec.workers == "threads" for p in plugins.key_sources)
        lock = nullcontext() if shared else threading.Lock()
        trouble: list[bytes] = []  # what the key could not do once it is not asked again for: tokens lock themselves

        def answer(connection: Connection) -> None:
            with connection, suppress(OSError, EOFError):
                while True:
                    name, digest = _question(connection.recv_bytes(LONGEST))
                    with lock:
                        said = trouble[0] if trouble else _signed(key, plugins, name, digest)
                        if said[:1] != _SIGNATURE:
                            trouble.append(said)
                    connection.send_bytes(said)

        def listen() -> None:
            while True:
                try:
                    connection = listener.accept()
                except (AuthenticationError, EOFError, ConnectionError):
                    continue  # not one of ours, or one that died while it introduced itself
                except OSError:
                    return  # closed
                threading.Thread(target=answer, args=(connection,), name="dsig-key", daemon=True).start()

        threading.Thread(target=listen, name="dsig-keys", daemon=True).start()
        address = listener.address
        yield OpenKey(
            RemoteSigner(str(address), secret, key.certificate, tuple(key.signer.chain)), key.certificate, key.origin
        )


@dataclass(slots=True)
class RemoteSigner:
    """The signer as workers have it; `dsig.hookspecs.Signer`."""

    address: str
    secret: bytes = field(repr=False)
    certificate: bytes
    chain: Sequence[bytes]
    _own: threading.local = field(default_factory=threading.local, repr=False)
    """The connection of each thread."""

    def __reduce__(self) -> tuple[type[RemoteSigner], tuple[object, ...]]:
        """Without connections: every process has its own."""
        return RemoteSigner, (self.address, self.secret, self.certificate, tuple(self.chain))

    def sign_digest(self, digest: bytes, mac: MacAlgorithmSpec) -> bytes:
        """Ask the process that has the key, from any thread.

        Raises `KeySourceError` or `PluginError` as the key source did.
        """
        try:
            connection: Connection | None = getattr(self._own, "connection", None)
            if connection is None:
                connection = self._own.connection = Client(self.address, family="AF_UNIX", authkey=self.secret)
            connection.send_bytes(struct.pack("<H", len(name := mac.name.encode())) + name + digest)
            said = connection.recv_bytes(LONGEST)
        except (OSError, EOFError, AuthenticationError):
            raise KeySourceError("the process that holds the key is gone", code="key-closed") from None
        kind, body = said[:1], said[1:]
        if kind == _SIGNATURE:
            return body
        code, message, hint = body.decode().split("\0")
        trouble = KeySourceError if kind == _KEY_TROUBLE else PluginError
        raise trouble(message, code=code, hint=hint or None)


def _question(data: bytes) -> tuple[str, bytes]:
    (length,) = struct.unpack_from("<H", data)
    return data[2 : 2 + length].decode(), data[2 + length :]


def _signed(key: OpenKey, plugins: Plugins, name: str, digest: bytes) -> bytes:
    """The answer to one question."""
    try:
        spec = plugins.mac_algorithms.spec(name)
        with blaming(key.origin, "signing", secret=True):
            value: object = key.signer.sign_digest(digest, spec)
        if not isinstance(value, bytes):
            raise PluginError(f"key source {key.origin.name} gave no signature", code="plugin-contract")
    except DsigError as error:
        kind = _KEY_TROUBLE if isinstance(error, KeySourceError) else _PLUGIN_TROUBLE
        return kind + "\0".join((error.code, error.message, error.hint or "")).encode()
    return _SIGNATURE + value
