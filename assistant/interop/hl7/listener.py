"""The MLLP server: messages of a connection one after the other, connections beside each other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from assistant.interop.hl7.mllp import MOST_BYTES, Frames, FrameTooLarge, framed

logger = logging.getLogger("bedside.assistant.interop.hl7")

READ_BYTES = 65_536
HALF_FRAME_SECONDS = 30.0
"""A frame that has begun ends within this, or the connection is closed; between frames a sender
may be silent as long as it likes."""
MOST_CONNECTIONS = 64

Receive = Callable[[bytes], bytes]


class Listener:
    """Answers framed messages with framed acknowledgements."""

    def __init__(
        self,
        receive: Receive,
        *,
        limit: int = MOST_BYTES,
        half_frame_seconds: float = HALF_FRAME_SECONDS,
        on_message: Callable[[], None] | None = None,
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._half_frame_seconds = half_frame_seconds
        self._on_message = on_message
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, which the system chooses for 0.  Raises `OSError`."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=READ_BYTES)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def serve_forever(self) -> None:
        """Until cancelled."""
        assert self._server is not None
        await self._server.serve_forever()

    async def stop(self) -> None:
        """Close the door and every connection; a message that is being kept is kept first."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= MOST_CONNECTIONS:
            writer.close()
            logger.warning("a connection was refused: there are %d", len(self._connections))
            return
        self._connections.add(task)
        try:
            await self._talk(reader, writer)
        except FrameTooLarge:
            logger.warning("a connection was closed: a message is over %d bytes", self._limit)
        except TimeoutError:
            logger.warning("a connection was closed: a message did not end in time")
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames(self._limit)
        while True:
            waits = self._half_frame_seconds if frames.half else None
            data = await asyncio.wait_for(reader.read(READ_BYTES), waits)
            if not data:
                return
            for message in frames.feed(data):
                # Shielded: a stop must not come between the store and its acknowledgement.
                answer = await asyncio.shield(asyncio.to_thread(self._receive, message))
                writer.write(framed(answer))
                await writer.drain()
                if self._on_message is not None:
                    self._on_message()
