"""What the server and one of its processes tell each other: whole messages, some with a file."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 400_000
"""Of a message; of a longer one the other end would get a part."""

MOST_WAITING = 256
"""Messages."""

READY, REQUEST, COUNTS = b"r", b"h", b"c"
"""Calls can be taken; a connection with what was read of it; what was answered (JSON)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message; whoever has it closes its ``file``."""

    kind: bytes
    data: bytes
    file: int | None = None


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end; it never blocks: what the other end has no room for waits."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, MOST_BYTES)
        self.end = end
        # The kernel may give less room than is asked for, and takes some of it for itself.
        self._most = min(MOST_BYTES, end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 1_024)
        self.waiting: deque[Message] = deque()

    @staticmethod
    def pair() -> tuple[socket.socket, socket.socket]:
        """Both ends."""
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def send(self, kind: bytes, data: bytes = b"", file: int | None = None) -> bool:
        """Send a message, with a copy of ``file``; False where it is too long, or the other end is
        gone, or far behind."""
        if len(kind) + len(data) > self._most:
            return False
        message = Message(kind, data, file)
        if not self.waiting:
            sent = self._is_sent(message)
            if sent is not None:
                return sent
        if len(self.waiting) >= MOST_WAITING:
            return False
        if not self.waiting:
            asyncio.get_running_loop().add_writer(self.end, self._go_on)
        self.waiting.append(Message(kind, data, None if file is None else os.dup(file)))
        return True

    def _is_sent(self, message: Message) -> bool | None:
        """Whether the other end has it; None where there is no room now."""
        files = [] if message.file is None else [message.file]
        try:
            socket.send_fds(self.end, [message.kind, message.data], files)
        except BlockingIOError:
            return None
        except OSError:
            return False
        return True

    def _go_on(self) -> None:
        while self.waiting:
            sent = self._is_sent(self.waiting[0])
            if sent is None:
                return
            if not sent:
                # It is lost, as whoever reads this end is about to learn.
                break
            let_go(self.waiting.popleft())
        asyncio.get_running_loop().remove_writer(self.end)

    def received(self) -> Iterator[Message]:
        """The messages that are there.  Raises `Closed`."""
        while True:
            try:
                data, files, _, _ = socket.recv_fds(
                    self.end, MOST_BYTES, 1, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                raise Closed from None
            if not data:
                raise Closed
            yield Message(data[:1], data[1:], files[0] if files else None)

    def stop(self) -> None:
        """Have the loop ask no more for it."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.end)
        loop.remove_writer(self.end)

    def close(self) -> None:
        """Close this end; what waits is not sent."""
        self.end.close()


def let_go(message: Message) -> None:
    """Close the connection of a message that nobody takes."""
    if message.file is not None:
        os.close(message.file)
