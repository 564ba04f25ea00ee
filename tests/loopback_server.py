"""A small HTTP server on loopback that answers as a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Served:
    """One answer; it comes after ``delay`` seconds, with ``drip`` seconds between every hundred
    bytes of its body."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0


Answer = Callable[[str, Mapping[str, str]], Served]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """The server's address, while it is open."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = answer(self.path, dict(self.headers))
            time.sleep(said.delay)
            try:
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                step = 100 if said.drip else max(1, len(said.body))
                for start in range(0, len(said.body), step):
                    self.wfile.write(said.body[start : start + step])
                    time.sleep(said.drip)
            except OSError:
                pass  # who asked has given up

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
