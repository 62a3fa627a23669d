"""A server that never comes to an end."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def dripping(begin: bytes) -> Iterator[str]:
    """A server that says something, and goes on with a byte now and then: twenty seconds, or until all is over."""
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                self.request.recv(1 << 16)
                self.wfile.write(begin)
                for _ in range(400):
                    if over.wait(0.05):
                        break
                    self.wfile.write(b"x")
            except OSError:
                pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        over.set()
        server.shutdown()
        thread.join()
