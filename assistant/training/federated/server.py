"""The coordinator on the network: HTTPS in which both sides show a certificate.

Sites ask, the coordinator only answers, so a hospital opens no port.  The standard library's
server is used, as it tells which certificate a request came with.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from assistant.training.federated.keys import fingerprint
from assistant.training.federated.members import Joined, SiteRefused
from assistant.training.federated.rounds import Federation

logger = logging.getLogger("bedside.training.federated")
_SECONDS = 120.0
_LEAST_BYTES = 1 << 20


class Coordinator(ThreadingHTTPServer):
    """Serves one `Federation` to the sites of an allow-list, each known by its certificate."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        sites: dict[str, str],
        federation: Federation,
    ) -> None:
        """``sites``: names by the SHA-256 of their certificate."""
        super().__init__(address, _Handler)
        self.sites, self.federation = sites, federation
        self.fetched: set[str] = set()
        # The handshake is left to the request's thread: a slow one holds nobody up.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A stranger, or a line that broke: a line in the log, no traceback."""
        logger.warning("a connection from %s was not taken or broke", client_address[0])


class _Handler(BaseHTTPRequestHandler):
    server: Coordinator
    server_version = "bedside"
    sys_version = ""
    timeout = _SECONDS

    def do_GET(self) -> None:
        """``/v1/work``: 200 with a message, 204 to wait."""
        self._respond("/v1/work", self._work)

    def do_POST(self) -> None:
        """``/v1/join`` with JSON, ``/v1/rounds/N`` with a message."""
        if self.path == "/v1/join":
            self._respond(self.path, self._join)
        else:
            self._respond("/v1/rounds/", self._answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: rounds are."""

    def _respond(self, place: str, act: Any) -> None:
        certificate = self.connection.getpeercert(binary_form=True)
        site = self.server.sites.get(fingerprint(certificate or b""))
        if site is None:
            self._send(403, _said("此证书不在名单中。(This certificate is not on the list.)"))
        elif not self.path.startswith(place):
            self._send(404, _said("没有这个地址。(No such address.)"))
        else:
            try:
                self._send(*act(site))
            except SiteRefused as error:
                self._send(409, _said(str(error)))

    def _work(self, site: str) -> tuple[int, bytes]:
        found = self.server.federation.work(site)
        if found is not None and self.server.federation.over:
            self.server.fetched.add(site)
        return (204, b"") if found is None else (200, found)

    def _join(self, site: str) -> tuple[int, bytes]:
        try:
            said = json.loads(self._body(_LEAST_BYTES))
            joined = Joined(
                int(said["documents"]),
                int(said["characters"]),
                tuple(map(str, said["types"])),
                bool(said["nested"]),
                str(said["base"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SiteRefused("加入请求无法读取。(The request to join cannot be read.)") from error
        self.server.federation.join(site, joined)
        return 200, _said("ok")

    def _answer(self, site: str) -> tuple[int, bytes]:
        number = self.path.removeprefix("/v1/rounds/")
        if not number.isdecimal() or len(number) > 6:
            raise SiteRefused("没有这一轮。(No such round.)")
        size = sum(value.nbytes for value in self.server.federation.weights.values())
        self.server.federation.answer(site, int(number), self._body(size + _LEAST_BYTES))
        return 200, _said("ok")

    def _body(self, most: int) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > most:
            self.close_connection = True
            raise SiteRefused(
                f"消息缺少长度或超过 {most} 字节。(The message has no length or more than {most} "
                "bytes.)"
            )
        return self.rfile.read(int(length))

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _said(sentence: str) -> bytes:
    return json.dumps({"detail": sentence}, ensure_ascii=False).encode()


def serve(coordinator: Coordinator, told: Any, linger: float = 60.0) -> None:
    """Serve until the training is over and every site that takes part has the model, or
    ``linger`` seconds have gone since.  ``told`` gets (rounds done, rounds, line)."""
    thread = threading.Thread(target=coordinator.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    federation = coordinator.federation
    ended: float | None = None
    try:
        while True:
            federation.tick()
            rounds = federation.plan.learning.rounds + 1 if federation.plan else 1
            told(len(federation.history), rounds, federation.last_round())
            if federation.over:
                ended = ended or time.monotonic()
                last = federation.history[-1] if federation.history else None
                wanted = set(last.accepted) if last else set()
                if wanted <= coordinator.fetched or time.monotonic() - ended > linger:
                    break
            time.sleep(0.2)
    finally:
        coordinator.shutdown()
        coordinator.server_close()
