"""A process that answers the calls of hooks which the server hands it.

It works on no jobs and opens no model.  It ends with the server, however that ends: the channel
closes, and what has begun is still answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvicorn

from assistant.interop.hooks.processes.answered import Answered
from assistant.interop.hooks.processes.channel import READY, REQUEST, Channel, Closed, let_go
from assistant.interop.hooks.processes.connection import Door
from assistant.interop.hooks.processes.request_head import is_hook, share_of
from assistant.settings import Settings


def run(end: socket.socket, settings: Settings, share: int, count: int, warms: bool) -> None:
    """The process with the number ``share`` of ``count``."""
    from assistant.libraries import log_to_stderr, quiet_libraries

    # Ctrl-C and systemd tell all processes at once; this one ends behind the server, which may
    # still have calls for it.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)
    quiet_libraries()
    log_to_stderr(settings.log_level)
    asyncio.run(_Worker(Channel(end), settings, share, count, warms).serve())


class _Server(uvicorn.Server):
    """One that listens nowhere; it does ``begin`` when the application has started."""

    def __init__(self, config: uvicorn.Config, begin: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._begin = begin

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        """None: it ends with the server."""
        return contextlib.nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application."""
        await super().startup(sockets)
        await self._begin()


class _Worker:
    def __init__(
        self, channel: Channel, settings: Settings, share: int, count: int, warms: bool
    ) -> None:
        from assistant.application import build_services
        from assistant.interop.hooks.processes.own_app import own_app
        from assistant.opening import open_terms
        from assistant.work.registry import installed

        parts = build_services(settings, installed(), open_terms(settings), workers=0)
        self._channel = channel
        self._share, self._count, self._warms = share, count, warms
        self._app = own_app(parts, Answered(channel))
        self._door = Door(self._hand_on)
        self._taking: set[asyncio.Task[None]] = set()
        self._config = uvicorn.Config(
            self._app,
            http=cast(Any, self._door),
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._server = _Server(self._config, self._begin)

    async def serve(self) -> None:
        """Until the server or a signal ends it."""
        await self._server.serve(sockets=[])

    async def _begin(self) -> None:
        from assistant.interop.hooks.routes import warm

        self._door.open(
            config=self._config,
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )
        if self._warms:
            await warm(self._app)
        asyncio.get_running_loop().add_reader(self._channel.end, self._heard)
        self._channel.send(READY)

    def _hand_on(self, file: int, begun: bytes) -> bool:
        """What is another's goes back to the server, which knows whose it is."""
        if is_hook(begun) and share_of(begun, self._count) in (None, self._share):
            return False
        return self._channel.send(REQUEST, begun, file)

    def _heard(self) -> None:
        try:
            for message in self._channel.received():
                if message.file is None or self._server.should_exit:
                    let_go(message)
                    continue
                # The server has decided: it is not handed back, whosever it is.
                task = asyncio.create_task(self._door.take(message.file, message.data))
                self._taking.add(task)
                task.add_done_callback(self._taking.discard)
        except Closed:
            self._channel.stop()
            self._server.should_exit = True
