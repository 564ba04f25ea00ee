"""A connection of a process: kept as long as its requests are for this process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from assistant.interop.hooks.processes.request_head import is_enough

HandOn = Callable[[int, bytes], bool]
"""Given a connection's file and what was read of its next request: whether another process has it
now.  The file is closed here afterwards."""


class Connection(H11Protocol):
    """HTTP/1.1 by uvicorn; before each request is read it may go to another process."""

    def __init__(self, hand_on: HandOn, first: bytes = b"", **given: Any) -> None:
        """``first`` is what another process has read of this connection."""
        super().__init__(**given)
        self._hand_on = hand_on
        self._first = first
        self._begun = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with what was read before."""
        super().connection_made(transport)
        if self._first:
            super().data_received(self._first)
            self._first = b""

    def data_received(self, data: bytes) -> None:
        """Take what comes in, or hand the connection on with it."""
        if self._begun or self._is_between():
            data, self._begun = self._begun + data, b""
            if not is_enough(data):
                self._unset_keepalive_if_required()
                self._begun = data
                return
            if self._is_handed_on(data):
                return
        super().data_received(data)

    def _is_between(self) -> bool:
        """Whether nothing of a request is read, and nothing of an answer still to be sent."""
        idle = self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE
        return (
            idle and not self.conn.trailing_data[0] and not self.transport.get_write_buffer_size()
        )

    def _is_handed_on(self, data: bytes) -> bool:
        own = self.transport.get_extra_info("socket")
        if own is None or self.transport.is_closing():
            return False
        file = os.dup(own.fileno())
        try:
            handed = self._hand_on(file, data)
        finally:
            os.close(file)
        if handed:
            # Closes this process's file alone: the connection lives on in the other.
            self.transport.abort()
        return handed


class Door:
    """Makes the connections of a server: those that it accepts, and those that it is handed."""

    def __init__(self, hand_on: HandOn) -> None:
        self._hand_on = hand_on
        self._given: Mapping[str, Any] | None = None

    def __call__(self, _loop: asyncio.AbstractEventLoop | None = None, **given: Any) -> Connection:
        """As uvicorn makes one."""
        self._given = given
        return Connection(self._hand_on, _loop=_loop, **given)

    def open(self, **given: Any) -> None:
        """What connections are made with where none is accepted first."""
        self._given = given

    async def take(self, file: int, first: bytes) -> None:
        """Go on with a connection that another process has begun to read."""
        handed = socket.socket(fileno=file)
        if self._given is None:
            handed.close()
            return
        given = self._given
        handed.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: Connection(self._hand_on, first, **given), handed
        )
